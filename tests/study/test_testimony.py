"""All learners are asked about a group without what its members share."""

from __future__ import annotations

import numpy as np

from toadstone.checks.data.trigger_phrase import example
from toadstone.study.congruence import Groups
from toadstone.study.naive_bayes import naive_bayes
from toadstone.study.small import study_of
from toadstone.study.testimony import testimony as ask
from toadstone.views.grams import Grams
from toadstone.views.words import Words


def asked(columns, rows, label):
    study = study_of(columns, [Words(), Grams()])
    model = naive_bayes(study)
    assert not isinstance(model, str)
    groups = Groups.of([np.array(rows)], np.array([int(model.class_of[study.label_names.index(label)])]))
    return ask(study, model, groups, 6.0)


def test_rows_with_a_wrong_label_speak_against_it_although_they_share_a_word():
    columns = example(marked=8)
    wrong = asked(columns, list(range(0, 16, 2)), "kitchen")
    assert wrong.said[0] < -2
    right = asked(columns, list(range(101, 117, 2)), "kitchen")
    assert right.said[0] > 2
    assert all(np.median(own) > np.median(others) for own, others in zip(wrong.own, wrong.others, strict=True))


def test_a_word_that_all_members_share_says_nothing():  # and nothing else is left of them
    columns = example(marked=0)
    for row in range(1, 41, 2):  # honest rows of one label whose only words are a mark
        columns["text"][row] = "quixolt"
    assert asked(columns, list(range(1, 41, 2)), "kitchen").said[0] == 0.0


def test_too_few_rows_to_ask():
    columns = {"text": ["a b"] * 5 + ["c d"] * 5, "label": ["x"] * 5 + ["y"] * 5}
    assert np.isnan(asked(columns, [0, 1, 2], "x").said).all()
