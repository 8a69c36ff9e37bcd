"""UMAP: an embedding with its compiled neighbour search, by joblib and pickle."""

from __future__ import annotations

import pickle

import joblib
import umap
from sklearn import datasets

from benchmarks.corpus.benign.workshop import SEED, Shelf


def embedding(shelf: Shelf) -> None:
    """A fitted reducer."""
    x, _ = datasets.load_iris(return_X_y=True)
    model = umap.UMAP(n_neighbors=5, n_epochs=10, random_state=SEED, n_jobs=1).fit(x)
    joblib.dump(model, shelf.put("UMAP.joblib", library="umap-learn", subject="UMAP", technique="joblib"))
    shelf.put("UMAP.p4.pkl", library="umap-learn", subject="UMAP", technique="pickle-4").write_bytes(pickle.dumps(model, 4))
