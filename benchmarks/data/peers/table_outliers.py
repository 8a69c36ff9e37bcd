"""Datalab and pyod on the rows of a table: ``python table_outliers.py FILE.parquet SCORES.json``."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from cleanlab import Datalab
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

warnings.filterwarnings("ignore")


def main(source: str, target: str) -> None:
    """Judge every row, in every way that the two know; higher is worse."""
    table = pq.read_table(source)
    vectors = np.asarray(table["vector"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    labels = np.unique(table["label"].to_pylist(), return_inverse=True)[1]
    begun = time.process_time()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    said = cross_val_predict(ExtraTreesClassifier(100, random_state=0), vectors, labels, cv=folds, method="predict_proba")
    lab = Datalab({"label": labels}, label_name="label", verbosity=0)
    lab.find_issues(features=vectors, pred_probs=said, issue_types={"label": {}, "outlier": {}, "near_duplicate": {}})
    scores = {
        f"Datalab {name}": 1 - lab.get_issues(name)[f"{name}_score"].to_numpy() for name in ("label", "outlier", "near_duplicate")
    }
    for name, model in (("kNN", KNN(n_neighbors=10)), ("IForest", IForest(random_state=0)), ("ECOD", ECOD())):
        scores[f"pyod {name}"] = model.fit(vectors).decision_scores_
    written = {name: np.asarray(values, float).tolist() for name, values in scores.items()}
    Path(target).write_text(json.dumps({"detectors": written, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
