"""cleanlab: `find_label_issues` and Datalab, with the probabilities and features that its own guide asks for."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from cleanlab import Datalab
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

warnings.filterwarnings("ignore")


def main(source: str, target: str) -> None:
    """Judge every row."""
    table = pq.read_table(source)
    texts = [text or "" for text in table["text"].to_pylist()]
    labels = np.unique([str(name) for name in table["label"].to_pylist()], return_inverse=True)[1]
    begun = time.process_time()
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=300, tol=1e-3)
    )
    probabilities = cross_val_predict(model, texts, labels, cv=5, method="predict_proba")
    flags = np.asarray(find_label_issues(labels, probabilities), bool)
    scores = 1 - get_label_quality_scores(labels, probabilities)
    words = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    features = TruncatedSVD(min(100, words.shape[1] - 1), random_state=0).fit_transform(words)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    lab = Datalab({"label": labels.tolist()}, label_name="label", verbosity=0)
    lab.find_issues(features=features, pred_probs=probabilities, issue_types={"label": {}, "outlier": {}, "near_duplicate": {}})
    detectors = {"cleanlab find_label_issues": {"scores": scores.tolist(), "flags": flags.tolist()}}
    for name in ("label", "outlier", "near_duplicate"):
        issues = lab.get_issues(name)
        detectors[f"Datalab {name.replace('_', '-')}"] = {
            "scores": (1 - issues[f"{name}_score"].to_numpy(float)).tolist(),
            "flags": issues[f"is_{name}_issue"].to_numpy(bool).tolist(),
        }
    Path(target).write_text(json.dumps({"detectors": detectors, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
