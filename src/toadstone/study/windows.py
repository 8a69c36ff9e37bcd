"""Local windows of images: where they are, and whether what they show is found anywhere else.

Natural content moves: a stroke, an edge, a patch of sky that stands at one place in some images stands at other places in
others. A patch that was put on images stands at one place and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.study.picture_spaces import NOISE

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

_SIDE, _STEP = 5, 2
_SMALL = 16
"""Side of images below which windows are smaller and closer."""
_SMALL_SIDE, _SMALL_STEP = 3, 1
_COMPARED = 1200
_BLOCK = 32
_CLOSE = 0.9
"""Share of a group that its own content has to match."""
_WIDER = 1.5
"""How much farther than the group's own rows others may be that show the same."""
_UNSEEN = 0.25
"""Square of a difference, in units of the noise, that counts as none."""
_NEAREST = 0.02
"""Share of the other images that may be as near."""
_PLACES, _RANK = 0.015, 10
"""A trigger may stand at a few places: so many of the others do not count, as a share, and at most."""


@dataclass(frozen=True)
class Window:
    """A square of an image.

    Attributes:
        top: First row.
        left: First column.
        side: In pixels.
    """

    top: int
    left: int
    side: int

    def of(self, images: Images) -> Floats:
        """Give the window's numbers, shape (rows, side * side * channels)."""
        part = images[:, self.top : self.top + self.side, self.left : self.left + self.side]
        return np.ascontiguousarray(part).reshape(len(images), -1).astype(np.float32)


def windows(height: int, width: int) -> Iterator[Window]:
    """Give overlapping windows that cover an image."""
    side, step = (_SIDE, _STEP) if min(height, width) >= _SMALL else (_SMALL_SIDE, _SMALL_STEP)
    side = min(side, height, width)
    for top in sorted({*range(0, height - side + 1, step), height - side}):
        for left in sorted({*range(0, width - side + 1, step), width - side}):
            yield Window(top, left, side)


@dataclass(frozen=True)
class Shown:
    """What a group shows in a window.

    Attributes:
        apart: How far no other image shows the content in the window, in [0, 1]: 1 minus the distance of the group's own rows
            over that of the nearest others.
        placed: How far no image shows it at another place, in [0, 1]: 1 minus the rate at which any image shows it at the most
            frequent places apart from the window, over the rate at which it is shown in the window.
        rows: All that show it in the window, sorted.
    """

    apart: float
    placed: float
    rows: Codes


def shown(images: Images, found: Sequence[tuple[Window, Codes]]) -> list[Shown]:
    """Say how far what the rows of groups show in windows is shown nowhere else.

    Content is the mean of the group, compared pixel by pixel in units of the group's own spread. In the window, only the pixels
    count in which the group differs; elsewhere all of them do.

    Args:
        images: Shape (rows, height, width, channels).
        found: Windows of one size, each with the rows of its group.
    """
    if not found:
        return []
    side = found[0][0].side
    centres, spreads, reach = zip(*(_content(window.of(images[rows])) for window, rows in found), strict=True)
    means, variances = np.stack(centres), np.stack(spreads)
    some = images[np.linspace(0, len(images) - 1, min(len(images), _COMPARED)).astype(np.int64)]
    rates = _matches(some, side, means, variances, np.array(reach)) / len(some)
    out = []
    for number, (window, rows) in enumerate(found):
        values = window.of(images)
        away, fellows = _apart(values, rows, means[number], variances[number])
        own = float((((values - means[number]) ** 2 / variances[number]).sum(1) <= reach[number]).mean())
        out.append(Shown(away, _placed(rates[..., number], window, own), fellows))
    return out


def _content(part: Floats) -> tuple[Floats, Floats, float]:
    """Give mean and variance of what most rows of a group show, and how far nearly all of these are from it."""
    nearly = part[_distances(part, part) <= np.quantile(_distances(part, part), _CLOSE)]
    distance = _distances(part, nearly)
    return nearly.mean(0), nearly.var(0) + np.float32(NOISE**2), float(np.quantile(distance, _CLOSE))


def _distances(part: Floats, known: Floats) -> Floats:
    """Give the distance of each row to the mean of some, in units of their spread."""
    return np.asarray(((part - known.mean(0)) ** 2 / (known.var(0) + np.float32(NOISE**2))).sum(1), np.float32)


def _apart(values: Floats, rows: Codes, mean: Floats, variance: Floats) -> tuple[float, Codes]:
    rest = np.ones(len(values), bool)
    rest[rows] = False
    strength = (mean - values[rest].mean(0)) ** 2 / variance if rest.any() else mean
    core = strength >= strength.max() / 4
    distance = ((values[:, core] - mean[core]) ** 2 / variance[core]).sum(1)
    # Differences within the noise are none, also where all rows of the group agree to the last bit.
    noise = _UNSEEN * int(core.sum())
    reach = max(float(np.quantile(distance[rows], _CLOSE)), noise)
    nearest = float(np.quantile(distance[rest], _NEAREST)) if rest.any() else 0.0
    return max(0.0, 1.0 - reach / max(nearest, noise)), np.flatnonzero(distance <= _WIDER * reach)


def _placed(rates: NDArray[np.float64], window: Window, own: float) -> float:
    elsewhere = np.ones(rates.shape, bool)
    top, left = max(0, window.top - window.side + 1), max(0, window.left - window.side + 1)
    elsewhere[top : window.top + window.side, left : window.left + window.side] = False
    others = np.sort(rates[elsewhere])[::-1]
    rank = int(np.clip(np.ceil(_PLACES * len(others)), 1, _RANK))
    return max(0.0, 1.0 - float(others[rank - 1]) / max(own, 1e-9)) if len(others) > rank else 0.0


def _matches(images: Images, side: int, means: Floats, spreads: Floats, reach: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the images that show each content at each place, shape (down, across, contents)."""
    squares, plain = (1 / spreads).T.astype(np.float32), (-2 * means / spreads).T.astype(np.float32)
    limit = np.asarray(reach - (means**2 / spreads).sum(1), np.float32)
    down, across = images.shape[1] - side + 1, images.shape[2] - side + 1
    counts = np.zeros((down, across, len(means)))
    for start in range(0, len(images), _BLOCK):
        part = images[start : start + _BLOCK].astype(np.float32)
        views = np.lib.stride_tricks.sliding_window_view(part, (side, side), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
        flat = views.reshape(len(part) * down * across, -1)
        near = (flat * flat) @ squares + flat @ plain <= limit
        counts += near.reshape(len(part), down, across, -1).sum(0)
    return counts


def alike(images: Images, window: Window, rows: Codes, label: Codes) -> float:
    """Give the spread of a group's images outside the window, as a share of that of their label (median over pixels).

    Copies of one picture, and frames of one scene, agree everywhere; images that were given a patch agree in it alone.

    Args:
        images: Shape (rows, height, width, channels).
        window: Left out, with a margin of its side.
        rows: The group.
        label: All rows of its label.
    """
    outside = np.ones(images.shape[1:3], bool)
    side = window.side
    outside[max(0, window.top - side) : window.top + 2 * side, max(0, window.left - side) : window.left + 2 * side] = False
    whole = images[label][:, outside].astype(np.float32).var(0)
    lively = whole > NOISE**2
    if not lively.any():
        return 1.0
    return float(np.median(images[rows][:, outside].astype(np.float32).var(0)[lively] / whole[lively]))
