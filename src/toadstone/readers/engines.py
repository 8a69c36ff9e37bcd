"""Models compiled for one runtime, which this version recognises and does not open: RKNN, ExecuTorch, TensorRT.

They hold instructions for a processor or a backend of its own. Pickles in them are looked for, the rest is unread and says so
by name. Engines of TensorRT may carry libraries for the host, which it loads with them; programs for the GPU are their
ordinary content. Source: the headers of RKNN files as Rockchip's tools write them; ``schema/program.fbs`` of ExecuTorch;
NVIDIA's documentation of TensorRT, "Version Compatibility" and "Serializing Plugins"; the JSON that Ultralytics writes in front.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Code, Fact
from toadstone.core.regex import regex
from toadstone.readers.reader import Reader, Source

_WHAT = {
    "rknn": "a model compiled for Rockchip's neural processors (RKNN)",
    "executorch": "a program of ExecuTorch, with parts compiled for its backends",
    "tensorrt": "an engine of TensorRT, compiled for one GPU",
}
_ENGINE = (b"ftrt", b"ptrt")
_GRAPHICS = 190
"""Machine number of ELF files for CUDA."""
_ELF = regex(rb"(?s)\x7fELF[\x01\x02]\x01\x01.{9}[\x01-\x04]\0(..)\x01\0\0\0")
_PE = regex(rb"(?s)MZ.{58}(..)\0\0")
_PE_STUB = 4096
_LIBRARIES = 64
_FRONT = 1 << 20
"""Bytes of JSON that may stand in front of an engine."""


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


def _start(source: Source) -> int:
    """Find where the engine begins: at once, or behind a length and that much JSON; -1 if there is none."""
    head = source.head(8)
    if head[:4] in _ENGINE:
        return 0
    size = int.from_bytes(head[:4], "little") + 4
    if head[4:5] == b"{" and size <= min(_FRONT, source.blob.size - 4) and source.blob.read(size, 4) in _ENGINE:
        return size
    return -1


def _is_tensorrt(source: Source) -> bool:
    return source.blob.size >= 24 and _start(source) >= 0


def _read_tensorrt(source: Source) -> Iterator[Fact]:
    """Say what it is; hand on what stands in front; look for pickles and for libraries that the host would load."""
    begin = _start(source)
    if begin:
        yield source.member("metadata.json", source.blob.window(4, begin - 4), "json")
    yield from _read(source, "tensorrt")
    yield from _libraries(source, begin)


def _libraries(source: Source, begin: int) -> Iterator[Fact]:
    """Yield an `Anomaly` for programs and libraries of the host inside a file."""
    position, previous, found = begin, b"", 0
    for chunk in source.blob.chunks(begin, source.blob.size - begin):
        text = previous + chunk
        base = position - len(previous)
        for match in _ELF.finditer(text):
            if base + match.end() > position and int.from_bytes(match[1], "little") != _GRAPHICS and found < _LIBRARIES:
                found += 1
                yield source.anomaly("embedded-program", _EMBEDDED.format("Linux (ELF)"), base + match.start())
        for match in _PE.finditer(text):
            offset = base + match.start()
            stub = int.from_bytes(match[1], "little")
            fits = base + match.end() > position and 64 <= stub <= _PE_STUB and found < _LIBRARIES
            if fits and source.blob.read(offset + stub, 4) == b"PE\0\0":
                found += 1
                yield source.anomaly("embedded-program", _EMBEDDED.format("Windows (PE)"), offset)
        previous = text[-64:]
        position += len(chunk)


_EMBEDDED = "a program or library for {} inside an engine, where TensorRT keeps what it loads into the host"

READERS = (
    Reader(kind="rknn", read=_read_rknn, heads=(b"RKNN\0\0\0\0", b"CYPTRKNN"), rank=20),
    Reader(
        kind="tensorrt",
        read=_read_tensorrt,
        heads=_ENGINE,
        marks=((4, b"{"),),
        claims=_is_tensorrt,
        rank=20,
    ),
    Reader(kind="executorch", read=_read_executorch, marks=((4, b"ET12"),), claims=_is_executorch, rank=40),
)
