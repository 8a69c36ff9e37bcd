"""What a view is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]


class View(ABC):
    """Turns the content of a batch into columns of numbers.

    A view is a pure function of the batch: it must not depend on where the data set is cut. Ragged columns come in two:
    ``name`` (values of all rows) and ``name.offsets`` (int64, one more than rows).

    Attributes:
        name: How checks ask for it (``needs``).
        role: The role of the column that it reads: ``text``, ``embedding`` ...
        efforts: At which efforts it is made; at the others a check that needs it does without.
    """

    name: str
    role: str
    efforts: tuple[str, ...] = ("quick", "standard", "deep")

    @abstractmethod
    def of(self, values: pa.Array) -> Columns:
        """Give the columns of one batch.

        Args:
            values: The column with the view's role; for ``text``, ``prompt`` and ``response`` always ``large_string`` without
                nulls; for ``features`` a struct of all columns with that role.
        """


def text_bytes(values: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the UTF-8 bytes of a ``large_string`` array and the offsets of its rows into them, without copying.

    Returns:
        bytes, shape (total,); offsets, shape (rows + 1,), starting at 0.
    """
    _, starts, content = values.buffers()
    offsets = np.frombuffer(starts, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    if content is None or not len(values):
        return np.zeros(0, np.uint8), np.zeros(len(values) + 1, np.int64)
    return np.frombuffer(content, dtype=np.uint8)[offsets[0] : offsets[-1]], offsets - offsets[0]
