"""What lies under the songs: the four quadrants with their names, and the two axes."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from inference.emotion import QUADRANTS, Quadrant
from widgets.icons import MOOD_ICON, paint_icon
from widgets.mood_plane.viewport import Viewport
from widgets.text import mood_name
from widgets.theme import Theme

__all__ = ["paint_ground"]

_EDGE = 12
_CENTRE = Qt.AlignmentFlag.AlignHCenter.value
_TOP = Qt.AlignmentFlag.AlignTop.value
_BOTTOM = Qt.AlignmentFlag.AlignBottom.value


def _tr(text: str) -> str:
    return QCoreApplication.translate("MoodPlane", text)


def paint_ground(
    painter: QPainter, theme: Theme, view: Viewport, *, relative: bool = False
) -> None:
    """Draw the quadrants that are in sight, their names in the corners, the axes at the edges.

    `relative`: the axes are percentiles within the library, and say so.
    """
    tokens = theme.tokens
    edge = np.array([-1.0, 0.0, 1.0], np.float32)
    left, middle, right = (float(v) for v in view.x_of(edge))
    bottom, centre, top = (float(v) for v in view.y_of(edge))
    whole = QRectF(0, 0, view.width, view.height)
    for quadrant in QUADRANTS:
        x0, x1 = (middle, right) if quadrant.high_valence else (left, middle)
        y0, y1 = (top, centre) if quadrant.high_arousal else (centre, bottom)
        wash = tokens.mood(quadrant)
        wash.setAlphaF(0.07 if tokens.dark else 0.05)
        painter.fillRect(QRectF(x0 + 1, y0 + 1, x1 - x0 - 2, y1 - y0 - 2), wash)
    _paint_axes(painter, theme, whole, relative)
    for quadrant in QUADRANTS:
        x0, x1 = (middle, view.width) if quadrant.high_valence else (0.0, middle)
        y0, y1 = (0.0, centre) if quadrant.high_arousal else (centre, view.height)
        seen = QRectF(QPointF(x0, y0), QPointF(x1, y1)).intersected(whole)
        if seen.width() > 96 and seen.height() > 40:
            _paint_name(painter, theme, seen.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE), quadrant)


def _paint_axes(painter: QPainter, theme: Theme, whole: QRectF, relative: bool) -> None:
    painter.setFont(theme.font("caption"))
    painter.setPen(theme.tokens.colour("ink_soft"))
    inner = whole.adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
    top, bottom, left, right = (
        (_tr("most energetic"), _tr("gentlest"), _tr("least pleasant"), _tr("most pleasant"))
        if relative
        else (_tr("energetic"), _tr("gentle"), _tr("unpleasant"), _tr("pleasant"))
    )
    painter.drawText(inner, _CENTRE | _TOP, top)
    painter.drawText(inner, _CENTRE | _BOTTOM, bottom)
    for x, angle, text in ((inner.left(), -90, left), (inner.right(), 90, right)):
        painter.save()
        painter.translate(x, whole.center().y())
        painter.rotate(angle)
        painter.drawText(QRectF(-100, 0, 200, 20), _CENTRE | _TOP, text)
        painter.restore()


def _paint_name(painter: QPainter, theme: Theme, seen: QRectF, quadrant: Quadrant) -> None:
    """A quadrant's glyph and name in its outer corner."""
    tokens = theme.tokens
    painter.setFont(theme.font("body", bold=True))
    painter.setPen(tokens.colour("ink"))
    name = mood_name(quadrant)
    box = QRectF(0, 0, painter.fontMetrics().horizontalAdvance(name) + 24, 20)
    box.moveLeft(seen.right() - box.width() if quadrant.high_valence else seen.left())
    box.moveTop(seen.top() if quadrant.high_arousal else seen.bottom() - box.height())
    glyph = QRectF(box.x(), box.y() + 2, 16, 16)
    paint_icon(painter, MOOD_ICON[quadrant], glyph, tokens.mood(quadrant))
    flags = Qt.AlignmentFlag.AlignLeft.value | Qt.AlignmentFlag.AlignVCenter.value
    painter.drawText(box.adjusted(24, 0, 0, 0), flags, name)
