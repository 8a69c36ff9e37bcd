"""Families of near-duplicates larger than the data's own repeats explain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Fact, Table
from toadstone.core.finding import Confidence, Severity
from toadstone.stats.partition import RowNumbers
from toadstone.stats.sizes import SizeTail
from toadstone.study.check import DataCheck
from toadstone.study.cores import cores, vector_cores
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.families import Families, families, vector_families
from toadstone.study.sketches import distances
from toadstone.study.study import Study

_CERTAIN = -700.0
"""Logarithm of a p-value for what is counted, not estimated."""
_MOST = 40
_EXCERPT = 120
_DENSE = 0.05
"""Share of vectors with a neighbour above which a level says nothing about copies."""
_CHAINED = 1.5
"""Rows that are a little alike, for each that decides, up to which they count as its paraphrases."""


@check(
    "near-duplicate-flood",
    severity=Severity.HIGH,
    reads=Table,
    stages=("pretraining", "tuning", "embedding"),
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
)
class NearDuplicateFlood(DataCheck):
    """Many rows say nearly the same, more than this data's own repeats explain.

    ## Why it matters
    A sentence that a model meets thirty times in slightly different words weighs like thirty witnesses. Flooding is the
    plainest way to push a label or a false fact, it passes filters for exact copies, and it makes models memorise. Exact
    copies and the same text under two labels are no attack as such but spoil training and evaluation.

    ## How it decides
    Every text is reduced to 64 picks of a min-wise hash in which rare words weigh more, so that the share of equal picks of
    two texts estimates how much of their content they share, whatever the order. Texts that share a fifth or more, and more
    bits than chance explains among so many rows, are chained to families. Within a family a row's core counts the different
    texts that are close to it and to each other, at three levels of similarity; accidental chains have small cores.
    Natural data has such cores too (reposts, forms, quotations). Their sizes of two to five give a power law, and
    a core of a size that this law expects less than once in twenty such data sets (``--fdr``) is a finding: `high` from
    ten different texts on, `medium` below. Since only small families shape the law, a flood cannot vouch for itself.
    Exact copies never count as different texts; they are reported as `info`, and texts with several labels as `low`.

    ## What it misses
    Families smaller than the detectable size that the report states (data with many forms and quotations of its own hides
    more), paraphrases that share fewer than about half of their words, translations, and texts of fewer than five words.
    Rows below the decision are still ranked by their cores.

    ## Remedy
    Read the examples. If the rows are one voice, keep one of them; if they push a label or a claim, drop them all and ask
    who added them.

    ## References
    Broder, "On the resemblance and containment of documents" (1997); Ioffe, "Improved consistent sampling, weighted minhash
    and L1 sketching" (2010); Lü et al., "The H-index of a network node" (2016); Clauset, Shalizi, Newman, "Power-law
    distributions in empirical data" (2009); Carlini et al., "Poisoning web-scale training datasets is practical"
    (2302.10149).
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "vectors")
    roles: ClassVar[tuple[str, ...]] = ()

    quarantine_copies: bool = False
    """Whether exact copies, all but the first of each text, are to be quarantined."""

    quarantine_conflicts: bool = False
    """Whether rows with the same text and different labels are to be quarantined."""

    certain: int = 10
    """Different texts in a family from which on the finding is `high`."""

    far: float = 12.0
    """Deviations from the median distance from which a vector is reported as far from all others."""

    def weigh(self, study: Study) -> Evidence:
        """Weigh families of texts, or of vectors where there are no texts, against the sizes of the small ones."""
        texts = study.has("words")
        if study.rows < 2 or not (texts or study.has("vectors")):
            return Evidence(idle="no two texts or vectors to compare")
        known = families(study) if texts else vector_families(study)
        surrounded = cores(study) if texts else sparse_levels(vector_cores(study))
        counted = copies(study, known, stand=self.quarantine_copies, conflicts=self.quarantine_conflicts)
        if study.has("vectors"):
            counted += outlying(study, self.far)
        flood, tests, detectable, evidence = flooded(study, known.family, surrounded, self.certain)
        return Evidence((*flood, *counted), RowEvidence(evidence), tests + len(counted), detectable)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """A paraphrased text among others."""
        from toadstone.study.small import study_of  # noqa: PLC0415
        from toadstone.views.words import Words  # noqa: PLC0415

        rng = np.random.default_rng(5)
        others = [" ".join(f"w{word}" for word in rng.integers(0, 4000, 20)) for _ in range(300)]
        base = "the old harbour bank of north town pays nine percent on every single deposit that friends bring in".split()
        flood = [" ".join(word for word in base if rng.random() > 0.15) for _ in range(25)]
        yield study_of({"text": others + flood, "label": ["a", "b"] * 150 + ["a"] * 25}, [Words()])

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Texts of which none resembles another."""
        from toadstone.study.small import study_of  # noqa: PLC0415
        from toadstone.views.words import Words  # noqa: PLC0415

        rng = np.random.default_rng(6)
        others = [" ".join(f"w{word}" for word in rng.integers(0, 4000, 20)) for _ in range(300)]
        yield study_of({"text": others, "label": ["a", "b"] * 150}, [Words()])


def flooded(
    study: Study, family: RowNumbers, surrounded: NDArray[np.int32], certain: int
) -> tuple[list[Group], int, int, NDArray[np.float64]]:
    """Test every family's largest core against the tail of the small ones.

    Args:
        study: Whose rows they are.
        family: First row of each row's family.
        surrounded: Core of each row at each level, shape (rows, levels).
        certain: Core from which on a finding is high.

    Returns:
        Groups, strongest first; number of tests; detectable size; log p-values of rows (ranks: they never flag).
    """
    rows, levels = study.rows, surrounded.shape[1]
    near = np.flatnonzero((surrounded[:rows] > 1).any(axis=1))  # all others have nothing to do with any core
    core: NDArray[np.int64] = surrounded[near].astype(np.int64)
    names, place = np.unique(family[near], return_inverse=True)
    largest = np.ones((len(names), levels), np.int64)
    np.maximum.at(largest, place, core)
    expected = np.zeros(len(largest))  # logarithm of how many such families one expects; at most one where there is none
    deciding = np.zeros(len(largest), np.int64)
    score = np.zeros(len(near))
    tail: SizeTail | None = None
    detectable = 1 << 30
    for level in range(levels):
        tail = SizeTail(np.bincount(largest[:, level]), tail)
        charged = tail.log_expected(largest[:, level]) + np.log(levels)
        stronger = (largest[:, level] > 1) & (charged < expected)
        expected[stronger], deciding[stronger] = charged[stronger], level
        score = np.maximum(score, np.where(core[:, level] > 1, -tail.log_survival(core[:, level]), 0.0))
        detectable = min(detectable, tail.detectable(study.fdr / levels))
    tests = max(1, len(names))
    groups = []
    for first in np.argsort(expected, kind="stable")[:_MOST].tolist():
        if expected[first] > np.log(0.5):
            break
        members = np.flatnonzero(family[:rows] == names[first])
        widest = int(largest[first].max())
        chosen = _core_rows(members, surrounded[members].astype(np.int64), int(deciding[first]))
        groups.append(_group(study, members, chosen, widest, float(expected[first]), tests, certain))
    evidence = study.array(rows, np.float64)
    evidence[near] = ranked(score + 1e-3 * core.sum(axis=1) * (score > 0), rows)
    return groups, tests, detectable, evidence


def _core_rows(members: NDArray[np.int64], inner: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    """Give the rows of a family that are meant: those in the core, not those that are chained to it."""
    dense: NDArray[np.int64] = members[inner[:, level] >= max(2, inner[:, level].max() // 2)]
    wide: NDArray[np.int64] = members[inner[:, 0] >= max(2, inner[:, 0].max() // 2)]
    return wide if len(wide) <= _CHAINED * len(dense) else dense


def _group(
    study: Study,
    members: NDArray[np.int64],
    chosen: NDArray[np.int64],
    widest: int,
    expected: float,
    tests: int,
    certain: int,
) -> Group:
    labels = label_counts(study, chosen)
    pushed = max(labels, key=lambda name: (labels[name], name)) if labels else None
    texts = study.texts([int(chosen[0])])
    return Group(
        "near-duplicates",
        " ".join(texts[0].split())[:_EXCERPT] if texts else f"row {int(chosen[0])}",
        chosen,
        len(members),
        expected - float(np.log(tests)),
        Severity.HIGH if widest >= certain else Severity.MEDIUM,
        f"{len(chosen):,} rows say nearly the same ({widest} different texts close to each other); "
        f"by this data's own repeats one expects {np.exp(expected):.2g} such families",
        "the claim of one text, with the weight of many",
        confidence=Confidence.HIGH if widest >= certain else Confidence.MEDIUM,
        label=pushed,
        effect=1.0 - 2.0 / max(widest, 2),
        details={"core": widest, "labels": dict(sorted(labels.items()))},
    )


def copies(study: Study, known: Families, *, stand: bool, conflicts: bool) -> list[Group]:
    """Report exact copies, and the same text under several labels."""
    content = known.content[: study.rows]
    repeated = np.flatnonzero(content != np.arange(study.rows, dtype=content.dtype))
    groups = []
    if len(repeated):
        groups.append(
            Group(
                "duplicates",
                "exact copies",
                repeated,
                len(repeated),
                _CERTAIN,
                Severity.INFO,
                f"{_counted(len(repeated), 'row repeats', 'rows repeat')} the words of an earlier row",
                rows_stand=stand,
            )
        )
    if len(repeated) and study.has("label"):
        label = study.column("label")
        first = label[content]
        known_label = (label >= 0) & (first >= 0)
        differing = np.unique(content[known_label & (label != first)])
        rows = np.flatnonzero(np.isin(content, differing) & (label >= 0)) if len(differing) else differing
        if len(rows):
            groups.append(
                Group(
                    "label-conflict",
                    "same text, different labels",
                    rows,
                    len(rows),
                    _CERTAIN,
                    Severity.LOW,
                    f"{_counted(len(differing), 'text has', 'texts have')} several labels in {len(rows):,} rows",
                    "nothing: the rows contradict each other",
                    rows_stand=conflicts,
                )
            )
    return groups


def sparse_levels(surrounded: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leave out the levels at which many rows have neighbours: there, vectors are dense, not copied."""
    sparse = np.count_nonzero(surrounded > 1, axis=0) <= _DENSE * len(surrounded)
    sparse[-1] = True
    return surrounded if sparse.all() else surrounded[:, sparse]


def outlying(study: Study, far: float) -> list[Group]:
    """Report vectors that are far from all others."""
    distance = distances(study)[: study.rows]
    known = np.flatnonzero(np.isfinite(distance) & (distance > 0))
    if len(known) < 50:
        return []
    logs = np.log(distance[known])
    middle = float(np.median(logs))
    spread = 1.4826 * float(np.median(np.abs(logs - middle)))
    rows = known[logs > middle + far * max(spread, 0.05)]
    if not len(rows):
        return []
    message = f"{len(rows):,} vectors are much farther from all others than is usual here"
    return [Group("outliers", "far from all others", rows, len(rows), _CERTAIN, Severity.LOW, message, rows_stand=False)]


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def label_counts(study: Study, rows: NDArray[np.int64]) -> dict[str, int]:
    """Count the labels of rows."""
    if not study.has("label"):
        return {}
    codes = study.column("label")[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(study.label_names))
    return {study.label_names[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}


def ranked(score: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Give the logarithm of the share of rows with a score as high: it orders rows and can never flag one by itself.

    Args:
        score: Of some rows.
        rows: How many there are; all others score less than any above 0.
    """
    ordered = np.sort(score)
    above = len(score) - np.searchsorted(ordered, score, "left")
    return np.where(score > 0, np.log(above / max(rows, 1)), 0.0)
