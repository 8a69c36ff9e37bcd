"""Groups of rows that share values of a table and contradict their label, with p-values from the data's own groups.

What a group's rows say is asked of their neighbours in all *other* columns. The columns that made it a group, and those in which
its rows agree on something rare besides, are taken out, for the group and for the rows of the same label that it is compared
with. As among texts (`toadstone.study.suspects`) a group is as strong as the weaker of two numbers, how unlikely rows of its
label are to say so little for it and how much its rows say against it. Tables have columns that decide: their cells move the
odds of a label by nature, and a group of many rows by a little each. So the strength also counts by how far the label's odds in
the group are from what its rows predict, at least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.stats.column_cells import NONE
from toadstone.stats.natural_tail import beginning, large, log_expected_of
from toadstone.study.congruence import Groups
from toadstone.study.contradiction import START, heads
from toadstone.study.rank_space import RankSpace, rank_space
from toadstone.study.study import Study
from toadstone.study.table_rows import FEWEST, TableRows, table_rows
from toadstone.study.value_groups import Screened, members, screened

_JUDGED = {"quick": 100, "standard": 300, "deep": 1_500}
_MOST = 64
"""Rows of a group that are looked at."""
_PEERS = 150
_SHARED = 0.75
_UNUSUAL = 0.05
_TILTS = np.concatenate([np.linspace(0.02, 1.0, 25), np.linspace(1.1, 5.0, 20)])
_CLIP = 6.0
_FARTHEST = 9.0
_LEAST_CLASS = 20
_MOST_NEEDED = 300
_RATE = 1.0
"""By which the strengths of natural groups fall off (seen: 1.0 to 1.4 in tables of five kinds)."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ValueGroup:
    """A group, judged.

    Attributes:
        columns: Places of its columns.
        scale: At which they are cut.
        cells: Of these columns.
        label: Code of the label that it pushes.
        rows: Places, in the table, of its rows with that label.
        size: Rows with the cells.
        alone: Mean log-odds, less the label's share, by which the other columns speak for the label.
        unlikely: That rows of the label say so little for it, in units of -log p.
        against: What the rows say against the label, in the same units.
        shift: How far, at least, the odds of the label in the group are from what its rows predict.
    """

    columns: tuple[int, ...]
    scale: int
    cells: tuple[int, ...]
    label: int
    rows: Numbers
    size: int
    alone: float
    unlikely: float
    against: float
    shift: float

    @property
    def strength(self) -> float:
        """How strongly it contradicts its label."""
        return float(np.sqrt(min(self.unlikely, self.against) * max(self.shift, 0.0)))


@dataclass(frozen=True)
class ValueSuspects:
    """The groups of a table; entries of equal index belong together.

    Attributes:
        table: The labelled rows.
        space: In which they were judged.
        groups: Judged.
        strengths: Of the groups.
        log_p: Natural logarithm of the p-value by the data's own groups.
        head: The strongest group with mostly the same rows; -1 where there is no evidence.
        tests: Groups among which these were chosen.
        rate: By which log p falls with the strength.
    """

    table: TableRows
    space: RankSpace
    groups: tuple[ValueGroup, ...]
    strengths: Floats
    log_p: Floats
    head: Numbers
    tests: int
    rate: float


def value_suspects(study: Study) -> ValueSuspects | str:
    """Give the groups of a study with columns of features that contradict their label most, or why there are none."""
    return study.shared("value-suspects", lambda: _found(study))


def _found(study: Study) -> ValueSuspects | str:
    table = table_rows(study).labelled()
    counts = np.bincount(table.labels, minlength=len(study.label_names))
    if (counts >= _LEAST_CLASS).sum() < 2:
        return "there are no two classes with enough rows"
    if len(study.label_names) > max(2, len(table.rows) // _LEAST_CLASS):
        return "the label has too many values to be classes"
    space = study.shared("rank-space", lambda: rank_space(table, len(study.label_names), study.effort))
    found, tests = screened(table, space, study.effort, study.random("value-groups"))
    judge = _Judge(table, space)
    groups = judge.judged(found, _JUDGED[study.effort])
    strengths = np.array([group.strength for group in groups])
    bare = Groups.of([group.rows for group in groups], np.array([group.label for group in groups], np.int64))
    head = heads(bare, strengths, table.labels) if len(groups) else np.zeros(0, np.int64)
    expected, rate = log_expected_of(strengths, head, _RATE, START)
    log_p = np.minimum(expected + large([len(group.rows) for group in groups], len(table.rows)) - np.log(max(tests, 1)), 0.0)
    return ValueSuspects(table, space, tuple(groups), strengths, log_p, head, tests, rate)


class _Judge:
    """Asks the other columns."""

    def __init__(self, table: TableRows, space: RankSpace) -> None:
        self._table = table
        self._space = space
        self._usual = [_shares(codes) for codes in table.codes]
        odds = np.log(space.prior / (1 - space.prior))
        self._odds = odds

    def judged(self, found: Screened, most: int) -> list[ValueGroup]:
        """Judge the groups that contradict most at first sight, those with the same rows once."""
        groups: list[ValueGroup] = []
        seen: set[tuple[int, bytes]] = set()
        for group in np.argsort(-np.array(found.odd), kind="stable").tolist():
            everyone = members(self._table, found, group)
            rows = everyone[self._space.labels[everyone] == found.label[group]]
            signature = (found.label[group], rows.tobytes())
            if signature in seen:
                continue
            seen.add(signature)
            groups.append(self._one(found, group, everyone, rows))
            if len(groups) >= most:
                break
        return groups

    def _one(self, found: Screened, group: int, everyone: Numbers, rows: Numbers) -> ValueGroup:
        label = found.label[group]
        without = self._shared(rows)
        without[list(found.columns[group])] = True
        alone = unlikely = against = shift = 0.0
        peers = _thinned(np.setdiff1d(np.flatnonzero(self._space.labels == label), rows, assume_unique=True), _PEERS)
        if not without.all() and len(peers) >= FEWEST:
            some = _thinned(everyone, _MOST)
            p = self._space.votes(np.concatenate([some, peers]), without)[:, label]
            content = np.clip(np.log(p / (1 - p)) - self._odds[label], -_CLIP, _CLIP)
            hit = self._space.labels[some] == label
            alone = float(content[: len(some)][hit].mean())
            unlikely = _chernoff(content[len(some) :], alone, len(rows))
            against = max(0.0, -alone * len(rows))
            shift = shifted(p[: len(some)], int(hit.sum()))
        columns, cells = found.columns[group], found.cells[group]
        return ValueGroup(columns, found.scale[group], cells, label, rows, len(everyone), alone, unlikely, against, shift)

    def _shared(self, rows: Numbers) -> NDArray[np.bool_]:
        """Say in which columns the rows agree on something unusual: those belong to what made them a group."""
        out = np.zeros(len(self._table.names), bool)
        for codes, usual in zip(self._table.codes, self._usual, strict=True):
            own = codes[rows]
            for column in range(own.shape[1]):
                counts = np.bincount(own[:, column])
                counts[NONE] = 0
                best = int(counts.argmax())
                share = counts[best] / max(1, len(rows))
                out[column] |= share >= _SHARED and usual[column][best] <= _UNUSUAL
        return out


def _shares(codes: NDArray[np.int32]) -> list[Floats]:
    return [np.bincount(codes[:, column]) / max(1, len(codes)) for column in range(codes.shape[1])]


def detectable(found: ValueSuspects, log_level: float) -> int | None:
    """Give the fewest rows, drawn from other labels and given one label and a mark, that reach a level with power 0.9.

    Args:
        found: Groups of a study.
        log_level: Logarithm of the corrected p-value that is needed.

    Returns:
        For the label for which the most are needed; None when some label needs more than `_MOST_NEEDED`.
    """
    natural = found.strengths[np.unique(found.head[found.head >= 0])]
    begin = beginning(natural, START)
    needed = begin + max(0.0, (np.log((natural > begin).sum() + 1.0) - log_level) / found.rate)
    labels, space = found.space.labels, found.space
    some = _thinned(np.arange(len(labels)), 500)
    votes = space.votes(some, np.zeros(len(found.table.names), bool))
    counts = np.arange(FEWEST, _MOST_NEEDED)
    worst = FEWEST
    for label in np.flatnonzero(np.bincount(labels) >= _LEAST_CLASS).tolist():
        odds = float(np.log(space.prior[label] / (1 - space.prior[label])))
        p, own = votes[:, label], labels[some] == label
        content = np.clip(np.log(p / (1 - p)) - odds, -_CLIP, _CLIP)
        if own.sum() < FEWEST or (~own).sum() < FEWEST:
            continue
        level = content[~own].mean() + 1.2816 * content[~own].std() / np.sqrt(counts)
        unlikely = np.array([_chernoff(content[own], float(each), 1) for each in level]) * counts
        against = np.maximum(-level * counts, 0.0)
        usual = np.full(_MOST_NEEDED, float(np.median(p[~own])))
        shift = np.array([shifted(usual[:count], count) for count in np.minimum(counts, _MOST).tolist()])
        enough = np.flatnonzero(np.sqrt(np.minimum(unlikely, against) * np.maximum(shift, 0.0)) >= needed)
        if not len(enough):
            return None
        worst = max(worst, int(counts[enough[0]]))
    return worst


def _thinned(rows: Numbers, most: int) -> Numbers:
    if len(rows) <= most:
        return rows
    chosen: Numbers = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    return chosen


def _chernoff(peers: Floats, mean: float, rows: int) -> float:
    """Bound how unlikely it is that so many rows, drawn from the peers, have so low a mean, as -log p (Chernoff 1952)."""
    bounds = special.logsumexp(-_TILTS[:, None] * peers, axis=1) - np.log(len(peers)) + _TILTS * mean
    return max(0.0, -float(rows * bounds.min()))


def shifted(p: Floats, hits: int) -> float:
    """Give the least shift of log-odds that makes so many hits plausible (5 %, normal approximation).

    Args:
        p: Probability of a hit, one a row, in (0, 1).
        hits: How many there are.
    """
    odds = np.log(p / (1 - p))
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(30):
        middle = 0.5 * (low + high)
        q = special.expit(odds + middle)
        plausible = q.sum() + 1.645 * np.sqrt((q * (1 - q)).sum()) + 0.5 > hits
        low, high = (low, middle) if plausible else (middle, high)
    return low
