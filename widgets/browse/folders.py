"""The folders of the library as a tree; the model keeps numbers, and rows are made when seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QTreeView, QVBoxLayout, QWidget

from library_db.browse import FolderTree
from widgets.controls import label
from widgets.icons import icon
from widgets.text import count, one_line, songs
from widgets.theme import SPACE, Theme
from widgets.track_table.model import TRACK_MIME, mime_of_ids

__all__ = ["FolderPage"]

_NUMBERS = 120
_FEW = 24
"""So many folders of the first two levels are all shown at first..."""
_MANY = 1000
"""...and so many where they lie in one; more would be laid out for tens of milliseconds."""

Index = QModelIndex | QPersistentModelIndex


class FolderModel(QAbstractItemModel):
    """A `FolderTree`; the internal id of an index is the folder's number.

    Folders are dragged as the songs that `songs_of` finds in them.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.tree = FolderTree([], [], [], [], [], [])
        self.songs_of: Callable[[list[str]], list[int]] = lambda _: []
        self._tops: dict[int, int] = {}
        self._numbers: dict[str, int] = {}

    def show(self, tree: FolderTree) -> None:
        """Show another tree."""
        self.beginResetModel()
        self.tree = tree
        self._tops = {number: row for row, number in enumerate(tree.tops)}
        self._numbers = {path: number for number, path in enumerate(tree.paths)}
        self.endResetModel()

    def path_of(self, index: Index) -> str:
        """The folder's path; empty for no folder."""
        return self.tree.paths[index.internalId()] if index.isValid() else ""

    def index_of(self, path: str) -> QModelIndex:
        """Where a folder stands; an invalid index where it is not shown."""
        number = self._numbers.get(path)
        return QModelIndex() if number is None else self._index(number)

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        below = self._below(parent)
        if not (0 <= row < len(below) and 0 <= column < 2):
            return QModelIndex()
        return self.createIndex(row, column, below[row])

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        if not index.isValid() or index.internalId() in self._tops:
            return QModelIndex()
        return self._index(self.tree.parents[index.internalId()])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.column() > 0 else len(self._below(parent))

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        number = index.internalId()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(number) if index.column() == 0 else count(self.tree.songs[number])
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._name(number)}, {songs(self.tree.songs[number])}"
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return icon("folder", self._theme.tokens.colour("ink_soft"))
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return self._theme.tokens.colour("ink_soft")
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 1:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.NoItemFlags

    def mimeTypes(self) -> list[str]:
        return [TRACK_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        return mime_of_ids(self.songs_of([self.path_of(i) for i in indexes if i.column() == 0]))

    def _below(self, parent: Index) -> list[int]:
        return self.tree.children[parent.internalId()] if parent.isValid() else self.tree.tops

    def _index(self, number: int) -> QModelIndex:
        """Where a folder stands; invalid for those above where the tree begins."""
        at = number
        while at >= 0 and at not in self._tops:
            at = self.tree.parents[at]
        if at < 0:
            return QModelIndex()
        row = self._tops[number] if number in self._tops else self.tree.rows[number]
        return self.createIndex(row, 0, number)

    def _name(self, number: int) -> str:
        path = self.tree.paths[number]
        return one_line(path if number in self._tops else path.rpartition("/")[2])


_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled


class FolderPage(QWidget):
    """Enter or a double click opens a folder's songs, those in folders below it included."""

    opened = Signal(str)  # path
    menu_requested = Signal(QPoint)
    typed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.model = FolderModel(theme, self)
        self._opened: set[str] = set()
        self.view = _View()
        self.view.setModel(self.model)
        self.view.setAccessibleName(self.tr("Folders"))
        self._nothing = label("", "soft", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self._nothing, 1)
        self.setFocusProxy(self.view)
        self.view.doubleClicked.connect(lambda index: self.opened.emit(self.model.path_of(index)))
        self.view.expanded.connect(lambda index: self._opened.add(self.model.path_of(index)))
        self.view.collapsed.connect(lambda index: self._opened.discard(self.model.path_of(index)))
        self.view.entered_key.connect(lambda: self.opened.emit(self.current))
        self.view.typed.connect(self.typed)
        self.view.customContextMenuRequested.connect(
            lambda place: self.menu_requested.emit(self.view.viewport().mapToGlobal(place))
        )
        theme.changed.connect(self.view.viewport().update)

    def show_folders(self, tree: FolderTree, nothing: str) -> None:
        """Show a tree; what was unfolded stays so. `nothing` is said where there is no folder."""
        opened = sorted(self._opened)
        current = self.current
        first = not self.model.tree.tops
        self._nothing.setText(nothing)
        self._nothing.setVisible(not tree.tops)
        self.view.setVisible(bool(tree.tops))
        self.model.show(tree)
        for path in opened:
            self.view.setExpanded(self.model.index_of(path), True)
        rows = len(tree.tops) + sum(len(tree.children[top]) for top in tree.tops)
        if first and rows <= (_MANY if len(tree.tops) == 1 else _FEW):
            for row in range(len(tree.tops)):
                self.view.setExpanded(self.model.index(row, 0), True)
        if (index := self.model.index_of(current)).isValid():
            self.view.setCurrentIndex(index)

    @property
    def current(self) -> str:
        """The path of the folder that the keys are at; empty without one."""
        return self.model.path_of(self.view.currentIndex())

    def chosen_paths(self) -> list[str]:
        """The folders that are selected, from above; else the one that the keys are at."""
        rows = self.view.selectionModel().selectedRows()
        rows.sort(key=lambda index: self.view.visualRect(index).top())
        chosen = [self.model.path_of(index) for index in rows]
        return chosen or [path for path in (self.current,) if path]


class _View(QTreeView):
    entered_key = Signal()
    typed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setExpandsOnDoubleClick(False)
        self.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QTreeView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.header().setStretchLastSection(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setColumnWidth(1, _NUMBERS)
        self.setColumnWidth(0, max(self.viewport().width() - _NUMBERS - SPACE, _NUMBERS))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            event.ignore()  # plays and pauses
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered_key.emit()
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        if search.strip() and search.isprintable():
            self.typed.emit(search)
