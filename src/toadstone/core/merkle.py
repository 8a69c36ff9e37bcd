"""Hash trees of RFC 9162 (and RFC 6962) over SHA-256: roots, proofs that something is in, proofs that nothing was rewritten.

Every function is pure. Leaves are hashes that `leaf_hash` made of the entries; a proof is a tuple of hashes of 32 bytes, from the
leaf upwards. Whoever stores the hashes of whole subtrees asks `inclusion_ranges`, `consistency_ranges` and `subtrees` which of
them a proof is made of, and reads only those; `Tree` keeps them in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, 2.1.1)."""

Range = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""


def leaf_hash(data: bytes) -> bytes:
    """Hash an entry (RFC 9162, 2.1.1); the prefix keeps an entry from passing for two hashes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """Hash a level of whole subtrees into the next; an odd one at the end has no parent yet."""
    return [sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes) - 1, 2)]


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root of the tree over leaf hashes, in one pass over each level.

    An odd hash at the end of a level stands for itself on the next: the same tree as RFC 9162 defines by splitting at the
    largest power of two.
    """
    if not leaves:
        return EMPTY
    level: list[bytes] = list(leaves)
    while len(level) > 1:
        above = parents(level)
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def inclusion(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that a leaf is in the tree over all leaves (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: If there is no leaf of that index.
    """
    return tuple(root(leaves[start:end]) for start, end in inclusion_ranges(index, len(leaves)))


def consistency(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Prove that the tree over the first `old_size` leaves grew into the tree over all (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: If the tree never had that size.
    """
    return tuple(root(leaves[start:end]) for start, end in consistency_ranges(old_size, len(leaves)))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that `leaf` is number `index` of the tree of that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_SIZE or any(len(one) != HASH_SIZE for one in proof):
        return False
    at, last, made = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            made = node_hash(one, made)
            while at % 2 == 0 and at:  # levels on which the right edge has no sibling
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, one)
        at, last = at >> 1, last >> 1
    return last == 0 and made == root


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that the newer tree begins with the older one (RFC 9162, 2.1.4.2).

    Every tree begins with the empty one and with itself; both are shown by the empty proof.
    """
    if not 0 <= old_size <= new_size or any(len(one) != HASH_SIZE for one in proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (old_size > 0 or old_root == EMPTY)
    if old_size == 0:
        return not proof and old_root == EMPTY
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a whole subtree: its hash is the old root, which the proof leaves out
        path.insert(0, old_root)
    return bool(path) and _grown(old_size - 1, new_size - 1, path) == (old_root, new_root)


def _grown(at: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """Work out the old and the new root that a path leads to; None if it does not fit the sizes."""
    while at % 2:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            return None
        if at % 2 or at == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, one)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def inclusion_ranges(index: int, size: int) -> tuple[Range, ...]:
    """Give the leaves that each hash of a proof of inclusion covers, in the proof's order.

    Raises:
        ValueError: If there is no leaf of that index.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return tuple(reversed(ranges))


def consistency_ranges(old_size: int, new_size: int) -> tuple[Range, ...]:
    """Give the leaves that each hash of a proof of consistency covers, in the proof's order.

    Raises:
        ValueError: If a tree of `new_size` never had `old_size`.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} leaves does not contain one of {old_size}")
    if old_size in (0, new_size):
        return ()
    start, end, ranges = 0, new_size, []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # otherwise the rest is the whole old tree, whose root the verifier has
        ranges.append((start, end))
    return tuple(reversed(ranges))


def _split(size: int) -> int:
    """Give the largest power of two below a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the whole subtrees that make up a range, from left to right.

    Args:
        start: First leaf, a multiple of the size of the subtree that the range would fill (as ranges of proofs are).
        end: Leaf after the last.

    Yields:
        Level (0 for leaves) and index on that level: the subtree has ``2 ** level`` leaves and starts at ``index << level``.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def range_hash(node: Callable[[int, int], bytes], start: int, end: int) -> bytes:
    """Hash a range of leaves, given the hashes of whole subtrees by level and index."""
    parts = [node(level, index) for level, index in subtrees(start, end)]
    if not parts:
        return EMPTY
    made = parts.pop()
    while parts:
        made = node_hash(parts.pop(), made)
    return made


class Tree:
    """A tree that keeps the hashes of its whole subtrees: any number of proofs, each in logarithmic time.

    Args:
        leaves: Leaf hashes; the tree takes about 64 bytes (and Python's overhead) a leaf.
    """

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        self.extend(leaves)

    def __len__(self) -> int:
        return len(self._levels[0])

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append leaves; only the hashes above them are made."""
        self._levels[0].extend(leaves)
        for level in range(len(self)):  # as many as there are levels, and one look more
            below = self._levels[level]
            if len(below) < 2:
                return
            if level + 1 == len(self._levels):
                self._levels.append([])
            above = self._levels[level + 1]
            above.extend(parents(below[2 * len(above) :]))

    def node(self, level: int, index: int) -> bytes:
        """Give the hash of a whole subtree."""
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """Give the root over the first `size` leaves, by default over all.

        Raises:
            ValueError: If there are fewer.
        """
        wanted = len(self) if size is None else size
        consistency_ranges(wanted, len(self))
        return range_hash(self.node, 0, wanted)

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Prove that a leaf is in, as `inclusion` does."""
        return tuple(range_hash(self.node, start, end) for start, end in inclusion_ranges(index, len(self)))

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """Prove that the tree of an earlier size grew into this one, as `consistency` does."""
        return tuple(range_hash(self.node, start, end) for start, end in consistency_ranges(old_size, len(self)))
