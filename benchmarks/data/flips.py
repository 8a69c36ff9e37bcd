"""Flipped labels against five tuned learners: ``python -m benchmarks.data.flips [--data spam ...] [--seeds 5]``.

``label-flip`` alone, and the self-confidence across folds of logistic regression, a linear (vectors: radial) support vector
machine, naive Bayes, ridge regression and a random forest, each at the setting with the best accuracy across folds, judge the
same rows. Shown is the share of flipped rows above the score that leaves 1 % of the others above it, mean over seeds with two
standard errors; further what is flagged, the false discoveries in it, how often a group is ``high``, and both with 500 rows
known to be good.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from benchmarks.data.scores import flags_of, found_at
from benchmarks.data.trials import CASES, FLIPS, generator, poisoned, sample
from toadstone.checks.data.label_flip import LabelFlip
from toadstone.core.finding import Severity
from toadstone.study.decision import decide
from toadstone.study.small import study_of
from toadstone.tables.roles import Roles
from toadstone.views.grams import Grams
from toadstone.views.vectors import Features, Vectors
from toadstone.views.words import Words

TEXTS = ("reviews", "sotu", "docstrings", "spam", "libraries", "presidents")
TABLES = {"digits": load_digits, "wine": load_wine, "breast_cancer": load_breast_cancer}
VECTORS = (*TABLES, "digits embedded")
ROWS = 2000


def learners(*, sparse: bool) -> dict[str, list[Any]]:
    """Give the settings that each learner may choose from."""
    regression = [LogisticRegression(C=c, max_iter=500) for c in (0.1, 1.0, 3.0, 10.0)]
    forest = [RandomForestClassifier(100, min_samples_leaf=leaf, random_state=0) for leaf in (1, 3)]
    ridge = [RidgeClassifier(alpha=alpha) for alpha in (0.3, 1.0, 3.0)]
    if sparse:
        bayes = [kind(alpha=alpha) for kind in (MultinomialNB, ComplementNB) for alpha in (0.1, 0.3, 1.0)]
        svm = [LinearSVC(C=c) for c in (0.1, 0.3, 1.0)]
        return {"logistic": regression, "svm": svm, "bayes": bayes, "ridge": ridge, "forest": forest}
    svm = [SVC(C=c, decision_function_shape="ovr") for c in (1.0, 5.0)]
    bayes = [GaussianNB(var_smoothing=smoothing) for smoothing in (1e-9, 1e-2)]
    return {"logistic": regression, "svm": svm, "bayes": bayes, "ridge": ridge, "forest": forest}


def best_learners(values: Any, labels: NDArray[Any], mask: NDArray[np.bool_], *, sparse: bool) -> dict[str, float]:  # noqa: ANN401
    """Give what the self-confidence of each tuned learner finds."""
    names, codes = np.unique(labels, return_inverse=True)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(len(codes)), codes))
    found = {}
    for name, settings in learners(sparse=sparse).items():
        best = (-1.0, 0.0)
        for model in settings:
            margins = np.zeros((len(codes), len(names)))
            for seen, held in folds:
                model.fit(values[seen], codes[seen])
                margins[held] = margins(model, values[held])
            accuracy = float((margins.argmax(1) == codes).mean())
            best = max(best, (accuracy, found_at(doubt(margins, codes), mask, np.zeros_like(mask))))
        found[name] = best[1]
    return found


def margins(model: Any, values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Give what a model says for each class, shape (rows, classes)."""
    if hasattr(model, "predict_proba"):
        return np.log(model.predict_proba(values) + 1e-12)
    said = np.asarray(model.decision_function(values))
    return np.stack([-said, said], 1) if said.ndim == 1 else said


def doubt(said: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give by how much another class is said rather than the label, one a row."""
    rows = np.arange(len(codes))
    others = said.copy()
    others[rows, codes] = -np.inf
    return others.max(1) - said[rows, codes]


def judged(study: Any, mask: NDArray[np.bool_]) -> dict[str, float]:  # noqa: ANN401
    """Give what the check finds, flags and reports."""
    check = LabelFlip()
    evidence = check.weigh(study)
    decision = decide(study, [(check, evidence)])
    none = np.zeros_like(mask)
    flags = flags_of(decision.flagged, mask, none)
    high = any(finding.severity >= Severity.HIGH for finding in decision.findings)
    found = found_at(decision.scores, mask, none) if mask.any() else 0.0
    return {"ours": found, "flagged": flags["recall"], "fdr": flags["false_discoveries"], "high": float(high)}


def texts(data: str, seed: int, attacks: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Judge one sample of texts under each attack."""
    drawn = sample(data, ROWS, seed)
    known = {"text": drawn.test.texts()[:500], "label": drawn.test.labels()[:500].astype(str)}
    for case in CASES:
        if case.attack not in attacks:
            continue
        bad = poisoned(case, drawn, ROWS)
        values = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(bad.material.texts())
        labels = bad.material.labels().astype(str)
        columns = {"text": bad.material.texts(), "label": labels}
        views = [Words(), Grams()]
        answer = judged(study_of(columns, views), bad.mask)
        promised = judged(study_of(columns, views, reference=known), bad.mask)
        answer |= {"with reference": promised["flagged"], "its fdr": promised["fdr"]}
        yield case.name, answer | best_learners(values, labels, bad.mask, sparse=True)


def vectors(data: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Judge one table of numbers with flips at random and in one direction."""
    kind, _, embedded = data.partition(" ")
    source: Any = TABLES[kind]()
    values, truth = source.data, source.target
    classes = int(truth.max()) + 1
    random = generator("flips", data, seed)
    first = int(random.integers(classes))
    for name in ("random-flip 10%", "pair-flip 30% of a class"):
        wrong = random.random(len(truth)) < 0.1
        turned = (truth + random.integers(1, classes, len(truth))) % classes
        if name.startswith("pair"):
            wrong, turned = (truth == first) & (random.random(len(truth)) < 0.3), np.full_like(truth, (first + 1) % classes)
        labels = np.where(wrong, turned, truth).astype(str)
        names = tuple(f"x{place}" for place in range(values.shape[1]))
        table = pa.table({**{key: values[:, place] for place, key in enumerate(names)}, "label": labels})
        study = study_of(table, [Features()], roles=Roles(label="label", features=names))
        if embedded:
            study = study_of(pa.table({"embedding": values.tolist(), "label": labels}), [Vectors()])
        answer = judged(study, wrong)
        yield name, answer | best_learners(StandardScaler().fit_transform(values), labels, wrong, sparse=False)


def main() -> None:
    """Measure and print one line for each data set and attack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[*TEXTS, *VECTORS])
    parser.add_argument("--attacks", nargs="*", default=list(FLIPS))
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    for data in chosen.data:
        outcomes: dict[str, list[dict[str, float]]] = {}
        for seed in range(chosen.seeds):
            for name, answer in vectors(data, seed) if data in VECTORS else texts(data, seed, chosen.attacks):
                outcomes.setdefault(name, []).append(answer)
        for name, answers in outcomes.items():
            shown = (f"{key} {_spread([answer[key] for answer in answers])}" for key in answers[0])
            print(f"{data:16}{name:28}" + "  ".join(shown), flush=True)


def _spread(values: list[float]) -> str:
    """Write the mean, and two standard errors of it."""
    error = 2.0 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{np.mean(values):.3f}±{error:.3f}"


if __name__ == "__main__":
    main()
