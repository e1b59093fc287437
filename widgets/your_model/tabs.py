"""A row of names over the parts of a page, one of them shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import button, hairline
from widgets.text import count
from widgets.theme import SPACE

__all__ = ["Tabs"]


class Tabs(QWidget):
    """Left and right go from name to name."""

    def __init__(self, name: str, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._names = tuple(names)
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(2 * SPACE, 0, 2 * SPACE, SPACE)
        row.setSpacing(4)
        for place, text in enumerate(self._names):
            tab = button(text, "tab")
            tab.setCheckable(True)
            tab.setChecked(place == 0)
            self._group.addButton(tab, place)
            row.addWidget(tab)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(hairline())
        column.addWidget(self._stack, 1)
        self.setFocusProxy(self.tab(0))
        self._group.idClicked.connect(self.show_part)

    def add(self, part: QWidget) -> None:
        """Add the part under the next name."""
        self._stack.addWidget(part)

    def show_part(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.tab(place).setChecked(True)

    @property
    def shown(self) -> int:
        return self._stack.currentIndex()

    def tab(self, place: int) -> QPushButton:
        found = self._group.button(place)
        assert isinstance(found, QPushButton)
        return found

    def show_count(self, place: int, number: int | None) -> None:
        """A number beside a name."""
        name = self._names[place]
        text = name if not number else f"{name}  {count(number)}"
        self.tab(place).setText(text)
        self.tab(place).setAccessibleName(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and any(tab.hasFocus() for tab in self._group.buttons()):
            place = (self.shown + step) % self._stack.count()
            self.show_part(place)
            self.tab(place).setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().keyPressEvent(event)
