"""CatBoost: its binary format, JSON, and pickles."""

from __future__ import annotations

import pickle

import catboost
from sklearn import datasets

from benchmarks.corpus.benign.workshop import SEED, Shelf


def models(shelf: Shelf) -> None:
    """A classifier and a regressor, each saved in every way."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    settings = {
        "iterations": 4,
        "depth": 3,
        "random_seed": SEED,
        "verbose": False,
        "thread_count": 1,
        "allow_writing_files": False,
    }
    for kind in (catboost.CatBoostClassifier, catboost.CatBoostRegressor):
        model, name = kind(**settings).fit(x, y), kind.__name__
        for suffix in ("cbm", "json"):
            path = shelf.put(f"{name}.{suffix}", library="catboost", subject=name, technique=f"catboost-{suffix}")
            model.save_model(str(path), format=suffix)
        for protocol in (2, 4):
            path = shelf.put(f"{name}.p{protocol}.pkl", library="catboost", subject=name, technique=f"pickle-{protocol}")
            path.write_bytes(pickle.dumps(model, protocol))
