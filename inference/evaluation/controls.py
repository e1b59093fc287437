"""Controls that show what a protocol measures: permuted labels, majority line, leak test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.evaluation.folds import LeakError
from inference.evaluation.intervals import Interval, bootstrap
from inference.evaluation.metrics import balanced_accuracy

__all__ = ["LeakVerdict", "leak_verdict", "majority_probabilities", "permute_labels", "refuse_leak"]


def permute_labels(labels: ArrayLike, units: ArrayLike, *, seed: int) -> NDArray[np.int64]:
    """Shuffle labels between units, so that nothing real is left to learn.

    Parameters
    ----------
    labels : array-like of int, shape (n,)
        One class a sample, constant inside a unit.
    units : array-like, shape (n,)
        What carries one label: the song, the recording. All samples of a
        unit get the same new label, as under a real label.
    seed : int

    Returns
    -------
    ndarray of int64, shape (n,)
        The labels of the units, permuted: the class counts over units stay.

    Raises
    ------
    ValueError
        If a unit carries two labels.
    """
    y = np.asarray(labels, dtype=np.int64)
    _, first, unit_of = np.unique(
        np.asarray(units).astype(np.str_), return_index=True, return_inverse=True
    )
    of_unit = y[first]
    if not np.array_equal(of_unit[unit_of], y):
        raise ValueError("a unit carries two labels; permute over smaller units")
    return np.random.default_rng(seed).permutation(of_unit)[unit_of]


def majority_probabilities(
    train_labels: ArrayLike, n_test: int, *, n_classes: int = 4
) -> NDArray[np.float64]:
    """What somebody says who knows only the class counts of the training part: (n_test, k)."""
    counts = np.bincount(np.asarray(train_labels, dtype=np.int64), minlength=n_classes)
    return np.tile(counts / counts.sum(), (n_test, 1))


@dataclass(frozen=True)
class LeakVerdict:
    """Whether a procedure scores above chance on labels that mean nothing."""

    permuted: Interval
    chance: float

    @property
    def leaks(self) -> bool:
        """True where chance lies below the whole interval."""
        return self.permuted.low > self.chance


def leak_verdict(
    permuted_labels: ArrayLike, probabilities: ArrayLike, groups: ArrayLike, *, n_draws: int = 1000
) -> LeakVerdict:
    """Judge predictions of the permuted labels, by balanced accuracy over groups.

    Parameters
    ----------
    permuted_labels : array-like of int, shape (n,)
    probabilities : array-like, shape (n, k)
        Out-of-fold predictions of a procedure trained on permuted labels.
    groups : array-like, shape (n,)
        The units over which the labels were permuted.
    """
    interval = bootstrap(
        balanced_accuracy, permuted_labels, probabilities, groups, n_draws=n_draws, level=0.99
    )
    return LeakVerdict(interval, 1.0 / len(np.unique(np.asarray(permuted_labels))))


def refuse_leak(verdict: LeakVerdict) -> None:
    """Raise where the verdict says that the procedure leaks.

    Raises
    ------
    LeakError
        With the permuted-label score.
    """
    if verdict.leaks:
        raise LeakError(
            f"with permuted labels this procedure still scores {verdict.permuted} "
            f"(chance {verdict.chance:.2f}): test data reach the training",
            "Hold out whole songs, artists or listeners, and fit everything inside the fold.",
        )
