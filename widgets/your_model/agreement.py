"""How often the listener agreed with what was shown, over the answers: one calm line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.text import day
from widgets.theme import Theme
from widgets.your_model.facts import AgreementPoint

__all__ = ["AgreementChart"]

_LEFT = 44
_RIGHT = 12
_TOP = 10
_BOTTOM = 44
_MOST_DOTS = 120


class AgreementChart(QWidget):
    """The share of the last answers that agreed as a line; below it a dot for each answer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: tuple[AgreementPoint, ...] = ()
        self.setMinimumHeight(156)
        self.setAccessibleName(self.tr("Agreement over time"))
        theme.changed.connect(self.update)

    def show_points(self, points: Sequence[AgreementPoint]) -> None:
        """The oldest first."""
        self._points = tuple(points)
        said = [
            self.tr("after {n} answers {share} %").format(n=n + 1, share=round(100 * point.share))
            for n, point in enumerate(self._points)
            if (n + 1) % 10 == 0 or n + 1 == len(self._points)
        ]
        self.setAccessibleDescription("; ".join(said[-12:]))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(520, 156)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        self._paint_scale(painter, area)
        if self._points:
            self._paint_line(painter, area)
            self._paint_dots(painter, area)
        painter.end()

    # inner workings

    def _x(self, area: QRectF, place: int) -> float:
        last = max(len(self._points) - 1, 1)
        return area.left() + area.width() * place / last if len(self._points) > 1 else area.left()

    def _y(self, area: QRectF, share: float) -> float:
        return area.bottom() - area.height() * share

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        tokens = self._theme.tokens
        painter.setFont(self._theme.font("caption"))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for share in (0.0, 0.5, 1.0):
            y = round(self._y(area, share)) + 0.5
            painter.setPen(QPen(tokens.colour("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(tokens.colour("ink_soft"))
            painter.drawText(QRectF(0, y - 10, _LEFT - 8, 20), right, f"{round(100 * share)} %")
        if not self._points:
            return
        first, last = (day(self._points[place].at_s) for place in (0, -1))
        low = QRectF(area.left(), self.height() - 18, area.width(), 18)
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(low, left, first)
        if last != first:
            painter.drawText(low, right, last)

    def _paint_line(self, painter: QPainter, area: QRectF) -> None:
        tokens = self._theme.tokens
        line = QPainterPath()
        for place, point in enumerate(self._points):
            at = QPointF(self._x(area, place), self._y(area, point.share))
            if place:
                line.lineTo(at)
            else:
                line.moveTo(at)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(tokens.colour("ink"), 2))
        painter.drawPath(line)
        end = QPointF(self._x(area, len(self._points) - 1), self._y(area, self._points[-1].share))
        painter.setPen(QPen(tokens.colour("surface"), 2))
        painter.setBrush(tokens.colour("ink"))
        painter.drawEllipse(end, 5, 5)

    def _paint_dots(self, painter: QPainter, area: QRectF) -> None:
        """Full: agreed; hollow: another mood. Too many to tell apart are left out."""
        if len(self._points) > _MOST_DOTS:
            return
        tokens = self._theme.tokens
        y = area.bottom() + 14
        for place, point in enumerate(self._points):
            painter.setPen(QPen(tokens.colour("ink_soft"), 1))
            painter.setBrush(tokens.colour("ink_soft") if point.agreed else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(self._x(area, place), y), 2.5, 2.5)
