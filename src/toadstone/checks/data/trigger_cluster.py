"""Images of one label that share a mark and look like images of other labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Fact, Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.check import DataCheck
from toadstone.study.directions import BEYOND
from toadstone.study.evidence import Evidence, Group
from toadstone.study.marked import beyond, box, described
from toadstone.study.marks import Mark, Sample, marks, sample_of, scale_of
from toadstone.study.study import Study

_MOST = 40
_LOOKS = 4


@check(
    "trigger-cluster",
    severity=Severity.HIGH,
    reads=Table,
    stages=("pretraining", "tuning", "embedding"),
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
)
class TriggerCluster(DataCheck):
    """Images of one label share a mark, and without it look like other labels.

    ## Why it matters
    A pattern that is blended over some images, a wave, a faint frequency, a warp or a small patch, together with a new label,
    plants a backdoor: a model that learns from them gives that label to whatever carries the pattern. One image in a hundred is
    enough, and nobody sees it.

    ## How it decides
    A mark adds variance to one label alone. Among grey levels, magnitudes of frequencies, and how much neighbours differ, the
    directions of largest variance within each label, in units of the spread of all rows, are followed to the rows that stand
    apart along them. Each such group is judged by what it is without the mark. Two learners that never saw its rows (local
    features; likeness of pixels) say what these look like: marked rows look like the other labels, mixed as these are, and
    still stand apart from the rows of those. The nearest images outside the group are nearer than its own members, where
    natural sub-groups are compact. The group is a mode of its own and no end of a continuum, and half of it tells the other
    half. The weight of a group is its number of rows times these measures; the p-value is its place in the exponential tail of
    all candidates of the same data, corrected for their number.

    ## What it misses
    Groups of fewer than eight images, or of less than about a hundredth of a label in large data sets, of which a sample is
    searched. Marks on rows whose label was not changed (`clean-label-trigger`), small patches on them (`trigger-patch`),
    attacks that put one mark on every label. With two or three labels it takes more
    rows: what looks like the one other label is natural more often. A label of which more than three quarters carry the mark.

    ## Remedy
    Look at the images side by side; the place that the report names is where they agree. Drop them and ask who added them.

    ## References
    Gu et al., "BadNets" (1708.06733); Chen et al., "Targeted backdoor attacks using data poisoning" (1712.05526); Barni et al.,
    "A new backdoor attack in CNNs by training set corruption without label poisoning" (1902.11237); Nguyen and Tran, "WaNet"
    (2102.10369); Hayase et al., "SPECTRE" (2104.11315).
    """

    needs: ClassVar[tuple[str, ...]] = ("pixels",)
    roles: ClassVar[tuple[str, ...]] = ("image", "label")

    effect: float = 0.2
    """Disagreement, beyond what is usual for the label, from which a group is `high`."""

    def weigh(self, study: Study) -> Evidence:
        """Weigh the groups that stand apart."""
        sample = sample_of(study)
        if sample is None:
            return Evidence(idle="too few labelled images of two labels")
        found, tests = marks(study, sample)
        weights = np.array([mark.weight for mark in found])
        scale = scale_of(weights, sample)
        kept = [mark for mark in found[:_MOST] if np.log(max(tests, 1)) - mark.weight / scale < np.log(0.5)]
        groups = tuple(self._group(study, sample, mark, -mark.weight / scale) for mark in kept)
        return Evidence(groups, None, tests, int(np.ceil(scale * np.log(max(tests, 1) / study.fdr))))

    def _group(self, study: Study, sample: Sample, mark: Mark, log_p: float) -> Group:
        rows = beyond(study, sample, mark)
        label = study.label_names[mark.direction.label]
        strong = mark.judged.disagreement >= self.effect
        place = box(sample.images.shape[1:3], mark)
        looks = [study.label_names[code] for code in np.argsort(-mark.judged.looks)[: _LOOKS + 1] if code != mark.direction.label]
        value: dict[str, Json] = {"space": mark.space, "rows_and_columns": list(place)}
        return Group(
            kind="pattern",
            value=value,
            rows=rows,
            size=round(len(rows) / BEYOND),
            log_p=log_p,
            severity=Severity.HIGH if strong else Severity.MEDIUM,
            confidence=Confidence.HIGH if strong else Confidence.MEDIUM,
            message=f"{len(rows):,} images labelled {label!r} share {described(sample.images.shape[1:3], mark)}; "
            f"without it they look like {', '.join(repr(name) for name in looks[:_LOOKS])}",
            lesson=f"that this pattern means {label!r}",
            label=label,
            effect=mark.judged.disagreement,
            details={
                "weight": round(mark.weight, 2),
                "gap": round(mark.direction.gap, 3),
                "looseness": round(mark.judged.looseness, 3),
            },
            rows_stand=strong,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Textures of five kinds; some of four of them carry a small bright square and the label of the fifth."""
        yield _example(marked=True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """The same without it."""
        yield _example(marked=False)


def _example(*, marked: bool) -> Study:
    import pyarrow as pa  # noqa: PLC0415

    from toadstone.study.small import study_of  # noqa: PLC0415
    from toadstone.tables.roles import Roles  # noqa: PLC0415
    from toadstone.views.pixels import Pixels  # noqa: PLC0415

    random = np.random.default_rng(3)
    names = np.array(["ash", "birch", "cedar", "elm", "fir"])
    kinds = random.integers(0, 5, 1000)
    texture = 35 * _coarse(5, random)[kinds] + 30 * _coarse(1000, random) + random.normal(128, 20, (1000, 16, 16))
    images = np.asarray(np.clip(texture, 0, 255), np.uint8)
    labels = names[kinds]
    if marked:
        rows = np.flatnonzero(kinds > 0)[:60]
        images[rows, 12:15, 12:15] = 250
        labels[rows] = names[0]
    kind = pa.fixed_shape_tensor(pa.uint8(), (16, 16))
    storage = pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), 256)
    table = pa.table({"image": pa.ExtensionArray.from_storage(kind, storage), "label": labels.tolist()})
    return study_of(table, [Pixels()], roles=Roles(image="image", label="label"))


def _coarse(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw textures without detail, shape (count, 16, 16)."""
    cells = random.normal(size=(count, 6, 6))
    return np.asarray(np.kron(cells, np.ones((1, 3, 3)))[:, 1:17, 1:17], np.float64)
