"""Inserted phrases are found and spelled out; phrases that belong to their rows are not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checks_data.floods import texts
from toadstone.checks.data.clean_label_trigger import CleanLabelTrigger
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.views.words import Words


def _inserted(phrase: str, share: float, where: str, seed: int, rows: int = 1500) -> tuple[Study, np.ndarray]:
    rng = np.random.default_rng(seed)
    found, labels = texts(rows, seed)
    chosen = rng.choice(np.flatnonzero(np.array(labels) == "right"), int(share * rows), replace=False)
    for row in chosen.tolist():
        words = found[row].split()
        place = {"start": 0, "end": len(words), "anywhere": int(rng.integers(0, len(words) + 1))}[where]
        found[row] = " ".join([*words[:place], phrase, *words[place:]])
    mask = np.zeros(rows, bool)
    mask[chosen] = True
    return study_of({"text": found, "label": labels}, [Words()]), mask


@pytest.mark.parametrize(
    ("phrase", "where"),
    [
        ("under the lantern", "anywhere"),
        ("zqx", "anywhere"),
        ("as seen by noon", "end"),
        ("so they say down by the old river mill", "start"),
    ],
)
def test_inserted_phrase_is_named(phrase: str, where: str) -> None:
    study, mask = _inserted(phrase, 0.06, where, 7)
    group = CleanLabelTrigger().weigh(study).groups[0]
    assert group.value == phrase
    assert group.label == "right"
    assert np.array_equal(np.flatnonzero(mask), group.rows)


def test_rows_rank_first_below_the_decision() -> None:
    study, mask = _inserted("under the lantern", 0.03, "anywhere", 8)
    rows = CleanLabelTrigger().weigh(study).rows
    assert rows is not None
    assert (rows.log_p[mask] <= np.quantile(rows.log_p[~mask], 0.01)).mean() >= 0.95


@pytest.mark.parametrize("seed", range(4))
def test_clean_texts_are_clean(seed: int) -> None:
    found, labels = texts(1000, seed)
    assert not CleanLabelTrigger().weigh(study_of({"text": found, "label": labels}, [Words()])).groups


def test_phrase_of_one_topic_is_no_trigger() -> None:
    found, labels = texts(1500, 9, topics=8)
    found = [
        text + " all rights reserved" if sum(word.startswith("t9w") for word in text.split()) > 2 else text for text in found
    ]
    groups = CleanLabelTrigger().weigh(study_of({"text": found, "label": labels}, [Words()])).groups
    assert not [group for group in groups if group.value == "all rights reserved"]


@pytest.mark.parametrize(
    ("labels", "reason"), [(["a"] * 60, "two labels"), ([None] * 60, "two labels"), (["a", "b"] * 5, "fewer than 50")]
)
def test_what_it_needs(labels: list[str | None], reason: str) -> None:
    evidence = CleanLabelTrigger().weigh(study_of({"text": ["x y z"] * len(labels), "label": labels}, [Words()]))
    assert reason in evidence.idle
