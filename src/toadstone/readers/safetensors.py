"""safetensors: a length, a JSON header, then tensors without gaps or overlaps.

Source: the format section of the safetensors README and its Rust reference (``safetensors/src/tensor.rs``), which refuses
headers above 100 MB, holes, overlaps, trailing bytes, and sizes that contradict the shape. Other loaders check less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.bounded_json import JsonError, parse
from toadstone.readers.carried import carried
from toadstone.readers.flood import thinned
from toadstone.readers.reader import Reader, Source

HEADER_LIMIT = 100_000_000
"""Bytes; the reference's ``MAX_HEADER_SIZE``."""

_SHORT = 1 << 16
"""Bytes in which a header that lies about its length is looked for."""

_HELD = 32 << 20
"""Bytes of a header that are held in memory: about 250,000 tensors, twice what the largest models have in all."""

_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


_DTYPE = re.compile(r"[A-Z]{1,8}[0-9]{0,3}(?:_[A-Z0-9]{1,16})*")
"""What names of dtypes look like, of later versions as well."""

_ROOTED = re.compile(r"[A-Za-z]:[\\/]|\\\\")
"""Names that begin at a drive or a share. A slash alone is no sign: exporters of graphs write ``/model/layers.0``."""

_BLANKS = b" \t\r\n"


class _Tensor:
    """Where a tensor lies in the data region."""

    __slots__ = ("name", "start", "stop")

    def __init__(self, start: int, stop: int, name: str) -> None:
        self.start, self.stop, self.name = start, stop, name


def claims(source: Source) -> bool:
    """Whether a plausible length is followed by the beginning of a JSON object that ends where the length says.

    Under the format's own name JSON of any kind behind a length will do: what is wrong with it is then said.
    """
    head = source.head()
    size = int.from_bytes(head[:8], "little")
    begin = head[8:].lstrip(_BLANKS + b"\xef\xbb\xbf")[:2]
    if source.suffix == ".safetensors" and begin[:1] in (b"{", b"["):
        return True
    if len(head) < 10 or begin[:1] != b"{" or (begin[1:] not in (b'"', b"}", b"") and begin[1:].strip(_BLANKS)):
        return False
    tail = source.blob.read(8 + max(size - 4096, 0), min(size, 4096))
    return 2 <= size <= min(source.blob.size - 8, HEADER_LIMIT) and tail.rstrip(b" \t\r\n").endswith(b"}")


def read(source: Source) -> Iterator[Fact]:
    """Read the header, account for every tensor, and hand out the metadata."""
    size = int.from_bytes(source.blob.read(0, 8), "little")
    if size > HEADER_LIMIT:
        yield source.anomaly("resource-claim", f"the header claims {size:,} bytes; the reference stops at {HEADER_LIMIT:,}", 0)
    if size > source.blob.size - 8:
        if _ends_early(source):
            yield source.anomaly("forged-header", f"the header claims {size:,} bytes, but its JSON ends before the file does", 0)
        yield source.unread(f"the header is cut short: {source.blob.size - 8:,} of {size:,} bytes", 8)
        return
    if size > _HELD:
        yield source.unread(f"a header of {size:,} bytes is larger than any real one", 8, size)
        return
    if size < 2 and source.blob.size > 10:
        yield source.anomaly("forged-header", f"the header claims {size} bytes, and JSON follows", 0)
    source.budget.spend_steps(size // 16)
    raw = source.blob.read(8, size)
    try:
        document = parse(raw.rstrip(b" "), utf8_only=True)
    except JsonError as error:
        yield source.anomaly("forged-header", f"the header is all there and no JSON: {error}", 8)
        yield source.unread(f"the header is no JSON: {error}", 8, size)
        return
    if not isinstance(document.root, dict):
        yield source.anomaly("forged-header", "the header is JSON but no object", 8)
        yield source.unread("the header is no JSON object", 8, size)
        return
    if not raw.startswith(b"{"):
        yield source.anomaly("forged-header", "the header begins with blanks; strict loaders refuse it, tolerant ones do not", 8)
    source.coverage.read(0, 8 + size)
    for key in document.repeated:
        yield source.anomaly("ambiguous-record", f"the header gives {key[:200]!r} twice; loaders disagree on which one counts", 8)
    yield from thinned(source, _metadata(source, document.root.pop("__metadata__", {})))
    yield from thinned(source, _tensors(source, document.root, 8 + size))


def _ends_early(source: Source) -> bool:
    """Whether a header that claims more than there is was no victim of a broken download: its JSON is complete."""
    import json  # noqa: PLC0415  (start-up time)

    text = source.blob.read(8, _SHORT).decode("utf-8", "ignore").lstrip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return bool(text[end:].strip())


def _metadata(source: Source, metadata: object) -> Iterator[Fact]:
    if not isinstance(metadata, dict):
        yield source.anomaly("forged-header", "__metadata__ is no object", 8)
        return
    for key, value in metadata.items():
        if isinstance(value, (dict, list)):
            yield source.anomaly("forged-header", f"__metadata__ entry {key[:200]!r} is a structure; it must be a string", 8)
        elif not isinstance(value, str):
            yield source.anomaly("malformed", f"__metadata__ entry {key[:200]!r} is no string", 8)
        text = value if isinstance(value, str) else str(value)[:KEPT_TEXT]  # judged as text all the same
        yield Setting(source.place.at(8), "safetensors", key[:1024], text[:KEPT_TEXT])
        yield Text(source.place.at(8), "metadata", text[:KEPT_TEXT])
        yield from carried(source, f"__metadata__.{key}", text)


def _tensors(source: Source, header: dict[str, Any], begin: int) -> Iterator[Fact]:
    room = source.blob.size - begin
    known: list[_Tensor] = []
    for name, entry in header.items():
        problem, tensor = _tensor(name, entry)
        if tensor is None:
            if not problem.endswith("be checked"):  # a dtype of a later version is no forgery
                yield source.anomaly("forged-header", f"tensor {name[:200]!r}: {problem}", 8)
            yield source.unread(f"tensor {name[:200]!r}: {problem}", begin)
            continue
        if problem:
            yield source.anomaly("tensor-bounds", f"tensor {name[:200]!r}: {problem}", begin + min(tensor.start, room))
        known.append(tensor)
    yield from _layout(source, known, begin, complete=len(known) == len(header))


def _layout(source: Source, known: list[_Tensor], begin: int, *, complete: bool) -> Iterator[Fact]:
    """Claim the data of the tensors, and compare their places with each other and with the end of the file."""
    room = source.blob.size - begin
    known.sort(key=lambda tensor: (tensor.start, tensor.stop, tensor.name))
    reached, before = 0, (-1, -1)
    for tensor in known:
        shown = f"tensor {tensor.name[:200]!r}"
        if tensor.start < reached and tensor.stop > tensor.start:
            tied = (tensor.start, tensor.stop) == before  # hand-made files share weights like this
            detail = f"{shown} {'is' if tied else 'begins inside'} the one before"
            yield source.anomaly("tensor-overlap" if tied else "tensor-bounds", detail, begin + tensor.start)
        elif complete and reached < tensor.start <= room:
            yield source.anomaly("forged-header", f"a hole of {tensor.start - reached:,} bytes before {shown}", begin + reached)
        elif tensor.start > max(reached, room):
            detail = f"{shown} begins at {tensor.start:,}, behind a hole and outside the {room:,} bytes of data"
            yield source.anomaly("tensor-bounds", detail, begin)
        if ".." in tensor.name.replace("\\", "/").split("/") or _ROOTED.match(tensor.name):
            detail = f"the name of {shown} leads out of a folder, for tools that write a file for each tensor"
            yield source.anomaly("path-traversal", detail, 8)
        elif not tensor.name.isprintable():
            yield source.anomaly("name-trick", f"the name of {shown} has characters that nobody sees", 8)
        before = (tensor.start, tensor.stop)
        reached = max(reached, tensor.stop)
        source.coverage.inert(begin + tensor.start, begin + tensor.stop)
    if reached > room:
        yield source.unread(f"the tensors are cut short: {room:,} of {reached:,} bytes", source.blob.size)
    elif reached < room and complete:
        detail = f"{room - reached:,} bytes behind the last tensor; the reference refuses them"
        padding = not any(piece.strip(b"\0") for piece in source.blob.chunks(begin + reached, room - reached))
        yield source.anomaly("malformed" if padding else "forged-header", detail, begin + reached)


def _tensor(name: str, entry: object) -> tuple[str, _Tensor | None]:
    """Check one entry: gives what is wrong with it, and the tensor if its place is known."""
    if not isinstance(entry, dict):
        return "the entry is no object", None
    offsets: Any = entry.get("data_offsets")
    shape: Any = entry.get("shape")
    dtype: Any = entry.get("dtype")
    if not _naturals(offsets) or len(offsets) != 2 or offsets[1] < offsets[0]:
        return "the data offsets are no ascending pair", None
    tensor = _Tensor(offsets[0], offsets[1], name)
    if not _naturals(shape):
        return "the shape is no list of sizes", tensor
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        return f"{str(dtype)[:40]!r} is no name of a dtype", None
    if dtype not in _BITS:
        return f"the dtype {str(dtype)[:40]!r} is not known, so its size cannot be checked", None
    bits = _BITS[dtype]
    for size in shape:
        bits *= size
        if bits >= 1 << 67:  # the reference multiplies in 64 bits and refuses an overflow
            return "the shape overflows 64 bits", tensor
    if bits != 8 * (offsets[1] - offsets[0]):
        given = offsets[1] - offsets[0]
        return f"{dtype} of shape {str(shape)[:80]} needs {bits // 8:,} bytes; the offsets give {given:,}", tensor
    return "", tensor


def _naturals(value: Any) -> bool:  # noqa: ANN401  (JSON)
    """Whether it is a list of integers that fit 64 bits without a sign."""
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 64 for item in value)


_MARKS = tuple((8, bytes([byte])) for byte in sorted({*_BLANKS, *b"\xef\xbb\xbf{"}))

READERS = (Reader(kind="safetensors", read=read, suffixes=(".safetensors",), marks=_MARKS, claims=claims, rank=40),)
