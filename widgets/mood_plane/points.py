"""The songs on the plane, as arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlanePoints"]


@dataclass(frozen=True, eq=False)
class PlanePoints:
    """Songs with a mood.

    Parameters
    ----------
    ids : ndarray, shape (n,), int64
    valence, arousal : ndarray, shape (n,), float32
        In [-1, 1].
    confidence : ndarray, shape (n,), float32
        In [0, 1]; drawn as opacity.
    quadrant : ndarray, shape (n,), int8
        Position in `QUADRANTS`, 0..3.
    relative : bool
        Whether the places are percentiles within the library, brought to [-1, 1].
    """

    ids: NDArray[np.int64]
    valence: NDArray[np.float32]
    arousal: NDArray[np.float32]
    confidence: NDArray[np.float32]
    quadrant: NDArray[np.int8]
    relative: bool = False

    @classmethod
    def none(cls) -> PlanePoints:
        empty = np.empty(0, np.float32)
        return cls(np.empty(0, np.int64), empty, empty, empty, np.empty(0, np.int8))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def opacity(self) -> NDArray[np.float32]:
        """A guess fades, a sure mood stands out; none vanishes. Shape (n,), in [0.2, 1]."""
        sure = np.clip(np.nan_to_num(self.confidence, nan=0.3), 0.0, 1.0)
        return (0.2 + 0.8 * sure).astype(np.float32)

    def place_of(self, track_id: int) -> int | None:
        """Position of a song in the arrays."""
        found = np.flatnonzero(self.ids == track_id)
        return int(found[0]) if len(found) else None

    def along(self, way: NDArray[np.float32], reach: float, count: int) -> NDArray[np.int64]:
        """Ids of songs that lie along a way, in its order.

        Parameters
        ----------
        way : ndarray, shape (m, 2)
            Valence and arousal of the corners of the way.
        reach : float
            How far from the way a song may lie.
        count : int
            At most so many, spread evenly along the way, the nearest to it first.
        """
        steps = np.hypot(*np.diff(way, axis=0).T)
        length = np.concatenate(([0.0], np.cumsum(steps)))
        if not len(self) or length[-1] <= 0:
            return np.empty(0, np.int64)
        stops = np.linspace(0.0, length[-1], max(count, 2) * 2)
        x = np.interp(stops, length, way[:, 0])
        y = np.interp(stops, length, way[:, 1])
        near = np.flatnonzero(
            (self.valence >= x.min() - reach)
            & (self.valence <= x.max() + reach)
            & (self.arousal >= y.min() - reach)
            & (self.arousal <= y.max() + reach)
        )
        valence, arousal = self.valence[near].copy(), self.arousal[near]
        taken: list[int] = []
        for px, py in zip(x.astype(np.float32), y.astype(np.float32), strict=True):
            distance = np.square(valence - px) + np.square(arousal - py)
            place = int(np.argmin(distance)) if len(distance) else 0
            if len(distance) and distance[place] <= reach * reach:
                valence[place] = np.inf  # each song once
                taken.append(int(near[place]))
        if len(taken) > count:
            taken = [taken[i] for i in np.linspace(0, len(taken) - 1, count).astype(int)]
        return self.ids[np.array(taken, np.intp)]

    def nearest(self, place: int, count: int) -> NDArray[np.int64]:
        """Ids of the `count` songs nearest to the one at `place`, itself first."""
        distance = np.hypot(self.valence - self.valence[place], self.arousal - self.arousal[place])
        distance[place] = -1.0
        count = min(count, len(self.ids))
        some = np.argpartition(distance, count - 1)[:count]
        return self.ids[some[np.argsort(distance[some], kind="stable")]]
