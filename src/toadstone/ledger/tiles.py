"""The tree of a ledger as tiles of c2sp.org/tlog-tiles: 256 hashes wide, eight levels high, written once and never changed.

What is not yet a whole tile is not stored: it is the hashes of the last entries, or the roots of the last tiles, which are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toadstone.core.merkle import EMPTY, HASH_SIZE, node_hash, parents, range_hash, root
from toadstone.ledger.errors import BrokenError

HEIGHT = 8
WIDTH = 1 << HEIGHT
_KEPT = 64
"""Tiles that are kept in memory with the hashes inside them, 16 KiB (and Python's overhead) each."""


@dataclass(frozen=True)
class Tile:
    """A whole tile.

    Attributes:
        level: 0 for leaf hashes, 1 for roots of tiles, and so on.
        index: Its number on that level.
        root: Hash of all it covers, which stands in a tile of the next level.
        hashes: 256 hashes of 32 bytes.
    """

    level: int
    index: int
    root: bytes
    hashes: bytes


class TileSource:
    """Where tiles are stored."""

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Give the hashes of entries, as far as there are any."""
        raise NotImplementedError

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """Give the roots of whole tiles, as far as there are any."""
        raise NotImplementedError

    def tile(self, level: int, index: int) -> bytes | None:
        """Give the hashes of a whole tile."""
        raise NotImplementedError


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Give the path of a tile or (level ``entries``) of a bundle of entries below the ledger's address."""
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(parts))}{suffix}"


def widths(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield level, number of whole tiles and width of the partial tile (0: none) of a tree of that size."""
    level = 0
    while size:
        yield level, size // WIDTH, size % WIDTH
        size //= WIDTH
        level += 1


def split(hashes: bytes) -> list[bytes]:
    """Cut joined hashes."""
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]


class Edge:
    """The right edge of a tree, all that is needed to append: partial tiles, and the roots of whole subtrees.

    Args:
        rows: Partial tiles, by level.
        size: Number of entries.
    """

    def __init__(self, rows: list[list[bytes]] | None = None, size: int = 0) -> None:
        self.size = size
        self._rows = rows or [[]]
        self._peaks: list[bytes] = []
        for row in reversed(self._rows):
            start = 0
            while start < len(row):
                step = 1 << (len(row) - start).bit_length() - 1
                self._peaks.append(root(row[start : start + step]))
                start += step

    @classmethod
    def load(cls, source: TileSource, size: int) -> Edge:
        """Read the edge of a stored tree."""
        rows = []
        for level, whole, width in widths(size):
            start = whole * WIDTH
            rows.append(source.leaves(start, start + width) if level == 0 else source.roots(level - 1, start, start + width))
        return cls(rows, size)

    def copy(self) -> Edge:
        """Give an edge that grows by itself."""
        made = Edge()
        made.size, made._rows, made._peaks = self.size, [list(row) for row in self._rows], list(self._peaks)
        return made

    def add(self, leaf: bytes) -> Iterator[Tile]:
        """Append an entry's hash; yield the tiles that it completes."""
        made, at = leaf, self.size
        while at & 1:
            made = node_hash(self._peaks.pop(), made)
            at >>= 1
        self._peaks.append(made)
        self.size += 1
        return self._pushed(leaf) if len(self._rows[0]) == WIDTH - 1 else self._kept(leaf)

    def _kept(self, leaf: bytes) -> Iterator[Tile]:
        self._rows[0].append(leaf)
        return iter(())

    def _pushed(self, leaf: bytes) -> Iterator[Tile]:
        tiles, made, level = list[Tile](), leaf, 0
        while True:
            if level == len(self._rows):
                self._rows.append([])
            row = self._rows[level]
            row.append(made)
            if len(row) < WIDTH:
                return iter(tiles)
            made = root(row)
            tiles.append(Tile(level, (self.size >> HEIGHT * (level + 1)) - 1, made, b"".join(row)))
            row.clear()
            level += 1

    def extend(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Append hashes of entries; give the tiles that they complete."""
        return [tile for leaf in leaves for tile in self.add(leaf)]

    def partial(self) -> Iterator[tuple[int, bytes]]:
        """Yield the level and the hashes of each tile that is not whole yet."""
        for level, row in enumerate(self._rows):
            if row:
                yield level, b"".join(row)

    def root(self) -> bytes:
        """Give the root over all entries."""
        if not self._peaks:
            return EMPTY
        made = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            made = node_hash(peak, made)
        return made


class StoredTree:
    """A tree whose hashes are read from tiles, a few for each proof.

    Args:
        source: Where the tiles are.
        size: Number of entries.
    """

    def __init__(self, source: TileSource, size: int) -> None:
        self.size = size
        self._source = source
        self._tiles: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def grow(self, size: int) -> None:
        """Take note that entries were appended: only what was partial is read anew."""
        for level, whole, _ in widths(self.size):
            self._tiles.pop((level, whole), None)
        self.size = size

    def node(self, level: int, index: int) -> bytes:
        """Give the hash of a whole subtree."""
        row, inside = divmod(level, HEIGHT)
        across = HEIGHT - inside
        return self._inside(row, index >> across)[inside][index & ((1 << across) - 1)]

    def root(self, size: int | None = None) -> bytes:
        """Give the root over the first entries, by default over all."""
        return range_hash(self.node, 0, self.size if size is None else size)

    def hashes(self, ranges: Iterable[tuple[int, int]]) -> tuple[bytes, ...]:
        """Hash ranges of entries, such as a proof is made of."""
        return tuple(range_hash(self.node, start, end) for start, end in ranges)

    def _inside(self, level: int, index: int) -> list[list[bytes]]:
        """Give a tile, whole or partial, with the levels of hashes inside it."""
        if found := self._tiles.get((level, index)):
            self._tiles.move_to_end((level, index))
            return found
        start = index * WIDTH
        end = min(start + WIDTH, self.size >> HEIGHT * level)
        if end == start + WIDTH:
            row = split(self._source.tile(level, index) or b"")
        elif level == 0:
            row = self._source.leaves(start, end)
        else:
            row = self._source.roots(level - 1, start, end)
        if [len(one) for one in row] != [HASH_SIZE] * (end - start):
            raise BrokenError(f"hashes of tile {level}/{index} are missing or cut.")
        inside = [row]
        for _ in range(HEIGHT - 1):
            inside.append(parents(inside[-1]))
        self._tiles[level, index] = inside
        if len(self._tiles) > _KEPT:
            self._tiles.popitem(last=False)
        return inside
