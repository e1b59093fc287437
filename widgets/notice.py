"""A strip above the songs: what is wrong with this list, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, label
from widgets.icons import pixmap
from widgets.theme import SPACE, Theme

__all__ = ["NoticeBar"]


class NoticeBar(QWidget):
    """Hidden until `tell`; `chosen` gives the key of the offer that was clicked."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._frame = QFrame()
        self._frame.setObjectName("query_error")
        self._sign = QLabel()
        self._words = label(wrap=True)
        self._offered: tuple[tuple[str, str], ...] = ()
        self._buttons: list[QPushButton] = []
        self._offers = QHBoxLayout()
        self._offers.setSpacing(SPACE)
        inner = QHBoxLayout(self._frame)
        inner.setContentsMargins(4, 2, 4, 2)
        inner.setSpacing(SPACE)
        inner.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        inner.addWidget(self._words, 1)
        inner.addLayout(self._offers)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 0, 2 * SPACE, SPACE)
        column.addWidget(self._frame)
        self._tint()
        theme.changed.connect(self._tint)
        self.hide()

    @property
    def text(self) -> str:
        """What is told; empty while it is hidden."""
        return "" if self.isHidden() else self._words.text()

    def tell(self, text: str, offers: tuple[tuple[str, str], ...] = ()) -> None:
        """Show a text with buttons for offers, each (key, words)."""
        if offers != self._offered:  # or a button that has the focus would lose it
            self._offered = offers
            for control in self._buttons:
                self._offers.removeWidget(control)
                control.hide()
                control.deleteLater()
            self._buttons = [self._button(key, words) for key, words in offers]
        self._words.setText(text)
        self.setAccessibleName(text)
        self.show()

    def _button(self, key: str, words: str) -> QPushButton:
        control = button(words)
        control.clicked.connect(lambda: self.chosen.emit(key))
        self._offers.addWidget(control)
        control.show()  # now, and not with the next turn of the event loop
        return control

    def _tint(self) -> None:
        ink = self._theme.tokens.colour("ink")
        self._sign.setPixmap(pixmap("missing", ink, 16, self.devicePixelRatioF()))
