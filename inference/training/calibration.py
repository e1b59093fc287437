"""Temperature and confidence, fitted on out-of-fold predictions only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

__all__ = ["confidence_map", "fit_temperature", "tempered"]

Floats = NDArray[np.float64]


def tempered(p: Floats, temperature: float) -> Floats:
    """Probabilities, shape (n, k), at another temperature."""
    scaled = np.log(np.maximum(p, 1e-12)) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def fit_temperature(p: Floats, labels: NDArray[np.int64]) -> float:
    """Temperature of the smallest log-loss (Guo et al., ICML 2017), in 0.2 to 5.

    Parameters
    ----------
    p : ndarray, shape (n, k)
        Out-of-fold probabilities at temperature 1.
    labels : ndarray of int64, shape (n,)
    """

    def loss(log_t: float) -> float:
        q = tempered(p, float(np.exp(log_t)))
        return float(-np.log(np.maximum(q[np.arange(len(labels)), labels], 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return float(np.exp(found.x))


def confidence_map(p: Floats, labels: NDArray[np.int64], *, knots: int = 6) -> list[list[float]]:
    """Largest probability -> probability of being right, by isotonic regression.

    Parameters
    ----------
    p : ndarray, shape (n, k)
        Out-of-fold probabilities at the fitted temperature.
    labels : ndarray of int64, shape (n,)
    knots : int
        Of the piecewise linear map, at equal shares of the samples.

    Returns
    -------
    list of [p, right], rising in p
    """
    top = p.max(axis=1)
    right = (p.argmax(axis=1) == labels).astype(np.float64)
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(top, right)
    # Averages over equal shares: single steps of the fit are too certain of themselves.
    order = np.argsort(top, kind="stable")
    pairs: list[list[float]] = []
    for part in np.array_split(order, knots):
        at = round(float(top[part].mean()), 4)
        value = round(float(fitted.predict(top[part]).mean()), 4)
        if not pairs or at > pairs[-1][0]:
            pairs.append([at, value])
    return pairs
