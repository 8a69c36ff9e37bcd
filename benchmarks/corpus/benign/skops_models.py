"""skops: estimators in the format that was made to be safe."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
import skops.io
from sklearn import compose, datasets, ensemble, linear_model, model_selection, pipeline, preprocessing, svm

from benchmarks.corpus.benign.workshop import SEED, Shelf


def estimators(shelf: Shelf) -> None:
    """A dozen files: trees, pipelines, searches, functions of NumPy; stored and deflated."""
    x, y = datasets.load_iris(return_X_y=True)
    models: dict[str, Any] = {
        "LogisticRegression": linear_model.LogisticRegression(max_iter=300),
        "RandomForestClassifier": ensemble.RandomForestClassifier(4, random_state=SEED),
        "GradientBoostingClassifier": ensemble.GradientBoostingClassifier(n_estimators=3, random_state=SEED),
        "SVC": svm.SVC(),
        "Pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.RidgeClassifier()),
        "ColumnTransformer": pipeline.make_pipeline(
            compose.ColumnTransformer([("log", preprocessing.FunctionTransformer(np.log1p), [0])], remainder="passthrough"),
            linear_model.LogisticRegression(max_iter=300),
        ),
        "GridSearchCV": model_selection.GridSearchCV(svm.LinearSVC(), {"C": [0.1, 1.0]}, cv=2),
    }
    for number, (name, model) in enumerate(models.items()):
        compression = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[number % 2]
        path = shelf.put(f"{name}.skops", library="skops", subject=name, technique=f"skops-{compression}")
        skops.io.dump(model.fit(x, y), path, compression=compression)


def values(shelf: Shelf) -> None:
    """Arrays, sparse-free containers and scalars."""
    bundle = {"weights": np.ones((3, 2)), "names": ["a", "b"], "rng": np.random.default_rng(SEED), "note": None}
    path = shelf.put("bundle.skops", library="skops", subject="bundle", technique="skops-0")
    skops.io.dump(bundle, path)
