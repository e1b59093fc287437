"""What a part of the page says while there is nothing in it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.controls import label
from widgets.theme import SPACE

__all__ = ["NothingYet"]

_WIDTH = 440


class NothingYet(QWidget):
    """A title and a few words, in the middle."""

    def __init__(self, title: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        head = label(title, "title")
        text = label(words, "soft", wrap=True)
        for one in (head, text):
            one.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            one.setMaximumWidth(_WIDTH)
        text.setMinimumWidth(200)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(SPACE)
        column.addStretch(2)
        column.addWidget(head, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
