"""The tree of the sidebar: keys that pass over headings, dropping, moving, renaming in place."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QLineEdit,
    QTreeWidget,
    QWidget,
)

from widgets.sidebar.delegate import SidebarDelegate, plus_rect
from widgets.sidebar.entries import Role, Section, SidebarEntry
from widgets.theme import Theme
from widgets.track_table.model import TRACK_MIME, ids_from_mime

__all__ = ["ENTRY_MIME", "SidebarTree", "entry_from_mime"]

ENTRY_MIME = "application/x-undertone-sidebar-entry"

Index = QModelIndex | QPersistentModelIndex


class SidebarTree(QTreeWidget):
    """Headings with entries below them; only entries can be chosen."""

    renamed = Signal(str, str)  # key, name
    removed = Signal(str)
    plus_clicked = Signal(str)  # section
    songs_dropped = Signal(str, list)  # key of an entry or a section, track ids
    files_dropped = Signal(str, list)  # key, or "" beside those that take songs; local paths
    moved = Signal(str, str)  # key, before which key ("": to the end)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setExpandsOnDoubleClick(False)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setAutoScroll(True)
        self.before_press = ""
        """The key of what was chosen before the mouse was pressed last."""
        self.painter = SidebarDelegate(theme, self)
        self.setItemDelegate(self.painter)

    # keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        head = index.isValid() and not index.data(Role.KEY)
        entry: SidebarEntry | None = index.data(Role.ENTRY)
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.key() == Qt.Key.Key_Space:
            event.ignore()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and head:
            self.setExpanded(index, not self.isExpanded(index))
        elif event.key() == Qt.Key.Key_Delete and entry is not None and entry.own:
            self.removed.emit(entry.key)
        elif alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move_current(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters are for the search field."""

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        index = super().moveCursor(action, modifiers)
        ways = {
            QAbstractItemView.CursorAction.MoveUp: self.indexAbove,
            QAbstractItemView.CursorAction.MoveDown: self.indexBelow,
            QAbstractItemView.CursorAction.MoveHome: self.indexBelow,
        }
        step = ways.get(action)
        while step and index.isValid() and not index.data(Role.KEY) and self.isExpanded(index):
            further = step(index)
            if not further.isValid():
                return self.currentIndex()
            index = further
        return index

    def selectionCommand(self, index: Index, event: object = None) -> object:  # type: ignore[override]
        if not index.isValid() or not index.data(Role.KEY):
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return QItemSelectionModel.SelectionFlag.ClearAndSelect

    def _move_current(self, step: int) -> None:
        """Alt and an arrow move one of the listener's own entries among its like."""
        index = self.currentIndex()
        entry: SidebarEntry | None = index.data(Role.ENTRY)
        if entry is None or not entry.own:
            return
        keys = [
            other.key
            for row in range(self.model().rowCount(index.parent()))
            if (other := index.siblingAtRow(row).data(Role.ENTRY)).own
        ]
        place = keys.index(entry.key) + (step if step < 0 else step + 1)
        if 0 <= place <= len(keys):
            self.moved.emit(entry.key, keys[place] if place < len(keys) else "")

    # mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        index = self.indexAt(place.toPoint())
        chosen = self.selectedItems()
        self.before_press = str(chosen[0].data(0, Role.KEY)) if chosen else ""
        if event.button() is Qt.MouseButton.LeftButton and index.isValid():
            section: Section | None = index.data(Role.SECTION)
            if section is not None:
                if section.add and plus_rect(self.visualRect(index)).contains(place):
                    self.plus_clicked.emit(section.key)
                else:
                    self.setExpanded(index, not self.isExpanded(index))
                return
        super().mousePressEvent(event)

    def commitData(self, editor: QWidget) -> None:
        """The name goes to who keeps it and comes back from there."""
        entry: SidebarEntry | None = self.currentIndex().data(Role.ENTRY)
        if isinstance(editor, QLineEdit) and entry is not None:
            name = " ".join(editor.text().split())
            if name and name != entry.name:
                self.renamed.emit(entry.key, name)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        self.setFocus()

    # dragging

    def startDrag(self, actions: Qt.DropAction) -> None:
        entry: SidebarEntry | None = self.currentIndex().data(Role.ENTRY)
        if entry is not None and entry.own:
            mime = QMimeData()
            mime.setData(ENTRY_MIME, entry.key.encode())
            drag = QDrag(self)
            drag.setMimeData(mime)
            drag.exec(Qt.DropAction.MoveAction | Qt.DropAction.CopyAction, Qt.DropAction.MoveAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if mime.hasFormat(TRACK_MIME) or mime.hasFormat(ENTRY_MIME) or mime.hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        mime, place = event.mimeData(), event.position().toPoint()
        self._autoscroll(place)
        if mime.hasFormat(ENTRY_MIME):
            line = self._line_at(mime, place)
            self._show_drop("", line)
            takes = line is not None
        else:
            key = self._taker_at(place)
            self._show_drop(key, None)
            takes = bool(key) or mime.hasUrls()
        if takes:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_drop("", None)

    def dropEvent(self, event: QDropEvent) -> None:
        mime, place = event.mimeData(), event.position().toPoint()
        key, line = self._taker_at(place), self._line_at(mime, place)
        self._show_drop("", None)
        paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
        if mime.hasFormat(ENTRY_MIME):
            if line is None:
                return
            self.moved.emit(entry_from_mime(mime), self._before(line))
        elif mime.hasFormat(TRACK_MIME):
            if not key:
                return
            self.songs_dropped.emit(key, ids_from_mime(mime))
        elif paths:
            self.files_dropped.emit(key, paths)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _taker_at(self, place: QPoint) -> str:
        """The entry that takes songs, or the section that makes something of them."""
        index = self.indexAt(place)
        entry: SidebarEntry | None = index.data(Role.ENTRY)
        section: Section | None = index.data(Role.SECTION)
        if entry is not None and entry.takes_songs:
            return entry.key
        return section.key if section is not None and section.add else ""

    def _line_at(self, mime: QMimeData, place: QPoint) -> tuple[str, bool] | None:
        """Between which entries a dragged entry would stand: a key, and whether below it."""
        index = self.indexAt(place)
        entry: SidebarEntry | None = index.data(Role.ENTRY)
        if not mime.hasFormat(ENTRY_MIME) or entry is None or not entry.own:
            return None
        return entry.key, place.y() > self.visualRect(index).center().y()

    def _before(self, line: tuple[str, bool]) -> str:
        keys = [
            entry.key
            for item in (self.topLevelItem(i) for i in range(self.topLevelItemCount()))
            for entry in (item.child(i).data(0, Role.ENTRY) for i in range(item.childCount()))
            if entry.own
        ]
        place = keys.index(line[0]) + line[1]
        return keys[place] if place < len(keys) else ""

    def _show_drop(self, key: str, line: tuple[str, bool] | None) -> None:
        if (key, line) != (self.painter.drop_key, self.painter.drop_line):
            self.painter.drop_key, self.painter.drop_line = key, line
            self.viewport().update()

    def _autoscroll(self, place: QPoint) -> None:
        bar, edge = self.verticalScrollBar(), 24
        if place.y() < edge:
            bar.setValue(bar.value() - 8)
        elif place.y() > self.viewport().height() - edge:
            bar.setValue(bar.value() + 8)


def entry_from_mime(mime: QMimeData) -> str:
    """The key of the sidebar's entry that is dragged; empty where it is something else."""
    return bytes(mime.data(ENTRY_MIME).data()).decode("utf-8", "replace")
