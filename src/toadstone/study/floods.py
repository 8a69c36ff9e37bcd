"""Floods: families of near-duplicates that are larger, and odder, than the data's own, one by one and several together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.sizes import SizeTail
from toadstone.stats.tails import log_negative_binomial_tail
from toadstone.study.circumstances import Circumstances, circumstances
from toadstone.study.near_rows import NearRows
from toadstone.study.study import Study

_MOST = 40
_CHAINED = 1.5
"""Rows that are a little alike, for each that decides, up to which they count as its paraphrases."""
_CONTRADICTED = 0.1
"""p-value of what a family says for its label, up to which not even one of its texts is worth keeping."""
_UNCERTAIN = 4.0
"""How sure the expected number of families is: the shape of a gamma distribution, for several together."""
_FAINT, _RARE = 0.4, -1.5
"""What rows count for in families that are expected by nature, and from which logarithm of that number on they count in full."""
_TOGETHER = 64
"""Families that are looked at for several together."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Flood:
    """One family, or several that push the same label.

    Attributes:
        rows: To be quarantined, sorted.
        size: Rows of the families.
        core: Different texts that are close to each other, of all families together.
        families: How many they are.
        log_expected: Logarithm of the number of such families that one expects here; with several the logarithm of the p-value.
        label: Code of the label that is pushed, -1 for none.
        odd_label: p-value of what the content says for that label; the largest of several families.
        spared: Rows of it that stay: those with another label, or one voice of those that say the same.
        stands: Whether the rows are to be quarantined.
    """

    rows: Numbers
    size: int
    core: int
    families: int
    log_expected: float
    label: int
    odd_label: float
    spared: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    stands: bool = True


@dataclass(frozen=True)
class Floods:
    """What was found.

    Attributes:
        found: Strongest first.
        tests: Families that were tested.
        detectable: The smallest size that would have been found.
        log_p: Logarithm of the p-value of each row: how rarely a row is in so large and odd a family, shape (rows,).
    """

    found: tuple[Flood, ...]
    tests: int
    detectable: int
    log_p: Floats


def floods(study: Study, family: Numbers, surrounded: NDArray[np.int32], near: NearRows | None = None) -> Floods:
    """Test every family's largest core against the tail of the small ones, and against what else is usual here.

    Args:
        study: Whose rows they are.
        family: First row of each row's family.
        surrounded: Core of each row at each level, shape (rows, levels).
        near: Rows of numbers whose families these are, or None.
    """
    core = surrounded[: study.rows]
    family = family[: study.rows]
    levels = core.shape[1]
    largest = np.ones((int(family.max(initial=0)) + 1, levels), np.int64)
    np.maximum.at(largest, family, core)
    expected = np.full(len(largest), np.inf)
    own = np.full(len(core), np.inf)
    deciding = np.zeros(len(largest), np.int64)
    detectable = 1 << 30
    tail: SizeTail | None = None
    for level in range(levels):
        tail = SizeTail(np.bincount(largest[:, level]), tail)
        charged = np.where(largest[:, level] > 1, tail.log_expected(largest[:, level]) + np.log(levels), np.inf)
        stronger = charged < expected
        expected[stronger], deciding[stronger] = charged[stronger], level
        own = np.minimum(own, np.where(core[:, level] > 1, tail.log_expected(core[:, level]) + np.log(levels), np.inf))
        detectable = min(detectable, tail.detectable(study.fdr / levels / 2))
    seen = circumstances(study, family, np.where(np.isfinite(expected), -expected, -np.inf), near)
    log_e = seen.log_e_of(len(largest))
    expected -= log_e
    share = np.log(core.max(axis=1)) - np.log(max(1, len(core)))  # rows of such a family among all
    log_p = np.where(np.isfinite(own), np.minimum(own - log_e[family] + share, 0.0), 0.0)
    if near is not None:  # most tables have rows that are alike: where such a family is expected, it only orders rows
        log_p *= _FAINT + (1.0 - _FAINT) * np.clip((own - log_e[family]) / _RARE, 0.0, 1.0)
    tests = max(1, int(np.count_nonzero(largest.max(axis=1) > 1)))
    single = _single(study, family, core, deciding, expected, seen, near)
    for flood in single:
        log_p[flood.spared] = 0.0
    found = [flood for flood in single if flood.log_expected <= np.log(0.5)][:_MOST]
    return Floods((*_together(single, seen, study.fdr / 2), *found), tests, detectable, log_p)


def _single(
    study: Study,
    family: Numbers,
    core: NDArray[np.int32],
    deciding: Numbers,
    expected: Floats,
    seen: Circumstances,
    near: NearRows | None,
) -> list[Flood]:
    """Give the families of which one expects fewest, strongest first."""
    labels = study.column("label") if study.has("label") else None
    found = []
    for first in np.argsort(expected, kind="stable")[:_TOGETHER].tolist():
        if not expected[first] < np.log(len(expected)):
            break
        members = np.flatnonzero(family == first)
        level = None if near is not None else int(deciding[first])
        rows = _core_rows(members, core[members], level)
        place = int(np.searchsorted(seen.first, first))
        known = place < len(seen.first) and seen.first[place] == first
        label, odd = (int(seen.label[place]), float(seen.odd_label[place])) if known else (-1, 1.0)
        # A text that was there before the flood took it up has its own label and stays; where nothing says that the label is
        # wrong, the flood is one voice too many times, and one of it stays.
        stays = np.zeros(len(rows), bool) if labels is None or label < 0 else labels[rows] != label
        stays[0] |= not stays.any() and odd > _CONTRADICTED
        if stays.all():
            continue
        widest = int(core[members].max())
        found.append(Flood(rows[~stays], len(members), widest, 1, float(expected[first]), label, odd, rows[stays]))
    return found


def _core_rows(members: Numbers, inner: NDArray[np.int32], level: int | None) -> Numbers:
    """Give the rows of a family that are meant: those in the core at a level, or at any, not those that are chained to it."""
    if level is None:
        best = inner.max(axis=1)
        some: Numbers = members[best >= max(2, best.max() // 2)]
        return some
    dense: Numbers = members[inner[:, level] >= max(2, inner[:, level].max() // 2)]
    wide: Numbers = members[inner[:, 0] >= max(2, inner[:, 0].max() // 2)]
    return wide if len(dense) <= len(wide) <= _CHAINED * len(dense) else dense


def _together(single: list[Flood], seen: Circumstances, rate: float) -> list[Flood]:
    """Give the families that are remarkable together: so many that push one label, of which so few are expected.

    Those that are to be quarantined are chosen as Benjamini and Hochberg (1995) do, at half of the rate: single rows have the
    other half. Where none can be, what is remarkable is only told.
    """
    labels = sorted({flood.label for flood in single})
    found = []
    for label in labels:
        own = [flood for flood in single if flood.label == label]
        expected = seen.share_of(label) * np.exp([flood.log_expected for flood in own])
        tails = [log_negative_binomial_tail(place + 1, float(one), _UNCERTAIN) for place, one in enumerate(expected)]
        count = int(np.argmin(tails)) + 1
        charged = tails[count - 1] + float(np.log(len(labels)) + np.log1p(np.log(len(own))))  # for what was tried
        sure = np.flatnonzero(expected <= rate * np.arange(1, len(own) + 1))
        stands = len(sure) > 0 and int(sure[-1]) > 0
        some = own[: int(sure[-1]) + 1 if stands else count]
        if len(some) < 2 or charged >= min(np.log(0.5), *(flood.log_expected for flood in some)):
            continue
        found.append(
            Flood(
                np.sort(np.concatenate([flood.rows for flood in some])),
                sum(flood.size for flood in some),
                sum(flood.core for flood in some),
                len(some),
                charged,
                label,
                max(flood.odd_label for flood in some),
                np.sort(np.concatenate([flood.spared for flood in some])),
                stands=stands,
            )
        )
    return found
