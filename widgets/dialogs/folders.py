"""The music folders: which there are, adding one, taking one out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.text import one_line
from widgets.theme import SPACE, Theme

__all__ = ["FoldersDialog"]


class FoldersDialog(QDialog):
    """Folders as text; `show_folders` again after each change."""

    add_requested = Signal()
    remove_requested = Signal(str)

    def __init__(self, theme: Theme, folders: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Music folders"))
        self.resize(560, 360)
        words = label(
            self.tr(
                "Songs in these folders are in the library. Taking a folder out leaves its files "
                "as they are, and what is known of its songs is kept until it comes back."
            ),
            "soft",
            wrap=True,
        )
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Music folders"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.remove = button(self.tr("Take out"))
        self.remove.clicked.connect(self._remove)
        add = button(self.tr("Add music folder"), "primary")
        add.clicked.connect(lambda: self.add_requested.emit())
        row = QHBoxLayout()
        row.addWidget(self.remove)
        row.addStretch(1)
        row.addWidget(add)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(self.tr("Music folders"), "title"))
        column.addWidget(words)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.list.currentRowChanged.connect(lambda place: self.remove.setEnabled(place >= 0))
        self.show_folders(folders)

    def show_folders(self, folders: Sequence[str]) -> None:
        self.list.clear()
        for folder in folders:
            item = QListWidgetItem(one_line(folder, 1000))
            item.setData(Qt.ItemDataRole.UserRole, folder)
            self.list.addItem(item)
        self.remove.setEnabled(False)

    def _remove(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.remove_requested.emit(str(item.data(Qt.ItemDataRole.UserRole)))
