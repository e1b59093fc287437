"""The songs as one image, a little larger than the window, so that panning only shifts it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from inference.emotion import QUADRANTS
from widgets.mood_plane.points import PlanePoints
from widgets.mood_plane.raster import density, discs
from widgets.mood_plane.viewport import Viewport
from widgets.theme import Tokens

__all__ = ["SongLayer"]

_BORDER_PX = 96
_CELL_PX = 2
_MOST_DISCS = 2500
_CHOSEN_LEAST = 0.9
_OTHERS_SHARE = 0.15


class SongLayer:
    """Keeps the image until the songs, the zoom or the size change, or its border is used up.

    Attributes
    ----------
    near : bool
        Whether single songs were drawn the last time, not their density.
    """

    def __init__(self) -> None:
        self.near = False
        self._image: QImage | None = None
        self._view = Viewport(1, 1)

    def forget(self) -> None:
        """Draw the songs anew the next time."""
        self._image = None

    def draw(
        self,
        painter: QPainter,
        points: PlanePoints,
        view: Viewport,
        chosen: NDArray[np.bool_] | None,
        tokens: Tokens,
        ratio: float,
    ) -> None:
        """Draw the songs as `view` shows them.

        Parameters
        ----------
        chosen : ndarray, shape (n,), bool, or None
            These stand out, the others step back.
        ratio : float
            Device pixels a logical one.
        """
        shift = self._shift(view)
        if self._image is None or shift is None:
            self._image = self._render(points, view, chosen, tokens, ratio)
            self._view = view
            shift = QPointF()
        place = QRectF(0, 0, view.width, view.height)
        place.adjust(-_BORDER_PX, -_BORDER_PX, _BORDER_PX, _BORDER_PX)
        painter.drawImage(place.translated(shift), self._image)

    def _shift(self, view: Viewport) -> QPointF | None:
        """How far the view was panned since the image was drawn, px; None: too far for it."""
        drawn = self._view
        if (drawn.width, drawn.height, drawn.zoom) != (view.width, view.height, view.zoom):
            return None
        x = round((drawn.valence - view.valence) * view.scale_x)
        y = round((view.arousal - drawn.arousal) * view.scale_y)
        return QPointF(x, y) if max(abs(x), abs(y)) <= _BORDER_PX else None

    def _render(
        self,
        points: PlanePoints,
        view: Viewport,
        chosen: NDArray[np.bool_] | None,
        tokens: Tokens,
        ratio: float,
    ) -> QImage:
        x, y = view.x_of(points.valence) + _BORDER_PX, view.y_of(points.arousal) + _BORDER_PX
        weight = points.opacity
        if chosen is not None:
            stands_out = np.maximum(weight, np.float32(_CHOSEN_LEAST))
            weight = np.where(chosen, stands_out, weight * np.float32(_OTHERS_SHARE))
        wide, high = view.width + 2 * _BORDER_PX, view.height + 2 * _BORDER_PX
        seen = (x > -8) & (x < wide + 8) & (y > -8) & (y < high + 8)
        count = int(np.count_nonzero(seen))
        self.near = count <= _MOST_DISCS
        scale = ratio if self.near else 1.0 / _CELL_PX
        size = (max(round(wide * scale), 1), max(round(high * scale), 1))
        x, y = x[seen] * np.float32(scale), y[seen] * np.float32(scale)
        quadrant, weight, colours = points.quadrant[seen], weight[seen], _colours(tokens)
        if self.near:
            radius = (3.5 if count > 600 else 4.5 if count > 120 else 6.0) * ratio
            pixels = discs(x, y, quadrant, weight, colours, size, radius)
        else:
            pixels = density(x, y, quadrant, weight, colours, size)
        height, width = pixels.shape[:2]
        form = QImage.Format.Format_ARGB32_Premultiplied
        # The copy owns its memory; the array may go.
        return QImage(pixels.data, width, height, 4 * width, form).copy()


def _colours(tokens: Tokens) -> NDArray[np.float32]:
    """Blue, green, red of the four quadrants, shape (4, 3), in [0, 1]."""
    moods = [tokens.mood(quadrant) for quadrant in QUADRANTS]
    return np.array([[c.blueF(), c.greenF(), c.redF()] for c in moods], np.float32)
