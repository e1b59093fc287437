"""The songs as one image, a little larger than the window, so that panning only shifts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from inference.emotion import QUADRANTS
from widgets.mood_plane.points import PlanePoints
from widgets.mood_plane.raster import density, discs
from widgets.mood_plane.viewport import Viewport
from widgets.theme import Tokens

__all__ = ["Drawn", "Run", "Scene", "SongLayer"]

_BORDER_PX = 128
_RENEW_PX = 64
_CELL_PX = 2
_MOST_DISCS = 2500
_CHOSEN_LEAST = 0.9
_OTHERS_SHARE = 0.15


Run = Callable[[Callable[[], "Drawn"], Callable[["Drawn"], None]], None]
"""Calls the first, perhaps on another thread, and the second with its result on this one."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What is to be drawn.

    Parameters
    ----------
    chosen : ndarray, shape (n,), bool, or None
        These stand out, the others step back.
    ratio : float
        Device pixels a logical one.
    """

    points: PlanePoints
    view: Viewport
    chosen: NDArray[np.bool_] | None
    tokens: Tokens
    ratio: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scene as an image; `near` where single songs were drawn, not their density."""

    image: QImage
    view: Viewport
    near: bool


class SongLayer:
    """Keeps the image until the songs, the zoom or the size change, or its border is used up.

    While a new one is being drawn, the old one is shown moved and scaled to
    where it belongs.

    Parameters
    ----------
    updated : callable
        Called when a new image is there.
    """

    def __init__(self, updated: Callable[[], None]) -> None:
        self._updated = updated
        self._run: Run = _at_once
        self._drawn: Drawn | None = None
        self._wanted = 0
        self._version = -1
        self._busy = False

    @property
    def near(self) -> bool:
        return self._drawn is not None and self._drawn.near

    def run_with(self, run: Run) -> None:
        """Have images drawn by `run` from now on; at first they are drawn at once."""
        self._run = run

    def forget(self) -> None:
        """The songs or the colours are others now."""
        self._wanted += 1

    def draw(self, painter: QPainter, scene: Scene) -> None:
        """Draw the songs as `scene` shows them, or nearly so until they are drawn anew."""
        if not self._fits(scene.view) and not self._busy:
            self._busy = True
            version = self._wanted
            self._run(lambda: _render(scene), lambda drawn: self._take(drawn, version))
        if self._drawn is not None:
            painter.drawImage(self._place(scene.view), self._drawn.image)

    def _fits(self, view: Viewport) -> bool:
        if self._drawn is None or self._version != self._wanted:
            return False
        old = self._drawn.view
        if (old.width, old.height, old.zoom) != (view.width, view.height, view.zoom):
            return False
        x = abs(old.valence - view.valence) * view.scale_x
        y = abs(old.arousal - view.arousal) * view.scale_y
        return max(x, y) <= _RENEW_PX

    def _place(self, view: Viewport) -> QRectF:
        """Where the image belongs in `view`, px."""
        assert self._drawn is not None
        old = self._drawn.view
        left, top = old.at(-_BORDER_PX, -_BORDER_PX)
        right, bottom = old.at(old.width + _BORDER_PX, old.height + _BORDER_PX)
        x = view.x_of(np.array([left, right], np.float32))
        y = view.y_of(np.array([top, bottom], np.float32))
        place = QRectF(float(x[0]), float(y[0]), float(x[1] - x[0]), float(y[1] - y[0]))
        if old.zoom == view.zoom:  # whole pixels: panning stays sharp
            place.moveTo(round(place.x()), round(place.y()))
        return place

    def _take(self, drawn: Drawn, version: int) -> None:
        self._busy = False
        self._drawn, self._version = drawn, version
        self._updated()


def _at_once(make: Callable[[], Drawn], take: Callable[[Drawn], None]) -> None:
    take(make())


def _render(scene: Scene) -> Drawn:
    """The songs in and around the window. Any thread."""
    points, view = scene.points, scene.view
    x, y = view.x_of(points.valence) + _BORDER_PX, view.y_of(points.arousal) + _BORDER_PX
    weight = points.opacity
    if scene.chosen is not None:
        stands_out = np.maximum(weight, np.float32(_CHOSEN_LEAST))
        weight = np.where(scene.chosen, stands_out, weight * np.float32(_OTHERS_SHARE))
    wide, high = view.width + 2 * _BORDER_PX, view.height + 2 * _BORDER_PX
    seen = (x > -8) & (x < wide + 8) & (y > -8) & (y < high + 8)
    count = int(np.count_nonzero(seen))
    near = count <= _MOST_DISCS
    scale = scene.ratio if near else 1.0 / _CELL_PX
    size = (max(round(wide * scale), 1), max(round(high * scale), 1))
    x, y = x[seen] * np.float32(scale), y[seen] * np.float32(scale)
    quadrant, weight, colours = points.quadrant[seen], weight[seen], _colours(scene.tokens)
    if near:
        radius = (3.5 if count > 600 else 4.5 if count > 120 else 6.0) * scene.ratio
        pixels = discs(x, y, quadrant, weight, colours, size, radius)
    else:
        pixels = density(x, y, quadrant, weight, colours, size)
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_ARGB32_Premultiplied
    # The copy owns its memory; the array may go.
    return Drawn(QImage(pixels.data, width, height, 4 * width, form).copy(), view, near)


def _colours(tokens: Tokens) -> NDArray[np.float32]:
    """Blue, green, red of the four quadrants, shape (4, 3), in [0, 1]."""
    moods = [tokens.mood(quadrant) for quadrant in QUADRANTS]
    return np.array([[c.blueF(), c.greenF(), c.redF()] for c in moods], np.float32)
