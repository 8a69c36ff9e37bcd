"""pyod: k nearest neighbours and isolation forest on latent semantic features; and per class, since pyod knows no labels."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

warnings.filterwarnings("ignore")


def main(source: str, target: str) -> None:
    """Judge every row."""
    table = pq.read_table(source)
    texts = [text or "" for text in table["text"].to_pylist()]
    labels = np.unique([str(name) for name in table["label"].to_pylist()], return_inverse=True)[1]
    begun = time.process_time()
    words = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    features = TruncatedSVD(min(64, words.shape[1] - 1), random_state=0).fit_transform(words)
    detectors = {}
    for name, make in (("kNN", lambda: KNN(n_neighbors=10)), ("IForest", lambda: IForest(random_state=0))):
        model = make().fit(features)
        detectors[f"pyod {name}"] = {"scores": model.decision_scores_.tolist(), "flags": (model.labels_ == 1).tolist()}
        scores = np.zeros(len(texts))
        for label in range(labels.max() + 1):
            rows = np.flatnonzero(labels == label)
            if len(rows) > 20:
                scores[rows] = make().fit(features[rows]).decision_scores_
        detectors[f"pyod {name}, by class"] = {"scores": scores.tolist(), "flags": None}
    Path(target).write_text(json.dumps({"detectors": detectors, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
