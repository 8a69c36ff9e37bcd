"""Unpacked content is paid for by what is really there; runs cost next to nothing; what is given up is said."""

from __future__ import annotations

import gzip
import io
import lzma
import pickle
import random
import zipfile

import pytest

from toadstone.core.blob import BytesBlob, SpooledBlob
from toadstone.core.budget import DENSE, Budget, BudgetError
from toadstone.core.fact import Anomaly, Call, Import, Unread
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.pickle.skim import skim
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

MIB = 1 << 20
CALL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0eecho toadstone\x85R."


def facts_of(data: bytes, name: str, **given: int) -> tuple[list, Budget]:
    budget = Budget.of(len(data))
    for key, value in given.items():
        setattr(budget, key, value)
    return list(walk(Source(BytesBlob(data), name, Place(name), budget))), budget


def kinds(facts: list) -> set[str]:
    return {fact.kind for fact in facts if isinstance(fact, Anomaly)}


def unread(facts: list) -> bool:
    return any(isinstance(fact, Unread) for fact in facts)


def called(facts: list) -> bool:
    return any(isinstance(fact, Call) and fact.callee == Symbol("posix", "system") for fact in facts)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("pattern", [b"\0", b"A", b"abc", b"N.", b'{"a":1}\n'])
def test_thin_content_beyond_its_allowance_is_a_bomb_and_unread(pack, pattern):
    data = pack(pattern * (8 * MIB // len(pattern)))
    facts, _ = facts_of(data, "a.bin", thin=2 * MIB)
    assert "expansion-bomb" in kinds(facts)
    assert unread(facts)


def test_the_same_bomb_in_a_zip_is_one_too():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pkl", bytes(8 * MIB))
    facts, _ = facts_of(memory.getvalue(), "a.zip", thin=2 * MIB)
    assert "expansion-bomb" in kinds(facts)
    assert unread(facts)


def test_what_stands_at_the_beginning_of_a_bomb_is_found():
    facts, _ = facts_of(gzip.compress(CALL + bytes(8 * MIB)), "a.pkl.gz", thin=2 * MIB)
    assert called(facts)
    assert "expansion-bomb" in kinds(facts)


def test_a_padding_of_zeros_hides_nothing():
    facts, _ = facts_of(gzip.compress(pickle.dumps(bytes(40 * MIB)) + CALL), "a.pkl.gz")
    assert called(facts)
    assert not kinds(facts) & {"expansion-bomb"}
    assert not unread(facts)


def test_content_that_is_really_there_does_not_touch_the_allowance_for_thin_content():
    chance = random.Random(1)
    data = gzip.compress(chance.randbytes(MIB) + b"".join(b"%08d " % chance.randrange(10**8) for _ in range(100_000)))
    before = Budget.of(len(data)).thin
    _, budget = facts_of(data, "a.bin.gz")
    assert budget.thin == before


def test_the_allowance_for_thin_content_hardly_grows_with_the_file():
    assert Budget.of(100 * MIB).thin - Budget.of(0).thin == 100 * MIB
    assert Budget.of(100 * MIB).expand - Budget.of(0).expand == DENSE * 100 * MIB


def test_thin_content_draws_on_the_steps():
    budget = Budget(expand=MIB, steps=1000, thin=MIB)
    with pytest.raises(BudgetError):
        budget.spend_expand(0, MIB)


def test_runs_are_kept_as_runs_and_read_back_exactly():
    pieces = [b"head", bytes(300_000), bytes(300_000), b"\x07" * 100_000, b"mid" * 50_000, b"A" * 70_000, b"tail"]
    blob, whole = SpooledBlob(pieces), b"".join(pieces)
    assert blob.size == len(whole)
    assert blob._spool.tell() < 160_000  # the runs are not in it
    chance = random.Random(2)
    for _ in range(300):
        offset, size = chance.randrange(len(whole) + 10), chance.randrange(200_000)
        assert blob.read(offset, size) == whole[offset : offset + size]
    assert b"".join(blob.chunks()) == whole
    blob.close()


def test_a_quine_ends_at_the_depth_that_is_followed():
    from benchmarks.corpus.malicious.hostile.expansion import gzip_quine

    quine = gzip_quine()
    assert gzip.decompress(quine) == quine
    facts, _ = facts_of(quine, "q.gz")
    assert "depth-bomb" in kinds(facts)
    assert unread(facts)


def test_padding_between_xz_streams_is_stepped_over():
    data = lzma.compress(b"words") + bytes(3 * MIB) + lzma.compress(CALL)
    facts, _ = facts_of(data, "a.xz")
    assert any(isinstance(fact, Import) for fact in facts)


class Counting(BytesBlob):
    """Counts the bytes that are read."""

    taken = 0

    def read(self, offset: int, size: int) -> bytes:
        data = super().read(offset, size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("flood", [b"N", b"}", b"K\x01", b"]\x94"])
def test_plain_opcodes_are_accounted_for_while_they_are_followed(flood):
    blob = Counting(b"\x80\x04" + flood * (4 * MIB))
    budget = Budget(expand=0, steps=200_000)
    with pytest.raises(BudgetError):
        skim(blob, 0, None, budget.spend_steps)
    assert blob.taken < 2 * MIB
