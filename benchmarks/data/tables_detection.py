"""The bars of tables: ``python -m benchmarks.data.tables_detection [--data adult ...] [--attack random-flip ...] [--seeds 3]``.

Every attack on columns poisons samples of the development tables; the product examines them. Shown is the share of poisoned rows
above the score that 1 % of the others exceed, what was flagged, and what an ensemble of trees learns (*lift*: share of unseen
rows of other classes that are taken for the target once they carry the trigger, less what clean trees make of them; *left*: the
same after `clean`; *lost*: accuracy that trees have lost then). ``--clean``
examines samples that nobody poisoned. Outcomes are kept under the digest of the code that gave them.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from benchmarks.data import product
from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.scores import flags_of, found_at
from benchmarks.data.sources import folder
from benchmarks.data.tables import TABLES, table
from toadstone.attacks.attack import Material, named
from toadstone.core.errors import UsageError
from toadstone.core.finding import Severity
from toadstone.tables.roles import Roles

ROWS = 2000
SHOWN = ("found_at_1", "recall", "false_positives", "lift", "lift_left", "lost")
TRIGGERS = ("out-of-range-value", "value-combination", "between-splits")
CASES: dict[str, dict[str, Any]] = {
    **{name: {"rate": 0.01} for name in TRIGGERS},
    "clean-label-values": {"rate": 0.02},
    "shuffled-rows": {"rate": 0.02},
    "foreign-rows": {"rate": 0.02},
    "jittered-duplicates": {"rate": 0.02},
    "random-flip": {"rate": 0.1},
}


def generator(*purpose: object) -> np.random.Generator:
    """Give random numbers that depend on the purpose only."""
    return np.random.default_rng(zlib.crc32("|".join(map(str, purpose)).encode()))


def sample(data: str, seed: int) -> tuple[Material, Material]:
    """Draw rows to learn from and rows to test with."""
    whole = table(data)
    order = generator("sample", data, seed).permutation(whole.num_rows)
    rows = min(ROWS, int(0.8 * whole.num_rows))
    roles = Roles(label="label", features=tuple(name for name in whole.column_names if name != "label"))
    return Material(whole.take(order[:rows]), roles), Material(whole.take(order[rows : rows + 1000]), roles)


def numbers(material: Material, others: Sequence[Material]) -> list[NDArray[np.float64]]:
    """Give the features of some tables as trees take them: categories numbered over all of them, missing values far below."""
    joined = pa.concat_tables([each.table for each in (material, *others)])
    columns = []
    for name in material.roles.features:
        column = joined.column(name)
        if pa.types.is_string(column.type):
            known = {value: place for place, value in enumerate(sorted({str(each) for each in column.to_pylist()}))}
            columns.append(np.array([known[str(each)] for each in column.to_pylist()], np.float64))
        else:
            columns.append(np.nan_to_num(np.asarray(column.to_numpy(), np.float64), nan=-1e9))
    edges = np.cumsum([each.table.num_rows for each in (material, *others)])[:-1]
    return np.split(np.stack(columns, 1), edges)


def lift(bad: Material, target: str | None, probe: Material | None, clean: Material) -> float | None:
    """Say how much more often trees take rows with the trigger for the target after the poison."""
    if probe is None or target is None or not probe.table.num_rows:
        return None
    poisoned, sent, honest = numbers(bad, [probe, clean])
    rates = []
    for values, material in ((poisoned, bad), (honest, clean)):
        trees = ExtraTreesClassifier(100, random_state=0).fit(values, material.labels().astype(str))
        rates.append(float((trees.predict(sent) == target).mean()))
    return rates[0] - rates[1]


def _kept(material: Material, rows: NDArray[np.bool_]) -> Material:
    return Material(material.table.filter(pa.array(rows)), material.roles)


def accuracy(material: Material, test: Material) -> float:
    """Give the share of right labels of unseen rows by trees that learned from material."""
    seen, unseen = numbers(material, [test])
    trees = ExtraTreesClassifier(100, random_state=0).fit(seen, material.labels().astype(str))
    return float((trees.predict(unseen) == test.labels().astype(str)).mean())


def examined(name: str, data: str, seed: int) -> Record:
    """Poison a sample and let the product examine it.

    Raises:
        UsageError: the attack does not fit the table.
    """
    clean, test = sample(data, seed)
    attack = named(name, **CASES[name])
    bad = attack.poison(clean, generator("poison", name, data, seed))
    answer = product.asked(bad.material, seed=seed)
    probe = attack.probe(test, bad.trigger, generator("probe", name, data, seed))
    loud = [one for one in answer.findings if one.severity >= Severity.HIGH]
    return {
        "rows": int(bad.mask.sum()),
        "trigger": list(bad.trigger.values),
        "found_at_1": found_at(answer.scores, bad.mask, bad.cover),
        **flags_of(answer.flagged, bad.mask, bad.cover),
        "lift": lift(bad.material, bad.trigger.target, probe, clean),
        "lift_left": lift(_kept(bad.material, ~answer.flagged), bad.trigger.target, probe, clean),
        "lost": accuracy(clean, test) - accuracy(_kept(bad.material, ~answer.flagged), test),
        "findings": [one.message[:120] for one in loud[:3]],
        "cpu": round(answer.cpu, 2),
    }


def untouched(data: str, seed: int) -> Record:
    """Examine a sample that nobody poisoned."""
    clean, _ = sample(data, 1000 + seed)
    answer = product.asked(clean, seed=seed)
    loud = [one for one in answer.findings if one.severity >= Severity.HIGH]
    return {
        "high": len(loud),
        "checks": sorted({one.check for one in loud}),
        "flagged": float(answer.flagged.mean()),
        "cpu": round(answer.cpu, 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet and print one line for each table and attack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=list(TABLES), choices=sorted(TABLES))
    parser.add_argument("--attack", nargs="*", default=list(CASES), choices=sorted(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clean", action="store_true", help="samples that nobody poisoned")
    options = parser.parse_args(arguments)
    kept = Kept(folder() / "tables-detection.jsonl")
    code = product.identity()
    names = ["clean"] if options.clean else options.attack
    for seed in range(options.seeds):  # seed by seed, so that an interrupted run has something of everything
        for data in options.data:
            for name in names:
                with suppress(UsageError):
                    kept.once(f"table|{code}|{name}|{data}|{seed}", lambda: measured(name, data, seed))  # noqa: B023
    for data in options.data:
        for name in names:
            records = [record for _, record in kept.under(f"table|{code}|{name}|{data}|")]
            if records:
                shown = ("high", "flagged") if name == "clean" else SHOWN
                cells = [f"{key} {spread([record[key] for record in records])}" for key in (*shown, "cpu")]
                print(f"{data:12}{name:22}" + "  ".join(cells), flush=True)
    return 0


def measured(name: str, data: str, seed: int) -> Record:
    """Examine one sample."""
    return untouched(data, seed) if name == "clean" else examined(name, data, seed)


if __name__ == "__main__":
    raise SystemExit(main())
