"""Arranging a list by hand: dropping songs and files between its rows, moving the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent

from widgets.track_table.model import ROWS_MIME, TRACK_MIME, ids_from_mime, rows_from_mime

if TYPE_CHECKING:
    from widgets.track_table.delegate import TrackDelegate
    from widgets.track_table.view import TrackTable

__all__ = ["Arranger"]

_EDGE = 24
_STEP = 12


class Arranger(QObject):
    """What the table does while its list can be arranged; nothing while it cannot.

    Rows in the signals are the table's; who gets them knows to which places of the list they
    belong.
    """

    songs_dropped = Signal(list, int)  # ids, before which row
    files_dropped = Signal(list, int)  # local paths, before which row
    rows_moved = Signal(list, int)  # rows, before which row

    def __init__(self, table: TrackTable, delegate: TrackDelegate) -> None:
        super().__init__(table)
        self._table = table
        self._delegate = delegate
        self._on = self._can_move = False
        table.viewport().installEventFilter(self)

    def enable(self, on: bool, *, can_move: bool = True) -> None:
        """Take drops or not; `can_move`: the rows are in the list's own order, so that a place
        between two of them means something."""
        self._on, self._can_move = on, on and can_move
        self._table.viewport().setAcceptDrops(on)

    def key(self, event: QKeyEvent) -> bool:
        """Alt with an arrow moves the selected rows; True where the key was used."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 2}
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if not (self._can_move and alt and event.key() in steps):
            return False
        rows = self._table.selected_rows()
        down = event.key() == Qt.Key.Key_Down
        if rows and (rows[-1] + 1 < len(self._table.songs.ids) if down else rows[0] > 0):
            edge = rows[-1] if down else rows[0]
            self.rows_moved.emit(rows, edge + steps[Qt.Key(event.key())])
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self._on or not isinstance(event, QDropEvent):
            if event.type() is QEvent.Type.DragLeave:
                self._mark(-1)
            return False
        mime = event.mimeData()
        moving = mime.hasFormat(ROWS_MIME) and event.source() in (self._table, None)
        if moving and not self._can_move:
            event.ignore()
            return True
        if not (mime.hasFormat(TRACK_MIME) or mime.hasUrls()):
            return False
        place = event.position().toPoint()
        row = self._row_at(place)
        if event.type() is QEvent.Type.Drop:
            self._mark(-1)
            self._drop(event, row, moving=moving)
        else:
            self._scroll(place)
            self._mark(row)
            event.acceptProposedAction()
        return True

    def _drop(self, event: QDropEvent, row: int, *, moving: bool) -> None:
        mime = event.mimeData()
        paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
        if moving:
            self.rows_moved.emit(rows_from_mime(mime), row)
        elif mime.hasFormat(TRACK_MIME):
            self.songs_dropped.emit(ids_from_mime(mime), row)
        elif paths:
            self.files_dropped.emit(paths, row)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _row_at(self, place: QPoint) -> int:
        """Before which row a drop at `place` falls."""
        count = len(self._table.songs.ids)
        if not self._can_move:
            return count
        row = self._table.rowAt(place.y())
        if row < 0:
            return count
        top, height = self._table.rowViewportPosition(row), self._table.rowHeight(row)
        return row + (place.y() > top + height / 2)

    def _mark(self, row: int) -> None:
        if row != self._delegate.drop_row:
            self._delegate.drop_row = row
            self._table.viewport().update()

    def _scroll(self, place: QPoint) -> None:
        bar = self._table.verticalScrollBar()
        if place.y() < _EDGE:
            bar.setValue(bar.value() - _STEP)
        elif place.y() > self._table.viewport().height() - _EDGE:
            bar.setValue(bar.value() + _STEP)
