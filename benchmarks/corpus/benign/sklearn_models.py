"""scikit-learn estimators and pipelines, by every pickle protocol and every joblib compressor."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    cross_decomposition,
    datasets,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    manifold,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
    tree,
)

from benchmarks.corpus.benign.workshop import SEED, Shelf

LIBRARY = "scikit-learn"
COMPRESSORS = ("zlib", "gzip", "bz2", "lzma", "xz", "lz4")


def estimators(shelf: Shelf) -> None:
    """One pickle and one joblib file of each of about fifty estimators; the protocol goes round."""
    for number, (name, model) in enumerate(_fitted()):
        protocol = 2 + number % 4
        _pickle(shelf, name, model, protocol)
        joblib.dump(model, _joblib(shelf, name, "joblib"))


def protocols(shelf: Shelf) -> None:
    """The same models by every protocol, as a bare pickle."""
    chosen = {"RandomForestClassifier", "Pipeline", "GridSearchCV", "SVC"}
    for name, model in _fitted():
        if name in chosen:
            for protocol in range(6):
                _pickle(shelf, name, model, protocol)


def compressors(shelf: Shelf) -> None:
    """The same models by every joblib compressor and several levels."""
    chosen = {"GradientBoostingClassifier", "ColumnTransformer", "MLPClassifier"}
    for name, model in _fitted():
        if name in chosen:
            for compressor in COMPRESSORS:
                joblib.dump(model, _joblib(shelf, name, f"joblib-{compressor}"), compress=(compressor, 3))
            joblib.dump(model, _joblib(shelf, name, "joblib-zlib-9"), compress=9)


def memory(shelf: Shelf) -> None:
    """The cache folder of ``joblib.Memory`` after one call."""
    folder = shelf.put("memory", library="joblib", subject="Memory", technique="joblib-memory", group="project")
    cached = joblib.Memory(folder, verbose=0).cache(_spectrum)
    cached(np.arange(64, dtype=float))


def forest_with_objects(shelf: Shelf) -> None:
    """What people really put in one file: a dictionary of model, encoder, metrics and feature names."""
    x, y = datasets.load_wine(return_X_y=True, as_frame=True)
    forest = ensemble.ExtraTreesClassifier(20, random_state=SEED).fit(x, y)
    bundle = {
        "model": forest,
        "columns": list(x.columns),
        "encoder": preprocessing.LabelEncoder().fit(["low", "mid", "high"]),
        "metrics": {"accuracy": np.float64(forest.score(x, y)), "rows": np.int64(len(y))},
        "train": x.head(20),
        "note": "run `os.system` never; see https://scikit-learn.example/docs",
    }
    _pickle(shelf, "bundle", bundle, 4)
    joblib.dump(bundle, _joblib(shelf, "bundle", "joblib"))


def _spectrum(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.abs(np.fft.rfft(values))


def _pickle(shelf: Shelf, name: str, model: object, protocol: int) -> None:
    path = shelf.put(f"{name}.p{protocol}.pkl", library=LIBRARY, subject=name, technique=f"pickle-{protocol}")
    path.write_bytes(pickle.dumps(model, protocol))


def _joblib(shelf: Shelf, name: str, technique: str) -> str:
    return str(shelf.put(f"{name}.{technique}.joblib", library=LIBRARY, subject=name, technique=technique))


def _fitted() -> Iterator[tuple[str, Any]]:
    yield from _classifiers()
    yield from _regressors()
    yield from _unsupervised()
    yield from _composed()
    yield from _text()


def _classifiers() -> Iterator[tuple[str, Any]]:
    x, y = datasets.load_iris(return_X_y=True)
    forest = ensemble.RandomForestClassifier(15, random_state=SEED)
    models = [
        forest,
        ensemble.GradientBoostingClassifier(n_estimators=10, random_state=SEED),
        ensemble.HistGradientBoostingClassifier(max_iter=10, random_state=SEED),
        ensemble.AdaBoostClassifier(n_estimators=5, random_state=SEED),
        ensemble.BaggingClassifier(n_estimators=5, random_state=SEED),
        ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())]),
        ensemble.StackingClassifier([("t", tree.DecisionTreeClassifier(max_depth=3)), ("n", naive_bayes.GaussianNB())]),
        tree.DecisionTreeClassifier(random_state=SEED),
        linear_model.LogisticRegression(max_iter=200),
        linear_model.SGDClassifier(random_state=SEED),
        linear_model.RidgeClassifierCV(),
        svm.SVC(probability=False, random_state=SEED),
        svm.LinearSVC(random_state=SEED),
        svm.NuSVC(),
        neighbors.KNeighborsClassifier(algorithm="kd_tree"),
        neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
        neighbors.NearestCentroid(),
        neural_network.MLPClassifier((8,), max_iter=30, random_state=SEED),
        naive_bayes.GaussianNB(),
        naive_bayes.ComplementNB(),
        discriminant_analysis.QuadraticDiscriminantAnalysis(),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        gaussian_process.GaussianProcessClassifier(random_state=SEED),
        calibration.CalibratedClassifierCV(svm.LinearSVC(random_state=SEED), cv=2),
        multiclass.OneVsRestClassifier(linear_model.LogisticRegression()),
        multiclass.OutputCodeClassifier(linear_model.LogisticRegression(), random_state=SEED),
        semi_supervised.LabelSpreading(),
        dummy.DummyClassifier(),
    ]
    seen: set[str] = set()
    for model in models:
        name = type(model).__name__
        yield name if name not in seen else f"{name}-{len(seen)}", model.fit(x, y)
        seen.add(name)
    yield (
        "MultiOutputClassifier",
        multioutput.MultiOutputClassifier(tree.DecisionTreeClassifier(max_depth=2)).fit(x, np.c_[y, y % 2]),
    )


def _regressors() -> Iterator[tuple[str, Any]]:
    x, y = datasets.load_diabetes(return_X_y=True)
    kernel = gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel()
    models = [
        linear_model.LinearRegression(),
        linear_model.LassoCV(cv=3),
        linear_model.ElasticNet(),
        linear_model.HuberRegressor(max_iter=500),
        linear_model.TweedieRegressor(),
        ensemble.HistGradientBoostingRegressor(max_iter=10, loss="quantile", quantile=0.5, random_state=SEED),
        ensemble.GradientBoostingRegressor(n_estimators=5, loss="huber", random_state=SEED),
        svm.SVR(),
        kernel_ridge.KernelRidge(),
        cross_decomposition.PLSRegression(),
        gaussian_process.GaussianProcessRegressor(kernel, random_state=SEED),
        compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
    ]
    for model in models:
        yield type(model).__name__, model.fit(x[:120], y[:120])
    yield "IsotonicRegression", isotonic.IsotonicRegression().fit(x[:, 2], y)


def _unsupervised() -> Iterator[tuple[str, Any]]:
    x, _ = datasets.load_iris(return_X_y=True)
    models = [
        cluster.KMeans(3, random_state=SEED),
        cluster.DBSCAN(),
        cluster.HDBSCAN(),
        cluster.AgglomerativeClustering(),
        cluster.Birch(),
        cluster.SpectralClustering(3, random_state=SEED),
        decomposition.PCA(2),
        decomposition.NMF(2, random_state=SEED),
        decomposition.FastICA(2, random_state=SEED),
        decomposition.LatentDirichletAllocation(2, random_state=SEED),
        manifold.Isomap(),
        mixture.BayesianGaussianMixture(n_components=2, random_state=SEED),
        covariance.EllipticEnvelope(random_state=SEED),
        ensemble.IsolationForest(n_estimators=10, random_state=SEED),
        neighbors.LocalOutlierFactor(novelty=True),
        neighbors.KernelDensity(),
        svm.OneClassSVM(),
        kernel_approximation.Nystroem(n_components=5, random_state=SEED),
        random_projection.GaussianRandomProjection(2, random_state=SEED),
        impute.KNNImputer(),
        preprocessing.QuantileTransformer(n_quantiles=20),
        preprocessing.SplineTransformer(),
        preprocessing.KBinsDiscretizer(strategy="uniform"),
        feature_selection.VarianceThreshold(),
    ]
    for model in models:
        yield type(model).__name__, model.fit(x)


def _composed() -> Iterator[tuple[str, Any]]:
    frame, y = datasets.load_iris(return_X_y=True, as_frame=True)
    frame["colour"] = np.where(y == 1, "red", "blue")
    numeric = list(frame.columns[:4])
    columns = compose.ColumnTransformer(
        [
            ("numbers", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), numeric),
            ("words", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["colour"]),
            ("logs", preprocessing.FunctionTransformer(np.log1p), numeric[:1]),
        ]
    )
    yield "ColumnTransformer", columns.fit(frame)
    steps = pipeline.Pipeline([("columns", columns), ("model", linear_model.LogisticRegression(max_iter=300))])
    yield "Pipeline", steps.fit(frame, y)
    union = pipeline.FeatureUnion(
        [("pca", decomposition.PCA(2)), ("best", feature_selection.SelectKBest(feature_selection.f_classif, k=1))]
    )
    yield "FeatureUnion", union.fit(frame[numeric], y)
    grid = model_selection.GridSearchCV(svm.SVC(), {"C": [0.1, 1.0], "kernel": ["rbf", "linear"]}, cv=2)
    yield "GridSearchCV", grid.fit(frame[numeric], y)
    search = model_selection.RandomizedSearchCV(
        ensemble.RandomForestClassifier(5, random_state=SEED), {"max_depth": [1, 2, 3]}, n_iter=2, random_state=SEED
    )
    yield "RandomizedSearchCV", search.fit(frame[numeric], y)
    chosen = feature_selection.RFECV(linear_model.LogisticRegression(max_iter=300), cv=2)
    yield "RFECV", chosen.fit(frame[numeric], y)


def _text() -> Iterator[tuple[str, Any]]:
    texts = ["free money now", "see you at lunch", "cheap money offer", "meeting at noon"] * 5
    labels = [1, 0, 1, 0] * 5
    for vectoriser in (
        feature_extraction.text.CountVectorizer(ngram_range=(1, 2)),
        feature_extraction.text.TfidfVectorizer(),
        feature_extraction.text.HashingVectorizer(n_features=64),
    ):
        model = pipeline.make_pipeline(vectoriser, linear_model.LogisticRegression()).fit(texts, labels)
        yield f"{type(vectoriser).__name__}-pipeline", model
    yield "DictVectorizer", feature_extraction.DictVectorizer().fit([{"a": 1, "b": 2}, {"a": 3}])
