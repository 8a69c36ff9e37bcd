"""cpio archives of every form: members are read, links judged, cuts told."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Fact, Link, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

EVIL = b"cposix\nsystem\n(S'echo toadstone'\ntR."
FILE, LINK = 0o100644, 0o120777


def new(name: str, data: bytes, mode: int = FILE, magic: bytes = b"070701") -> bytes:
    numbers = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = magic + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def old(name: str, data: bytes, mode: int = FILE) -> bytes:
    head = b"070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o" % (1, 2, mode, 0, 0, 1, 0, 0, len(name) + 1, len(data))
    return head + name.encode() + b"\0" + data


def binary(name: str, data: bytes, mode: int = FILE, order: str = "<") -> bytes:
    size = len(data)
    words = (0o070707, 1, 2, mode, 0, 0, 1, 0, 0, 0, len(name) + 1, size >> 16, size & 0xFFFF)
    head = struct.pack(f"{order}13H", *words) + name.encode() + b"\0"
    head += bytes(len(head) % 2)
    return head + data + bytes(size % 2)


FORMS = {
    "new": new,
    "checksum": lambda *given: new(*given, magic=b"070702"),
    "old": old,
    "little": binary,
    "big": lambda *given: binary(*given, order=">"),
}


def read(data: bytes, name: str = "m.cpio") -> list[Fact]:
    return list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))))


@pytest.mark.parametrize("form", FORMS)
def test_members_are_read(form: str) -> None:
    make = FORMS[form]
    facts = read(make("a.txt", b"hello\n") + make("b/m.pkl", EVIL) + make("TRAILER!!!", b"") + bytes(300))
    assert [str(fact.callee) for fact in facts if isinstance(fact, Call)] == ["posix.system"]
    assert not [fact for fact in facts if isinstance(fact, Unread)]


@pytest.mark.parametrize("form", FORMS)
def test_links_and_names_that_leave(form: str) -> None:
    make = FORMS[form]
    facts = read(make("../../etc/x", b"a\n") + make("l", b"../../etc/passwd", LINK) + make("TRAILER!!!", b""))
    assert [fact.kind for fact in facts if isinstance(fact, Anomaly)] == ["path-traversal"]
    assert [fact.escapes for fact in facts if isinstance(fact, Link)] == [True]


@pytest.mark.parametrize("form", FORMS)
def test_cut_at_every_byte(form: str) -> None:
    make = FORMS[form]
    whole = make("a.pkl", EVIL) + make("TRAILER!!!", b"")
    for cut in range(30, len(whole) - 8):
        facts = read(whole[:cut])
        assert not [fact for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason], cut


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 200), st.sampled_from(sorted(FORMS)))
def test_any_bytes(noise: bytes, at: int, form: str) -> None:
    whole = FORMS[form]("a.pkl", EVIL) + FORMS[form]("TRAILER!!!", b"")
    facts = read(whole[:at] + noise + whole[at + len(noise) :])
    assert not [fact for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason]


def test_text_that_begins_like_one_is_text() -> None:
    assert not [fact for fact in read(b"070701 is the number of the archive\n", "note.txt") if isinstance(fact, Unread)]
