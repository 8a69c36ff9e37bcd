"""statsmodels results: formulas, time series, generalised and mixed models."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.tsa.api import ARIMA, ExponentialSmoothing

from benchmarks.corpus.benign.workshop import SEED, Shelf


def results(shelf: Shelf) -> None:
    """Fitted results saved by ``save`` and by two pickle protocols."""
    for name, result in _fitted():
        result.save(str(shelf.put(f"{name}.pickle", library="statsmodels", subject=name, technique="statsmodels-save")))
        for protocol in (2, 5):
            path = shelf.put(f"{name}.p{protocol}.pkl", library="statsmodels", subject=name, technique=f"pickle-{protocol}")
            path.write_bytes(pickle.dumps(result, protocol))


def _fitted() -> Iterator[tuple[str, Any]]:
    rng = np.random.default_rng(SEED)
    frame = pd.DataFrame({"x": rng.normal(size=60), "g": np.tile(list("abc"), 20)})
    frame["y"] = 2 * frame["x"] + rng.normal(size=60)
    design = sm.add_constant(frame[["x"]])
    yield "OLS", sm.OLS(frame["y"], design).fit()
    yield "OLS-formula", smf.ols("y ~ x + C(g)", frame).fit()
    yield "GLM", sm.GLM(np.exp(frame["y"] / 9), design, family=sm.families.Gamma(sm.families.links.Log())).fit()
    yield "Logit", sm.Logit((frame["y"] > 0).astype(float), design).fit(disp=0)
    yield "RLM", sm.RLM(frame["y"], design).fit()
    yield "ARIMA", ARIMA(np.cumsum(frame["y"].to_numpy()), order=(1, 1, 0)).fit()
    yield "ExponentialSmoothing", ExponentialSmoothing(np.cumsum(frame["y"].to_numpy()), trend="add").fit()
