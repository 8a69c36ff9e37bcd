"""Copies of images are found though they are moved, toned and noisy; images that only resemble each other are none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits

from benchmarks.data.images import material
from toadstone.attacks.attack import Material, named
from toadstone.checks.data.near_duplicate_flood import NearDuplicateFlood
from toadstone.core.finding import Severity
from toadstone.stats.alignment import bands, tangents, unlike
from toadstone.stats.nearest import nearest
from toadstone.study.alike_images import alike_images
from toadstone.study.decision import Decision, decide
from toadstone.study.small import study_of
from toadstone.tables.roles import Roles
from toadstone.views.pixels import Pixels


def digits(rows: int = 900) -> Material:
    """Real digits, three times as large, smoothed."""
    bunch = load_digits()
    large = np.kron(bunch.images[:rows], np.ones((3, 3)))
    smooth = sum(np.roll(large, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
    noise = np.random.default_rng(0).normal(0, 3, smooth.shape)
    images = np.clip(20 + 13 * smooth + noise, 0, 255).astype(np.uint8)
    return material(images[..., None], [str(digit) for digit in bunch.target[:rows].tolist()])


def judged(given: Material) -> Decision:
    study = study_of(given.table, [Pixels()], roles=given.roles)
    check = NearDuplicateFlood()
    return decide(study, [(check, check.weigh(study))])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_flood_of_jittered_copies_is_quarantined(seed):
    poisoned = named("jittered-images", rate=0.03, tone=0.15, noise=6.0).poison(digits(), np.random.default_rng(seed))
    decision = judged(poisoned.material)
    assert decision.flagged[poisoned.mask].mean() > 0.7
    assert not decision.flagged[~poisoned.mask].any()
    assert decision.findings[0].severity >= Severity.MEDIUM
    assert "images" in decision.findings[0].message


def test_digits_of_one_kind_are_no_flood():
    decision = judged(digits())
    assert not decision.flagged.any()
    assert all(finding.severity < Severity.MEDIUM for finding in decision.findings)


def test_copies_blank_rows_and_gaps_do_no_harm():
    given = digits(300)
    images = given.images()
    images[5:9] = images[4]
    images[20:60] = 128
    labels = [None if row % 7 == 0 else name for row, name in enumerate(given.labels().tolist())]
    made = material(images, ["0"] * 300)
    table = made.table.set_column(1, "label", pa.array(labels))
    study = study_of(table, [Pixels()], roles=made.roles)
    found = alike_images(study).families.content
    assert found[5:9].tolist() == [4] * 4
    assert found[20:60].tolist() == list(range(20, 60))  # images that show nothing are copies of nothing
    check = NearDuplicateFlood()
    decision = decide(study, [(check, check.weigh(study))])
    assert not decision.flagged.any()


@pytest.mark.parametrize("shape", [(2, 8, 8), (60, 1, 1), (60, 3, 40), (60, 90, 9)])
def test_any_shape_of_images(shape):
    images = np.random.default_rng(1).integers(0, 256, (*shape, 1)).astype(np.uint8)
    given = material(images, ["a", "b"] * (shape[0] // 2))
    study = study_of(given.table, [Pixels()], roles=Roles(image="image", label="label"))
    assert len(alike_images(study).cores) == shape[0]


def test_what_was_moved_and_toned_is_explained_and_what_is_other_is_not():
    rng = np.random.default_rng(2)
    coarse = np.kron(rng.normal(0, 40, (40, 8, 8)), np.ones((4, 4)))
    one, moved = coarse[:, 2:30, 2:30], coarse[:, 3:31, 2:30] * 1.2 + 10
    show = [np.clip(120 + image, 0, 255).astype(np.uint8)[..., None] for image in (one, moved)]
    basis, flat = tangents(bands(show[0])), bands(show[1]).reshape(40, -1).astype(np.float32)
    left = unlike(basis, np.broadcast_to(flat, (40, *flat.shape)))
    same = np.eye(40, dtype=bool)
    assert np.median(left[same]) < 0.2
    assert np.median(left[~same]) > 0.85
    again = np.einsum("nip,njp->nij", basis, basis)
    assert np.abs(again - np.eye(4)).max() < 1e-3


def test_neighbours_in_cells_are_those_of_all_pairs(monkeypatch):
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(3000, 16)).astype(np.float32)
    vectors[2000:2040] = vectors[7] + rng.normal(0, 0.01, (40, 16))
    exact = nearest(vectors, 5, rng)
    squares = ((vectors[:50, None] - vectors) ** 2).sum(2)
    squares[np.arange(50), np.arange(50)] = np.inf
    assert (exact[:50] == np.argsort(squares, axis=1)[:, :5]).mean() > 0.99
    monkeypatch.setattr("toadstone.stats.nearest.EXACT", 1000)
    some = nearest(vectors, 5, np.random.default_rng(0))
    copies = np.arange(2000, 2040)
    assert (np.isin(some[copies], [*copies.tolist(), 7])).all()
    assert (some != np.arange(3000)[:, None]).all()


def test_few_rows():
    assert nearest(np.zeros((1, 3), np.float32), 5, np.random.default_rng(0)).shape == (1, 0)
    assert nearest(np.zeros((3, 3), np.float32), 5, np.random.default_rng(0)).shape == (3, 2)
