"""The identity of a table: roots over its blocks, and a short digest of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toadstone.core import merkle
from toadstone.identity.blocks import Block, Blocks, columns_of, fixed_blocks, leaf
from toadstone.identity.canonical import Canonical
from toadstone.identity.rows import block_root, context, cuts, row_digests
from toadstone.tables.dataset import Dataset, Fragment, Trouble

Prefixes = npt.NDArray[np.uint64]
"""The first eight bytes of rows' digests, little-endian."""


@dataclass(frozen=True)
class Cut:
    """A block that was cut by its content.

    Attributes:
        block: Its rows, and the digests of its columns.
        root: Over the digests of its rows (see `toadstone.identity.rows.block_root`).
    """

    block: Block
    root: bytes


@dataclass(frozen=True)
class TableIdentity:
    """What identifies a table.

    Attributes:
        rows: How many there are.
        columns: Name and type of each, in the order of the file. Types do not count: values do.
        blocks: Of fixed length, from the first row on.
        cuts: Blocks cut by content; None when rows were not hashed.
        prefixes: One a row; None when rows were not hashed.
        troubles: What could not be read: the identity is of the rest.
        starts: Number of the first row of each fragment of the data set that was read.
    """

    rows: int
    columns: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    cuts: tuple[Cut, ...] | None = None
    prefixes: Prefixes | None = field(default=None, repr=False, compare=False)
    troubles: tuple[str, ...] = ()
    starts: tuple[int, ...] = field(default=(), repr=False, compare=False)

    @property
    def names(self) -> tuple[bytes, ...]:
        """Of the columns, UTF-8, in the order in which they are hashed."""
        return ordered(self.columns)[0]

    @property
    def content(self) -> bytes:
        """Root of the tree of RFC 9162 over the blocks of fixed length: the same for the same rows in the same order."""
        return merkle.root([merkle.leaf_hash(leaf(self.names, block)) for block in self.blocks])

    @property
    def row_root(self) -> bytes | None:
        """Root of the tree over the blocks that are cut by content: what proofs of single rows lead to."""
        if self.cuts is None:
            return None
        return merkle.root([merkle.leaf_hash(cut_leaf(cut)) for cut in self.cuts])


def cut_leaf(cut: Cut) -> bytes:
    """Write what the leaf of a block that is cut by content is taken over."""
    return cut.block.rows.to_bytes(8, "little") + cut.root


def ordered(columns: Sequence[tuple[str, str]]) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Give the names of columns as they are sorted, and where each stands in the file."""
    names = [name.encode(errors="surrogatepass") for name, _ in columns]
    order = sorted(range(len(names)), key=lambda index: (names[index], index))
    return tuple(names[index] for index in order), tuple(order)


def read_pieces(fragment: Fragment, order: Sequence[int], troubles: list[str]) -> Iterator[tuple[list[Canonical], int]]:
    """Read a fragment batch after batch, each column in its canonical form.

    Args:
        fragment: Of a data set.
        order: Where each column stands in the file, see `ordered`.
        troubles: Takes what cannot be read.
    """
    for batch in fragment.batches():
        if isinstance(batch, Trouble):
            troubles.append(batch.reason)
        elif batch.num_rows:
            yield columns_of(batch, order), batch.num_rows


def shape(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    """Give name and type of each column."""
    return tuple((found.name, str(found.type)) for found in schema)


def identify(dataset: Dataset, *, rows: bool = True) -> TableIdentity:
    """Read a data set once and say what identifies it.

    Memory: one batch, 32 bytes a block and column, and 8 bytes a row when ``rows`` is set.

    Args:
        dataset: Any.
        rows: Whether each row is hashed as well (about ten times slower), which names changed rows and proves single ones.

    Raises:
        UsageError: A column has a type without canonical form.
    """
    columns = shape(dataset.schema)
    fixed = Blocks(len(columns))
    hashed = _Rows(columns) if rows else None
    blocks: list[Block] = []
    troubles = [trouble.reason for trouble in dataset.troubles]
    starts: list[int] = []
    count = 0
    for fragment in dataset.fragments:
        starts.append(count)
        for pieces, length in read_pieces(fragment, ordered(columns)[1], troubles):
            blocks += fixed_blocks(pieces, length, fixed)
            count += length
            if hashed is not None:
                hashed.add(pieces, length)
    if fixed.open_rows:
        blocks.append(fixed.close())
    cuts, prefixes = (None, None) if hashed is None else (hashed.close(), hashed.prefixes())
    return TableIdentity(count, columns, tuple(blocks), cuts, prefixes, tuple(troubles), tuple(starts))


class _Rows:
    """Hashes rows and cuts them into blocks where their digests say so."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._start = context(ordered(columns)[0])
        self._blocks = Blocks(len(columns))
        self._digests: list[bytes] = []
        self._cuts: list[Cut] = []
        self._prefixes: list[Prefixes] = []

    def add(self, pieces: Sequence[Canonical], length: int) -> None:
        digests = row_digests(pieces, length, self._start)
        self._prefixes.append(prefixes_of(digests))
        begin = 0
        for end in list(cuts(digests, self._blocks.open_rows)):
            self._blocks.add(pieces, begin, end)
            self._digests.append(digests[begin:end].tobytes())
            self._close()
            begin = end
        self._blocks.add(pieces, begin, length)
        self._digests.append(digests[begin:].tobytes())

    def _close(self) -> None:
        self._cuts.append(Cut(self._blocks.close(), block_root(b"".join(self._digests))))
        self._digests = []

    def close(self) -> tuple[Cut, ...]:
        if self._blocks.open_rows:
            self._close()
        return tuple(self._cuts)

    def prefixes(self) -> Prefixes:
        return np.concatenate(self._prefixes) if self._prefixes else np.zeros(0, np.uint64)


def prefixes_of(digests: npt.NDArray[np.uint8]) -> Prefixes:
    """Give the first eight bytes of each digest as a number."""
    return np.ascontiguousarray(digests[:, :8]).view("<u8").reshape(-1).astype(np.uint64, copy=False)
