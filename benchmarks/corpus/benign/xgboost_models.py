"""XGBoost: wrappers and boosters as pickles, JSON and UBJSON."""

from __future__ import annotations

import pickle
from typing import Any

import joblib
import numpy as np
import xgboost
from sklearn import datasets

from benchmarks.corpus.benign.workshop import SEED, Shelf


def models(shelf: Shelf) -> None:
    """Classifier, regressor, ranker, random forest and a bare booster, each saved in every way."""
    for name, model in _fitted().items():
        for protocol in (2, 4, 5):
            path = shelf.put(f"{name}.p{protocol}.pkl", library="xgboost", subject=name, technique=f"pickle-{protocol}")
            path.write_bytes(pickle.dumps(model, protocol))
        joblib.dump(model, shelf.put(f"{name}.joblib", library="xgboost", subject=name, technique="joblib"))
        for suffix in ("json", "ubj"):
            path = shelf.put(f"{name}.{suffix}", library="xgboost", subject=name, technique=f"xgboost-{suffix}")
            model.save_model(path)


def _fitted() -> dict[str, Any]:
    x, y = datasets.load_breast_cancer(return_X_y=True)
    settings: dict[str, Any] = {"n_estimators": 6, "max_depth": 3, "random_state": SEED, "n_jobs": 1}
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(x, y), 4)
    booster.set_attr(note="best", url="https://example.com/run/7")
    groups = np.repeat(np.arange(8), 72)[: len(y)]
    return {
        "XGBClassifier": xgboost.XGBClassifier(**settings).fit(x, y),
        "XGBRegressor": xgboost.XGBRegressor(**settings, booster="dart").fit(x, y),
        "XGBRanker": xgboost.XGBRanker(**settings).fit(x, y, qid=groups),
        "XGBRFClassifier": xgboost.XGBRFClassifier(**settings).fit(x, y),
        "gblinear": xgboost.XGBRegressor(n_estimators=4, booster="gblinear", n_jobs=1).fit(x, y),
        "Booster": booster,
    }


def other_forms(shelf: Shelf) -> None:
    """Linear, pruned, multi-class, vector-valued and categorical models, and the old binary form where it is still written."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    flowers, kinds = datasets.load_iris(return_X_y=True)
    named = xgboost.DMatrix(x, y, feature_names=[f"größe {index} (cm)" for index in range(x.shape[1])])
    numbers = np.stack([np.arange(160) % 5, np.arange(160) % 7], 1)
    mixed = xgboost.DMatrix(numbers, np.arange(160) % 3, feature_types=["c", "q"], enable_categorical=True)
    softmax = {"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "nthread": 1}
    boosters = {
        "dart": xgboost.train({"booster": "dart", "max_depth": 2, "nthread": 1}, named, 3),
        "pruned": xgboost.train({"tree_method": "exact", "gamma": 3.0, "nthread": 1}, named, 4),
        "softprob": xgboost.train(softmax, xgboost.DMatrix(flowers, kinds), 3),
        "categorical": xgboost.train({"tree_method": "hist", "max_cat_to_onehot": 1, "nthread": 1}, mixed, 4),
    }
    old = xgboost.__version__.startswith("1.")
    for name, booster in boosters.items():
        for suffix in ("json", "ubj", *(["model"] if old and name != "categorical" else [])):
            path = shelf.put(f"{name}.{suffix}", library="xgboost", subject=name, technique=f"xgboost-{suffix}")
            booster.save_model(path)
