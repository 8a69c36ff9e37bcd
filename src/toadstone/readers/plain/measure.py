"""Turning "where does this structure end" into a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Reader, Source

_BLANKS = 8
"""Bytes."""


class FormatError(ValueError):
    """The structure contradicts its format."""


def measured(
    kind: str,
    measure: Callable[[Cursor, Source], int],
    heads: tuple[bytes, ...] = (),
    marks: tuple[tuple[int, bytes], ...] = (),
    claims: Callable[[Source], bool] | None = None,
    tells: Callable[[Source, int], Iterator[Fact]] | None = None,
) -> Reader:
    """Make a reader that claims everything up to the structure's end as inert.

    Args:
        kind: Name of the format.
        measure: Follows the structure from offset 0; gives the offset behind it. The cursor's position says how far it
            came if it raises `ShortError` or `FormatError`.
        heads: Magic numbers at offset 0.
        marks: Weak magic with its offset; then ``heads`` stays empty.
        claims: Content test for what has one of the marks.
        tells: Gives what else the structure says, from the source and the offset behind the structure.
    """

    def read(source: Source) -> Iterator[Fact]:
        cursor = Cursor(source.blob)
        try:
            end = measure(cursor, source)
        except (ShortError, FormatError) as error:
            source.coverage.inert(0, cursor.position)
            yield source.unread(f"{kind}: the structure cannot be followed to its end: {error}", cursor.position)
        else:
            source.coverage.inert(0, end + _trailing(source, end))
            if tells is not None:
                yield from tells(source, end)

    return Reader(kind=kind, read=read, heads=heads, marks=marks, claims=claims, rank=20 if heads else 40)


def _trailing(source: Source, end: int) -> int:
    """Count blanks behind a structure when nothing else follows: version control and editors end files with a line break."""
    rest = source.blob.read(end, _BLANKS + 1) if end < source.blob.size else b""
    return len(rest) if len(rest) <= _BLANKS and not rest.strip(b"\r\n\0 ") else 0
