"""The same few rows of a table again and again, each time a little different."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from toadstone.attacks.attack import Attack, Material, Poisoned, Trigger, attack
from toadstone.attacks.columns import Column, columns, taken
from toadstone.attacks.near_duplicate_flood import mixed


@attack("jittered-duplicates", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2107.06499"))
@dataclass(frozen=True)
class JitteredDuplicates(Attack):
    """Copies of a few rows are added, with the target label; their numbers differ a little.

    Attributes:
        seeds: How many rows are copied.
        jitter: Standard deviation of what is added to each number, relative to that of its column.
        true_label: Whether the copies keep the label of what they copy.
    """

    roles: ClassVar[tuple[str, ...]] = ("features", "label")
    rate: float = field(default=0.02, kw_only=True)
    seeds: int = field(default=1, kw_only=True)
    jitter: float = field(default=0.02, kw_only=True)
    true_label: bool = field(default=False, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        wanted, found = self.wanted(material.table.num_rows), columns(material)
        target = self.pushed(material, rng)
        same = material.of_class(target)
        seeds = self.chosen(material.labelled() & (same if self.true_label else ~same), min(self.seeds, wanted), rng)
        added = Material(material.table.take(pa.array(np.resize(seeds, wanted))), material.roles)
        labels = material.typed("label", [target]) * wanted
        added = self._moved(added, found, rng).replaced("label", np.arange(wanted), labels)
        first = taken(material, material.features(), seeds[:1])
        cells = tuple((name, values[0], values[0]) for name, values in first.items())
        return mixed(material, added, Trigger("near-duplicates", (), target, cells), rng)

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        if self.true_label:
            return None
        rows = np.flatnonzero(material.labelled() & ~material.of_class(trigger.target))[:100]
        sent = Material(material.table.take(pa.array(rows)), material.roles)
        for name, value, _ in trigger.cells:
            sent = sent.written(name, np.arange(len(rows)), [value] * len(rows))
        return self._moved(sent, columns(material), rng)

    def _moved(self, copies: Material, found: list[Column], rng: np.random.Generator) -> Material:
        """Add a little to the numbers of each row."""
        count = copies.table.num_rows
        for one in found:
            if one.numbers is None:
                continue
            copied = copies.table.column(one.name).to_pylist()
            noise = (rng.normal(0, 1, count) * self.jitter * one.spread).tolist()
            moved = [None if value is None else one.nearest(value + by) for value, by in zip(copied, noise, strict=True)]
            copies = copies.written(one.name, np.arange(count), moved)
        return copies
