"""LightGBM: wrappers and boosters as pickles, joblib and text."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import lightgbm
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
