"""LightGBM: models as text, versions 2 to 4: a header, trees, importances, parameters, and pandas' categories as JSON.

Source: ``GBDT::SaveModelToString`` and ``GBDT::LoadModelFromString`` (``src/boosting/gbdt_model_text.cpp``) and ``Tree``
(``src/io/tree.cpp``) of LightGBM 4. The loader jumps to the trees by the sizes that the header states, and follows the children
that a tree states, without looking whether they are there.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source


def _read(source: Source) -> Iterator[Fact]:
    """Read all lines; whatever is no line of a model is handed on as a member of its own."""
    from toadstone.readers.flood import thinned  # noqa: PLC0415  (start-up time)
    from toadstone.readers.lightgbm.model import Model  # noqa: PLC0415

    yield from thinned(source, Model(source).read())


READERS = (Reader(kind="lightgbm", read=_read, heads=(b"tree\nversion=v", b"tree\r\nversion=v"), rank=20),)
