"""What a comparison of sources with the lock found, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.finding import Severity


@dataclass(frozen=True)
class Change:
    """Something that became different.

    Attributes:
        kind: One of ``added``, ``removed``, ``edited``, ``relabelled``, ``reordered``, ``re-encoded``, ``owner``, ``reference``.
        rows: 0-based; of the table as it is now, for ``removed`` as it was.
        columns: Names of those that differ; empty when whole rows came, went or moved, or when it cannot be told.
        note: What a person should know besides.
    """

    kind: str
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    note: str = ""


JUDGED: dict[str, tuple[Severity, str]] = {
    "re-encoded": (Severity.INFO, "the same rows in another encoding: no tampering"),
    "reordered": (Severity.LOW, "the same rows in another order; training on them in order gives another model"),
    "added": (Severity.MEDIUM, "nobody has vouched for what is new"),
    "removed": (Severity.MEDIUM, "something that was pinned is gone"),
    "edited": (Severity.HIGH, "content changed under an unchanged name"),
    "relabelled": (Severity.HIGH, "labels changed and nothing else did: the mark of label flipping"),
    "owner": (Severity.HIGH, "somebody else owns the source now"),
    "reference": (Severity.HIGH, "the name leads to another version than the one that was pinned"),
}
"""What each kind of change means."""


@dataclass(frozen=True)
class SourceChange:
    """A change, and where.

    Attributes:
        source: Name of the source in the lock.
        path: Within the source; empty when it is the source itself.
        change: What became different.
    """

    source: str
    path: str
    change: Change

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return JUDGED[self.change.kind][0]

    @property
    def meaning(self) -> str:
        """What it means."""
        return JUDGED[self.change.kind][1]


@dataclass(frozen=True)
class Verified:
    """What became of the sources.

    Attributes:
        sources: Names of those that were looked at.
        changes: What is different, the worst first.
        unknown: What could not be compared, and why.
    """

    sources: tuple[str, ...]
    changes: tuple[SourceChange, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether every source has the content that was pinned."""
        return all(found.change.kind == "re-encoded" for found in self.changes)

    @property
    def exit_code(self) -> int:
        """0: all the same; 1: something changed; 3: something could not be compared."""
        if not self.same:
            return 1
        return 3 if self.unknown else 0
