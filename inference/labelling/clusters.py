"""Emotion clusters over physiological features: K-means, by quadrant or as in the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS
from inference.errors import UndertoneError

__all__ = ["EmotionClusters", "Match", "kmeans"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def kmeans(x: ArrayLike, start: ArrayLike, *, iterations: int = 100) -> tuple[Floats, Ints]:
    """Lloyd's algorithm from given centroids; a cluster never becomes empty.

    Parameters
    ----------
    x : array-like, shape (n, d)
    start : array-like, shape (k, d)
        k <= n. A centroid that loses all its points moves to the point
        farthest from its own centroid.
    iterations : int

    Returns
    -------
    centroids : ndarray, shape (k, d)
    nearest : ndarray of int64, shape (n,)
    """
    points, centroids = np.asarray(x, np.float64), np.array(start, np.float64)
    if len(points) < len(centroids):
        raise ValueError(f"{len(points)} points cannot make {len(centroids)} clusters")
    nearest = np.full(len(points), -1, dtype=np.int64)
    for _ in range(iterations):
        distance = _distances(points, centroids)
        now = distance.argmin(axis=1)
        for k in range(len(centroids)):
            if not (now == k).any():
                counts = np.bincount(now, minlength=len(centroids))
                own = np.where(counts[now] > 1, distance[np.arange(len(points)), now], -1.0)
                now[int(own.argmax())] = k
        if np.array_equal(now, nearest):
            break
        nearest = now
        centroids = np.stack([points[nearest == k].mean(axis=0) for k in range(len(centroids))])
    return centroids, nearest


def _distances(x: Floats, centroids: Floats) -> Floats:
    return np.asarray(np.sqrt(((x[:, None, :] - centroids[None]) ** 2).sum(axis=2)))


@dataclass(frozen=True)
class Match:
    """Where features lie among the clusters.

    Parameters
    ----------
    quadrants : ndarray of int64, shape (n,)
        Quadrant of the nearest cluster.
    similarity : ndarray, shape (n, 4)
        exp(-distance / typical distance) to the nearest cluster of each
        quadrant, in (0, 1].
    """

    quadrants: Ints
    similarity: Floats


@dataclass(frozen=True)
class EmotionClusters:
    """Cluster models of the four quadrants (step 1 of the paper).

    Parameters
    ----------
    centroids : ndarray, shape (m, d)
        In standardised units.
    quadrants : ndarray of int64, shape (m,)
        Quadrant of each centroid.
    mean, scale : ndarray, shape (d,)
        Of the training features.
    typical : float
        Median distance of training features to their nearest centroid.
    """

    centroids: Floats
    quadrants: Ints
    mean: Floats
    scale: Floats
    typical: float

    @classmethod
    def fit(
        cls, features: ArrayLike, labels: ArrayLike, *, per_quadrant: int = 3, seed: int = 0
    ) -> EmotionClusters:
        """K centroids a quadrant (our default): no quadrant can be lost.

        Parameters
        ----------
        features : array-like, shape (n, d)
            Recording-level features.
        labels : array-like of int, shape (n,)
            The listener's answers.
        per_quadrant : int
            Centroids a quadrant, fewer where it has fewer recordings.

        Raises
        ------
        UndertoneError
            If a quadrant has no recording.
        """
        x, y, mean, scale = _standardised(features, labels)
        rng = np.random.default_rng(seed)
        centroids, quadrants = [], []
        for q in range(len(QUADRANTS)):
            mine = x[y == q]
            k = min(per_quadrant, len(mine))
            found, _ = kmeans(mine, mine[rng.choice(len(mine), k, replace=False)])
            centroids.append(found)
            quadrants.append(np.full(k, q))
        return cls._of(np.concatenate(centroids), np.concatenate(quadrants), x, mean, scale)

    @classmethod
    def fit_literal(cls, features: ArrayLike, labels: ArrayLike) -> EmotionClusters:
        """The paper's n = 4 clusters, started at the class means and free to move."""
        x, y, mean, scale = _standardised(features, labels)
        start = np.stack([x[y == q].mean(axis=0) for q in range(len(QUADRANTS))])
        centroids, _ = kmeans(x, start)
        return cls._of(centroids, np.arange(len(QUADRANTS)), x, mean, scale)

    @classmethod
    def _of(
        cls, centroids: Floats, quadrants: Ints, x: Floats, mean: Floats, scale: Floats
    ) -> EmotionClusters:
        typical = float(np.median(_distances(x, centroids).min(axis=1)))
        return cls(centroids, quadrants.astype(np.int64), mean, scale, max(typical, 1e-9))

    def match(self, features: ArrayLike) -> Match:
        """Nearest cluster of features, shape (n, d)."""
        x = (np.asarray(features, np.float64) - self.mean) / self.scale
        distance = _distances(x, self.centroids)
        by_quadrant = np.stack(
            [distance[:, self.quadrants == q].min(axis=1) for q in range(len(QUADRANTS))], axis=1
        )
        return Match(by_quadrant.argmin(axis=1), np.exp(-by_quadrant / self.typical))


def _standardised(features: ArrayLike, labels: ArrayLike) -> tuple[Floats, Ints, Floats, Floats]:
    x, y = np.asarray(features, np.float64), np.asarray(labels, np.int64)
    if x.ndim != 2 or len(x) != len(y):
        raise ValueError(f"features {x.shape} and labels {y.shape} do not fit")
    for q, quadrant in enumerate(QUADRANTS):
        if not (y == q).any():
            raise UndertoneError(
                f"there is no recording of {quadrant.label} to form a cluster from",
                "Record at least one song of each mood.",
            )
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    return (x - mean) / scale, y, mean, scale
