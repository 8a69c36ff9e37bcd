"""Archives that this version recognises and does not open: they are unread, and say so by name."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_FORMATS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "rar": ("RAR archives are", (b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"RE~^")),
    "cabinet": ("cabinet files are", (b"MSCF\0\0\0\0",)),
    "thin-ar": ("thin ar archives are", (b"!<thin>\n",)),
    "xar": ("xar archives are", (b"xar!\0\x1c",)),
    "lzip": ("lzip files are", (b"LZIP\x01",)),
    "lzop": ("lzop files are", (b"\x89LZO\0\r\n\x1a\n",)),
    "compress": ("files of the Unix compress program are", (b"\x1f\x9d\x90",)),
    "lz4-legacy": ("lz4 files of the legacy format are", (b"\x02\x21\x4c\x18",)),
    "snappy": ("snappy streams are", (b"\xff\x06\0\0sNaPpY",)),
    "zpaq": ("zpaq archives are", (b"7kSt", b"zPQ")),
    "squashfs": ("squashfs images are", (b"hsqs", b"sqsh")),
}


def _read(source: Source) -> Iterator[Fact]:
    head = source.head(110)
    for what, magics in _FORMATS.values():
        if head.startswith(magics):
            source.coverage.read(0, source.blob.size)
            yield source.unread(f"{what} not opened by this version", 0, source.blob.size)
            return


READERS = tuple(Reader(kind=kind, read=_read, heads=magics, rank=40) for kind, (_, magics) in _FORMATS.items())
