"""The search field: asks once typing pauses, and points at a mistake in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QFocusEvent,
    QHideEvent,
    QInputMethodEvent,
    QKeyEvent,
    QTextCharFormat,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from library_db.completion import Suggestion
from widgets.icons import icon, pixmap
from widgets.suggestions import SuggestionList
from widgets.theme import SPACE, Theme

__all__ = ["SearchField"]

DEBOUNCE_MS = 120


class SearchField(QWidget):
    """A line for a query, and under it, when it cannot be understood, what is wrong with it."""

    query_changed = Signal(str)
    left_downwards = Signal()  # the listener goes on to the songs
    suggestions_wanted = Signal(str, int)  # what is typed, and where the cursor stands

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._last = self._message = ""
        self._marked: tuple[int, int] | None = None
        self.line = _Line(self)
        self.line.setPlaceholderText(
            self.tr("Search, or try  mood:calm  year:1990-1999  conf:<0.5")
        )
        self.line.setAccessibleName(self.tr("Search the library"))
        self.line.setClearButtonEnabled(True)
        self.line.setMaxLength(1000)
        self._lens = self.line.addAction(
            icon("search", theme.tokens.colour("ink_soft")),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        self._error = QFrame()
        self._error.setObjectName("query_error")
        self._error_icon = QLabel()
        self._error_text = QLabel()
        self._error_text.setTextFormat(Qt.TextFormat.RichText)
        self._error_text.setWordWrap(True)
        inner = QHBoxLayout(self._error)
        inner.setContentsMargins(4, 2, 4, 2)
        inner.setSpacing(SPACE)
        inner.addWidget(self._error_icon, 0, Qt.AlignmentFlag.AlignTop)
        inner.addWidget(self._error_text, 1)
        self.error_panel = QWidget()
        """Says what is wrong with the query; the window puts it where there is room."""
        around = QHBoxLayout(self.error_panel)
        around.setContentsMargins(2 * SPACE, 0, 2 * SPACE, SPACE)
        around.addWidget(self._error)
        self.error_panel.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.line)
        self.setFocusProxy(self.line)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._ask)
        self.line.textEdited.connect(self._on_edited)
        self.line.textChanged.connect(self._on_changed)
        self.line.went_down.connect(self.left_downwards)
        self.popup = SuggestionList(theme, self.line)
        self.line.popup = self.popup
        self.line.asked.connect(self._want_suggestions)
        self.popup.taken.connect(self._take)
        self._clear = self.line.findChild(QAction, "_q_qlineeditclearaction")
        self._tint()
        theme.changed.connect(self._tint)

    def query(self) -> str:
        return self.line.text()

    def set_query(self, text: str) -> None:
        """Put a query in and ask it at once."""
        self.popup.hide()
        self.line.setText(text)
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.popup.hide()  # it lies over the window, not in this field

    def add_text(self, text: str) -> None:
        """The listener typed over the songs: go on typing here."""
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        self.line.deselect()
        self.line.end(False)
        self.line.insert(text)
        self._timer.start()

    def show_error(self, message: str, start: int, end: int) -> None:
        """Say what is wrong with characters `start` to `end` of the query."""
        text = self.line.text()
        start = min(max(start, 0), len(text))
        end = min(max(end, start), len(text))
        if start == end and text:
            start, end = max(start - 1, 0), max(end, min(start + 1, len(text)))
        before, wrong, after = (
            _escaped(part)
            for part in (text[max(start - 40, 0) : start], text[start:end], text[end : end + 40])
        )
        shown = f"{before}<u><b>{wrong}</b></u>{after}" if wrong else ""
        self._error_text.setText(f"{_escaped(message)}<br>{shown}" if shown else _escaped(message))
        self._message = message
        self.line.setAccessibleDescription(message)
        self.error_panel.show()
        self._mark(start, end)

    def clear_error(self) -> None:
        if not self.error_panel.isHidden():
            self.error_panel.hide()
            self.line.setAccessibleDescription("")
        if self._marked is not None:
            self._mark(0, 0)

    @property
    def error(self) -> str:
        """The message shown, without its markup; empty where there is none."""
        return "" if self.error_panel.isHidden() else self._message

    @property
    def marked(self) -> tuple[int, int]:
        """The characters that are underlined as wrong."""
        return self._marked or (0, 0)

    def show_suggestions(self, text: str, suggestions: Sequence[Suggestion]) -> None:
        """Offer ways to go on, if `text` is still what stands there and is being typed."""
        if text == self.line.text() and self.line.hasFocus():
            self.popup.offer(suggestions)

    def _want_suggestions(self) -> None:
        self.suggestions_wanted.emit(self.line.text(), self.line.cursorPosition())

    def _take(self, suggestion: Suggestion) -> None:
        """Put a suggestion in the place of what it completes, and offer what may follow."""
        text = self.line.text()
        self.line.setText(text[: suggestion.start] + suggestion.insert + text[suggestion.end :])
        self.line.setCursorPosition(suggestion.start + len(suggestion.insert))
        if suggestion.insert.endswith(":"):
            self._want_suggestions()
        else:
            self._ask()

    def _on_edited(self, _text: str) -> None:
        self._timer.start()
        self._want_suggestions()

    def _on_changed(self, text: str) -> None:
        if not text:  # the clear button, or the last letter deleted
            self._ask()

    def _ask(self) -> None:
        self._timer.stop()
        text = self.line.text()
        if text != self._last:
            self._last = text
            self.query_changed.emit(text)

    def _mark(self, start: int, end: int) -> None:
        """Underline a part of the line; formats reach a QLineEdit as input method attributes."""
        self._marked = (start, end) if end > start else None
        attributes = []
        if self._marked:
            form = QTextCharFormat()
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            form.setUnderlineColor(self._theme.tokens.colour("tense"))
            attributes.append(
                QInputMethodEvent.Attribute(
                    QInputMethodEvent.AttributeType.TextFormat,
                    start - self.line.cursorPosition(),
                    end - start,
                    form,
                )
            )
        QCoreApplication.sendEvent(self.line, QInputMethodEvent("", attributes))

    def _tint(self) -> None:
        tokens = self._theme.tokens
        self._lens.setIcon(icon("search", tokens.colour("ink_soft")))
        if self._clear is not None:
            self._clear.setIcon(icon("close", tokens.colour("ink_soft")))
        ratio = self.devicePixelRatioF()
        self._error_icon.setPixmap(pixmap("failed", tokens.colour("ink"), 16, ratio))


class _Line(QLineEdit):
    """Hands the keys of the list of suggestions over while that is open."""

    went_down = Signal()
    asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.popup: SuggestionList | None = None

    def event(self, event: QEvent) -> bool:
        # Before Qt makes Tab a change of focus.
        pressed = isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress
        if pressed and self.popup is not None and self.popup.key(cast("QKeyEvent", event)):
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.went_down.emit()
        elif event.key() == Qt.Key.Key_Space and control:
            self.asked.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.popup is not None:
            self.popup.hide()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
