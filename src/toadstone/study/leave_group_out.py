"""Naive Bayes without a group: what a model that was fitted to the other rows says about the rows of a group.

Counts are additive, so a group's rows are taken out exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import summed
from toadstone.study.naive_bayes import NaiveBayes, Rows, gathered, naive_bayes
from toadstone.study.study import Study


def leave_group_out(study: Study, rows: NDArray[np.int64], label: int | None = None) -> tuple[float, float]:
    """Ask a model that was fitted without a group which label the group should have.

    Args:
        study: With labels and the view ``words``.
        rows: Row numbers of the group.
        label: Code of the label in question; by default the group's most frequent.

    Returns:
        z: Standard deviations by which the rows with the label outnumber what their content predicts.
        effect: That excess as a share of the group. Both 0 when there is no model.
    """
    model = naive_bayes(study)
    if isinstance(model, str) or not len(rows):
        return 0.0, 0.0
    group = gathered(study, model, np.asarray(rows, np.int64))
    known = group.classes[group.classes >= 0]
    if not len(known):
        return 0.0, 0.0
    wanted = int(np.bincount(known).argmax()) if label is None else int(model.class_of[label])
    p = without_group(model, group)[:, wanted][group.classes >= 0]
    excess = float((known == wanted).sum() - p.sum())
    return excess / float(np.sqrt((p * (1 - p)).sum() + 0.25)), excess / len(known)


def without_group(model: NaiveBayes, group: Rows) -> NDArray[np.float64]:
    """Give the probabilities of each class for the rows of a group, by the model fitted without them."""
    slots, places = np.unique(group.slots, return_inverse=True)
    width = len(model.rows)
    owners = np.repeat(group.classes, group.lengths)
    labelled = owners >= 0
    own = np.bincount(places[labelled] * width + owners[labelled], minlength=len(slots) * width).reshape(-1, width)
    totals = model.totals - own.sum(axis=0)
    table = model.weights((model.counts[slots] - own).astype(np.int32), totals)
    return model.probabilities(summed(table[places], group.offsets), group.lengths)
