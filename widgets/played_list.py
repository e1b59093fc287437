"""What was played before, the newest first: to play again, or to drag elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from widgets.queue_list import QueueDelegate, QueueItem, QueueModel
from widgets.rows import RowCache
from widgets.theme import Theme
from widgets.track_table.model import mime_of_ids

__all__ = ["PlayedList"]


class _Model(QueueModel):
    def mimeTypes(self) -> list[str]:
        return []  # nothing is dropped on what has been

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        places = sorted({index.row() for index in indexes})
        ids = [self.items[place].track_id for place in places]
        return mime_of_ids([i for i in ids if i is not None])


class PlayedList(QListView):
    """Songs in the order in which they were played, backwards."""

    again_requested = Signal(int)  # the row to be played now

    def __init__(self, theme: Theme, rows: RowCache, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.songs = _Model(rows, self)
        self.setModel(self.songs)
        self.setItemDelegate(QueueDelegate(theme, self, self.songs))
        self.setAccessibleName(self.tr("Songs that were played"))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.doubleClicked.connect(lambda index: self.again_requested.emit(index.row()))
        theme.changed.connect(self.viewport().update)

    def show_played(self, items: Sequence[QueueItem]) -> None:
        """Show these, the newest first."""
        row = self.currentIndex().row()
        self.songs.show(items, None)
        if 0 <= row < len(items):
            self.setCurrentIndex(self.songs.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if event.key() == Qt.Key.Key_Space:
            event.ignore()  # plays and pauses
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row >= 0:
            self.again_requested.emit(row)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Qt's own would ask for every row."""
