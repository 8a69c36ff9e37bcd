"""Tail probabilities in log space, so that evidence far beyond 1e-308 still has an order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

_UNDERFLOW = 1e-280
_STEPS = 60

Floats = NDArray[np.float64]


def log_binomial_tail(hits: ArrayLike, trials: ArrayLike, rate: ArrayLike) -> Floats:
    """Give log P(X >= hits) for X ~ Binomial(trials, rate), elementwise.

    Args:
        hits: Counts, 0 .. trials.
        trials: Counts.
        rate: Probabilities in (0, 1).
    """
    k, n, p = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (hits, trials, rate)))
    p = np.clip(p, 1e-300, 1 - 1e-16)
    with np.errstate(all="ignore"):
        plain = special.betainc(np.maximum(k, 1e-9), n - k + 1, p)
        mass = (
            special.gammaln(n + 1)
            - special.gammaln(k + 1)
            - special.gammaln(n - k + 1)
            + k * np.log(p)
            + special.xlog1py(n - k, -p)
        )
        ratio = np.clip((n - k) * p / ((k + 1) * (1 - p)), 0.0, 0.999)
        far = mass - np.log1p(-ratio)
        out = np.where(plain > _UNDERFLOW, np.log(np.maximum(plain, _UNDERFLOW)), far)
    return np.where(k <= 0, 0.0, np.minimum(out, 0.0))


def log_beta_binomial_tail(hits: int, trials: int, rate: float, correlation: float) -> float:
    """Give log P(X >= hits) for a beta-binomial X: `trials` draws that share a rate of their own.

    Args:
        hits: Count.
        trials: Count.
        rate: Mean of the rates, in (0, 1).
        correlation: Intra-group correlation in [0, 1): 0 is the binomial.
    """
    if hits <= 0:
        return 0.0
    if correlation < 1e-6:
        return float(log_binomial_tail(hits, trials, rate))
    scale = 1.0 / correlation - 1.0
    a, b = rate * scale, (1.0 - rate) * scale
    k = np.arange(hits, trials + 1, dtype=np.float64)
    log_mass = (
        special.gammaln(trials + 1)
        - special.gammaln(k + 1)
        - special.gammaln(trials - k + 1)
        + special.betaln(k + a, trials - k + b)
        - special.betaln(a, b)
    )
    return float(min(0.0, special.logsumexp(log_mass)))


def log_negative_binomial_tail(hits: int, mean: float, shape: float) -> float:
    """Give log P(X >= hits) for counts X whose Poisson mean is itself uncertain: gamma with a mean and a shape.

    Args:
        hits: Count.
        mean: Expected count, positive.
        shape: Of the gamma distribution; its relative standard deviation is 1 / sqrt(shape).
    """
    if hits <= 0:
        return 0.0
    tail = float(special.betainc(hits, shape, mean / (mean + shape)))
    return float(np.log(max(tail, 1e-300)))


def log_poisson_binomial_tail(hits: float, rates: ArrayLike) -> float:
    """Give log P(X >= hits) for a sum X of independent draws with rates of their own.

    Exact when all are hits, else the saddlepoint approximation of Lugannani and Rice (1980) with continuity correction, as in
    Butler and Stephens (2017), whose relative error is a few per cent.

    Args:
        hits: How many of the draws came out.
        rates: Probability of each, in (0, 1).
    """
    p = np.clip(np.asarray(rates, np.float64), 1e-12, 1 - 1e-12)
    n, mean = len(p), float(p.sum())
    if hits <= 0 or n == 0:
        return 0.0
    if hits >= n:
        return float(np.log(p).sum())
    target = hits - 0.5
    if target <= mean + 1e-9:
        return float(np.log(0.5)) if hits >= mean else 0.0
    low, high = 0.0, 60.0
    for _ in range(_STEPS):
        tilt = 0.5 * (low + high)
        if float(special.expit(tilt + special.logit(p)).sum()) < target:
            low = tilt
        else:
            high = tilt
    tilt = 0.5 * (low + high)
    tilted = special.expit(tilt + special.logit(p))
    exponent = float(np.log1p(p * np.expm1(tilt)).sum()) - tilt * target
    u = 2.0 * np.sinh(tilt / 2.0) * np.sqrt(float((tilted * (1 - tilted)).sum()))
    return min(0.0, _lugannani_rice(exponent, float(u)))


def _lugannani_rice(exponent: float, u: float) -> float:
    """Join the exponent of the saddlepoint with its correction; log of the tail."""
    w = np.sqrt(max(-2.0 * exponent, 1e-12))
    normal = float(log_normal_tail(w))
    density = -0.5 * w * w - 0.5 * np.log(2 * np.pi)
    gain = 1.0 / u - 1.0 / w
    ratio = gain * np.exp(density - normal)
    return float(normal + np.log1p(ratio)) if ratio > -0.99 else float(normal)


def log_normal_tail(z: ArrayLike) -> Floats:
    """Give log P(Z >= z) for standard normal Z, elementwise."""
    return np.asarray(special.log_ndtr(-np.asarray(z, np.float64)), np.float64)


def log_chi_squared_tail(x: float) -> float:
    """Give log P(X >= x) for a chi-squared X with one degree of freedom: twice the normal tail at the root of x."""
    return min(0.0, float(np.log(2.0) + log_normal_tail(np.sqrt(max(x, 0.0)))))
