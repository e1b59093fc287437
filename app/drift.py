"""Music that begins in one mood and moves along the plane to another: the songs, in their order."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from inference.emotion import MoodPoint, Quadrant
from library_db.index import MoodColumns

__all__ = ["drift", "heart_of"]

_MOST = 500
_NEAR = 12
_USUAL_S = 210.0
_LEAST_S = 30.0

Floats = NDArray[np.float64]


def heart_of(columns: MoodColumns, quadrant: Quadrant) -> MoodPoint:
    """Where the songs of a mood lie in this library: their mean, the surer ones counting more.

    Without such songs the middle of the quadrant.
    """
    chosen = (columns.quadrant == quadrant.position) & columns.there
    weights = np.nan_to_num(columns.confidence[chosen].astype(np.float64), nan=0.0)
    if not weights.sum() > 0.0:
        high = quadrant.value  # "HAHV": arousal, then valence
        return MoodPoint(0.5 if high[2] == "H" else -0.5, 0.5 if high[0] == "H" else -0.5)
    return MoodPoint(
        float(np.average(columns.valence[chosen], weights=weights)),
        float(np.average(columns.arousal[chosen], weights=weights)),
    )


def drift(
    columns: MoodColumns,
    start: Quadrant,
    end: Quadrant,
    duration_s: float,
    rng: random.Random | None = None,
) -> list[int]:
    """Songs from the heart of one mood to that of another (the same: staying there).

    Parameters
    ----------
    duration_s : float
        How long the way takes; the last song may go beyond it.

    Returns
    -------
    list of int
        Ids of different songs, at most 500. At each moment one of the songs nearest to the
        place on the straight way is drawn, a sure one rather than a guess, and not the artist
        that was just heard where another is near.
    """
    rng = rng or random.Random()
    free = np.flatnonzero((columns.quadrant >= 0) & columns.there)
    begin, goal = heart_of(columns, start), heart_of(columns, end)
    lengths = np.nan_to_num(columns.duration_s[free].astype(np.float64), nan=_USUAL_S)
    lengths = np.maximum(lengths, _LEAST_S)
    staying = 3 * int(duration_s / _USUAL_S + 1) if start is end else 0
    near = max(1, min(max(_NEAR, staying), len(free) // 8))
    taken: list[int] = []
    left = np.ones(len(free), np.bool_)
    at_s, last_artist = 0.0, -1
    while at_s < duration_s and left.any() and len(taken) < _MOST:
        share = at_s / duration_s
        valence = begin.valence + share * (goal.valence - begin.valence)
        arousal = begin.arousal + share * (goal.arousal - begin.arousal)
        away = np.hypot(columns.valence[free] - valence, columns.arousal[free] - arousal)
        away[~left] = np.inf
        place = _drawn(columns, free, away.astype(np.float64), near, last_artist, rng)
        left[place] = False
        taken.append(int(columns.ids[free[place]]))
        last_artist = int(columns.artist[free[place]])
        at_s += float(lengths[place])
    return taken


def _drawn(
    columns: MoodColumns,
    free: NDArray[np.intp],
    away: Floats,
    near: int,
    last_artist: int,
    rng: random.Random,
) -> int:
    """The position of one of the nearest songs, drawn by confidence."""
    near = min(near, int(np.isfinite(away).sum()))
    places = np.argpartition(away, near - 1)[:near]
    others = places[columns.artist[free[places]] != last_artist]
    places = others if len(others) else places
    weights = np.clip(np.nan_to_num(columns.confidence[free[places]], nan=0.3), 0.05, 1.0)
    return int(rng.choices(places.tolist(), weights.tolist())[0])
