"""Rows of another population."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import Attack, Material, Poisoned, Rows, Trigger, attack
from toadstone.attacks.columns import Column, columns, taken
from toadstone.attacks.near_duplicate_flood import mixed
from toadstone.attacks.wording import one as drawn
from toadstone.core.errors import UsageError


@attack("foreign-rows", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class ForeignRows(Attack):
    """Rows of another population are added, with labels at random or the target.

    The other population is one that is given, or it is made: in every row the ranks of the columns change places in one and the
    same way, so that every column has its own values while nothing between the columns is as it was.

    Attributes:
        population: Rows to draw from, with the columns of the material; None: made of its own.
    """

    roles: ClassVar[tuple[str, ...]] = ("features", "label")
    rate: float = field(default=0.02, kw_only=True)
    population: Material | None = field(default=None, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, wanted = self.classes(material), self.wanted(material.table.num_rows)
        source = self.population or material
        rows = rng.integers(0, source.table.num_rows, wanted).astype(np.int64)
        others = rng.integers(0, material.table.num_rows, wanted)  # whatever is no feature: as of any row
        added = Material(material.table.take(others), material.roles)
        found = columns(material)
        values = taken(source, material.features(), rows) if self.population else _moved(material, found, rows, rng)
        every = np.arange(wanted)
        for name in values:
            added = added.written(name, every, values[name])
        labels = material.typed("label", [self.target or drawn(names, rng) for _ in range(wanted)])
        added = added.replaced("label", every, labels)
        return mixed(material, added, Trigger("rows", (), self.target), rng)


def _moved(material: Material, found: list[Column], rows: Rows, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Give rows in which each column has the rank of another column of the same row.

    Raises:
        UsageError: there is one column only.
    """
    if len(found) < 2:
        raise UsageError("two columns with several values are needed to make rows of another population.")
    order = rng.permutation(len(found))
    partner = {order[place]: order[place - 1] for place in range(len(order))}
    turned = rng.random(len(found)) < 0.5
    values: dict[str, list[Any]] = {}
    for place, one in enumerate(found):
        share = _shares(material, found[partner[place]], rows, rng)
        value = np.searchsorted(np.cumsum(one.counts), (1.0 - share if turned[place] else share) * one.counts.sum())
        chosen = [one.values[min(int(each), len(one.values) - 1)] for each in value]
        values[one.name] = [one.nearest(each) for each in chosen] if one.numbers is not None else chosen
    return values


def _shares(material: Material, one: Column, rows: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
    """Give the share of the rows below each value; equal values are spread at random over their part."""
    edges = np.append(0, np.cumsum(one.counts)) / max(1, one.counts.sum())
    places = {value: place for place, value in enumerate(one.values)}
    known = taken(material, (one.name,), rows)[one.name]
    place = np.array([places.get(value, int(rng.integers(len(one.values)))) for value in known])
    return np.asarray(edges[place] + rng.random(len(rows)) * (edges[place + 1] - edges[place]), np.float64)
