"""CatBoost: models in its own binary form (``.cbm``); models in JSON are read as JSON.

``CBM1``, a length, a flatbuffer with the trees and the training parameters, then the parts that the flatbuffer names: tables
of categories, dictionaries and calculators of texts and embeddings. Source: ``catboost/libs/model/flatbuffers/model.fbs`` and
``catboost/libs/model/model.cpp`` of CatBoost 1.2. What is in a part is only searched for pickles.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def _read(source: Source) -> Iterator[Fact]:
    """Read the parameters and compare the sizes of the trees; without named parts nothing may stand behind them."""
    from toadstone.readers.catboost.model import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


READERS = (Reader(kind="catboost", read=_read, heads=(b"CBM1",), rank=20),)
