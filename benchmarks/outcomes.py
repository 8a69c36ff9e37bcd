"""Runs tools over subjects and remembers what each said, so that an interrupted comparison goes on where it stopped."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.corpus.manifest import Entry, Manifest, digest_of
from benchmarks.judges import judged
from benchmarks.kept_lines import keep_line, known_lines
from benchmarks.measure import Limits, run
from benchmarks.peers import Command, Peer, identity
from benchmarks.place import work_folder

LIMITS = Limits()


@dataclass(frozen=True)
class Outcome:
    """What one command of one tool said about one subject: a word for each mode, CPU seconds, peak bytes."""

    words: dict[str, str]
    cpu: float
    peak: int
    status: int | None


@dataclass(frozen=True)
class Subject:
    """An entry of a corpus with its place and the digest of its content."""

    corpus: str
    entry: Entry
    path: Path
    digest: str


class Memory:
    """A growing file of outcomes, one JSON object a line, keyed by tool, command, content and name of the subject."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known = {key: Outcome(**record) for key, record in known_lines(path).items()}

    def get(self, key: str) -> Outcome | None:
        """Return the outcome remembered under *key*."""
        return self._known.get(key)

    def put(self, key: str, outcome: Outcome) -> None:
        """Remember an outcome, now and on disk."""
        with self._lock:
            keep_line(self._path, key, asdict(outcome))
            self._known[key] = outcome


def memory() -> Memory:
    """Open the outcomes of the work folder."""
    return Memory(work_folder() / "outcomes.jsonl")


def subjects_of(manifests: Sequence[Manifest]) -> list[Subject]:
    """Return every subject of the corpora with its digest, in the manifests' order."""
    found = []
    for manifest in manifests:
        for entry in manifest.files:
            path = manifest.folder / entry.path
            found.append(Subject(manifest.name, entry, path, digest_of(path)))
    return found


def key_of(tool: str, command: Command, subject: Subject) -> str:
    """Return the key of an outcome. The name is part of it: most tools choose their parser by it."""
    return "|".join((tool, " ".join(command.arguments), subject.digest, Path(subject.entry.path).name))


def drawn(subjects: Sequence[Subject]) -> list[Subject]:
    """Return the subjects in an order that says nothing about them: corpora in turn, each in the order of a hash of its paths.

    Any beginning of it is a random sample, the same in every run, so a comparison that was interrupted is a fair one.
    """
    places: Counter[str] = Counter()
    ranked = []
    for subject in sorted(subjects, key=lambda item: hashlib.sha256(f"{item.corpus}|{item.entry.path}".encode()).digest()):
        places[subject.corpus] += 1
        ranked.append((places[subject.corpus], subject.corpus, subject))
    return [subject for _, _, subject in sorted(ranked, key=lambda item: item[:2])]


def sample(subjects: Sequence[Subject], size: int) -> list[Subject]:
    """Return the first *size* subjects of each corpus in the order of `drawn`, or all of a corpus that has fewer."""
    taken: Counter[str] = Counter()
    found = []
    for subject in drawn(subjects):
        taken[subject.corpus] += 1
        if taken[subject.corpus] <= size:
            found.append(subject)
    return found


def missing(peer: Peer, subjects: Sequence[Subject], known: Memory) -> Iterator[tuple[Command, Subject, str]]:
    """Yield what has to be run yet for *peer*, in the order of `drawn`."""
    tool, seen = identity(peer), set()
    for command in peer.commands:
        for subject in drawn(subjects):
            key = key_of(tool, command, subject)
            if key not in seen and known.get(key) is None:
                seen.add(key)
                yield command, subject, key


def complete(peer: Peer, subjects: Sequence[Subject], known: Memory, workers: int = 2) -> int:
    """Run *peer* on every subject it has not seen yet, *workers* at a time; return how many runs that took."""

    def one(command: Command, subject: Subject, key: str) -> None:
        result = run(peer.command_line(command, subject.path), LIMITS, command.keep)
        if digest_of(subject.path) != subject.digest:
            # Its corpus is being rebuilt: what was scanned is not what the key says.
            return
        words = {mode: judged(result, judge) for mode, judge in command.modes.items()}
        known.put(key, Outcome(words, result.cpu, result.peak, result.status))

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(one, *item) for item in missing(peer, subjects, known)]
        for future in as_completed(futures):
            future.result()
    return len(futures)
