from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from toadstone.views.grams import Grams
from toadstone.views.vectors import Features, Vectors


def grams(texts):
    columns = Grams().of(pa.array(texts, pa.large_string()))
    edges = columns["grams.offsets"]
    return [[int(code).to_bytes(4, "little") for code in columns["grams"][start:stop]] for start, stop in pairwise(edges)]


def test_pieces_stay_within_words_and_count_once():
    first, second, third = grams(["Abcde abcde", "", "ab"])
    assert set(first) == {b"abcd", b"bcde", b"cde ", b"de a", b" abc"} - {b"de a"}
    assert len(first) == len(set(first))
    assert second == third == []


def test_pieces_do_not_depend_on_where_the_batch_is_cut():
    texts = ["one two three", "zwölf Boxkämpfer", "\x00\x01 x", "ß" * 3000, "last one"]
    whole = pa.array(texts, pa.large_string())
    assert grams(texts)[1:3] == [grams([text])[0] for text in texts[1:3]]
    sliced = Grams().of(whole.slice(3))
    assert sliced["grams.offsets"].tolist()[-1] == len(sliced["grams"]) > 0


def test_vectors_of_any_list_with_holes():
    fixed = pa.array([[1.0, 2.0], None, [3.0, float("inf")]], pa.list_(pa.float64(), 2))
    ragged = pa.array([[1, 2], None, [3], [4, 5]])
    assert np.array_equal(Vectors().of(fixed)["vectors"], [[1, 2], [np.nan, np.nan], [3, np.nan]], equal_nan=True)
    expected = [[1, 2], [np.nan, np.nan], [np.nan, np.nan], [4, 5]]
    assert np.array_equal(Vectors().of(ragged)["vectors"], expected, equal_nan=True)
    assert Vectors().of(fixed.slice(2))["vectors"].tolist()[0][0] == 3.0


def test_features_are_numbers_and_categories():
    table = pa.table(
        {
            "size": [1.5, None, float("inf")],
            "whole": pa.array([1, 2, 3], pa.int8()),
            "yes": [True, None, False],
            "colour": ["red", None, "red"],
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "day": pa.array([0, 1, None], pa.date32()),
            "list": [[1], [2], [1]],
        }
    )
    columns = Features().of(table.to_struct_array().combine_chunks())
    numbers, categories = columns["numbers"], columns["categories"]
    assert numbers.shape == (3, 4)
    assert categories.shape == (3, 3)
    assert np.isnan(numbers).tolist() == [[False] * 4, [True, False, True, False], [True, False, False, True]]
    assert categories[0, 0] == categories[2, 0] != 0
    assert categories[1, 0] == 0
    assert categories[0, 1] == categories[2, 1] != categories[1, 1]
    assert categories[0, 2] == categories[2, 2]


@pytest.mark.parametrize("view", [Grams(), Vectors(), Features()])
def test_no_rows(view):
    empty = {
        "grams": pa.array([], pa.large_string()),
        "vectors": pa.array([], pa.list_(pa.float32())),
        "features": pa.array([], pa.struct([("a", pa.float64()), ("b", pa.string())])),
    }[view.name]
    assert all(len(values) in (0, 1) for values in view.of(empty).values())
