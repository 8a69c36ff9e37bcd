"""Chunks of arrays, and the databases in which Orbax keeps them."""

import json
import struct
import zlib

import pytest
import zstandard
from format_files import PICKLE, assert_total, look
from hypothesis import given
from hypothesis import strategies as st
from model_files import judged

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Fact, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.readers.checksum import crc32c
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

RAW = struct.pack("<6f", *range(6))


def described(compressor: object, **changes: object) -> dict[str, bytes]:
    metadata = {"chunks": [2, 3], "compressor": compressor, "dtype": "<f4", "filters": None, "shape": [4, 3], "zarr_format": 2}
    return {".zarray": json.dumps(metadata | changes).encode()}


def blosc(content: bytes, size: int) -> bytes:
    return bytes([2, 1, 0x33, 4]) + struct.pack("<III", size, size, 16 + len(content)) + content


@pytest.mark.parametrize(
    ("data", "compressor"),
    [
        (RAW, None),
        (zlib.compress(RAW), {"id": "zlib", "level": 1}),
        (zstandard.compress(RAW), {"id": "zstd"}),
        (zstandard.compress(bytes(24)), {"id": "zstd"}),
        (blosc(RAW, 24), {"id": "blosc", "cname": "lz4"}),
    ],
)
def test_chunks_that_are_what_the_metadata_say(data: bytes, compressor: object) -> None:
    found = look(data, "0.1", described(compressor))
    assert found.kind == "zarr-chunk"
    assert not found.facts
    assert look(data, "0.1").kind != "zarr-chunk"


@pytest.mark.parametrize(
    ("data", "beside"),
    [
        (RAW + b"\1", described(None)),
        (zstandard.compress(RAW * 2), described({"id": "zstd"})),
        (zstandard.compress(RAW) + b"\1\2\3", described({"id": "zstd"})),
        (blosc(RAW, 24)[:-1], described({"id": "blosc"})),
        (RAW, described(None, dtype="|O")),
        (RAW, described(None, chunks=[2, "x"])),
        (RAW, {".zarray": b"{"}),
    ],
)
def test_chunks_that_are_not_are_read_as_what_they_are(data: bytes, beside: dict[str, bytes]) -> None:
    assert look(data, "0.0", beside).unread


def test_chunks_that_zarr_unpickles() -> None:
    beside = described({"id": "zstd"}, dtype="|O", filters=[{"id": "pickle", "protocol": 4}])
    assert judged(look(zstandard.compress(PICKLE), "0.0", beside))["unsafe-import"] is Severity.CRITICAL


# ---- OCDBT


def varint(*values: int) -> bytes:
    out = bytearray()
    for value in values:
        left = value
        while left > 0x7F:
            out.append(left & 0x7F | 0x80)
            left >>= 7
        out.append(left)
    return bytes(out)


def node(body: bytes, magic: int = 0x0CDB20DE, packed: bool = True) -> bytes:
    content = zstandard.compress(body) if packed else body
    head = struct.pack(">I", magic) + struct.pack("<Q", 18 + len(content)) + bytes([0, packed]) + content
    return head + struct.pack("<I", crc32c(head))


def leaf(entries: dict[str, bytes | tuple[int, int]], file: str = "") -> bytes:
    files = varint(1, len(file), 2) + file.encode() if file else b"\0"
    keys = [key.encode() for key in entries]
    inline = [value for value in entries.values() if isinstance(value, bytes)]
    outside = [value for value in entries.values() if isinstance(value, tuple)]
    body = b"\0" + files + varint(len(keys)) + bytes(len(keys) - 1) + varint(*map(len, keys)) + b"".join(keys)
    body += varint(*(len(value) if isinstance(value, bytes) else value[1] for value in entries.values()))
    body += bytes(isinstance(value, tuple) for value in entries.values())
    body += varint(*(0 for _ in outside)) + varint(*(value[0] for value in outside)) + b"".join(inline)
    return body


def database(data: bytes, name: str = "0123456789abcdef" * 2) -> tuple[Source, list[Fact]]:
    place = Place(f"checkpoint/d/{name}")
    source = Source(BytesBlob(data), name, place, Budget.of(len(data)))
    return source, list(walk(source))


ENTRIES: dict[str, bytes | tuple[int, int]] = {"w/.zarray": b'{"chunks":[2]}', "w/0": zstandard.compress(RAW)}


@pytest.mark.parametrize("packed", [True, False])
def test_nodes_and_values(packed: bool) -> None:
    name = "0123456789abcdef" * 2
    value = b"\x11\x22\x33" * 9
    data = value + zstandard.compress(RAW) + node(leaf({**ENTRIES, "x/0": (0, len(value))}, f"d/{name}"), packed=packed)
    source, facts = database(data, name)
    assert source.notes["kind"] == "ocdbt"
    assert not facts
    assert not source.coverage.gaps()
    source, facts = database(b"\1" + data, name)
    assert [type(fact) for fact in facts] == [Unread]


def test_the_manifest() -> None:
    data = node(b"anything at all", 0x0CDB3A2A)
    found = look(data, "manifest.ocdbt")
    assert found.kind == "ocdbt"
    assert not found.facts
    assert_total(data, "manifest.ocdbt")
    assert_total(node(leaf(ENTRIES)), "0" * 32)
    assert look(data[:-1], "manifest.ocdbt").unread


def test_a_node_that_was_changed() -> None:
    data = bytearray(node(leaf(ENTRIES)))
    data[20] ^= 1
    _, facts = database(bytes(data))
    assert "checksum-mismatch" in [fact.kind for fact in facts if isinstance(fact, Anomaly)]
    assert any(isinstance(fact, Unread) for fact in facts)


def test_what_entries_hold() -> None:
    entries: dict[str, bytes | tuple[int, int]] = {"m/.zattrs": b'{"_target_":"os.system","x":"echo toadstone"}', "state": PICKLE}
    _, facts = database(node(leaf(entries)))
    assert {str(fact.callee) for fact in facts if isinstance(fact, Call)} == {"os.system", "posix.system"}


@given(st.binary(max_size=120))
def test_random_bodies(body: bytes) -> None:
    database(node(b"\0" + body, packed=False))
    database(node(body) + body)
