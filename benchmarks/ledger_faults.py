"""Kills processes that write to a ledger, fills its disk, and counts what was lost.

Used by ``benchmarks.ledger``; ``python -m benchmarks.ledger_faults write ADDRESS KEY START`` is the process that is killed.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from toadstone.ledger import predicates
from toadstone.ledger.checking import check
from toadstone.ledger.errors import LedgerError
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger

_LIFE = 1_000_000
"""Numbers that one process may use."""


def record(number: int, padding: int = 0) -> predicates.Made:
    """A statement as scans make them, of about 900 bytes once sealed."""
    subject = predicates.resource(f"models/model-{number}.safetensors", {"sha256": f"{number:064x}", "blake3": f"{number:064x}"})
    said: predicates.Made = {
        "recordedAt": "2026-11-24T03:00:00.000Z",
        "tool": {"name": "toadstone", "version": "0"},
        "verdict": "clean",
        "number": number,
        "padding": "x" * padding,
    }
    return predicates.statement(predicates.SCAN, [subject], said)


@dataclass
class Outcome:
    """What became of a ledger under faults.

    Attributes:
        kills: Processes that were killed.
        acknowledged: Entries that a process had said were recorded.
        lost: Of those, how many are not there, or are others.
        torn: Batches that are there in part.
        size: Entries in the end.
        problems: What `check` says.
        seconds: Time.
    """

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    torn: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def write(address: str, key: str, start: int) -> None:
    """Append batches of one to nine entries for ever; print what was acknowledged."""
    ledger = Ledger.open(address, Key.load(key), timeout=60)
    number = start
    while True:
        step = 1 + number % 9
        receipts = ledger.extend([record(one) for one in range(number, number + step)])
        sys.stdout.write(f"{number} {' '.join(str(receipt.index) for receipt in receipts)}\n")
        sys.stdout.flush()
        number += step


def killed(
    address: str, key: Path, kills: int, *, writers: int = 2, seed: int = 0, restart: Callable[[], None] | None = None
) -> Outcome:
    """Kill processes at random moments while they write.

    Args:
        address: Of a ledger.
        key: Its key, unencrypted.
        kills: How many processes to kill.
        writers: How many write at once.
        seed: Of the moments.
        restart: Kills the server too, and starts it again.
    """
    draw, outcome, began = random.Random(seed), Outcome(), time.monotonic()
    told: dict[int, int] = {}
    life = 0
    while outcome.kills < kills:
        running = []
        for _ in range(writers):
            line = [sys.executable, "-m", "benchmarks.ledger_faults", "write", address, str(key), str(life * _LIFE)]
            # output goes to files: a pipe that nobody reads would stop the writer
            name = key.with_name(f"said-{life}")
            running.append((subprocess.Popen(line, stdout=name.open("wb"), stderr=subprocess.DEVNULL), name))
            life += 1
        while not all(name.stat().st_size for process, name in running if process.poll() is None):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.2))
        if restart is not None:
            restart()
        for process, _ in running:
            process.send_signal(signal.SIGKILL)
        for process, name in running:
            process.wait()
            outcome.kills += 1
            for said in name.read_text().splitlines(keepends=True):
                if said.endswith("\n"):
                    number, *indexes = map(int, said.split())
                    told |= {index: number + at for at, index in enumerate(indexes)}
            name.unlink()
    _count(address, told, life, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def _count(address: str, told: dict[int, int], lives: int, outcome: Outcome) -> None:
    outcome.problems = [f"{problem.place}: {problem.message}" for problem in check(address).problems]
    there: dict[int, int] = {}
    by_life: dict[int, int] = {}
    with Ledger.open(address) as ledger:
        for entry in ledger.entries():
            predicate = entry.statement["predicate"]
            assert isinstance(predicate, dict)
            number = predicate["number"]
            assert isinstance(number, int)
            there[entry.index] = number
            by_life[number // _LIFE] = max(by_life.get(number // _LIFE, 0), number)
    outcome.size = len(there)
    outcome.acknowledged = len(told)
    outcome.lost = sum(there.get(index) != number for index, number in told.items())
    for life in range(lives):
        end = by_life.get(life, life * _LIFE - 1) + 1
        number = life * _LIFE
        while number < end:
            number += 1 + number % 9
        outcome.torn += number != end


def full_disk(folder: Path, key: Path) -> tuple[str, Outcome]:
    """Append until there is no room, four times; give how the disk was made small, and what became of the ledger."""
    way = _small_disk(folder)
    address = str(folder / "ledger.sqlite")
    Ledger.create(address, Key.load(str(key)), origin="example.com/full").close()
    line = [sys.executable, "-m", "benchmarks.ledger_faults", "fill", address, str(key), way]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        outcome = Outcome(problems=[] if done.returncode == 0 else [done.stderr[-300:]])
        told = {int(index): int(index) for index in done.stdout.split()}
        _count(address, told, 0, outcome)
    finally:
        if way == "tmpfs":
            subprocess.run(["umount", folder], check=True)
    return way, outcome


def _small_disk(folder: Path) -> str:
    folder.mkdir()
    if os.geteuid() == 0:
        line = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
        if subprocess.run(line, capture_output=True, check=False).returncode == 0:
            return "tmpfs"
    return "limit"


def fill(address: str, key: str, way: str) -> None:
    """Append until refused, again and again; print what was acknowledged."""
    ledger = Ledger.open(address, Key.load(key))
    if way == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    size = refused = 0
    while refused < 4:
        try:
            ledger.append(record(size, padding=3000 if refused < 2 else 0))
        except LedgerError as error:
            refused += 1 if "nothing was recorded" in error.message else 1000
        else:
            print(size, flush=True)
            size += 1
    if refused != 4:
        sys.exit("a refusal did not say that nothing was recorded")


if __name__ == "__main__":
    {"write": lambda: write(sys.argv[2], sys.argv[3], int(sys.argv[4])), "fill": lambda: fill(*sys.argv[2:5])}[sys.argv[1]]()
