"""NumPy, SciPy and pandas: arrays, sparse matrices and tables as files and as pickles."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import pickle
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

import numpy as np
import pandas as pd
import scipy.interpolate
import scipy.optimize
import scipy.sparse
import scipy.spatial
import scipy.stats

from benchmarks.corpus.benign.workshop import SEED, Shelf


def numpy_files(shelf: Shelf) -> None:
    """The npy and npz formats: versions 1 to 3, Fortran order, structured, object arrays, memory maps."""
    rng = np.random.default_rng(SEED)
    arrays: dict[str, Any] = {
        "float64": rng.normal(size=(20, 3)),
        "fortran": np.asfortranarray(rng.normal(size=(6, 5)).astype(np.float32)),
        "text": np.array(["eval(x)", "plain", "ünïcödé"]),
        "structured": np.array([(1, 2.5, b"x")], dtype=[("id", "<i4"), ("value", "<f8"), ("tag", "S4")]),
        "dates": np.array(["2026-11-23", "NaT"], dtype="datetime64[D]"),
        "complex": np.array([1 + 2j]),
        "scalar": np.array(3.5),
        "empty": np.zeros((0, 4)),
        "big_endian": np.arange(5, dtype=">u2"),
        "unicode_fields": np.zeros(2, dtype=[("größe", "f4")]),
    }
    for name, array in arrays.items():
        np.save(_put(shelf, f"{name}.npy", "numpy", name, "npy"), array)
    objects = np.array([{"a": 1}, None, "text", 2.5, [1, 2]], dtype=object)
    np.save(_put(shelf, "objects.npy", "numpy", "object-array", "npy-object"), objects, allow_pickle=True)
    np.savez(_put(shelf, "plain.npz", "numpy", "several", "npz"), **arrays)
    np.savez_compressed(_put(shelf, "compressed.npz", "numpy", "several", "npz-compressed"), **arrays)
    np.savez(_put(shelf, "objects.npz", "numpy", "object-array", "npz-object"), allow_pickle=True, data=objects)
    mapped = np.lib.format.open_memmap(_put(shelf, "mapped.npy", "numpy", "memmap", "npy"), "w+", np.float32, (64, 16))
    mapped[:] = 1.5
    mapped.flush()


def numpy_pickles(shelf: Shelf) -> None:
    """What NumPy puts in pickles: arrays, scalars, dtypes, generators, masks, records, polynomials."""
    values: dict[str, Any] = {
        "array": np.arange(12.0).reshape(3, 4),
        "fortran": np.asfortranarray(np.ones((3, 3))),
        "objects": np.array([1, "two", None], dtype=object),
        "scalars": [np.float32(1.5), np.int64(2), np.bool_(True), np.str_("s"), np.datetime64("2026-11-23")],
        "dtypes": [np.dtype("f4"), np.dtype([("a", "i4"), ("b", "U5")]), np.dtype("datetime64[ns]")],
        "generator": np.random.default_rng(SEED),
        "random_state": np.random.RandomState(SEED),
        "masked": np.ma.masked_array([1, 2, 3], mask=[False, True, False]),
        "record": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "polynomial": np.polynomial.Polynomial([1, 2, 3]),
        "function": [np.log1p, np.add, np.linalg.norm],
        "matrix": np.asmatrix([[1, 2], [3, 4]]),
    }
    _pickles(shelf, "numpy", values)


def scipy_pickles(shelf: Shelf) -> None:
    """Sparse matrices, fitted distributions, trees, interpolators; and the npz of ``save_npz``."""
    dense = np.eye(5)
    for kind in ("csr", "csc", "coo", "bsr", "dia"):
        matrix = scipy.sparse.coo_matrix(dense).asformat(kind)
        scipy.sparse.save_npz(_put(shelf, f"{kind}.npz", "scipy", f"sparse-{kind}", "npz"), matrix)
    points = np.random.default_rng(SEED).normal(size=(20, 2))
    values: dict[str, Any] = {
        "csr_array": scipy.sparse.csr_array(dense),
        "csr_matrix": scipy.sparse.csr_matrix(dense),
        "lil": scipy.sparse.lil_array(dense),
        "dok": scipy.sparse.dok_array(dense),
        "frozen": scipy.stats.norm(1, 2),
        "gamma": scipy.stats.gamma(2.0),
        "kde": scipy.stats.gaussian_kde(points.T),
        "ckdtree": scipy.spatial.cKDTree(points),
        "spline": scipy.interpolate.CubicSpline(np.arange(5), np.arange(5) ** 2),
        "interpolator": scipy.interpolate.RegularGridInterpolator((np.arange(3), np.arange(3)), np.ones((3, 3))),
        "result": scipy.optimize.minimize(lambda v: float((v**2).sum()), np.ones(2)),
        "rotation": scipy.spatial.transform.Rotation.from_euler("z", 90, degrees=True),
    }
    _pickles(shelf, "scipy", values)


def pandas_pickles(shelf: Shelf) -> None:
    """Tables of every column kind, as ``to_pickle`` writes them, compressed or not."""
    index = pd.date_range("2026-01-01", periods=6, tz="Europe/Zurich")
    frame = pd.DataFrame({"x": range(6), "y": np.linspace(0, 1, 6), "word": list("abcabc")}, index=index)
    values: dict[str, Any] = {
        "frame": frame,
        "categorical": frame.assign(word=frame["word"].astype("category")),
        "multi": frame.set_index(["x", "word"]),
        "series": frame["y"],
        "index": index,
        "nullable": pd.DataFrame({"i": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}),
        "strings": pd.Series(["eval", None, "http://example.com"], dtype="string"),
        "period": pd.period_range("2026-01", periods=3, freq="M"),
        "interval": pd.cut(pd.Series([1, 2, 3]), 2),
        "sparse": pd.DataFrame(pd.arrays.SparseArray([0, 0, 1.5])),
        "timestamps": [pd.Timestamp("2026-11-23", tz="UTC"), pd.Timedelta("1D"), pd.NaT, pd.NA, pd.Interval(0, 1)],
        "offset": [pd.offsets.MonthEnd(), pd.offsets.BusinessDay(2)],
        "groups": dict(list(frame.groupby("word"))),
    }
    _pickles(shelf, "pandas", values)
    for suffix in ("gz", "bz2", "xz", "zip", "zst", "tar"):
        frame.to_pickle(_put(shelf, f"frame.pkl.{suffix}", "pandas", "frame", f"pickle-{suffix}"))


def standard_library(shelf: Shelf) -> None:
    """Plain Python values that sit beside models: metrics, vocabularies, configurations, caches."""
    values: dict[str, Any] = {
        "metrics": {"loss": [0.5, 0.25], "acc": 0.9, "ok": True, "none": None, "big": 2**80, "text": "ü" * 300},
        "collections": [OrderedDict(a=1), Counter("abca"), deque([1, 2], maxlen=4), defaultdict(list, a=[1])],
        "dates": [dt.datetime(2026, 11, 23, tzinfo=dt.UTC), dt.timedelta(days=1)],
        "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), complex(1, 2), uuid.UUID(int=5)],
        "sets": [{1, 2}, frozenset({"a"}), bytearray(b"xyz"), b"bytes", range(3), slice(1, 2)],
        "vocabulary": {f"token{i}": i for i in range(2000)},
        "recursive": _recursive(),
    }
    _pickles(shelf, "python", values)


def _recursive() -> list[Any]:
    values: list[Any] = [1]
    values.append(values)
    return values


def _pickles(shelf: Shelf, library: str, values: dict[str, Any]) -> None:
    for number, (name, value) in enumerate(values.items()):
        for protocol in sorted({number % 6, 4, 5} if number % 3 == 0 else {2 + number % 4}):
            path = _put(shelf, f"{name}.p{protocol}.pkl", library, name, f"pickle-{protocol}")
            with open(path, "wb") as stream:
                pickle.dump(value, stream, protocol)


def _put(shelf: Shelf, name: str, library: str, subject: str, technique: str) -> str:
    return str(shelf.put(f"{library}/{name}", library=library, subject=subject, technique=technique))
