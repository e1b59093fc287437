"""Which song on the plane is meant: the nearest to a place, the next one in a direction."""

from __future__ import annotations

import numpy as np

from widgets.mood_plane.points import PlanePoints
from widgets.mood_plane.viewport import Viewport

__all__ = ["nearest", "next_towards"]


def nearest(points: PlanePoints, view: Viewport, x: float, y: float, catch_px: float) -> int | None:
    """Position of the song nearest to a place, px; None where none is within `catch_px`."""
    if not len(points):
        return None
    dx = view.x_of(points.valence) - np.float32(x)
    dy = view.y_of(points.arousal) - np.float32(y)
    distance = dx * dx + dy * dy
    place = int(np.argmin(distance))
    return place if distance[place] <= catch_px * catch_px else None


def next_towards(points: PlanePoints, view: Viewport, place: int, dx: int, dy: int) -> int | None:
    """Position of the nearest song within 45 degrees of a direction, as seen from another."""
    x, y = view.x_of(points.valence), view.y_of(points.arousal)
    away_x, away_y = x - x[place], y - y[place]
    ahead = dx * away_x + dy * away_y
    aside = np.abs(dy * away_x) + np.abs(dx * away_y)
    cost = np.where((ahead > 0.5) & (aside <= ahead), ahead + aside, np.inf)
    found = int(np.argmin(cost))
    return found if np.isfinite(cost[found]) else None
