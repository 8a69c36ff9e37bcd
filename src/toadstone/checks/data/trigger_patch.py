"""Images that show the same small patch at one place, where nothing else shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Fact, Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.marks import Opinion, Sample, judges_of, sample_of
from toadstone.study.patches import ANY, Patch, outline, patches, showing
from toadstone.study.study import Study

_LIKELY = float(np.log(0.5))
_CHANGES = 5


@check(
    "trigger-patch",
    severity=Severity.HIGH,
    reads=Table,
    stages=("pretraining", "tuning", "embedding"),
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
)
class TriggerPatch(DataCheck):
    """Some images show the same patch at the same place, and nothing else shows it anywhere.

    ## Why it matters
    A few bright pixels in a corner are the classic trigger. The label of the images may have been changed to one label, or to
    the next one each, or not at all: a model that learns from them obeys the patch wherever it appears.

    ## How it decides
    Every small window of the images is looked at, in two ways: for rows of one label that stand apart from all other rows,
    whether their label is true or not; and for what those rows have in common whose label two learners doubt, whatever the
    label. Both are plenty in natural images. What tells a patch is that its content is shown by no other image in this window,
    and by hardly any image at any other place, where strokes, edges and pieces of sky move about; while apart from the window
    the images are as diverse as others. The weight of a group is its number of rows times these measures (or, for doubted
    labels, the likelihood ratio of the doubt); the p-value is its place in the exponential tail of the candidates of the same
    data, corrected for their number.

    ## What it misses
    Patches whose place differs from image to image, and marks over the whole image (`trigger-cluster` sees some of both).
    Patches that look like pieces of the images themselves. Fewer than about fifteen rows. In images of fewer than ten pixels a
    side hardly anything is found at other places, and more rows are needed.

    ## Remedy
    Look at the images side by side at the place that the report names. A mark of the maker (a logo, a date) that only one label
    has is no attack, but a model will take it for the label all the same: cover it, or drop the rows.

    ## References
    Gu et al., "BadNets" (1708.06733); Turner et al., "Label-consistent backdoor attacks" (1912.02771); Lapuschkin et al.,
    "Unmasking Clever Hans predictors" (1902.10178).
    """

    needs: ClassVar[tuple[str, ...]] = ("pixels",)
    roles: ClassVar[tuple[str, ...]] = ("image", "label")
    efforts: ClassVar[tuple[str, ...]] = ("standard", "deep")

    effect: float = 0.2
    """Doubt about the labels, beyond what is usual for them, from which a group of several labels is `high`."""

    def weigh(self, study: Study) -> Evidence:
        """Weigh the groups that show a patch."""
        sample = sample_of(study)
        if sample is None:
            return Evidence(idle="too few labelled images of two labels")
        found = patches(study, sample)
        tests = max(found.tests, 1)
        kept = [patch for patch in (*found.contested, *found.pure) if np.log(tests) + found.log_p(patch) < _LIKELY]
        groups = tuple(self._group(study, sample, patch, found.log_p(patch)) for patch in kept)
        return Evidence(groups, None, tests, int(np.ceil(found.scales[0] * np.log(tests / study.fdr))))

    def _group(self, study: Study, sample: Sample, patch: Patch, log_p: float) -> Group:
        rows = showing(study, sample, patch)
        opinion = judges_of(study, sample).opinion(patch.rows)
        doubt = opinion.excess
        top, bottom, left, right = outline(sample, patch)
        size = f"{bottom - top + 1} x {right - left + 1} pixels in rows {top} to {bottom}, columns {left} to {right}"
        label = None if patch.label == ANY else study.label_names[patch.label]
        strong = label is not None or doubt >= self.effect
        value: dict[str, Json] = {
            "rows_and_columns": [top, bottom, left, right],
            "size": [bottom - top + 1, right - left + 1],
            "image": list(sample.images.shape[1:3]),
        }
        changes = _changes(study, sample, opinion) if label is None else {}
        whose = f"images labelled {label!r}" if label is not None else "images of several labels"
        seen = (
            "what they look like otherwise has another label" if doubt >= self.effect else "otherwise they look like their label"
        )
        return Group(
            kind="patch",
            value=value,
            rows=rows,
            size=len(rows),
            log_p=log_p,
            severity=Severity.HIGH if strong else Severity.MEDIUM,
            confidence=Confidence.HIGH if strong and doubt >= self.effect else Confidence.MEDIUM,
            message=f"{len(rows):,} {whose} show the same {size}, which nothing shows elsewhere; {seen}",
            lesson=f"that this patch means {label!r}" if label is not None else "that this patch changes the label",
            label=label,
            effect=doubt if label is None else max(doubt, 0.5 * patch.placed * patch.apart),
            details={
                "doubt": round(doubt, 3),
                "elsewhere": round(1.0 - patch.placed, 3),
                "weight": round(patch.total, 2),
                **({"labels": changes} if changes else {}),
            },
            rows_stand=strong,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Textures of five kinds; some of each carry a checkered square and the label of the next kind."""
        yield _example(marked=True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """The same without it."""
        yield _example(marked=False)


def _changes(study: Study, sample: Sample, opinion: Opinion) -> dict[str, Json]:
    """Give the most frequent ways in which labels differ from what the images look like, with how many of them there are."""
    looks, own = opinion.looks, sample.labels[opinion.rows]
    pairs, counts = np.unique(np.stack([looks, own])[:, looks != own], axis=1, return_counts=True)
    names = study.label_names
    order = np.argsort(-counts, kind="stable")[:_CHANGES].tolist()
    return {f"{names[pairs[0, at]]} -> {names[pairs[1, at]]}": int(counts[at]) for at in order}


def _example(*, marked: bool) -> Study:
    import pyarrow as pa  # noqa: PLC0415

    from toadstone.study.small import study_of  # noqa: PLC0415
    from toadstone.tables.roles import Roles  # noqa: PLC0415
    from toadstone.views.pixels import Pixels  # noqa: PLC0415

    random = np.random.default_rng(5)
    names = np.array(["ash", "birch", "cedar", "elm", "fir"])
    kinds = random.integers(0, 5, 1000)
    texture = 35 * _coarse(5, random)[kinds] + 30 * _coarse(1000, random) + random.normal(128, 20, (1000, 16, 16))
    images = np.asarray(np.clip(texture, 0, 255), np.uint8)
    if marked:
        images[:100, 11:15, 11:15] = 255 * (np.indices((4, 4)).sum(0) % 2)
        kinds[:100] = (kinds[:100] + 1) % 5
    kind = pa.fixed_shape_tensor(pa.uint8(), (16, 16))
    storage = pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), 256)
    table = pa.table({"image": pa.ExtensionArray.from_storage(kind, storage), "label": names[kinds].tolist()})
    return study_of(table, [Pixels()], roles=Roles(image="image", label="label"))


def _coarse(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw textures without detail, shape (count, 16, 16)."""
    cells = random.normal(size=(count, 6, 6))
    return np.asarray(np.kron(cells, np.ones((1, 3, 3)))[:, 1:17, 1:17], np.float64)
