"""Certified training keeps its promise: no poisoned rows within the certificate change a prediction."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn.datasets import load_digits  # noqa: E402  (after the skip)
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.svm import SVC  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import toadstone  # noqa: E402
from toadstone.adapters.closed_form import ClosedForm  # noqa: E402


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn of deprecations of their own
@parametrize_with_checks([ClosedForm(), toadstone.CertifiedClassifier(partitions=3)])
def test_estimator_checks(estimator, check):
    check(estimator)


def digits():
    content, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return content[order[:1500]], labels[order[:1500]], content[order[1500:]], labels[order[1500:]]


@pytest.mark.parametrize("election", ["run-off", "plurality"])
def test_poison_within_the_certificate_changes_nothing(election):
    content, labels, others, _ = digits()
    model = toadstone.certify(content, labels, partitions=30, election=election)
    before = model.certify(others)
    random = np.random.default_rng(1)
    for seed, budget in enumerate((1, 3, 6, 9)):
        victim = int(random.integers(len(others)))
        deleted = random.choice(len(labels), budget // 2, replace=False)
        relabelled = random.choice(np.setdiff1d(np.arange(len(labels)), deleted), budget - budget // 2, replace=False)
        poisoned, marks = content.copy(), labels.copy()
        marks[relabelled] = (marks[relabelled] + 1 + seed) % 10
        poisoned, marks = np.delete(poisoned, deleted, 0), np.delete(marks, deleted)
        inserted = others[[victim] * 1] + random.normal(0, 0.1, (1, 64))
        poisoned, marks = np.concatenate([poisoned, inserted]), np.append(marks, (before.prediction[victim] + 1) % 10)
        after = toadstone.certify(poisoned, marks, partitions=30, election=election).certify(others)
        safe = before.withstands >= budget + 1
        assert safe.any()
        assert (after.prediction == before.prediction)[safe].all()


def test_the_run_off_withstands_about_as_much_as_the_plurality():
    content, labels, others, truth = digits()
    first = toadstone.certify(content, labels, partitions=50, election="plurality").certify(others)
    second = toadstone.certify(content, labels, partitions=50).certify(others)
    assert second.accuracy(truth) >= 0.85
    assert second.accuracy(truth, 8) >= first.accuracy(truth, 8) - 0.02 >= 0.6


def test_order_and_storage_do_not_matter():
    from scipy.sparse import csr_matrix

    content, labels, others, _ = digits()
    one = toadstone.certify(content, labels, partitions=20).certify(others)
    order = np.random.default_rng(2).permutation(len(labels))
    other = toadstone.certify(csr_matrix(content[order]), labels[order], partitions=20).certify(csr_matrix(others))
    assert (one.prediction == other.prediction).all()
    assert (one.withstands == other.withstands).all()


@pytest.mark.parametrize(
    "base", [DecisionTreeClassifier(), LogisticRegression(max_iter=50), SVC()], ids=lambda base: type(base).__name__
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_any_base_learner(base):
    content, labels, others, truth = digits()
    made = toadstone.certify(content, labels, base, partitions=8).certify(others)
    assert made.accuracy(truth) > 0.75
    assert made.withstands.max() >= 2
    again = toadstone.certify(content, labels, base, partitions=8).certify(others)
    assert (made.withstands == again.withstands).all()


def test_relabelled_rows_are_contradicted_by_models_that_have_not_seen_them():
    content, labels, _, _ = digits()
    wrong = labels.copy()
    wrong[:75] = (wrong[:75] + 3) % 10
    against = toadstone.certify(content, wrong, partitions=20).disagreement(content, wrong)
    assert np.median(against[:75]) > 0.9
    assert np.median(against[75:]) < 0.2


def test_wrong_parameters_are_named():
    content, labels, _, _ = digits()
    with pytest.raises(ValueError, match=r"partitions must be at least 1\. Got 0 instead"):
        toadstone.certify(content, labels, partitions=0)
    with pytest.raises(ValueError, match=r"election must be 'run-off' or 'plurality'\. Got 'lots' instead"):
        toadstone.certify(content, labels, election="lots")
    with pytest.raises(ValueError, match=r"not among classes: \[9\]"):
        toadstone.certify(content, labels, classes=range(9))
    with pytest.raises(ValueError, match="penalty must be greater than 0"):
        ClosedForm(0).fit(content, labels)
