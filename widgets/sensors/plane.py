"""What is felt now on the plane of valence and arousal: three words, an ellipse, a fading trail."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from widgets.icons import MOOD_ICON, paint_icon
from widgets.text import mood_name
from widgets.theme import Theme

__all__ = ["FeltNow", "FeltPlane", "paint_sign", "spread"]

_TRAIL_S = 60.0
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class FeltNow:
    """What is said at one moment; None where somebody says nothing.

    Parameters
    ----------
    t_s : float
        On the session's clock.
    together : EmotionEstimate or None
        The song's estimate, updated by the sensors; without a song, the sensors'.
    sensors, song : EmotionEstimate or None
        Each alone.
    reason : str
        Why there is no `together`.
    """

    t_s: float = 0.0
    together: EmotionEstimate | None = None
    sensors: EmotionEstimate | None = None
    song: EmotionEstimate | None = None
    reason: str = ""


def spread(estimate: EmotionEstimate) -> tuple[float, float, float]:
    """Standard deviations of valence and arousal, and their correlation, by the probabilities.

    Each quadrant stands for its centre (+-0.5, +-0.5): even odds reach over
    all four centres, certainty shrinks to a point.
    """
    hahv, halv, lahv, lalv = estimate.probabilities
    v, a = estimate.mood.valence, estimate.mood.arousal
    sd_v, sd_a = (0.5 * math.sqrt(max(1.0 - m * m, 0.0)) for m in (v, a))
    covariance = 0.25 * ((hahv - halv - lahv + lalv) - v * a)
    whole = sd_v * sd_a
    return sd_v, sd_a, (min(max(covariance / whole, -0.99), 0.99) if whole > 1e-9 else 0.0)


class FeltPlane(QWidget):
    """The plane; it says in words for screen readers what it shows."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now = FeltNow()
        self._trail: deque[tuple[float, float, float, Quadrant]] = deque(maxlen=_MOST_POINTS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("What is felt now"))
        theme.changed.connect(self.update)

    def show_felt(self, now: FeltNow) -> None:
        self._now = now
        if now.together is not None:
            mood = now.together.mood
            point = (now.t_s, mood.valence, mood.arousal, now.together.quadrant)
            self._trail.append(point)
        while self._trail and self._trail[0][0] < now.t_s - _TRAIL_S:
            self._trail.popleft()
        self.setAccessibleDescription(self._told())
        self.update()

    def clear(self) -> None:
        self._now = FeltNow()
        self._trail.clear()
        self.setAccessibleDescription("")
        self.update()

    @property
    def trail(self) -> list[tuple[float, float, float, Quadrant]]:
        """Time, valence, arousal and quadrant of what was shown in the last minute."""
        return list(self._trail)

    def sizeHint(self) -> QSize:
        return QSize(176, 176)

    def minimumSizeHint(self) -> QSize:
        return QSize(150, 176)

    # inner workings

    def _told(self) -> str:
        together = self._now.together
        if together is None:
            return self._now.reason
        return self.tr("{mood}, {percent} %, valence {valence}, arousal {arousal}").format(
            mood=mood_name(together.quadrant),
            percent=round(100 * together.probabilities[together.quadrant.position]),
            valence=f"{together.mood.valence:+.2f}",
            arousal=f"{together.mood.arousal:+.2f}",
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height()) - 2.0
        box = QRectF(1.0, (self.height() - side) / 2, side, side)
        self._paint_ground(painter, box)
        self._paint_trail(painter, box)
        now, tokens = self._now, self._theme.tokens
        if now.together is not None:
            self._paint_ellipse(painter, box, now.together)
        for kind, estimate in (("song", now.song), ("sensors", now.sensors)):
            if estimate is not None:
                paint_sign(painter, kind, _place(box, estimate), tokens.colour("ink"))
        if now.together is not None:
            colour = tokens.mood(now.together.quadrant)
            paint_sign(painter, "together", _place(box, now.together), colour)
        painter.end()

    def _paint_ground(self, painter: QPainter, box: QRectF) -> None:
        tokens, together = self._theme.tokens, self._now.together
        painter.setPen(QPen(tokens.colour("line"), 1))
        painter.setBrush(tokens.colour("surface"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        half = box.width() / 2
        for quadrant in QUADRANTS:
            x = box.center().x() if quadrant.high_valence else box.left()
            y = box.top() if quadrant.high_arousal else box.center().y()
            corner = QRectF(x, y, half, half)
            if together is not None:
                tint = tokens.mood(quadrant)
                tint.setAlphaF(0.32 * together.probabilities[quadrant.position])
                painter.fillRect(corner.adjusted(1, 1, -1, -1), tint)
            at_x = corner.right() - 22 if quadrant.high_valence else corner.left() + 6
            at_y = corner.top() + 6 if quadrant.high_arousal else corner.bottom() - 22
            paint_icon(
                painter, MOOD_ICON[quadrant], QRectF(at_x, at_y, 16, 16), tokens.mood(quadrant)
            )
        painter.setPen(QPen(tokens.colour("line_strong"), 1))
        centre = box.center()
        painter.drawLine(QPointF(box.left(), centre.y()), QPointF(box.right(), centre.y()))
        painter.drawLine(QPointF(centre.x(), box.top()), QPointF(centre.x(), box.bottom()))
        painter.setFont(self._theme.font("caption"))
        painter.setPen(tokens.colour("ink_soft"))
        painter.drawText(QPointF(centre.x() + 5, box.top() + 14), self.tr("arousal"))
        words = self.tr("valence")
        width = painter.fontMetrics().horizontalAdvance(words)
        painter.drawText(QPointF(box.right() - width - 5, centre.y() - 5), words)

    def _paint_trail(self, painter: QPainter, box: QRectF) -> None:
        if len(self._trail) < 2:
            return
        latest = self._trail[-1][0]
        tokens = self._theme.tokens
        points = list(self._trail)
        for (_, v0, a0, _q), (t_s, v1, a1, quadrant) in itertools.pairwise(points):
            colour = tokens.mood(quadrant)
            colour.setAlphaF(0.75 * max(0.0, 1.0 - (latest - t_s) / _TRAIL_S) + 0.02)
            painter.setPen(QPen(colour, 1.5))
            painter.drawLine(_point(box, v0, a0), _point(box, v1, a1))

    def _paint_ellipse(self, painter: QPainter, box: QRectF, estimate: EmotionEstimate) -> None:
        sd_v, sd_a, correlation = spread(estimate)
        turn = np.linspace(0.0, 2.0 * np.pi, 49)
        v = estimate.mood.valence + sd_v * np.cos(turn)
        slope = correlation * np.cos(turn) + math.sqrt(1.0 - correlation**2) * np.sin(turn)
        a = estimate.mood.arousal + sd_a * slope
        outline = QPolygonF([_point(box, float(x), float(y)) for x, y in zip(v, a, strict=True)])
        colour = QColor(self._theme.tokens.mood(estimate.quadrant))
        painter.save()
        painter.setClipRect(box)
        painter.setPen(QPen(colour, 1.2))
        colour.setAlphaF(0.10)
        painter.setBrush(colour)
        painter.drawPolygon(outline)
        painter.restore()


def paint_sign(painter: QPainter, kind: str, at: QPointF, colour: QColor) -> None:
    """The sign of who says it: "song" a diamond, "sensors" a cross, "together" a disc."""
    painter.save()
    painter.setPen(QPen(colour, 1.8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if kind == "song":
        steps = ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0))
        painter.drawPolygon(QPolygonF([at + QPointF(dx, dy) for dx, dy in steps]))
    elif kind == "sensors":
        painter.drawLine(at + QPointF(-4, -4), at + QPointF(4, 4))
        painter.drawLine(at + QPointF(-4, 4), at + QPointF(4, -4))
    else:
        painter.setBrush(colour)
        painter.drawEllipse(at, 3.2, 3.2)
    painter.restore()


def _place(box: QRectF, estimate: EmotionEstimate) -> QPointF:
    return _point(box, estimate.mood.valence, estimate.mood.arousal)


def _point(box: QRectF, valence: float, arousal: float) -> QPointF:
    inside = box.adjusted(6, 6, -6, -6)
    return QPointF(
        inside.center().x() + 0.5 * inside.width() * valence,
        inside.center().y() - 0.5 * inside.height() * arousal,
    )
