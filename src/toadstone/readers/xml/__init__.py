"""XML: PMML models, OpenVINO graphs with their weights, and XML of other kinds.

A tokenizer of our own goes over the text once: nothing is built, no entity is expanded, nothing is fetched. Declarations of
entities are read as what they would do to a parser that follows them (XML 1.0, fifth edition; XInclude 1.1). PMML follows
``pmml-4-4.xsd`` of the Data Mining Group, OpenVINO the specification of its "Available Operation Sets". Text that breaks off
before its end is unread for models, and plain text otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[\s?]|<!DOCTYPE\s+(?!html\b)|<!--.{0,4000}?-->\s*<(?:PMML|net)\b|<(?:\w{1,20}:)?PMML[\s>]"
    rb"|<net\s+name=|<CustomLayer\s)",
    re.IGNORECASE | re.DOTALL,
)
_WIDE = (b"\xff\xfe<\0", b"\xfe\xff\0<", b"<\0?\0x\0", b"\0<\0?\0x")


def _claims(source: Source) -> bool:
    head = source.head()
    return head.startswith(_WIDE) or _START.match(head) is not None


def _read(source: Source) -> Iterator[Fact]:
    """Read the document type, the elements that act, and what stands in a model."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (start-up time)
    from toadstone.readers.xml.document import Document  # noqa: PLC0415

    yield from thinned(source, Document(source).read())


def _claims_weights(source: Source) -> bool:
    from toadstone.readers.xml.openvino import graph_beside  # noqa: PLC0415

    blob = graph_beside(source)
    if blob is None:
        return False
    blob.close()
    return True


def _read_weights(source: Source) -> Iterator[Fact]:
    """Claim the parts of this file that the graph next to it declares as its constants."""
    from toadstone.readers.xml.openvino import weights  # noqa: PLC0415

    yield from weights(source)


_MARKS = tuple((0, mark) for mark in (b"<", b" <", b"\n<", b"\r\n<", b"\xef\xbb\xbf", *_WIDE))

READERS = (
    Reader(kind="xml", read=_read, marks=_MARKS, claims=_claims, rank=60),
    Reader(kind="openvino-weights", read=_read_weights, suffixes=(".bin",), claims=_claims_weights, rank=84),
)
