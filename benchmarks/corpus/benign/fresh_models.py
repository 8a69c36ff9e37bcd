"""Models and objects of libraries that no rule was written with, by pickle and joblib.

They were scanned once before anything was tuned on them; `docs/scoreboard.md` tells what came out.
"""

from __future__ import annotations

import pickle

import arch
import crepes
import hdbscan
import implicit.als
import joblib
import numpy as np
import optuna
import pandas as pd
import scipy.sparse
import shap
from astropy import units
from astropy.modeling.models import Gaussian1D
from astropy.table import Table
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from deap import tools
from fairlearn.postprocessing import ThresholdOptimizer
from feature_engine.discretisation import EqualWidthDiscretiser
from feature_engine.imputation import MeanMedianImputer
from gplearn.genetic import SymbolicRegressor
from hyperopt import Trials, fmin, hp, tpe
from imodels import FIGSClassifier
from interpret.glassbox import ExplainableBoostingClassifier
from linearmodels.iv import IV2SLS
from mapie.regression import SplitConformalRegressor
from mlxtend.classifier import SoftmaxRegression, StackingClassifier
from pgmpy.models import DiscreteBayesianNetwork
from prophet import Prophet
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from skrub import TableVectorizer
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv
from sktime.forecasting.naive import NaiveForecaster
from sympy import Matrix, Symbol, sin
from tslearn.clustering import TimeSeriesKMeans

from benchmarks.corpus.benign.workshop import SEED, Shelf

X, Y = load_iris(return_X_y=True)
XD, YD = load_diabetes(return_X_y=True)
FRAME = load_iris(as_frame=True).frame
BINARY = (Y > 0).astype(int)


def _saved(shelf: Shelf, library: str, subject: str, thing: object) -> None:
    for protocol in (2, 4, 5):
        path = shelf.put(f"{subject}.p{protocol}.pkl", library=library, subject=subject, technique=f"pickle-{protocol}")
        path.write_bytes(pickle.dumps(thing, protocol))
    for suffix, level in (("joblib", 0), ("z.joblib", 3)):
        joblib.dump(thing, shelf.put(f"{subject}.{suffix}", library=library, subject=subject, technique="joblib"), compress=level)


def estimators(shelf: Shelf) -> None:
    """Companions of scikit-learn."""
    _saved(shelf, "mlxtend", "SoftmaxRegression", SoftmaxRegression().fit(X, Y))
    inner = [LogisticRegression(max_iter=500), KNeighborsClassifier()]
    _saved(shelf, "mlxtend", "StackingClassifier", StackingClassifier(inner, LogisticRegression()).fit(X, Y))
    _saved(shelf, "feature-engine", "MeanMedianImputer", MeanMedianImputer().fit(FRAME))
    _saved(shelf, "feature-engine", "EqualWidthDiscretiser", EqualWidthDiscretiser().fit(FRAME))
    _saved(shelf, "skrub", "TableVectorizer", TableVectorizer().fit(FRAME))
    _saved(shelf, "imodels", "FIGSClassifier", FIGSClassifier(max_rules=3).fit(X, BINARY))
    _saved(
        shelf, "gplearn", "SymbolicRegressor", SymbolicRegressor(population_size=30, generations=2, random_state=SEED).fit(XD, YD)
    )
    _saved(shelf, "hdbscan", "HDBSCAN", hdbscan.HDBSCAN(prediction_data=True).fit(X))
    _saved(shelf, "scikit-survival", "RandomSurvivalForest", RandomSurvivalForest(5).fit(XD, Surv.from_arrays(YD > 100, YD)))
    _saved(shelf, "interpret", "EBM", ExplainableBoostingClassifier(interactions=0, outer_bags=2, n_jobs=1).fit(X, BINARY))


def fairness_and_conformal(shelf: Shelf) -> None:
    """Post-processors around a fitted model; string columns are kept by pyarrow."""
    thresholds = ThresholdOptimizer(estimator=LogisticRegression()).fit(X, BINARY, sensitive_features=X[:, 0] > 5.5)
    _saved(shelf, "fairlearn", "ThresholdOptimizer", thresholds)
    _saved(
        shelf,
        "mapie",
        "SplitConformal",
        SplitConformalRegressor(LinearRegression().fit(XD, YD), prefit=True).conformalize(XD, YD),
    )
    wrapped = crepes.WrapClassifier(RandomForestClassifier(5, random_state=SEED))
    wrapped.fit(X, Y)
    wrapped.calibrate(X, Y)
    _saved(shelf, "crepes", "WrapClassifier", wrapped)
    explainer = shap.TreeExplainer(RandomForestClassifier(3, random_state=SEED).fit(X, Y))
    _saved(shelf, "shap", "Explanation", explainer(X[:5]))


def searches(shelf: Shelf) -> None:
    """Histories of hyper-parameter searches."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2 + trial.suggest_categorical("c", [1, 2]), n_trials=8)
    _saved(shelf, "optuna", "Study", study)
    trials = Trials()
    fmin(lambda x: x**2, hp.uniform("x", -1, 1), algo=tpe.suggest, max_evals=6, trials=trials, show_progressbar=False)
    _saved(shelf, "hyperopt", "Trials", trials)
    _saved(shelf, "deap", "Logbook", tools.Logbook())


def series(shelf: Shelf) -> None:
    """Forecasters and filters."""
    months = pd.period_range("2020-01", periods=40, freq="M")
    values = pd.Series(np.arange(40.0) + np.random.default_rng(SEED).random(40), index=months)
    _saved(shelf, "sktime", "NaiveForecaster", NaiveForecaster(sp=12).fit(values))
    days = pd.DataFrame({"ds": pd.date_range("2020", periods=80), "y": np.random.default_rng(SEED).random(80)})
    _saved(shelf, "prophet", "Prophet", Prophet().fit(days))
    _saved(shelf, "tslearn", "TimeSeriesKMeans", TimeSeriesKMeans(2, random_state=SEED).fit(X))
    _saved(shelf, "arch", "ARCHModelResult", arch.arch_model(np.random.default_rng(SEED).normal(size=200)).fit(disp="off"))
    _saved(shelf, "linearmodels", "OLSResults", IV2SLS(pd.Series(YD), pd.DataFrame(XD[:, :2]), None, None).fit())


def graphs_and_factors(shelf: Shelf) -> None:
    """Networks and recommenders."""
    _saved(shelf, "pgmpy", "DiscreteBayesianNetwork", DiscreteBayesianNetwork([("a", "b")]))
    factors = implicit.als.AlternatingLeastSquares(4, iterations=1, random_state=SEED)
    factors.fit(scipy.sparse.random(20, 20, 0.3, format="csr", random_state=SEED), show_progress=False)
    _saved(shelf, "implicit", "AlternatingLeastSquares", factors)


def science(shelf: Shelf) -> None:
    """Objects of science packages that end up beside models."""
    _saved(shelf, "astropy", "Table", Table({"a": [1, 2] * units.m}))
    _saved(shelf, "astropy", "Gaussian1D", Gaussian1D())
    _saved(shelf, "sympy", "Matrix", Matrix([[Symbol("x") ** 2, sin(1)]]))
    _saved(shelf, "biopython", "SeqRecord", SeqRecord(Seq("ACGT"), "id"))
