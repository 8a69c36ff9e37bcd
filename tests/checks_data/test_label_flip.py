from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.label_flip import LabelFlip
from toadstone.core.finding import Severity
from toadstone.engine.executors import Serial, Threads
from toadstone.engine.store import Store
from toadstone.study.decision import decide, discoveries
from toadstone.study.ingest import ingest
from toadstone.study.second_opinion import COLUMN, NULL
from toadstone.study.small import study_of
from toadstone.tables.dataset import Dataset, Held
from toadstone.tables.roles import Roles
from toadstone.views.grams import Grams
from toadstone.views.vectors import Features, Vectors
from toadstone.views.words import Words

VIEWS = [Words(), Grams()]


def written(rows, classes, rng, told=5):
    """Texts of some classes: up to ``told`` words that tell (with an overlap of neighbours) among common ones."""
    truth = rng.integers(0, classes, rows)
    texts = []
    for label in truth:
        source = np.where(rng.random(told) < 0.75, label, rng.integers(0, classes, told))
        words = [f"topic{kind}word{rng.integers(0, 60)}" for kind in source[: rng.integers(0, told + 1)]]
        words += [f"common{rng.integers(0, 200)}" for _ in range(8)]
        texts.append(" ".join(rng.permutation(words)))
    return texts, truth


def named(labels):
    return [f"class {label}" for label in labels]


def weighed(texts, labels, **settings):
    study = study_of({"text": texts, "label": named(labels)}, VIEWS, **settings)
    check = LabelFlip()
    evidence = check.weigh(study)
    return evidence, decide(study, [(check, evidence)])


def at_one_percent(log_p, wrong):
    return float((-log_p[wrong] > np.quantile(-log_p[~wrong], 0.99)).mean())


def test_clean_texts_are_clean():
    for seed in range(3):
        texts, truth = written(1500, 3, np.random.default_rng(seed))
        evidence, decision = weighed(texts, truth)
        assert not evidence.groups
        assert decision.flagged.sum() <= 3
        assert evidence.tests == 7


def test_random_flips_are_ranked_flagged_and_counted():
    rng = np.random.default_rng(1)
    texts, truth = written(2000, 3, rng)
    wrong = rng.random(2000) < 0.1
    labels = np.where(wrong, (truth + rng.integers(1, 3, 2000)) % 3, truth)
    evidence, decision = weighed(texts, labels)
    assert at_one_percent(evidence.rows.log_p, wrong) > 0.4
    flagged = decision.flagged
    assert (wrong & flagged).sum() > 10
    assert (~wrong & flagged).sum() <= 0.15 * flagged.sum() + 1
    assert [group.value for group in evidence.groups] == ["any → any"]
    assert evidence.groups[0].severity is Severity.MEDIUM
    assert evidence.groups[0].effect == pytest.approx(0.1, abs=0.04)
    names = {name: code for code, name in enumerate(study_names(labels))}
    proposed = decision.proposals[wrong & flagged]
    right = np.array([names[f"class {label}"] for label in truth[wrong & flagged]])
    assert (proposed == right).mean() > 0.9
    assert not (decision.proposals[~flagged] >= 0).any()


def study_names(labels):
    return list(dict.fromkeys(named(labels)))


def test_a_class_written_as_another_is_a_high_group():
    rng = np.random.default_rng(2)
    texts, truth = written(2000, 3, rng)
    wrong = (truth == 2) & (rng.random(2000) < 0.3)
    evidence, decision = weighed(texts, np.where(wrong, 0, truth))
    top = decision.findings[0]
    assert top.severity is Severity.HIGH
    assert top.evidence["group"] == {"kind": "label", "value": "class 2 → class 0"}
    assert top.evidence["relabel"] == "class 2"
    assert evidence.groups[0].effect == pytest.approx(0.3, abs=0.06)
    assert wrong[evidence.groups[0].rows].mean() > 0.9
    assert at_one_percent(evidence.rows.log_p, wrong) > 0.4


@pytest.mark.parametrize("seed", [2, 3])
def test_half_of_a_class_written_as_another_is_found_though_the_class_is_hardly_recognised(seed):
    rng = np.random.default_rng(seed)
    texts, truth = written(2000, 4, rng)
    wrong = (truth == 2) & (rng.random(2000) < 0.5)
    evidence, decision = weighed(texts, np.where(wrong, 0, truth))
    assert evidence.groups[0].value == "class 2 → class 0"
    assert evidence.groups[0].severity is Severity.HIGH
    assert at_one_percent(evidence.rows.log_p, wrong) > 0.3
    assert (~wrong & decision.flagged).sum() <= 0.15 * decision.flagged.sum() + 1


def test_classes_that_resemble_each_other_are_no_attack():
    for seed in range(5):
        rng = np.random.default_rng(20 + seed)
        texts, truth = written(1500, 3, rng, told=10)
        mild = (truth == 2) & (rng.random(1500) < 0.6)  # most of class 2 uses words of class 0, the more the less clear it is
        mixed = [
            " ".join(word.replace("topic2", "topic0") if rng.random() < 0.45 else word for word in text.split())
            if mixes
            else text
            for text, mixes in zip(texts, mild, strict=True)
        ]
        evidence, decision = weighed(mixed, truth)
        assert not [group for group in evidence.groups if group.severity >= Severity.HIGH]
        assert decision.flagged.sum() <= 8


def test_copies_share_a_fold_so_that_they_do_not_vouch_for_each_other():
    rng = np.random.default_rng(3)
    texts, truth = written(1500, 2, rng)
    wrong = np.zeros(1540, bool)
    wrong[1500:] = True
    clear = " ".join(f"topic1word{place}" for place in range(6))
    labels = np.concatenate([truth, np.zeros(40, np.int64)])
    evidence, _ = weighed([*texts, *[clear] * 40], labels)
    assert at_one_percent(evidence.rows.log_p, wrong) > 0.9


def test_scores_do_not_tie():
    rng = np.random.default_rng(4)
    texts, truth = written(1000, 2, rng)
    labels = np.where(rng.random(1000) < 0.1, 1 - truth, truth)
    evidence, _ = weighed(texts, labels)
    worst = np.sort(evidence.rows.log_p)[:100]
    assert len(np.unique(worst)) > 90


def test_missing_labels_are_left_alone():
    rng = np.random.default_rng(5)
    texts, truth = written(1000, 2, rng)
    labels = [None if row % 3 == 0 else f"class {label}" for row, label in enumerate(truth)]
    study = study_of({"text": texts, "label": labels}, VIEWS)
    evidence = LabelFlip().weigh(study)
    assert (evidence.rows.log_p[::3] == 0).all()
    assert (evidence.rows.proposals[::3] == -1).all()
    assert (evidence.rows.log_p[1::3] < 0).all()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["same"] * 300, "only one class"),
        ([None] * 300, "too few"),
        ([f"id {row}" for row in range(300)], "too few"),
        ([row / 7 for row in range(300)], "too few"),
    ],
)
def test_what_cannot_be_judged_says_why(labels, said):
    texts, _ = written(300, 2, np.random.default_rng(6))
    assert said in LabelFlip().weigh(study_of({"text": texts, "label": labels}, VIEWS)).not_run


def test_a_key_is_no_label():
    labels = [f"id {row}" for row in range(3000)]
    study = study_of({"text": ["a b"] * 3000, "label": labels}, VIEWS)
    assert "a number or a key" in LabelFlip().weigh(study).not_run


def test_two_rows_and_no_content():
    assert "too few" in LabelFlip().weigh(study_of({"text": ["a", "b"], "label": ["x", "y"]}, VIEWS)).not_run
    assert "nothing" in LabelFlip().weigh(study_of({"label": ["x", "y"] * 50}, VIEWS)).not_run.replace("no text", "nothing")
    blank = study_of({"text": [""] * 200, "label": ["x", "y"] * 100}, VIEWS)
    assert not decide(blank, [(LabelFlip(), LabelFlip().weigh(blank))]).flagged.any()


def test_a_rare_class_that_cannot_be_learned_is_no_attack():
    for seed in range(8, 13):
        rng = np.random.default_rng(seed)
        texts, truth = written(1500, 2, rng)
        kept = np.flatnonzero((truth == 0) | (rng.random(1500) < 0.04))
        evidence, decision = weighed([texts[row] for row in kept], truth[kept])
        assert decision.flagged.sum() <= 4
        assert not [group for group in evidence.groups if group.severity >= Severity.HIGH]


def test_it_says_what_it_could_have_seen():
    rng = np.random.default_rng(14)
    texts, truth = written(1500, 2, rng, told=12)
    evidence, _ = weighed(texts, truth)
    assert 1 <= evidence.detectable <= 40
    hard, truth = written(1500, 2, rng, told=1)
    less, _ = weighed(hard, truth)
    assert less.detectable is None or less.detectable > evidence.detectable


@pytest.mark.parametrize("effort", ["quick", "deep"])
def test_every_effort(effort):
    rng = np.random.default_rng(8)
    texts, truth = written(1000, 2, rng)
    wrong = rng.random(1000) < 0.1
    evidence, _ = weighed(texts, np.where(wrong, 1 - truth, truth), effort=effort)
    assert at_one_percent(evidence.rows.log_p, wrong) > 0.25


def test_vectors_and_tables():
    rng = np.random.default_rng(9)
    truth = rng.integers(0, 3, 1500)
    points = rng.normal(0, 1, (1500, 8)) + 4 * np.eye(8)[truth]
    wrong = rng.random(1500) < 0.1
    labels = named(np.where(wrong, (truth + 1) % 3, truth))
    points[5, 2], points[6] = np.nan, np.inf
    embedded = study_of(pa.table({"embedding": points.tolist(), "label": labels}), [Vectors()])
    assert at_one_percent(LabelFlip().weigh(embedded).rows.log_p, wrong) > 0.85
    columns = {f"x{place}": points[:, place] for place in range(8)}
    columns["colour"] = [["red", "blue", None][label] if row % 2 else "grey" for row, label in enumerate(truth)]
    names = tuple(columns)
    table = study_of(pa.table({**columns, "label": labels}), [Features()], roles=Roles(label="label", features=names))
    assert at_one_percent(LabelFlip().weigh(table).rows.log_p, wrong) > 0.85


def test_every_executor_gives_the_serial_answer():
    rng = np.random.default_rng(10)
    texts, truth = written(900, 2, rng)
    table = pa.table({"text": texts, "label": named(np.where(rng.random(900) < 0.1, 1 - truth, truth))})
    parts = tuple(Held(number, table.slice(number * 300, 300)) for number in range(3))
    data = Dataset("three", "memory", table.schema, parts)
    answers = []
    for executor in (Serial(), Threads(2)):
        with executor, Store(1 << 28) as store:
            study = ingest(data, Roles(text="text", label="label"), VIEWS, executor, store)
            answers.append(LabelFlip().weigh(study).rows.log_p)
    assert np.array_equal(*answers)


@pytest.mark.slow
def test_with_rows_known_to_be_good_the_rate_is_kept():
    shares, power = [], []
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        texts, truth = written(1600, 2, rng)
        wrong = rng.random(1000) < 0.1
        labels = np.where(wrong, 1 - truth[:1000], truth[:1000])
        study = study_of(
            {"text": texts[:1000], "label": named(labels)},
            VIEWS,
            reference={"text": texts[1000:], "label": named(truth[1000:])},
        )
        evidence = LabelFlip().weigh(study)
        assert evidence.rows.promised
        rows = discoveries(evidence.rows.log_p, 0.05)
        shares.append(float((~wrong[rows]).mean()) if len(rows) else 0.0)
        power.append(wrong[rows].sum() / wrong.sum())
    assert np.mean(shares) <= 0.05 + 2 * np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert np.mean(power) > 0.05


def leaning(rows, share, rng):
    """Texts of two classes with one word that tells, right in a share of them, among common ones."""
    truth = rng.integers(0, 2, rows)
    texts = []
    for label in truth:
        kind = label if rng.random() < share else 1 - label
        words = [f"leaning{kind}word{rng.integers(0, 25)}", *(f"common{rng.integers(0, 120)}" for _ in range(7))]
        texts.append(" ".join(rng.permutation(words)))
    return texts, truth


@pytest.mark.parametrize(
    ("rows", "share", "seed"),
    [(600, 0.6, 4), (600, 0.6, 22), (300, 0.6, 20), (200, 0.6, 4), (300, 0.7, 0), (300, 0.7, 28), (200, 0.5, 0)],
)
def test_few_rows_that_hardly_tell_the_classes_apart_do_not_prove_wrong_labels(rows, share, seed):
    """Slopes of a step with a high rate of wrong labels fit such rows best; it is no fact in the other half of them."""
    evidence, decision = weighed(*leaning(rows, share, np.random.default_rng(seed)))
    assert not evidence.groups
    assert decision.flagged.mean() <= 0.005


def test_a_part_of_one_class_that_looks_like_the_other_is_no_carelessness():
    rng = np.random.default_rng(3)
    texts, truth = written(2000, 2, rng, told=9)
    odd = (truth == 0) & (rng.random(2000) < 0.05)
    evidence, _ = weighed(texts, np.where(odd, 1, truth))
    assert "any → any" not in [group.value for group in evidence.groups]
    both = rng.random(2000) < 0.1
    evidence, _ = weighed(texts, np.where(both, 1 - truth, truth))
    assert "any → any" in [group.value for group in evidence.groups]


def test_what_an_earlier_look_left_behind_does_not_count():
    rng = np.random.default_rng(5)
    texts, truth = written(800, 3, rng)
    study = study_of({"text": texts, "label": named(np.where(rng.random(800) < 0.1, 0, truth))}, VIEWS)
    before = LabelFlip().weigh(study).rows.log_p.copy()
    for chunk in study.chunks:
        chunk[NULL] = np.zeros_like(chunk[COLUMN])
    assert np.array_equal(LabelFlip().weigh(study).rows.log_p, before)
