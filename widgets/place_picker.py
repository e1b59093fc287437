"""A small valence-arousal plane on which the listener puts a song, by mouse or arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from inference.emotion import QUADRANTS, MoodPoint, Quadrant
from widgets.icons import MOOD_ICON, paint_icon
from widgets.text import mood_name
from widgets.theme import Theme

__all__ = ["PlacePicker"]

_STEP = 0.1
_FINE = 0.02
_INSET = 10.0
_KEYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class PlacePicker(QWidget):
    """One mark on the plane. Pleasant is to the right, energetic is up."""

    chosen = Signal(object)
    """A MoodPoint: let go of the mouse, or Enter."""
    moved = Signal()
    left = Signal()
    """Escape."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._place = MoodPoint(0.0, 0.0)
        self._pressed = False
        self.setFixedHeight(184)
        self.setMinimumWidth(240)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(self.tr("Place on the mood plane"))
        self._tell()
        theme.changed.connect(self.update)

    @property
    def place(self) -> MoodPoint:
        return self._place

    def put(self, place: MoodPoint) -> None:
        """Move the mark."""
        if place != self._place:
            self._place = place
            self._tell()
            self.update()
            self.moved.emit()

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(320, 184)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _KEYS:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step = _FINE if fine else _STEP
            dx, dy = _KEYS[Qt.Key(key)]
            self.put(_inside(self._place.valence + step * dx, self._place.arousal + step * dy))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self._place)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = True
            self.put(self._at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed:
            self.put(self._at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed and event.button() is Qt.MouseButton.LeftButton:
            self._pressed = False
            if QRectF(self.rect()).contains(event.position()):  # else thought better of
                self.chosen.emit(self._place)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        self._paint_mark(painter)
        painter.end()

    # inner workings

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)

    def _at(self, place: QPointF) -> MoodPoint:
        area = self._area
        return _inside(
            2 * (place.x() - area.left()) / area.width() - 1,
            1 - 2 * (place.y() - area.top()) / area.height(),
        )

    def _to(self, place: MoodPoint) -> QPointF:
        area = self._area
        return QPointF(
            area.left() + (place.valence + 1) / 2 * area.width(),
            area.top() + (1 - place.arousal) / 2 * area.height(),
        )

    def _paint_ground(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        whole = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        here = Quadrant.of(self._place)
        painter.setPen(QPen(tokens.colour("line"), 1))
        painter.setBrush(tokens.colour("surface"))
        painter.drawRoundedRect(whole, 6, 6)
        middle = self._to(MoodPoint(0.0, 0.0))
        for quadrant in QUADRANTS:
            x = middle.x() if quadrant.high_valence else whole.left()
            y = whole.top() if quadrant.high_arousal else middle.y()
            part = QRectF(x, y, whole.width() / 2, whole.height() / 2).adjusted(2, 2, -2, -2)
            colour = tokens.mood(quadrant)
            wash = tokens.mood(quadrant)
            wash.setAlphaF(0.14 if quadrant is here else 0.05)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(wash)
            painter.drawRoundedRect(part, 4, 4)
            self._paint_name(painter, part.adjusted(8, 6, -8, -6), quadrant, colour)
        painter.setPen(QPen(tokens.colour("line_strong"), 1))
        painter.drawLine(
            QPointF(middle.x(), whole.top() + 4), QPointF(middle.x(), whole.bottom() - 4)
        )
        painter.drawLine(
            QPointF(whole.left() + 4, middle.y()), QPointF(whole.right() - 4, middle.y())
        )
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_name(
        self, painter: QPainter, part: QRectF, quadrant: Quadrant, colour: object
    ) -> None:
        """Glyph and name of a quadrant in its outer corner."""
        tokens = self._theme.tokens
        painter.setFont(self._theme.font("caption"))
        name = mood_name(quadrant)
        width = painter.fontMetrics().horizontalAdvance(name) + 20
        x = part.right() - width if quadrant.high_valence else part.left()
        y = part.top() if quadrant.high_arousal else part.bottom() - 16
        paint_icon(painter, MOOD_ICON[quadrant], QRectF(x, y + 1, 14, 14), tokens.mood(quadrant))
        painter.setPen(tokens.colour("ink_soft"))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(x + 20, y, width - 20, 16), flags, name)

    def _paint_mark(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        at = self._to(self._place)
        painter.setPen(QPen(tokens.colour("surface"), 5))
        painter.setBrush(tokens.mood(Quadrant.of(self._place)))
        painter.drawEllipse(at, 7, 7)
        painter.setPen(QPen(tokens.colour("ink"), 2))
        painter.drawEllipse(at, 7, 7)

    def _tell(self) -> None:
        """Say the place in words."""
        place = self._place
        said = self.tr("{mood}, {valence} pleasant, {arousal} energetic").format(
            mood=mood_name(Quadrant.of(place)),
            valence=f"{place.valence:+.1f}",
            arousal=f"{place.arousal:+.1f}",
        )
        keys = self.tr("Arrow keys move, Enter answers, Escape goes back")
        self.setAccessibleDescription(f"{said}. {keys}")
        if self.hasFocus():
            QAccessible.updateAccessibility(
                QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
            )


def _inside(valence: float, arousal: float) -> MoodPoint:
    def bounded(value: float) -> float:
        return round(min(max(value, -1.0), 1.0), 3) + 0.0

    return MoodPoint(bounded(valence), bounded(arousal))
