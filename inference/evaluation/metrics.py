"""Scores of quadrant probabilities: plain, balanced, by axis, and how well calibrated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS

__all__ = [
    "METRICS",
    "Scores",
    "accuracy",
    "arousal_accuracy",
    "balanced_accuracy",
    "confusion",
    "expected_calibration_error",
    "macro_f1",
    "score",
    "valence_accuracy",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIGH_AROUSAL: Floats = np.array([q.high_arousal for q in QUADRANTS], dtype=np.float64)
"""1 for the quadrants of high arousal, in the order of `QUADRANTS`."""
HIGH_VALENCE: Floats = np.array([q.high_valence for q in QUADRANTS], dtype=np.float64)
"""1 for the quadrants of high valence, in the order of `QUADRANTS`."""


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[Ints, Floats]:
    labels = np.asarray(y, dtype=np.int64)
    probabilities = np.asarray(p, dtype=np.float64)
    if probabilities.ndim != 2 or len(labels) != len(probabilities) or len(labels) == 0:
        raise ValueError(f"labels {labels.shape} and probabilities {probabilities.shape} differ")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities hold values that are not finite")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(f"labels lie outside 0..{probabilities.shape[1] - 1}")
    return labels, probabilities


def confusion(y: ArrayLike, p: ArrayLike) -> Ints:
    """Confusion matrix, shape (k, k): true class by row, argmax of `p` (n, k) by column."""
    labels, probabilities = _checked(y, p)
    k = probabilities.shape[1]
    table = np.zeros((k, k), dtype=np.int64)
    np.add.at(table, (labels, probabilities.argmax(axis=1)), 1)
    return table


def accuracy(y: ArrayLike, p: ArrayLike) -> float:
    """Share of samples whose argmax is the label."""
    table = confusion(y, p)
    return float(np.trace(table) / table.sum())


def balanced_accuracy(y: ArrayLike, p: ArrayLike) -> float:
    """Mean recall over the classes that occur; chance is 1 / their number for any class balance."""
    table = confusion(y, p)
    support = table.sum(axis=1)
    there = support > 0
    return float((np.diag(table)[there] / support[there]).mean())


def macro_f1(y: ArrayLike, p: ArrayLike) -> float:
    """Mean F1 over the classes that occur in labels or predictions."""
    table = confusion(y, p)
    hits, total = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    there = total > 0
    return float((2.0 * hits[there] / total[there]).mean())


def _axis_accuracy(y: ArrayLike, p: ArrayLike, high: Floats) -> float:
    labels, probabilities = _checked(y, p)
    if probabilities.shape[1] != len(QUADRANTS):
        raise ValueError("axis accuracies need probabilities of the four quadrants")
    share = probabilities @ high / probabilities.sum(axis=1)
    return float(((share >= 0.5) == (high[labels] > 0.5)).mean())


def arousal_accuracy(y: ArrayLike, p: ArrayLike) -> float:
    """Share right on high or low arousal, by P(HAHV) + P(HALV) >= 0.5."""
    return _axis_accuracy(y, p, HIGH_AROUSAL)


def valence_accuracy(y: ArrayLike, p: ArrayLike) -> float:
    """Share right on high or low valence, by P(HAHV) + P(LAHV) >= 0.5."""
    return _axis_accuracy(y, p, HIGH_VALENCE)


def expected_calibration_error(y: ArrayLike, p: ArrayLike, *, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins of confidence.

    References
    ----------
    Guo et al., On calibration of modern neural networks, ICML 2017, eq. (3).
    """
    labels, probabilities = _checked(y, p)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = 0.0
    for b in np.unique(bin_of):
        inside = bin_of == b
        gap += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(gap)


@dataclass(frozen=True)
class Scores:
    """All scores of one set of predictions; `n` is the number of samples."""

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    arousal_accuracy: float
    valence_accuracy: float
    calibration_error: float

    def as_row(self) -> dict[str, float]:
        """Column name to value, for a results table."""
        return dict(asdict(self))


Metric = Callable[[ArrayLike, ArrayLike], float]
METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
    "arousal_accuracy": arousal_accuracy,
    "valence_accuracy": valence_accuracy,
    "calibration_error": expected_calibration_error,
}
"""Every score by its column name."""


def score(y: ArrayLike, p: ArrayLike) -> Scores:
    """All scores of quadrant probabilities.

    Parameters
    ----------
    y : array-like of int, shape (n,)
        Positions in `QUADRANTS`.
    p : array-like of float, shape (n, 4)
        Probabilities in the order of `QUADRANTS`.

    Raises
    ------
    ValueError
        On shapes that differ, labels out of range, or values not finite.
    """
    return Scores(n=len(np.asarray(y)), **{name: f(y, p) for name, f in METRICS.items()})
