"""The list of problems: which file, why, and trying again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.text import count, one_line
from widgets.theme import SPACE, Theme

__all__ = ["Problem", "ProblemsDialog"]

_MOST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that something went wrong with. `path` as text, `reason` for people."""

    path: str
    reason: str


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
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels([self.tr("File"), self.tr("Why")])
        self.table.setAccessibleName(self.tr("Files with problems"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(32)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setFixedHeight(36)
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
        newest = list(self._problems.values())[::-1][:_MOST_SHOWN]
        self.table.setRowCount(len(newest))
        for row, problem in enumerate(newest):
            for column, text in enumerate((problem.path, problem.reason)):
                item = QTableWidgetItem(one_line(text))
                item.setToolTip(one_line(text).replace("&", "&amp;").replace("<", "&lt;"))
                item.setData(Qt.ItemDataRole.UserRole, problem.path)
                self.table.setItem(row, column, item)
        for control in (self.copy, self.forget, self.retry):
            control.setEnabled(number > 0)

    def _copy(self) -> None:
        lines = (f"{problem.path}\t{one_line(problem.reason)}" for problem in self.problems)
        text = "\n".join(lines).encode("utf-8", "replace").decode()
        QGuiApplication.clipboard().setText(text)

    def _retry(self) -> None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        chosen = [self.table.item(row, 0).data(Qt.ItemDataRole.UserRole) for row in sorted(rows)]
        self.retry_requested.emit(chosen or list(self._problems))
