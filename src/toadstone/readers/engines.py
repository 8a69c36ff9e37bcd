"""Models compiled for one runtime, which this version recognises and does not open: RKNN and ExecuTorch.

They hold instructions for a processor or a backend of its own. Pickles in them are looked for, the rest is unread and says so
by name. Source: the headers of RKNN files as Rockchip's tools write them; ``schema/program.fbs`` of ExecuTorch.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Code, Fact
from toadstone.readers.reader import Reader, Source

_WHAT = {
    "rknn": "a model compiled for Rockchip's neural processors (RKNN)",
    "executorch": "a program of ExecuTorch, with parts compiled for its backends",
}


def _read(source: Source, kind: str) -> Iterator[Fact]:
    from toadstone.readers.pickle import carve  # noqa: PLC0415  (start-up time)

    source.coverage.read(0, source.blob.size)
    yield Code(source.place, "native", source.name, f"{_WHAT[kind]}, {source.blob.size:,} bytes")
    yield from carve(source, 0, source.blob.size)
    yield source.unread(f"{_WHAT[kind]} is not opened by this version", 0, source.blob.size)


def _read_rknn(source: Source) -> Iterator[Fact]:
    """Say what it is; look for pickles in it."""
    yield from _read(source, "rknn")


def _is_executorch(source: Source) -> bool:
    """Whether the root of the flatbuffer lies inside the file."""
    head = source.head(8)
    return head[4:8] == b"ET12" and 8 <= int.from_bytes(head[:4], "little") < source.blob.size


def _read_executorch(source: Source) -> Iterator[Fact]:
    """Say what it is; look for pickles in it."""
    yield from _read(source, "executorch")


READERS = (
    Reader(kind="rknn", read=_read_rknn, heads=(b"RKNN\0\0\0\0", b"CYPTRKNN"), rank=20),
    Reader(kind="executorch", read=_read_executorch, marks=((4, b"ET12"),), claims=_is_executorch, rank=40),
)
