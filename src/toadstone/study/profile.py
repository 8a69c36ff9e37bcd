"""What the columns of a data set hold: types, missing values, categories, numbers and lengths, in whole counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc
from toadstone.study.study import Study
from toadstone.tables.dataset import Fragment, Trouble

MOST_VALUES = 1000
"""Different values up to which a column is one of categories."""
_FINE = 4
"""Bins of a doubling."""
_MONTH = 30 * 86_400
"""Seconds of a bin of times."""


@dataclass
class Column:
    """One column.

    Attributes:
        rows: How many.
        missing: Null, NaN or empty.
        values: Rows of each value, while these are few.
        many: Whether there are more values than that.
        bins: Rows of each bin of numbers, or of lengths in characters: bins are the sign times the binary logarithm in quarters;
            of times, months.
        low: Least number or length.
        high: Largest.
        numeric: Whether bins are of numbers.
    """

    rows: int = 0
    missing: int = 0
    values: dict[str, int] = field(default_factory=dict)
    many: bool = False
    bins: dict[int, int] = field(default_factory=dict)
    low: float = float("inf")
    high: float = float("-inf")
    numeric: bool = False

    def join(self, other: Column) -> None:
        """Add the rows of another part."""
        self.rows += other.rows
        self.missing += other.missing
        self.many = self.many or other.many
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0) + count
        if self.many or len(self.values) > MOST_VALUES:
            self.many, self.values = True, {}
        for place, count in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.numeric = self.numeric or other.numeric


Profile = dict[str, Column]


def profile(study: Study) -> Profile:
    """Describe every column of a study's data set, reading it again."""
    return study.shared("profile", lambda: study.reread(_Describe(tuple(study.dataset.schema.names))))


@dataclass(frozen=True)
class _Describe:
    names: tuple[str, ...]

    def map(self, part: Fragment) -> Profile:
        found: Profile = {name: Column() for name in self.names}
        for batch in part.batches(list(self.names)):
            if isinstance(batch, Trouble):
                continue
            for name in self.names:
                found[name].join(described(batch.column(name)))
        return found

    def combine(self, left: Profile, right: Profile) -> Profile:
        for name, column in right.items():
            left[name].join(column)
        return left

    def finish(self, state: Profile | None) -> Profile:
        return state if state is not None else {name: Column() for name in self.names}


def described(values: pa.Array) -> Column:
    """Describe a part of a column; nested values and binary ones only by how many are missing."""
    column = Column(rows=len(values))
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_boolean(kind):
        values = pc.cast(values, pa.string())
        kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = pc.divide(pc.cast(pc.cast(values, pa.timestamp("s"), safe=False), pa.int64()), _MONTH)
    elif pa.types.is_temporal(kind):
        values = pc.cast(values, pa.int64() if kind.bit_width == 64 else pa.int32())
    if pa.types.is_integer(values.type) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        _numbers(column, pc.cast(values, pa.float64(), safe=False), fine=values.type == kind)
        if pa.types.is_integer(kind):
            _categories(column, pc.cast(values.drop_null(), pa.int64(), safe=False))
        else:
            column.many = True
        return column
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        empty = pc.fill_null(pc.equal(pc.binary_length(values), 0), True)
        column.missing = int(pc.sum(pc.cast(empty, pa.int64())).as_py() or 0)
        kept_texts = values.filter(pc.invert(empty))
        _spread(column, np.asarray(pc.binary_length(kept_texts).to_numpy(zero_copy_only=False), np.float64))
        short = (pc.max(pc.binary_length(kept_texts)).as_py() or 0) <= 200
        if short:
            _categories(column, kept_texts)
        else:
            column.many = True
        return column
    column.missing = values.null_count
    column.many = True
    return column


def _numbers(column: Column, values: pa.Array, *, fine: bool) -> None:
    numbers = np.asarray(pc.fill_null(values, float("nan")).to_numpy(zero_copy_only=False), np.float64)
    kept = numbers[np.isfinite(numbers)]
    column.missing = len(numbers) - len(kept)
    column.numeric = True
    _spread(column, kept, fine=fine)


def _spread(column: Column, numbers: NDArray[np.float64], *, fine: bool = True) -> None:
    """Count bins: quarters of a doubling, or whole numbers."""
    if not len(numbers):
        return
    column.low, column.high = float(numbers.min()), float(numbers.max())
    size = np.floor(_FINE * np.log2(np.maximum(np.abs(numbers), 2.0**-60))).astype(np.int64) + 61 * _FINE
    bins = np.where(numbers == 0, 0, np.sign(numbers).astype(np.int64) * size) if fine else np.floor(numbers).astype(np.int64)
    places, counts = np.unique(bins, return_counts=True)
    column.bins = dict(zip(places.tolist(), counts.tolist(), strict=True))


def _categories(column: Column, values: pa.Array) -> None:
    counted = pc.value_counts(values)
    if len(counted) > MOST_VALUES:
        column.many = True
        return
    names, counts = counted.field(0).to_pylist(), counted.field(1).to_pylist()
    column.values = {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def apart(left: dict[int, int], right: dict[int, int]) -> tuple[float, float]:
    """Compare two spreads: the largest difference of the shares below any bin (Kolmogorov and Smirnov), and its log p.

    Returns:
        Difference in [0, 1]; log p by the asymptotic bound of Dvoretzky, Kiefer, Wolfowitz and Massart, conservative for bins.
    """
    places = sorted(set(left) | set(right))
    a = np.array([left.get(place, 0) for place in places], np.float64)
    b = np.array([right.get(place, 0) for place in places], np.float64)
    n, m = a.sum(), b.sum()
    if not n or not m:
        return 0.0, 0.0
    gap = float(np.abs(np.cumsum(a) / n - np.cumsum(b) / m).max())
    return gap, min(0.0, float(np.log(2) - 2 * gap * gap * n * m / (n + m)))
