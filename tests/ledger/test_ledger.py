"""A ledger keeps what it acknowledged, proves it, and says clearly why it cannot; the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.writer import KEY, OTHER, Place, made, sha256
from toadstone.core.merkle import leaf_hash, root, verify_inclusion
from toadstone.ledger.checking import check
from toadstone.ledger.envelope import open_envelope
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.note import open_checkpoint
from toadstone.ledger.proof import Growth, Inclusion


def test_what_is_appended_is_there(ledger):
    receipts = [ledger.append(made(0)), *ledger.extend([made(1), made(2)])]
    assert [receipt.index for receipt in receipts] == [0, 1, 2]
    assert len(ledger) == 3
    assert ledger.extend([]) == []
    assert [entry.statement for entry in ledger.entries()] == [made(0), made(1), made(2)]
    assert [entry.index for entry in ledger.entries(1, 2)] == [1]
    for receipt in receipts:
        entry = ledger.entry(receipt.index)
        assert leaf_hash(entry.envelope) == receipt.leaf
        assert open_envelope(entry.envelope, ledger.verifier) == entry.statement
        assert open_checkpoint(receipt.checkpoint, ledger.verifier).size > receipt.index


def test_digests_lead_to_entries(ledger):
    used = {"inputs": [{"name": "data", "digest": {"sha256": sha256("model 1")}}]}
    ledger.extend([made(0), made(1), made(2, **used)])
    digest = f"sha256:{sha256('model 1')}"
    assert ledger.find(digest) == [1, 2]
    assert ledger.find(digest, subjects=True) == [1]
    assert ledger.find("sha256:nothing") == []


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 515])
def test_every_entry_has_a_proof(place, size):
    with place.create(size, step=100) as ledger:
        leaves = [leaf_hash(entry.envelope) for entry in ledger.entries()]
        head = open_checkpoint(ledger.checkpoint(), ledger.verifier)
        assert (head.size, head.root) == (size, root(leaves))
        for index in {0, 1, size // 2, 254, 255, 256, size - 2, size - 1} & set(range(size)):
            proof = ledger.prove(index)
            assert verify_inclusion(leaves[index], index, size, proof.hashes, head.root)
            assert Inclusion.parse(proof.text()) == proof
            checkpoint, statement = proof.verify(ledger.verifier)
            assert (checkpoint, statement) == (head, made(index))


def test_a_ledger_proves_that_it_only_grew(place):
    with place.create() as ledger:
        kept = [ledger.checkpoint()]
        steps = [[made(number) for number in range(start, start + 60)] for start in range(0, 600, 60)]
        kept += [ledger.extend(step)[-1].checkpoint for step in steps]
        reader = place.open(None)
        for note in kept:
            proof = reader.prove_growth(note)
            assert Growth.parse(proof.text()) == proof
            old, new = proof.verify(ledger.verifier)
            assert (old, new.size) == (open_checkpoint(note, ledger.verifier), 600)
        reader.close()


def test_a_proof_of_something_else_does_not_hold(place):
    with place.create(20) as ledger:
        proof, other = ledger.prove(3), ledger.prove(4)
        for wrong in (
            Inclusion(4, proof.entry, proof.hashes, proof.note),
            Inclusion(3, other.entry, proof.hashes, proof.note),
            Inclusion(3, proof.entry, proof.hashes[:-1], proof.note),
            Inclusion(3, proof.entry, proof.hashes, proof.note.replace("\n20\n", "\n21\n")),
        ):
            with pytest.raises(BrokenError):
                wrong.verify(ledger.verifier)
        with pytest.raises(BrokenError, match="is not signed by"):
            proof.verify(OTHER.verifier("example.com/ledger"))


def test_readers_see_what_writers_add(place):
    with place.create(5) as writer, place.open(None) as reader:
        for size in (5, 256, 300, 700):
            writer.extend([made(number) for number in range(len(writer), size)])
            assert len(reader) == size
            for index in (0, size - 1):
                reader.prove(index).verify(writer.verifier)


def test_threads_append_at_once(ledger):
    got: list[int] = []
    started = threading.Barrier(8)

    def work(number):
        started.wait()
        got.extend(ledger.append(made(100 * number + step)).index for step in range(10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(80))
    numbers = [entry.statement["predicate"]["number"] for entry in ledger.entries()]
    assert sorted(numbers) == sorted(100 * number + step for number in range(8) for step in range(10))
    for number in range(8):
        mine = [one for one in numbers if one // 100 == number]
        assert mine == sorted(mine)


WRITE = """
import sys
sys.path[:0] = {path!r}
from tests.ledger.writer import made
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger
ledger = Ledger.create({address!r}, Key.load({key!r}), origin="example.com/ledger", existing=True)
for number in range({start}, {start} + 60):
    print(number, ledger.append(made(number)).index, flush=True)
"""


@pytest.mark.slow
def test_processes_begin_and_write_one_ledger(place, tmp_path):
    key = tmp_path / "key.pem"
    KEY.save(key, "")
    scripts = [WRITE.format(path=sys.path, address=place.address, key=str(key), start=1000 * number) for number in range(3)]
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for script in scripts]
    told = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    said = [tuple(map(int, line.split())) for text in told for line in text.splitlines()]
    with place.open(None) as ledger:
        assert sorted(index for _, index in said) == list(range(180))
        for number, index in said:
            assert ledger.entry(index).statement == made(number)


def test_a_child_process_may_go_on(place):
    with place.create(3) as ledger:
        child = os.fork()
        if child == 0:
            try:
                ledger.append(made(100))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        ledger.append(made(101))
        assert [entry.statement["predicate"]["number"] for entry in ledger.entries(3)] == [100, 101]


@pytest.mark.parametrize(
    ("statement", "trouble"),
    [
        ({}, "its _type must be"),
        ({**made(0), "subject": []}, "at least one subject"),
        ({**made(0), "subject": [{"name": "x"}]}, "every subject needs a digest"),
        ({**made(0), "subject": [{"digest": {"sha256": ""}}]}, "every subject needs a digest"),
        ({**made(0), "predicateType": "scan"}, "must be a URI"),
        ({**made(0), "predicate": []}, "must be an object"),
        (made(0, x=float("nan")), "as JSON"),
        (made(0, x=object()), "as JSON"),
        (made(0, x="\ud800"), "as JSON"),
        (made(0, x="x" * 50_000), "too long"),
    ],
)
def test_what_cannot_be_recorded(sqlite, statement, trouble):
    with sqlite.create(1) as ledger:
        with pytest.raises(LedgerError, match=trouble):
            ledger.append(statement)
        with pytest.raises(LedgerError, match=trouble):
            ledger.extend([made(1), statement])
        assert len(ledger) == 1


def test_only_the_key_appends(place):
    place.create().close()
    with place.open(None) as reader, pytest.raises(LedgerError, match="read only"):
        reader.append(made(0))
    with pytest.raises(LedgerError, match="another key"):
        place.open(OTHER)
    with pytest.raises(LedgerError, match="holds a ledger already"):
        place.create()
    with pytest.raises(LedgerError, match="another key"):
        Ledger.create(place.address, OTHER, existing=True)


def test_a_locked_ledger_says_so(place):
    place.create(2).close()
    holder = place.open()
    with holder._store.writing(), place.open(timeout=0.2) as waiting:
        with pytest.raises(LedgerError, match=r"locked for 0.2 s; nothing was recorded") as caught:
            waiting.append(made(2))
        assert "Another process" in caught.value.advice
        assert waiting.entry(1).statement == made(1)  # readers do not wait
    holder.close()
    with place.open() as ledger:
        assert ledger.append(made(2)).index == 2


def test_another_version_is_named(place):
    place.create().close()
    place.sql("UPDATE setting SET value = '2' WHERE name = 'version'")
    with pytest.raises(LedgerError, match="is a ledger of version 2"):
        place.open()


def test_a_ledger_that_was_touched_takes_nothing_more(place):
    place.create(10).close()
    place.sql("DELETE FROM entry WHERE number = 9")
    with place.open() as ledger, pytest.raises(BrokenError, match="not what its last checkpoint says"):
        ledger.append(made(10))
    assert place.sql("SELECT count(*) FROM checkpoint")[0][0] == 3


def test_a_trigger_is_foreign(place):
    place.create(1).close()
    if place.is_postgres:
        place.sql("CREATE FUNCTION toadstone_ledger.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        place.sql("CREATE TRIGGER swallow BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION toadstone_ledger.swallow()")
    else:
        place.sql("CREATE TRIGGER swallow BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END")
    with pytest.raises(BrokenError, match="trigger 'swallow' that no ledger has"):
        place.open()


def test_no_ledger_there(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        Ledger.open(tmp_path / "ledger.sqlite")
    (tmp_path / "empty").touch()
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(tmp_path / "empty")
    (tmp_path / "text").write_text("no database" * 500)
    with pytest.raises(BrokenError, match="is damaged: file is not a database"):
        Ledger.open(tmp_path / "text")
    with closing(sqlite3.connect(tmp_path / "other")) as other, other:
        other.execute("CREATE TABLE mine(x)")
    with pytest.raises(LedgerError, match="another program's database"):
        Ledger.open(tmp_path / "other")
    with pytest.raises(LedgerError, match="another program's database"):
        Ledger.create(tmp_path / "other", KEY)
    with pytest.raises(LedgerError, match="cannot be kept in mysql"):
        Ledger.open("mysql://host/database")
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be made"):
        Ledger.create(tmp_path / "file" / "ledger.sqlite", KEY)


def test_a_server_that_does_not_answer(server):
    with pytest.raises(LedgerError, match=r"postgresql://127\.0\.0\.1/x") as caught:
        Ledger.open("postgresql://toad:secret@127.0.0.1:1/x", timeout=2)
    assert "secret" not in str(caught.value)
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(server.address("template1"))


def test_a_role_that_only_adds_is_enough(server):
    import psycopg

    place = Place(server.database())
    place.create(3).close()
    with psycopg.connect(place.address, autocommit=True) as connection:
        for name, rights in (("adder", "SELECT, INSERT"), ("reader", "SELECT")):
            connection.execute(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA toadstone_ledger TO {name}")
            connection.execute(f"GRANT {rights} ON ALL TABLES IN SCHEMA toadstone_ledger TO {name}")
    adder, reader = (Place(place.address.replace("toad@", f"{name}@")) for name in ("adder", "reader"))
    with adder.open() as ledger:
        assert ledger.append(made(3)).index == 3
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        adder.sql("DELETE FROM entry")
    with reader.open() as ledger, pytest.raises(LedgerError, match=r"permission denied.*nothing was recorded") as caught:
        ledger.append(made(4))
    assert "INSERT to record" in caught.value.advice
    assert check(reader.address).holds


@pytest.mark.slow
def test_a_server_that_crashed_and_came_back(server):
    place = Place(server.database())
    with place.create(3) as ledger:
        server.crash()
        with pytest.raises(LedgerError, match="connection was lost") as caught:
            ledger.append(made(3))
        assert "may or may not" in caught.value.advice
        assert ledger.append(made(4)).index == 3
    assert check(place.address).holds


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_ledger_that_may_only_be_read(sqlite):
    sqlite.create(3).close()
    Path(sqlite.address).chmod(0o444)
    Path(sqlite.address).parent.chmod(0o555)
    try:
        with sqlite.open(None) as ledger:
            assert len(ledger) == 3
    finally:
        Path(sqlite.address).parent.chmod(0o755)


def test_a_default_name(tmp_path):
    with Ledger.create(tmp_path / "one", KEY) as one, Ledger.create(tmp_path / "two", KEY) as two:
        assert one.origin.startswith("toadstone/")
        assert one.origin != two.origin
    for wrong in ("two words", "a+b", "a\nb"):
        with pytest.raises(LedgerError, match="cannot name a key"):
            Place(str(tmp_path / "three")).create(origin=wrong)


def test_one_key_may_sign_two_ledgers(sqlite):
    """Two ledgers of the same key are two: a checkpoint of one says nothing about the other."""
    with sqlite.create(3) as one:
        kept = one.checkpoint()
    with (
        Ledger.create(sqlite.address + "2", KEY, origin="example.com/other") as two,
        pytest.raises(BrokenError, match="not signed by"),
    ):
        two.prove_growth(kept)
