"""Digests of rows, and blocks that are cut where the content says so: the slow tier.

A row is written as the columns' names (a digest of them), then for each column, in the order of the names, a byte for its kind
(zero: null) and eight or sixteen bytes: the value, or the length of what follows; behind them texts and lists, back to back. That
is injective: two rows are written the same only if their cells are the same. SHA-256 of it is the row's digest.

Blocks end behind a row whose digest has ten given bits zero, so that rows that are inserted or removed change the blocks
around them and no others. (Whoever can choose rows can avoid or force such digests: the least and the greatest length
bound what that costs.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toadstone.engine.arrow import compute as pc
from toadstone.identity.canonical import LIST, MAP, STRUCT, Bytes, Canonical, Whole

LEAST, GREATEST = 64, 8192
"""Rows of a block that is cut by content."""
_MASK = 1023
FAN = 16
"""Digests that one node of the tree within a block holds."""

Digests = npt.NDArray[np.uint8]


def context(names: Sequence[bytes]) -> bytes:
    """Give the 16 bytes that stand for the columns' names in front of every row."""
    parts = [b"toadstone row 1"]
    for name in names:
        parts += [len(name).to_bytes(8, "little"), name]
    return hashlib.sha256(b"".join(parts)).digest()[:16]


def row_digests(pieces: Sequence[Canonical], rows: int, start: bytes) -> Digests:
    """Hash every row.

    Args:
        pieces: One a column, in the order of the names.
        rows: How many there are.
        start: See `context`.

    Returns:
        Shape (rows, 32).
    """
    offsets, data = _written(pieces, rows, start)
    view, sha = data.data, hashlib.sha256
    found = b"".join([sha(view[first:last]).digest() for first, last in pairwise(offsets.tolist())])
    return np.frombuffer(found, np.uint8).reshape(rows, 32)


def _written(pieces: Sequence[Canonical], rows: int, start: bytes = b"") -> tuple[Whole, Bytes]:
    """Write rows one after the other.

    Returns:
        Where each row begins and the last ends, shape (rows + 1,); and the bytes.
    """
    head = np.zeros((rows, len(start) + sum(_width(piece) for piece in pieces)), np.uint8)
    head[:, : len(start)] = np.frombuffer(start, np.uint8)
    at = len(start)
    behind: list[tuple[Whole, Bytes]] = []
    for piece in pieces:
        width = _width(piece)
        part = _behind(piece)
        if part is not None:
            behind.append(part)
            lengths = np.diff(piece.offsets if piece.kind in (LIST, MAP) and piece.offsets is not None else part[0])
            values = lengths.astype("<i8", copy=False).view(np.uint8).reshape(rows, 8)
        else:
            values = piece.fixed if piece.fixed is not None else np.zeros((rows, 8), np.uint8)
        head[:, at] = piece.kind if piece.valid is None else piece.kind * piece.valid
        head[:, at + 1 : at + width] = values
        at += width
    starts = np.arange(rows + 1, dtype=np.int64) * head.shape[1]
    return _joined([(starts, head.reshape(-1)), *behind], rows)


def _width(piece: Canonical) -> int:
    return 1 + (8 if piece.fixed is None else piece.fixed.shape[1])


def _behind(piece: Canonical) -> tuple[Whole, Bytes] | None:
    """Give what of a column stands behind the head of a row: where each row's part begins, and the bytes."""
    if piece.data is not None and piece.offsets is not None:
        return piece.offsets, piece.data
    if piece.kind == STRUCT:
        return _written(piece.children, piece.rows, context(piece.names))
    if piece.offsets is not None and piece.children:
        child = piece.children[0]
        offsets, data = _written([child], child.rows)
        return offsets[piece.offsets], data
    return None


def _joined(parts: Sequence[tuple[Whole, Bytes]], rows: int) -> tuple[Whole, Bytes]:
    """Put the parts of each row behind one another."""
    if len(parts) == 1 or not rows:
        return parts[0]
    kind = pa.large_binary()
    arrays = [
        pa.LargeBinaryArray.from_buffers(kind, rows, [None, pa.py_buffer(offsets), pa.py_buffer(data)]) for offsets, data in parts
    ]
    whole = pc.binary_join_element_wise(*arrays, pa.scalar(b"", kind))
    _, offsets, data = whole.buffers()
    begins = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + rows + 1]
    return begins, np.frombuffer(data, np.uint8)


def cuts(digests: Digests, open_rows: int) -> Iterator[int]:
    """Say behind which rows a block ends.

    Args:
        digests: Shape (rows, 32), of the rows that follow.
        open_rows: Rows that the open block has already.
    """
    candidates = np.flatnonzero((digests[:, 8].astype(np.int64) | (digests[:, 9].astype(np.int64) << 8)) & _MASK == 0) + 1
    begin = -open_rows
    for end in candidates.tolist():
        while end - begin > GREATEST:
            begin += GREATEST
            yield begin
        if end - begin >= LEAST:
            begin = end
            yield begin
    while len(digests) - begin >= GREATEST:
        begin += GREATEST
        yield begin


def block_root(digests: bytes) -> bytes:
    """Give the root over the rows of one block.

    Sixteen digests make a node, sixteen nodes the next, until one is left; nodes of each height have their own first byte.

    Args:
        digests: Of the rows, back to back.
    """
    height = 0
    level = digests
    while height == 0 or len(level) > 32:
        height += 1
        step = FAN * 32
        level = b"".join(hashlib.sha256(bytes([height]) + level[at : at + step]).digest() for at in range(0, len(level), step))
    return level


def row_proof(digests: bytes, row: int) -> list[tuple[bytes, bytes]]:
    """Give what one needs to compute a block's root from one row's digest.

    Args:
        digests: Of all rows of the block, back to back.
        row: Position within the block.

    Returns:
        For each height the digests in front of and behind the one that is known, within its node.
    """
    proof = []
    level, height = digests, 0
    while height == 0 or len(level) > 32:
        height += 1
        step = FAN * 32
        node = level[row // FAN * step : row // FAN * step + step]
        at = row % FAN * 32
        proof.append((node[:at], node[at + 32 :]))
        level = b"".join(
            hashlib.sha256(bytes([height]) + level[begin : begin + step]).digest() for begin in range(0, len(level), step)
        )
        row //= FAN
    return proof


def root_from(digest: bytes, proof: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Compute a block's root from one row's digest and its proof."""
    for height, (before, behind) in enumerate(proof, 1):
        digest = hashlib.sha256(bytes([height]) + before + digest + behind).digest()
    return digest
