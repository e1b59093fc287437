"""What would be written into the files, before anything is; and the runs that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.plain_table import look_plain
from widgets.text import count, one_line
from widgets.theme import SPACE, Theme

__all__ = ["FileChange", "FileChangesDialog", "WrittenRun", "WrittenRunsDialog"]

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file: what its tags say now, and what they would say, or why it is left alone."""

    path: str
    before: str
    after: str
    changes: bool


class _Model(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: Sequence[FileChange] = ()

    def show(self, rows: Sequence[FileChange]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 3

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("File"), self.tr("In the file now"), self.tr("Afterwards"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        text = one_line((row.path, row.before, row.after)[index.column()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return text.replace("&", "&amp;").replace("<", "&lt;")
        return None


class FileChangesDialog(QDialog):
    """The difference before it is made; `write_requested` makes it."""

    write_requested = Signal()
    overwrite_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Write moods into files"))
        self.resize(960, 480)
        self._head = label("", "title")
        words = label(
            self.tr(
                "Nothing has been written yet. Each file is copied, the copy is changed and "
                "checked, and only then takes the file's place; only Undertone's own tags are "
                "touched. A file for undoing it is kept."
            ),
            "soft",
            wrap=True,
        )
        self._model = _Model(self)
        self.table = QTableView()
        self.table.setModel(self._model)
        look_plain(self.table, self.tr("Changes, file by file"))
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.overwrite = QCheckBox(self.tr("Also replace moods that other programs wrote"))
        self.overwrite.toggled.connect(self.overwrite_changed)
        self.write = button("", "primary")
        self.write.clicked.connect(self._write)
        close = button(self.tr("Cancel"))
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.overwrite)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.write)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        for part in (self._head, words):
            column.addWidget(part)
        column.addWidget(self.table, 1)
        column.addLayout(row)

    def show_changes(self, rows: Sequence[FileChange], unchanged: int) -> None:
        """Show the changes; `unchanged` more files are as they should be."""
        number = sum(row.changes for row in rows)
        self._model.show(rows)
        self._head.setText(
            self.tr("{n} of {all} files would change").format(
                n=count(number), all=count(len(rows) + unchanged)
            )
        )
        self.write.setText(self.tr("Write into {n} files").format(n=count(number)))
        self.write.setAccessibleName(self.write.text())
        self.write.setEnabled(number > 0)
        self.overwrite.setEnabled(True)

    def wait(self) -> None:
        """The changes are being looked up again."""
        self.write.setEnabled(False)
        self.overwrite.setEnabled(False)

    def _write(self) -> None:
        self.write_requested.emit()
        self.accept()


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """One run that wrote into files: its undo file, when it was, and how many files it changed."""

    file: str
    when: str
    files: int


class WrittenRunsDialog(QDialog):
    """Runs that can be taken back, the newest first."""

    undo_requested = Signal(str)  # the undo file

    def __init__(
        self, theme: Theme, runs: Sequence[WrittenRun], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Take moods out of files"))
        self.resize(520, 340)
        words = label(
            self.tr(
                "Puts the files' tags back as they were, except where a mood was changed since."
            )
            if runs
            else self.tr("Undertone has not written into any file so far."),
            "soft",
            wrap=True,
        )
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Times at which moods were written"))
        for run in runs:
            text = self.tr("{when}, {n} files").format(when=run.when, n=count(run.files))
            item = QListWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, run.file)
            self.list.addItem(item)
        self.undo = button(self.tr("Take back"), "primary")
        self.undo.setEnabled(False)
        self.undo.clicked.connect(self._undo)
        close = button(self.tr("Close"))
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.undo)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(self.tr("Take moods out of files"), "title"))
        column.addWidget(words)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self.list.currentRowChanged.connect(lambda place: self.undo.setEnabled(place >= 0))

    def _undo(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.undo_requested.emit(str(item.data(Qt.ItemDataRole.UserRole)))
            self.accept()
