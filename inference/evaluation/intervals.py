"""Bootstrap intervals over groups: songs of an artist are not independent, so artists are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.evaluation.metrics import Metric

__all__ = ["Interval", "bootstrap", "bootstrap_difference"]


@dataclass(frozen=True)
class Interval:
    """A value with the interval that holds it with probability `level`."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


def _draws(groups: NDArray[np.str_], n_draws: int, seed: int) -> list[NDArray[np.int64]]:
    names, group_of = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(group_of == g) for g in range(len(names))]
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([members[g] for g in rng.integers(0, len(names), len(names))])
        for _ in range(n_draws)
    ]


def _interval(value: float, values: list[float], level: float) -> Interval:
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(values, [tail, 100.0 - tail])
    return Interval(value, float(low), float(high), level)


def bootstrap(
    metric: Metric,
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike,
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a metric, drawing whole groups with replacement.

    Parameters
    ----------
    metric : callable (y, p) -> float
    y : array-like of int, shape (n,)
    p : array-like of float, shape (n, k), or (s, n, k) for s seeds
        With several seeds the metric is the mean over them, each draw uses
        the same groups in all.
    groups : array-like, shape (n,)
        Artist, listener or song of each sample.
    """
    labels = np.asarray(y, dtype=np.int64)
    runs = _runs(p)
    column = np.asarray(groups).astype(np.str_)

    def mean(at: NDArray[np.int64]) -> float:
        return float(np.mean([metric(labels[at], run[at]) for run in runs]))

    values = [mean(at) for at in _draws(column, n_draws, seed)]
    return _interval(mean(np.arange(len(labels))), values, level)


def bootstrap_difference(
    metric: Metric,
    y: ArrayLike,
    p_a: ArrayLike,
    p_b: ArrayLike,
    groups: ArrayLike,
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Paired interval of ``metric(a) - metric(b)`` on the same samples; see `bootstrap`."""
    labels = np.asarray(y, dtype=np.int64)
    runs_a, runs_b = _runs(p_a), _runs(p_b)
    column = np.asarray(groups).astype(np.str_)

    def difference(at: NDArray[np.int64]) -> float:
        a = np.mean([metric(labels[at], run[at]) for run in runs_a])
        b = np.mean([metric(labels[at], run[at]) for run in runs_b])
        return float(a - b)

    values = [difference(at) for at in _draws(column, n_draws, seed)]
    return _interval(difference(np.arange(len(labels))), values, level)


def _runs(p: ArrayLike) -> NDArray[np.float64]:
    runs = np.asarray(p, dtype=np.float64)
    return runs[None] if runs.ndim == 2 else runs
