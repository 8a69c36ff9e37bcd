"""Files that are one compressed stream: gzip, zlib, bzip2, xz, lzma, zstd, lz4 and joblib's old ``ZF`` form.

What unpacks is a member named like the file without its suffix. A broken stream gives what came out of it, because a
loader that reads in small steps has acted on that before it meets the defect; the rest is unread.

Sources: RFC 1950, RFC 1952, RFC 8878, the xz and lz4 frame formats, the LZMA SDK's ``lzma.txt``, joblib's
``numpy_pickle_compat``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from toadstone.core.budget import Budget
from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Final

_SKIPPABLE: Final = b"\x2a\x4d\x18"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
LZ4: Final = b"\x04\x22\x4d\x18"


def is_bzip2(head: bytes) -> bool:
    """A level, then the mark of a block (pi) or of the end of an empty stream (the root of pi)."""
    marks = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
    return head[:3] == b"BZh" and b"1" <= head[3:4] <= b"9" and head[4:10] in marks


def _claims_bzip2(source: Source) -> bool:
    return is_bzip2(source.head(10))


def _claims_zstd(source: Source) -> bool:
    """A skippable frame's magic number is weak: a real frame must follow."""
    head = source.head(8)
    if head[1:4] != _SKIPPABLE or head[0] >> 4 != 5:
        return False
    follows = 8 + int.from_bytes(head[4:8], "little")
    return source.blob.read(follows, 4) == ZSTD


def _claims_lzma(source: Source) -> bool:
    """The old format has no magic number: the header's values must make sense (as ``xz`` checks them) and the start unpack.

    Properties below 225, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that is unknown or below 256 GiB, and a
    first byte of the range coder that is zero.
    """
    head = source.head(64)
    if len(head) < 18 or head[0] >= 225 or head[13]:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    power = 1 << max(dictionary.bit_length() - 1, 0)
    if dictionary < 4096 or dictionary not in {power, power + power // 2, 0xFFFFFFFF}:
        return False
    if size != (1 << 64) - 1 and (size >= 1 << 38 or size > source.blob.size << 13):
        return False
    from toadstone.readers.unpack import Outcome, Stream, lzma_alone  # noqa: PLC0415  (not at start-up)

    start = Stream(lzma_alone, source.blob, 0, source.blob.size, Budget(expand=1 << 20, steps=1 << 13, thin=1 << 20))
    return bool(next(iter(start), b"")) or start.outcome is Outcome.ENDED


def _claims_zlib(source: Source) -> bool:
    """Two bytes are no magic number: what follows must inflate.

    A short stream must end with its checksum; otherwise as much must inflate without a defect as no text or noise does.
    """
    head = source.head(2)
    if len(head) < 2 or head[0] & 0x0F != 8 or head[0] >> 4 > 7 or head[1] & 0x20 or (head[0] << 8 | head[1]) % 31:
        return False
    head = source.head()
    inner = zlib.decompressobj(-15)
    try:
        found = inner.decompress(head[2:], 1 << 16)
    except zlib.error:
        return False
    if inner.eof and inner.unused_data[:4] == zlib.adler32(found).to_bytes(4, "big"):
        return True
    return len(found) >= _PLAUSIBLE


_PLAUSIBLE: Final = 64
"""Bytes that must inflate from a stream that goes on or is cut; text that begins with ``x^`` fails after a few."""


def _reader(
    kind: str,
    *,
    heads: tuple[bytes, ...] = (),
    marks: tuple[tuple[int, bytes], ...] = (),
    claims: Callable[[Source], bool] | None = None,
    rank: int = 10,
) -> Reader:
    """Make the reader of one format."""

    def read(source: Source) -> Iterator[Fact]:
        from toadstone.readers.compressed.streams import facts  # noqa: PLC0415  (not at start-up)

        if source.coverage.gaps():  # otherwise the format around the stream has unpacked it
            yield from facts(source, kind)

    return Reader(kind=kind, read=read, heads=heads, marks=marks, claims=claims, rank=rank)


READERS = (
    _reader("gzip", heads=(b"\x1f\x8b\x08",)),
    _reader("bzip2", marks=((0, b"BZh"),), claims=_claims_bzip2),
    _reader("xz", heads=(b"\xfd7zXZ\x00",)),
    _reader("zstd", heads=(ZSTD,), marks=((1, _SKIPPABLE),), claims=_claims_zstd),
    _reader("lz4", heads=(LZ4,)),
    _reader("joblib-zf", heads=(b"ZF0x",)),
    _reader("zlib", marks=tuple((0, bytes([window << 4 | 8])) for window in range(8)), claims=_claims_zlib, rank=40),
    _reader("lzma", marks=((13, b"\0"),), claims=_claims_lzma, rank=40),
)
