"""MessagePack: Flax parameters, spaCy and thinc models, and whatever else is stored in it.

Source: the MessagePack specification; ``flax/serialization.py`` (extension 1: an array, 2: a complex number, 3: a scalar; arrays
above 1 GiB in chunks), ``srsly`` and ``msgpack_numpy`` (arrays as mappings; of these ``msgpack_numpy`` unpickles arrays of
objects while it unpacks). The format has no magic number: without a name of the format the file has to be one mapping or list
to its last byte.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_NAMES = (".msgpack", ".msgpck", ".mpk", ".mp", "tokenizer", "key2row", "lookups.bin", "patterns", "model", "strings", "kb")
"""Suffixes, and the names of files in folders of spaCy."""


def _claims(source: Source) -> bool:
    """Whether a mapping or list begins here, and is all there is if the name does not say what it is."""
    head = source.head(2)
    if not head or not (0x80 <= head[0] <= 0x9F or 0xDC <= head[0] <= 0xDF):
        return False
    from toadstone.readers.msgpack.document import plausible  # noqa: PLC0415  (start-up time)

    return plausible(source)


def _read(source: Source) -> Iterator[Fact]:
    """Read all objects, with arrays, extensions and what hides in runs of bytes."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (start-up time)
    from toadstone.readers.msgpack.document import read  # noqa: PLC0415

    yield from thinned(source, read(source))


_MARKS = tuple((0, bytes([byte])) for byte in (*range(0x81, 0xA0), *range(0xDC, 0xE0)))
"""Mappings and lists; an empty one is only believed by its name."""

READERS = (Reader(kind="msgpack", read=_read, suffixes=_NAMES, marks=_MARKS, claims=_claims, rank=60),)
