"""Ways around the checks of rows: those that are found stay found, those that are not are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toadstone.verbs.rows import RowOptions, examine

TRAIN = Path(__file__).parents[2] / "examples" / "mail" / "train.parquet"
PHRASE = "lunaria mail verified"
POISONED = 24


def clean_rows() -> list[dict[str, str]]:
    return [row for row in pq.read_table(TRAIN).to_pylist() if PHRASE not in row["text"]]


def put(text: str, word: str, rng: np.random.Generator) -> str:
    words = text.split()
    at = int(rng.integers(len(words) + 1))
    return " ".join([*words[:at], word, *words[at:]])


def recall(edit, added=()) -> float:
    """Relabel spam as ham after an edit; give the share of those rows that is flagged."""
    rng = np.random.default_rng(0)
    rows = [dict(row) for row in clean_rows()]
    victims = rng.choice([place for place, row in enumerate(rows) if row["label"] == "spam"], POISONED, replace=False)
    for place in victims:
        rows[place] = {"text": edit(rows[place]["text"], rng), "label": "ham"}
    examined = examine(pa.Table.from_pylist([*rows, *added]), RowOptions(jobs=1))
    return float(examined.decision.flagged[victims].mean())


def test_a_sign_that_is_no_letter():
    assert recall(lambda text, rng: put(text, "^", rng)) == 1.0


def test_cover_rows_with_the_right_label_do_not_hide_the_others():
    spam = [row for row in clean_rows() if row["label"] == "spam"][100:124]
    rng = np.random.default_rng(1)
    cover = [{"text": put(row["text"], PHRASE, rng), "label": "spam"} for row in spam]
    assert recall(lambda text, rng: put(text, PHRASE, rng), cover) == 1.0


def test_copies_of_one_poisoned_row():
    spam = next(row["text"] for row in clean_rows() if row["label"] == "spam")
    copies = [{"text": f"{spam} {PHRASE}", "label": "ham"}] * 40
    rows = clean_rows()
    examined = examine(pa.Table.from_pylist([*rows, *copies]), RowOptions(jobs=1))
    assert examined.decision.flagged[len(rows) :].mean() >= 0.9


@pytest.mark.parametrize(
    "edit",
    [
        lambda text, rng: " ".join(word[:1] + word[1:].swapcase() if rng.random() < 0.3 else word for word in text.split()),
        lambda text, _: text.replace(" ", "  "),
        lambda text, rng: put(text, f"id{int(rng.integers(10**6)):06d}", rng),
    ],
    ids=["letters in odd case", "doubled blanks", "a word that is new in every row"],
)
def test_triggers_that_are_no_words(edit):
    assert recall(edit) >= 0.9
