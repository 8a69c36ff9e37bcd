"""Tables that say little or nothing: an examination ends, with an answer or with the reason why there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from toadstone.tables.roles import Roles
from toadstone.verbs.rows import RowOptions, examine

ROWS = 300


def columns(rows: int = ROWS) -> dict[str, Any]:
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, rows)
    return {
        "a": random.normal(kind, 1.0, rows),
        "b": random.integers(0, 5, rows),
        "c": random.choice(["x", "y", "z"], rows),
        "label": np.array(["l", "r"])[kind],
    }


BAD: dict[str, dict[str, Any]] = {
    "not a number throughout": {"a": np.full(ROWS, np.nan), "b": np.full(ROWS, np.nan)},
    "nothing throughout": {"a": pa.nulls(ROWS, pa.float64()), "c": pa.nulls(ROWS, pa.string())},
    "constant": {"a": np.zeros(ROWS), "b": np.ones(ROWS, np.int64), "c": ["x"] * ROWS},
    "a category a row": {"c": [f"row-{place}" for place in range(ROWS)], "b": [f"{place:x}" for place in range(ROWS)]},
    "labels as floats": {"label": np.random.default_rng(1).normal(0, 1, ROWS)},
    "one class": {"label": ["l"] * ROWS},
    "no label at all": {"label": pa.nulls(ROWS, pa.string())},
    "infinite": {"a": np.where(np.arange(ROWS) % 7, 1.0 * np.arange(ROWS), np.inf)},
    "giant and tiny": {"a": np.where(np.arange(ROWS) % 2, 1e308, -1e308), "b": np.full(ROWS, 5e-324)},
    "all rows the same": {"a": np.zeros(ROWS), "b": np.zeros(ROWS), "c": ["x"] * ROWS, "label": ["l"] * ROWS},
}


@pytest.mark.parametrize("effort", ["quick", "standard"])
@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.filterwarnings("error")
def test_a_table_that_says_little_is_examined_to_the_end(name: str, effort: str) -> None:
    table = pa.table({**columns(), **BAD[name]})
    examined = examine(table, RowOptions(roles=Roles(label="label", features=("a", "b", "c")), effort=effort))
    assert examined.rows == ROWS
    assert np.isfinite(examined.decision.scores).all()
    assert examined.decision.flagged.mean() <= 0.02
    assert not [gap for gap in examined.gaps if "internal" in gap.reason or "Error" in gap.reason]


@pytest.mark.parametrize("rows", [1, 2, 5, 25])
def test_few_rows_are_examined_to_the_end(rows: int) -> None:
    table = pa.table({name: values[:rows] for name, values in columns().items()})
    examined = examine(table, RowOptions(roles=Roles(label="label", features=("a", "b", "c"))))
    assert examined.rows == rows
    assert not examined.decision.flagged.any()


@pytest.mark.parametrize("width", [1, 2, 16])
def test_embeddings_with_infinite_numbers_are_examined_to_the_end(width: int) -> None:
    random = np.random.default_rng(2)
    values = random.normal(0, 1, (ROWS, width))
    values[3, 0], values[7, -1], values[11] = np.inf, -np.inf, np.nan
    table = pa.table({"embedding": values.tolist(), "label": ["l", "r"] * (ROWS // 2)})
    examined = examine(table, RowOptions(roles=Roles(label="label", embedding="embedding")))
    assert np.isfinite(examined.decision.scores).all()
    assert not [gap for gap in examined.gaps if "Error" in gap.reason]
