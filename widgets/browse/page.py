"""A page of tiles: albums, artists, genres or moods, each with its covers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QListView, QVBoxLayout, QWidget

from library_db.browse import Group, Kind
from library_db.text import fold, sort_key
from widgets.browse.model import GroupModel, Words
from widgets.browse.tile import TileDelegate
from widgets.controls import label
from widgets.covers import CoverCache
from widgets.theme import SPACE, Theme

__all__ = ["BrowsePage", "Order"]


class Order(Enum):
    """In what order the tiles stand."""

    NAME = "name"
    ARTIST = "artist"
    YEAR = "year"
    ADDED = "added"
    SONGS = "songs"


_KEYS: dict[Order, Callable[[Group], tuple[object, ...]]] = {
    Order.ARTIST: lambda g: (not g.artist, sort_key(fold(g.artist)), g.year or 9999),
    Order.YEAR: lambda g: (g.year is None, -(g.year or 0)),
    Order.ADDED: lambda g: (-g.added_s,),
    Order.SONGS: lambda g: (-g.songs,),
}


class BrowsePage(QWidget):
    """Tiles; Enter or a double click opens one, its menu is the controller's.

    Parameters
    ----------
    kind : Kind
        What the tiles stand for.
    name : str
        The page's name, for screen readers.
    icon : str
        Stands where a tile has no cover.
    """

    opened = Signal(str)  # key of a group
    menu_requested = Signal(QPoint)  # on the screen
    typed = Signal(str)
    enqueue_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        covers: CoverCache,
        kind: Kind,
        name: str,
        icon: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.kind = kind
        self._groups: Sequence[Group] = ()
        words = Words(kind)
        self.view = _Grid()
        self.model = GroupModel(words, self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(TileDelegate(theme, covers, words, icon, self.view))
        self.view.setAccessibleName(name)
        self.view.fit()
        self._nothing = label("", "soft", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()
        self.order = QComboBox()
        self.order.setAccessibleName(self.tr("Order of {name}").format(name=name))
        for order, text in self._orders():
            self.order.addItem(text, order)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._build_bar())
        column.addWidget(self.view, 1)
        column.addWidget(self._nothing, 1)
        self.order.activated.connect(lambda _: self._arrange())
        self.view.activated.connect(lambda index: self._open(index.row()))
        self.view.entered_key.connect(self._open)
        self.view.typed.connect(self.typed)
        self.view.customContextMenuRequested.connect(
            lambda place: self.menu_requested.emit(self.view.viewport().mapToGlobal(place))
        )
        covers.filled.connect(self.view.viewport().update)
        theme.changed.connect(self.view.viewport().update)

    def focusInEvent(self, event: QFocusEvent) -> None:
        # No focus proxy: Qt's Tab would enter the page there, and leave out what comes before.
        self.view.setFocus(event.reason())

    def show_groups(self, groups: Sequence[Group], nothing: str) -> None:
        """Show these; `nothing` is said where there are none."""
        self._groups = groups
        self._nothing.setText(nothing)
        self._nothing.setVisible(not groups)
        self.view.setVisible(bool(groups))
        self._arrange()

    def chosen_keys(self) -> list[str]:
        """The groups that are selected, from above."""
        rows = sorted(index.row() for index in self.view.selectedIndexes())
        return [self.model.groups[row].key for row in rows]

    def reveal(self, key: str) -> None:
        """Make a group the current one, after its songs were looked at."""
        row = self.model.row_of(key)
        if row >= 0:
            self.view.setCurrentIndex(self.model.index(row))

    def _orders(self) -> list[tuple[Order, str]]:
        orders = [(Order.NAME, self.tr("By name"))]
        if self.kind is Kind.ALBUMS:
            orders.append((Order.ARTIST, self.tr("By artist")))
            orders.append((Order.YEAR, self.tr("Newest music first")))
        orders.append((Order.ADDED, self.tr("Last added first")))
        orders.append((Order.SONGS, self.tr("Most songs first")))
        return orders

    def _build_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * SPACE, 0, 2 * SPACE, SPACE)
        bar.addWidget(self.order)
        bar.addStretch(1)
        if self.kind is Kind.MOODS:
            self.order.hide()
        return bar

    def _arrange(self) -> None:
        keys = self.chosen_keys()
        current = self.view.currentIndex()
        key = self.model.groups[current.row()].key if current.isValid() else ""
        order = self.order.currentData()
        groups = list(self._groups)
        if order in _KEYS:
            groups.sort(key=_KEYS[order])
        self.model.show(groups)
        self.view.clearSelection()
        if key and (row := self.model.row_of(key)) >= 0:
            self.view.setCurrentIndex(self.model.index(row))
        elif groups:
            self.view.set_current_quietly(self.model.index(0))
        if keys and not self.view.selectedIndexes():
            self.view.scrollToTop()

    def _open(self, row: int) -> None:
        if 0 <= row < len(self.model.groups):
            self.opened.emit(self.model.groups[row].key)


class _Grid(QListView):
    """Tiles in as many columns as fit."""

    entered_key = Signal(int)
    typed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QListView.DragDropMode.DragOnly)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        self.setContentsMargins(SPACE, 0, SPACE, 0)

    def fit(self) -> None:
        """Share the width among as many tiles as it holds."""
        delegate = self.itemDelegate()
        if not isinstance(delegate, TileDelegate):
            return
        least = delegate.tile_size()
        bar = self.verticalScrollBar()
        # Qt keeps its room free where it is not shown; else tiles and bar would chase each other.
        room = self.viewport().width() - (0 if bar.isVisible() else bar.sizeHint().width())
        across = max(room // (least.width() + SPACE), 1)
        # One less: Qt wraps where the last tile would touch the edge.
        size = QSize(max((room - 1) // across - 1, least.width()), least.height() + SPACE)
        if size != self.gridSize():
            self.setGridSize(size)
        self.verticalScrollBar().setSingleStep(size.height() // 3)

    def set_current_quietly(self, index: object) -> None:
        """A place for the keys to begin at, without choosing it."""
        from PySide6.QtCore import QItemSelectionModel

        self.selectionModel().setCurrentIndex(
            index,
            QItemSelectionModel.SelectionFlag.NoUpdate,  # type: ignore[arg-type]
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            event.ignore()  # plays and pauses
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.entered_key.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        if search.strip() and search.isprintable():
            self.typed.emit(search)
