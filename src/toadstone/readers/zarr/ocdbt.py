"""Manifests, nodes and values of an OCDBT database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact
from toadstone.readers.checksum import crc32c
from toadstone.readers.nested import nested
from toadstone.readers.reader import Source
from toadstone.readers.unpack import Outcome, Stream, zstd
from toadstone.readers.zstd_frames import frames

_MAGIC = re.compile(rb"\x0c\xdb(?:\x3a\x2a|\x20\xde|\x12\x34)")
_CHUNK = re.compile(r"(?:.*/)?(?:c/)?\d+(?:[./]\d+)*", re.DOTALL)
_LEAF_MAGIC = b"\x0c\xdb\x20\xde"
_FRAME, _CHECKSUM = 12, 4
_LARGEST = 64 << 20
"""Bytes of a node; the default limit of the writer is 8 MiB."""

_ENTRIES = 1 << 18
_TEXTS = (".zarray", ".zattrs", ".zgroup", "zarr.json", ".json")


class Node(NamedTuple):
    """Where a checked structure stands, and its body unpacked (empty if it could not be)."""

    start: int
    stop: int
    body: bytes


def read(source: Source) -> Iterator[Fact]:
    """Give what the nodes of one file hold, and claim what they or the frames between them account for."""
    nodes, broken = _nodes(source)
    for start in broken:
        yield source.anomaly("checksum-mismatch", "a node does not match its CRC-32C, or is cut short", start)
        yield source.unread("ocdbt: a node that is broken", start)
    for node in nodes:
        source.coverage.read(node.start, node.stop)
        if source.blob.read(node.start, 4) == _LEAF_MAGIC and node.body[:1] == b"\0":
            yield from _leaf(source, node.body)
    for start, stop in source.coverage.gaps():
        for frame in frames(source.blob, start, stop):
            if frame.whole:
                source.coverage.inert(frame.start, frame.stop)


def _nodes(source: Source) -> tuple[list[Node], list[int]]:
    """Find the structures of a file, and where one begins that is none."""
    found: list[Node] = []
    broken: list[int] = []
    position, end = 0, 0
    previous = b""
    for chunk in source.blob.chunks():
        source.budget.spend_steps(len(chunk) // 64)
        text = previous + chunk
        at = position - len(previous)
        for match in _MAGIC.finditer(text):
            start = at + match.start()
            if start < end:
                continue
            node = _node(source, start)
            if node is not None:
                found.append(node)
                end = node.stop
            elif start == end:
                broken.append(start)  # between values the mark may come up by chance
        previous = text[-3:]
        position += len(chunk)
    return found, broken


def _node(source: Source, start: int) -> Node | None:
    head = source.blob.read(start, _FRAME + 2)
    size = int.from_bytes(head[4:_FRAME], "little")
    if not _FRAME + 2 + _CHECKSUM <= size <= min(_LARGEST, source.blob.size - start) or len(head) < _FRAME + 2:
        return None
    source.budget.spend_steps(size)
    data = source.blob.read(start, size)
    if crc32c(data[:-_CHECKSUM]) != int.from_bytes(data[-_CHECKSUM:], "little") or head[_FRAME]:
        return None
    body = data[_FRAME + 2 : -_CHECKSUM]
    if head[_FRAME + 1] == 1:
        stream = Stream(zstd, BytesBlob(body), 0, len(body), source.budget)
        pieces, total = [], 0
        for piece in stream:
            total += len(piece)
            if total > _LARGEST:
                return None
            pieces.append(piece)
        body = b"".join(pieces) if stream.outcome is Outcome.ENDED else b""
    elif head[_FRAME + 1]:
        return None
    return Node(start, start + size, body)


class _Body:
    """Numbers of a node's body, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80 or shift > 56:
                return value
            shift += 7

    def numbers(self, count: int) -> list[int]:
        return [self.number() for _ in range(count)]

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise IndexError
        self.at += size
        return self.data[self.at - size : self.at]


def _leaf(source: Source, data: bytes) -> Iterator[Fact]:
    """Hand on the metadata among the entries of a leaf; claim the values in this file that it points to."""
    try:
        entries = _entries(_Body(data))
    except IndexError:
        yield source.unread("ocdbt: a node whose entries cannot be followed")
        return
    own = source.name.rsplit("/", 1)[-1]
    for key, value, place in entries:
        name = key.decode("utf-8", "replace")[:200]
        if place is not None:
            path, offset, size = place
            if path.rsplit("/", 1)[-1] == own:
                source.coverage.inert(offset, offset + size)
        elif name.endswith(_TEXTS):
            yield source.member(name, BytesBlob(value), "json")
        elif not _is_packed_chunk(name, value):
            yield from nested(source, name, BytesBlob(value))


def _is_packed_chunk(name: str, value: bytes) -> bool:
    """Whether an entry is a compressed part of an array: nothing but numbers comes out of it."""
    found = list(frames(BytesBlob(value), 0, len(value))) if _CHUNK.fullmatch(name) else []
    return bool(found) and all(frame.whole for frame in found) and found[-1].stop == len(value)


def _entries(body: _Body) -> list[tuple[bytes, bytes, tuple[str, int, int] | None]]:
    """Read a leaf: key, value, and file, offset and size where the value stands elsewhere.

    Raises:
        IndexError: If the body is cut short.
    """
    body.byte()  # its height
    files = _files(body)
    count = body.number()
    if not 0 < count <= min(_ENTRIES, len(body.data)):
        raise IndexError
    prefixes = [0, *body.numbers(count - 1)]
    suffixes = body.numbers(count)
    keys: list[bytes] = []
    for prefix, suffix in zip(prefixes, suffixes, strict=True):
        keys.append((keys[-1][:prefix] if keys else b"") + body.take(suffix))
    sizes = body.numbers(count)
    kinds = [body.byte() for _ in range(count)]
    outside = sum(kind == 1 for kind in kinds)
    where = list(zip(body.numbers(outside), body.numbers(outside), strict=True))[::-1]
    found: list[tuple[bytes, bytes, tuple[str, int, int] | None]] = []
    for key, size, kind in zip(keys, sizes, kinds, strict=True):
        if kind == 1:
            index, offset = where.pop()
            found.append((key, b"", (files[index], offset, size)))
        else:
            found.append((key, body.take(size), None))
    return found


def _files(body: _Body) -> list[str]:
    """Read the table of data files: names that share their beginnings."""
    count = body.number()
    if count > len(body.data):
        raise IndexError
    prefixes = [0, *body.numbers(count - 1)] if count else []
    suffixes = body.numbers(count)
    body.numbers(count)  # lengths of the base paths
    names: list[bytes] = []
    for prefix, suffix in zip(prefixes, suffixes, strict=True):
        names.append((names[-1][:prefix] if names else b"") + body.take(suffix))
    return [name.decode("utf-8", "replace") for name in names]
