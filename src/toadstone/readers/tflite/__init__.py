"""TensorFlow Lite (LiteRT): a FlatBuffer with operators and their constants, and what stands behind it.

Operators that are no builtins are reported: those of the Flex delegate are operators of TensorFlow and do what they do there,
others need native code that is registered under their name. Associated files of TensorFlow Lite Metadata are a zip archive behind
the model. Source: ``schema.fbs`` of TensorFlow 2.21 (identifier ``TFL3``), TensorFlow Lite Metadata.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def claims(source: Source) -> bool:
    """Whether the identifier stands where it has to, and the root lies inside."""
    head = source.head(8)
    return head[4:] == b"TFL3" and 8 <= int.from_bytes(head[:4], "little") < source.blob.size


def read(source: Source) -> Iterator[Fact]:
    """Read the operators, account for buffers, metadata and associated files."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (not at start-up)
    from toadstone.readers.tflite.model import Model  # noqa: PLC0415

    yield from thinned(source, Model(source).read())


READERS = (Reader(kind="tflite", read=read, marks=((4, b"TFL3"),), claims=claims, rank=20),)
