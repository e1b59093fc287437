"""A recorded session in one line: its songs, what was shown, notes, and where the replay is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from inference.emotion import Quadrant
from widgets.text import clock, mood_name
from widgets.theme import Theme

__all__ = ["BarMoment", "BarSong", "SessionBar"]

_STEP_S = 5.0
_LEAP_S = 30.0


@dataclass(frozen=True, slots=True)
class BarSong:
    """A song from `start_s` to `end_s` of the session."""

    start_s: float
    end_s: float
    title: str


@dataclass(frozen=True, slots=True)
class BarMoment:
    """A note, or (without text) the quadrant that was shown from `t_s` on."""

    t_s: float
    text: str = ""
    shown: Quadrant | None = None
    is_note: bool = True


class SessionBar(QWidget):
    """The clock of a replay: song and signals stand at the same place of it."""

    seek_requested = Signal(float)  # seconds of the session

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._duration_s = 0.0
        self._songs: Sequence[BarSong] = ()
        self._moments: Sequence[BarMoment] = ()
        self.position_s = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Position in the recording"))
        theme.changed.connect(self.update)

    def show_session(
        self, duration_s: float, songs: Sequence[BarSong], moments: Sequence[BarMoment]
    ) -> None:
        self._duration_s, self._songs, self._moments = duration_s, songs, moments
        self.set_position(0.0)

    def set_position(self, position_s: float) -> None:
        self.position_s = min(max(position_s, 0.0), self._duration_s)
        self.setAccessibleDescription(
            self.tr("{position} of {duration}").format(
                position=clock(self.position_s), duration=clock(self._duration_s)
            )
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 46)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Right: _STEP_S,
            Qt.Key.Key_Left: -_STEP_S,
            Qt.Key.Key_PageUp: _LEAP_S,
            Qt.Key.Key_PageDown: -_LEAP_S,
            Qt.Key.Key_Home: -1e9,
        }
        if event.key() in steps and not event.modifiers():
            to_s = self.position_s + steps[Qt.Key(event.key())]
            self.seek_requested.emit(min(max(to_s, 0.0), max(self._duration_s - 1.0, 0.0)))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._duration_s:
            self.seek_requested.emit(self._time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QToolTip.showText(event.globalPosition().toPoint(), self.told(event.position().x()), self)

    def told(self, x: float) -> str:
        """What the pointer hears at `x` px: the moment, the song, what was shown, the notes."""
        t_s = self._time_at(x)
        words = [clock(t_s)]
        words += [song.title for song in self._songs if song.start_s <= t_s < song.end_s]
        shown = [m for m in self._moments if not m.is_note and m.t_s <= t_s]
        if shown and shown[-1].shown is not None:
            words.append(mood_name(shown[-1].shown))
        near_s = 6.0 * self._duration_s / max(self.width(), 1)
        words += [m.text for m in self._moments if m.is_note and abs(m.t_s - t_s) < near_s]
        return "  ".join(words)

    # inner workings

    def _time_at(self, x: float) -> float:
        return min(max(x / max(self.width(), 1), 0.0), 1.0) * self._duration_s

    def _x(self, t_s: float) -> float:
        return t_s / max(self._duration_s, 1e-9) * self.width()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("surface"))
        painter.drawRoundedRect(QRectF(0, 14, self.width(), 30), 4, 4)
        painter.setFont(self._theme.font("caption"))
        for song in self._songs:
            self._paint_song(painter, song)
        self._paint_shown(painter)
        painter.setPen(QPen(tokens.colour("ink_soft"), 1.5))
        for moment in self._moments:
            if moment.is_note:
                x = self._x(moment.t_s)
                painter.drawLine(QPointF(x, 4), QPointF(x, 14))
        x = self._x(self.position_s)
        painter.setPen(QPen(tokens.colour("ink"), 2))
        painter.drawLine(QPointF(x, 8), QPointF(x, 46))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        painter.end()

    def _paint_song(self, painter: QPainter, song: BarSong) -> None:
        tokens = self._theme.tokens
        left, right = self._x(song.start_s), self._x(song.end_s)
        block = QRectF(left + 0.5, 14, max(right - left - 1, 1), 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("selection"))
        painter.drawRoundedRect(block, 3, 3)
        painter.setPen(tokens.colour("ink"))
        words = painter.fontMetrics().elidedText(
            song.title, Qt.TextElideMode.ElideRight, int(block.width()) - 8
        )
        if block.width() > 24:
            inside = block.adjusted(4, 0, -4, 0)
            painter.drawText(inside, int(Qt.AlignmentFlag.AlignVCenter), words)

    def _paint_shown(self, painter: QPainter) -> None:
        """What was shown, as a line of the moods' colours under the songs."""
        told = [m for m in self._moments if not m.is_note]
        for place, moment in enumerate(told):
            until_s = told[place + 1].t_s if place + 1 < len(told) else self._duration_s
            if moment.shown is not None:
                x0, x1 = self._x(moment.t_s), self._x(until_s)
                colour = QColor(self._theme.tokens.mood(moment.shown))
                painter.fillRect(QRectF(x0, 37, max(x1 - x0, 1), 4), colour)
