"""What stands at one place of images and nowhere else, and what doubted rows have in common."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.stats.contrast import crossed, cut
from toadstone.study.windows import Window, alike, shown, windows


def _images(rows: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, 20, 20, 1), np.uint8)


@pytest.mark.parametrize("sides", [(8, 8), (20, 17), (4, 30), (2, 2)])
def test_windows_cover_every_pixel(sides: tuple[int, int]) -> None:
    covered = np.zeros(sides, bool)
    for window in windows(*sides):
        covered[window.top : window.top + window.side, window.left : window.left + window.side] = True
    assert covered.all()


def test_a_patch_is_apart_and_placed() -> None:
    images = _images()
    images[:40, 10:13, 10:13] = 255
    [seen] = shown(images, [(Window(9, 9, 5), np.arange(40))])
    assert seen.apart > 0.9
    assert seen.placed > 0.9
    assert seen.rows.tolist() == list(range(40))


def test_what_moves_about_is_not_placed() -> None:
    images = _images()
    images[:40, 10:13, 10:13] = 255
    for row in range(40, 300):
        for top in range(0, 18, 6):
            images[row, top : top + 3, 2:5] = images[row, top : top + 3, 14:17] = 255
    [seen] = shown(images, [(Window(10, 10, 3), np.arange(40))])
    assert seen.placed < 0.1


def test_the_same_content_is_found_in_rows_outside_the_group() -> None:
    images = _images()
    images[:80, 10:13, 10:13] = 255
    [seen] = shown(images, [(Window(9, 9, 5), np.arange(40))])
    assert seen.rows.tolist() == list(range(80))
    assert seen.apart < 0.5


def test_copies_are_alike_and_patched_images_are_not() -> None:
    images = _images()
    assert alike(images, Window(0, 0, 5), np.arange(40), np.arange(300)) > 0.8
    images[:40] = images[0]
    assert alike(images, Window(0, 0, 5), np.arange(40), np.arange(300)) < 0.1


def test_a_cut_finds_where_doubted_rows_are() -> None:
    scores = np.linspace(1, 0, 100).astype(np.float32)
    doubted = np.arange(100) < 20
    best = cut(scores, doubted, 5, 0.5)
    assert (best.rows, best.hits) == (20, 20)
    assert best.log_ratio == pytest.approx(20 * np.log(5))


def test_halves_agree_on_a_mark_and_not_on_noise() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(600, 30)).astype(np.float32)
    doubted, half, every = np.arange(600) % 10 == 0, random.permutation(600) % 2 == 0, np.ones(600, bool)
    noise = crossed(values, doubted, every, half)
    assert noise is not None
    assert abs(noise[doubted].mean() - noise[~doubted].mean()) < 0.5
    values[doubted, 0] += 4
    marked = crossed(values, doubted, every, half)
    assert marked is not None
    assert marked[doubted].mean() > 2
    assert crossed(values, np.arange(600) < 3, every, half) is None
