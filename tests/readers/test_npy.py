"""NumPy arrays: real ones of every shape of dtype, and headers that lie."""

import io
import struct

import numpy as np
import pytest
from format_files import PICKLE, assert_total, look

from toadstone.core.fact import Call, Import

ARRAYS = [
    np.arange(10),
    np.float64(3.5),
    np.zeros((0, 3), "u1"),
    np.zeros((2, 3), "f2", order="F"),
    np.array([b"ab", b"c"]),
    np.array(["é", "long text"]),
    np.array(["2020-01-01"], "M8[ns]"),
    np.zeros(2, "m8[25us]"),
    np.zeros(3, "c16"),
    np.zeros(3, "?"),
    np.zeros(3, ">i4"),
    np.zeros(2, "V7"),
    np.zeros(3, [("a", "<f8"), ("b", "i4", (2, 3)), ("c", [("d", "S5"), ("e", "u1", (4,))])]),
    np.zeros(2, np.dtype({"names": ["x", "y"], "formats": ["u1", "f8"]}, align=True)),
    np.zeros(2, [(("title", "name"), "f4")]),
    np.zeros(1, [("ключ", "f4")]),
]


def saved(*arrays: object) -> bytes:
    stream = io.BytesIO()
    for array in arrays:
        np.save(stream, array)
    return stream.getvalue()


def with_header(text: str, data: bytes = b"", version: int = 1) -> bytes:
    raw = text.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw + data


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(np.asarray(array).dtype))
def test_real_array_is_read_whole(array: np.ndarray) -> None:
    if np.asarray(array).dtype.names == ("ключ",):
        with pytest.warns(UserWarning, match=r"format 3.0"):
            data = saved(array)
    else:
        data = saved(array)
    seen = look(data, "a.npy")
    assert (seen.kind, seen.facts) == ("npy", [])


def test_several_arrays_in_one_file_are_all_read() -> None:
    assert look(saved(np.arange(3), np.zeros((2, 2)), np.array(["x"])), "a.npy").facts == []


def test_object_array_is_a_pickle() -> None:
    seen = look(saved(np.array([1, "two", None], dtype=object)), "a.npy")
    assert not seen.unread
    assert ("numpy", "dtype") in {(fact.symbol.module, fact.symbol.name) for fact in seen.of(Import)}


@pytest.mark.parametrize(
    "descr", ["'|O'", "'O'", "'object'", "[('a', '<f8'), ('b', '|O')]", "[('a', [('b', 'O', (2,))])]", "('|O', (3,))"]
)
def test_payload_behind_any_spelling_of_object_is_found(descr: str) -> None:
    data = with_header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n", PICKLE)
    assert [str(fact.callee) for fact in look(data, "a.npy").of(Call)] == ["posix.system"]


def test_payload_behind_the_data_is_found() -> None:
    seen = look(saved(np.arange(4)) + PICKLE, "a.npy")
    assert "hidden-data" in seen.anomalies
    assert [str(fact.callee) for fact in seen.of(Call)] == ["posix.system"]


def test_truncated_array_is_incomplete() -> None:
    seen = look(saved(np.arange(100))[:-1], "a.npy")
    assert len(seen.unread) == 1
    assert "cut short" in seen.unread[0]
    assert not seen.anomalies


def test_huge_claim_is_said() -> None:
    shape = (1 << 40, 1 << 40)
    seen = look(with_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}", bytes(8)), "a.npy")
    assert seen.anomalies == ["resource-claim"]
    assert seen.unread


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': __import__('os').system('echo'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<q9999999999999', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'unheard', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': " + "[" * 5000 + ", 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",)}",
        "[]",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} 1",
        "{'descr': 'u', 'fortran_order': False, 'shape': (1,)}",
        "",
    ],
)
def test_header_that_is_not_understood_is_unread(header: str) -> None:
    seen = look(with_header(header, bytes(8)), "a.npy")
    assert "array header not understood" in seen.unread[0]


def test_repeated_key_is_confusing() -> None:
    seen = look(with_header("{'descr': 'O', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", bytes(8)), "a.npy")
    assert seen.anomalies == ["ambiguous-record"]


def test_headers_of_old_pythons_are_read() -> None:
    assert look(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1L,), }", bytes(8)), "a.npy").facts == []


def test_any_bytes_are_survived() -> None:
    assert_total(saved(ARRAYS[12], ARRAYS[5]), "a.npy", flips=400)
    assert_total(saved(np.array([None, "x"], dtype=object)), "a.npy", flips=100)
