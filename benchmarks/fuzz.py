"""Hostile inputs over all readers: no crash, no hang, bounded memory.

Mutates real and booby-trapped files (those of the corpora that are small), reads each mutant through the whole walker with
all checks, and records internal errors, inputs that take more than 2 seconds of CPU or 256 MB, and workers that die or
hang. Troublesome inputs are saved under ``.bench/fuzz/``.

    python -m benchmarks.fuzz --inputs 1000000 --workers 2

The run is repeatable: input N of seed S over the same files is always the same; ``--from N`` goes on where a run stopped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.place import work_folder
from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Fact, Unread
from toadstone.core.panel import Seat, make_checks
from toadstone.core.place import Place
from toadstone.readers.reader import Source, readers
from toadstone.readers.walk import walk

_LARGEST = 40_000
_SLOW = 2.0
_FAT = 256
STUCK = 20.0
"""Seconds of CPU after which an input is given up."""
_SILENT = 120.0
"""Seconds after which a worker that says nothing is ended."""
_BATCH = 2_000
_INTERESTING = (
    0, 1, 2, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 4096, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1,
    2**63 - 1, 2**64 - 1,
)  # fmt: skip


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Collect small files: at most 12 of each suffix and family, so that no format drowns the others."""
    found: list[tuple[str, bytes]] = [("empty.bin", b"")]
    counts: Counter[str] = Counter()
    parts = [part for name in ("benign", "malicious") for part in (folder / name).rglob("*")]
    for path in sorted(parts):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
            family = f"{path.parent.name[:20]}{path.suffix}"
            counts[family] += 1
            if counts[family] <= 12:
                found.append((path.name, path.read_bytes()))
    return found


def mutate(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Change a file a little: flip, overwrite with telling numbers, cut, repeat, splice with another file."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        size = len(content)
        at = chance.randrange(size + 1)
        kind = chance.randrange(8)
        if kind == 0 and size:
            content[min(at, size - 1)] ^= 1 << chance.randrange(8)
        elif kind == 1 and size:
            content[min(at, size - 1)] = chance.randrange(256)
        elif kind == 2:
            width = chance.choice((1, 2, 4, 8))
            number = chance.choice(_INTERESTING) % (1 << (8 * width))
            content[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
        elif kind == 3:
            del content[at : at + chance.randrange(1, 64)]
        elif kind == 4:
            content[at:at] = content[at : at + chance.randrange(1, 256)] * chance.choice((1, 2, 50))
        elif kind == 5:
            content = content[:at]
        elif kind == 6 and other:
            begin = chance.randrange(len(other))
            content[at:at] = other[begin : begin + chance.randrange(1, 512)]
        else:
            content[at:at] = chance.randbytes(chance.randrange(1, 32))
    return bytes(content[: 4 * _LARGEST])


@dataclass(frozen=True)
class Input:
    """One mutant: its number, name, the kind of reader that is forced on it (mostly none), and its bytes."""

    number: int
    name: str
    hint: str
    data: bytes


def make(number: int, seed: int, pool: list[tuple[str, bytes]], kinds: list[str]) -> Input:
    """Make input ``number``."""
    chance = random.Random(f"{seed}-{number}")
    name, data = chance.choice(pool)
    mutant = mutate(chance, data, chance.choice(pool)[1])
    return Input(number, name, chance.choice(kinds) if chance.random() < 0.15 else "", mutant)


class Stuck(BaseException):
    """An input uses more CPU than is waited for; no `Exception`, so that nothing in the product catches it."""


def _stuck(_signal: int, _frame: FrameType | None) -> None:
    raise Stuck


def examine(given: Input, dispatch: dict[type[Fact], list[Seat]]) -> tuple[str, list[str]]:
    """Read one input with all checks; give its kind and what went wrong."""
    source = Source(BytesBlob(given.data), given.name, Place(given.name), Budget.of(len(given.data)), hint=given.hint)
    wrong: list[str] = []
    signal.setitimer(signal.ITIMER_PROF, STUCK)
    began = time.process_time()
    try:
        for fact in walk(source):
            if isinstance(fact, Unread) and "internal error" in fact.reason:
                wrong.append(fact.reason)
            for check in dispatch.get(type(fact), ()):
                try:
                    list(check.examine(fact))
                except Exception as error:  # noqa: BLE001  (what is looked for)
                    wrong.append(f"check {check.id}: {type(error).__name__}: {error}")
    except Stuck:
        wrong.append("hangs")
    except Exception as error:  # noqa: BLE001  (what is looked for)
        wrong.append(f"escapes: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - began
    if spent > _SLOW:
        wrong.append(f"took {spent:.1f} s")
    return source.notes.get("kind", "?"), wrong


Examiner = Callable[["Input"], tuple[str, list[str]]]
"""Looks at one input; gives its kind and what went wrong."""


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        pool: Names and bytes of the files that are mutated.
        kinds: Readers that may be forced on a mutant.
        prepare: Makes what looks at an input, in the process that will.
        fat: MB that a process may grow to.
    """

    pool: list[tuple[str, bytes]]
    kinds: list[str]
    prepare: Callable[[], Examiner]
    fat: int = _FAT


def file_readers(folder: Path) -> Target:
    """Give all readers of files, with the files below a folder to mutate."""
    return Target(seeds(folder), [reader.kind for reader in readers()], _file_examiner)


def _file_examiner() -> Examiner:
    dispatch: dict[type[Fact], list[Seat]] = {}
    for check in make_checks({}):
        for fact_type in check.reads:
            dispatch.setdefault(fact_type, []).append(check)
    return lambda given: examine(given, dispatch)


def work(sender: Connection, first: int, count: int, seed: int, target: Target) -> None:
    """Examine ``count`` inputs from number ``first`` on; tell each that begins and each trouble."""
    signal.signal(signal.SIGPROF, _stuck)
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    look = target.prepare()
    seen: Counter[str] = Counter()
    slowest, memory = 0.0, _memory()
    for number in range(first, first + count):
        sender.send(("begins", number))
        given = make(number, seed, target.pool, target.kinds)
        began = time.process_time()
        kind, wrong = look(given)
        slowest = max(slowest, time.process_time() - began)
        seen[kind] += 1
        before, memory = memory, _memory()
        if memory > target.fat and memory > before:
            wrong.append(f"the process grew from {before} to {memory} MB")
        if wrong:
            sender.send(("trouble", number, wrong))
    sender.send(("done", dict(seen), slowest, memory))


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@dataclass
class Worker:
    """A process, what it has to do, and when it was last heard of."""

    process: BaseProcess
    receiver: Connection
    last: int
    stop: int
    heard: float = field(default_factory=time.monotonic)


class Run:
    """Hands batches to workers, and goes on behind the input at which one died."""

    def __init__(self, first: int, inputs: int, seed: int, target: Target, output: Path) -> None:
        self.seed = seed
        self.output = output
        self.target = target
        if len(target.pool) < 2:
            raise SystemExit("there is nothing to mutate; make the corpora first (benchmarks/README.md)")
        self.first = first
        self.ranges = [(at, min(at + _BATCH, first + inputs)) for at in range(first, first + inputs, _BATCH)][::-1]
        self.workers: list[Worker] = []
        self.seen: Counter[str] = Counter()
        self.troubles: list[dict[str, Any]] = []
        self.done, self.slowest, self.memory = 0, 0.0, 0

    def go(self, workers: int) -> None:
        """Run to the end; an interrupt stops it, with what is known so far written down."""
        began = time.monotonic()
        told = 0.0
        try:
            while self.ranges or self.workers:
                while self.ranges and len(self.workers) < workers:
                    self._start(*self.ranges.pop())
                wait([worker.receiver for worker in self.workers], timeout=5)
                for worker in list(self.workers):
                    self._listen(worker)
                if time.monotonic() - told > 30:
                    told = time.monotonic()
                    self._tell(told - began)
        except KeyboardInterrupt:
            for worker in self.workers:
                worker.process.kill()
        self._tell(time.monotonic() - began)

    def _start(self, first: int, stop: int) -> None:
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(sender, first, stop - first, self.seed, self.target), daemon=True)
        process.start()
        sender.close()
        self.workers.append(Worker(process, receiver, first - 1, stop))

    def _listen(self, worker: Worker) -> None:
        """Take what a worker says; see whether it died or fell silent."""
        try:
            while worker.receiver.poll():
                message = worker.receiver.recv()
                worker.heard = time.monotonic()
                if message[0] == "begins":
                    self.done += 1
                    worker.last = message[1]
                elif message[0] == "trouble":
                    self._trouble(message[1], message[2])
                else:
                    self.seen.update(message[1])
                    self.slowest, self.memory = max(self.slowest, message[2]), max(self.memory, message[3])
                    self._end(worker)
                    return
        except EOFError:
            worker.process.join(5)
            self._trouble(worker.last, [f"the worker died (exit {worker.process.exitcode})"])
            self._end(worker, resume=True)
            return
        if time.monotonic() - worker.heard > _SILENT:
            worker.process.kill()
            self._trouble(worker.last, [f"the worker said nothing for {_SILENT:.0f} s"])
            self._end(worker, resume=True)

    def _end(self, worker: Worker, *, resume: bool = False) -> None:
        worker.process.join()
        worker.receiver.close()
        self.workers.remove(worker)
        if resume and worker.last + 1 < worker.stop:
            self.ranges.append((max(worker.last + 1, 0), worker.stop))

    def _trouble(self, number: int, reasons: list[str]) -> None:
        given = make(number, self.seed, self.target.pool, self.target.kinds)
        folder = self.output.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        saved = folder / f"{self.seed}-{number}-{given.name}"
        saved.write_bytes(given.data)
        trouble = {"number": number, "name": given.name, "hint": given.hint, "reasons": reasons, "saved": saved.name}
        self.troubles.append(trouble)
        print(json.dumps(trouble), flush=True)

    def _tell(self, seconds: float) -> None:
        done = self.done
        print(f"{done:,} inputs, {len(self.troubles)} troubles, slowest {self.slowest:.2f} s, {self.memory} MB", flush=True)
        pending = [at for at, _ in self.ranges] + [worker.last for worker in self.workers]
        summary = {
            "inputs": done, "seed": self.seed, "from": self.first, "next": min(pending, default=self.first + done),
            "seconds": round(seconds), "slowest_seconds": round(self.slowest, 3), "memory_mb": self.memory,
            "kinds": dict(self.seen.most_common()), "troubles": self.troubles,
        }  # fmt: skip
        self.output.parent.mkdir(parents=True, exist_ok=True)
        part = self.output.with_suffix(".part")
        part.write_text(json.dumps(summary, indent=1), encoding="utf-8")
        os.replace(part, self.output)  # noqa: PTH105


def arguments(description: str, output: str) -> argparse.ArgumentParser:
    """Make the options of a fuzzer."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first input (`next` of an earlier run)")
    parser.add_argument("--output", type=Path, default=work_folder() / output)
    return parser


def main() -> int:
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "", "fuzz.json")
    parser.add_argument("--seeds", type=Path, default=work_folder(), help="folder with files to mutate")
    options = parser.parse_args()
    run = Run(options.first, options.inputs, options.seed, file_readers(options.seeds), options.output)
    run.go(options.workers)
    return 1 if run.troubles else 0


if __name__ == "__main__":
    raise SystemExit(main())
