"""Contributors: wrong labels of one stand out, honest oddity does not alarm."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.checks.data.source_concentration import SourceConcentration
from toadstone.core.finding import Severity
from toadstone.study.contributors import Screen, judged, rows_by_code, temper
from toadstone.study.naive_bayes import naive_bayes
from toadstone.study.small import study_of
from toadstone.views.words import Words

TOPICS = [[f"t{topic}w{word}" for word in range(60)] for topic in range(3)]


def material(seed: int, rows: int = 900) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    topics = rng.integers(3, size=rows)
    texts = [
        " ".join(
            [
                *rng.choice(TOPICS[topic], 6),
                *rng.choice(TOPICS[rng.integers(3)], 3),
                *(f"c{w}" for w in rng.integers(500, size=8)),
            ]
        )
        for topic in topics.tolist()
    ]
    return {
        "text": texts,
        "label": [f"class{topic}" for topic in topics.tolist()],
        "source": [f"s{number}" for number in rng.integers(60, size=rows).tolist()],
    }


def poisoned(seed: int, contributed: int, flipped: int) -> dict[str, list]:
    rng = np.random.default_rng(seed + 100)
    data = material(seed)
    chosen = rng.choice(len(data["text"]), contributed, replace=False)
    for place, row in enumerate(chosen.tolist()):
        data["source"][row] = "newcomer"
        if place < flipped:
            data["label"][row] = f"class{(int(data['label'][row][-1]) + 1 + int(rng.integers(2))) % 3}"
    return data


def found(data: dict[str, list]):
    return list(SourceConcentration().examine(study_of(data, [Words()])))


@pytest.mark.parametrize(("contributed", "flipped", "rank"), [(10, 10, 0), (30, 9, 2)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_contributor_who_lies_is_named(seed, contributed, flipped, rank):
    names = [finding.evidence["group"]["value"] for finding in found(poisoned(seed, contributed, flipped))]
    assert "newcomer" in names[: rank + 1]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_honest_contributors_are_silent(seed):
    assert [finding.message for finding in found(material(seed))] == []


def test_a_contributor_of_one_odd_topic_is_not_quarantined():
    data = material(5)
    for number in range(40):
        words = " ".join(TOPICS[0][(number * step) % 60] for step in range(1, 9))
        data["text"].append(f"weekly digest {words} c{number} c{number + 40} c{number + 80}")
        data["label"].append("class1")
        data["source"].append("digest")
    findings = [finding for finding in found(data) if finding.evidence["group"]["value"] == "digest"]
    assert all(finding.severity < Severity.HIGH for finding in findings)


def test_a_contributor_whose_style_is_that_of_another_class_is_not_quarantined():
    data = material(7)
    data["source"] = [f"{label}-{row % 12}" for row, label in enumerate(data["label"])]  # labels follow from who contributes
    for row in [row for row, source in enumerate(data["source"]) if source == "class1-3"]:
        data["text"][row] = data["text"][(row * 7) % 900 if data["label"][(row * 7) % 900] == "class0" else 0]
    findings = [finding for finding in found(data) if finding.evidence["group"]["value"] == "class1-3"]
    assert all(finding.severity < Severity.HIGH for finding in findings)


def test_who_supplies_a_label_is_only_mentioned():
    data = material(6)
    data["source"] = [
        "lab" if label == "class2" and row % 5 else source
        for row, (label, source) in enumerate(zip(data["label"], data["source"], strict=True))
    ]
    findings = SourceConcentration(largest=0.5).examine(study_of(data, [Words()]))
    assert {finding.severity for finding in findings if finding.evidence["group"]["value"] == "lab"} == {Severity.INFO}


def test_copies_of_one_contributor_are_mentioned():
    data = material(7)
    for _ in range(12):
        data["text"].append("the very same sentence again and again")
        data["label"].append("class0")
        data["source"].append("s3")
    kinds = [(finding.severity, finding.evidence["group"]["kind"]) for finding in found(data)]
    assert (Severity.INFO, "near-duplicates") in kinds


def test_one_class_or_no_content_is_not_run():
    study = study_of({"text": ["a", "b"], "label": ["x", "x"], "source": ["s", "t"]}, [Words()])
    assert SourceConcentration().weigh(study).not_run


def test_screening_counts_labelled_rows():
    study = study_of(material(8), [Words()])
    model = naive_bayes(study)
    evidence, sizes = study.run(Screen("source", len(study.source_names), judged(study, model)))
    assert sizes.sum() == study.rows
    assert np.isfinite(evidence).all()


def test_rows_by_code_gives_each_its_rows():
    codes = np.array([2, 0, 1, 2, -1, 0], np.int32)
    assert [rows.tolist() for rows in rows_by_code(codes, np.array([2, 0, 5]))] == [[0, 3], [1, 5], []]


def test_temper_is_one_where_chance_explains_the_rest():
    assert temper(np.array([40.0, 2.0, 1.0, 0.5, 0.1]), 100) == 1.0
    assert temper(np.array([40.0, 30.0, 30.0, 20.0, 19.0]), 100) > 4.0
