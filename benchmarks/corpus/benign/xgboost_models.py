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
