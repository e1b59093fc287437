"""A short table of plain rows: moods with their glyphs, whole rows chosen, every deed by a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from inference.emotion import QUADRANTS, Quadrant
from widgets.icons import MOOD_ICON, icon
from widgets.text import one_line
from widgets.theme import Theme

__all__ = ["Cell", "PlainTable", "look_plain"]

Index = QModelIndex | QPersistentModelIndex
_LONGEST = 300
_LEAST_SHARE_PX = 180  # for the columns that share what is left
_WIDE_SHARE_PX = 240  # enough for them: what is more is shared with the one that grows


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Parameters
    ----------
    text : str
    quadrant : Quadrant, optional
        Its glyph stands before the text.
    soft : bool
        Secondary text.
    tip : str
        Shown while the mouse rests on it; empty: the text.
    """

    text: str
    quadrant: Quadrant | None = None
    soft: bool = False
    tip: str = ""


class _Model(QAbstractTableModel):
    def __init__(self, theme: Theme, headings: Sequence[str], parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._headings = tuple(headings)
        self.keys: list[int] = []
        self.rows: list[Sequence[Cell]] = []

    def show(self, keys: Sequence[int], rows: Sequence[Sequence[Cell]]) -> None:
        self.beginResetModel()
        self.keys, self.rows = list(keys), list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._headings)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(cell.text, _LONGEST)
        if role == Qt.ItemDataRole.ToolTipRole:
            shown = one_line(cell.tip or cell.text, _LONGEST)
            return shown.replace("&", "&amp;").replace("<", "&lt;")
        tokens = self._theme.tokens
        if role == Qt.ItemDataRole.DecorationRole and cell.quadrant is not None:
            return icon(MOOD_ICON[cell.quadrant], tokens.mood(cell.quadrant))
        if role == Qt.ItemDataRole.ForegroundRole and cell.soft:
            return tokens.colour("ink_soft")
        return None


def look_plain(table: QTableView, name: str) -> None:
    """Whole rows without a grid, Tab leaves the table; `name` for screen readers."""
    table.setObjectName("plain_table")
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(32)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setFixedHeight(36)
    header.setFocusPolicy(Qt.FocusPolicy.NoFocus)


class PlainTable(QTableView):
    """Rows with a key each.

    Parameters
    ----------
    name : str
        For screen readers.
    headings : sequence of str
    widths : sequence of int
        In px; 0 shares what is left.
    give_way : sequence of int
        Columns that a narrow table leaves out, the first of them first.
    grows : int, optional
        A column that in a wide table takes a half of what is left.
    """

    activated_key = Signal(int)
    delete_requested = Signal(list)  # keys
    mood_requested = Signal(list, object)  # keys, Quadrant: the keys 1 to 4
    selection_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        name: str,
        headings: Sequence[str],
        widths: Sequence[int],
        parent: QWidget | None = None,
        *,
        give_way: Sequence[int] = (),
        grows: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._widths = tuple(widths)
        self._give_way = tuple(give_way)
        self._grows = grows
        self._rows = _Model(theme, headings, self)
        self.setModel(self._rows)
        look_plain(self, name)
        self.setIconSize(QSize(16, 16))
        header = self.horizontalHeader()
        for column, width in enumerate(widths):
            if width:
                header.resizeSection(column, width)
            else:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.doubleClicked.connect(lambda index: self._activate(index.row()))
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())
        theme.changed.connect(self.viewport().update)

    def show_rows(self, keys: Sequence[int], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these rows; what was chosen and is still there stays chosen."""
        chosen, current = set(self.selected_keys()), self.current_key
        self._rows.show(keys, rows)
        selection = self.selectionModel()
        for row, key in enumerate(keys):
            if key == current:
                selection.setCurrentIndex(
                    self._rows.index(row, 0), selection.SelectionFlag.NoUpdate
                )
            if key in chosen:
                flags = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
                selection.select(self._rows.index(row, 0), flags)
        self.selection_changed.emit()

    @property
    def keys(self) -> list[int]:
        return list(self._rows.keys)

    @property
    def current_key(self) -> int | None:
        row = self.currentIndex().row()
        return self._rows.keys[row] if 0 <= row < len(self._rows.keys) else None

    def selected_keys(self) -> list[int]:
        """From above."""
        rows = {index.row() for index in self.selectionModel().selectedRows()}
        return [self._rows.keys[row] for row in sorted(rows) if row < len(self._rows.keys)]

    def choose(self, key: int) -> None:
        """Choose a row and bring it into sight."""
        if key in self._rows.keys:
            self.selectRow(self._rows.keys.index(key))
            self.scrollTo(self.currentIndex())

    def text(self, row: int, column: int) -> str:
        """What a cell says."""
        return str(self._rows.rows[row][column].text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        left_px = event.size().width() - sum(self._widths)
        for column in self._give_way:
            hidden = left_px < _LEAST_SHARE_PX
            left_px += self._widths[column] if hidden else 0
            self.setColumnHidden(column, hidden)
        if self._grows is not None:
            more_px = max(left_px - _WIDE_SHARE_PX, 0) // 2
            self.horizontalHeader().resizeSection(self._grows, self._widths[self._grows] + more_px)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, keys = event.key(), self.selected_keys()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate(self.currentIndex().row())
        elif key == Qt.Key.Key_Delete and keys:
            self.delete_requested.emit(keys)
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_4 and keys and not event.modifiers():
            self.mood_requested.emit(keys, QUADRANTS[key - Qt.Key.Key_1])
        elif key == Qt.Key.Key_Space:
            event.ignore()  # plays or pauses, everywhere
        else:
            super().keyPressEvent(event)

    def _activate(self, row: int) -> None:
        if 0 <= row < len(self._rows.keys):
            self.activated_key.emit(self._rows.keys[row])
