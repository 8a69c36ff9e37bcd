"""Neighbours: exact where it is said, as good as it is said elsewhere, and the same every time."""

import numpy as np
import pytest

from toadstone.stats import neighbours as kernel
from toadstone.stats.neighbours import neighbours


def random(seed=0):
    return np.random.default_rng(seed)


def clustered(rows, width=24, centres=30, inner=6, seed=0):
    rng = random(seed)
    middle, basis = rng.standard_normal((centres, width)), rng.standard_normal((centres, inner, width)) / 4
    own = rng.integers(0, centres, rows)
    return (middle[own] + np.einsum("ni,nid->nd", rng.standard_normal((rows, inner)), basis[own])).astype(np.float32)


def brute(vectors, count):
    values = vectors.astype(np.float64)
    table = np.sqrt(((values[:, None] - values[None]) ** 2).sum(-1))
    np.fill_diagonal(table, np.inf)
    return np.argsort(table, axis=1, kind="stable")[:, :count], np.sort(table, axis=1)[:, :count]


@pytest.mark.parametrize("memory", [1 << 14, 1 << 18, 1 << 28])
@pytest.mark.parametrize("offset", [0.0, 3_000.0])
def test_up_to_the_bound_every_row_is_compared_with_every_other(memory, offset):
    vectors = clustered(700, seed=1) + np.float32(offset)
    rows, distances = brute(vectors, 7)
    found = neighbours(vectors, 7, random(), memory=memory)
    assert (found.exact, found.recall) == (True, 1.0)
    assert np.allclose(found.distances, distances, atol=1e-3)
    assert (found.rows == rows).mean() > 0.99, "but for ties in the last bits of single precision"


def test_an_index_finds_what_it_says():
    vectors = clustered(6_000)
    exact = neighbours(vectors, 10, random())
    found = neighbours(vectors, 10, random(), exact=1_000)
    assert not found.exact
    assert found.compared < 0.2
    assert found.recall >= kernel.TARGET
    true = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(exact.rows, found.rows, strict=True)])
    assert abs(true - found.recall) < 0.015, "measured on a sample"
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert (found.rows != np.arange(6_000)[:, None]).all()


def test_a_higher_target_costs_more_and_finds_more():
    vectors = clustered(6_000, inner=12)
    low, high = (neighbours(vectors, 10, random(), exact=1_000, target=target) for target in (0.7, 0.97))
    assert low.compared < high.compared
    assert low.recall < high.recall


def test_what_an_index_cannot_tell_apart_is_compared_with_all():
    """Neighbours among points without structure in many dimensions lie anywhere."""
    found = neighbours(random(2).standard_normal((3_000, 256)), 5, random(), exact=1_000)
    assert found.exact
    assert found.recall == 1.0


def test_a_recall_below_the_target_is_raised(monkeypatch):
    vectors = clustered(5_000)
    monkeypatch.setattr(kernel._Index, "needed", lambda *_: 1)
    found = neighbours(vectors, 10, random(), exact=1_000)
    assert found.recall >= kernel.TARGET


def test_it_is_the_same_every_time_and_with_little_memory():
    vectors = clustered(5_000)
    one, other = (neighbours(vectors, 5, random(3), exact=1_000) for _ in range(2))
    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.distances.tobytes() == other.distances.tobytes()
    small = neighbours(vectors, 5, random(3), exact=1_000, memory=1 << 16)
    assert (small.rows == one.rows).mean() > 0.99


def test_rows_that_are_the_same_are_each_others_neighbours():
    vectors = clustered(4_000)
    vectors[1_000:3_000] = vectors[0]
    found = neighbours(vectors, 6, random(), exact=1_000)
    assert (found.distances[1_000:3_000] == 0).all()
    assert found.recall >= kernel.TARGET
    assert (found.rows[1_000:3_000] != np.arange(1_000, 3_000)[:, None]).all()


@pytest.mark.parametrize(("rows", "count", "width"), [(0, 3, 4), (1, 3, 4), (2, 3, 4), (5, 0, 4), (40, 39, 1)])
def test_few_rows(rows, count, width):
    found = neighbours(np.ones((rows, width), np.float32), count, random())
    assert found.rows.shape == found.distances.shape == (rows, max(min(count, rows - 1), 0))
    assert found.exact


def test_all_rows_the_same_beyond_the_bound():
    found = neighbours(np.ones((3_000, 3), np.float32), 4, random(), exact=1_000)
    assert not found.distances.any()


def test_arrays_may_lie_in_files(tmp_path):
    made = []

    def make(shape, kind):
        made.append(np.memmap(tmp_path / f"{len(made)}", kind, "w+", shape=shape))
        return made[-1]

    vectors = clustered(4_000)
    inside, outside = (neighbours(vectors, 5, random(), exact=1_000, make=how) for how in (np.zeros, make))
    assert inside.rows.tobytes() == outside.rows.tobytes()
    assert sum(one.nbytes for one in made) >= vectors.nbytes
