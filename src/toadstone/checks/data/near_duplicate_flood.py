"""Families of near-duplicates larger than the data's own repeats explain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Fact, Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.alike_images import alike_images
from toadstone.study.check import DataCheck
from toadstone.study.cores import cores
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.families import Families, families
from toadstone.study.floods import Flood, floods
from toadstone.study.near_rows import NearRows, near_rows
from toadstone.study.pictures import GRID
from toadstone.study.sketches import distances
from toadstone.study.study import Study
from toadstone.tables.roles import Roles

_CERTAIN = -700.0
"""Logarithm of a p-value for what is counted, not estimated."""
_EXCERPT = 120
_WEIGHT = 0.5
"""Of the false-discovery rate: p-values of families mostly lie far below any share of it, or nowhere near."""
_KEPT = 20
_CLOSE = {
    "text": "different texts close to each other",
    "image": "different images close to each other",
    "row": "times what the rows around them let expect",
}


@dataclass(frozen=True)
class _Kind:
    """What is compared, in the words of the report.

    Attributes:
        noun: One of many.
        alike: What near-duplicates do.
        repeated: What copies repeat.
    """

    noun: str
    alike: str
    repeated: str


TEXTS = _Kind("text", "say nearly the same", "the words")
IMAGES = _Kind("image", "look nearly the same", "the features")
ROWS = _Kind("row", "have nearly the same values", "the values")


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
    Images are alike when one is the other moved a little, brighter or darker, apart from noise: what its neighbour, its
    derivatives and a constant do not explain of it is small beside what is usual among images drawn at random. Vectors are
    compared by signs of random projections.
    Natural data has such cores too (reposts, forms, quotations). Their sizes of two to five give a power law, which says how
    many families of a size one expects; since only small families shape it, a flood cannot vouch for itself. That number is
    divided by what else is odd about a family among those of the same data: a label that its content speaks against, by a model
    without the family; labels that disagree within it; sources and times as no other family has them. Families of which one
    expects fewer than ``--fdr`` are findings, and so are several together that push one label when so many are not to be
    expected: `high` from ten different texts on, `medium` below.

    Rows of tables, and vectors, are points: numbers by their standard deviation, categories by whether they are equal. Around
    each row the distance to a good part of the others says how many neighbours to expect at any distance, among all rows and
    among those with its label. Its core is the number of neighbours where next to none are expected, at four distances and
    with the very same values, divided by what the rows just beyond let expect: rows of a few discrete columns have copies, and
    copies but for one column, by nature.

    Rows with another label than the one that is pushed stay, and nothing that other checks say against them counts: beside a
    flood of its copies the text that was there before looks wrong. Where nothing speaks against the label, the flood is one
    voice too many times, and its first row stays. Exact copies never count as different texts; they are reported as `info`, and
    texts with several labels as `low`.

    ## What it misses
    Families smaller than the detectable size that the report states (data with many forms and quotations of its own hides
    more: among those of software and mail, five texts eight times each are found in part), copies of rows with so much noise
    that they are as far apart as other rows, copies of what many rows of a table of few values have anyway, paraphrases that
    share fewer than about half of their words, translations, copies that are the same words in the same order, and texts of
    fewer than five words. Rows below the decision are still ranked by how rarely a row is in so large and odd a family. Copies
    of images that are moved by more than a few pixels, turned, cut or mirrored, and copies of images that show little beside
    their noise.

    ## Remedy
    Read or look at the examples. If the rows are one voice, keep one of them; if they push a label or a claim, drop them
    all and ask who added them.

    ## References
    Broder, "On the resemblance and containment of documents" (1997); Ioffe, "Improved consistent sampling, weighted minhash
    and L1 sketching" (2010); Pettis et al., "An intrinsic dimensionality estimator from near-neighbor information" (1979);
    Kulldorff, "A spatial scan statistic" (1997); Lü et al., "The H-index of a network node" (2016); Clauset, Shalizi, Newman,
    "Power-law distributions in empirical data" (2009); Carlini et al., "Poisoning web-scale training datasets is practical"
    (2302.10149); Simard, LeCun, Denker, "Efficient pattern recognition using a new transformation distance" (1992);
    Ignatiadis, Wang, Ramdas, "E-values as unnormalized weights in multiple testing" (2204.12447).
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "vectors", "pixels", "features")
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
        """Weigh families of texts, or of rows of numbers where there are no texts, against the sizes of the small ones."""
        kind = _kind(study)
        if study.rows < 2 or kind is None:
            return Evidence(idle="no two texts, vectors or rows of a table to compare")
        near: NearRows | None = None
        if kind is ROWS:
            found = near_rows(study)
            if isinstance(found, str):
                return Evidence(idle=found)
            near, known, surrounded = found, found.families, found.surrounded
        elif kind is TEXTS:
            known, surrounded = families(study), cores(study)
        else:
            alike = alike_images(study)
            known, surrounded = alike.families, alike.cores
        counted = copies(study, known, kind, stand=self.quarantine_copies, conflicts=self.quarantine_conflicts)
        if study.has("vectors"):
            counted += outlying(study, self.far)
        seen = floods(study, known.family, surrounded, near)
        groups = [_group(study, flood, seen.tests, self.certain, kind) for flood in seen.found]
        # Images of one kind are alike by nature: what does not stand as a family says nothing of a single image.
        rows = None if kind is IMAGES else RowEvidence(seen.log_p, weight=_WEIGHT)
        return Evidence((*groups, *counted), rows, seen.tests + len(counted), seen.detectable)

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
        yield _table(copied=30)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Texts of which none resembles another."""
        from toadstone.study.small import study_of  # noqa: PLC0415
        from toadstone.views.words import Words  # noqa: PLC0415

        rng = np.random.default_rng(6)
        others = [" ".join(f"w{word}" for word in rng.integers(0, 4000, 20)) for _ in range(300)]
        yield study_of({"text": others, "label": ["a", "b"] * 150}, [Words()])
        yield _table(copied=0)


def _kind(study: Study) -> _Kind | None:
    """Say what the rows of a study are compared by."""
    if study.has("words"):
        return TEXTS
    if study.has("vectors"):
        return IMAGES if study.has(GRID) and study.roles.embedding is None else ROWS
    return ROWS if study.has("numbers") else None


def _table(copied: int, rows: int = 600) -> Study:
    """Make rows of four columns, some of them copies of one with a little noise and the wrong label."""
    from toadstone.study.small import study_of  # noqa: PLC0415  (examples only)
    from toadstone.views.vectors import Features  # noqa: PLC0415

    rng = np.random.default_rng(7)
    table: dict[str, Any] = {name: rng.normal(0, 1, rows) for name in ("a", "b", "c")}
    table["kind"] = rng.choice(["x", "y", "z"], rows)
    for name in ("a", "b", "c"):
        table[name][:copied] = table[name][0] + rng.normal(0, 0.02, copied)
    table["kind"][:copied] = "x"
    roles = Roles(label="label", features=("a", "b", "c", "kind"))
    label = np.where(table["a"] + rng.normal(0, 0.5, rows) > 0, "high", "low")
    label[:copied] = "low" if table["a"][0] > 0 else "high"
    return study_of({**table, "label": label}, [Features()], roles=roles)


def _group(study: Study, flood: Flood, tests: int, certain: int, kind: _Kind) -> Group:
    labels = label_counts(study, flood.rows)
    texts = study.texts([int(flood.rows[0])])
    text = " ".join(texts[0].split())[:_EXCERPT] if texts else f"row {int(flood.rows[0])}"
    sure = flood.core >= certain and flood.stands
    details: dict[str, Json] = {"core": flood.core, "labels": dict(sorted(labels.items()))}
    if flood.odd_label < 1.0:
        details["label_odds"] = round(flood.odd_label, 4)
    if len(flood.spared):
        details["kept"] = flood.spared[:_KEPT].tolist()
    if flood.families > 1:
        details["families"] = flood.families
        told = (
            f"{flood.families} families of {kind.noun}s that {kind.alike}, {len(flood.rows):,} rows, push one label; the chance"
            f" of so many is {np.exp(flood.log_expected):.2g}"
        )
    else:
        told = (
            f"{len(flood.rows):,} rows {kind.alike} ({flood.core} {_CLOSE[kind.noun]}); by this data's"
            f" own repeats one expects {np.exp(flood.log_expected):.2g} such families"
        )
    return Group(
        "near-duplicates",
        text,
        flood.rows,
        flood.size,
        flood.log_expected - float(np.log(tests)),  # as the decision corrects by the number of tests
        Severity.HIGH if sure else Severity.MEDIUM,
        told,
        f"the claim of one {kind.noun}, with the weight of many",
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        label=study.label_names[flood.label] if flood.label >= 0 else None,
        effect=1.0 - 2.0 / max(flood.core, 2),
        details=details,
        rows_stand=flood.stands,
        kept=flood.spared,
    )


def copies(study: Study, known: Families, kind: _Kind, *, stand: bool, conflicts: bool) -> list[Group]:
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
                f"{_counted(len(repeated), 'row repeats', 'rows repeat')} {kind.repeated} of an earlier row",
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
                    f"same {kind.noun}, different labels",
                    rows,
                    len(rows),
                    _CERTAIN,
                    Severity.LOW,
                    f"{_counted(len(differing), f'{kind.noun} has', f'{kind.noun}s have')} several labels in {len(rows):,} rows",
                    "nothing: the rows contradict each other",
                    rows_stand=conflicts,
                )
            )
    return groups


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
