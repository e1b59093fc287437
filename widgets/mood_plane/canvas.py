"""The plane itself: drawing, hovering, panning, zooming, choosing with a rectangle or a lasso."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from inference.emotion import QUADRANTS
from library_db.regions import inside
from widgets.covers import CoverCache
from widgets.mood_plane.ground import paint_ground
from widgets.mood_plane.labels import Named, paint_card, paint_named
from widgets.mood_plane.layer import Run, Scene, SongLayer
from widgets.mood_plane.pointing import nearest, next_towards
from widgets.mood_plane.points import PlanePoints
from widgets.mood_plane.viewport import Viewport
from widgets.rows import RowCache
from widgets.text import mood_name, relative_words
from widgets.theme import Theme

__all__ = ["PlaneCanvas", "Tool"]

_MOST_NAMES = 24
_CATCH_PX = 14
_NEIGHBOURS = 100
_STEP_PX = 60
_REACH_PX = 60
_ON_THE_WAY = 30
_MOST_CORNERS = 300

Corners = tuple[tuple[float, float], ...]


class Tool(Enum):
    """What dragging does."""

    MOVE = "move"
    RECTANGLE = "rectangle"
    LASSO = "lasso"
    PATH = "path"


class PlaneCanvas(QWidget):
    """Valence to the right, arousal upwards, a point a song."""

    play_requested = Signal(list)  # ids: the song, then its neighbours
    selection_changed = Signal(object)  # ids, ndarray
    tool_changed = Signal(object)

    def __init__(
        self, theme: Theme, rows: RowCache, covers: CoverCache, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = rows
        self._covers = covers
        self._points = PlanePoints.none()
        self._view = Viewport(400, 400)
        self._tool = Tool.MOVE
        self._layer = SongLayer(self.update)
        self._hovered: int | None = None
        self._playing: int | None = None
        self._chosen: NDArray[np.bool_] | None = None
        self._order: NDArray[np.int64] | None = None
        self._region: Corners = ()
        self._path: list[QPointF] = []
        self._dragging: Tool | None = None
        self._pressed = QPointF()
        self._last = QPointF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Mood plane"))
        self.setAccessibleDescription(
            self.tr(
                "Arrow keys go from song to song, Enter plays, plus and minus zoom, "
                "Ctrl+A chooses all songs in sight"
            )
        )
        self.setMinimumSize(200, 160)
        theme.changed.connect(self._redraw)
        rows.filled.connect(lambda _: self.update())
        covers.filled.connect(self.update)

    # what is shown

    def show_points(self, points: PlanePoints) -> None:
        """Show these songs; the view stays, and so does what was chosen and is still there."""
        chosen = self.chosen_ids()
        hovered = self.hovered_id
        if points.relative != self._points.relative:
            self._region = ()  # it was drawn on other axes
        self._points = points
        self._hovered = None if hovered is None else points.place_of(hovered)
        self._chosen = np.isin(points.ids, chosen) if len(chosen) else None
        if self._order is not None:
            self._order = chosen[np.isin(chosen, points.ids)]
        if self._chosen is not None and not self._chosen.any():
            self._chosen = None
        self._redraw()
        if len(chosen):
            self.selection_changed.emit(self.chosen_ids())

    def draw_with(self, run: Run) -> None:
        """Have the songs drawn on another thread."""
        self._layer.run_with(run)

    def show_playing(self, track_id: int | None) -> None:
        self._playing = track_id
        self.update()

    def go_to(self, track_id: int) -> bool:
        """Put a song in the middle and mark it."""
        place = self._points.place_of(track_id)
        if place is None:
            return False
        view = self._view if self._view.zoom > 1 else self._view.zoomed(6, 0, 0)
        self._set_view(
            view.centred(float(self._points.valence[place]), float(self._points.arousal[place]))
        )
        self._hover(place)
        return True

    def fit(self) -> None:
        """Show all of the plane."""
        self._set_view(Viewport(self.width(), self.height()))

    def zoom(self, factor: float) -> None:
        self._set_view(self._view.zoomed(factor, self.width() / 2, self.height() / 2))

    def set_tool(self, tool: Tool) -> None:
        self._tool = tool
        self.setCursor(
            Qt.CursorShape.ArrowCursor if tool is Tool.MOVE else Qt.CursorShape.CrossCursor
        )
        self.tool_changed.emit(tool)

    def clear_selection(self) -> None:
        if self._chosen is not None:
            self._chosen = self._order = None
            self._region = ()
            self._redraw()
            self.selection_changed.emit(self.chosen_ids())

    def chosen_ids(self) -> NDArray[np.int64]:
        """The songs in the rectangle or lasso, or along the path in its order."""
        if self._chosen is None:
            return np.empty(0, np.int64)
        if self._order is not None:
            return self._order
        return self._points.ids[self._chosen]

    @property
    def hovered_id(self) -> int | None:
        """The song under the mouse, or the one that the keys have gone to."""
        return None if self._hovered is None else int(self._points.ids[self._hovered])

    @property
    def moves(self) -> bool:
        """Whether dragging moves the plane, and does not choose."""
        return self._tool is Tool.MOVE

    def song_at(self, place: QPointF) -> int | None:
        """The song that a click at a place would play."""
        near = self._nearest(place.x(), place.y())
        return None if near is None else int(self._points.ids[near])

    def place_of(self, track_id: int) -> QPoint | None:
        """Where a song is drawn; None for one that is not on the plane."""
        place = self._points.place_of(track_id)
        return None if place is None else self._at(place).toPoint()

    def point_at(self, track_id: int) -> None:
        """Mark a song as the mouse would."""
        self._hover(self._points.place_of(track_id))

    def let_go(self) -> None:
        """Forget that a button is down: what it began is carried on elsewhere."""
        self._dragging, self._path = None, []

    def choose_in_sight(self) -> None:
        """Choose every song that the window shows, as a rectangle around it would."""
        corners = QRectF(self.rect())
        self._path = [corners.topLeft(), corners.bottomRight()]
        self._choose(Tool.RECTANGLE)
        self._path = []

    @property
    def points(self) -> PlanePoints:
        return self._points

    @property
    def viewport(self) -> Viewport:
        return self._view

    def pan(self, dx: float, dy: float) -> None:
        """Move the plane by so many px."""
        self._set_view(self._view.panned(dx, dy))

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(700, 500)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_view(self._view.resized(self.width(), self.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), self._theme.tokens.colour("surface"))
        paint_ground(painter, self._theme, self._view, relative=self._points.relative)
        ratio = self.devicePixelRatioF()
        scene = Scene(self._points, self._view, self._chosen, self._theme.tokens, ratio)
        self._layer.draw(painter, scene)
        self._paint_marks(painter)
        self._paint_drag(painter)
        self._paint_card(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.tokens.colour("ink"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120.0
        if steps:
            place = event.position()
            self._set_view(self._view.zoomed(1.25**steps, place.x(), place.y()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._pressed = self._last = event.position()
        self._path = [event.position()]
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._dragging = Tool.RECTANGLE
        elif modifiers & Qt.KeyboardModifier.AltModifier:
            self._dragging = Tool.LASSO
        else:
            self._dragging = self._tool

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._dragging is None:
            self._hover(self._nearest(place.x(), place.y()))
        elif self._dragging is Tool.MOVE:
            if self._moved(place):
                self.pan(place.x() - self._last.x(), place.y() - self._last.y())
                self._last = place
        else:
            self._path.append(place)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        tool, self._dragging = self._dragging, None
        place = event.position()
        if tool is None:
            return
        if not self._moved(place):
            self._click(place)
        elif tool is not Tool.MOVE:
            self._choose(tool)
        self._path = []
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._hover(None)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if self._hovered is None and len(self._points):
            self._hover(self._nearest(self.width() / 2, self.height() / 2, catch_px=np.inf))
        self.update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = event.key()
        if key in ways:
            dx, dy = ways[Qt.Key(key)]
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.pan(-dx * _STEP_PX, -dy * _STEP_PX)
            else:
                self._step(dx, dy)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1.5)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / 1.5)
        elif key == Qt.Key.Key_Home:
            self.fit()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.choose_in_sight()
        elif key == Qt.Key.Key_Escape:
            self.clear_selection()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._hovered is not None:
            self._play(self._hovered)
        else:
            super().keyPressEvent(event)

    # choosing

    def _moved(self, place: QPointF) -> bool:
        return (place - self._pressed).manhattanLength() >= 5 or len(self._path) > 3

    def _click(self, place: QPointF) -> None:
        near = self._nearest(place.x(), place.y())
        if near is not None:
            self._hover(near)
            self._play(near)
        else:
            self.clear_selection()

    def _play(self, place: int) -> None:
        self.play_requested.emit([int(i) for i in self._points.nearest(place, _NEIGHBOURS)])

    def choose_within(self, outline: Sequence[QPointF]) -> None:
        """Choose what lies within an outline on the screen."""
        self._path = list(outline)
        self._choose(Tool.LASSO)
        self._path = []

    @property
    def region(self) -> Corners:
        """The part of the plane that is chosen, as (valence, arousal); empty for a drawn way."""
        return self._region if self._chosen is not None else ()

    def _choose(self, tool: Tool) -> None:
        """Choose what lies in or along the drawn shape."""
        self._order, self._region = None, ()
        if tool is Tool.PATH:
            way = [self._view.at(place.x(), place.y()) for place in self._path]
            reach = _REACH_PX / self._view.scale_x
            order = self._points.along(np.array(way, np.float32), reach, _ON_THE_WAY)
            chosen = np.isin(self._points.ids, order)
            self._order = order if len(order) else None
        else:
            self._region = self._corners(tool)
            outline = np.array(self._region, np.float64)
            chosen = inside(self._points.valence, self._points.arousal, outline)
        self._chosen = chosen if chosen.any() else None
        self._redraw()
        self.selection_changed.emit(self.chosen_ids())

    def _corners(self, tool: Tool) -> Corners:
        """The drawn shape in valence and arousal, with no more corners than can be told apart."""
        path = self._path
        if tool is Tool.RECTANGLE:
            box = QRectF(path[0], path[-1]).normalized()
            path = [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft()]
        path = path[:: len(path) // _MOST_CORNERS + 1]
        corners = (self._view.at(place.x(), place.y()) for place in path)
        return tuple((round(float(v), 4), round(float(a), 4)) for v, a in corners)

    def _nearest(self, x: float, y: float, catch_px: float = _CATCH_PX) -> int | None:
        return nearest(self._points, self._view, x, y, catch_px)

    def _step(self, dx: int, dy: int) -> None:
        """Go to the next song in a direction, and follow it with the view."""
        if self._hovered is None:
            self._hover(self._nearest(self.width() / 2, self.height() / 2, catch_px=np.inf))
            return
        place = next_towards(self._points, self._view, self._hovered, dx, dy)
        if place is None:
            return
        self._hover(place)
        if not QRectF(self.rect()).adjusted(20, 20, -20, -20).contains(self._at(place)):
            self._set_view(
                self._view.centred(
                    float(self._points.valence[place]), float(self._points.arousal[place])
                )
            )

    def _hover(self, place: int | None) -> None:
        if place == self._hovered:
            return
        self._hovered = place
        self.update()
        if place is not None and self.hasFocus():
            row = self._rows.row(int(self._points.ids[place]))
            if row is not None:
                words = relative_words(row.relative) if self._points.relative else ""
                said = f"{row.title}, {row.artist}, {words or mood_name(row.quadrant)}"
                self.setAccessibleDescription(said)
                QAccessible.updateAccessibility(
                    QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
                )

    # drawing

    def _set_view(self, view: Viewport) -> None:
        self._view = view
        self.update()

    def _redraw(self) -> None:
        self._layer.forget()
        self.update()

    def _at(self, place: int) -> QPointF:
        one = slice(place, place + 1)
        return QPointF(
            float(self._view.x_of(self._points.valence[one])[0]),
            float(self._view.y_of(self._points.arousal[one])[0]),
        )

    def _paint_marks(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        if self._layer.near:
            self._paint_names(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._playing is not None:
            place = self._points.place_of(self._playing)
            if place is not None:
                painter.setPen(QPen(tokens.colour("surface"), 5))
                painter.drawEllipse(self._at(place), 9, 9)
                painter.setPen(QPen(tokens.colour("ink"), 2.5))
                painter.drawEllipse(self._at(place), 9, 9)
        if self._hovered is not None:
            at = self._at(self._hovered)
            quadrant = QUADRANTS[int(self._points.quadrant[self._hovered])]
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.setBrush(tokens.mood(quadrant))
            painter.drawEllipse(at, 6, 6)

    def _paint_names(self, painter: QPainter) -> None:
        """Covers and names of the songs, once there are few enough to tell apart."""
        x = self._view.x_of(self._points.valence)
        y = self._view.y_of(self._points.arousal)
        seen = np.flatnonzero((x > 0) & (x < self.width()) & (y > 0) & (y < self.height()))
        if len(seen) > _MOST_NAMES:
            return
        named = []
        for place in seen:
            row = self._rows.row(int(self._points.ids[place]))
            if row is not None:
                at = QPointF(float(x[place]), float(y[place]))
                cover = self._covers.cover(row.id) if row.has_cover else None
                quadrant = QUADRANTS[int(self._points.quadrant[place])]
                named.append(Named(row, at, cover, quadrant))
        paint_named(painter, self._theme, named, QRectF(self.rect()))

    def _paint_drag(self, painter: QPainter) -> None:
        if self._dragging in (None, Tool.MOVE) or len(self._path) < 2:
            return
        tokens = self._theme.tokens
        fill = tokens.colour("ink")
        fill.setAlphaF(0.08)
        painter.setBrush(fill)
        painter.setPen(QPen(tokens.colour("ink"), 1.5, Qt.PenStyle.DashLine))
        if self._dragging is Tool.RECTANGLE:
            painter.drawRect(QRectF(self._path[0], self._path[-1]).normalized())
        elif self._dragging is Tool.PATH:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(self._path))
        else:
            painter.drawPolygon(QPolygonF(self._path))

    def _paint_card(self, painter: QPainter) -> None:
        if self._hovered is None or self._dragging is not None:
            return
        row = self._rows.row(int(self._points.ids[self._hovered]))
        at, whole = self._at(self._hovered), QRectF(self.rect())
        if row is not None and whole.contains(at):
            paint_card(painter, self._theme, row, at, whole, relative=self._points.relative)
