"""A sample of a corpus is the same in every run, and any beginning of a comparison is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.corpus.manifest import Entry
from benchmarks.outcomes import Subject, drawn, sample
from benchmarks.scoreboard import sampled


def subjects() -> list[Subject]:
    def one(corpus: str, number: int) -> Subject:
        entry = Entry(f"f{number}.pkl", "benign", "f", "t", "own", payload=False, split="report")
        return Subject(corpus, entry, Path(entry.path), str(number))

    return [one("a", number) for number in range(50)] + [one("b", number) for number in range(3)]


def test_every_corpus_gives_as_many_as_asked_or_all_it_has():
    chosen = sample(subjects(), 10)
    assert [sum(subject.corpus == name for subject in chosen) for name in "ab"] == [10, 3]


def test_a_larger_sample_holds_the_smaller_one_and_the_order_of_the_manifest_does_not_matter():
    small, large = sample(subjects(), 5), sample(subjects()[::-1], 20)
    assert {(s.corpus, s.digest) for s in small} <= {(s.corpus, s.digest) for s in large}


def test_the_beginning_of_the_order_takes_corpora_in_turn():
    assert [subject.corpus for subject in drawn(subjects())[:6]] == ["a", "b"] * 3


@pytest.mark.parametrize("option", ["modelaudit", "modelaudit=", "modelaudit=0", "nobody=3"])
def test_a_sample_of_another_form_is_refused(option):
    with pytest.raises(ValueError, match="TOOL=N"):
        sampled([option])
