"""The queue: what plays, what follows; reorder by dragging or keys, remove, jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QDropEvent, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import IconButton, label
from widgets.icons import MOOD_ICON, paint_icon
from widgets.rows import RowCache, TrackRow
from widgets.sidebar.tree import ENTRY_MIME, entry_from_mime
from widgets.text import clock, mood_name, songs
from widgets.theme import SPACE, Theme
from widgets.track_table.model import TRACK_MIME, ids_from_mime, mime_of_ids

__all__ = ["QueueItem", "QueuePanel"]

_ITEM_ROLE = Qt.ItemDataRole.UserRole + 1
_PLACE_MIME = "application/x-undertone-queue-places"
_FILES_MIME = "text/uri-list"
_HEIGHT = 48

_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A place in the queue: a song of the library, or a file from outside with its name."""

    track_id: int | None
    name: str = ""


class _Model(QAbstractListModel):
    def __init__(self, rows: RowCache, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self.items: Sequence[QueueItem] = ()
        self.current: int | None = None
        rows.filled.connect(self._on_filled)

    def show(self, items: Sequence[QueueItem], current: int | None) -> None:
        if items is self.items or items == self.items:
            if current != self.current:
                self.current = current
                self._on_filled(frozenset())
            return
        self.beginResetModel()
        self.items, self.current = items, current
        self.endResetModel()

    def song(self, row: int) -> TrackRow:
        item = self.items[row]
        known = None if item.track_id is None else self._rows.row(item.track_id)
        return known or TrackRow(item.track_id or -1, item.name)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.items):
            return None
        if role == _ITEM_ROLE:
            return self.song(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            song = self.song(index.row())
            words = [song.title, song.artist]
            if song.quadrant is not None:
                words.append(mood_name(song.quadrant))
            if index.row() == self.current:
                words.append(self.tr("current"))
            return ", ".join(word for word in words if word)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.ItemIsDropEnabled

    def mimeTypes(self) -> list[str]:
        return [_PLACE_MIME, TRACK_MIME, ENTRY_MIME, _FILES_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        places = sorted({index.row() for index in indexes})
        ids = [self.items[place].track_id for place in places]
        mime = mime_of_ids([i for i in ids if i is not None])
        mime.setData(_PLACE_MIME, " ".join(map(str, places)).encode())
        return mime

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def _on_filled(self, _ids: object) -> None:
        if self.items:
            self.dataChanged.emit(self.index(0), self.index(len(self.items) - 1))


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
        if mime.hasFormat(_PLACE_MIME):
            places = [int(part) for part in bytes(mime.data(_PLACE_MIME).data()).split()]
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


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListView, model: _Model) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._model = model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, max(_HEIGHT, 2 * option.fontMetrics.height() + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        song: TrackRow = index.data(_ITEM_ROLE)
        rect = QRectF(option.rect)
        current = index.row() == self._model.current
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = rect.adjusted(SPACE, 1, -SPACE, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("selection" if selected else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        if self._view.hasFocus() and index.row() == self._view.currentIndex().row():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.colour("ink"), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        glyph = QRectF(box.x() + SPACE, rect.center().y() - 8, 16, 16)
        if current:
            paint_icon(painter, "play", glyph, tokens.colour("ink"))
        elif song.quadrant is not None:
            paint_icon(painter, MOOD_ICON[song.quadrant], glyph, tokens.mood(song.quadrant))
        else:
            paint_icon(painter, "untagged", glyph, tokens.colour("ink_faint"))
        self._words(painter, box, song, current=current)
        painter.restore()

    def _words(self, painter: QPainter, box: QRectF, song: TrackRow, *, current: bool) -> None:
        tokens = self._theme.tokens
        left, right = box.x() + 36, box.right() - SPACE
        painter.setFont(self._theme.font("caption"))
        small = painter.fontMetrics()
        length = clock(song.duration_s)
        painter.setPen(tokens.colour("ink_soft"))
        middle = box.center().y()
        x = right - small.horizontalAdvance(length)
        painter.drawText(QPointF(x, middle + (small.ascent() - small.descent()) / 2), length)
        room = int(x - SPACE - left)
        artist = small.elidedText(song.artist[:256], Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(left, middle + small.ascent() + 1), artist)
        painter.setFont(self._theme.font("body", bold=current))
        painter.setPen(tokens.colour("ink_faint" if song.missing else "ink"))
        large = painter.fontMetrics()
        title = large.elidedText(song.title[:256], Qt.TextElideMode.ElideRight, room)
        y = middle - large.descent() + 1
        if not artist:
            y = middle + (large.ascent() - large.descent()) / 2
        painter.drawText(QPointF(left, y), title)


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
        self.model = _Model(rows, self)
        self._set_up_view(theme)
        self._count = label("", "caption")
        clear = IconButton(theme, "close", self.tr("Empty the queue"), size=16)
        clear.clicked.connect(lambda: self.clear_requested.emit())
        self.clear = clear
        save = IconButton(theme, "playlist", self.tr("Save the queue as a playlist"), size=16)
        save.clicked.connect(lambda: self.save_requested.emit())
        self.save = save
        head = QHBoxLayout()
        head.setContentsMargins(2 * SPACE, SPACE, SPACE, SPACE // 2)
        head.addWidget(label(self.tr("Queue"), "title"))
        head.addSpacing(SPACE)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(save)
        head.addWidget(clear)
        self._nothing = label(
            self.tr("Nothing is queued. Press Enter on a song, or drag songs here."),
            "soft",
            wrap=True,
        )
        self._nothing.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._nothing)
        column.addWidget(self.view, 1)
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
        self._count.setText(songs(len(items)) if items else "")
        self._nothing.setVisible(not items)
        for control in (self.clear, self.save):
            control.setEnabled(bool(items))

    def reveal_current(self) -> None:
        """Scroll to the song that plays."""
        if self.model.current is not None:
            index = self.model.index(self.model.current)
            self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)

    def sizeHint(self) -> QSize:
        return QSize(304, 480)

    def _set_up_view(self, theme: Theme) -> None:
        view = self.view
        view.setModel(self.model)
        view.setItemDelegate(_Delegate(theme, view, self.model))
        view.setAccessibleName(self.tr("Songs in the queue"))
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        view.setDefaultDropAction(Qt.DropAction.MoveAction)
        view.setDropIndicatorShown(True)
