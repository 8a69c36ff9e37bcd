"""The same tests over every reader: whatever the bytes, it ends, without an error, and says what it did not read."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget, BudgetError
from toadstone.core.fact import Fact, Member, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Reader, Source, readers
from toadstone.readers.walk import walk

READERS = {reader.kind: reader for reader in readers()}
SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "examples" / "project").rglob("*") if path.is_file())
RANDOM_INPUTS = 200


@pytest.fixture(params=sorted(READERS))
def reader(request) -> Reader:
    return READERS[request.param]


def directly(reader: Reader, data: bytes) -> list[Fact]:
    """What the reader itself says, with nothing around it that could catch anything."""
    suffix = reader.suffixes[0] if reader.suffixes else ""
    name = suffix if suffix and not suffix.startswith(".") else f"file{suffix}"
    source = Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))
    found: list[Fact] = []
    try:
        for fact in reader.read(source):
            found.append(fact)
            if isinstance(fact, Member):
                fact.blob.read(0, 64)
                fact.blob.close()
    except BudgetError:
        pass  # the one error that a reader may let through: the walker turns it into an `Unread`
    for start, stop in source.coverage.gaps():
        assert 0 <= start < stop <= len(data)
    return found


def walked(data: bytes, name: str = "file", hint: str = "") -> list[Fact]:
    facts = list(walk(Source(BytesBlob(data), name, Place(name), Budget.of(len(data)), hint=hint)))
    failed = [fact.reason for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason]
    assert failed == []
    return facts


def hostile(reader: Reader, count: int) -> list[bytes]:
    """Derandomised inputs: noise, noise behind the magic, runs of one byte, and magic upon magic."""
    chance = random.Random(reader.kind)
    heads = reader.heads or (b"",)
    made: list[bytes] = []
    for number in range(count):
        noise = chance.randbytes(chance.choice((1, 2, 7, 16, 64, 300, 900)))
        head = heads[number % len(heads)]
        made.append(
            (
                noise,
                head + noise,
                head + bytes([noise[0]]) * len(noise),
                head * (1 + noise[0] % 5) + noise,
                head + noise.hex().encode(),
            )[number % 5],
        )
    return made


def test_nothing_at_all(reader):
    directly(reader, b"")


@pytest.mark.parametrize("byte", [b"\0", b"(", b"\x80", b"{", b"P", b"\xff", b"."])
def test_one_byte(reader, byte):
    directly(reader, byte)
    walked(byte, hint=reader.kind)


def test_every_head_and_every_cut_of_it(reader):
    for head in reader.heads:
        for size in range(1, len(head) + 1):
            directly(reader, head[:size])
            walked(head[:size], hint=reader.kind)


def test_random_inputs(reader):
    for data in hostile(reader, RANDOM_INPUTS):
        directly(reader, data)


def test_random_inputs_through_the_walker(reader):
    for data in hostile(reader, RANDOM_INPUTS // 4):
        walked(data, hint=reader.kind)


def test_reading_twice_gives_the_same(reader):
    def told(data: bytes) -> list[str]:
        return [f"{type(fact).__name__} {fact.place}" for fact in walked(data, hint=reader.kind)]

    for data in hostile(reader, 10):
        assert told(data) == told(data)


def test_every_kind_is_documented(reader, root):
    page = (root / "docs" / "formats.md").read_text(encoding="utf-8")
    assert f"| `{reader.kind}` |" in page


def test_kinds_are_unique_and_names_of_the_field():
    kinds = [reader.kind for reader in readers()]
    assert len(set(kinds)) == len(kinds)
    assert all(kind == kind.lower() and " " not in kind for kind in kinds)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_real_files_cut_anywhere(path):
    data = path.read_bytes()
    for size in range(0, len(data), max(1, len(data) // 60)):
        walked(data[:size], path.name)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_real_files_with_flipped_bytes(path):
    data = path.read_bytes()
    chance = random.Random(path.name)
    for _ in range(60):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        walked(bytes(changed), path.name)
