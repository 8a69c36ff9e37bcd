"""HDF5: what h5py writes and sees (the oracle)."""

import io
import pickle

import h5py
import numpy as np
import pytest
from hdf5_files import Echo, imported, kinds, source_of, unread, walked, write

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Import, Link, Setting
from toadstone.core.place import Place
from toadstone.readers.hdf5 import traverse
from toadstone.readers.hdf5.content import Contents
from toadstone.readers.walk import walk

BOUNDS = ["earliest", ("v108", "v110"), ("v110", "v110"), ("v112", "v112"), "latest"]


def everything(file):
    rng = np.random.default_rng(7)
    file["a"] = rng.normal(size=(10, 10))
    file["text"] = "hello"
    file.attrs["x"] = "some text"
    file.attrs["n"] = np.arange(5)
    group = file.create_group("g")
    for index in range(60):
        group.create_group(f"sub{index}").attrs["i"] = index
    group["soft"] = h5py.SoftLink("/a")
    group["again"] = file["a"]
    group["up"] = file["/"]
    for index in range(40):
        file["a"].attrs[f"attribute{index}"] = "v" * index
    file["strings"] = np.array(["aa", "bb" * 100, ""] * 30, dtype=h5py.string_dtype())
    file.create_dataset("ragged", shape=(20,), dtype=h5py.vlen_dtype(np.int32))[3] = np.arange(50)
    file["compound"] = np.zeros(5, dtype=[("a", "i4"), ("b", "f8"), ("c", "S7"), ("d", "i2", (3,))])
    file["enumeration"] = np.zeros(5, dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1}))
    file["complex"] = np.zeros(5, dtype=complex)
    file["opaque"] = np.zeros(3, dtype="V10")
    file["boolean"] = np.zeros(4, bool)
    file["fixed"] = np.array([b"abc", b"def"])
    file["null"] = h5py.Empty("f4")
    file["reference"] = file["g"].ref
    file.create_dataset("region", shape=(2,), dtype=h5py.regionref_dtype)[0] = file["a"].regionref[2:5, 3:4]
    file["named"] = np.dtype("f4")
    file.create_dataset("typed", (5,), dtype=file["named"])[:] = 1
    file["many"] = 1
    file["many"].attrs["list"] = [f"layer_{index}".encode() for index in range(500)]
    chunked(file, rng)


def chunked(file, rng):
    file.create_dataset("tree1", (100,), "f4", chunks=(7,))[:] = 3
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    file.create_dataset("packed", (100, 50), "f8", chunks=(7, 9), **packed)[:] = rng.normal(size=(100, 50))
    file.create_dataset("single", (10, 10), "f4", chunks=(10, 10), compression="gzip")[:] = 1
    file.create_dataset("grown", (1500,), "f4", maxshape=(None,), chunks=(4,))[:] = rng.normal(size=1500)
    file.create_dataset("grown2", (500, 10), "f4", maxshape=(None, 10), chunks=(2, 3), compression="gzip")[:] = 1
    file.create_dataset("tree2", (100, 100), "f4", maxshape=(None, None), chunks=(5, 5))[:] = rng.normal(size=(100, 100))
    file.create_dataset("tree2p", (60, 60), "f4", maxshape=(None, None), chunks=(5, 5), compression="gzip")[:] = 2
    file.create_dataset("fixed-array", (1300,), "f4", chunks=(1,))[::3] = 1
    file.create_dataset("sparse", (10000, 1000), "f4", chunks=(100, 100))[5, 5] = 1
    words = file.create_dataset("words", (100,), h5py.string_dtype(), chunks=(10,), compression="gzip")
    words[:] = [f"word{index}" for index in range(100)]
    file.create_dataset("lzf", (50,), "f4", chunks=(5,), compression="lzf")[:] = 1
    file.create_dataset("untouched", (50,), "f4")


def recorded(monkeypatch, data):
    """Read a file and give what our parser saw: datasets, attributes, spans of payload, facts."""
    datasets, seen_attributes, media = {}, {}, []
    real_dataset, real_attribute = traverse.dataset_facts, Contents.attribute

    def dataset_facts(medium, contents, dataset):
        media.append(medium)
        datasets[dataset.path] = dataset
        yield from real_dataset(medium, contents, dataset)

    def attribute(self, path, found):
        seen_attributes.setdefault(path, {})[found.name] = found
        yield from real_attribute(self, path, found)

    monkeypatch.setattr(traverse, "dataset_facts", dataset_facts)
    monkeypatch.setattr(Contents, "attribute", attribute)
    source = source_of(data)
    facts = list(walk(source))
    return datasets, seen_attributes, media, facts


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("ordered", [False, True])
def test_agrees_with_h5py(monkeypatch, bounds, ordered):
    data = write(everything, libver=bounds, track_order=ordered)
    datasets, attributes, media, facts = recorded(monkeypatch, data)
    assert not unread(facts)
    assert not kinds(facts)
    spans = sorted(media[0].payload)
    with h5py.File(io.BytesIO(data)) as file:
        by_address = {}
        for path, dataset in datasets.items():
            by_address[dataset.offset] = dataset
            theirs = file[path]
            assert dataset.space.shape == theirs.shape
            if theirs.dtype.kind != "O":
                assert dataset.datatype.size == theirs.dtype.itemsize
            for start, size in stored_spans(theirs):
                assert any(first <= start and start + size <= last for first, last in spans), path
        objects = [file]
        file.visititems(lambda _, item: objects.append(item))
        theirs = {h5py.h5o.get_info(item.id).addr for item in objects if isinstance(item, h5py.Dataset)}
        assert set(by_address) == theirs
        assert sum(len(found) for found in attributes.values()) == sum(len(item.attrs) for item in objects)
        for path, found in attributes.items():
            for name, attribute in found.items():
                value = file[path].attrs[name]
                assert attribute.space.shape == np.shape(value)
                if isinstance(value, str):
                    (blob, _), *_ = [*Contents(media[0])._values(attribute), (BytesBlob(b""), 0)]
                    assert blob.read(0, blob.size).decode() == value


def stored_spans(dataset):
    if dataset.chunks:
        infos = [dataset.id.get_chunk_info(index) for index in range(dataset.id.get_num_chunks())]
        return [(info.byte_offset, info.size) for info in infos]
    offset = dataset.id.get_offset()
    return [(offset, dataset.id.get_storage_size())] if offset is not None else []


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_big_groups_and_dense_attributes(monkeypatch, bounds):
    def fill(file):
        group = file.create_group("g")
        for index in range(1500):
            group.create_group(f"node{index:05}").attrs["a"] = "b"
        names = file.create_group("long names")
        for index in range(20):
            names.create_group(f"n{index}" + "x" * 3000)
        for index in range(400):
            file.attrs[f"attribute_{index:04}"] = f"value {index}"

    _, attributes, _, facts = recorded(monkeypatch, write(fill, libver=bounds))
    assert not unread(facts)
    assert len(attributes["/"]) == 400
    assert sum(path.startswith("/g/") for path in attributes) == 1500
    assert Setting(Place("f"), "hdf5", "/@attribute_0399", "value 399") in [
        Setting(Place("f"), fact.schema, fact.key, fact.value) for fact in facts if isinstance(fact, Setting)
    ]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_space_left_behind_by_deletions_is_no_gap(bounds):
    def fill(file):
        rng = np.random.default_rng(3)
        for index in range(60):
            file[f"d{index}"] = rng.normal(size=100)
            file.attrs[f"k{index}"] = f"some text {index}"
        for index in range(0, 60, 2):
            del file[f"d{index}"]
            del file.attrs[f"k{index}"]
        for index in range(1, 60, 4):
            file.attrs[f"k{index}"] = "changed"

    facts = walked(write(fill, libver=bounds))
    assert not unread(facts)
    assert not kinds(facts)


@pytest.mark.parametrize("strategy", ["fsm", "page", "aggregate", "none"])
def test_file_space_strategies(strategy):
    def fill(file):
        for index in range(20):
            file[f"d{index}"] = np.arange(500.0)
        for index in range(0, 20, 2):
            del file[f"d{index}"]

    persist = strategy in {"fsm", "page"}
    assert not unread(walked(write(fill, libver="latest", fs_strategy=strategy, fs_persist=persist)))


def test_links_out_of_the_file():
    def fill(file):
        file["near"] = h5py.ExternalLink("other.h5", "/x/y")
        file["far"] = h5py.ExternalLink("/srv/secret.h5", "/x")
        file.create_dataset("x", (10,), "u1", external=[("../../etc/passwd", 0, 10)])
        file.create_dataset("y", (10,), "u1", external=[("sibling.bin", 0, 5), ("sibling2.bin", 3, 5)])
        layout = h5py.VirtualLayout((4, 100), "i4")
        for number in range(4):
            layout[number] = h5py.VirtualSource(f"part{number}.h5", "data", shape=(100,))
        file.create_virtual_dataset("v", layout)
        layout = h5py.VirtualLayout((10,), "u1")
        layout[:] = h5py.VirtualSource(".", "x", shape=(10,))
        file.create_virtual_dataset("w", layout)

    for bounds in ("earliest", "latest"):
        facts = walked(write(fill, libver=bounds))
        assert not unread(facts)
        assert {(fact.relation, fact.target, fact.escapes) for fact in facts if isinstance(fact, Link)} == {
            ("external-link", "other.h5:/x/y", False),
            ("external-link", "/srv/secret.h5:/x", True),
            ("external-storage", "../../etc/passwd", True),
            ("external-storage", "sibling.bin", False),
            ("external-storage", "sibling2.bin", False),
            *(("virtual-source", f"part{number}.h5", False) for number in range(4)),
        }


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_user_blocks(size):
    data = write(lambda file: file.attrs.__setitem__("a", "text"), userblock_size=size)
    assert not unread(walked(data))
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Nov 23 2026 HDF5 schema 1.00 .".ljust(116) + bytes(8)
    matlab = header + b"\x00\x02IM" + data[128:]
    facts = walked(matlab, "f.mat")
    assert not unread(facts)
    assert any(isinstance(fact, Setting) and fact.key == "/@a" for fact in facts)
    hidden = pickle.dumps(Echo(), 4)
    facts = walked(hidden + data[len(hidden) :])
    assert any(isinstance(fact, Import) and fact.symbol.name == "system" for fact in facts)


def test_pickles_in_attributes_and_datasets():
    payload = pickle.dumps(Echo(), 4)

    def fill(file):
        file.attrs["void"] = np.void(payload)
        file["bytes"] = np.frombuffer(payload, "u1")
        file["opaque"] = np.void(payload)
        file.create_dataset("packed", data=np.frombuffer(payload, "u1"), chunks=(20,), compression="gzip", shuffle=True)
        file.create_dataset("pieces", data=np.frombuffer(payload, "u1"), chunks=(20,))
        file.create_dataset("ragged", (2,), h5py.vlen_dtype(np.uint8))[1] = np.frombuffer(payload, "u1")

    assert sorted(imported(walked(write(fill)))) == sorted(["/@void", "/bytes", "/opaque", "/packed", "/pieces", "/ragged"])


def test_what_pytables_unpickles():
    payload = pickle.dumps(Echo(), 0)

    def fill(file):
        file.attrs["TITLE"] = np.bytes_(payload)
        file.attrs["sentence"] = np.bytes_(b"This is a sentence. And another.")
        rows = file.create_dataset("objects", (1,), h5py.vlen_dtype(np.uint8))
        rows.attrs["PSEUDOATOM"] = np.bytes_(b"object")
        rows[0] = np.frombuffer(payload, "u1")

    facts = walked(write(fill))
    assert sorted(imported(facts)) == ["/@TITLE", "/objects"]
    assert not unread(facts)


def test_ordinary_bytes_are_not_taken_for_files():
    def fill(file):
        file["image"] = np.random.default_rng(1).integers(0, 255, (50, 50, 3)).astype("u1")
        file["zeros"] = np.zeros(1000, "u1")

    facts = walked(write(fill))
    assert [fact for fact in facts if not isinstance(fact, Setting)] == []
