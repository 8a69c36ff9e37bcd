"""Measures the ledger and writes docs/ledger-scoreboard.md.

    python -m benchmarks.ledger                                   # everything, at full size (half an hour)
    python -m benchmarks.ledger speed --entries 100000            # parts of it
    python -m benchmarks.ledger kills crashes --kills 50

PostgreSQL is measured when psycopg and a server are installed; pymerkle (GPL, an oracle for the roots) when TOADSTONE_PYMERKLE
names a Python that has it. Outcomes are kept in the work folder, and the page is written of all that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import postgres
from benchmarks.ledger_faults import full_disk, killed, record
from benchmarks.ledger_page import page
from benchmarks.place import REPOSITORY, work_folder
from toadstone.core.merkle import leaf_hash, root
from toadstone.ledger.checking import check
from toadstone.ledger.envelope import seal
from toadstone.ledger.keys import Key
from toadstone.ledger.ledger import Ledger

KEY = Key.make()


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Give wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def rate(count: int, work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = clocked(work)
    return {"per_second": count / wall, "per_cpu_second": count / max(cpu, 1e-9), "count": count}


@contextmanager
def places() -> Iterator[dict[str, Callable[[], str]]]:
    """Give ways to make room for a ledger, by the name of the database."""
    with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
        numbers = iter(range(1 << 30))
        made: dict[str, Callable[[], str]] = {"SQLite": lambda: str(Path(folder) / f"{next(numbers)}.sqlite")}
        if trouble := postgres.missing():
            print(f"not measured: {trouble}")
            yield made
            return
        with postgres.serving() as server:
            yield {**made, "PostgreSQL": server.database}


def appends(address: str, durable: int, batched: int) -> dict[str, Any]:
    """Append one by one, and a thousand at a time."""
    with Ledger.create(address, KEY, origin="example.com/speed") as ledger:
        made = [record(number) for number in range(durable + batched)]
        one = rate(durable, lambda: [ledger.append(statement) for statement in made[:durable]])
        steps = range(durable, durable + batched, 1000)
        many = rate(batched, lambda: [ledger.extend(made[start : start + 1000]) for start in steps])
    checked: dict[str, Any] = {}
    checked |= rate(durable + batched, lambda: checked.update(holds=check(address).holds))
    return {"durable": one, "batched": many, "check": checked}


def floors(folder: Path, durable: int) -> dict[str, Any]:
    """What the parts cost alone, in the same run: forced writes of as many bytes, and signatures."""
    sealed = [seal(record(number), KEY, KEY.verifier("x").keyid) for number in range(durable)]
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entry(number INTEGER PRIMARY KEY, envelope BLOB)")
    forced = rate(durable, lambda: [connection.execute("INSERT INTO entry VALUES (NULL, ?)", (one,)) for one in sealed])
    connection.close()
    signed = rate(5000, lambda: [KEY.sign(sealed[0]) for _ in range(5000)])
    return {"forced": forced, "signed": signed, "bytes": statistics.mean(map(len, sealed))}


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Appends, and whole checks."""
    found: dict[str, Any] = {"rounds": {}}
    with places() as ways:
        for name, place in ways.items():
            found["rounds"][name] = [appends(place(), options.durable, options.batched) for _ in range(options.rounds)]
        with tempfile.TemporaryDirectory(dir=work_folder()) as folder:
            found["floors"] = floors(Path(folder), options.durable)
    return found


def proofs(options: argparse.Namespace) -> dict[str, Any]:
    """Proofs of a large ledger, each of another entry, by a reader that has just opened it."""
    found: dict[str, Any] = {}
    with places() as ways:
        for name, place in ways.items():
            address = place()
            with Ledger.create(address, KEY, origin="example.com/large") as ledger:
                kept = [ledger.checkpoint()]
                for start in range(0, options.entries, 10_000):
                    ledger.extend([record(number) for number in range(start, min(start + 10_000, options.entries))])
                    kept.append(ledger.checkpoint())
            found[name] = _proved(address, kept, options)
            found[name]["first"] = _first(address, options.entries // 3)
            if name == "SQLite":
                found[name]["bytes"] = Path(address).stat().st_size / options.entries
                found["pymerkle"] = _pymerkle(address)
    return {**found, "entries": options.entries}


def _proved(address: str, kept: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    with Ledger.open(address) as ledger:
        ledger.prove(0)
        step = max(1, options.entries // options.proofs)
        times, cpu, lengths, growths = [], [], [], []
        for index in range(1, options.entries, step):
            wall, used = clocked(lambda index=index: lengths.append(len(ledger.prove(index).hashes)))
            times.append(wall * 1000)
            cpu.append(used * 1000)
        for note in kept:
            wall, _ = clocked(lambda note=note: ledger.prove_growth(note))
            growths.append(wall * 1000)
    return {
        "median": statistics.median(times),
        "p95": sorted(times)[int(len(times) * 0.95)],
        "cpu": statistics.median(cpu),
        "hashes": max(lengths),
        "growth": statistics.median(growths),
        "count": len(times),
    }


def _first(address: str, index: int) -> float:
    """Milliseconds to open a ledger and make the first proof."""
    ledger: list[Ledger] = []
    wall, _ = clocked(lambda: ledger.append(Ledger.open(address)) or ledger[0].prove(index))
    ledger[0].close()
    return wall * 1000


def _pymerkle(address: str) -> dict[str, Any] | None:
    """Let pymerkle, in a Python of its own, say the root over the same entries, and how long its proofs take."""
    python = os.environ.get("TOADSTONE_PYMERKLE")
    if not python:
        return None
    with Ledger.open(address) as ledger:
        size = min(len(ledger), 20_000)
        entries = [entry.envelope for entry in ledger.entries(0, size)]
    script = Path(__file__).with_name("ledger_pymerkle.py")
    done = subprocess.run(
        [python, script], input="\n".join(entry.hex() for entry in entries), capture_output=True, text=True, check=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    said["agrees"] = said["root"] == root([leaf_hash(entry) for entry in entries]).hex()
    with Ledger.open(address) as ledger:
        wall, _ = clocked(lambda: [ledger.prove(index) for index in range(0, size, size // 200)])
    return {**said, "size": size, "ours": wall / len(range(0, size, size // 200)) * 1000}


def kills(options: argparse.Namespace) -> dict[str, Any]:
    """Kill writers."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=work_folder()) as name:
        folder = Path(name)
        key = folder / "key.pem"
        KEY.save(key, "")
        Ledger.create(folder / "killed.sqlite", KEY).close()
        found["SQLite"] = vars(killed(str(folder / "killed.sqlite"), key, options.kills))
        print(found["SQLite"], flush=True)
        if not postgres.missing():
            with postgres.serving() as server:
                address = server.database()
                Ledger.create(address, KEY).close()
                found["PostgreSQL"] = vars(killed(address, key, max(2, options.kills // 5), seed=1))
                print(found["PostgreSQL"], flush=True)
    return found


def crashes(options: argparse.Namespace) -> dict[str, Any]:
    """Kill the server as well, and fill a disk."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=work_folder()) as name:
        folder = Path(name)
        key = folder / "key.pem"
        KEY.save(key, "")
        if not postgres.missing():
            with postgres.serving() as server:
                address = server.database()
                Ledger.create(address, KEY).close()
                count = max(2, options.kills // 25)
                found["PostgreSQL, its server too"] = vars(killed(address, key, count, seed=2, restart=server.crash))
                print(found["PostgreSQL, its server too"], flush=True)
        way, outcome = full_disk(folder / "small", key)
        found["full disk"] = {**vars(outcome), "way": way}
        print(found["full disk"], flush=True)
    return found


def main(words: list[str]) -> int:
    """Run; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger")
    parser.add_argument("parts", nargs="*", default=["speed", "proofs", "kills", "crashes"], help="speed, proofs, kills, crashes")
    parser.add_argument("--durable", type=int, default=500)
    parser.add_argument("--batched", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--proofs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "ledger-scoreboard.md")
    options = parser.parse_args(words)
    outcomes = work_folder() / "ledger.json"
    known = json.loads(outcomes.read_text()) if outcomes.exists() else {}
    known["machine"] = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "cores": os.cpu_count()}
    for part in options.parts:
        known[part] = {"speed": speed, "proofs": proofs, "kills": kills, "crashes": crashes}[part](options)
        known[part]["load"] = os.getloadavg()[0]
        outcomes.write_text(json.dumps(known, indent=1))
        print(part, json.dumps(known[part])[:2000], flush=True)
    options.output.write_text(page(known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
