"""The keyboard map (F1): every key that does something, by what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.theme import SPACE, Theme

__all__ = ["KeyEntry", "KeyboardDialog"]


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the map; without keys it is a heading."""

    text: str
    keys: str = ""


class KeyboardDialog(QDialog):
    """All keys in one list."""

    def __init__(
        self, theme: Theme, entries: Sequence[KeyEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard"))
        self.setMinimumWidth(400)
        self.resize(520, 640)
        table = QTableWidget(len(entries), 2)
        table.setAccessibleName(self.tr("Keys and what they do"))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.horizontalHeader().hide()
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(30)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.setColumnWidth(1, 180)
        for row, entry in enumerate(entries):
            what, keys = QTableWidgetItem(entry.text), QTableWidgetItem(entry.keys)
            if not entry.keys:
                what.setFont(theme.font("body", bold=True))
                what.setFlags(Qt.ItemFlag.ItemIsEnabled)
                keys.setFlags(Qt.ItemFlag.ItemIsEnabled)
                table.setRowHeight(row, 40)
            keys.setForeground(theme.tokens.colour("ink_soft"))
            table.setItem(row, 0, what)
            table.setItem(row, 1, keys)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(table, 1)
        column.addWidget(buttons)
