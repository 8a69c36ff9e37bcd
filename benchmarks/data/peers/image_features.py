"""ART, cleanlab and pyod on images: ``python image_features.py INPUT.npz OUTPUT.json``.

A small network learns the labels from the features, as these tools expect: ART and pyod look at its hidden layer, cleanlab at its
probabilities across folds. ART asks what share is poisoned; it is given 5 %, and its own defaults otherwise.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense
from art.estimators.classification import ClassifierMixin
from art.estimators.estimator import BaseEstimator, NeuralNetworkMixin
from cleanlab import Datalab
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from pyod.models.iforest import IForest
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
EXPECTED = 0.05


class Learned(ClassifierMixin, NeuralNetworkMixin, BaseEstimator):  # type: ignore[misc]
    """The network as ART takes one: it gives the activations of its hidden layer."""

    estimator_params = BaseEstimator.estimator_params

    def __init__(self, model: MLPClassifier, width: int) -> None:
        super().__init__(model=model, clip_values=None, channels_first=None)
        self._width = width
        self.nb_classes = len(model.classes_)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self._width,)

    @property
    def layer_names(self) -> list[str]:
        return ["hidden"]

    def get_activations(self, x: Any, layer: Any = 0, batch_size: int = 128, framework: bool = False) -> Any:  # noqa: ANN401, ARG002
        return np.maximum(x @ self.model.coefs_[0] + self.model.intercepts_[0], 0)

    def predict(self, x: Any, **more: Any) -> Any:  # noqa: ANN401, ARG002
        return self.model.predict_proba(x)

    def fit(self, x: Any, y: Any, **more: Any) -> None:  # noqa: ANN401
        raise NotImplementedError

    def fit_generator(self, generator: Any, nb_epochs: int = 20, **more: Any) -> None:  # noqa: ANN401
        raise NotImplementedError


def art(model: Learned, features: Any, codes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Judge by activation clustering and by spectral signatures; both give flags, the second scores too."""
    onehot = np.eye(codes.max() + 1)[codes]
    found = {}
    clustering = ActivationDefence(model, features, onehot)
    _, clean = clustering.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA")
    flags = np.array(clean) == 0
    found["ART activation clustering"] = {"scores": flags.astype(float).tolist(), "flags": flags.tolist()}
    spectral = SpectralSignatureDefense(model, features, onehot, expected_pp_poison=EXPECTED, batch_size=128)
    _, clean = spectral.detect_poison()
    scores = _spectral_scores(model.get_activations(features), codes)
    found["ART spectral signatures"] = {"scores": scores.tolist(), "flags": (np.array(clean) == 0).tolist()}
    return found


def _spectral_scores(hidden: Any, codes: Any) -> Any:  # noqa: ANN401
    """Give the scores that ART's defence ranks by within each label, relative to their median there."""
    scores = np.zeros(len(codes))
    for code in np.unique(codes):
        rows = codes == code
        own = SpectralSignatureDefense.spectral_signature_scores(hidden[rows]).ravel()
        scores[rows] = own / max(float(np.median(own)), 1e-9)
    return scores


def cleanlab(features: Any, codes: Any, probabilities: Any) -> dict[str, Any]:  # noqa: ANN401
    """Judge labels, outliers and near-duplicates."""
    flags = np.asarray(find_label_issues(codes, probabilities), bool)
    scores = 1 - get_label_quality_scores(codes, probabilities)
    found = {"cleanlab find_label_issues": {"scores": scores.tolist(), "flags": flags.tolist()}}
    lab = Datalab({"label": codes.tolist()}, label_name="label", verbosity=0)
    lab.find_issues(features=features, pred_probs=probabilities, issue_types={"outlier": {}, "near_duplicate": {}})
    for name in ("outlier", "near_duplicate"):
        issues = lab.get_issues(name)
        found[f"Datalab {name.replace('_', '-')}"] = {
            "scores": (1 - issues[f"{name}_score"].to_numpy(float)).tolist(),
            "flags": issues[f"is_{name}_issue"].to_numpy(bool).tolist(),
        }
    return found


def main(source: str, target: str) -> None:
    """Judge every row."""
    with np.load(source, allow_pickle=False) as given:
        features, labels = given["x"].astype(np.float64), given["y"]
    features = (features - features.mean(0)) / (features.std(0) + 1e-3)
    _, codes = np.unique(labels, return_inverse=True)
    begun = time.process_time()
    network = MLPClassifier((64,), alpha=1e-3, max_iter=25, random_state=0)
    probabilities = cross_val_predict(network, features, codes, cv=3, method="predict_proba")
    network.fit(features, codes)
    model = Learned(network, features.shape[1])
    hidden = model.get_activations(features)
    forest = IForest(random_state=0).fit(hidden)
    detectors = {
        **art(model, features, codes),
        **cleanlab(hidden, codes, probabilities),
        "pyod IForest": {"scores": forest.decision_scores_.tolist(), "flags": (forest.labels_ == 1).tolist()},
    }
    Path(target).write_text(json.dumps({"detectors": detectors, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
