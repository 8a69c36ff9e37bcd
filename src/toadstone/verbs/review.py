"""Collects what a person has to see to choose among groups of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.formats.review import Review, ReviewGroup, ReviewRow
from toadstone.study.decision import Decision, Mark
from toadstone.study.moments import moments
from toadstone.tables.dataset import Dataset
from toadstone.tables.roles import Roles
from toadstone.verbs.choices import digest_of
from toadstone.verbs.rows import Examined
from toadstone.verbs.thumbnails import thumbnails

_STRONG = 24
_WEAK = 8
"""Rows of a group that are shown: those with the strongest evidence, and those with the weakest."""
_COLUMNS = 8
_LONGEST = 20_000
"""Characters of a value that go to the page's own cutting."""
_SAMPLE = 20_000
"""Rows, evenly spaced, that stand for all; and most rows of a group that are counted."""
_BEST = 300
_BINS = 40
_KEPT_FOR = 90
"""Days for which a waiver holds unless another day is chosen."""


def review_of(examined: Examined, today: dt.date) -> Review:
    """Collect groups with some of their rows, and what is drawn.

    Args:
        examined: What was found.
        today: The day; waivers are proposed to expire some time after.
    """
    decision, dataset = examined.decision, examined.dataset
    everywhere = _Summary(dataset, examined.roles, _even(np.arange(examined.rows, dtype=np.int64)))
    groups = tuple(_group(mark, examined, everywhere) for mark in decision.marks)
    ordered = np.sort(decision.scores)[::-1][:_BEST]
    flagged = int(decision.flagged.sum())
    until = today + dt.timedelta(days=_KEPT_FOR)
    return Review(dataset.name, digest_of(dataset), examined.rows, flagged, groups, tuple(ordered.tolist()), until.isoformat())


class _Summary:
    """Labels and times of some rows."""

    def __init__(self, dataset: Dataset, roles: Roles, rows: NDArray[np.int64]) -> None:
        names = [name for name in (roles.label, roles.time) if name is not None]
        table = dataset.take(rows.tolist(), names) if names else pa.table({})
        self.labels: dict[str, float] = {}
        self.times: NDArray[np.float64] = np.zeros(0)
        if roles.label is not None and len(rows):
            texts = [_text(value) for value in table.column(roles.label).to_pylist()]
            values, counts = np.unique(np.array(texts, object), return_counts=True)
            self.labels = {str(value): int(count) / len(rows) for value, count in zip(values, counts, strict=True)}
        if roles.time is not None and len(rows):
            times = moments(table.column(roles.time).combine_chunks())
            self.times = times[np.isfinite(times)]


def _group(mark: Mark, examined: Examined, everywhere: _Summary) -> ReviewGroup:
    own = _Summary(examined.dataset, examined.roles, _even(mark.rows))
    names = sorted(own.labels, key=lambda name: (-own.labels[name], name))
    names += sorted(set(everywhere.labels) - set(names), key=lambda name: (-everywhere.labels[name], name))
    labels = tuple((name, own.labels.get(name, 0.0), everywhere.labels.get(name, 0.0)) for name in names)
    times, span = _spans(own.times, everywhere.times)
    rows = _rows(_shown(mark.rows, examined.decision), examined)
    return ReviewGroup(mark.finding, mark.stands, rows, len(mark.rows), labels, times, span)


def _spans(own: NDArray[np.float64], everywhere: NDArray[np.float64]) -> tuple[tuple[tuple[int, int], ...], tuple[str, str]]:
    """Count times over equal spans between the first and the last."""
    both = np.concatenate([own, everywhere])
    if not len(own) or both.min() == both.max():
        return (), ("", "")
    edges = np.linspace(both.min(), both.max(), _BINS + 1)
    counts = zip(np.histogram(own, edges)[0].tolist(), np.histogram(everywhere, edges)[0].tolist(), strict=True)
    return tuple(counts), (_day(edges[0]), _day(edges[-1]))


def _day(seconds: float) -> str:
    """Write a time as a day, if it is one."""
    try:
        return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=float(seconds))).date().isoformat()
    except OverflowError:
        return f"{seconds:g}"


def _even(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give all rows, or some evenly spaced ones."""
    if len(rows) <= _SAMPLE:
        return rows
    return rows[np.linspace(0, len(rows) - 1, _SAMPLE).astype(np.int64)]


def _shown(rows: NDArray[np.int64], decision: Decision) -> NDArray[np.int64]:
    """Choose the rows that are shown, worst first."""
    ordered = rows[np.argsort(-decision.scores[rows], kind="stable")]
    if len(ordered) <= _STRONG + _WEAK:
        return ordered
    return np.concatenate([ordered[:_STRONG], ordered[-_WEAK:]])


def _rows(rows: NDArray[np.int64], examined: Examined) -> tuple[ReviewRow, ...]:
    dataset, roles, decision = examined.dataset, examined.roles, examined.decision
    pictures = thumbnails(dataset, roles.image, rows.tolist()) if roles.image is not None else [""] * len(rows)
    names = [name for name in roles.columns if name in dataset.schema.names and _readable(dataset.schema.field(name).type)]
    names += [field.name for field in dataset.schema if field.name not in roles.columns and _readable(field.type)]
    names = names[:_COLUMNS]
    table = dataset.take(rows.tolist(), names)
    values: Sequence[list[object]] = [table.column(name).to_pylist() for name in names]
    return tuple(
        ReviewRow(
            number,
            tuple((name, _text(column[place])) for name, column in zip(names, values, strict=True)),
            float(decision.scores[number]),
            bool(decision.flagged[number]),
            pictures[place],
        )
        for place, number in enumerate(rows.tolist())
    )


def _readable(kind: pa.DataType) -> bool:
    """Whether a person can read values of a type: no vectors, no bytes."""
    if pa.types.is_dictionary(kind):
        return _readable(kind.value_type)
    return not (
        isinstance(kind, pa.BaseExtensionType)
        or pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST]
