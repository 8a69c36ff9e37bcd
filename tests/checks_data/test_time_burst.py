"""Bursts in time: wrong labels side by side stand out, wherever they lie."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.checks.data.time_burst import TimeBurst
from toadstone.core.finding import Severity
from toadstone.study import samples
from toadstone.study.small import study_of
from toadstone.views.words import Words


def material(seed: int, wrong: range = range(0), noise: float = 0.0) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    texts, labels = samples.texts(800, seed)
    given = [samples.other(label) if row in wrong or rng.random() < noise else label for row, label in enumerate(labels)]
    order = rng.permutation(800)  # rows do not lie in the order of time
    return {
        "text": [texts[row] for row in order],
        "label": [given[row] for row in order],
        "time": [1.7e9 + 60.0 * float(row) for row in order],
    }


def found(data: dict[str, list]):
    return list(TimeBurst().examine(study_of(data, [Words()])))


@pytest.mark.parametrize("wrong", [range(20), range(377, 397), range(780, 800)])
def test_a_burst_is_found_with_its_rows(wrong):
    data = material(1, wrong)
    first = found(data)[0]
    assert first.severity == Severity.HIGH
    bad = {row for row, time in enumerate(data["time"]) if (time - 1.7e9) / 60 in wrong}
    assert len(bad & set(first.evidence["row_sample"])) >= 18
    assert first.evidence["at_end"] == (wrong.stop == 800)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
def test_labels_that_are_wrong_at_any_time_are_no_burst(seed, noise):
    assert found(material(seed, noise=noise)) == []


def test_times_that_do_not_tell_are_not_run():
    data = material(1)
    data["time"] = [1.7e9 + row % 5 for row in range(800)]
    assert "times" in TimeBurst().weigh(study_of(data, [Words()])).idle


def test_missing_times_are_left_out():
    data = material(2, range(300, 320))
    data["time"] = [time if row % 10 else None for row, time in enumerate(data["time"])]
    assert found(data)
