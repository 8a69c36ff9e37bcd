"""The hash tree gives the roots and proofs of certificate transparency, and no proof that was tampered with holds."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.merkle import (
    EMPTY,
    Tree,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The entries and roots that implementations of certificate transparency test themselves with.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]


def leaves_of(size):
    return [leaf_hash(b"%d" % number) for number in range(size)]


def mth(leaves):
    """Give the root as RFC 9162, 2.1.1, writes it: by recursion at the largest power of two."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size):
    assert root(LEAVES[:size]).hex() == ROOTS[size]
    assert Tree(LEAVES[:size]).root().hex() == Tree(LEAVES).root(size).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "expected"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)
def test_known_paths(index, size, expected):
    proof = inclusion(LEAVES[:size], index)
    assert [one.hex() for one in proof] == expected
    assert Tree(LEAVES[:size]).inclusion(index) == proof
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


def test_the_examples_of_the_rfc():
    """RFC 9162, 2.1.5, over the first seven entries."""
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, el = node_hash(g, h), node_hash(i, j)
    seven = LEAVES[:7]
    assert [inclusion(seven, at) for at in (0, 3, 4, 6)] == [(b, h, el), (c, g, el), (f, j, k), (i, k)]
    assert [consistency(seven, old) for old in (3, 4, 6)] == [(c, d, g, el), (el,), (i, j, k)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 64, 65])
def test_every_proof_of_a_tree_holds_and_for_nothing_else(size):
    leaves = leaves_of(size)
    tree = Tree(leaves)
    assert tree.root() == root(leaves) == mth(leaves)
    for index in range(size):
        proof = inclusion(leaves, index)
        assert proof == tree.inclusion(index)
        assert len(proof) <= (size - 1).bit_length()
        for other in range(size):
            assert verify_inclusion(leaves[index], other, size, proof, tree.root()) == (index == other)
    for old in range(size + 1):
        path = consistency(leaves, old)
        assert path == tree.consistency(old)
        for other in range(size + 1):
            held = verify_consistency(other, size, mth(leaves[:other]), tree.root(), path)
            assert held == (other == old or (not path and other in (0, size)))


sizes = st.integers(1, 300)


@settings(max_examples=150, deadline=None)
@given(sizes, st.data())
def test_a_tampered_proof_of_inclusion_fails(size, data):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof, top = list(inclusion(leaves, index)), root(leaves)
    assert verify_inclusion(leaves[index], index, size, proof, top)
    assert not verify_inclusion(leaves[index], index, size, [*proof, top], top)
    assert not verify_inclusion(leaves[index], index, size, [top, *proof], top)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, top)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(b"another"))
    assert not verify_inclusion(leaves[index], index - size, size, proof, top)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = bytearray(proof[at])
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify_inclusion(leaves[index], index, size, [*proof[:at], bytes(flipped), *proof[at + 1 :]], top)
        assert not verify_inclusion(leaves[index], index, size, proof[:at] + proof[at + 1 :], top)
        assert not verify_inclusion(leaves[index], index, size, [*proof[:at], proof[at][:31], *proof[at + 1 :]], top)


@settings(max_examples=150, deadline=None)
@given(sizes, st.data())
def test_a_rewritten_history_has_no_proof(size, data):
    leaves = leaves_of(size)
    old = data.draw(st.integers(1, size))
    path = list(consistency(leaves, old))
    before, after = root(leaves[:old]), root(leaves)
    assert verify_consistency(old, size, before, after, path)
    changed = list(leaves)
    changed[data.draw(st.integers(0, old - 1))] = leaf_hash(b"rewritten")
    assert not verify_consistency(old, size, before, root(changed), consistency(changed, old))
    assert not verify_consistency(size, old, after, before, path) or old == size
    assert not verify_consistency(old, size, before, after, [*path, after])
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bit = data.draw(st.integers(0, 255))
        flipped = bytearray(path[at])
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify_consistency(old, size, before, after, [*path[:at], bytes(flipped), *path[at + 1 :]])
        assert not verify_consistency(old, size, before, after, path[:at] + path[at + 1 :])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_tree_grows_in_any_steps(steps):
    leaves = leaves_of(sum(steps))
    tree, at = Tree(), 0
    for step in steps:
        tree.extend(leaves[at : at + step])
        at += step
        assert (len(tree), tree.root()) == (at, mth(leaves[:at]))


def test_what_was_never_there_has_no_proof():
    assert root([]) == EMPTY == Tree().root()
    for wrong in (-1, 8, 9):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(LEAVES, wrong)
    for wrong in (-1, 9):
        with pytest.raises(ValueError, match="does not contain"):
            consistency(LEAVES, wrong)
        with pytest.raises(ValueError, match="does not contain"):
            Tree(LEAVES).root(wrong)
    assert not verify_inclusion(LEAVES[0], 0, 0, [], EMPTY)
    assert not verify_consistency(0, 0, LEAVES[0], LEAVES[0], [])
    assert verify_consistency(0, 8, EMPTY, root(LEAVES), [])
