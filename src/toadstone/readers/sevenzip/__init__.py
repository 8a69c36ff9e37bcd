"""7z archives: plain and packed headers, solid blocks, links, what stands before and behind.

Unpacked with the standard library: LZMA, LZMA2, Delta and branch filters, Deflate, bzip2, zstd, and plain copies. Content that is
encrypted, or packed with PPMd, BCJ2 or Brotli, is unread and says so. Source: ``7zFormat.txt`` of the LZMA SDK.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def read(source: Source) -> Iterator[Fact]:
    """Yield every member, and what is wrong with the structure."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (not at start-up)
    from toadstone.readers.sevenzip.archive import Archive  # noqa: PLC0415

    yield from thinned(source, Archive(source).facts())


READERS = (Reader(kind="7z", read=read, heads=(b"7z\xbc\xaf\x27\x1c",), rank=10),)
