"""joblib's arrays whose description lies, and storages that are more than storages."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from writer import HEADER, PAYLOAD, call, clean, name, of, stopped, text

ONE = b"(K\x01t"
MANY = b"(K\x7dt"


def dtype(kind: str, size: int, flags: int) -> bytes:
    made = name("numpy", "dtype") + b"(" + text(kind) + b"\x89\x88tR"
    return (
        made
        + b"(K\x03"
        + text("|")
        + b"NNN"
        + b"J"
        + struct.pack("<i", size)
        + b"J"
        + struct.pack("<i", -1)
        + b"K"
        + bytes([flags])
        + b"tb"
    )


def wrapper(
    kind: bytes, shape: bytes, where: bytes = name("joblib.numpy_pickle", "NumpyArrayWrapper"), more: bytes = b""
) -> bytes:
    keys = text("subclass") + name("numpy", "ndarray") + text("shape") + shape + text("order") + text("C")
    return HEADER + where + b")\x81}(" + keys + text("dtype") + kind + text("allow_mmap") + b"\x88" + more + b"ub"


PLAIN = dtype("f8", -1, 0)
NUMBER = b"\xff" * 8
BEHIND = b"0" + PAYLOAD + b"."

CASES = {
    "honest": wrapper(PLAIN, ONE) + NUMBER + BEHIND,
    "smaller than its name": wrapper(dtype("V1000", 1, 0), ONE) + b"\xff" + BEHIND.ljust(1000, b"x"),
    "objects under a number's name": wrapper(dtype("f8", -1, 63), MANY) + HEADER + PAYLOAD + b".".ljust(990, b"x"),
    "a key twice": wrapper(PLAIN, MANY, more=text("shape") + ONE) + NUMBER + BEHIND.ljust(990, b"x"),
    "another way to the class": wrapper(PLAIN, ONE, name("joblib", "numpy_pickle.NumpyArrayWrapper")) + NUMBER + BEHIND,
    "a copy of joblib": wrapper(PLAIN, ONE, name("acme.vendor.joblib", "NumpyArrayWrapper")) + NUMBER + BEHIND,
    "a shape of floats": wrapper(PLAIN, of(b"G" + struct.pack(">d", 1.0))) + NUMBER + BEHIND,
    "built twice": wrapper(PLAIN, ONE).replace(b")\x81", b")\x81q\0")
    + NUMBER
    + b"0h\0}"
    + text("shape")
    + MANY
    + b"sb"
    + (NUMBER * 125)
    + BEHIND,
}


@pytest.mark.parametrize("case", CASES)
def test_what_stands_behind_an_array_is_read(case: str) -> None:
    assert stopped(CASES[case], "model.joblib")


def test_an_honest_array_is_clean() -> None:
    assert clean(wrapper(PLAIN, ONE) + NUMBER + b".", "model.joblib")


def test_the_file_of_an_array_lies_beside_the_pickle() -> None:
    state = b"}" + text("filename") + text("../evil.npy") + b"sb."
    assert stopped(HEADER + name("joblib.numpy_pickle_compat", "NDArrayWrapper") + b")\x81" + state)


def zipped(**members: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for member, content in members.items():
            file.writestr("archive/" + member.replace("__", "/"), content)
    return memory.getvalue()


def npy(description: bytes, content: bytes) -> bytes:
    header = (b"{'descr': " + description + b", 'fortran_order': False, 'shape': (1,), }").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


OBJECTS = npy(b"'|O'", HEADER + PAYLOAD + b".")


@pytest.mark.parametrize(("key", "content"), [("0", OBJECTS), ("x.npy", OBJECTS), ("0.pkl", HEADER + PAYLOAD + b".")])
def test_a_declared_storage_may_be_loaded_by_somebody_else(key: str, content: bytes) -> None:
    """``numpy.load`` opens a PyTorch file as well, and unpickles the members that begin like an array of objects."""
    identity = of(text("storage"), name("torch", "ByteStorage"), text(key), text("cpu"), b"M" + struct.pack("<H", len(content)))
    assert stopped(zipped(**{"data.pkl": HEADER + identity + b"Q.", "version": b"3\n", f"data__{key}": content}), "model.pt")


@pytest.mark.parametrize("description", [b"'f8,O'", b"'O,i4'", b"{'names':['a'],'formats':['O']}", b"'obj' 'ect'", b"'\\x4f'"])
@pytest.mark.parametrize("content", [HEADER + PAYLOAD + b".", PAYLOAD + b"000."])
def test_an_array_that_is_not_understood_may_hold_objects(description: bytes, content: bytes) -> None:
    assert stopped(npy(description, content), "x.npy")


def test_a_wrapper_is_no_use_without_an_array() -> None:
    assert stopped(call(HEADER + name("joblib.numpy_pickle", "NumpyArrayWrapper"), text("x")) + b"}b" + NUMBER + BEHIND)


def test_a_storage_that_a_plain_unpickler_would_run_is_no_storage() -> None:
    """Behind ``(key, location, type)`` old files have a count and numbers; the count can be an opcode that skips itself."""
    head = b"\x80\x02" + of(text("0"), text("cpu"), name("torch", "FloatStorage")) + b"."
    count = b"X\x03\0\0\0\0\0\0"
    data = head + count + (b"0" + PAYLOAD + b".").ljust(4 * int.from_bytes(count, "little"), b"x")
    assert stopped(data)
