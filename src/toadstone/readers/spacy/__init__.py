"""spaCy: ``config.cfg`` of a pipeline, which names the functions that build it.

Sections and their keys as ``confection`` reads them: values are JSON, ``@registry`` keys name a function that is called with the
other keys of its section. Names are looked up among functions that installed packages register; what spaCy, thinc and their own
extensions register is known, everything else is code that nobody here has seen. Loading a pipeline resolves the sections
``nlp`` and ``components``; training resolves the others. Binary parts of a pipeline are MessagePack, NumPy arrays and JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def _claims(source: Source) -> bool:
    """Whether a text has the section that every pipeline has."""
    head = source.head()
    return b"\0" not in head and re.search(rb"(?:^|\n)\[(?:nlp|components)[\].]", source.blob.read(0, 1 << 16)) is not None


def _read(source: Source) -> Iterator[Fact]:
    """Give the functions that the sections call, what a component is copied from, and texts with addresses."""
    from toadstone.readers.spacy.config import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


READERS = (Reader(kind="spacy-config", read=_read, suffixes=(".cfg",), claims=_claims, rank=60),)
