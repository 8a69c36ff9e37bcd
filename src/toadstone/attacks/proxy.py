"""What an attacker without the victim's model uses instead: naive Bayes, and a space in which neighbours are alike.

Both see texts as hashed words and tables or embeddings as vectors; both are exact functions of the material.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.attacks.attack import Material
from toadstone.core.errors import UsageError
from toadstone.engine.arrow import compute as pc
from toadstone.views.words import Words

Scores = NDArray[np.float64]
Score = Callable[[Material], Scores]
"""Says how well each label fits each row, higher is better, shape (rows, labels in sorted order)."""

_SLOTS = 1 << 16
_FOLDS = 5
_DIMENSIONS = 64


def naive_bayes(material: Material) -> Scores:
    """Score labels by naive Bayes, each row by a model that has not seen it: multinomial on words, Gaussian on vectors.

    Rows without a label have none of the models' weight, and scores like all others.
    """
    labels = material.labels()
    names = sorted({name for name in labels if name is not None})
    codes = np.array([names.index(name) if name is not None else -1 for name in labels], np.int64)
    folds = np.arange(len(codes)) % _FOLDS
    score = _on_words if material.roles.text is not None else _on_vectors
    return score(material, codes, folds, len(names))


def _words(material: Material) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the slot and the row of every word."""
    columns = Words().of(pa.array(material.texts(), pa.large_string()))
    slots = (columns["words"] & np.uint32(_SLOTS - 1)).astype(np.int64)
    return slots, np.repeat(np.arange(material.table.num_rows), np.diff(columns["words.offsets"]))


def _on_words(material: Material, codes: NDArray[np.int64], folds: NDArray[np.int64], labels: int) -> Scores:
    slots, rows = _words(material)
    scores = np.zeros((len(codes), labels))
    for fold in range(_FOLDS):
        learns = (folds[rows] != fold) & (codes[rows] >= 0)
        counts = np.bincount(codes[rows][learns] * _SLOTS + slots[learns], minlength=labels * _SLOTS).reshape(labels, _SLOTS)
        weights = np.log(counts + 0.5) - np.log(counts.sum(1, keepdims=True) + 0.5 * _SLOTS)
        prior = np.log(np.bincount(codes[(folds != fold) & (codes >= 0)], minlength=labels) + 0.5)
        judged = folds[rows] == fold
        for label in range(labels):
            said = np.bincount(rows[judged], weights=weights[label, slots[judged]], minlength=len(codes))
            scores[folds == fold, label] = (said + prior[label])[folds == fold]
    return scores


def _on_vectors(material: Material, codes: NDArray[np.int64], folds: NDArray[np.int64], labels: int) -> Scores:
    values = vectors(material)
    scores = np.full((len(codes), labels), -np.inf)
    for fold in range(_FOLDS):
        learns, judged = folds != fold, folds == fold
        spread = values[learns].var(0) + 1e-9
        for label in range(labels):
            of = values[learns & (codes == label)]
            if len(of):
                scores[judged, label] = np.log(len(of)) - 0.5 * ((values[judged] - of.mean(0)) ** 2 / spread).sum(1)
    return scores


def vectors(material: Material) -> NDArray[np.float64]:
    """Give the embedding, or the numeric features, shape (rows, dimensions).

    Raises:
        UsageError: there are neither; or vectors of different length, or values missing.
    """
    if material.roles.embedding is not None:
        column = material.column("embedding").combine_chunks()
        lengths = pc.unique(pc.list_value_length(column)).to_pylist()
        if len(lengths) != 1 or lengths[0] is None:
            raise UsageError("the vectors have different lengths.")
        flat = np.asarray(pc.list_flatten(column).to_numpy(zero_copy_only=False), np.float64)
        values = flat.reshape(-1, lengths[0])
    elif material.roles.features:
        columns = [material.table.column(name) for name in material.roles.features]
        values = np.stack([np.asarray(column.to_numpy(), np.float64) for column in columns], 1)
    else:
        raise UsageError("the attack needs texts, an embedding or numeric features.", "Name one in `Roles(text=…)`.")
    if not np.isfinite(values).all():
        raise UsageError("there are vectors with missing values.")
    return values


def space(material: Material) -> NDArray[np.float64]:
    """Give each row a unit vector, so that rows about the same thing are near each other, shape (rows, dimensions).

    Texts: words weighted by their rarity, projected at random but always in the same way (Achlioptas 2003).
    """
    if material.roles.text is None:
        values = vectors(material)
        values = (values - values.mean(0)) / (values.std(0) + 1e-9)
    else:
        slots, rows = _words(material)
        count = material.table.num_rows
        pairs = np.unique(rows * _SLOTS + slots)
        slots, rows = pairs % _SLOTS, pairs // _SLOTS
        rarity = np.log((count + 1.0) / (np.bincount(slots, minlength=_SLOTS) + 1.0))
        signs = np.random.default_rng(0).integers(0, 2, (_DIMENSIONS, _SLOTS), dtype=np.int8) * 2 - 1
        values = np.empty((count, _DIMENSIONS))
        for dimension in range(_DIMENSIONS):
            values[:, dimension] = np.bincount(rows, weights=rarity[slots] * signs[dimension, slots], minlength=count)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12), np.float64)
