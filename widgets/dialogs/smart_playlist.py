"""Changes what a smart playlist asks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from widgets.controls import button, label
from widgets.dialogs.words_dialog import WordsDialog
from widgets.search_field import SearchField
from widgets.theme import SPACE, Theme

__all__ = ["Mistake", "SmartPlaylistDialog"]

Mistake = tuple[str, int, int]
"""What is wrong with a query, and from which to which character."""


class SmartPlaylistDialog(WordsDialog):
    """The question in the search language, and whether it keeps to its part of the plane.

    Parameters
    ----------
    check : callable
        Says what is wrong with a query, None where nothing is.
    in_region : bool
        The playlist asks for a part of the mood plane besides.
    """

    saved = Signal(str, bool)  # query, keep to the part of the plane

    def __init__(
        self,
        theme: Theme,
        name: str,
        query: str,
        check: Callable[[str], Mistake | None],
        *,
        in_region: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._check = check
        self.setWindowTitle(self.tr("Smart playlist"))
        self.setMinimumWidth(480)
        self.search = SearchField(theme)
        self.search.line.setAccessibleName(self.tr("Which songs"))
        self.search.set_query(query)
        self.search.query_changed.connect(self._judge)
        self.region = QCheckBox(self.tr("Only in the part of the mood plane that was drawn"))
        self.region.setChecked(in_region)
        self.region.setVisible(in_region)
        self.save = button(self.tr("Save"), "primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._on_accepted)
        cancel = button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.save)
        title = label(name, "title", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(title)
        column.addWidget(label(self.tr("It holds every song that fits this search."), "soft"))
        column.addWidget(self.search)
        column.addWidget(self.search.error_panel)
        column.addWidget(self.region)
        column.addSpacing(SPACE)
        column.addLayout(row)

    def _judge(self, query: str) -> None:
        mistake = self._check(query)
        if mistake is None:
            self.search.clear_error()
        else:
            self.search.show_error(*mistake)
        self.save.setEnabled(mistake is None)

    def _on_accepted(self) -> None:
        self._judge(self.search.query())
        if self.save.isEnabled():
            self.saved.emit(self.search.query().strip(), self.region.isChecked())
            self.accept()
