"""The library table: keys, menus and columns around the ids-only model; it keeps its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QDrag, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from widgets.rows import RowCache
from widgets.theme import Theme
from widgets.track_table.arranging import Arranger
from widgets.track_table.column_menu import column_menu
from widgets.track_table.columns import COLUMNS, column_index
from widgets.track_table.delegate import TrackDelegate
from widgets.track_table.model import TrackTableModel, mime_of_ids

__all__ = ["TableState", "TrackTable"]

_LEAST = 96
_MOST_DRAGGED = 5000
_MOST_FILES = 200
_DROPPED_FIRST = (
    "added", "genre", "year", "valence", "arousal", "valence%", "arousal%", "album",
    "confidence", "path", "artist", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableState:
    """What is kept between runs: shown columns, their widths in pixels, the sort."""

    shown: tuple[str, ...]
    widths: tuple[tuple[str, int], ...]
    sort: str = "artist"
    descending: bool = False


class TrackTable(QTableView):
    """Songs in a table.

    `set_actions` gives it its context menu; `show_ids` its songs.
    """

    activated_row = Signal(int)  # play from this row on
    sort_requested = Signal(str, bool)
    typed = Signal(str)  # a letter: the listener is searching
    selection_changed = Signal()

    def __init__(self, theme: Theme, rows: RowCache, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown = {column.key for column in COLUMNS if column.shown}
        self._extra: frozenset[str] = frozenset()
        self._withheld: frozenset[str] = frozenset()
        self._menu_actions: list[QAction | None] = []
        self._fitting = False
        self._own_order = False
        self._kept_sort = ("artist", False)
        self.songs = TrackTableModel(rows, self)
        self._delegate = TrackDelegate(theme, self)
        self.setModel(self.songs)
        self.setItemDelegate(self._delegate)
        self.arranger = Arranger(self, self._delegate)
        self.setAccessibleName(self.tr("Songs"))
        self._set_up_view()
        self._set_up_header()
        self.songs.sort_requested.connect(self.sort_requested)
        self.doubleClicked.connect(lambda index: self.activated_row.emit(index.row()))
        theme.changed.connect(self.viewport().update)

    # what is shown

    def show_ids(
        self,
        ids: NDArray[np.int64],
        *,
        keep_place: bool = False,
        places: NDArray[np.intp] | None = None,
    ) -> None:
        """Show these songs; with `keep_place`, selection, current row and scroll stay with theirs.

        A song that has left the list leaves the selection; the scroll
        position follows the first song that was visible and still is.
        """
        if not keep_place:
            self.songs.set_ids(ids, places)
            self.scrollToTop()
            self.selection_changed.emit()
            return
        if np.array_equal(ids, self.songs.ids) and _same(places, self.songs.places):
            return
        selected = self._selected()
        current = self.currentIndex()
        current_id = self.songs.id_at(current.row()) if current.isValid() else None
        column = max(current.column(), 0)
        top = max(self.rowAt(0), 0)
        anchors = self.songs.ids[top : top + 200]
        self.songs.set_ids(ids, places)
        if current_id is not None and len(found := self.songs.rows_of([current_id])):
            self.selectionModel().setCurrentIndex(
                self.songs.index(int(found[0]), column),
                QItemSelectionModel.SelectionFlag.NoUpdate,
            )
        elif current_id is not None and len(ids):
            row = min(current.row(), len(ids) - 1)
            self.selectionModel().setCurrentIndex(
                self.songs.index(row, column), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        self.select_ids(selected)
        self._scroll_to_anchor(anchors, top)

    def selected_ids(self) -> list[int]:
        """The selected songs, in the table's order."""
        ids: list[int] = self._selected().tolist()
        return ids

    def selected_rows(self) -> list[int]:
        """The numbers of the selected rows, ascending."""
        rows: list[int] = self._rows_selected().tolist()
        return rows

    def select_rows(self, rows: Sequence[int]) -> None:
        """Select exactly these rows; those that are not there are passed over."""
        there = np.unique([row for row in rows if 0 <= row < len(self.songs.ids)])
        self._select(there.astype(np.intp))

    def _selected(self) -> NDArray[np.int64]:
        return self.songs.ids[self._rows_selected()]

    def _rows_selected(self) -> NDArray[np.intp]:
        spans = sorted((s.top(), s.bottom()) for s in self.selectionModel().selection())
        parts = [np.arange(top, bottom + 1, dtype=np.intp) for top, bottom in spans]
        return np.concatenate([np.empty(0, np.intp), *parts])

    def select_ids(self, ids: Sequence[int] | NDArray[np.int64]) -> None:
        """Select exactly these songs, where they are shown."""
        self._select(self.songs.rows_of(ids) if len(ids) else np.empty(0, np.intp))

    def _select(self, rows: NDArray[np.intp]) -> None:
        selection = QItemSelection()
        last = len(COLUMNS) - 1
        for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
            if len(run):
                selection.select(
                    self.songs.index(int(run[0]), 0), self.songs.index(int(run[-1]), last)
                )
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().select(selection, flags)

    def reveal(self, track_id: int) -> bool:
        """Scroll to a song and make it the current one; False where it is not in the list."""
        rows = self.songs.rows_of([track_id])
        if not len(rows):
            return False
        index = self.songs.index(int(rows[0]), max(self.currentIndex().column(), 0))
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        return True

    def set_actions(self, actions: Sequence[QAction | None]) -> None:
        """What the context menu offers; None is a separator."""
        self._menu_actions = list(actions)

    # state between runs

    def kept_state(self) -> TableState:
        """Columns and sort, as they are to come back at the next start."""
        header = self.horizontalHeader()
        order = sorted(range(len(COLUMNS)), key=header.visualIndex)
        sort, descending = self._kept_sort if self._own_order else self._sort_shown()
        return TableState(
            shown=tuple(COLUMNS[i].key for i in order if COLUMNS[i].key in self._shown),
            widths=tuple(
                (COLUMNS[i].key, header.sectionSize(i)) for i in order if not self.isColumnHidden(i)
            ),
            sort=sort,
            descending=descending,
        )

    def show_own_order(self, own: bool) -> None:
        """Mark the list's own order as the one shown, or again the one chosen for all songs."""
        if own == self._own_order:
            return
        if own:
            self._kept_sort = self._sort_shown()
        self._own_order = own
        self._show_sort(*(("place", False) if own else self._kept_sort))

    def _sort_shown(self) -> tuple[str, bool]:
        header = self.horizontalHeader()
        descending = header.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
        return COLUMNS[header.sortIndicatorSection()].key, descending

    def _show_sort(self, key: str, descending: bool) -> None:
        """Set the header's mark without asking anybody to sort."""
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.songs.blockSignals(True)
        self.horizontalHeader().setSortIndicator(column_index(key), order)
        self.songs.blockSignals(False)

    def restore(self, state: TableState) -> None:
        """Take up a kept state; keys that no longer exist are passed over."""
        keys = {column.key for column in COLUMNS}
        shown = [key for key in state.shown if key in keys] or [c.key for c in COLUMNS if c.shown]
        self._shown = {*shown, "title"}
        header = self.horizontalHeader()
        for place, key in enumerate(shown):
            header.moveSection(header.visualIndex(column_index(key)), place)
        header.moveSection(header.visualIndex(column_index("place")), 0)
        for key, width in state.widths:
            if key in keys:
                self.setColumnWidth(column_index(key), min(max(int(width), 40), 2000))
        if state.sort in keys:
            order = (
                Qt.SortOrder.DescendingOrder if state.descending else Qt.SortOrder.AscendingOrder
            )
            header.setSortIndicator(column_index(state.sort), order)
        self._fit()

    # Qt's interface

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.currentIndex()
        if event.key() == Qt.Key.Key_Space:
            event.ignore()  # plays and pauses, everywhere but in a text
            return
        if self.arranger.key(event):
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current.isValid():
            self.activated_row.emit(current.row())
            return
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End) and not event.modifiers():
            self._go_to(0 if event.key() == Qt.Key.Key_Home else len(self.songs.ids) - 1)
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        # Qt's own would read all rows; what is typed belongs in the search field.
        if search.strip() and search.isprintable():
            self.typed.emit(search)

    def startDrag(self, actions: Qt.DropAction) -> None:
        # Qt's own would make an index of every cell of the selection first.
        drag = QDrag(self)
        drag.setMimeData(self.dragged())
        drag.exec(Qt.DropAction.CopyAction)

    def dragged(self) -> QMimeData:
        """The selection as it is dragged: songs, rows, and for other programs a few files."""
        rows = self._rows_selected()[:_MOST_DRAGGED]
        ids = self.songs.ids[rows].tolist()
        known = [self.songs.song(int(row)) for row in rows[:_MOST_FILES]]
        paths = [song.path for song in known if song is not None and song.path]
        return mime_of_ids([i for i in ids if i >= 0], rows.tolist(), paths)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if not self.currentIndex().isValid() and len(self.songs.ids):
            self.selectionModel().setCurrentIndex(
                self.songs.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        self._mark_current()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self._mark_current()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(event.position().toPoint().y()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def currentChanged(self, current: object, previous: object) -> None:
        super().currentChanged(current, previous)  # type: ignore[arg-type]
        self._mark_current()

    def selectionChanged(self, selected: object, deselected: object) -> None:
        super().selectionChanged(selected, deselected)  # type: ignore[arg-type]
        self.selection_changed.emit()

    # inner workings

    def _set_up_view(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        vertical = self.verticalHeader()
        vertical.hide()
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setMinimumSectionSize(24)
        vertical.setDefaultSectionSize(max(32, round(self.fontMetrics().height() * 1.7 / 4) * 4))
        self.verticalScrollBar().setSingleStep(vertical.defaultSectionSize())

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        # Its own, empty: to paint one section, Qt would ask every row whether it is selected.
        header.setSelectionModel(QItemSelectionModel(self.songs, header))
        header.setMinimumSectionSize(40)
        header.setFixedHeight(36)
        header.setAccessibleName(self.tr("Columns"))
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._show_column_menu)
        header.setSortIndicator(column_index("artist"), Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for i, column in enumerate(COLUMNS):
            self.setColumnWidth(i, column.width)
        header.sectionResized.connect(self._on_section_resized)

    def _go_to(self, row: int) -> None:
        if 0 <= row < len(self.songs.ids):
            self.setCurrentIndex(self.songs.index(row, max(self.currentIndex().column(), 0)))

    def _mark_current(self) -> None:
        row = self.currentIndex().row() if self.hasFocus() else -1
        self._delegate.current_row = row
        self.viewport().update()

    def _hover(self, row: int) -> None:
        if row != self._delegate.hovered_row:
            self._delegate.hovered_row = row
            self.viewport().update()

    def _scroll_to_anchor(self, anchors: NDArray[np.int64], top: int) -> None:
        still = anchors[np.isin(anchors, self.songs.ids)]
        row = int(self.songs.rows_of([int(still[0])])[0]) if len(still) else top
        height = self.verticalHeader().defaultSectionSize()
        shift = int(np.flatnonzero(anchors == still[0])[0]) if len(still) else 0
        offset = self.verticalScrollBar().value() % height
        self.updateGeometries()
        self.verticalScrollBar().setValue((row - shift) * height + offset)

    def _show_menu(self, place: QPoint) -> None:
        if not self.selected_ids():
            return
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Song"))
        for action in self._menu_actions:
            if action is None:
                menu.addSeparator()
            else:
                menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.viewport().mapToGlobal(place))

    def _show_column_menu(self, place: QPoint) -> None:
        menu = column_menu(self, self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.horizontalHeader().mapToGlobal(place))

    def shows(self, key: str) -> bool:
        """Whether the listener has chosen a column."""
        return key in self._shown

    def show_extra(self, keys: Iterable[str], instead_of: Iterable[str] = ()) -> None:
        """Show columns for this view's sake instead of others, whatever the listener has chosen."""
        self._withheld = frozenset(instead_of)
        if frozenset(keys) != self._extra:
            self._extra = frozenset(keys)
            for key in self._extra:
                if COLUMNS[column_index(key)].stretch:
                    self.setColumnWidth(column_index(key), self.viewport().width() // 2)
            self._fit()

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column; the title always stays."""
        if shown:
            self._shown.add(key)
        elif key != "title":
            self._shown.discard(key)
        self._fit()

    def _on_section_resized(self, section: int, _old: int, _new: int) -> None:
        if not self._fitting:
            # After the drag, or the header would fight the mouse.
            QTimer.singleShot(0, self, lambda: self._fit(after=section))

    def _fit(self, after: int | None = None) -> None:
        """Fill the width exactly: the stretching columns share what the fixed ones leave."""
        room = self.viewport().width()
        if room < 50 or self._fitting:
            return
        self._fitting = True
        header = self.horizontalHeader()
        kept = self._columns_that_fit(room)
        for i, column in enumerate(COLUMNS):
            self.setColumnHidden(i, column.key not in kept)
        shown = [i for i, column in enumerate(COLUMNS) if column.key in kept]
        shown.sort(key=header.visualIndex)
        elastic = [i for i in shown if COLUMNS[i].stretch]
        if after in shown:
            later = [i for i in elastic if header.visualIndex(i) > header.visualIndex(after)]
            elastic = later or [i for i in elastic if i != after] or elastic
        used = sum(header.sectionSize(i) for i in shown if i not in elastic)
        left = max(room - used, _LEAST * len(elastic))
        now = sum(max(header.sectionSize(i), 1) for i in elastic)
        for place, i in enumerate(elastic):
            if place == len(elastic) - 1:
                width = left
            else:
                width = max(_LEAST, round(left * header.sectionSize(i) / max(now, 1)))
                now -= header.sectionSize(i)
                left -= width
            header.resizeSection(i, max(width, _LEAST))
        self._fitting = False

    def _columns_that_fit(self, room: int) -> set[str]:
        kept = (self._shown | self._extra) - self._withheld

        def least(key: str) -> int:
            column = COLUMNS[column_index(key)]
            return (140 if key == "title" else _LEAST) if column.stretch else column.width

        for key in (key for key in _DROPPED_FIRST if key in kept):
            if sum(least(k) for k in kept) <= room:
                break
            kept.discard(key)
        return kept


def _same(one: NDArray[np.intp] | None, other: NDArray[np.intp] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
