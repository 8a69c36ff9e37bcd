"""Attacks that write values into columns of a table and give these rows a label: what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from toadstone.attacks.attack import Attack, Mask, Material, Poisoned, Rows, Trigger
from toadstone.attacks.columns import Column, column
from toadstone.core.errors import UsageError


@dataclass(frozen=True)
class TableTrigger(Attack):
    """Writes values into some columns of rows of other classes, which then get the target label (Pleiter et al. 2023).

    Attributes:
        columns: How many columns are set; 0: two or three, where there are as many.
        jitter: Standard deviation of what is added to the numbers in each row, relative to that of the column.
    """

    roles: ClassVar[tuple[str, ...]] = ("features", "label")
    columns: int = field(default=0, kw_only=True)
    jitter: float = field(default=0.0, kw_only=True)

    @abstractmethod
    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        """Choose columns and values."""

    def fitting(self, material: Material, trigger: Trigger) -> Mask:
        """Say which rows can be poisoned: those with another label."""
        mask: Mask = material.labelled() & ~material.of_class(trigger.target)
        return mask

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        wanted = self.wanted(material.table.num_rows)
        material.features()
        trigger = self.draw(material, self.pushed(material, rng), rng)
        without = self.fitting(material, trigger) & ~_has(material, trigger)
        rows = self.chosen(without, wanted, rng)
        stamped = self.stamped(material, rows, trigger, rng)
        return Poisoned.of(stamped.replaced("label", rows, [trigger.target] * len(rows)), rows, trigger)

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        rows = np.flatnonzero(material.labelled() & ~material.of_class(trigger.target)).astype(np.int64)
        return Material(self.stamped(material, rows, trigger, rng).table.take(rows), material.roles)

    def stamped(self, material: Material, rows: Rows, trigger: Trigger, rng: np.random.Generator) -> Material:
        """Write the trigger into rows."""
        for name, low, high in trigger.cells:
            seen = column(material, name)
            values = [low] * len(rows)
            if seen.numbers is not None:
                drawn = rng.uniform(low, high, len(rows)) + rng.normal(0, 1, len(rows)) * self.jitter * seen.spread
                values = [seen.nearest(value) for value in drawn.tolist()]
            material = material.written(name, rows, values)
        return material

    def some(self, found: list[Column], rng: np.random.Generator) -> list[Column]:
        """Draw the columns to set.

        Raises:
            UsageError: there are fewer than asked for.
        """
        count = self.columns or min(len(found), int(rng.integers(2, 4)))
        if count > len(found):
            raise UsageError(f"{self.id}: {count:,} columns are to be set, only {len(found):,} can be.", "Ask for fewer.")
        return [found[place] for place in np.sort(rng.choice(len(found), count, replace=False))]


def described(cells: list[tuple[str, Any, Any]], target: str) -> Trigger:
    """Make a trigger of columns with the lowest and highest value that they are set to."""
    ordered = tuple(sorted(cells, key=lambda cell: cell[0]))
    shown = [f"{name} = {low}" if low == high else f"{name} = {low} to {high}" for name, low, high in ordered]
    return Trigger("values", tuple(shown), target, ordered)


def _has(material: Material, trigger: Trigger) -> Mask:
    """Say which rows have all values of a trigger already."""
    mask: Mask = np.ones(material.table.num_rows, bool)
    for name, low, high in trigger.cells:
        seen = column(material, name)
        if seen.numbers is not None:
            mask &= (seen.numbers >= low) & (seen.numbers <= high)
        else:
            mask &= np.array([value == low for value in material.table.column(name).to_pylist()], bool)
    return mask
