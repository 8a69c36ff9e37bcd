"""Bounded access to the bytes of an HDF5 file, and the account of what was read of them."""

from __future__ import annotations

from toadstone.readers.reader import Source

_PIECES = 500_000
"""Separate spans that are kept track of. An honest file has them side by side."""

METADATA = 1 << 26
"""Largest single metadata structure that is read at once, in bytes. Real ones stay below a few MiB."""


class Broken(Exception):  # noqa: N818  (it is the structure that is broken, not the program)
    """A structure cannot be followed further; the part that needed it becomes unread.

    Args:
        reason: One sentence.
        offset: Where, in the file.
    """

    def __init__(self, reason: str, offset: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class Medium:
    """An HDF5 file: its bytes, its base address, the widths of its offsets and lengths.

    Attributes:
        source: What is read; claims go to its coverage.
        base: File offset that addresses are relative to.
        wide: Bytes of an address ("size of offsets").
        long: Bytes of a length ("size of lengths").
        group_internal: K of version-1 B-trees of groups.
        group_leaf: K of symbol-table nodes.
        chunk_internal: K of version-1 B-trees of chunks.
    """

    def __init__(self, source: Source, base: int) -> None:
        self.source = source
        self.base = base
        self.wide = 8
        self.long = 8
        self.group_internal = 16
        self.group_leaf = 4
        self.chunk_internal = 32
        self.structures: list[tuple[int, int]] = []
        self.payload: list[tuple[int, int]] = []
        self._entered: set[int] = set()

    @property
    def undefined(self) -> int:
        """The address that means "nowhere"."""
        return (1 << (8 * self.wide)) - 1

    def once(self, address: int) -> None:
        """Enter a tree node or heap. No two objects of an honest file share one, and no tree leads back into itself.

        Raises:
            Broken: If it was entered before.
        """
        if address in self._entered:
            raise Broken("a tree or heap is reached twice", self.base + address)
        self._entered.add(address)

    def take(self, address: int, size: int, what: str) -> bytes:
        """Read ``size`` metadata bytes at an address.

        Raises:
            Broken: If they are not all there, or are absurdly many.
            BudgetError: If no steps are left.
        """
        offset = self.base + address
        if size > METADATA:
            raise Broken(f"{what} claims {size:,} bytes", offset)
        self.source.budget.spend_steps(16 + (size >> 3))
        data = self.source.blob.read(offset, size) if address >= 0 and offset <= self.source.blob.size else b""
        if len(data) < size:
            raise Broken(f"{what} lies outside the file", offset)
        return data

    def signed(self, address: int, signature: bytes, size: int) -> bytes:
        """Read a structure that must begin with a signature.

        Raises:
            Broken: If it does not, or is cut.
        """
        data = self.take(address, size, f"structure {signature.decode()}")
        if not data.startswith(signature):
            raise Broken(f"no {signature.decode()} where one is declared", self.base + address)
        return data

    def read(self, address: int, size: int) -> None:
        """Claim metadata that was parsed."""
        start = self.base + address
        self.source.coverage.read(start, start + size)
        self._note(self.structures, start, start + size)

    def inert(self, address: int, size: int) -> None:
        """Claim payload of a dataset."""
        start = self.base + address
        self.source.coverage.inert(start, start + size)
        self._note(self.payload, start, start + size)

    def _note(self, spans: list[tuple[int, int]], start: int, stop: int) -> None:
        if stop <= start:
            return
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], stop)
        elif len(spans) < _PIECES:
            spans.append((start, stop))
        else:
            raise Broken("the file is in more pieces than are followed", start)

    def overlaps(self) -> tuple[int, int] | None:
        """Find payload that shares bytes with metadata or other payload; gives the first shared span.

        Sorting is all it costs; adjacent claims were merged when they were made.
        """
        spans = [(start, stop, True) for start, stop in self.payload]
        spans += [(start, stop, False) for start, stop in self.structures]
        spans.sort()
        last_stop, last_payload = -1, False
        for start, stop, payload in spans:
            if start < last_stop and (payload or last_payload):
                return start, min(stop, last_stop)
            if stop > last_stop:
                last_stop, last_payload = stop, payload
        return None


class Cursor:
    """A position in bytes of which every read is checked.

    Args:
        data: The bytes.
        offset: File offset of the first of them, for messages and claims.
        wide: Bytes of an address.
        long: Bytes of a length.
    """

    def __init__(self, data: bytes, offset: int, wide: int = 8, long: int = 8) -> None:
        self.data = data
        self.offset = offset
        self.wide = wide
        self.long = long
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes that remain."""
        return len(self.data) - self.position

    def take(self, size: int) -> bytes:
        """Read ``size`` bytes.

        Raises:
            Broken: If fewer remain.
        """
        if size < 0 or size > self.left:
            raise Broken("a structure is shorter than what it must hold", self.offset + self.position)
        start = self.position
        self.position += size
        return self.data[start : start + size]

    def number(self, size: int) -> int:
        """Read an unsigned little-endian integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int:
        """Read an address."""
        return self.number(self.wide)

    def length(self) -> int:
        """Read a length."""
        return self.number(self.long)

    def text(self) -> bytes:
        """Read a NUL-terminated string, without its NUL.

        Raises:
            Broken: If there is no NUL.
        """
        end = self.data.find(b"\0", self.position)
        if end < 0:
            raise Broken("a name has no end", self.offset + self.position)
        start = self.position
        self.position = end + 1
        return self.data[start:end]

    def align(self, size: int, start: int = 0) -> None:
        """Skip to the next multiple of ``size`` from ``start``, or to the end if that is nearer."""
        over = (self.position - start) % size
        if over:
            self.position = min(self.position + size - over, len(self.data))


def bytes_for(limit: int) -> int:
    """Give the bytes that the library uses to store numbers up to ``limit``."""
    return max(limit.bit_length() - 1, 0) // 8 + 1
