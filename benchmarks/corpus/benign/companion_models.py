"""Libraries around scikit-learn: resampling, hidden Markov, survival, encoders, online and boosted-distribution models."""

from __future__ import annotations

import pickle
from typing import Any

import category_encoders
import joblib
import lifelines
import ngboost
import numpy as np
import pandas as pd
import river.compose
import river.linear_model
import river.preprocessing
import river.tree
import skorch
import torch
from hmmlearn import hmm
from imblearn import ensemble, over_sampling
from imblearn import pipeline as imblearn_pipeline
from lifelines.datasets import load_rossi
from sklearn import datasets, linear_model
from torch import nn

from benchmarks.corpus.benign.workshop import SEED, Shelf


def imbalanced(shelf: Shelf) -> None:
    """imbalanced-learn: a resampling pipeline and two ensembles."""
    x, y = datasets.make_classification(120, weights=[0.8], random_state=SEED)
    steps = imblearn_pipeline.make_pipeline(over_sampling.SMOTE(random_state=SEED), linear_model.LogisticRegression())
    _save(shelf, "imbalanced-learn", "SMOTE-pipeline", steps.fit(x, y))
    for model in (ensemble.BalancedRandomForestClassifier(5, random_state=SEED), ensemble.RUSBoostClassifier(n_estimators=3)):
        _save(shelf, "imbalanced-learn", type(model).__name__, model.fit(x, y))


def markov(shelf: Shelf) -> None:
    """hmmlearn: Gaussian and categorical chains."""
    rng = np.random.default_rng(SEED)
    _save(shelf, "hmmlearn", "GaussianHMM", hmm.GaussianHMM(2, random_state=SEED).fit(rng.normal(size=(80, 2))))
    _save(shelf, "hmmlearn", "CategoricalHMM", hmm.CategoricalHMM(2, random_state=SEED).fit(rng.integers(0, 3, (80, 1))))


def survival(shelf: Shelf) -> None:
    """lifelines: Cox, Kaplan-Meier and Weibull."""
    rossi = load_rossi()
    _save(shelf, "lifelines", "CoxPHFitter", lifelines.CoxPHFitter().fit(rossi, "week", "arrest"))
    _save(shelf, "lifelines", "KaplanMeierFitter", lifelines.KaplanMeierFitter().fit(rossi["week"], rossi["arrest"]))
    _save(shelf, "lifelines", "WeibullFitter", lifelines.WeibullFitter().fit(rossi["week"], rossi["arrest"]))


def encoders(shelf: Shelf) -> None:
    """category_encoders: three encoders on text columns."""
    frame, y = pd.DataFrame({"c": list("abcab" * 6)}), np.tile([0, 1, 1, 0, 1], 6)
    for kind in (category_encoders.TargetEncoder, category_encoders.BinaryEncoder, category_encoders.CatBoostEncoder):
        _save(shelf, "category_encoders", kind.__name__, kind(cols=["c"]).fit(frame, y))


def online(shelf: Shelf) -> None:
    """river: a pipeline and a Hoeffding tree after a hundred rows."""
    line = river.compose.Pipeline(river.preprocessing.StandardScaler(), river.linear_model.LogisticRegression())
    tree = river.tree.HoeffdingTreeClassifier(grace_period=10)
    for number in range(100):
        row, label = {"a": float(number % 7), "b": float(number % 3)}, number % 7 > 3
        line.learn_one(row, label)
        tree.learn_one(row, label)
    _save(shelf, "river", "Pipeline", line)
    _save(shelf, "river", "HoeffdingTreeClassifier", tree)


def boosted(shelf: Shelf) -> None:
    """ngboost: a probabilistic regressor."""
    x, y = datasets.load_diabetes(return_X_y=True)
    _save(shelf, "ngboost", "NGBRegressor", ngboost.NGBRegressor(n_estimators=5, verbose=False, random_state=SEED).fit(x, y))


def neural(shelf: Shelf) -> None:
    """skorch: a network wrapped as an estimator."""
    torch.manual_seed(SEED)
    settings: dict[str, Any] = {
        "module__in_features": 20,
        "module__out_features": 1,
        "max_epochs": 2,
        "verbose": 0,
        "criterion": nn.MSELoss,
    }
    x, y = datasets.make_regression(64, 20, random_state=SEED)
    _save(
        shelf,
        "skorch",
        "NeuralNetRegressor",
        skorch.NeuralNetRegressor(nn.Linear, **settings).fit(x.astype("f4"), y[:, None].astype("f4")),
    )


def _save(shelf: Shelf, library: str, name: str, model: object) -> None:
    for protocol in (2, 5):
        path = shelf.put(f"{library}/{name}.p{protocol}.pkl", library=library, subject=name, technique=f"pickle-{protocol}")
        path.write_bytes(pickle.dumps(model, protocol))
    joblib.dump(model, shelf.put(f"{library}/{name}.joblib", library=library, subject=name, technique="joblib"))
