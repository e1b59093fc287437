"""The queue: what plays, follows, was played; reorder by dragging or keys, remove, jump."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QListView,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import IconButton, button, label
from widgets.played_list import PlayedList
from widgets.queue_list import PLACE_MIME, QueueDelegate, QueueItem, QueueModel
from widgets.rows import RowCache
from widgets.sidebar.tree import ENTRY_MIME, entry_from_mime
from widgets.text import songs
from widgets.theme import SPACE, Theme
from widgets.track_table.model import TRACK_MIME, ids_from_mime

__all__ = ["QueueItem", "QueuePanel"]


class _View(QListView):
    jumped = Signal(int)
    removed = Signal(list)
    moved = Signal(list, int)
    dropped = Signal(list, int)
    files_dropped = Signal(list, int)
    list_dropped = Signal(str, int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        places = sorted(index.row() for index in self.selectedIndexes())
        current = self.currentIndex().row()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.key() == Qt.Key.Key_Space:
            event.ignore()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current >= 0:
            self.jumped.emit(current)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and places:
            self.removed.emit(places)
        elif alt and event.key() == Qt.Key.Key_Up and places and places[0] > 0:
            self.moved.emit(places, places[0] - 1)
        elif alt and event.key() == Qt.Key.Key_Down and places:
            self.moved.emit(places, places[-1] + 2)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Qt's own would ask for every row."""

    def dropEvent(self, event: QDropEvent) -> None:
        place = self._place_at(event)
        mime = event.mimeData()
        if mime.hasFormat(PLACE_MIME):
            places = [int(part) for part in bytes(mime.data(PLACE_MIME).data()).split()]
            self.moved.emit(places, place)
        elif mime.hasFormat(TRACK_MIME):
            self.dropped.emit(ids_from_mime(mime), place)
        elif mime.hasFormat(ENTRY_MIME):
            self.list_dropped.emit(entry_from_mime(mime), place)
        elif paths := [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]:
            self.files_dropped.emit(paths, place)
        else:
            return
        event.setDropAction(Qt.DropAction.CopyAction)  # or Qt would remove the dragged rows
        event.accept()

    def _place_at(self, event: QDropEvent) -> int:
        point = event.position().toPoint()
        index = self.indexAt(point)
        if not index.isValid():
            return self.model().rowCount()
        return index.row() + (point.y() > self.visualRect(index).center().y())


class QueuePanel(QFrame):
    """The queue at the right edge of the window."""

    jump_requested = Signal(int)
    remove_requested = Signal(list)
    move_requested = Signal(list, int)  # places, before which place
    insert_requested = Signal(list, int)  # track ids, before which place
    files_requested = Signal(list, int)  # local paths, before which place
    list_requested = Signal(str, int)  # a playlist's key in the sidebar, before which place
    save_requested = Signal()  # as a playlist
    clear_requested = Signal()
    close_requested = Signal()

    def __init__(self, theme: Theme, rows: RowCache, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("side_panel")
        self.setMinimumWidth(240)
        self.setAccessibleName(self.tr("Queue"))
        self.view = _View()
        self.model = QueueModel(rows, self)
        self._set_up_view(theme)
        self.played = PlayedList(theme, rows)
        self._count = label("", "caption")
        clear = IconButton(theme, "close", self.tr("Empty the queue"), size=16)
        clear.clicked.connect(lambda: self.clear_requested.emit())
        self.clear = clear
        save = IconButton(theme, "playlist", self.tr("Save the queue as a playlist"), size=16)
        save.clicked.connect(lambda: self.save_requested.emit())
        self.save = save
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, SPACE, SPACE, SPACE // 2)
        head.setSpacing(4)
        self.tabs = QButtonGroup(self)
        parts = (
            (self.tr("Queue"), self.tr("Show the queue")),
            (self.tr("Played"), self.tr("Show what was played")),
        )
        for place, (text, name) in enumerate(parts):
            tab = button(text, "tab")
            tab.setAccessibleName(name)
            tab.setCheckable(True)
            tab.setChecked(place == 0)
            self.tabs.addButton(tab, place)
            head.addWidget(tab)
        self.tabs.idClicked.connect(self.show_part)
        head.addSpacing(SPACE // 2)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(save)
        head.addWidget(clear)
        self._nothing = label("", "soft", wrap=True)
        self._nothing.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._nothing)
        self._parts = QStackedWidget()
        self._parts.addWidget(self.view)
        self._parts.addWidget(self.played)
        column.addWidget(self._parts, 1)
        self.view.doubleClicked.connect(lambda index: self.jump_requested.emit(index.row()))
        self.view.jumped.connect(self.jump_requested)
        self.view.removed.connect(self.remove_requested)
        self.view.moved.connect(self.move_requested)
        self.view.dropped.connect(self.insert_requested)
        self.view.files_dropped.connect(self.files_requested)
        self.view.list_dropped.connect(self.list_requested)
        theme.changed.connect(self.view.viewport().update)
        self.show_queue((), None)

    def show_queue(self, items: Sequence[QueueItem], current: int | None) -> None:
        """Show the places in their order; the selection follows the current row's number."""
        row = self.view.currentIndex().row()
        reset = items is not self.model.items and items != self.model.items
        self.model.show(items, current)
        if reset and row >= 0 and items:
            self.view.setCurrentIndex(self.model.index(min(row, len(items) - 1)))
        for control in (self.clear, self.save):
            control.setEnabled(bool(items))
        self._tell()

    def show_played(self, items: Sequence[QueueItem]) -> None:
        """Show what was played, the newest first."""
        self.played.show_played(items)
        self._tell()

    def show_part(self, place: int) -> None:
        """The queue (0), or what was played (1)."""
        self._parts.setCurrentIndex(place)
        self.tabs.button(place).setChecked(True)
        for control in (self.clear, self.save):
            control.setVisible(place == 0)
        self._tell()

    def reveal_current(self) -> None:
        """Scroll to the song that plays."""
        if self.model.current is not None:
            index = self.model.index(self.model.current)
            self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)

    def _tell(self) -> None:
        queued = self._parts.currentIndex() == 0
        number = len(self.model.items if queued else self.played.songs.items)
        self._count.setText(songs(number) if number else "")
        self._nothing.setVisible(not number)
        self._nothing.setText(
            self.tr("Nothing is queued. Press Enter on a song, or drag songs here.")
            if queued
            else self.tr("Nothing was played yet. What plays will stand here, the newest first.")
        )

    def sizeHint(self) -> QSize:
        return QSize(304, 480)

    def _set_up_view(self, theme: Theme) -> None:
        view = self.view
        view.setModel(self.model)
        view.setItemDelegate(QueueDelegate(theme, view, self.model))
        view.setAccessibleName(self.tr("Songs in the queue"))
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        view.setDefaultDropAction(Qt.DropAction.MoveAction)
        view.setDropIndicatorShown(True)
