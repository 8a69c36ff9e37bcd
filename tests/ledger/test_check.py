"""`check` finds every tampering and names its place; the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.ledger.writer import KEY, OTHER, Place, made
from toadstone.core.merkle import leaf_hash
from toadstone.ledger.checking import check
from toadstone.ledger.envelope import seal
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.note import Checkpoint

SIZE = 300


@pytest.fixture
def full(place) -> Place:
    """A ledger with a whole tile and a partial one, 43 checkpoints, and a name for each entry."""
    place.create(SIZE).close()
    return place


def told(place, **options):
    done = check(place.address, **options)
    assert done.holds == (done.problems == []) == (done.count == 0)
    return [f"{problem.place}: {problem.message}" for problem in done.problems]


def test_what_nobody_touched_holds(full, tmp_path):
    done = check(full.address)
    assert (done.problems, done.notes) == ([], [])
    assert (done.size, done.checkpoints, done.origin) == (SIZE, 44, "example.com/ledger")
    with full.open(None) as ledger:
        (tmp_path / "kept").write_text(ledger.checkpoint())
        ledger.export(tmp_path / "copy")
        key = str(ledger.verifier)
    assert check(full.address, key=key, kept=[tmp_path / "kept", tmp_path / "copy"]).holds
    with full.open() as ledger:
        ledger.extend([made(number) for number in range(SIZE, 2 * SIZE)])
    assert check(full.address, key=key, kept=[tmp_path / "kept", tmp_path / "copy"]).holds


def test_an_empty_ledger_holds(place):
    place.create().close()
    assert told(place) == []


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@pytest.mark.parametrize("number", [0, 100, 255, 256, 299])
def test_a_changed_entry_is_named(full, number):
    raw = full.cell("SELECT envelope FROM entry WHERE number = ?", number)
    full.sql("UPDATE entry SET envelope = ? WHERE number = ?", flipped(raw, 200), number)
    assert told(full)[0] == f"entry {number}: it was changed: its hash is not the one in the tree"
    assert all(f"entry {number}" in line for line in told(full))


@pytest.mark.parametrize("number", [3, 290])
def test_a_changed_entry_with_its_hash_is_named(full, number):
    raw = flipped(full.cell("SELECT envelope FROM entry WHERE number = ?", number), 300)
    full.sql("UPDATE entry SET envelope = ?, leaf = ? WHERE number = ?", raw, leaf_hash(raw), number)
    assert any(
        line.startswith((f"entry {number}: its signature", f"entry {number}: this is no DSSE", f"entry {number}: it "))
        for line in told(full)
    )


def test_an_entry_in_the_place_of_another_is_named(full):
    """Its signature holds, and so does its hash; only the tree knows better."""
    raw = full.cell("SELECT envelope FROM entry WHERE number = 7")
    full.sql("UPDATE entry SET envelope = ?, leaf = ? WHERE number = 9", raw, leaf_hash(raw))
    lines = told(full)
    assert "tile 0/0: its hashes are not those of entry 9" in lines
    assert any(line.startswith("entries 7 to 13: rewritten") for line in lines)


@pytest.mark.parametrize(("number", "place_named"), [(5, "entry 5: missing"), (299, "entry 299: missing")])
def test_a_removed_entry_is_named(full, number, place_named):
    full.sql("DELETE FROM entry WHERE number = ?", number)
    assert told(full)[0].startswith(place_named)


def test_changed_hashes_are_named(full):
    leaf = full.cell("SELECT leaf FROM entry WHERE number = 50")
    full.sql("UPDATE entry SET leaf = ? WHERE number = 50", flipped(leaf, 0))
    assert told(full) == ["entry 50: the hash that is stored beside it was changed"]
    full.sql("UPDATE entry SET leaf = ? WHERE number = 50", leaf)
    hashes = full.cell("SELECT hashes FROM tile")
    full.sql("UPDATE tile SET hashes = ?", flipped(hashes, 32 * 20))
    assert told(full) == ["tile 0/0: its hashes are not those of entry 20"]
    full.sql("UPDATE tile SET hashes = ?, root = ?", hashes, b"0" * 32)
    assert told(full) == ["tile 0/0: its root was changed"]
    full.sql("DELETE FROM tile")
    assert told(full) == ["tile 0/0: missing"]


def test_nothing_is_proved_from_what_does_not_hold(full):
    for query in (
        "UPDATE tile SET hashes = ?",
        "DELETE FROM tile WHERE hashes <> ?",
        "UPDATE entry SET leaf = ? WHERE number > 260",
    ):
        full.sql(query, b"short")
        with full.open(None) as ledger:
            with pytest.raises(BrokenError):
                ledger.prove(0)
            with pytest.raises(BrokenError):
                ledger.prove_growth(full.sql("SELECT note FROM checkpoint WHERE size = 70")[0][0])
            assert ledger.entry(0).statement == made(0)


def test_changed_checkpoints_are_named(full):
    note = full.sql("SELECT note FROM checkpoint WHERE size = 70")[0][0]
    full.sql("UPDATE checkpoint SET note = ? WHERE size = 70", note.replace("\n70\n", "\n71\n"))
    assert told(full) == ["checkpoint of 70: the signature of example.com/ledger does not hold."]
    full.sql("UPDATE checkpoint SET note = ? WHERE size = 70", full.sql("SELECT note FROM checkpoint WHERE size = 77")[0][0])
    assert told(full) == ["checkpoint of 70: it says 77"]
    full.sql("UPDATE checkpoint SET note = ? WHERE size = 70", "x")
    assert told(full)[0].startswith("checkpoint of 70: this is no signed note")
    full.sql("UPDATE checkpoint SET note = ? WHERE size = 70", Checkpoint("example.com/other", 70, b"0" * 32).signed(KEY))
    assert told(full)[0].startswith("checkpoint of 70: the note is not signed by")
    full.sql("DELETE FROM checkpoint")
    assert told(full) == ["checkpoints: there is none"]


def test_changed_names_are_named(full):
    digest = full.sql("SELECT digest FROM naming WHERE entry = 4")[0][0]
    full.sql("UPDATE naming SET subject = ? WHERE entry = 4", False if full.is_postgres else 0)
    assert [line.partition(":")[0] for line in told(full)] == ["index of digests, entry 4"] * 2
    full.sql("DELETE FROM naming WHERE entry = 4")
    assert told(full) == [f"index of digests, entry 4: {digest} is missing"]


def test_a_shortened_ledger_is_caught_by_what_is_left(full):
    full.sql("DELETE FROM entry WHERE number >= 200")
    lines = told(full)
    assert any("missing: a checkpoint of" in line for line in lines)
    assert any(line.startswith("tile 0/0") for line in lines)


def test_entries_that_nobody_signed_for(full):
    with full.open() as ledger:
        raw = seal(made(SIZE), KEY, ledger.verifier.keyid)
    full.sql("INSERT INTO entry VALUES (?, ?, ?)", SIZE, leaf_hash(raw), raw)
    assert told(full)[0] == f"entry {SIZE}: no checkpoint covers them"


def test_a_number_that_cannot_be(full):
    full.sql("INSERT INTO entry VALUES (?, ?, ?)", 1 << 40, b"0" * 32, b"{}")
    assert any("its number cannot be" in line for line in told(full))


def shorten(place: Place, size: int) -> None:
    """Shorten a ledger without a trace, as somebody can who has the database."""
    place.sql("DELETE FROM entry WHERE number >= ?", size)
    place.sql("DELETE FROM naming WHERE entry >= ?", size)
    place.sql("DELETE FROM checkpoint WHERE size > ?", size)
    place.sql("DELETE FROM tile WHERE ((place & 1099511627775) + 1) * 256 > ?", size)


def rewrite(place: Place, number: int, size: int = SIZE) -> None:
    """Write another history with the same key, as somebody can who has both."""
    if place.is_postgres:
        place.sql("DROP SCHEMA toadstone_ledger CASCADE")
    else:
        Path(place.address).unlink()
    with place.create() as ledger:
        for start in range(0, size, 7):
            step = range(start, min(start + 7, size))
            ledger.extend([made(one, forged=True) if one == number else made(one) for one in step])


def test_a_shortened_ledger_is_caught_by_a_checkpoint_kept_elsewhere(full, tmp_path):
    with full.open(None) as ledger:
        (tmp_path / "kept").write_text(ledger.checkpoint())
        ledger.export(tmp_path / "copy")
    shorten(full, 210)
    assert told(full) == []  # nothing in it says so
    assert told(full, kept=[tmp_path / "kept"]) == [f"entries 210 to 299: missing: {tmp_path}/kept covers 300 entries, signed"]
    with full.open() as ledger:
        ledger.extend([made(number) for number in range(210, 290)])
        with pytest.raises(LedgerError, match="was shortened: entries 290 to 299 are missing"):
            ledger.prove_growth((tmp_path / "kept").read_text())
        with pytest.raises(LedgerError, match="was shortened"):
            ledger.export(tmp_path / "copy")


def test_a_rewritten_history_is_caught_by_a_checkpoint_kept_elsewhere(full, tmp_path):
    notes = {size: full.sql("SELECT note FROM checkpoint WHERE size = ?", size)[0][0] for size in (70, 140, 210)}
    with full.open(None) as ledger:
        ledger.export(tmp_path / "copy")
    for size, note in notes.items():
        (tmp_path / str(size)).write_text(note)
    rewrite(full, 100)
    assert told(full) == []
    kept = [tmp_path / str(size) for size in notes]
    assert told(full, kept=kept[:1]) == []  # what it covers is as it was
    assert [line.partition(":")[0] for line in told(full, kept=kept)] == ["entries 70 to 139", "entries 70 to 209"]
    assert told(full, kept=[tmp_path / "copy"]) == [f"entry 100: rewritten since {tmp_path}/copy was exported"]
    with full.open(None) as ledger, pytest.raises(LedgerError, match="was rewritten: its first 300 entries"):
        ledger.export(tmp_path / "copy")


def test_a_ledger_under_another_key(full):
    with full.open(None) as ledger:
        mine = str(ledger.verifier)
    if full.is_postgres:
        full.sql("DROP SCHEMA toadstone_ledger CASCADE")
    else:
        Path(full.address).unlink()
    full.create(SIZE, key=OTHER).close()
    assert told(full) == []  # it trusts the key that it finds there
    lines = told(full, key=mine)
    assert lines[0].startswith("settings: the ledger names another key")
    assert len(lines) == 200
    assert check(full.address, key=mine).count > SIZE


def test_what_was_kept_elsewhere_may_be_damaged(full, tmp_path):
    with full.open(None) as ledger:
        ledger.export(tmp_path / "copy")
        note = ledger.checkpoint()
    (tmp_path / "kept").write_text(note.replace("example", "exemple"))
    assert told(full, kept=[tmp_path / "kept"])[0].startswith(f"{tmp_path}/kept: the note is not signed by")
    with pytest.raises(LedgerError, match="cannot be read: No such file"):
        check(full.address, kept=[tmp_path / "nothing"])
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match="it is no text"):
        check(full.address, kept=[tmp_path / "binary"])
    tile = tmp_path / "copy" / "tile" / "0" / "000"
    tile.write_bytes(flipped(tile.read_bytes(), 40))
    assert told(full, kept=[tmp_path / "copy"]) == [
        f"{tmp_path}/copy: this copy is damaged: its hashes do not lead to its checkpoint"
    ]
    tile.unlink()
    assert "is missing or cut" in told(full, kept=[tmp_path / "copy"])[0]


def test_a_clock_that_was_set_back_is_no_fault(sqlite):
    with sqlite.create(3) as ledger:
        ledger.append(made(4, recordedAt="2026-01-01T00:00:00Z"))
        ledger.append(made(5))
        ledger.append(made(6, recordedAt="no time"))
        ledger.append(made(7, recordedAt="2026-01-01T00:00:00"))
    done = check(sqlite.address)
    assert done.holds
    assert [note.partition(": a clock")[0] for note in done.notes] == [
        "entry 3 bears a time 327 days, 0:00:02 earlier than entry 2",
        "entry 6 bears a time 327 days, 0:00:05 earlier than entry 4",
    ]


def content(address: str) -> list[object]:
    """All that a ledger says."""
    with Ledger.open(address) as ledger:
        store = ledger._store
        with store.reading():
            rows = [(row.index, row.leaf, row.envelope) for row in store.rows(0)]
            return [store.settings(), rows, list(store.checkpoints()), list(store.namings()), list(store.tiles())]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_byte_is_reported_or_changes_nothing(sqlite, tmp_path, seed):
    sqlite.create(SIZE, step=50).close()
    before = content(sqlite.address)
    raw = Path(sqlite.address).read_bytes()
    draw = random.Random(seed)
    silent = 0
    for turn in range(60):
        at = draw.randrange(len(raw)) if turn % 3 else draw.randrange(4096)
        changed = bytearray(raw)
        changed[at] ^= 1 << draw.randrange(8)
        path = tmp_path / "flipped.sqlite"
        path.write_bytes(changed)
        for rest in ("-wal", "-shm"):
            Path(f"{path}{rest}").unlink(missing_ok=True)
        try:
            holds = check(path).holds
        except LedgerError:
            continue
        if holds:
            silent += 1
            assert content(str(path)) == before, at
    assert silent < 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_truncated_file_is_reported(sqlite, tmp_path, seed):
    sqlite.create(60).close()
    raw = Path(sqlite.address).read_bytes()
    draw = random.Random(seed)
    for _ in range(25):
        path = tmp_path / "cut.sqlite"
        path.write_bytes(raw[: draw.randrange(len(raw) - 1)])
        try:
            done = check(path)
        except LedgerError:
            continue
        assert not done.holds


@pytest.mark.slow
def test_an_overwritten_page_is_reported(sqlite, tmp_path):
    sqlite.create(60).close()
    raw = Path(sqlite.address).read_bytes()
    for page in range(1, len(raw) // 4096):
        path = tmp_path / "zero.sqlite"
        path.write_bytes(raw[: page * 4096] + bytes(4096) + raw[(page + 1) * 4096 :])
        try:
            done = check(path)
        except LedgerError:
            continue
        assert not done.holds, page
    shutil.copy(sqlite.address, tmp_path / "whole.sqlite")
    assert check(tmp_path / "whole.sqlite").holds
