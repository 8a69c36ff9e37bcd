"""Data files of TensorFlow's checkpoints (``NAME.data-00000-of-00001``), accounted for by the index next to them.

A module of its own: their names have no suffix to be listed by, so that it is asked about every file. Source:
``tensorflow/core/util/tensor_bundle``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def _claims(source: Source) -> bool:
    stem, mark, number = source.name.rpartition(".data-")
    return bool(stem and mark) and number[5:9] == "-of-" and number[:5].isdecimal() and number[9:].isdecimal()


def read(source: Source) -> Iterator[Fact]:
    """Claim what the index declares; what it does not is looked at for itself."""
    from toadstone.readers.tensorflow.bundle import shard  # noqa: PLC0415  (not at start-up)

    yield from shard(source)


READERS = (Reader(kind="tensorflow-shard", read=read, claims=_claims, always=True, rank=85),)
