"""dill and cloudpickle: plain values, and functions that carry their code (labelled ``code-carrying``)."""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

import cloudpickle
import dill
import numpy as np
from sklearn import datasets, linear_model, pipeline, preprocessing

from benchmarks.corpus.benign.workshop import Shelf


def plain(shelf: Shelf) -> None:
    """Models and data without a function of their own: no code may be seen in them."""
    x, y = datasets.load_iris(return_X_y=True)
    values: dict[str, Any] = {
        "dictionary": {"weights": np.ones(4), "name": "baseline"},
        "LogisticRegression": linear_model.LogisticRegression(max_iter=200).fit(x, y),
        "partial": functools.partial(np.full, 3),
        "itemgetter": operator.itemgetter("label"),
        "builtin": [len, sorted, max],
    }
    for name, value in values.items():
        for library, dumps in (("dill", dill.dumps), ("cloudpickle", cloudpickle.dumps)):
            path = shelf.put(f"{library}/{name}.pkl", library=library, subject=name, technique=f"{library}-plain")
            path.write_bytes(dumps(value))
    dill.settings["recurse"] = False
    dill.dump(
        values["dictionary"], shelf.put("old.dill", library="dill", subject="dictionary", technique="dill-p2").open("wb"), 2
    )


def code(shelf: Shelf) -> None:
    """Harmless functions, closures and classes by value: they run code by design and must be shown as such."""
    scaler = pipeline.make_pipeline(preprocessing.FunctionTransformer(_clip), linear_model.Ridge())
    x, y = datasets.load_diabetes(return_X_y=True)
    values: dict[str, Callable[..., Any] | Any] = {
        "lambda": lambda value: value * 2 + 1,
        "closure": _adder(3),
        "class": _make_class(),
        "pipeline": scaler.fit(x, y),
    }
    for name, value in values.items():
        for library, dumps in (("dill", functools.partial(dill.dumps, byref=False)), ("cloudpickle", _by_value)):
            path = shelf.put(
                f"{library}/{name}.pkl", library=library, subject=name, technique=f"{library}-code", label="code-carrying"
            )
            path.write_bytes(dumps(value))


def _by_value(value: object) -> bytes:
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(value))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _clip(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    clipped: np.ndarray[Any, Any] = np.clip(values, -1, 1)
    return clipped


def _adder(amount: int) -> Callable[[int], int]:
    def add(value: int) -> int:
        return value + amount

    return add


def _make_class() -> type:
    class Scaler:
        """Multiplies by a factor."""

        def __init__(self, factor: float) -> None:
            self.factor = factor

        def transform(self, values: list[float]) -> list[float]:
            return [value * self.factor for value in values]

    return Scaler
