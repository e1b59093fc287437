"""The list of problems: which file, why, and trying again."""

from __future__ import annotations

from collections.abc import Iterable
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
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.plain_table import look_plain
from widgets.text import count, one_line
from widgets.theme import SPACE, Theme

__all__ = ["Problem", "ProblemsDialog"]

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that something went wrong with. `path` as text, `reason` for people."""

    path: str
    reason: str


class _Model(QAbstractTableModel):
    """The newest problem first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.problems: list[Problem] = []

    def show(self, problems: list[Problem]) -> None:
        self.beginResetModel()
        self.problems = problems
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.problems)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 2

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("File"), self.tr("Why"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.problems):
            return None
        problem = self.problems[index.row()]
        text = one_line((problem.path, problem.reason)[index.column()])
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return text.replace("&", "&amp;").replace("<", "&lt;")
        return None


class ProblemsDialog(QDialog):
    """Not modal: the listener can go on meanwhile."""

    retry_requested = Signal(list)  # paths

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Problems"))
        self.resize(760, 420)
        self._problems: dict[str, Problem] = {}
        self._head = label("", "title")
        self._words = label(
            self.tr("These files were left out. Everything else went on without them."), "soft"
        )
        self._model = _Model(self)
        self.table = QTableView()
        self.table.setModel(self._model)
        look_plain(self.table, self.tr("Files with problems"))
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.copy = button(self.tr("Copy the list"))
        self.copy.clicked.connect(self._copy)
        self.forget = button(self.tr("Clear the list"))
        self.forget.clicked.connect(self.clear)
        self.retry = button(self.tr("Try again"), "primary")
        self.retry.clicked.connect(self._retry)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.copy)
        row.addWidget(self.forget)
        row.addStretch(1)
        row.addWidget(self.retry)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self._head)
        column.addWidget(self._words)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        self._show()

    @property
    def problems(self) -> list[Problem]:
        return list(self._problems.values())

    def add(self, problems: Iterable[Problem]) -> None:
        """Add problems; a newer word on the same file replaces the older one."""
        for problem in problems:
            self._problems.pop(problem.path, None)
            self._problems[problem.path] = problem
        self._show()

    def settle(self, paths: Iterable[str]) -> None:
        """These files are all right now."""
        before = len(self._problems)
        for path in paths:
            self._problems.pop(path, None)
        if len(self._problems) != before:
            self._show()

    def clear(self) -> None:
        self._problems.clear()
        self._show()

    def _show(self) -> None:
        number = len(self._problems)
        if number == 1:
            self._head.setText(self.tr("1 file with a problem"))
        else:
            self._head.setText(self.tr("{n} files with problems").format(n=count(number)))
        self._model.show(list(self._problems.values())[::-1])
        for control in (self.copy, self.forget, self.retry):
            control.setEnabled(number > 0)

    def _copy(self) -> None:
        lines = (f"{problem.path}\t{one_line(problem.reason)}" for problem in self.problems)
        text = "\n".join(lines).encode("utf-8", "replace").decode()
        QGuiApplication.clipboard().setText(text)

    def _retry(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        chosen = [self._model.problems[row].path for row in sorted(rows)]
        self.retry_requested.emit(chosen or list(self._problems))
