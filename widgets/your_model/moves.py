"""The songs that the listener's model has moved: before and after on the plane, and as a list."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from inference.emotion import MoodPoint
from widgets.controls import ElidedLabel, button, hairline
from widgets.mood_plane.ground import paint_ground
from widgets.mood_plane.viewport import Viewport
from widgets.plain_table import Cell, PlainTable
from widgets.text import count, mood_name, songs
from widgets.theme import SPACE, Theme
from widgets.your_model.facts import Moved
from widgets.your_model.nothing_yet import NothingYet

__all__ = ["MovesPart", "MovesPlane"]

_MOST_ARROWS = 300
_CATCH_PX = 10.0


class MovesPlane(QWidget):
    """An arrow from where the common model puts a song to where it lies for the listener."""

    picked = Signal(int)  # track id

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._moves: tuple[Moved, ...] = ()
        self._chosen: set[int] = set()
        self.setMinimumSize(220, 200)
        self.setAccessibleName(self.tr("Moved songs on the mood plane"))
        theme.changed.connect(self.update)

    def show_moves(self, moves: Sequence[Moved]) -> None:
        self._moves = tuple(moves)
        self.setAccessibleDescription(
            self.tr("{songs}, each with an arrow from before to after").format(
                songs=songs(len(moves))
            )
        )
        self.update()

    def mark(self, track_ids: Sequence[int]) -> None:
        """Bring out these songs' arrows."""
        self._chosen = set(track_ids)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 380)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = min(
            self._moves, key=lambda m: _distance(self._at(m.after_place), event.position()),
            default=None,
        )  # fmt: skip
        if near and _distance(self._at(near.after_place), event.position()) <= 2 * _CATCH_PX:
            self.picked.emit(near.track_id)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.tokens.colour("surface"))
        paint_ground(painter, self._theme, self._view)
        some = bool(self._chosen)
        for move in self._moves[:_MOST_ARROWS]:
            if move.track_id not in self._chosen:
                self._paint_arrow(painter, move, 0.3 if some else 0.85)
        for move in self._moves:
            if move.track_id in self._chosen:
                self._paint_arrow(painter, move, 1.0)
        painter.end()

    # inner workings

    @property
    def _view(self) -> Viewport:
        return Viewport(self.width(), self.height())

    def _at(self, place: MoodPoint) -> QPointF:
        view = self._view
        x = view.x_of(np.array([place.valence], np.float32))[0]
        y = view.y_of(np.array([place.arousal], np.float32))[0]
        return QPointF(float(x), float(y))

    def _paint_arrow(self, painter: QPainter, move: Moved, opacity: float) -> None:
        tokens = self._theme.tokens
        begin, end = self._at(move.before_place), self._at(move.after_place)
        painter.save()
        painter.setOpacity(opacity)
        painter.setPen(QPen(tokens.mood(move.before), 1.5))
        painter.setBrush(tokens.colour("surface"))
        painter.drawEllipse(begin, 3.5, 3.5)
        length = _distance(begin, end)
        if length > 14:
            way = (end - begin) / length
            painter.setPen(QPen(tokens.colour("ink_soft"), 1.5))
            painter.drawLine(begin + way * 5, end - way * 8)
            _paint_head(painter, end - way * 5, way, tokens.colour("ink_soft"))
        painter.setPen(QPen(tokens.colour("surface"), 1.5))
        painter.setBrush(tokens.mood(move.after))
        painter.drawEllipse(end, 5, 5)
        painter.restore()


class MovesPart(QWidget):
    """Plane and list side by side."""

    play_requested = Signal(list, int)  # track ids, which of them first

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plane = MovesPlane(theme)
        self.table = PlainTable(
            theme,
            self.tr("Moved songs"),
            (self.tr("Song"), self.tr("Before"), self.tr("For you")),
            (0, 92, 92),
        )
        self._words = ElidedLabel(role="soft")
        self.play = button(self.tr("Play them"), "primary")
        self.play.clicked.connect(lambda: self._play(self.table.selected_keys() or None))
        self._nothing = NothingYet(
            self.tr("No song has moved"),
            self.tr(
                "When a model of your own is in use, this shows the songs that feel otherwise to "
                "you than to most people: where they lay before, and where they lie for you."
            ),
        )
        self._whole = QWidget()
        sides = QHBoxLayout(self._whole)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(0)
        sides.addWidget(self.plane, 1)
        sides.addWidget(hairline(vertical=True))
        sides.addLayout(self._build_list(), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._whole, 1)
        column.addWidget(self._nothing, 1)
        self.table.selection_changed.connect(lambda: self.plane.mark(self.table.selected_keys()))
        self.table.activated_key.connect(lambda key: self._play([key]))
        self.plane.picked.connect(self.table.choose)
        self.setFocusProxy(self.table)
        self.show_moves((), 0)

    def show_moves(self, moves: Sequence[Moved], in_all: int) -> None:
        """Show these, which may be the farthest moved of `in_all`."""
        rows = [
            (
                Cell(move.song),
                Cell(mood_name(move.before), move.before),
                Cell(mood_name(move.after), move.after),
            )
            for move in moves
        ]
        self.table.show_rows([move.track_id for move in moves], rows)
        self.plane.show_moves(moves)
        if in_all > len(moves):
            text = self.tr("{n} moved; the {first} that moved farthest are shown")
        else:
            text = self.tr("{n} moved")
        self._words.set_whole(text.format(n=count(in_all), first=count(len(moves))))
        self._whole.setVisible(bool(moves))
        self._nothing.setVisible(not moves)

    def _build_list(self) -> QVBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, SPACE, SPACE, SPACE)
        row.addWidget(self._words, 1)
        row.addWidget(self.play)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        return column

    def _play(self, chosen: Sequence[int] | None) -> None:
        """The chosen ones; one alone begins the list at its place."""
        keys = self.table.keys
        if chosen and len(chosen) > 1:
            self.play_requested.emit(list(chosen), 0)
        elif keys:
            self.play_requested.emit(keys, keys.index(chosen[0]) if chosen else 0)


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())


def _paint_head(painter: QPainter, tip: QPointF, way: QPointF, colour: QColor) -> None:
    across = QPointF(-way.y(), way.x())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(
        QPolygonF([tip, tip - way * 7 + across * 3.5, tip - way * 7 - across * 3.5])
    )
