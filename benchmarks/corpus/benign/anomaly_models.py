"""PyOD detectors by joblib and pickle."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF

from benchmarks.corpus.benign.workshop import SEED, Shelf


def detectors(shelf: Shelf) -> None:
    """Six detectors, each in two formats."""
    x = np.random.default_rng(SEED).normal(size=(60, 3))
    for number, model in enumerate((ECOD(), COPOD(), HBOS(), KNN(), LOF(), IForest(n_estimators=5, random_state=SEED))):
        name, protocol = type(model).__name__, 2 + number % 4
        model.fit(x)
        joblib.dump(model, shelf.put(f"{name}.joblib", library="pyod", subject=name, technique="joblib"))
        path = shelf.put(f"{name}.p{protocol}.pkl", library="pyod", subject=name, technique=f"pickle-{protocol}")
        path.write_bytes(pickle.dumps(model, protocol))
