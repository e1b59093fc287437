"""Toasts: short notes over the window, announced to screen readers, gone by themselves."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from widgets.controls import IconButton, button
from widgets.text import one_line
from widgets.theme import SPACE, Theme

__all__ = ["Toast", "ToastHost"]

_MOST = 3
_SHOWN_MS = 6000
_WITH_ACTION_MS = 10000


class Toast(QFrame):
    """One note, with at most one thing to do about it."""

    dismissed = Signal()

    def __init__(
        self,
        theme: Theme,
        text: str,
        parent: QWidget,
        action: str = "",
        then: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.text = one_line(text)
        self.setAccessibleName(self.text)
        self._then = then
        words = QLabel(self.text)
        words.setTextFormat(words.textFormat().PlainText)
        words.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACE, SPACE, SPACE, SPACE)
        row.setSpacing(SPACE)
        row.addWidget(words, 1)
        self.action = button(action) if action else None
        if self.action is not None:
            self.action.clicked.connect(self._act)
            row.addWidget(self.action)
        dismiss = IconButton(theme, "close", self.tr("Dismiss"), size=16, colour="on_ink")
        dismiss.clicked.connect(self.dismiss)
        row.addWidget(dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WITH_ACTION_MS if action else _SHOWN_MS)
        self._timer.timeout.connect(self.dismiss)
        self._timer.start()

    def dismiss(self) -> None:
        """Take the toast away."""
        self._timer.stop()
        self.hide()
        self.dismissed.emit()

    def enterEvent(self, event: object) -> None:
        self._timer.stop()  # being read

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()

    def _act(self) -> None:
        then = self._then
        self.dismiss()
        if then is not None:
            then()


class ToastHost(QWidget):
    """Stacks toasts over the lower middle of its parent; transparent elsewhere."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bottom = 0
        self._shown: list[Toast] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE)
        self.setAccessibleName(self.tr("Messages"))
        parent.installEventFilter(self)
        self.hide()

    def show_toast(
        self, text: str, action: str = "", then: Callable[[], None] | None = None
    ) -> Toast:
        """Show a note in place of one that says the same, or of the oldest of too many."""
        for old in self.toasts:
            if old.text == one_line(text):
                old.dismiss()
        while len(self.toasts) >= _MOST:
            self.toasts[0].dismiss()
        toast = Toast(self._theme, text, self, action, then)
        toast.dismissed.connect(lambda: self._drop(toast))
        self._shown.append(toast)
        self._column.addWidget(toast)
        toast.show()  # now, not at the next event: what is hidden is given no place
        self.show()
        self.raise_()
        self._place()
        QAccessible.updateAccessibility(QAccessibleEvent(toast, QAccessible.Event.Alert))
        return toast

    @property
    def toasts(self) -> list[Toast]:
        """What is shown, the oldest first."""
        return list(self._shown)

    def clear(self) -> None:
        for toast in self.toasts:
            toast.dismiss()

    def keep_clear(self, bottom: int) -> None:
        """How many pixels at the bottom of the parent belong to the player bar."""
        self._bottom = bottom
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _drop(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            self._column.removeWidget(toast)
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        if not self.toasts:
            self.hide()
            return
        parent = self.parentWidget()
        width = min(480, parent.width() - 4 * SPACE)
        self.setFixedWidth(width)
        height = self._column.heightForWidth(width)
        self.resize(width, height if height > 0 else self.sizeHint().height())
        self.move(
            (parent.width() - width) // 2,
            parent.height() - self._bottom - self.height() - 2 * SPACE,
        )
