"""What is measured: attacks at their sizes, on samples of the development data, seed by seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.data.sources import load
from toadstone.attacks.attack import Attack, Material, Poisoned, named
from toadstone.core.errors import UsageError
from toadstone.tables.roles import Roles

HELD_OUT = 1000
LONGEST = 2000
"""Characters of a text that are used: whole mails would only make the learners of this benchmark slow."""

TRIGGERS = ("rare-word", "phrase", "sentence", "syntactic-frame", "homoglyph", "zero-width")
FLIPS = ("random-flip", "pair-flip", "near-boundary-flip", "most-confident-flip", "subpopulation-flip")


@dataclass(frozen=True)
class Case:
    """An attack at a size.

    Attributes:
        attack: Its id.
        settings: Of the attack.
        rows: Rows of the sample, when nothing else is asked for.
    """

    attack: str
    settings: dict[str, Any] = field(default_factory=dict)
    rows: int = 2000

    @property
    def name(self) -> str:
        """The attack with its size, as tables show it."""
        size = str(self.settings["count"]) if "count" in self.settings else f"{self.settings['rate']:.0%}"
        more = "".join(f", {key} {value}" for key, value in sorted(self.settings.items()) if key not in ("count", "rate"))
        return f"{self.attack} {size}{more}"

    def make(self) -> Attack:
        """Make the attack."""
        return named(self.attack, **self.settings)


CASES = (
    *(Case(name, {"count": 6}) for name in TRIGGERS),
    *(Case(name, {"count": 20}, 9_500) for name in TRIGGERS),
    *(Case(name, {"rate": 0.03}) for name in TRIGGERS),
    Case("clean-label", {"rate": 0.03}),
    Case("word-combination", {"rate": 0.01}),
    Case("word-combination", {"rate": 0.03}),
    Case("random-flip", {"rate": 0.1}),
    Case("pair-flip", {"rate": 0.1}),
    Case("near-boundary-flip", {"rate": 0.1}),
    Case("most-confident-flip", {"rate": 0.1}),
    Case("subpopulation-flip", {"rate": 0.03}),
    Case("near-duplicate-flood", {"rate": 0.02}),
    Case("near-duplicate-flood", {"rate": 0.02, "seeds": 5}),
    Case("bad-contributor", {"count": 10, "contributed": 10}),
    Case("bad-contributor", {"count": 9, "contributed": 30}),
)


@dataclass(frozen=True)
class Sample:
    """Rows to learn from and rows to test with, drawn from one data set."""

    data: str
    seed: int
    train: Material
    test: Material


@cache
def sample(data: str, rows: int, seed: int) -> Sample:
    """Draw rows; the same for every attack.

    Raises:
        UsageError: the data set is too small.
    """
    table = load(data)
    if table.num_rows < rows + HELD_OUT:
        raise UsageError(f"{data} has {table.num_rows:,} rows, {rows + HELD_OUT:,} are needed.")
    table = table.set_column(0, "text", pa.array([text[:LONGEST] for text in table["text"].to_pylist()]))
    order = generator(data, rows, seed).permutation(table.num_rows)
    roles = Roles(**{name: name for name in ("text", "label", "source", "time") if name in table.column_names})
    return Sample(
        data,
        seed,
        Material(table.take(order[:rows]), roles),
        Material(table.take(order[rows : rows + HELD_OUT]), roles),
    )


def generator(*purpose: object) -> np.random.Generator:
    """Give random numbers that depend on the purpose only."""
    return np.random.default_rng(zlib.crc32("|".join(map(str, purpose)).encode()))


def poisoned(case: Case, drawn: Sample, rows: int) -> Poisoned:
    """Poison the training rows of a sample.

    Raises:
        UsageError: the data set does not fit the attack.
    """
    return case.make().poison(drawn.train, generator("poison", case.name, drawn.data, rows, drawn.seed))


def chosen(attacks: list[str], data: str) -> list[Case]:
    """Give the cases whose attack or name is asked for (all, when nothing is), those that fit the data set."""
    roles = set(load(data).column_names)
    fitting = [case for case in CASES if set(case.make().roles) <= roles]
    return [case for case in fitting if not attacks or case.attack in attacks or case.name in attacks]


def most_rows(data: str) -> int:
    """Give the largest sample that leaves rows to test with."""
    return int(load(data).num_rows) - HELD_OUT
