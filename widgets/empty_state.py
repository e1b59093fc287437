"""What the centre says when there is nothing to list: a first run, or a search without match."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.emotion import QUADRANTS, Quadrant
from widgets.controls import button, label
from widgets.icons import MOOD_ICON, icon, paint_icon
from widgets.theme import SPACE, Theme

__all__ = ["NoMatch", "Welcome"]

_PLACES = {
    Quadrant.HAHV: ((0.78, 0.22, 30), (0.62, 0.34, 10), (0.92, 0.40, 7), (0.69, 0.10, 6)),
    Quadrant.HALV: ((0.22, 0.22, 30), (0.38, 0.12, 9), (0.09, 0.36, 8), (0.36, 0.39, 6)),
    Quadrant.LAHV: ((0.78, 0.78, 30), (0.64, 0.64, 8), (0.92, 0.62, 10), (0.65, 0.91, 7)),
    Quadrant.LALV: ((0.22, 0.78, 30), (0.37, 0.67, 10), (0.08, 0.63, 6), (0.36, 0.90, 8)),
}


class _Plane(QWidget):
    """A small drawing of what the program does: songs on the plane of valence and arousal."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedSize(280, 184)
        self.setAccessibleName(self.tr("Four moods on a plane: tense, happy, sad and calm"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        w, h = self.width(), self.height()
        painter.setPen(QPen(tokens.colour("line"), 1.5))
        painter.drawLine(QPointF(w / 2, 8), QPointF(w / 2, h - 8))
        painter.drawLine(QPointF(8, h / 2), QPointF(w - 8, h / 2))
        painter.setPen(Qt.PenStyle.NoPen)
        for quadrant in QUADRANTS:
            colour = tokens.mood(quadrant)
            for x, y, size in _PLACES[quadrant]:
                centre = QPointF(x * w, y * h)
                if size >= 30:
                    box = QRectF(0, 0, size, size)
                    box.moveCenter(centre)
                    paint_icon(painter, MOOD_ICON[quadrant], box, colour)
                else:
                    soft = QColor(colour)
                    soft.setAlphaF(0.45)
                    painter.setBrush(soft)
                    painter.drawEllipse(centre, size / 2, size / 2)
        painter.end()


class Welcome(QWidget):
    """The first run."""

    add_folder_requested = Signal()
    demo_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Welcome"))
        title = label(self.tr("Hear your music by how it feels"), "display")
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        title.setWordWrap(True)
        words = label(
            self.tr(
                "Undertone listens to each song and finds its mood: happy, tense, calm or sad. "
                "Everything stays on this computer, and your files are never changed."
            ),
            "soft",
            wrap=True,
        )
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.add_folder = button(self.tr("Add music folder"), "primary")
        self.add_folder.clicked.connect(lambda: self.add_folder_requested.emit())
        self.demo = button(self.tr("Try the demo library"))
        self.demo.clicked.connect(lambda: self.demo_requested.emit())
        row = QHBoxLayout()
        row.setSpacing(SPACE + 4)
        row.addStretch(1)
        row.addWidget(self.add_folder)
        row.addWidget(self.demo)
        row.addStretch(1)
        hint = label(self.tr("or drop folders and files here"), "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addStretch(2)
        column.addWidget(_Plane(theme), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(SPACE)
        column.addWidget(title)
        column.addLayout(_column_of(words))
        column.addSpacing(SPACE)
        column.addLayout(row)
        column.addWidget(hint, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._tint()
        theme.changed.connect(self._tint)

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self.add_folder.setIcon(icon("folder-plus", tokens.colour("on_ink")))


class NoMatch(QWidget):
    """A view or a search without songs: why, and the way back."""

    clear_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAccessibleName(self.tr("No songs"))
        self._title = label("", "title")
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._words = label("", "soft", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.clear = button(self.tr("Clear the search"))
        self.clear.clicked.connect(lambda: self.clear_requested.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(SPACE)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addLayout(_column_of(self._words))
        column.addSpacing(SPACE)
        column.addWidget(self.clear, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def explain(self, title: str, words: str, *, searching: bool) -> None:
        self._title.setText(title)
        self._words.setText(words)
        self.clear.setVisible(searching)


def _column_of(words: QWidget) -> QHBoxLayout:
    """Text in a column of readable width that still narrows with the window."""
    words.setMaximumWidth(480)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(words, 6)
    row.addStretch(1)
    return row
