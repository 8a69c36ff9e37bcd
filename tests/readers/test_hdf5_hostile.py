"""HDF5 that no library would write: hidden, looping, overlapping, damaged."""

import io
import pickle
import random

import h5py
import numpy as np
import pytest
from hdf5_files import Echo, imported, kinds, source_of, unread, walked, write

from toadstone.core.budget import BudgetError
from toadstone.readers import hdf5
from toadstone.readers.hdf5.datatype import Datatype
from toadstone.readers.hdf5.medium import Broken
from toadstone.readers.walk import walk


def test_hidden_in_free_space():
    payload = pickle.dumps(Echo(), 4)
    stream = io.BytesIO(write(lambda file: [file.create_dataset(name, data=np.arange(100.0)) for name in "ab"]))
    with h5py.File(stream, "a") as file:
        start = file["a"].id.get_offset() + 100
        del file["a"]
    data = stream.getvalue()
    assert not unread(walked(data))
    facts = walked(data[:start] + payload + data[start + len(payload) :])
    assert imported(facts)
    assert "hidden-data" in kinds(facts)


def test_hidden_behind_the_end():
    data = write(lambda file: file.attrs.create("x", 1))
    assert imported(walked(data + pickle.dumps(Echo(), 2)))
    assert unread(walked(data + b"\x01\x02\x03 nobody knows"))


def test_shape_bomb():
    facts = walked(write(lambda file: file.create_dataset("a", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))))
    assert "resource-claim" in kinds(facts)


def test_overlapping_payload():
    data = write(lambda file: (file.create_dataset("a", data=np.arange(100.0)), file.create_dataset("b", data=-np.arange(100.0))))
    with h5py.File(io.BytesIO(data)) as file:
        one, two = (file[name].id.get_offset().to_bytes(8, "little") for name in "ab")
    assert "overlap" in kinds(walked(data.replace(two, one)))
    assert "overlap" not in kinds(walked(data))


def test_loops_end():
    data = write(lambda file: [file.create_group(f"g{index}") for index in range(200)], libver="earliest")
    tree = next(at for at in range(len(data)) if data[at : at + 4] == b"TREE" and data[at + 5] > 0)
    looped = data[: tree + 32] + tree.to_bytes(8, "little") + data[tree + 40 :]
    assert any("twice" in reason for reason in unread(walked(looped)))


def test_unknown_filter_and_broken_chunk():
    def fill(file):
        file.create_dataset("words", (100,), h5py.string_dtype(), chunks=(10,), compression="lzf")[:] = "text"

    data = write(fill)
    assert unread(walked(data)) == []
    unknown = data.replace(b"\x00\x7d\x08\x00", b"\x01\x7d\x08\x00")  # 32001 is Blosc
    assert any("filter 32001" in reason for reason in unread(walked(unknown)))

    def fill_packed(file):
        file.create_dataset("words", (100,), h5py.string_dtype(), chunks=(100,), compression="gzip")[:] = "text"

    data = write(fill_packed)
    with h5py.File(io.BytesIO(data)) as file:
        info = file["words"].id.get_chunk_info(0)
    broken = bytearray(data)
    broken[info.byte_offset : info.byte_offset + 8] = b"\xff" * 8
    assert any("inflate" in reason for reason in unread(walked(bytes(broken))))


def test_unknown_messages_and_versions_are_unread():
    data = write(lambda file: file.attrs.create("x", 1), libver="latest")
    for version in (4, 9, 255):
        assert unread(walked(data[:8] + bytes([version]) + data[9:]))
    header = data.index(b"OHDR")
    attribute = data.index(b"x\0", header) - 9 - 4
    facts = walked(data[:attribute] + b"\x7f" + data[attribute + 1 :])
    assert any("0x7f" in reason for reason in unread(facts))


def small(bounds):
    def fill(file):
        file.attrs["config"] = '{"a": 1}'
        file.create_dataset("g/d", (6,), "i2", chunks=(3,), compression="gzip")[:] = 1
        file["g/s"] = np.array(["ab", "c"], dtype=h5py.string_dtype())
        file["e"] = h5py.ExternalLink("o.h5", "/")

    return write(fill, libver=bounds)


def read_all(data):
    """Read without the shield that turns errors into facts: only the budget may stop a reader."""
    source = source_of(data)
    try:
        facts = list(hdf5.read(source))
    except BudgetError as error:
        facts = [source.unread(str(error))]
    return facts, source


@pytest.mark.parametrize("bounds", ["earliest", "latest"])
def test_truncated_anywhere(bounds):
    data = small(bounds)
    for size in range(8, len(data), 3):
        facts, _ = read_all(data[:size])
        assert unread(facts) or kinds(facts), size


@pytest.mark.parametrize("bounds", ["earliest", "latest"])
def test_any_byte_changed(bounds):
    data = small(bounds)
    for offset in range(8, len(data), 1 if bounds == "latest" else 2):
        broken = bytearray(data)
        broken[offset] ^= 0xFF if offset & 2 else 0x01
        read_all(bytes(broken))


def test_random_damage():
    rng = random.Random(5)
    for data in (small("earliest"), small("latest")):
        for _ in range(300):
            broken = bytearray(data)
            for _ in range(rng.randrange(1, 12)):
                broken[rng.randrange(8, len(data))] = rng.choice((0, 0xFF, 0x80, 1, rng.randrange(256)))
            read_all(bytes(broken))


def test_shared_tables_are_read_once():
    """Thousands of groups that share one symbol table: every group would cost the whole table again."""
    data = write(lambda file: [file.create_group(f"g{index:04}") for index in range(2000)], libver="earliest")
    root_tree = data.index(b"TREE").to_bytes(8, "little")
    with h5py.File(io.BytesIO(data)) as file:
        headers = [h5py.h5o.get_info(file[f"g{index:04}"].id).addr for index in range(2000)]
    shared = bytearray(data)
    table = next(at for at in range(96, len(data)) if data[at : at + 8] == root_tree)
    for header in headers:
        shared[header + 24 : header + 40] = data[table : table + 16]
    source = source_of(bytes(shared))
    before = source.budget.steps
    facts = list(walk(source))
    assert before - source.budget.steps < 2 * len(data)
    assert any("twice" in reason for reason in unread(facts))


def test_pickle_in_one_of_many_items():
    payload = pickle.dumps(Echo(), 4)
    items = np.array([b"x" * 10, payload, b"y"], dtype=f"S{len(payload) + 3}")

    def fill(file):
        file["strings"] = items
        file.create_dataset("opaque", data=np.array([np.void(bytes(len(payload))), np.void(payload)]))

    assert sorted(imported(walked(write(fill)))) == ["/opaque", "/strings"]


def test_nested_arrays_of_references_are_bounded():
    kind = Datatype(9, 16, 0, Datatype(0, 4, 0))
    assert kind.heaped() == [(0, kind)]
    nested = Datatype(10, 64, 0, kind, count=4)
    assert [at for at, _ in nested.heaped()] == [0, 16, 32, 48]
    for _ in range(8):
        nested = Datatype(10, 1 << 31, 0, nested, count=1000)
    with pytest.raises(Broken):
        nested.heaped()
