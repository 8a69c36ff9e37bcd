"""One broken structure repeated a million times is one problem: facts of a kind are cut, and the cut is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from toadstone.core.fact import Anomaly, Fact, Unread
from toadstone.readers.reader import Source

KEPT = 64
"""Anomalies of one kind, and unread spans, that are reported one by one for one blob."""


def thinned(source: Source, facts: Iterable[Fact]) -> Iterator[Fact]:
    """Pass facts on, but only the first `KEPT` anomalies of a kind and unread spans; the rest is counted in one fact each."""
    seen: Counter[str] = Counter()
    for fact in facts:
        if isinstance(fact, (Anomaly, Unread)):
            kind = fact.kind if isinstance(fact, Anomaly) else ""
            seen[kind] += 1
            if seen[kind] > KEPT:
                continue
        yield fact
    for kind, count in sorted(seen.items()):
        if count > KEPT:
            rest = f"{count - KEPT:,} more of the same"
            yield source.anomaly(kind, rest) if kind else source.unread(rest)
