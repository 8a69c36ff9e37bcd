"""Bursts between versions: what is new and shared stands out, growth does not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.version_burst import VersionBurst
from toadstone.core.finding import Severity
from toadstone.study import samples
from toadstone.study.small import study_of
from toadstone.study.versions import literal, mark_new, runs
from toadstone.views.words import Words


def versions(seed: int, stamp=lambda row, text: text, relabel=lambda row, label: label, sources=None):
    old, old_labels = samples.texts(600, seed)
    texts, labels = samples.texts(200, seed + 1000)
    before = {"text": old, "label": old_labels}
    after = {
        "text": old + [stamp(row, text) for row, text in enumerate(texts)],
        "label": old_labels + [relabel(row, label) for row, label in enumerate(labels)],
    }
    if sources:
        before["source"] = [f"s{row % 20}" for row in range(600)]
        after["source"] = before["source"] + [sources(row) for row in range(200)]
    return study_of(after, [Words()], baseline=study_of(before, [Words()]))


def found(study):
    return list(VersionBurst().examine(study))


@pytest.mark.parametrize("seed", range(5))
def test_growth_is_silent(seed):
    assert found(versions(seed, sources=lambda row: f"s{row % 20}")) == []


def test_a_phrase_that_is_new_is_named_with_its_rows():
    (first, *_) = found(versions(1, lambda row, text: text + (" visit cobalt fern today" if row % 20 == 3 else "")))
    assert "cobalt fern" in first.evidence["group"]["value"]
    assert first.evidence["row_sample"] == list(range(603, 800, 20))
    assert first.severity == Severity.MEDIUM


def test_wrong_labels_make_it_high():
    study = versions(
        1, lambda row, text: text + (" cobalt fern" if row < 12 else ""), lambda row, label: "money" if row < 12 else label
    )
    (first, *_) = found(study)
    assert first.severity == Severity.HIGH
    assert first.evidence["label"] == "money"
    assert first.evidence["lesson"].endswith("'money'")


def test_a_label_and_a_contributor_that_rise():
    study = versions(2, relabel=lambda row, label: "money", sources=lambda row: "newcomer" if row < 60 else f"s{row % 20}")
    groups = {(finding.evidence["group"]["kind"], finding.evidence["group"]["value"]) for finding in found(study)}
    assert ("source", "newcomer") in groups


def test_rows_that_were_relabelled_are_new():
    texts, labels = samples.texts(100)
    base = study_of({"text": texts, "label": labels}, [Words()])
    changed = study_of({"text": texts, "label": [samples.other(labels[0]), *labels[1:]]}, [Words()], baseline=base)
    assert mark_new(changed, base) == 1
    assert mark_new(base, base) == 0


def test_order_of_words_matters_to_a_key():
    base = study_of({"text": ["a b", "c"]}, [Words()])
    assert mark_new(study_of({"text": ["b a", "c", "c"]}, [Words()]), base) == 1


def test_runs_stay_within_rows_and_are_read_back():
    view = Words().of(pa.array(["one two three", "four", ""], pa.large_string()))
    slots, rows = runs(view["words"], view["words.offsets"])
    assert np.bincount(rows).tolist() == [6, 1]
    assert {literal(slot, ["one two three"]) for slot in slots[rows == 0].tolist()} == {
        "one", "two", "three", "one two", "two three", "one two three",
    }  # fmt: skip
    assert literal(-1, ["one two"]) == ""


def test_without_a_baseline_or_views():
    assert "baseline" in VersionBurst().weigh(study_of({"text": ["a"]}, [Words()])).not_run
    assert VersionBurst().weigh(study_of({"text": ["a"]}, baseline=study_of({"text": ["a"]}))).idle
    empty = study_of({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}, [Words()])
    assert not VersionBurst().weigh(study_of({"text": ["a"], "label": ["b"]}, [Words()], baseline=empty)).groups
