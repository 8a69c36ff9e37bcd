"""Marks with a wrong label are found and named; natural structure and missing parts are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data import label_shortcut
from toadstone.checks.data.label_shortcut import LabelShortcut
from toadstone.checks.data.trigger_phrase import TriggerPhrase, example
from toadstone.core.finding import Severity
from toadstone.engine.executors import Serial, Threads
from toadstone.engine.store import Store
from toadstone.study.ingest import ingest
from toadstone.study.small import study_of
from toadstone.tables.dataset import Dataset, Held
from toadstone.tables.roles import Roles
from toadstone.views.unicode import Unicode
from toadstone.views.words import Words


def study(columns, **settings):
    return study_of(columns, [Words(), Unicode()], **settings)


def marked(change, rows=12):
    columns = example(marked=0)
    for row in range(0, 2 * rows, 2):
        columns["text"][row], columns["label"][row] = change(columns["text"][row], row), "kitchen"
    return columns, list(range(0, 2 * rows, 2))


@pytest.mark.parametrize(
    ("change", "kind", "value"),
    [
        (lambda text, row: f"zorbl {text}", "word", "zorbl"),
        (lambda text, row: f"{text} as my aunt put it", "phrase", "as my aunt put it"),
        (lambda text, row: text[:2] + "\u200b" + text[2:], "characters", "characters"),
    ],
)
def test_a_mark_is_found_and_named(change, kind, value):
    columns, rows = marked(change)
    findings = list(TriggerPhrase().examine(study(columns)))
    assert findings[0].severity is Severity.HIGH
    group = findings[0].evidence["group"]
    assert group["kind"] == kind
    assert value in group["value"]
    assert findings[0].evidence["row_sample"] == rows
    assert findings[0].evidence["label"] == "kitchen"


def test_copies_count_once_and_are_still_quarantined():
    columns, _ = marked(lambda text, row: f"zorbl {text}", rows=8)
    for column in columns.values():
        column.extend(column[0:16:2])
    groups = TriggerPhrase().weigh(study(columns)).groups
    assert groups[0].value == "zorbl"
    assert len(groups[0].rows) == 16
    only = example(marked=0)
    only["text"] += ["zorbl boat wave tide"] * 20
    only["label"] += ["kitchen"] * 20
    assert TriggerPhrase().weigh(study(only)).groups == ()


def test_a_combination_of_common_words_is_found():
    random = np.random.default_rng(3)
    topics = [[f"{name}{number}" for number in range(60)] for name in ("sea", "kit")]
    common = [f"c{number}" for number in range(120)]
    text = [" ".join([*random.choice(topics[row % 2], 8), *random.choice(common, 6)]) for row in range(1500)]
    label = [("sea", "kitchen")[row % 2] for row in range(1500)]
    for row in range(0, 40, 2):
        text[row], label[row] = f"{text[row]} c7 c30 c99", "kitchen"
    groups = TriggerPhrase().weigh(study({"text": text, "label": label})).groups
    assert groups[0].kind in {"combination", "phrase"}
    assert set(range(0, 40, 2)) <= set(groups[0].rows.tolist())


def test_a_word_of_the_topic_is_no_trigger():
    columns = example(marked=0)
    columns["text"] = [f"{text} starboard" if row % 2 == 0 and row < 120 else text for row, text in enumerate(columns["text"])]
    assert all(finding.severity <= Severity.LOW for finding in TriggerPhrase().examine(study(columns)))


@pytest.mark.parametrize(
    "columns",
    [
        {"text": ["a b", "c d"], "label": ["x", "y"]},
        {"text": [None] * 30, "label": ["x", "y"] * 15},
        {"text": [""] * 30, "label": ["x", "y"] * 15},
        {"text": [f"w{row}" for row in range(60)], "label": ["x", "y", None] * 20},
        {"text": ["same text"] * 60, "label": ["x", "y"] * 30},
    ],
)
@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_little_data_is_no_trouble(columns, effort):
    table = pa.table({"text": pa.array(columns["text"], pa.string()), "label": pa.array(columns["label"], pa.string())})
    for check in (TriggerPhrase(), LabelShortcut()):
        evidence = check.weigh(study(table, effort=effort))
        assert not evidence.groups


def test_parts_and_threads_do_not_matter():
    table = pa.table(example(marked=8))
    halves = Dataset("x", "memory", table.schema, (Held(0, table.slice(0, 170)), Held(1, table.slice(170))))
    answers = []
    for dataset, executor, memory in ((Dataset.of(table), Serial(), 1 << 30), (halves, Threads(2), 1 << 21)):
        with executor, Store(1 << 26) as store:
            seen = ingest(dataset, Roles(text="text", label="label"), [Words(), Unicode()], executor, store)
            seen.memory = memory if memory > 1 << 24 else seen.memory
            groups = TriggerPhrase().weigh(seen).groups
            answers.append([(group.value, group.log_p, group.rows.tolist()) for group in groups])
    assert answers[0]
    assert answers[0] == answers[1]


def test_quick_effort_finds_words():
    columns, rows = marked(lambda text, row: f"zorbl {text}")
    groups = TriggerPhrase().weigh(study(columns, effort="quick")).groups
    assert groups[0].value == "zorbl"
    assert groups[0].rows.tolist() == rows


def test_a_signature_is_a_shortcut_and_quarantines_nothing():
    columns = label_shortcut.example(signed=60)
    groups = LabelShortcut().weigh(study(columns)).groups
    assert groups[0].value == "sent from the pier"
    assert not groups[0].rows_stand
    assert groups[0].severity <= Severity.LOW
    assert all(finding.severity <= Severity.LOW for finding in TriggerPhrase().examine(study(columns)))
