"""Which part of the plane is seen: valence to the right, arousal upwards. Plain geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Viewport"]

_MARGIN_PX = 44
_MOST_ZOOM = 200.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """A view of the plane.

    Parameters
    ----------
    width, height : float
        Of the canvas, px.
    valence, arousal : float
        What is in the middle.
    zoom : float
        1 shows all of [-1, 1] x [-1, 1].
    """

    width: float
    height: float
    valence: float = 0.0
    arousal: float = 0.0
    zoom: float = 1.0

    @property
    def scale_x(self) -> float:
        """px per unit of valence."""
        return max(self.width - 2 * _MARGIN_PX, 50.0) / 2 * self.zoom

    @property
    def scale_y(self) -> float:
        """px per unit of arousal."""
        return max(self.height - 2 * _MARGIN_PX, 50.0) / 2 * self.zoom

    def x_of(self, valence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Places in px, shape as given."""
        return (valence - np.float32(self.valence)) * np.float32(self.scale_x) + np.float32(
            self.width / 2
        )

    def y_of(self, arousal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Places in px, downwards; shape as given."""
        return np.float32(self.height / 2) - (arousal - np.float32(self.arousal)) * np.float32(
            self.scale_y
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Valence and arousal of a place on the canvas (may lie outside [-1, 1])."""
        return (
            self.valence + (x - self.width / 2) / self.scale_x,
            self.arousal - (y - self.height / 2) / self.scale_y,
        )

    def resized(self, width: float, height: float) -> Viewport:
        return replace(self, width=width, height=height)

    def panned(self, dx: float, dy: float) -> Viewport:
        """Moved with the hand by so many px; the plane never leaves the canvas wholly."""
        return replace(
            self,
            valence=_bounded(self.valence - dx / self.scale_x),
            arousal=_bounded(self.arousal + dy / self.scale_y),
        )

    def zoomed(self, factor: float, x: float, y: float) -> Viewport:
        """Zoomed about a place that stays where it is; zoomed out fully, all is shown."""
        zoom = min(max(self.zoom * factor, 1.0), _MOST_ZOOM)
        if zoom == 1.0:
            return Viewport(self.width, self.height)
        valence, arousal = self.at(x, y)
        other = replace(self, zoom=zoom)
        now_valence, now_arousal = other.at(x, y)
        return replace(
            other,
            valence=_bounded(other.valence + valence - now_valence),
            arousal=_bounded(other.arousal + arousal - now_arousal),
        )

    def centred(self, valence: float, arousal: float) -> Viewport:
        return replace(self, valence=_bounded(valence), arousal=_bounded(arousal))


def _bounded(value: float) -> float:
    return min(max(value, -1.0), 1.0)
