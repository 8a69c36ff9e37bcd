"""Small pictures of rows that hold images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from toadstone.formats.png import data_address
from toadstone.tables.attached import base_of, with_bytes
from toadstone.tables.dataset import Dataset
from toadstone.views.pixels import Pixels


def thumbnails(dataset: Dataset, column: str, rows: Sequence[int]) -> list[str]:
    """Give a ``data:`` address for the image of each row, empty where there is none that can be shown.

    Args:
        dataset: Where the rows are.
        column: With the images.
        rows: 0-based.
    """
    chunked = dataset.take(rows, [column]).column(0)
    images = chunked.combine_chunks() if chunked.num_chunks else pa.array([], chunked.type)
    if isinstance(images, pa.ChunkedArray):  # of a type that Arrow does not join
        images = images.chunk(0)
    images, _ = with_bytes(images, base_of(dataset.name))
    seen = Pixels().of(images)
    values, offsets = seen["pixels"], seen["pixels.offsets"]
    if values.dtype != np.uint8:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        scaled = (np.nan_to_num(values, posinf=high, neginf=low) - low) / max(high - low, 1e-9)
        values = np.rint(np.clip(scaled, 0.0, 1.0) * 255).astype(np.uint8)
    return [
        data_address(values[offsets[row] : offsets[row + 1]].tobytes(), height, width, channels) if height else ""
        for row, (height, width, channels) in enumerate(seen["pixels.shape"].tolist())
    ]
