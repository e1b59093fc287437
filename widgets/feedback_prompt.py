"""The question "This felt Calm to you?": over the window, never in the way, answered by one key.

It takes no focus, waits for nobody, and goes by itself; a line at its foot says
how long it will stay. While it is on the screen, and only then, function keys
answer it from anywhere in the window. One of them unfolds a small plane, which
takes the keys until a place is chosen or Escape gives them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QEnterEvent,
    QHideEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from inference.emotion import QUADRANTS, MoodPoint, Quadrant
from widgets.controls import ElidedLabel, IconButton, button, label
from widgets.icons import MOOD_ICON, icon
from widgets.place_picker import PlacePicker
from widgets.text import mood_name, one_line
from widgets.theme import SPACE, Theme

__all__ = ["FeedbackPrompt"]

SHOWN_S = 30
_TICK_MS = 1000
_WIDTH = 480
_YES_KEY = "F2"
_OTHER_KEYS = ("F3", "F4", "F7")
_PASS_KEY = "F8"
_PLACE_KEY = "F9"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A button: what it means, its words, its key, its mood."""

    meaning: object
    text: str
    key: str
    quadrant: Quadrant | None = None
    primary: bool = False


class _Countdown(QWidget):
    """A hairline that grows shorter: how long the question will stay."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._share = 1.0
        self.setFixedHeight(2)
        self.setAccessibleName(self.tr("Time left to answer"))
        theme.changed.connect(self.update)

    def show_share(self, share: float) -> None:
        # With less movement it shrinks in four steps.
        shown = ceil(4 * share) / 4 if self._theme.calm else share
        if shown != self._share:
            self._share = shown
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        for name, share in (("line", 1.0), ("ink_faint", self._share)):
            painter.setBrush(self._theme.tokens.colour(name))
            painter.drawRoundedRect(QRectF(0, 0, whole.width() * share, 2), 1, 1)
        painter.end()


class FeedbackPrompt(QFrame):
    """A non-modal question in the lower right corner of `over`.

    Parameters
    ----------
    theme : Theme
    parent : QWidget
        The window.
    over : QWidget
        The part of the window whose corner it takes.
    beside : QWidget
        Notes that it must not cover: while they are visible it stands above them.
    """

    chosen = Signal(object)
    """A Quadrant or MoodPoint, or True or False where consent was asked for."""
    passed = Signal()
    """Not now, or nobody answered in time."""

    def __init__(self, theme: Theme, parent: QWidget, over: QWidget, beside: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("prompt")
        self._theme = theme
        self._over = over
        self._beside = beside
        self._open = False
        self._question = label("", "", wrap=True)
        self._question.setObjectName("question")
        self._song = ElidedLabel(role="caption")
        self._pass = IconButton(
            theme, "close", self.tr("Not now"), shortcut=_PASS_KEY, size=16, colour="ink_soft"
        )
        self._pass.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._pass.clicked.connect(self.let_pass)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(SPACE // 2)
        head = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._question)
        words.addWidget(self._song)
        head.addLayout(words, 1)
        head.addWidget(self._pass, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, SPACE + 4, SPACE, SPACE + 4)
        column.setSpacing(SPACE)
        self.picker = PlacePicker(theme)
        self.picker.hide()
        self.picker.chosen.connect(self._choose)
        self.picker.left.connect(self._fold)
        self.picker.moved.connect(self._begin_again)
        self._countdown = _Countdown(theme)
        column.addLayout(head)
        column.addLayout(self._buttons)
        column.addWidget(self.picker)
        column.addWidget(self._countdown)
        self._keys: list[QShortcut] = []
        self._row: QWidget | None = None
        self._add_key(_PASS_KEY, self.let_pass)
        self._timer = QTimer(self)
        self._timer.setObjectName("feedback-prompt")
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._left_s = SHOWN_S
        self._focus_before: QWidget | None = None
        for watched in (over, beside):
            watched.installEventFilter(self)
        self.hide()

    @property
    def is_open(self) -> bool:
        """Whether a question waits for its answer."""
        return self._open

    @property
    def question(self) -> str:
        """What is asked."""
        return self._question.text()

    @property
    def seconds_left(self) -> int:
        """Until it goes by itself."""
        return self._left_s

    def ask(self, title: str, shown: Quadrant, place: MoodPoint | None = None) -> None:
        """Ask whether the song named `title` felt as `shown` says.

        Parameters
        ----------
        place : MoodPoint, optional
            Where the small plane's mark begins: where the song was shown.
        """
        others = [quadrant for quadrant in QUADRANTS if quadrant is not shown]
        yes = self.tr("Yes")
        choices = [_Choice(shown, yes, _YES_KEY, shown, primary=True)]
        choices += [
            _Choice(quadrant, mood_name(quadrant), key, quadrant)
            for quadrant, key in zip(others, _OTHER_KEYS, strict=True)
        ]
        self._show(
            self.tr("This felt {mood} to you?").format(mood=mood_name(shown)),
            one_line(title),
            choices,
        )
        self._offer_plane(place or shown.centre)

    def ask_consent(self) -> None:
        """Ask whether the listener wants to be asked at all."""
        self._show(
            self.tr("May Undertone ask now and then how a song felt?"),
            self.tr("It learns from your answers. They stay on this computer."),
            [
                _Choice(True, self.tr("Yes, ask me"), _YES_KEY, primary=True),
                _Choice(False, self.tr("No"), _OTHER_KEYS[0]),
            ],
        )

    def let_pass(self) -> None:
        """Take the question away without an answer."""
        if self._open:
            self._close()
            self.passed.emit()

    def tick(self) -> None:
        """A second has gone by."""
        self._left_s -= 1
        self._countdown.show_share(max(self._left_s, 0) / SHOWN_S)
        if self._left_s <= 0:
            self.let_pass()

    def withdraw(self) -> None:
        """Take the question away in silence."""
        self._close()

    # Qt's interface

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()  # being read

    def leaveEvent(self, event: QEvent) -> None:
        if self._open and self.isVisible():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._open:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (
            QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide,
        ):  # fmt: skip
            self._place()
        return super().eventFilter(watched, event)

    # inner workings

    def _show(self, question: str, detail: str, choices: Sequence[_Choice]) -> None:
        self._close()
        self._question.setText(question)
        self._song.set_whole(detail)
        self._row = row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE // 2)
        for choice in choices:
            layout.addWidget(self._button(choice))
        layout.addStretch(1)
        self._buttons.addWidget(row)
        spoken = [f"{c.text}: {_native(c.key)}" for c in choices]
        spoken.append(f"{self.tr('Not now')}: {_native(_PASS_KEY)}")
        self.setAccessibleName(question)
        self.setAccessibleDescription(". ".join([detail, *spoken]))
        self._open = True
        self._begin_again()
        self._place()
        self.show()
        self.raise_()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _offer_plane(self, place: MoodPoint) -> None:
        """A button that unfolds the small plane."""
        assert self._row is not None
        self.picker.put(place)
        text = self.tr("Answer with a place on the mood plane")
        unfold = button(_native(_PLACE_KEY))
        unfold.setIcon(icon("plane", self._theme.tokens.colour("ink_soft")))
        unfold.setAccessibleName(text)
        unfold.setToolTip(text)
        unfold.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        unfold.clicked.connect(self._unfold)
        self._row.layout().addWidget(unfold)
        self._add_key(_PLACE_KEY, self._unfold)
        spoken = f"{self.accessibleDescription()}. {text}: {_native(_PLACE_KEY)}"
        self.setAccessibleDescription(spoken)
        self._place()

    def _unfold(self) -> None:
        """Show the plane and let it have the keys; again: fold it."""
        if not self._open:
            return
        if not self.picker.isHidden():
            self._fold()
            return
        self._focus_before = QApplication.focusWidget()
        self._begin_again()  # being answered
        self.picker.show()
        self._place()
        self.picker.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fold(self) -> None:
        """Put the plane away, and give the keys back."""
        had_focus = self.picker.hasFocus()
        self.picker.hide()
        before, self._focus_before = self._focus_before, None
        if had_focus and before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._place()

    def _begin_again(self) -> None:
        """The listener is at it: the time left begins anew."""
        if self._open:
            self._left_s = SHOWN_S
            self._countdown.show_share(1.0)

    def _button(self, choice: _Choice) -> QWidget:
        made = button("", "primary" if choice.primary else "")
        made.setText(f"{choice.text}  {_native(choice.key)}")
        made.setAccessibleName(choice.text)
        # A click must not take the focus from the list that the listener works in.
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if choice.quadrant is not None:
            tokens = self._theme.tokens
            colour = tokens.colour("on_ink") if choice.primary else tokens.mood(choice.quadrant)
            made.setIcon(icon(MOOD_ICON[choice.quadrant], colour))
            made.setAccessibleName(
                mood_name(choice.quadrant)
                if not choice.primary
                else f"{choice.text}, {mood_name(choice.quadrant)}"
            )
        meaning = choice.meaning
        made.clicked.connect(lambda: self._choose(meaning))
        self._add_key(choice.key, lambda: self._choose(meaning))
        return made

    def _add_key(self, key: str, then: object) -> None:
        shortcut = QShortcut(QKeySequence(key), self)  # dead while this is hidden
        shortcut.activated.connect(then)
        self._keys.append(shortcut)

    def _choose(self, meaning: object) -> None:
        if self._open:
            self._close()
            self.chosen.emit(meaning)

    def _close(self) -> None:
        self._open = False
        self._timer.stop()
        self._fold()
        self.hide()
        for shortcut in self._keys[1:]:  # the first one is for letting pass
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        del self._keys[1:]
        if self._row is not None:
            self._row.hide()
            self._buttons.removeWidget(self._row)
            self._row.deleteLater()
            self._row = None

    def _place(self) -> None:
        if not self._open:
            return
        corner = self._over.mapTo(self.parentWidget(), QPoint(0, 0))
        width = min(_WIDTH, max(self._over.width() - 2 * SPACE, 200))
        layout = self.layout()
        height = layout.heightForWidth(width) if layout.hasHeightForWidth() else -1
        self.resize(width, height if height > 0 else self.sizeHint().height())
        right = corner.x() + self._over.width() - SPACE
        bottom = corner.y() + self._over.height() - SPACE
        if self._beside.isVisible() and self._beside.geometry().right() > right - width:
            bottom = min(bottom, self._beside.y() - SPACE)
        self.move(max(right - width, 0), max(bottom - self.height(), 0))


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
