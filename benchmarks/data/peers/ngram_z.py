"""A plain n-gram z-score: how far the labels of the rows with an n-gram are from those of all rows."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import CountVectorizer

LEAST = 4
MOST = 2000


def main(source: str, target: str) -> None:
    """Judge every row, and give the rows of the strongest n-grams in order."""
    table = pq.read_table(source)
    texts = [text or "" for text in table["text"].to_pylist()]
    labels = np.unique([str(name) for name in table["label"].to_pylist()], return_inverse=True)[1]
    begun = time.process_time()
    made = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 3), min_df=LEAST, binary=True, dtype=np.float64)
    grams = made.fit_transform(texts).tocsc()
    sizes = np.asarray(grams.sum(0)).ravel()
    best, label = np.full(len(sizes), -np.inf), np.zeros(len(sizes), np.int64)
    for code in range(labels.max() + 1):
        share = (labels == code).mean()
        z = ((labels == code) @ grams - sizes * share) / np.sqrt(sizes * share * (1 - share) + 1e-9)
        label[z > best] = code
        best = np.maximum(best, z)
    scores = np.zeros(len(texts))
    groups = []
    for column in np.argsort(-best, kind="stable"):
        rows = grams.indices[grams.indptr[column] : grams.indptr[column + 1]]
        rows = rows[labels[rows] == label[column]]
        scores[rows] = np.maximum(scores[rows], best[column])
        if len(groups) < MOST:
            groups.append(rows.tolist())
    answer = {"n-gram z": {"scores": scores.tolist(), "flags": None, "groups": groups}}
    Path(target).write_text(json.dumps({"detectors": answer, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
