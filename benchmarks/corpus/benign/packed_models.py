"""Models in 7z archives, with every coder that the archiver offers and this project opens."""

from __future__ import annotations

import pickle

import numpy as np
import py7zr

from benchmarks.corpus.benign.workshop import SEED, Shelf

_LZMA2 = {"id": py7zr.FILTER_LZMA2, "preset": 6}
_FILTERS = {
    "default": None,
    "copy": [{"id": py7zr.FILTER_COPY}],
    "lzma": [{"id": py7zr.FILTER_LZMA}],
    "bcj-lzma": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA}],
    "delta": [{"id": py7zr.FILTER_DELTA, "dist": 4}, _LZMA2],
    "deflate": [{"id": py7zr.FILTER_DEFLATE}],
    "bzip2": [{"id": py7zr.FILTER_BZIP2}],
    "zstd": [{"id": py7zr.FILTER_ZSTD}],
}


def archives(shelf: Shelf) -> None:
    """Weights, a pickle and a text in each archive."""
    weights = np.random.default_rng(SEED).random((64, 64), np.float32)
    for name, filters in _FILTERS.items():
        path = shelf.put(f"{name}.7z", library="py7zr", subject="archive", technique=f"7z-{name}", group="container")
        with py7zr.SevenZipFile(path, "w", filters=filters) as archive:
            archive.writestr("A small model.\n" * 20, "readme.txt")
            archive.writestr(pickle.dumps({"weights": weights.tolist()}, 4), "model/weights.pkl")
            archive.writestr(b"", "model/empty")
