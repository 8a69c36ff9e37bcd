"""Which bytes were understood. Everything starts as unread; a reader has to claim what it read."""

from __future__ import annotations


class Coverage:
    """Accounts for every byte of one blob: *read*, *inert*, or, by default, *unread*.

    Args:
        size: Bytes of the blob.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._spans: list[tuple[int, int]] = []
        self._sorted = True

    def read(self, start: int, stop: int) -> None:
        """Claim ``[start, stop)`` as parsed."""
        self._add(start, stop)

    def inert(self, start: int, stop: int) -> None:
        """Claim ``[start, stop)`` as payload that nothing interprets: a tensor inside its declared bounds, pixels, text."""
        self._add(start, stop)

    def _add(self, start: int, stop: int) -> None:
        start = max(start, 0)
        stop = min(stop, self.size)
        if stop <= start:
            return
        if self._spans:
            first, last = self._spans[-1]
            if first <= start <= last:
                self._spans[-1] = (first, max(last, stop))
                return
            if start < first:
                self._sorted = False
        self._spans.append((start, stop))

    def gaps(self) -> list[tuple[int, int]]:
        """List the unread spans ``(start, stop)``, in order."""
        if not self._sorted:
            self._spans.sort()
            self._sorted = True
        found: list[tuple[int, int]] = []
        position = 0
        for start, stop in self._spans:
            if start > position:
                found.append((position, start))
            position = max(position, stop)
        if position < self.size:
            found.append((position, self.size))
        return found

    @property
    def covered(self) -> int:
        """Bytes that were claimed."""
        return self.size - sum(stop - start for start, stop in self.gaps())
