"""The seek bar with the mood of the song in it: quadrant colours, and the curve of arousal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from inference.emotion import QUADRANTS
from widgets.text import clock, mood_name
from widgets.theme import Theme

__all__ = ["MoodCurve", "SeekBar"]

_STEP_S = 5.0
_LEAP_S = 30.0
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class MoodCurve:
    """The mood along a song.

    Parameters
    ----------
    start_s, hop_s : float
        Window k is centred at `start_s + k * hop_s` seconds.
    probabilities : ndarray, shape (n, 4), float32
        In the order of `QUADRANTS`.
    """

    start_s: float
    hop_s: float
    probabilities: NDArray[np.float32]

    @property
    def quadrants(self) -> NDArray[np.intp]:
        """Most probable quadrant of each window, shape (n,)."""
        return np.argmax(self.probabilities, axis=1)

    @property
    def arousal(self) -> NDArray[np.float32]:
        """Arousal of each window in [-1, 1], shape (n,)."""
        total = np.maximum(self.probabilities.sum(axis=1), 1e-9)
        high: NDArray[np.float32] = self.probabilities[:, 0] + self.probabilities[:, 1]
        return np.clip(2.0 * high / total - 1.0, -1.0, 1.0).astype(np.float32)

    def window_at(self, t_s: float) -> int:
        """Index of the window nearest to a time."""
        last = len(self.probabilities) - 1
        return int(np.clip(round((t_s - self.start_s) / self.hop_s), 0, last))


class SeekBar(QAbstractSlider):
    """Where the song is, and where it goes.

    The slider's value is in milliseconds. `seek_requested` comes once, when
    the listener lets go or presses a key; while dragging, only the bar moves.
    """

    seek_requested = Signal(float)  # seconds

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._curve: MoodCurve | None = None
        self._hover_x: float | None = None
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Position in the song"))
        self.setRange(0, 0)
        self.setSingleStep(int(_STEP_S * 1000))
        self.setPageStep(int(_LEAP_S * 1000))
        theme.changed.connect(self.update)

    # what is shown

    def set_song(self, duration_s: float | None, curve: MoodCurve | None) -> None:
        """Show a song of this length (None or 0: no song) and its mood, where it is known."""
        self._curve = curve if curve is not None and len(curve.probabilities) else None
        self.setRange(0, int(1000 * (duration_s or 0.0)))
        self.setEnabled(bool(duration_s))
        self.update()

    def set_curve(self, curve: MoodCurve | None) -> None:
        self._curve = curve if curve is not None and len(curve.probabilities) else None
        self.update()

    def set_position(self, position_s: float) -> None:
        """Follow the player, unless the listener holds the handle."""
        if not self.isSliderDown():
            self.setValue(int(1000 * position_s))
            self._speak()

    @property
    def curve(self) -> MoodCurve | None:
        return self._curve

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(400, 36)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        groove = self._groove()
        share = self.value() / self.maximum() if self.maximum() else 0.0
        x = groove.x() + share * groove.width()
        if self._curve is None:
            self._paint_plain(painter, groove, x)
        else:
            self._paint_mood(painter, groove, x)
        if self._hover_x is not None and self.isEnabled():
            painter.setPen(QPen(tokens.colour("ink_soft"), 1))
            painter.drawLine(
                QPointF(self._hover_x, groove.top() - 20),
                QPointF(self._hover_x, groove.bottom() + 2),
            )
        if self.isEnabled():
            self._paint_handle(painter, groove, x)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self.setSliderDown(True)
            self.setValue(self._value_at(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        self._hover_x = min(max(x, self._groove().left()), self._groove().right())
        if self.isSliderDown():
            self.setValue(self._value_at(x))
        if self.isEnabled():
            QToolTip.showText(event.globalPosition().toPoint(), self.told(x), self)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderDown(False)
            self.seek_requested.emit(self.value() / 1000.0)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.isEnabled() and event.angleDelta().y():
            self._seek_by(_STEP_S if event.angleDelta().y() > 0 else -_STEP_S)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Right: _STEP_S,
            Qt.Key.Key_Up: _STEP_S,
            Qt.Key.Key_Left: -_STEP_S,
            Qt.Key.Key_Down: -_STEP_S,
            Qt.Key.Key_PageUp: _LEAP_S,
            Qt.Key.Key_PageDown: -_LEAP_S,
            Qt.Key.Key_Home: -1e9,
            Qt.Key.Key_End: 1e9,
        }
        if event.key() in steps and not event.modifiers():
            self._seek_by(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    # inner workings

    def _seek_by(self, seconds: float) -> None:
        last = max(self.maximum() - 1000, 0)
        target = min(max(self.value() + 1000.0 * seconds, 0.0), float(last))
        self.setValue(int(target))
        self.seek_requested.emit(self.value() / 1000.0)

    def _groove(self) -> QRectF:
        return QRectF(_MARGIN, self.height() - 12, max(self.width() - 2 * _MARGIN, 1), 4)

    def _value_at(self, x: float) -> int:
        groove = self._groove()
        share = min(max((x - groove.x()) / groove.width(), 0.0), 1.0)
        return int(share * self.maximum())

    def told(self, x: float) -> str:
        """What the pointer hears at `x` px: the moment and its mood."""
        t_s = self._value_at(x) / 1000.0
        if self._curve is None:
            return clock(t_s)
        quadrant = QUADRANTS[int(self._curve.quadrants[self._curve.window_at(t_s)])]
        return f"{clock(t_s)}  {mood_name(quadrant)}"

    def _speak(self) -> None:
        said = self.tr("{position} of {duration}").format(
            position=clock(self.value() / 1000), duration=clock(self.maximum() / 1000)
        )
        self.setAccessibleDescription(said)

    def _paint_plain(self, painter: QPainter, groove: QRectF, x: float) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.colour("ink_faint" if self.isEnabled() else "pressed"))
        painter.drawRoundedRect(groove, 2, 2)
        if self.isEnabled():
            painter.setBrush(tokens.colour("ink"))
            painter.drawRoundedRect(QRectF(groove.topLeft(), QPointF(x, groove.bottom())), 2, 2)

    def _paint_mood(self, painter: QPainter, groove: QRectF, x: float) -> None:
        assert self._curve is not None
        length_s = max(self.maximum() / 1000.0, 1e-3)
        curve = self._curve
        quadrants = curve.quadrants
        painter.save()
        clip = QPainterPath()
        clip.addRoundedRect(groove, 2, 2)
        painter.setClipPath(clip)
        edges = np.flatnonzero(np.diff(quadrants)) + 1
        starts = np.concatenate(([0], edges))
        for k, first in enumerate(starts):
            last = starts[k + 1] if k + 1 < len(starts) else None
            t0 = 0.0 if first == 0 else curve.start_s + (first - 0.5) * curve.hop_s
            t1 = length_s if last is None else curve.start_s + (last - 0.5) * curve.hop_s
            x0 = groove.x() + groove.width() * min(t0 / length_s, 1.0)
            x1 = groove.x() + groove.width() * min(t1 / length_s, 1.0)
            colour = self._theme.tokens.mood(QUADRANTS[int(quadrants[first])])
            painter.fillRect(QRectF(x0, groove.y(), x1 - x0 + 0.5, groove.height()), colour)
        painter.restore()
        self._paint_arousal(painter, groove, x, length_s)

    def _paint_arousal(self, painter: QPainter, groove: QRectF, x: float, length_s: float) -> None:
        assert self._curve is not None
        curve = self._curve
        base, height = groove.top() - 2, groove.top() - 4
        t = curve.start_s + curve.hop_s * np.arange(len(curve.probabilities))
        step = max(1, len(t) // max(int(groove.width()), 1))
        xs = groove.x() + groove.width() * np.clip(t / length_s, 0, 1)
        ys = base - height * (0.1 + 0.45 * (curve.arousal + 1.0))
        line = QPainterPath(QPointF(groove.left(), float(ys[0])))
        for px, py in zip(xs[::step], ys[::step], strict=True):
            line.lineTo(float(px), float(py))
        line.lineTo(groove.right(), float(ys[-1]))
        area = QPainterPath(line)
        area.lineTo(groove.right(), base)
        area.lineTo(groove.left(), base)
        area.closeSubpath()
        ink = self._theme.tokens.colour("ink")
        played, ahead = QColor(ink), QColor(ink)
        played.setAlphaF(0.30)
        ahead.setAlphaF(0.10)
        for colour, x0, x1 in ((played, groove.left(), x), (ahead, x, groove.right())):
            painter.save()
            painter.setClipRect(QRectF(x0, 0, max(x1 - x0, 0), self.height()))
            painter.fillPath(area, colour)
            painter.restore()

    def _paint_handle(self, painter: QPainter, groove: QRectF, x: float) -> None:
        tokens = self._theme.tokens
        painter.setPen(QPen(tokens.colour("raised"), 2))
        painter.setBrush(tokens.colour("ink"))
        painter.drawEllipse(QPointF(x, groove.center().y()), 7, 7)
