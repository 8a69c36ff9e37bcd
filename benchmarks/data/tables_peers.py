"""Peers of the checks of tables: ``python -m benchmarks.data.tables_peers [--data adult ...] [--seeds 3]``.

For flipped labels the self-confidence, across folds, of five learners of scikit-learn, each at the setting with the best accuracy
across folds, against `label-flip` alone. For the other attacks Datalab and pyod, in an interpreter of their own
(``TOADSTONE_BENCH_PEERS``). Numbers are standardised, categories one column each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from os import environ
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.data import product
from benchmarks.data.flips import doubt, judged, margins
from benchmarks.data.kept import Kept, Record, spread
from benchmarks.data.scores import found_at
from benchmarks.data.sources import folder
from benchmarks.data.tables import TABLES
from benchmarks.data.tables_detection import CASES, generator, sample
from toadstone.attacks.attack import Material, named
from toadstone.core.errors import UsageError
from toadstone.study.small import study_of
from toadstone.views.vectors import Features

LEARNERS: dict[str, list[Any]] = {
    "logistic": [LogisticRegression(C=c, max_iter=300) for c in (0.1, 1.0, 10.0)],
    "kNN": [KNeighborsClassifier(near, weights="distance") for near in (5, 15, 40)],
    "forest": [RandomForestClassifier(200, min_samples_leaf=leaf, random_state=0) for leaf in (1, 3)],
    "boosting": [
        HistGradientBoostingClassifier(max_iter=n, max_leaf_nodes=leaves, random_state=0) for n, leaves in ((60, 8), (100, 31))
    ],
    "Bayes": [GaussianNB(var_smoothing=smoothing) for smoothing in (1e-9, 1e-2, 0.1)],
}


def dense(material: Material) -> NDArray[np.float64]:
    """Give the features as numbers of about one size."""
    numbers, names = [], []
    for name in material.roles.features:
        column = material.table.column(name)
        if pa.types.is_string(column.type):
            names.append([str(value) for value in column.to_pylist()])
        else:
            numbers.append(np.nan_to_num(np.asarray(column.to_numpy(), np.float64)))
    parts = [StandardScaler().fit_transform(np.stack(numbers, 1))] if numbers else []
    if names:
        parts.append(OneHotEncoder(sparse_output=False).fit_transform(np.array(names).T))
    return np.concatenate(parts, 1)


def flips(data: str, seed: int) -> Record:
    """Let `label-flip` alone and the learners judge a sample with a tenth of its labels flipped."""
    clean, _ = sample(data, seed)
    bad = named("random-flip", **CASES["random-flip"]).poison(clean, generator("poison", "random-flip", data, seed))
    study = study_of(bad.material.table, [Features()], roles=bad.material.roles)
    answer: Record = {"ours": judged(study, bad.mask)["ours"]}
    values, codes = dense(bad.material), np.unique(bad.material.labels().astype(str), return_inverse=True)[1]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(values, codes))
    for name, settings in LEARNERS.items():
        best = (-1.0, 0.0)
        for model in settings:
            said = np.zeros((len(codes), int(codes.max()) + 1))
            for seen, held in folds:
                said[held] = margins(model.fit(values[seen], codes[seen]), values[held])
            accuracy = float((said.argmax(1) == codes).mean())
            best = max(best, (accuracy, found_at(doubt(said, codes), bad.mask, np.zeros_like(bad.mask))))
        answer[name] = best[1]
    return answer


def outliers(name: str, data: str, seed: int) -> Record:
    """Let Datalab and pyod judge a poisoned sample.

    Raises:
        UsageError: the attack does not fit the table.
    """
    clean, _ = sample(data, seed)
    bad = named(name, **CASES[name]).poison(clean, generator("poison", name, data, seed))
    table = pa.table({"vector": dense(bad.material).tolist(), "label": bad.material.labels().astype(str)})
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place, "rows.parquet"), Path(place, "scores.json")
        pq.write_table(table, source)
        script = Path(__file__).with_name("peers") / "table_outliers.py"
        subprocess.run([environ["TOADSTONE_BENCH_PEERS"], str(script), str(source), str(target)], check=True)
        found = json.loads(target.read_text())["detectors"]
    return {peer: found_at(np.array(scores), bad.mask, bad.cover) for peer, scores in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured yet and print one line for each table and attack."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=list(TABLES), choices=sorted(TABLES))
    parser.add_argument("--attack", nargs="*", default=list(CASES), choices=sorted(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    kept, code, poison = Kept(folder() / "tables-peers.jsonl"), product.identity(), product.poison_identity()
    for seed in range(options.seeds):
        for data in options.data:
            if "random-flip" in options.attack:
                kept.once(f"flips|{code}|{data}|{seed}", lambda: flips(data, seed))  # noqa: B023
            for name in [each for each in options.attack if each != "random-flip" and "TOADSTONE_BENCH_PEERS" in environ]:
                with suppress(UsageError):
                    kept.once(f"outliers|{poison}|{name}|{data}|{seed}", lambda: outliers(name, data, seed))  # noqa: B023
    for prefix in (f"flips|{code}|", f"outliers|{poison}|"):
        cells: dict[str, list[Record]] = {}
        for key, record in kept.under(prefix):
            cells.setdefault(" ".join(key.split("|")[2:-1]), []).append(record)
        for cell, records in cells.items():
            print(
                f"{cell:30}" + "  ".join(f"{name} {spread([each[name] for each in records])}" for name in records[0]), flush=True
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
