"""Our own line icons: SVG files in `resources/icons`, tinted with the theme when they are drawn."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from inference.emotion import Quadrant

__all__ = ["MOOD_ICON", "icon", "icon_file", "paint_icon", "pixmap"]

MOOD_ICON = {
    Quadrant.HAHV: "mood-happy",
    Quadrant.HALV: "mood-tense",
    Quadrant.LAHV: "mood-calm",
    Quadrant.LALV: "mood-sad",
}
"""Sun, bolt, waves, drop: the shape that says the mood where colour cannot."""

_RATIOS = (1.0, 2.0)


def icon_file(name: str) -> str:
    """The path of an icon's file with forward slashes, for a style sheet."""
    return Path(str(files("resources").joinpath("icons", f"{name}.svg"))).as_posix()


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return files("resources").joinpath("icons", f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=512)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))


def paint_icon(painter: QPainter, name: str, rect: QRectF, colour: QColor) -> None:
    """Draw icon `name` into `rect` in `colour`."""
    _renderer(name, colour.name()).render(painter, rect)


@lru_cache(maxsize=1024)
def _pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    _renderer(name, colour).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return result


def pixmap(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """Icon `name` as a pixmap of `size` logical pixels, sharp at the screen's `ratio`."""
    return _pixmap(name, colour.name(), size, ratio)


def icon(name: str, colour: QColor, disabled: QColor | None = None, size: int = 20) -> QIcon:
    """Icon `name` in `colour`, and in `disabled` where its control is disabled."""
    result = QIcon()
    for ratio in _RATIOS:
        drawn = _pixmap(name, colour.name(), size, ratio)
        result.addPixmap(drawn)
        result.addPixmap(drawn, QIcon.Mode.Selected)  # Qt would blend it with the selection
        if disabled is not None:
            result.addPixmap(_pixmap(name, disabled.name(), size, ratio), QIcon.Mode.Disabled)
    return result
