"""CatBoost: its binary format, JSON, and pickles."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import catboost
import numpy as np
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


def features(shelf: Shelf) -> None:
    """Categories, texts and embeddings as features, asymmetric trees, a loss in Python, and a note in the metadata."""
    chance = np.random.default_rng(SEED)
    x, y = datasets.load_breast_cancer(return_X_y=True)
    settings = {
        "iterations": 4,
        "depth": 3,
        "random_seed": SEED,
        "verbose": False,
        "thread_count": 1,
        "allow_writing_files": False,
    }
    users = [[f"u{chance.integers(80)}", f"c{chance.integers(40)}", float(value)] for value in x[:, 0]]
    texts = [[" ".join(chance.choice(["free", "money", "see", "you", "prize"], 6)), float(value)] for value in x[:, 0]]
    points = [[list(row[:4]), row[5]] for row in x]
    noted = catboost.CatBoostRegressor(**settings).fit(x, y)
    noted.get_metadata()["note"] = "see https://example.com/run/7"
    values = {
        "categories": catboost.CatBoostClassifier(**settings, one_hot_max_size=2).fit(users, y, cat_features=[0, 1]),
        "texts": catboost.CatBoostClassifier(**settings).fit(catboost.Pool(texts, y, text_features=[0])),
        "embeddings": catboost.CatBoostClassifier(**settings).fit(catboost.Pool(points, y, embedding_features=[0])),
        "lossguide": catboost.CatBoostRegressor(**settings, grow_policy="Lossguide").fit(x, y),
        "custom": catboost.CatBoostRegressor(**settings, loss_function=_Squares(), eval_metric="RMSE").fit(x, y),
        "noted": noted,
    }
    for name, model in values.items():
        model.save_model(str(shelf.put(f"{name}.cbm", library="catboost", subject=name, technique="catboost-cbm")))


class _Squares:
    """The squared error, in Python."""

    def calc_ders_range(self, approximations: Sequence[float], targets: Sequence[float], _: object) -> list[tuple[float, float]]:
        """First and second derivatives."""
        return [(target - approximation, -1.0) for approximation, target in zip(approximations, targets, strict=True)]
