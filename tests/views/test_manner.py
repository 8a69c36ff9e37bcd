"""Signs of manner: what gives one, what does not, and that every sign can be named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.study.manner_names import manner_name
from toadstone.study.phrases import AFFIX, FIRST, LAST, MANNER, keys_of
from toadstone.views import manner
from toadstone.views.manner import Manner, sign
from toadstone.views.words import words_of


def signs(text: str) -> set[int]:
    return set(Manner().of(pa.array([text], pa.large_string()))["manner"].tolist())


def shape(text: str) -> int:
    return sign(manner.SHAPE, manner.shape_hash(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("see id123456 now", shape("aa999999")),
        ("see id123456 now", shape("a9")),
        ("a hELLO to you", shape("aA")),
        ("from 2021-03-04 on", shape("9999-99-99")),
        ("two  blanks", sign(manner.COUNT, manner.BLANKS, 0)),
        ("a  b  c  d  e", sign(manner.COUNT, manner.BLANKS, 2)),
        ("a\tb", sign(manner.COUNT, manner.TABS, 0)),
        ("so coool", sign(manner.COUNT, manner.REPEATED_LETTER, 0)),
        ("very very good", sign(manner.COUNT, manner.REPEATED_WORD, 0)),
        ("all in small letters", sign(manner.WHOLE, manner.LOWER)),
        ("ALL IN CAPITALS", sign(manner.WHOLE, manner.UPPER)),
        ("Every Word Has One", sign(manner.WHOLE, manner.TITLED)),
        ("no marks at all", sign(manner.WHOLE, manner.BARE)),
        ("wait; what", sign(manner.MARK, ord(";"), 0)),
        ("wait , what", sign(manner.MARK, ord(","), 1)),
        ("fine 😀", sign(manner.CHARACTER, 0x1F600)),
        ("fine 😀", sign(manner.BLOCK, 0x1F600 >> 12, 12)),
    ],
)
def test_a_sign_and_its_name(text, wanted):
    assert wanted in signs(text)
    named = manner_name(int(keys_of(MANNER, np.array([wanted], np.uint32))[0]), [text])
    assert named is not None
    assert named[1]


def test_ordinary_words_have_no_shape():
    plain = signs("Some ordinary words, with commas.")
    assert shape("aaaaaaaa") not in plain
    assert shape("Aaaa") not in plain
    assert sign(manner.COUNT, manner.ODD_CASE, 0) not in plain


def test_signs_do_not_depend_on_the_other_rows():
    texts = ["", "a", " ", "x  y", "hELLO", "", "é", "\n", "id12 id13"]
    together = Manner().of(pa.array(texts, pa.large_string()))
    for row, text in enumerate(texts):
        span = slice(together["manner.offsets"][row], together["manner.offsets"][row + 1])
        assert set(together["manner"][span].tolist()) == signs(text)
    assert not signs("")


def test_a_repeated_end_and_beginning_of_rows_is_no_repetition():
    together = Manner().of(pa.array(["very", "very", "a ", " b"], pa.large_string()))
    rows = np.repeat(np.arange(4), np.diff(together["manner.offsets"]))
    for kind in (manner.REPEATED_WORD, manner.BLANKS):
        assert not len(rows[together["manner"] == sign(manner.COUNT, kind, 0)])


def test_places_and_affixes_have_names():
    text = "where were we"
    words = words_of(text)
    for kind, value, name in (
        (FIRST, words[0][0], "where as the first word"),
        (LAST, words[-1][0], "we as the last word"),
        (AFFIX, int.from_bytes(b"ere ", "little"), "words ending in ere"),
        (AFFIX, int.from_bytes(b" whe", "little"), "words beginning with whe"),
    ):
        named = manner_name(int(keys_of(kind, np.array([value], np.uint32))[0]), [text])
        assert named is not None
        assert named[1] == name
    assert manner_name(12345, [text]) is None


@given(st.lists(st.text(max_size=40), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_texts(texts):
    seen = Manner().of(pa.array(texts, pa.large_string()))
    assert len(seen["manner.offsets"]) == len(texts) + 1
    assert seen["manner.offsets"][-1] == len(seen["manner"])
