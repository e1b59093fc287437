"""What live mode needs beside the sensor network: how much it may say beside a song.

The weight of the sensors beside the song's own estimate is learned where songs have been heard by
several listeners: the labels of the *other* listeners stand in for the music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from inference.evaluation import Fold

__all__ = ["Fusion", "fit_fusion"]

Floats = NDArray[np.float64]
_LARGEST_WEIGHT = 3.0


@dataclass(frozen=True)
class Fusion:
    """The sensors' weight beside a song, and what it did where it was not fitted.

    Parameters
    ----------
    weight : float
        Fitted on all listenings with a consensus, for the shipped model; 0 where
        weights that were fitted crosswise gain less than one standard error.
    probabilities : ndarray, shape (n, 4)
        Fused, each fold with the weight of the other folds.
    consensus : ndarray, shape (n, 4)
    known : ndarray of bool, shape (n,)
        Listenings whose song somebody else among the training listeners heard.
    """

    weight: float
    probabilities: Floats
    consensus: Floats
    known: NDArray[np.bool_]


def fit_fusion(
    prior: Floats,
    felt: Floats,
    labels: NDArray[np.int64],
    known: NDArray[np.bool_],
    folds: Sequence[Fold],
) -> Fusion:
    """Fit the weight by log-loss, for all and crosswise over the folds."""
    fused = prior.copy()
    for fold in folds:
        inside = np.flatnonzero(known & ~np.isin(np.arange(len(labels)), fold.test))
        weight = _weight(prior[inside], felt[inside], labels[inside])
        fused[fold.test] = _fused(prior[fold.test], felt[fold.test], weight)
    at = np.flatnonzero(known)
    weight = _weight(prior[at], felt[at], labels[at])
    rows = at, labels[at]
    gain = np.log(np.maximum(fused[rows], 1e-9)) - np.log(np.maximum(prior[rows], 1e-9))
    # One standard error: what could be chance is none.
    if len(at) < 2 or gain.mean() <= gain.std(ddof=1) / np.sqrt(len(at)):
        weight = 0.0
    return Fusion(weight, fused, prior, known)


def _fused(prior: Floats, felt: Floats, weight: float) -> Floats:
    scores = np.log(np.maximum(prior, 1e-9)) + weight * np.log(np.maximum(felt, 1e-9))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _weight(prior: Floats, felt: Floats, labels: NDArray[np.int64]) -> float:
    if len(labels) == 0:
        return 0.0

    def loss(weight: float) -> float:
        return _log_loss(_fused(prior, felt, weight), labels)

    found = minimize_scalar(loss, bounds=(0.0, _LARGEST_WEIGHT), method="bounded")
    return float(found.x) if loss(float(found.x)) < loss(0.0) else 0.0


def _log_loss(p: Floats, labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-9)).mean())
