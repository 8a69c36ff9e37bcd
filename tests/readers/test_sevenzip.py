"""7z: every coder that is opened, the structure, and what is wrong with it."""

import base64

import pytest
from format_files import PICKLE, assert_total, look

from benchmarks.corpus.malicious.formats2.sevenzip import archive, number
from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Import, Link, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.sevenzip.coders import CoderError, _order
from toadstone.readers.sevenzip.header import Coder, Folder, Parser
from toadstone.readers.walk import walk

NOTES = b"Weights of a small model.\n" * 400
OPENED = ["copy", "lzma", "lzma2", "bcj-lzma2", "bcj-lzma", "delta-lzma2", "deflate"]

PY7ZR = (
    "N3q8ryccAARwYnzXqAAAAAAAAAAVAAAAAAAAAD6bxi7gACoAJV0ANxvK7uZaQcf87LpcFKWi4sd7cJrKhLAbjt0CQ5TW/+dlwLQAAADgAIYAc1"
    "0AAIEzB64P0NNtfJ85EJxs6lYajuHOQhv33iTxHbozOk70aT4M6ExehAQqH59BlG5D4uCP2TQwS+wcCC4IpBq6AUYW+lOjUbkjaS/zUTWoxeSS"
    "0TkQHfI9K4Yon+L4EKA7JmpileZU+3qjxVovlTTh3gAAAAAXBi0BCXsABwsBAAEhIQEYDICHAAA="
)
"""Made by py7zr with its defaults: a branch filter, LZMA2, a packed header."""


def imports(data: bytes, name: str = "a.7z") -> set[str]:
    return {str(fact.symbol) for fact in look(data, name).of(Import)}


@pytest.mark.parametrize("method", OPENED)
@pytest.mark.parametrize("packed_header", [False, True])
def test_every_coder(method: str, packed_header: bool) -> None:
    code = bytes(range(256)) + b"\xe8\x01\x02\x00\x00\xe9\x10\x00\x00\x00" * 40  # calls and jumps: the branch filter changes them
    data = archive({"readme.txt": NOTES, "code.dat": code, "model.pkl": PICKLE}, method, packed_header=packed_header)
    seen = look(data, "a.7z")
    assert (seen.kind, seen.anomalies) == ("7z", [])
    assert "posix.system" in {str(fact.symbol) for fact in seen.of(Import)}


@pytest.mark.parametrize("method", OPENED)
def test_plain_archives_are_complete(method: str) -> None:
    seen = look(archive({"a/": b"", "a/readme.txt": NOTES, "a/empty": b""}, method), "a.7z")
    assert (seen.kind, seen.unread, seen.anomalies, len(seen.facts)) == ("7z", [], [], 0)


@pytest.mark.parametrize(("method", "word"), [("aes", "AES"), ("ppmd", "PPMd")])
def test_what_cannot_be_opened_is_unread(method: str, word: str) -> None:
    (reason,) = look(archive({"model.pkl": PICKLE}, method), "a.7z").unread
    assert word in reason
    assert "model.pkl" in reason


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (archive({"../../x": NOTES}), "path-traversal"),
        (archive({"/etc/cron.d/x": NOTES}), "path-traversal"),
        (archive([("a", NOTES), ("a", NOTES + b"b")]), "duplicate-member"),
        (archive({"A": NOTES, "a": NOTES}), "name-collision"),
        (archive({"a": NOTES}, wrong=True), "checksum-mismatch"),
        (archive({"a\u202etxt.pkl": NOTES}), "name-trick"),
        (archive({"a": NOTES}) + PICKLE, "hidden-data"),
    ],
)
def test_anomalies(data: bytes, kind: str) -> None:
    assert kind in look(data, "a.7z").anomalies


def test_links() -> None:
    def target(text: bytes) -> list[tuple[str, bool]]:
        data = archive({"d/l": text}, attributes={"d/l": 0x8000 | 0o120777 << 16})
        return [(fact.target, fact.escapes) for fact in look(data, "a.7z").of(Link)]

    assert target(b"/etc/passwd") == [("/etc/passwd", True)]
    assert target(b"../other") == [("../other", False)]


def test_archives_inside_and_in_front() -> None:
    assert "posix.system" in imports(archive({"b.7z": archive({"c.pkl": PICKLE})}))
    for front in (b"\x00\x01\x02\x03" * 50, b"GGUF" + bytes(20)):
        seen = look(front + archive({"c.pkl": PICKLE}), "a.bin")
        assert seen.unread != []


def test_bombs_are_stopped() -> None:
    data = archive({"zeros": bytes(8 << 20), "x": NOTES})
    budget = Budget(expand=1 << 20, steps=4_000_000, thin=1 << 20)
    facts = list(walk(Source(BytesBlob(data), "a.7z", Place("a.7z"), budget)))
    assert "expansion-bomb" in {fact.kind for fact in facts if isinstance(fact, Anomaly)}
    assert [fact for fact in facts if isinstance(fact, Unread)]


def test_numbers() -> None:
    for value in (0, 1, 127, 128, 16383, 16384, 1 << 30, 1 << 40, (1 << 56) - 1, (1 << 64) - 1):
        assert Parser(number(value)).number() == value


@pytest.mark.parametrize("packed_header", [False, True])
def test_total(packed_header: bool) -> None:
    data = archive({"a/": b"", "b.txt": b"text " * 4, "m.pkl": PICKLE}, packed_header=packed_header, attributes={"m.pkl": 0x8000})
    assert_total(data, "a.7z")


def test_headers_that_lie_cost_nothing() -> None:
    for place in range(32, 90):
        for value in (b"\xff" * 9, b"\xfe" + b"\xff" * 7):
            data = bytearray(archive({"b.txt": b"text"}, "copy"))
            data[place : place + len(value)] = value
            look(bytes(data), "a.7z")


def test_an_archive_of_py7zr() -> None:
    seen = look(base64.b64decode(PY7ZR), "a.7z")
    assert (seen.kind, seen.unread, seen.anomalies) == ("7z", [], [])
    assert {str(fact.symbol) for fact in seen.of(Import)} == {"posix.system"}


@pytest.mark.parametrize("binds", [[(0, 7)], [(7, 0)], [(0, 0)], [(1, 1)]])
def test_coders_that_form_no_chain(binds: list[tuple[int, int]]) -> None:
    coders = [Coder(b"\x21", b"\x18"), Coder(b"\x03", b"\0")]
    with pytest.raises(CoderError):
        _order(Folder(coders, binds, 1))
