"""Before the listener's data is deleted: what goes, what stays, and no way back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from widgets.controls import button, label
from widgets.dialogs.words_dialog import WordsDialog
from widgets.theme import SPACE, Theme

__all__ = ["DeleteDataDialog"]


class DeleteDataDialog(WordsDialog):
    """Kinds of data to delete; nothing is deleted without the listener's click on the last button.

    Parameters
    ----------
    kinds : sequence of (key, text, help)
        All are ticked at first.
    """

    agreed = Signal(list)  # keys

    def __init__(
        self, theme: Theme, kinds: Sequence[tuple[str, str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Delete my data"))
        self.setMinimumWidth(520)
        self.boxes: dict[str, QCheckBox] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(self.tr("Delete my data for good"), "title"))
        words = self.tr(
            "What is ticked is overwritten in its files and cannot be brought back. Your music "
            "files and their tags are not touched."
        )
        column.addWidget(label(words, "soft", wrap=True))
        for key, text, help_ in kinds:
            box = QCheckBox(text)
            box.setChecked(True)
            box.setAccessibleDescription(help_)
            box.toggled.connect(self._enable)
            kind = QVBoxLayout()
            kind.setSpacing(0)
            kind.addWidget(box)
            if help_:
                line = label(help_, "caption", wrap=True)
                line.setContentsMargins(4 * SPACE - 2, 0, 0, 0)
                kind.addWidget(line)
            column.addLayout(kind)
            self.boxes[key] = box
        more = self.tr(
            "What this cannot reach: copies that you or your own backup tools made, and old blocks "
            "that a disk keeps (SSDs do)."
        )
        column.addWidget(label(more, "caption", wrap=True))
        column.addSpacing(SPACE)
        self.cancel = button(self.tr("Keep everything"))
        self.cancel.clicked.connect(self.reject)
        self.cancel.setDefault(True)
        self.delete = button(self.tr("Delete for good"), "primary")
        self.delete.setAutoDefault(False)
        self.delete.clicked.connect(self._agree)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.delete)
        column.addLayout(row)
        self.cancel.setFocus()
        self._enable()

    def _chosen(self) -> list[str]:
        return [key for key, box in self.boxes.items() if box.isChecked()]

    def _enable(self) -> None:
        self.delete.setEnabled(bool(self._chosen()))

    def _agree(self) -> None:
        self.agreed.emit(self._chosen())
        self.accept()
