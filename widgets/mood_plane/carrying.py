"""Songs on the plane in the listener's hands: their menu, and dragging the chosen ones away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu

from widgets.track_table.model import mime_of_ids

if TYPE_CHECKING:
    from widgets.mood_plane.canvas import PlaneCanvas

__all__ = ["Carrier"]

_MOST_DRAGGED = 5000


class Carrier(QObject):
    """Watches the mouse over a canvas; whatever is not its business goes on to the canvas."""

    def __init__(self, canvas: PlaneCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._actions: Sequence[QAction | None] = ()
        self._pressed: QPointF | None = None
        canvas.installEventFilter(self)

    def set_actions(self, actions: Sequence[QAction | None]) -> None:
        """What the menu offers; None is a separator."""
        self._actions = list(actions)

    def dragged(self) -> QMimeData:
        """The chosen songs as they are dragged."""
        return mime_of_ids(self._canvas.chosen_ids()[:_MOST_DRAGGED].tolist())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.ContextMenu and isinstance(event, QContextMenuEvent):
            self._show_menu(event)
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if kind is QEvent.Type.MouseButtonPress:
            self._pressed = event.position() if self._takes_up(event) else None
        elif kind is QEvent.Type.MouseMove and self._pressed is not None:
            way = event.position() - self._pressed
            if way.manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self._canvas.let_go()
                self._drag()
            return True
        elif kind is QEvent.Type.MouseButtonRelease:
            self._pressed = None
        return False

    # inner workings

    def _takes_up(self, event: QMouseEvent) -> bool:
        """Whether a press is on a chosen song, where dragging carries them all away."""
        plain = event.button() is Qt.MouseButton.LeftButton and not event.modifiers()
        return plain and self._canvas.moves and self._is_chosen(event.position())

    def _is_chosen(self, place: QPointF) -> bool:
        song = self._canvas.song_at(place)
        return song is not None and song in self._canvas.chosen_ids()

    def _drag(self) -> None:
        drag = QDrag(self._canvas)
        drag.setMimeData(self.dragged())
        drag.exec(Qt.DropAction.CopyAction)

    def _show_menu(self, event: QContextMenuEvent) -> None:
        """The menu of the chosen songs, or of the one pointed at where that is another."""
        canvas = self._canvas
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        song = canvas.hovered_id if by_key else canvas.song_at(QPointF(event.pos()))
        if song is not None and song not in canvas.chosen_ids():
            canvas.clear_selection()
            canvas.point_at(song)
        if song is None and not len(canvas.chosen_ids()):
            return
        menu = QMenu(canvas)
        menu.setAccessibleName(self.tr("Songs on the plane"))
        for action in self._actions:
            if action is None:
                menu.addSeparator()
            else:
                menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        spot = canvas.place_of(song) if by_key and song is not None else None
        menu.popup(canvas.mapToGlobal(spot or QPoint(event.pos())))
