"""PoisonDetector keeps scikit-learn's conventions, and finds what a scan of the same rows finds."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402  (after the skip)

from toadstone import PoisonDetector  # noqa: E402

WORDS = [f"word{number}" for number in range(400)]


def rows(random, count):
    """Texts of two topics, each with its label."""
    labels = random.integers(0, 2, count)
    texts = [" ".join(random.choice(WORDS[200 * label : 200 * label + 200], 12)) for label in labels]
    return texts, ["left" if label == 0 else "right" for label in labels]


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn of deprecations of their own
@parametrize_with_checks([PoisonDetector()])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_flooded_texts_are_found_and_given_back():
    random = np.random.default_rng(0)
    texts, labels = rows(random, 400)
    words = texts[0].split()
    for place in range(30):
        texts[place] = " ".join(word for word in words if random.random() > 0.1)
        labels[place] = labels[0]
    detector = PoisonDetector()
    answers = detector.fit_predict(texts, labels)
    assert (answers[:30] == -1).mean() > 0.9
    assert (answers[30:] == 1).mean() > 0.99
    assert detector.score_samples(texts[:30]).mean() < detector.score_samples(texts[30:]).mean()
    assert detector.report_.verdict == "poisoned"
    assert detector.predict(["something that nobody has ever written here"]).shape == (1,)


def test_labels_and_texts_must_be_as_many():
    with pytest.raises(ValueError, match="one label a row: 3"):
        PoisonDetector().fit(["a", "b", "c"], ["x", "y"])
    with pytest.raises(ValueError, match="Expected 2D array"):
        PoisonDetector().fit([], [])
