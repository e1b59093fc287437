"""Small controls that the larger widgets are made of: icon buttons, roles of text, hairlines."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from widgets.icons import icon
from widgets.theme import SPACE, Theme

__all__ = ["ElidedLabel", "IconButton", "button", "hairline", "label", "number_field"]

Number = TypeVar("Number", bound=QAbstractSpinBox)


class IconButton(QToolButton):
    """A button that shows one of our icons, named for screen readers by its tool tip.

    Parameters
    ----------
    theme : Theme
        Tints the icon, also when it changes.
    name : str
        The icon.
    text : str
        What the button does: accessible name and tool tip.
    shortcut : str
        Shown in the tool tip; the window binds it.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        text: str,
        parent: QWidget | None = None,
        *,
        shortcut: str = "",
        size: int = 20,
        colour: str = "ink",
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._size = size
        self._colour = colour
        self._shortcut = shortcut
        self.setIconSize(QSize(size, size))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoRaise(True)
        self.say(text)
        self._tint()
        theme.changed.connect(self._tint)

    def say(self, text: str) -> None:
        """Set what the button does, in words."""
        self.setAccessibleName(text)
        keys = QKeySequence(self._shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(f"{text}  ({keys})" if keys else text)

    def show_icon(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self._tint()

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self.setIcon(
            icon(self._name, tokens.colour(self._colour), tokens.colour("ink_faint"), self._size)
        )


class ElidedLabel(QLabel):
    """A single line of plain text that shortens with an ellipsis instead of growing the window."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, role: str = "") -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if role:
            self.setProperty("role", role)
        self._whole = ""
        self.set_whole(text)

    def whole(self) -> str:
        return self._whole

    def set_whole(self, text: str) -> None:
        """Show `text` as far as it fits; all of it is in the tool tip and for screen readers."""
        self._whole = " ".join(text.split())
        self.setAccessibleName(self._whole)
        self._elide()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._elide()

    def _elide(self) -> None:
        # Hostile tags run to megabytes: measure no more than could ever fit.
        text = self._whole[:512]
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(text if shown != self._whole else "")


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """A plain-text label in a typographic role ("caption", "section", "title", "display", ...)."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if role:
        result.setProperty("role", role)
    return result


def button(text: str, role: str = "") -> QPushButton:
    """A push button; `role` is "primary", "quiet" or nothing."""
    result = QPushButton(text)
    result.setAccessibleName(text.replace("&", ""))
    if role:
        result.setProperty("role", role)
    return result


def number_field(spin: Number) -> Number:
    """`spin`, its text as far from the edge as in other fields: style sheets do not reach it."""
    spin.lineEdit().setTextMargins(SPACE - 1, 0, 0, 0)
    return spin


def hairline(*, vertical: bool = False) -> QFrame:
    """A one-pixel line between two areas."""
    line = QFrame()
    line.setObjectName("hairline")
    line.setFrameShape(QFrame.Shape.NoFrame)
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line
