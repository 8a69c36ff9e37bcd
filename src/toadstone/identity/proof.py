"""Proofs that a row is in a table, which need neither the table nor whoever made the proof.

From the row's digest through the tree within its block, and from there through the tree of RFC 9162 over all blocks, to the
root that a lock or a training record holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.core import merkle
from toadstone.core.finding import Json
from toadstone.identity.rows import block_root, context, root_from, row_digests, row_proof
from toadstone.identity.table import TableIdentity, cut_leaf, ordered, read_pieces
from toadstone.tables.dataset import Dataset


@dataclass(frozen=True)
class RowProof:
    """That a row is in a table.

    Attributes:
        row: 0-based.
        digest: Of the row, SHA-256.
        block: Number of its block.
        block_rows: Rows of the block.
        within: For each height of the tree within the block, the digests in front of and behind.
        blocks: How many there are.
        above: The way from the block to the root.
        root: Over all rows.
    """

    row: int
    digest: bytes
    block: int
    block_rows: int
    within: tuple[tuple[bytes, bytes], ...]
    blocks: int
    above: tuple[bytes, ...]
    root: bytes

    def holds(self) -> bool:
        """Whether the proof leads from the digest to the root."""
        leaf = merkle.leaf_hash(self.block_rows.to_bytes(8, "little") + root_from(self.digest, self.within))
        return merkle.verify_inclusion(leaf, self.block, self.blocks, self.above, self.root)

    def as_dict(self) -> dict[str, Json]:
        """Write it as JSON has it, digests in hexadecimal."""
        within: list[Json] = [{"before": before.hex(), "behind": behind.hex()} for before, behind in self.within]
        above: list[Json] = [one.hex() for one in self.above]
        return {
            "row": self.row,
            "digest": self.digest.hex(),
            "block": self.block,
            "blockRows": self.block_rows,
            "within": within,
            "blocks": self.blocks,
            "above": above,
            "root": self.root.hex(),
        }


def prove(dataset: Dataset, identity: TableIdentity, row: int) -> RowProof | None:
    """Prove that a row is in a table.

    Args:
        dataset: The table, of which the block's rows are read again.
        identity: Of the table, with blocks that are cut by content.
        row: 0-based.

    Returns:
        The proof; None when the data is not any more what the identity says.
    """
    if identity.cuts is None or identity.row_root is None or not 0 <= row < identity.rows:
        return None
    ends = np.cumsum([cut.block.rows for cut in identity.cuts])
    number = int(np.searchsorted(ends, row, "right"))
    cut = identity.cuts[number]
    first = int(ends[number]) - cut.block.rows
    digests = _digests(dataset, identity, first, first + cut.block.rows)
    if block_root(digests) != cut.root:
        return None
    leaves = [merkle.leaf_hash(cut_leaf(one)) for one in identity.cuts]
    at = row - first
    return RowProof(
        row,
        digests[32 * at : 32 * at + 32],
        number,
        cut.block.rows,
        tuple(row_proof(digests, at)),
        len(leaves),
        merkle.inclusion(leaves, number),
        identity.row_root,
    )


def _digests(dataset: Dataset, identity: TableIdentity, first: int, last: int) -> bytes:
    """Hash some rows."""
    start, order = context(identity.names), ordered([(field.name, "") for field in dataset.schema])[1]
    found: list[bytes] = []
    at = 0
    for fragment in dataset.fragments:
        for pieces, rows in read_pieces(fragment, order, []):
            low, high = max(first - at, 0), min(last - at, rows)
            if low < high:
                found.append(row_digests([piece.slice(low, high) for piece in pieces], high - low, start).tobytes())
            at += rows
            if at >= last:
                return b"".join(found)
    return b"".join(found)


def digests_of_rows(dataset: Dataset) -> bytes:
    """Hash all rows of a table: 32 bytes each, in their order."""
    columns = [(field.name, "") for field in dataset.schema]
    names, order = ordered(columns)
    start = context(names)
    parts = [
        row_digests(pieces, rows, start).tobytes()
        for fragment in dataset.fragments
        for pieces, rows in read_pieces(fragment, order, [])
    ]
    return b"".join(parts)
