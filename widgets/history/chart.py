"""Moods by day: a bar a day, stacked by mood, and below it what was felt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from PySide6.QtCore import QDate, QEvent, QLocale, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from inference.emotion import QUADRANTS, Quadrant
from widgets.history.facts import Day
from widgets.text import length, mood_name
from widgets.theme import Theme

__all__ = ["HistoryChart", "day_name"]

_LEFT = 52
_RIGHT = 16
_TOP = 14
_BOTTOM = 44
_FELT = 6
_BAR = 14
_PITCH = 20
_STEPS_H = (1 / 6, 1 / 3, 0.5, 1, 2, 4, 6, 8, 12, 24)


def day_name(day: date) -> str:
    """Tuesday, 24 November, in the listener's language."""
    return QLocale().toString(QDate(day.year, day.month, day.day), "dddd, d MMMM")


class HistoryChart(QWidget):
    """The days up to today, as many as fit. One of them may be chosen."""

    day_chosen = Signal(object)
    """A date, or None: no day in particular."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._days: dict[date, Day] = {}
        self._today = date.today()
        self._chosen: date | None = None
        self.setMinimumHeight(132)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Moods by day"))
        self._tell()
        theme.changed.connect(self.update)

    def show_days(self, days: Sequence[Day], today: date) -> None:
        """Days without anything may be left out."""
        self._days = {day.date: day for day in days}
        self._today = today
        self._tell()
        self.update()

    @property
    def chosen(self) -> date | None:
        return self._chosen

    @property
    def dates(self) -> list[date]:
        """The days in sight, the oldest first."""
        count = max(int((self.width() - _LEFT - _RIGHT) // _PITCH), 7)
        return [self._today - timedelta(days=back) for back in range(count - 1, -1, -1)]

    def choose(self, day: date | None) -> None:
        """Choose a day, or none."""
        if day != self._chosen:
            self._chosen = day
            self._tell()
            self.update()
            self.day_chosen.emit(day)

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(700, 220)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self._day_at(event.position())
        self.choose(None if day == self._chosen else day)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, dates = event.key(), self.dates
        here = self._chosen if self._chosen in dates else None
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if key == Qt.Key.Key_Right else -1
            place = len(dates) - 1 if here is None else dates.index(here) + step
            self.choose(dates[min(max(place, 0), len(dates) - 1)])
        elif key == Qt.Key.Key_Home:
            self.choose(dates[0])
        elif key == Qt.Key.Key_End:
            self.choose(dates[-1])
        elif key == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            day = self._day_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.words_of(day) if day else "", self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area
        top_s = self._scale_s()
        self._paint_scale(painter, area, top_s)
        for place, day in enumerate(self.dates):
            x = area.left() + place * _PITCH
            self._paint_day(painter, area, x, day, top_s)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.tokens.colour("ink"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    # inner workings

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _day_at(self, place: QPointF) -> date | None:
        number = int((place.x() - _LEFT) // _PITCH)
        dates = self.dates
        return dates[number] if place.x() >= _LEFT and number < len(dates) else None

    def _scale_s(self) -> float:
        most_s = max((self._days[d].total_s for d in self.dates if d in self._days), default=0.0)
        return 3600.0 * next((h for h in _STEPS_H if 3600.0 * h >= most_s), 24)

    def words_of(self, day: date) -> str:
        """A day in words."""
        found = self._days.get(day)
        if found is None or not found.total_s:
            return self.tr("{day}: nothing was played").format(day=day_name(day))
        parts = [
            f"{mood_name(quadrant)} {length(found.played_s[quadrant])}"
            for quadrant in (*QUADRANTS, None)
            if found.played_s.get(quadrant)
        ]
        text = f"{day_name(day)}: {length(found.total_s)} ({', '.join(parts)})"
        felt = [f"{mood_name(q)} {found.felt[q]}" for q in QUADRANTS if found.felt.get(q)]
        return text + (self.tr("; felt: {moods}").format(moods=", ".join(felt)) if felt else "")

    def _tell(self) -> None:
        keys = self.tr("Left and right go from day to day, Escape goes back to all")
        said = self.words_of(self._chosen) if self._chosen else keys
        self.setAccessibleDescription(said)
        if self.hasFocus():
            QAccessible.updateAccessibility(
                QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
            )

    def _paint_scale(self, painter: QPainter, area: QRectF, top_s: float) -> None:
        tokens = self._theme.tokens
        painter.setFont(self._theme.font("caption"))
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for share in (0.0, 0.5, 1.0):
            y = round(area.bottom() - area.height() * share) + 0.5
            painter.setPen(QPen(tokens.colour("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if share:
                painter.setPen(tokens.colour("ink_soft"))
                painter.drawText(QRectF(0, y - 10, _LEFT - 8, 20), flags, length(top_s * share))
        painter.setPen(tokens.colour("ink_soft"))
        felt = QRectF(0, area.bottom() + 4 + _FELT / 2 - 10, _LEFT - 8, 20)
        painter.drawText(felt, flags, self.tr("felt"))

    def _paint_day(
        self, painter: QPainter, area: QRectF, x: float, day: date, top_s: float
    ) -> None:
        tokens = self._theme.tokens
        if day == self._chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection"))
            column = QRectF(x - 3, 4, _PITCH, self.height() - 8)
            painter.drawRoundedRect(column, 4, 4)
        found = self._days.get(day)
        if found is not None:
            bar = QRectF(x, area.top(), _BAR, area.height())
            self._paint_bar(painter, bar, found, top_s)
            self._paint_felt(painter, QRectF(x, area.bottom() + 4, _BAR, _FELT), found)
        if day.weekday() == 0 or day == self._today:
            self._paint_date(painter, x, day)

    def _paint_date(self, painter: QPainter, x: float, day: date) -> None:
        """Mondays by their date, today by name; a Monday too near to today is left out."""
        today = day == self._today
        if not today and (self._today - day).days * _PITCH < 56:
            return
        painter.setFont(self._theme.font("caption", bold=today))
        painter.setPen(self._theme.tokens.colour("ink" if today else "ink_soft"))
        text = self.tr("today") if today else _short(day)
        width = painter.fontMetrics().horizontalAdvance(text)
        left = min(x, self.width() - width - 4)
        painter.drawText(QPointF(left, self.height() - 12), text)

    def _paint_bar(self, painter: QPainter, bar: QRectF, day: Day, top_s: float) -> None:
        """From below: happy, tense, calm, sad, then what had no mood."""
        height = bar.height() * min(day.total_s / top_s, 1.0)
        if height < 1:
            return
        whole = QRectF(bar.x(), bar.bottom() - height, bar.width(), height)
        shape = QPainterPath()
        shape.addRoundedRect(whole, 2, 2)
        painter.save()
        painter.setClipPath(shape)
        y = whole.bottom()
        for quadrant in (*QUADRANTS, None):
            part = height * day.played_s.get(quadrant, 0.0) / day.total_s
            painter.fillRect(QRectF(whole.x(), y - part, whole.width(), part), self._ink(quadrant))
            y -= part
            if part and y > whole.top() + 1:  # a hairline tells neighbours apart
                gap = QRectF(whole.x(), y, whole.width(), 1)
                painter.fillRect(gap, self._theme.tokens.colour("surface"))
        painter.restore()

    def _paint_felt(self, painter: QPainter, strip: QRectF, day: Day) -> None:
        total = sum(day.felt.values())
        x = strip.x()
        for quadrant in QUADRANTS:
            width = strip.width() * day.felt.get(quadrant, 0) / total if total else 0.0
            painter.fillRect(QRectF(x, strip.y(), width, strip.height()), self._ink(quadrant))
            x += width

    def _ink(self, quadrant: Quadrant | None) -> object:
        tokens = self._theme.tokens
        return tokens.colour("line_strong") if quadrant is None else tokens.mood(quadrant)


def _short(day: date) -> str:
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMM")
