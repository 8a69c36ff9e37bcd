"""Contributors whose labels are not what their rows say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Severity
from toadstone.stats.tails import log_binomial_tail
from toadstone.study import samples
from toadstone.study.check import DataCheck
from toadstone.study.contributors import Screen, Weighed, base, judged, rows_by_code, temper, weighed
from toadstone.study.evidence import Evidence, Group
from toadstone.study.naive_bayes import NaiveBayes, naive_bayes
from toadstone.study.small import study_of
from toadstone.study.study import Chunk, Study
from toadstone.views.words import Words

_EXACT = 400
"""Contributors that are weighed without themselves, those against whom most speaks at first sight."""
_MOST = 10
_CLEAR = 8.0
"""Evidence beyond what the number of contributors explains from which a contributor of many topics is quarantined."""
_MIXED = 0.25
"""Part of the way from rows drawn at random to the rows of a usual contributor, up to which rows are of many topics."""
_VARIED = 0.7
"""Part of the variety of all labels from which on a contributor has all kinds of labels."""
_FEW = 8
"""Contributors below which the data cannot say what is usual."""


@check(
    "source-concentration",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "CWE-345",
        "CWE-349",
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class SourceConcentration(DataCheck):
    """The labels of one contributor disagree with what the rows say.

    ## Why it matters

    Whoever may contribute rows may poison them. Ten wrong labels among thousands cannot be told from honest mistakes one by one;
    ten wrong labels of one contributor can.

    ## How it decides

    Several learners that have not seen a row (those of `label-flip`) say how likely its label is. All rows of a contributor
    together, not only those that look wrong, give the evidence that a share of its labels is wrong: an e-value, a bet that honest
    labels lose. As far as its rows have more in common than rows drawn at random it counts as of fewer rows, because rows on one
    topic are right or wrong together: an honest newsletter that reads like spam is one oddity, not a hundred. What the other
    contributors of the same data reach is taken for usual. `high` is a contributor who writes about anything: its rows have much
    less in common than those of others, or no more than rows drawn at random (where labels follow from who contributes, only if
    it has all kinds of labels); when its labels are wrong far beyond chance, the contrary rows are quarantined. Any other is
    `medium`, or `low` when its rows are more of one kind than those of most, and nothing is quarantined: it is odd, perhaps
    honestly so. `info` are contributors that supply more than half of the rows of a label, or all copies of one text.

    ## What it misses

    Contributors with fewer than four rows or more than a fifth of all, whoever writes under many names, and wrong labels that
    its content does not contradict. A contributor who gives one wrong label where every contributor has but one is told, not
    quarantined.

    ## Remedy

    Ask the contributor, look at the contrary rows, and leave out what cannot be explained.

    ## References

    - Raykar, Yu: *Eliminating Spammers and Ranking Annotators for Crowdsourced Labeling Tasks*, JMLR 13, 2012
    - Vovk, Wang: *E-values: Calibration, combination and applications*, Annals of Statistics 49, 2021
    - Kish: *Survey Sampling*, Wiley 1965 (the effective number of rows)
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "grams")
    roles: ClassVar[tuple[str, ...]] = ("text", "label", "source")

    fewest: int = 4
    """Rows of a contributor from which it is weighed."""
    largest: float = 0.2
    """Share of all rows up to which a contributor is weighed; without more than that the model has too little left."""

    def weigh(self, study: Study) -> Evidence:
        """Weigh the contributors."""
        model = naive_bayes(study)
        if isinstance(model, str):
            return Evidence(not_run=model)
        screened, sizes = study.run(Screen("source", len(study.source_names), judged(study, model)))
        tested = np.flatnonzero((sizes >= self.fewest) & (sizes <= self.largest * max(1, int(sizes.sum()))))
        if not len(tested):
            return Evidence(idle=f"no contributor has between {self.fewest} rows and {self.largest:.0%} of all")
        chosen = tested[np.argsort(-screened[tested], kind="stable")[:_EXACT]]
        found = weighed(study, model, rows_by_code(study.column("source"), chosen))
        values = np.array([one.discounted for one in found])
        factor = temper(values, len(tested))
        usual = float(np.median([one.cohesion for one in found]))
        mixed = _mixed(study, model, found, usual) if len(tested) >= _FEW else np.zeros(len(found), bool)
        groups = [
            _group(study, study.source_names[chosen[place]], found[place], factor, usual, len(tested), mixed=bool(mixed[place]))
            for place in np.argsort(-values, kind="stable")[:_MOST].tolist()
            if values[place] > 0 and found[place].contrary.any()
        ]
        groups += _suppliers(study, sizes) + _copies(study)
        return Evidence(tuple(groups), tests=len(tested), detectable=_detectable(study, model, factor, len(tested)))

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a contributor whose labels are all wrong."""
        yield study_of(_example(wrong=True), [Words()])

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give contributors who are right."""
        yield study_of(_example(wrong=False), [Words()])


def _group(study: Study, name: str, one: Weighed, factor: float, usual: float, tests: int, *, mixed: bool) -> Group:
    rows = one.rows[one.contrary]
    strength = one.discounted / factor
    sure = strength >= np.log(tests) + _CLEAR and len(rows) >= 3
    codes = np.concatenate([chunk["label"][rows[_span(rows, chunk)] - chunk.start] for chunk in study.chunks])
    label = study.label_names[int(np.bincount(codes).argmax())]
    n = len(one.rows)
    return Group(
        "source",
        name,
        rows,
        n,
        -strength,
        Severity.HIGH if mixed else Severity.LOW if one.cohesion > usual else Severity.MEDIUM,
        f"The content of {len(rows):,} of the {n:,} rows of {name!r} speaks against their label,"
        f" {one.excess:.1f} more than expected.",
        lesson=f"that what {name!r} writes about is {label!r}",
        confidence=Confidence.HIGH if sure and mixed else Confidence.MEDIUM,
        label=label,
        effect=float(np.clip(one.excess / n, 0.0, 1.0)),
        details={"cohesion": round(one.cohesion, 4), "log_evidence": round(one.log_e, 2)},
        rows_stand=bool(sure and mixed),
    )


def _mixed(study: Study, model: NaiveBayes, found: list[Weighed], usual: float) -> NDArray[np.bool_]:
    """Say which contributors write about anything: what speaks against their labels is then no subject or style of theirs.

    Their rows have to have much less in common than those of a usual contributor, or hardly more than rows drawn at random. The
    latter says nothing where labels follow from who contributes, unless the contributor has all kinds of labels.
    """
    drawn = base(study, model)
    labels = study.column("label")
    varied = _VARIED * _variety(labels[labels >= 0])
    variety = np.array([_variety(labels[one.rows]) for one in found])
    follows = float(np.median(variety)) < varied
    cohesion = np.array([one.cohesion for one in found])
    room = drawn * (1 + 1 / np.sqrt([max(1, len(one.rows)) for one in found])) + _MIXED * max(0.0, usual - drawn)
    return np.asarray((cohesion <= 0.5 * usual) | ((cohesion <= room) & ((variety >= varied) | (not follows))), bool)


def _variety(codes: NDArray[np.int32]) -> float:
    """Give the share of pairs of rows with different labels (Gini and Simpson)."""
    shares = np.bincount(codes) / max(1, len(codes))
    return float(1 - (shares * shares).sum())


def _span(rows: NDArray[np.int64], chunk: Chunk) -> slice:
    first, last = np.searchsorted(rows, [chunk.start, chunk.start + chunk.rows]).tolist()
    return slice(first, last)


def _suppliers(study: Study, sizes: NDArray[np.int64]) -> list[Group]:
    """Find contributors with more than half of the rows of a label and less than a quarter of the others."""
    labels, sources = study.column("label"), study.column("source")
    pairs, counts = np.unique(
        labels.astype(np.int64)[(labels >= 0) & (sources >= 0)] * len(sizes) + sources[(labels >= 0) & (sources >= 0)],
        return_counts=True,
    )
    label_of, source_of = pairs // max(1, len(sizes)), pairs % max(1, len(sizes))
    by_label = np.bincount(label_of, weights=counts, minlength=len(study.label_names))
    total = float(counts.sum())
    of_label = counts / np.maximum(by_label[label_of], 1)
    elsewhere = (sizes[source_of] - counts) / np.maximum(total - by_label[label_of], 1)
    found = np.flatnonzero((of_label > 0.5) & (elsewhere < 0.25) & (by_label[label_of] >= 20) & (by_label[label_of] < total))
    groups = []
    for place in found[np.argsort(-counts[found], kind="stable")][:3].tolist():
        name, label = study.source_names[source_of[place]], study.label_names[label_of[place]]
        rate = min(0.9, (sizes[source_of[place]] + 1) / (total + 1))
        rows = np.flatnonzero((sources == source_of[place]) & (labels == label_of[place]))
        told = f"{name!r} supplies {counts[place]:,} of the {int(by_label[label_of[place]]):,} rows with the label {label!r}."
        tail = float(log_binomial_tail(counts[place], by_label[label_of[place]], rate))
        groups.append(
            Group("source", name, rows, len(rows), tail, Severity.INFO, told, label=label, effect=0.1, rows_stand=False)
        )
    return groups


def _copies(study: Study) -> list[Group]:
    """Find texts of ten and more copies that nearly all come from one contributor of several."""
    families, sources = study.column("nb.family"), study.column("source")
    order = np.argsort(families, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(families[order]) != 0)) if len(order) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(order)))
    groups = []
    for place in np.flatnonzero(sizes >= 10)[np.argsort(-sizes[sizes >= 10], kind="stable")][:3].tolist():
        rows = np.sort(order[starts[place] : starts[place] + sizes[place]])
        codes = sources[rows]
        top = int(np.bincount(codes[codes >= 0]).argmax()) if (codes >= 0).any() else -1
        share = float((sources == top).mean())
        own = int((codes == top).sum())
        if top < 0 or own < 0.9 * len(rows) or share > 0.25:
            continue
        name = study.source_names[top]
        told = f"{name!r} supplies {own:,} of the {len(rows):,} copies of one text."
        tail = float(log_binomial_tail(own, len(rows), max(share, 1e-6)))
        groups.append(Group("near-duplicates", name, rows, len(rows), tail, Severity.INFO, told, effect=0.1, rows_stand=False))
    return groups


def _detectable(study: Study, model: NaiveBayes, factor: float, tests: int) -> int | None:
    """Give how many wrong labels of ordinary rows suffice, all of a contributor's labels being wrong."""
    margins = study.column("nb.margin")
    if not len(margins):
        return None
    typical = float(np.median(margins)) - np.log(max(len(model.rows) - 1, 1)) - 0.4
    needed = (np.log(tests) + np.log(20 / study.fdr) + np.log(5.0)) * factor
    return int(np.ceil(needed / typical)) if typical > 0.1 else None


def _example(*, wrong: bool) -> dict[str, list[str]]:
    users = [number // 2 % 30 for number in range(600)]
    texts, labels = samples.texts(
        600, beside=lambda row: [f"habit{users[row] * (users[row] != 7) * 9 + i}" for i in range(9 if users[row] != 7 else 400)]
    )
    given = [samples.other(label) if wrong and user == 7 else label for label, user in zip(labels, users, strict=True)]
    return {"text": texts, "label": given, "source": [f"user{user}" for user in users]}
