"""Moods within a library: by how many of its songs each one is more pleasant or energetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.emotion import Quadrant

__all__ = ["MEDIAN", "RelativeMood", "percentiles", "quadrants_about_median"]

MEDIAN = 50.0
"""The percentile of the song in the middle; it counts as high, like 0 on the absolute axes."""


@dataclass(frozen=True, slots=True)
class RelativeMood:
    """Where a song lies within the library.

    Parameters
    ----------
    quadrant : Quadrant
        About the medians of the library.
    valence, arousal : float
        The share of the library's songs below it, per cent.
    """

    quadrant: Quadrant
    valence: float
    arousal: float

    def percentile(self, field: str) -> float:
        """That of a field of the search language, "valence%" or "arousal%"."""
        return self.valence if field == "valence%" else self.arousal


def percentiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of songs below each one, in per cent; equal songs share the middle of theirs.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN where unknown; such songs have no part in it.

    Returns
    -------
    ndarray of float32, shape (n,)
        In (0, 100), on average 50; NaN where unknown.
    """
    result = np.full(len(values), np.nan, np.float32)
    known = np.flatnonzero(~np.isnan(values))
    if len(known):
        order = known[np.argsort(values[known])]
        starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
        ends = np.append(starts[1:], len(order))
        result[order] = np.repeat((starts + ends) * (50.0 / len(order)), ends - starts)
    return result


def quadrants_about_median(
    valence: NDArray[np.float32], arousal: NDArray[np.float32]
) -> NDArray[np.int8]:
    """The quadrant that each song lies in where the medians are the axes.

    Parameters
    ----------
    valence, arousal : ndarray, shape (n,)
        Percentiles, NaN where unknown.

    Returns
    -------
    ndarray of int8, shape (n,)
        Positions in `QUADRANTS`, -1 where unknown.
    """
    with np.errstate(invalid="ignore"):
        quadrant = 2 * (arousal < MEDIAN) + (valence < MEDIAN)
    found: NDArray[np.int8] = np.where(np.isnan(valence + arousal), -1, quadrant).astype(np.int8)
    return found
