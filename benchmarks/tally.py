"""Counts outcomes: how much was found, what was missed, what was falsely alarmed, with 95 % intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.judges import CLEAN, DETECTED, SKIPPED
from benchmarks.outcomes import Memory, Subject, key_of
from benchmarks.peers import Peer, identity

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """*hits* of *total*, with the Wilson score interval (E. B. Wilson, JASA 22, 1927) at 95 %."""

    hits: int
    total: int

    def interval(self) -> tuple[float, float]:
        """Return the lower and upper bound of the share, each in [0, 1]."""
        if not self.total:
            return 0.0, 1.0
        share, square = self.hits / self.total, Z95**2
        middle = (share + square / (2 * self.total)) / (1 + square / self.total)
        spread = Z95 * math.sqrt(share * (1 - share) / self.total + square / (4 * self.total**2)) / (1 + square / self.total)
        # At 0 and 1 the bound is exact; rounding must not put it outside.
        return (0.0 if self.hits == 0 else middle - spread), (1.0 if self.hits == self.total else middle + spread)

    def __str__(self) -> str:
        """Read as ``97.5 % [93.0, 99.1] 117/120``; a hyphen when nothing was counted."""
        if not self.total:
            return "-"
        low, high = self.interval()
        return f"{100 * self.hits / self.total:.1f} % [{100 * low:.1f}, {100 * high:.1f}] {self.hits}/{self.total}"


@dataclass(frozen=True)
class Judgement:
    """What one mode said about one subject."""

    subject: Subject
    word: str


@dataclass(frozen=True)
class Column:
    """All that one mode of one tool said, and what its command cost."""

    mode: str
    tool: str
    judgements: tuple[Judgement, ...]
    cpu: tuple[float, ...]
    peaks: tuple[int, ...]

    def chosen(self, *labels: str, split: str = "", corpus: str = "", payload: bool | None = None) -> list[Judgement]:
        """Return the judgements of subjects with one of *labels*, optionally of one half, corpus, and payload."""
        return [
            item
            for item in self.judgements
            if item.subject.entry.label in labels
            and split in {"", item.subject.entry.split}
            and corpus in {"", item.subject.corpus}
            and payload in {None, item.subject.entry.payload}
        ]

    @property
    def cpu_total(self) -> float:
        """CPU seconds over all subjects."""
        return sum(self.cpu)

    @property
    def cpu_median(self) -> float:
        """CPU seconds of the middle subject."""
        return median(self.cpu) if self.cpu else 0.0

    @property
    def peak_max(self) -> int:
        """Largest resident size in bytes over all subjects."""
        return max(self.peaks, default=0)


def columns(peer: Peer, subjects: Sequence[Subject], known: Memory) -> list[Column]:
    """Return one column for each mode of *peer*, over the subjects it was run on."""
    tool, found = identity(peer), []
    for command in peer.commands:
        outcomes = [(subject, known.get(key_of(tool, command, subject))) for subject in subjects]
        seen = [(subject, outcome) for subject, outcome in outcomes if outcome is not None]
        costs = tuple(outcome.cpu for _, outcome in seen), tuple(outcome.peak for _, outcome in seen)
        for mode in command.modes:
            words = tuple(Judgement(subject, outcome.words[mode]) for subject, outcome in seen)
            found.append(Column(mode, tool, words, *costs))
    return found


def detected(judgements: Iterable[Judgement]) -> Share:
    """Return the share that was detected; every other word, an error too, is a miss."""
    words = [item.word for item in judgements]
    return Share(words.count(DETECTED), len(words))


def quiet(judgements: Iterable[Judgement]) -> tuple[int, int]:
    """Return how many were passed over with a success status although unread, and how many ended in an error."""
    words = Counter(item.word for item in judgements)
    return words[SKIPPED], sum(count for word, count in words.items() if word not in {DETECTED, CLEAN, SKIPPED})


def missed(judgements: Iterable[Judgement]) -> list[Judgement]:
    """Return what was not detected."""
    return [item for item in judgements if item.word != DETECTED]
