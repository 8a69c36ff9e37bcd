"""Processes are killed, disks are full: what was acknowledged is there, what was not is there whole or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ledger.writer import KEY, made
from toadstone.ledger.checking import check
from toadstone.ledger.errors import LedgerError

WRITER = """
import sys
sys.path[:0] = {path!r}
from tests.ledger.writer import made
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger
ledger = Ledger.open({address!r}, Key.load({key!r}), timeout=60)
number = {start}
while True:
    step = 1 + number % 9
    receipts = ledger.extend([made(one) for one in range(number, number + step)])
    print(number, *[receipt.index for receipt in receipts], flush=True)
    number += step
"""


def load(place, key, start: int) -> subprocess.Popen[str]:
    """Start a process that appends batches for ever and prints what was acknowledged."""
    script = WRITER.format(path=sys.path, address=place.address, key=str(key), start=start)
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_writers_are_killed(place, tmp_path):
    place.create().close()
    key = tmp_path / "key.pem"
    KEY.save(key, "")
    draw = random.Random(7)
    acknowledged: dict[int, int] = {}
    for turn in range(6):
        writers = [load(place, key, 1_000_000 * (2 * turn + number)) for number in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            acknowledged |= _numbers(first)
        time.sleep(draw.uniform(0, 0.25))
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            assert writer.stdout is not None
            for line in writer.stdout:  # not communicate(), which forgets what was read ahead of the first line
                if line.endswith("\n"):
                    acknowledged |= _numbers(line)
            writer.stdout.close()
            writer.wait(60)
    assert check(place.address).problems == []
    with place.open(None) as ledger:
        there = {entry.index: entry.statement["predicate"]["number"] for entry in ledger.entries()}
    assert len(acknowledged) >= 12
    assert {index: there.get(index) for index in acknowledged} == acknowledged
    assert len(set(there.values())) == len(there)  # nothing twice
    for start in range(0, 12_000_000, 1_000_000):  # batches are whole or not there, and in their order
        numbers = [number for number in there.values() if start <= number < start + 1_000_000]
        assert numbers == list(range(start, start + len(numbers)))
        whole = start
        while whole < start + len(numbers):
            whole += 1 + whole % 9
        assert whole == start + len(numbers)
    with place.open() as ledger:
        assert ledger.append(made(9)).index == len(there)


def _numbers(line: str) -> dict[int, int]:
    """Entry to what was recorded there."""
    number, *indexes = map(int, line.split())
    return {index: number + at for at, index in enumerate(indexes)}


FILLER = """
import resource, sys
sys.path[:0] = {path!r}
from tests.ledger.writer import made
from toadstone.ledger.errors import LedgerError
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger
ledger = Ledger.open({address!r}, Key.load({key!r}))
size = len(ledger)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
refused = 0
for number in range(size, size + 400):
    try:
        print(ledger.append(made(number, padding="x" * 2000)).index, flush=True)
    except LedgerError as error:
        refused += 1
        assert "nothing was recorded" in error.message, error
        if refused == 3:
            break
print("refused", refused)
"""


def test_a_full_disk_is_said_and_nothing_is_lost(sqlite, tmp_path):
    """A limit on the size of files stands for the disk: the system refuses to write more, in the middle of a commit."""
    sqlite.create(20).close()
    key = tmp_path / "key.pem"
    KEY.save(key, "")
    script = FILLER.format(path=sys.path, address=sqlite.address, key=str(key), limit=400_000)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    *indexes, last = done.stdout.splitlines()
    assert last == "refused 3"
    assert indexes
    assert check(sqlite.address).problems == []
    with sqlite.open() as ledger:
        assert len(ledger) == 20 + len(indexes)
        for index in map(int, indexes):
            assert ledger.entry(index).statement["predicate"]["number"] == index
        ledger.append(made(1000))  # there is room again


def test_a_database_that_may_not_grow(sqlite):
    with sqlite.create(20) as ledger:
        connection = ledger._store._open()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="database or disk is full; nothing was recorded") as caught:
            ledger.extend([made(number, padding="x" * 2000) for number in range(20, 60)])
        assert "Make room" in caught.value.advice
        assert len(ledger) == 20
        connection.execute("PRAGMA max_page_count = 100000")
        assert ledger.append(made(20)).index == 20
    assert check(sqlite.address).problems == []


def test_an_error_in_the_middle_of_a_commit_leaves_no_trace(place, monkeypatch):
    with place.create(5) as ledger:
        store = ledger._store
        add = store.add

        def interrupted(commit):
            add(commit)
            raise KeyboardInterrupt

        monkeypatch.setattr(store, "add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.append(made(5))
        monkeypatch.setattr(store, "add", add)
        assert len(ledger) == 5
        assert ledger.append(made(6)).index == 5
    assert check(place.address).problems == []


def test_a_lost_log_of_writes_is_a_shorter_ledger(sqlite, tmp_path):
    """Who deletes the write-ahead log of a ledger in use takes its last commits: only a checkpoint kept elsewhere tells."""
    with sqlite.create(10) as ledger:
        ledger._store._open().execute("PRAGMA wal_autocheckpoint = 0")
        ledger._store._open().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.append(made(10))
        kept = tmp_path / "kept"
        kept.write_text(ledger.checkpoint())
        (tmp_path / "stolen.sqlite").write_bytes(Path(sqlite.address).read_bytes())
    done = check(tmp_path / "stolen.sqlite", kept=[kept])
    assert [problem.place for problem in done.problems] == ["entry 10"]
