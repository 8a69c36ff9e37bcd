"""What is reported of one source: a flood of one thing is told a few times and leaves room for others."""

from __future__ import annotations

from collections import Counter

from toadstone.core.value import Symbol, Value
from toadstone.readers.code.scopes import Unit

SAME_CALLEE = 8_000
RECORDS = 30_000
"""Calls of one thing, calls and imports of all, that are reported of one source; the largest real one has 14,000."""

_SAME_IMPORT = 64
"""Times that one import is reported for one body of code; more of them say nothing new."""

_NOTED = 90_000
"""Different imports and calls that are made out word by word in one source at most."""

_SAME_WORDS = 8


class Flood:
    """Counts what was reported.

    Attributes:
        crowded: Whether something was left out that may have been new.
    """

    def __init__(self) -> None:
        self.crowded = False
        self._imports: Counter[tuple[Unit, Symbol, str]] = Counter()
        self._callees: Counter[Symbol | None] = Counter()
        self._words: Counter[str] = Counter()
        self._records = 0

    def imported(self, unit: Unit, symbol: Symbol, how: str) -> bool:
        """Whether one more of an import is worth a record."""
        key = (unit, symbol, how)
        self._imports[key] += 1
        return self._imports[key] <= _SAME_IMPORT

    def room(self, callee: Value) -> bool:
        """Whether one more record of a call or import is kept."""
        key = callee if isinstance(callee, Symbol) else None
        self._callees[key] += 1
        self._records += 1
        kept = self._callees[key] <= SAME_CALLEE and self._records <= RECORDS
        self.crowded = self.crowded or not kept
        return kept

    def words(self, text: str) -> bool:
        """Whether words of a source that is not parsed are worth another look."""
        self._words[text] += 1
        return self._words[text] <= _SAME_WORDS and len(self._words) <= _NOTED
