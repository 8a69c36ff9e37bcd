"""LightGBM: wrappers and boosters as pickles, joblib and text."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import lightgbm
import numpy as np
from sklearn import datasets

from benchmarks.corpus.benign.workshop import SEED, Shelf


def models(shelf: Shelf) -> None:
    """Classifier, regressor and a bare booster, each saved in every way."""
    for name, model in _fitted().items():
        for protocol in (2, 4, 5):
            path = shelf.put(f"{name}.p{protocol}.pkl", library="lightgbm", subject=name, technique=f"pickle-{protocol}")
            path.write_bytes(pickle.dumps(model, protocol))
        joblib.dump(model, shelf.put(f"{name}.joblib", library="lightgbm", subject=name, technique="joblib"))
        booster = getattr(model, "booster_", model)
        booster.save_model(shelf.put(f"{name}.txt", library="lightgbm", subject=name, technique="lightgbm-text"))


def _fitted() -> dict[str, Any]:
    x, y = datasets.load_breast_cancer(return_X_y=True)
    settings: dict[str, Any] = {"n_estimators": 5, "num_leaves": 7, "random_state": SEED, "n_jobs": 1, "verbose": -1}
    parameters = {"num_leaves": 7, "verbose": -1, "num_threads": 1, "objective": "binary"}
    return {
        "LGBMClassifier": lightgbm.LGBMClassifier(**settings).fit(x, y),
        "LGBMRegressor": lightgbm.LGBMRegressor(**settings, boosting_type="dart").fit(x, y),
        "Booster": lightgbm.train(parameters, lightgbm.Dataset(x, y), 4),
    }


def boosters(shelf: Shelf) -> None:
    """Random forests, linear leaves, categories, several classes, constraints, and a model that learned nothing."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    x[:, 0] = np.arange(len(x)) % 9
    common = {"verbose": -1, "num_threads": 1, "seed": SEED}
    parameters: dict[str, dict[str, Any]] = {
        "forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "feature_fraction": 0.5, "objective": "binary"},
        "linear": {"linear_tree": True},
        "categories": {"objective": "binary", "categorical_feature": [0]},
        "classes": {"objective": "multiclass", "num_class": 3},
        "constant": {"min_data_in_leaf": 10_000},
        "monotone": {"monotone_constraints": [1] * x.shape[1]},
        "quantised": {"use_quantized_grad": True},
    }
    for name, chosen in parameters.items():
        booster = lightgbm.train({**common, **chosen}, lightgbm.Dataset(x, y), 4)
        booster.save_model(shelf.put(f"{name}.txt", library="lightgbm", subject=name, technique="lightgbm-text"))
