"""Naive Bayes: out-of-fold columns, calibration, and counts without a group."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.engine.executors import Threads
from toadstone.engine.store import Store
from toadstone.stats.tails import log_beta_binomial_tail, log_binomial_tail, log_poisson_binomial_tail
from toadstone.study.ingest import ingest
from toadstone.study.leave_group_out import leave_group_out, without_group
from toadstone.study.naive_bayes import gathered, naive_bayes
from toadstone.study.small import study_of
from toadstone.tables.dataset import Dataset, Held
from toadstone.tables.roles import Roles
from toadstone.views.words import Words


def topics(rows: int = 400, seed: int = 0) -> dict[str, list[str]]:
    random = np.random.default_rng(seed)
    text, label = [], []
    for row in range(rows):
        topic = row % 2
        own = random.integers(0, 40, 6) + 40 * topic
        shared = random.integers(100, 160, 6)
        text.append(" ".join(f"w{word}" for word in [*own, *shared]))
        label.append(("sport", "trade")[topic])
    return {"text": text, "label": label}


def test_rows_are_predicted_by_models_that_have_not_seen_them_nor_their_copies():
    columns = {"text": [f"unique{row // 2} again{row // 2}" for row in range(40)], "label": ["a", "b"] * 20}
    study = study_of(columns, [Words()])
    model = naive_bayes(study)
    assert not isinstance(model, str)
    families = study.column("nb.family")
    assert np.array_equal(families[::2], families[1::2])
    assert np.abs(study.column("nb.content")).max() < 0.6


def test_content_speaks_for_the_true_label():
    columns = topics()
    columns["label"][:6] = ["trade"] * 6
    study = study_of(columns, [Words()])
    model = naive_bayes(study)
    assert not isinstance(model, str)
    assert model.accuracy > 0.95
    content = study.column("nb.content")
    assert (content[[0, 2, 4]] < -1).all()
    assert (content[[1, 3, 5]] > 1).all()
    z, effect = leave_group_out(study, np.array([0, 2, 4]))
    assert z > 2
    assert effect > 0.6
    assert leave_group_out(study, np.array([1, 3, 5]))[1] < 0.3


def test_counts_without_a_group_are_those_of_a_model_that_never_saw_it():
    columns = topics(300)
    group = np.array([3, 50, 51, 120])
    study = study_of(columns, [Words()])
    model = naive_bayes(study)
    assert not isinstance(model, str)
    rest = [row for row in range(300) if row not in set(group.tolist())]
    other = naive_bayes(study_of({name: [values[row] for row in rest] for name, values in columns.items()}, [Words()]))
    assert not isinstance(other, str)
    other.temperatures, other.floor = model.temperatures, model.floor
    object.__setattr__(other, "rows", model.rows)
    words = gathered(study, model, group)
    slots = words.slots
    alone = other.weights(other.counts[slots], other.counts.sum(axis=0, dtype=np.float64))
    scores = np.add.reduceat(alone, words.offsets[:-1], axis=0)
    assert np.allclose(without_group(model, words), other.probabilities(scores, words.lengths), atol=0.02)


def test_parts_and_threads_do_not_matter():
    import pyarrow as pa

    table = pa.table(topics(500))
    halves = Dataset("x", "memory", table.schema, (Held(0, table.slice(0, 170)), Held(1, table.slice(170))))
    answers = []
    for dataset, executor in ((Dataset.of(table), Threads(1)), (halves, Threads(2))):
        with executor, Store(1 << 24) as store:
            study = ingest(dataset, Roles(text="text", label="label"), [Words()], executor, store)
            naive_bayes(study)
            answers.append((study.column("nb.margin"), study.column("nb.prediction"), study.column("nb.family")))
    for one, two in zip(*answers, strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"text": ["a", "b"], "label": ["x", "y"]}, "fewer than two labels"),
        ({"text": ["a"] * 20, "label": ["x"] * 20}, "fewer than two labels"),
        ({"text": ["a"] * 20, "label": [None] * 20}, "fewer than two labels"),
    ],
)
def test_without_classes_there_is_a_reason(columns, reason):
    found = naive_bayes(study_of(columns, [Words()]))
    assert isinstance(found, str)
    assert reason in found
    assert leave_group_out(study_of(columns, [Words()]), np.array([0])) == (0.0, 0.0)


def test_many_labels_are_pooled_and_empty_texts_say_nothing():
    label = [f"l{row % 90}" for row in range(900)]
    study = study_of({"text": ["" if row % 7 == 0 else f"word{row % 90} x" for row in range(900)], "label": label}, [Words()])
    model = naive_bayes(study)
    assert not isinstance(model, str)
    assert model.pooled
    assert len(model.rows) == 32
    assert np.abs(study.column("nb.content")[::7]).max() < 0.5


def test_tails():
    from scipy.stats import betabinom, binom

    assert log_binomial_tail(7, 20, 0.2) == pytest.approx(binom.logsf(6, 20, 0.2))
    assert log_binomial_tail(400, 400, 0.1) == pytest.approx(400 * np.log(0.1), rel=1e-6)
    assert log_binomial_tail(0, 5, 0.5) == 0
    assert log_beta_binomial_tail(7, 20, 0.2, 0.1) == pytest.approx(betabinom.logsf(6, 20, 1.8, 7.2))
    assert log_poisson_binomial_tail(12, [0.3] * 20) == pytest.approx(binom.logsf(11, 20, 0.3), rel=0.03)
    assert log_poisson_binomial_tail(20, [0.3] * 20) == pytest.approx(20 * np.log(0.3))
    assert log_poisson_binomial_tail(2, [0.3] * 20) == 0
