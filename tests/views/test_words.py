"""Words are found and hashed alike, wherever they stand."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from toadstone.views import words
from toadstone.views.words import Words, words_of


def test_what_a_word_is():
    text = "Hello, WORLD!! it's a <<SUDO>> 漢字 te\u200bst naïve (1_000)"
    assert [word for _, word in words_of(text)] == snapshot(
        ["hello", "world", "!!", "it's", "a", "<<", "sudo", ">>", "漢", "字", "te\u200bst", "naïve", "1_000"]
    )


def test_a_sign_alone_is_a_word_and_everyday_punctuation_is_none():
    assert [word for _, word in words_of("one ~ two, three; (four) ^five | a-b")] == snapshot(
        ["one", "~", "two", "three", "four", "^", "five", "|", "a", "b"]
    )


@given(st.lists(st.text(max_size=40), max_size=8), st.integers(0, 3))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_row_has_the_same_words_wherever_the_batch_is_cut(texts, skip):
    whole = pa.array(texts, pa.large_string())
    seen = Words().of(whole.slice(skip))
    for row, text in enumerate(texts[skip:]):
        span = slice(seen["words.offsets"][row], seen["words.offsets"][row + 1])
        assert seen["words"][span].tolist() == [value for value, _ in words_of(text)]


@given(st.lists(st.text(alphabet="ab c!", max_size=60), min_size=1, max_size=10))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_size_of_blocks_changes_nothing(texts):
    array = pa.array(texts, pa.large_string())
    expected = Words().of(array)["words"].tolist()
    block = words._BLOCK
    try:
        words._BLOCK = 16
        words._powers.cache_clear()
        assert Words().of(array)["words"].tolist() == expected or any(
            len(word) > 16 for text in texts for _, word in words_of(text)
        )
    finally:
        words._BLOCK = block
        words._powers.cache_clear()


def test_different_words_have_different_hashes():
    array = pa.array([" ".join(f"w{number}" for number in range(200_000))], pa.large_string())
    hashes = Words().of(array)["words"]
    assert len(set(hashes.tolist())) >= 200_000 - 20  # 200,000² / 2³³ ≈ 5 collisions are expected
