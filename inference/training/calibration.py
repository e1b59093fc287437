"""Temperature, confidence, sets and intervals, fitted on out-of-fold predictions only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

from inference.catalog import Calibration
from inference.emotion import QUADRANTS
from inference.evaluation.intervals import bootstrap
from inference.uncertainty import LEAST_SPREAD

__all__ = [
    "COVERAGE",
    "Coverage",
    "confidence_map",
    "conformal_share",
    "coverage_figures",
    "fit_calibration",
    "fit_temperature",
    "interval_width",
    "measured_coverage",
    "tag_balance",
    "tempered",
]

COVERAGE = 0.9
"""Of the sets and intervals that are shown."""

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


def conformal_share(p: Floats, labels: NDArray[np.int64], coverage: float = COVERAGE) -> float:
    """The probability mass from which on a set of quadrants holds the true one `coverage` often.

    Quadrants enter a set by falling probability until their sum passes this
    (adaptive prediction sets without randomisation; Romano, Sesia and Candes,
    NeurIPS 2020), calibrated on out-of-fold predictions.

    Parameters
    ----------
    p : ndarray, shape (n, k)
        At the fitted temperature.
    labels : ndarray of int64, shape (n,)
    """
    order = np.argsort(-p, axis=1)
    mass = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1)
    place = np.argmax(order == labels[:, None], axis=1)
    needed = mass[np.arange(len(labels)), place] - p[np.arange(len(labels)), labels]
    return float(np.quantile(needed, coverage))


def tag_balance(labels: NDArray[np.int64], agreement: ArrayLike) -> Floats:
    """Valence and arousal of songs as their tags have them, shape (n, 2), in [-1, 1].

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Positions in `QUADRANTS`.
    agreement : array-like, shape (n,)
        Share of a song's mood tags that point to its quadrant; 1 where it is not known.

    Notes
    -----
    Where the other tags point is not known: they are taken to be spread evenly over the other
    three quadrants. The balance, high minus low, is then (4 a - 1) / 3.
    """
    size = np.clip((4.0 * np.asarray(agreement, np.float64) - 1.0) / 3.0, 0.0, 1.0)
    high = np.array([[q.high_valence, q.high_arousal] for q in QUADRANTS])[labels]
    return np.where(high, 1.0, -1.0) * size[:, None]


def interval_width(values: Floats, truth: Floats, coverage: float = COVERAGE) -> float:
    """The width with which intervals round `values` hold the truth `coverage` often, (n,) each.

    See `inference.uncertainty.uncertainty` for what it is the width of.
    """
    spread = np.sqrt(np.maximum(1.0 - values**2, LEAST_SPREAD))
    return float(np.quantile(np.abs(truth - values) / spread, coverage))


def axis_values(p: Floats) -> Floats:
    """Valence and arousal of quadrant probabilities, shape (n, 4) to (n, 2)."""
    high = np.array([[q.high_valence, q.high_arousal] for q in QUADRANTS], np.float64)
    return np.asarray(2.0 * (p / p.sum(axis=1, keepdims=True)) @ high - 1.0)


def fit_calibration(
    runs: Floats, labels: NDArray[np.int64], agreement: ArrayLike, *, temperature: float
) -> Calibration:
    """All that a card says of calibration, from out-of-fold predictions.

    Parameters
    ----------
    runs : ndarray, shape (seeds, n, 4)
        Probabilities at the fitted temperature.
    labels : ndarray of int64, shape (n,)
    agreement : array-like, shape (n,)
        See `tag_balance`.
    temperature : float
        For the card; 1 where the network divides by it itself.
    """
    p = runs.reshape(-1, runs.shape[-1])
    tiled = np.tile(labels, len(runs))
    values = axis_values(p)
    truth = np.tile(tag_balance(labels, agreement), (len(runs), 1))
    return Calibration(
        temperature=round(temperature, 4),
        # Even scores, as those of speech and noise, are known to say nothing.
        confidence=tuple((a, b) for a, b in [(0.25, 0.25), *confidence_map(p, tiled)]),
        set_mass=round(conformal_share(p, tiled), 4),
        valence_width=round(interval_width(values[:, 0], truth[:, 0]), 4),
        arousal_width=round(interval_width(values[:, 1], truth[:, 1]), 4),
        coverage=COVERAGE,
    )


@dataclass(frozen=True)
class Coverage:
    """How often sets and intervals hold the truth on groups that they were not fitted on.

    Parameters
    ----------
    in_set : ndarray, shape (n,)
        Share of the seeds in which the set held the true quadrant.
    size : ndarray, shape (n,)
        Quadrants in a set.
    valence, arousal : ndarray, shape (n,)
        Share of the seeds in which the interval held the balance of the tags.
    """

    in_set: Floats
    size: Floats
    valence: Floats
    arousal: Floats


def measured_coverage(
    runs: Floats,
    labels: NDArray[np.int64],
    agreement: ArrayLike,
    groups: ArrayLike,
    *,
    parts: int = 10,
) -> Coverage:
    """Coverage with thresholds fitted on other groups, part by part.

    Parameters
    ----------
    runs, labels, agreement
        As for `fit_calibration`.
    groups : array-like, shape (n,)
        Artists; all songs of one are in the same part.
    parts : int
    """
    names, group = np.unique(np.asarray(groups).astype(np.str_), return_inverse=True)
    part = np.random.default_rng(0).permutation(len(names))[group] % parts
    balance = tag_balance(labels, agreement)
    found = np.zeros((4, len(labels)))
    for p in runs:
        values = axis_values(p)
        spread = np.sqrt(np.maximum(1.0 - values**2, LEAST_SPREAD))
        order = np.argsort(-p, axis=1)
        ordered = np.take_along_axis(p, order, axis=1)
        before = np.cumsum(ordered, axis=1) - ordered
        for k in range(parts):
            here, there = part == k, part != k
            sets = before[here] <= conformal_share(p[there], labels[there])
            found[0, here] += (sets & (order[here] == labels[here][:, None])).any(axis=1)
            found[1, here] += sets.sum(axis=1)
            for axis in (0, 1):
                width = interval_width(values[there, axis], balance[there, axis])
                off = np.abs(values[here, axis] - balance[here, axis])
                found[2 + axis, here] += off <= width * spread[here, axis]
    return Coverage(*found / len(runs))


def coverage_figures(
    runs: Floats, labels: NDArray[np.int64], agreement: ArrayLike, groups: ArrayLike
) -> dict[str, float]:
    """Columns of a results table: coverage and size of the sets, coverage of the intervals.

    With 95 % intervals over groups (``_low``, ``_high``), and the accuracy of the more confident
    half of the songs beside that of the other. Parameters as for `measured_coverage`.
    """
    found = measured_coverage(runs, labels, agreement, groups)
    row: dict[str, float] = {}
    for name, values in (
        ("set_coverage", found.in_set),
        ("valence_interval_coverage", found.valence),
        ("arousal_interval_coverage", found.arousal),
    ):
        i = bootstrap(lambda _, p: float(np.asarray(p).mean()), labels, values[:, None], groups)
        row |= {name: i.value, f"{name}_low": i.low, f"{name}_high": i.high}
    top = runs.max(axis=2)
    right = runs.argmax(axis=2) == labels
    rank = top.argsort(axis=1, kind="stable").argsort(axis=1)
    upper = rank >= top.shape[1] // 2  # by rank: equal confidences must not leave a half empty
    return row | {
        "set_size": float(found.size.mean()),
        "confident_half_accuracy": float(right[upper].mean()),
        "other_half_accuracy": float(right[~upper].mean()),
    }
