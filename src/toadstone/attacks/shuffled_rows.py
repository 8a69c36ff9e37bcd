"""Rows whose values are each right and together wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from toadstone.attacks.attack import Attack, Material, Poisoned, Trigger, attack
from toadstone.attacks.columns import columns, taken
from toadstone.core.errors import UsageError


@attack("shuffled-rows", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class ShuffledRows(Attack):
    """Some rows exchange their values column by column: each column is as before, no row means anything any more.

    Labels stay where they are; a target gives all these rows one label.
    """

    roles: ClassVar[tuple[str, ...]] = ("features", "label")
    rate: float = field(default=0.02, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names = tuple(one.name for one in columns(material))
        if len(names) < 2:
            raise UsageError(f"{self.id}: two columns with several values are needed, there are {len(names)}.")
        self.classes(material)
        rows = self.chosen(material.labelled(), self.wanted(material.table.num_rows), rng)
        values = taken(material, names, rows)
        changed = material
        for name in names:
            order = rng.permutation(len(rows))
            changed = changed.written(name, rows, [values[name][place] for place in order])
        if self.target is not None:
            changed = changed.replaced("label", rows, [self.target] * len(rows))
        before, after = material.table.take(pa.array(rows)).to_pylist(), changed.table.take(pa.array(rows)).to_pylist()
        moved = np.array([one != other for one, other in zip(before, after, strict=True)], bool)
        return Poisoned.of(changed, rows[moved], Trigger("rows", (), self.target))
