"""The folders of the library as a tree, read level by level as it is unfolded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from library_db.browse import Folder
from widgets.controls import label
from widgets.icons import icon
from widgets.text import count, one_line, songs
from widgets.theme import Theme

__all__ = ["FolderPage"]

_PATH = Qt.ItemDataRole.UserRole + 1


class FolderPage(QWidget):
    """Enter or a double click opens a folder's songs, those in folders below it included."""

    opened = Signal(str)  # path
    menu_requested = Signal(QPoint)
    typed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._theme = theme
        self._below: dict[str, list[str]] = {}
        self._totals: dict[str, int] = {}
        self.tree = _Tree()
        self.tree.setAccessibleName(self.tr("Folders"))
        self.tree.setHeaderHidden(True)
        self.tree.setColumnCount(2)
        self.tree.setUniformRowHeights(True)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._nothing = label("", "soft", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tree, 1)
        column.addWidget(self._nothing, 1)
        self.setFocusProxy(self.tree)
        self.tree.itemExpanded.connect(self._fill)
        self.tree.itemDoubleClicked.connect(lambda item, _: self.opened.emit(item.data(0, _PATH)))
        self.tree.entered_key.connect(lambda item: self.opened.emit(item.data(0, _PATH)))
        self.tree.typed.connect(self.typed)
        self.tree.customContextMenuRequested.connect(
            lambda place: self.menu_requested.emit(self.tree.viewport().mapToGlobal(place))
        )
        theme.changed.connect(self._tint)

    def show_folders(self, folders: Sequence[Folder], nothing: str) -> None:
        """Show these and all above them, from the first that has several things in it."""
        opened = {item.data(0, _PATH) for item in self._shown_items() if item.isExpanded()}
        current = self.current
        self._count(folders)
        self._nothing.setText(nothing)
        self._nothing.setVisible(not folders)
        self.tree.setVisible(bool(folders))
        self.tree.clear()
        for path in self._tops(folders):
            self.tree.addTopLevelItem(self._item(path, whole=True))
        self._unfold(opened)
        if len(self._below.get("", ())) == 0 and self.tree.topLevelItemCount() == 1:
            self.tree.topLevelItem(0).setExpanded(True)
        for item in self._shown_items():
            if item.data(0, _PATH) == current:
                self.tree.setCurrentItem(item)
        self.tree.setColumnWidth(0, max(self.width() - 160, 240))

    @property
    def current(self) -> str:
        """The path of the folder that the keys are at; empty without one."""
        item = self.tree.currentItem()
        return str(item.data(0, _PATH)) if item is not None else ""

    def _count(self, folders: Sequence[Folder]) -> None:
        """Which folders lie in which, and how many songs below each."""
        below: defaultdict[str, set[str]] = defaultdict(set)
        totals: defaultdict[str, int] = defaultdict(int)
        for folder in folders:
            path = folder.path
            totals[path] += folder.songs
            while path not in ("", "/"):
                above = path.rpartition("/")[0] or "/"
                totals[above] += folder.songs
                below[above].add(path)
                path = above
        self._below = {path: sorted(inner) for path, inner in below.items()}
        self._totals = dict(totals)

    def _tops(self, folders: Sequence[Folder]) -> list[str]:
        """Where the tree begins: below what all songs have in common."""
        if not folders:
            return []
        own = {folder.path for folder in folders}

        def descended(path: str) -> str:
            while path not in own and len(self._below.get(path, ())) == 1:
                path = self._below[path][0]
            return path

        top = descended("/")
        return [top] if top != "/" else [descended(path) for path in self._below.get("/", [])]

    def _item(self, path: str, *, whole: bool = False) -> QTreeWidgetItem:
        number = self._totals.get(path, 0)
        name = one_line(path if whole else path.rpartition("/")[2])
        item = QTreeWidgetItem([name, count(number)])
        item.setData(0, _PATH, path)
        item.setIcon(0, icon("folder", self._theme.tokens.colour("ink_soft")))
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{name}, {songs(number)}")
        policy = QTreeWidgetItem.ChildIndicatorPolicy
        item.setChildIndicatorPolicy(
            policy.ShowIndicator if self._below.get(path) else policy.DontShowIndicator
        )
        return item

    def _fill(self, item: QTreeWidgetItem) -> None:
        if item.childCount() == 0:
            item.addChildren(
                [self._item(path) for path in self._below.get(item.data(0, _PATH), ())]
            )

    def _unfold(self, paths: set[str]) -> None:
        waiting = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        while waiting:
            item = waiting.pop()
            if item.data(0, _PATH) in paths:
                item.setExpanded(True)
                waiting += [item.child(i) for i in range(item.childCount())]

    def _shown_items(self) -> list[QTreeWidgetItem]:
        found: list[QTreeWidgetItem] = []
        waiting = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        while waiting:
            item = waiting.pop()
            found.append(item)
            waiting += [item.child(i) for i in range(item.childCount())]
        return found

    def _tint(self) -> None:
        sign = icon("folder", self._theme.tokens.colour("ink_soft"))
        for item in self._shown_items():
            item.setIcon(0, sign)


class _Tree(QTreeWidget):
    entered_key = Signal(object)
    typed = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Space:
            event.ignore()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.entered_key.emit(item)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        if search.strip() and search.isprintable():
            self.typed.emit(search)
