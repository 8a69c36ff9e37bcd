"""Free space: the accounts of it, which the library needs only for writing, and the space itself."""

from __future__ import annotations

import re

from toadstone.readers.hdf5.medium import Cursor, Medium


def claim_free_space(medium: Medium, address: int) -> None:
    """Claim a free-space manager: its header and its list of sections.

    Raises:
        Broken: If it is cut or not there.
    """
    if address == medium.undefined:
        return
    size = 18 + 7 * medium.long + medium.wide
    cursor = Cursor(medium.signed(address, b"FSHD", size), medium.base + address, medium.wide, medium.long)
    cursor.take(6 + 4 * medium.long + 8 + medium.long)
    sections, used = cursor.address(), cursor.length()
    medium.read(address, size)
    if sections != medium.undefined and used:
        medium.signed(sections, b"FSSE", used)
        medium.read(sections, used)


_EMBEDDED = re.compile(
    rb"\x80[\x04\x05]\x95.{5}\0{3}|\x80[\x02\x03]c[A-Za-z_][\w.]{0,80}\n[A-Za-z_][\w.]{0,80}\n|PK\x03\x04.\0|\x7fELF[\x01\x02][\x01\x02]\x01"
    rb"|\x93NUMPY[\x01-\x03]\0|GGUF[\x02\x03]\0\0\0|7z\xbc\xaf\x27\x1c|\xfd7zXZ\0|\x1f\x8b\x08[\0-\x1f].{4}[\0\x02\x04][\0-\x0d\xff]",
    re.DOTALL,
)
_STEP = 1 << 20
_OVERLAP = 256


def settle_unreferenced(medium: Medium, stop: int) -> int:
    """Claim the bytes inside the file's declared extent that nothing refers to; give the number of those that are not padding.

    The library leaves them behind whenever a table grows, an attribute is rewritten or an object is deleted, and never
    looks at them again; half of an ordinary file can consist of them. They stay unclaimed from the first byte on that
    begins a format which another program would open: those bytes were put there by somebody else.

    Args:
        medium: The file, with everything that can be reached claimed.
        stop: File offset at which the declared extent ends; what follows is not the file's own.
    """
    total = 0
    for start, gap_end in medium.source.coverage.gaps():
        end = min(gap_end, stop)
        if start < medium.base or start >= end:
            continue
        found = _embedded_at(medium, start, end)
        medium.source.coverage.inert(start, found)
        if any(piece.strip(b"\0") for piece in medium.source.blob.chunks(start, found - start)):
            total += found - start
    return total


def _embedded_at(medium: Medium, start: int, end: int) -> int:
    """File offset of the first embedded format in a span, or the span's end."""
    position = start
    while position < end:
        data = medium.source.blob.read(position, min(_STEP + _OVERLAP, end - position))
        match = _EMBEDDED.search(data)
        if match:
            return position + match.start()
        position += _STEP
    return end
