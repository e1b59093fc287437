"""The panel beside everything else: what the sensors say now, while one browses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from inference.emotion import EmotionEstimate
from widgets.controls import ElidedLabel, IconButton, button, hairline, label
from widgets.icons import MOOD_ICON, paint_icon
from widgets.sensors.lights import QualityLights
from widgets.sensors.plane import FeltNow, FeltPlane, paint_sign
from widgets.sensors.session_bar import SessionBar
from widgets.text import mood_name
from widgets.theme import SPACE, Theme

if TYPE_CHECKING:
    from widgets.signal_plot import SignalPlot

__all__ = ["SensorPanel", "SourceLabel"]

_PLOT_HEIGHT = 228


@dataclass(frozen=True, slots=True)
class SourceLabel:
    """What is listened to: its name, and whether it is real, a replay or simulated."""

    name: str
    origin: str
    detail: str = ""


class SensorPanel(QFrame):
    """Shows plain data and asks by signals; it decides nothing.

    The plot comes later (`set_plot`): its library is loaded only for those
    who use sensors.
    """

    disconnect_requested = Signal()
    record_requested = Signal(bool)
    consent_answered = Signal(bool)
    note_begun = Signal()
    noted = Signal(str)
    close_requested = Signal()
    sources_requested = Signal()
    simulation_requested = Signal()
    seen = Signal(bool)  # whether it can be seen now

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("side_panel")
        self.setAccessibleName(self.tr("Live sensors"))
        self.setMinimumWidth(300)
        self.plot: SignalPlot | None = None
        self._build_head(theme)
        self._empty = self._build_empty()
        self._live = self._build_live(theme)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._live)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(self._head)
        column.addLayout(self._stack, 1)
        self.show_live(False)

    # what is shown

    def set_plot(self, plot: SignalPlot) -> None:
        self.plot = plot
        plot.setFixedHeight(_PLOT_HEIGHT)
        self._plot_place.addWidget(plot)

    def show_live(self, live: bool) -> None:
        """A session (running, or just ended), or the way to one."""
        self._stack.setCurrentWidget(self._live if live else self._empty)

    def show_source(self, source: SourceLabel) -> None:
        self.source.set_whole(source.name)
        self.source.setVisible(bool(source.name))
        self.origin.setText(source.origin)
        self.origin.setAccessibleName(source.origin)
        self.origin.setVisible(bool(source.origin))
        self.link.setText(source.detail)
        self.link.setVisible(bool(source.detail))

    def show_state(self, state: str, reason: str, *, running: bool) -> None:
        self.state.setText(state)
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.disconnect.setText(self.tr("Disconnect") if running else self.tr("Close"))
        self.disconnect.setAccessibleName(self.disconnect.text())
        for control in (self.record, self.note):
            control.setEnabled(running)

    def show_recording(self, words: str, *, on: bool, possible: bool) -> None:
        self.record.setChecked(on)
        self.record.setVisible(possible)
        self.record.setText(self.tr("Stop recording") if on else self.tr("Record"))
        self.record.setAccessibleName(self.record.text())
        self.recording.setText(words)
        self.recording.setVisible(bool(words))

    def ask_consent(self) -> None:
        """Before the first recording: what is kept, and where."""
        self.consent.show()
        self.consent_yes.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_vitals(self, rate: str, battery: str) -> None:
        self.rate.setText(rate)
        self.rate.setAccessibleName(self.tr("Heart rate {rate}").format(rate=rate))
        self.battery.setText(battery)
        self.battery.setVisible(bool(battery))

    def show_felt(self, now: FeltNow, weight: str, explained: str = "") -> None:
        """What is felt; what the sensors weigh beside the song, in a line and in full."""
        self.weight.setToolTip(explained)
        self.weight.setAccessibleDescription(explained)
        self.plane.show_felt(now)
        self.rows.show_felt(now)
        self.why.setText(now.reason)
        self.why.setVisible(bool(now.reason))
        self.weight.setText(weight)
        self.weight.setVisible(bool(weight))

    def show_counters(self, text: str) -> None:
        self.counters.setText(text)

    def begin_note(self) -> None:
        """Take a note: the moment counts from now, the words follow."""
        if not self.note.isEnabled():
            return
        self.note_begun.emit()
        self.words.clear()
        self.words.show()
        self.words.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_first(self) -> None:
        """Come here by the keyboard."""
        live = self._stack.currentWidget() is self._live
        (self.disconnect if live else self.choose).setFocus(Qt.FocusReason.ShortcutFocusReason)

    # Qt's interface

    def sizeHint(self) -> QSize:
        return QSize(400, 600)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.seen.emit(False)

    # inner workings

    def _build_head(self, theme: Theme) -> None:
        self._head = QHBoxLayout()
        self._head.setContentsMargins(2 * SPACE, 0, SPACE, 0)
        self._head.addWidget(label(self.tr("Live sensors"), "title"), 1)
        close = IconButton(
            theme, "close", self.tr("Hide the panel"), shortcut="Ctrl+Shift+B", size=16,
            colour="ink_soft",
        )  # fmt: skip
        close.clicked.connect(lambda: self.close_requested.emit())
        self._head.addWidget(close)

    def _build_empty(self) -> QWidget:
        page = QWidget()
        words = label(
            self.tr(
                "No sensors are connected. A wristband, another program, a recording or a "
                "simulated listener can be listened to."
            ),
            "soft",
            wrap=True,
        )
        self.choose = button(self.tr("Choose a source"), "primary")
        self.choose.clicked.connect(lambda: self.sources_requested.emit())
        self.simulate = button(self.tr("Try the simulated listener"))
        self.simulate.clicked.connect(lambda: self.simulation_requested.emit())
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * SPACE, 0, 2 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(words)
        for offer in (self.choose, self.simulate):
            column.addWidget(offer, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        return page

    def _build_live(self, theme: Theme) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * SPACE, 0, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addLayout(self._build_source())
        column.addLayout(self._build_controls())
        column.addWidget(self._build_consent())
        column.addWidget(self._build_note())
        self.bar = SessionBar(theme)
        self.bar.hide()
        column.addWidget(self.bar)
        column.addLayout(self._build_felt(theme))
        column.addWidget(hairline())
        self._plot_place = QVBoxLayout()
        column.addLayout(self._plot_place)
        self.lights = QualityLights(theme)
        column.addWidget(self.lights)
        self.counters = label("", "caption", wrap=True)
        column.addWidget(self.counters)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        area.setAccessibleName(self.tr("Live sensors"))
        return area

    def _build_source(self) -> QVBoxLayout:
        self.source = ElidedLabel()
        self.origin = label("", "section")
        self.state = label("", "caption")
        self.link = label("", "caption")
        self.reason = label("", "", wrap=True)
        first = QHBoxLayout()
        first.setSpacing(SPACE)
        first.addWidget(self.source, 1)
        first.addWidget(self.origin)
        second = QHBoxLayout()
        second.setSpacing(SPACE)
        second.addWidget(self.state)
        second.addWidget(self.link)
        second.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.reason)
        return column

    def _build_controls(self) -> QVBoxLayout:
        self.disconnect = button(self.tr("Disconnect"))
        self.record = button(self.tr("Record"))
        self.record.setCheckable(True)
        self.note = button(self.tr("Note"))
        self.note.setToolTip(self.tr("Keep a word about this moment (Ctrl+Shift+N)"))
        self.disconnect.clicked.connect(lambda: self.disconnect_requested.emit())
        self.record.clicked.connect(lambda on: self.record_requested.emit(on))
        self.note.clicked.connect(lambda: self.begin_note())
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        for control in (self.disconnect, self.record, self.note):
            row.addWidget(control)
        row.addStretch(1)
        self.recording = label("", "caption", wrap=True)
        self.recording.hide()
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.recording)
        return column

    def _build_consent(self) -> QWidget:
        self.consent = card = QFrame()
        card.setObjectName("card")
        words = label(
            self.tr(
                "A recording keeps your skin conductance and pulse, which songs played when, what "
                "was shown and your notes. It stays on this computer, in files that only you can "
                "read, and can be deleted for good at any time. May Undertone record?"
            ),
            "",
            wrap=True,
        )
        self.consent_yes = button(self.tr("Yes, record"), "primary")
        no = button(self.tr("No"))
        self.consent_yes.clicked.connect(lambda: self._consented(True))
        no.clicked.connect(lambda: self._consented(False))
        row = QHBoxLayout()
        row.addWidget(self.consent_yes)
        row.addWidget(no)
        row.addStretch(1)
        column = QVBoxLayout(card)
        column.addWidget(words)
        column.addLayout(row)
        card.hide()
        return card

    def _consented(self, given: bool) -> None:
        self.consent.hide()
        self.consent_answered.emit(given)

    def _build_note(self) -> QWidget:
        self.words = _NoteLine()
        self.words.setPlaceholderText(self.tr("What is it about this moment?"))
        self.words.setAccessibleName(self.tr("Note about this moment"))
        self.words.setMaxLength(300)
        self.words.returnPressed.connect(self._take_note)
        self.words.hide()
        return self.words

    def _take_note(self) -> None:
        text = self.words.text().strip()
        self.words.hide()
        self.note.setFocus(Qt.FocusReason.OtherFocusReason)
        if text:
            self.noted.emit(text)

    def _build_felt(self, theme: Theme) -> QVBoxLayout:
        self.plane = FeltPlane(theme)
        self.rows = _Words(theme)
        self.rate = label("", "display")
        self.battery = label("", "caption")
        beside = QVBoxLayout()
        beside.setSpacing(4)
        beside.addWidget(self.rate)
        beside.addWidget(self.battery)
        beside.addWidget(self.rows)
        beside.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self.plane, 5)
        row.addLayout(beside, 4)
        self.why = label("", "", wrap=True)
        self.weight = label("", "caption", wrap=True)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.why)
        column.addWidget(self.weight)
        return column


class _NoteLine(QLineEdit):
    """A line that Escape takes away."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)


class _Words(QWidget):
    """Who says what: the song alone, the sensors alone, both; with the signs of the plane."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now = FeltNow()
        self.setAccessibleName(self.tr("Who says what"))
        theme.changed.connect(self.update)

    def show_felt(self, now: FeltNow) -> None:
        self._now = now
        self.setAccessibleDescription(". ".join(f"{n}: {_said(e)}" for _, n, e in self._lines()))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(150, 3 * 36)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 3 * 36)

    def _lines(self) -> list[tuple[str, str, EmotionEstimate | None]]:
        now = self._now
        return [
            ("song", self.tr("Song alone"), now.song),
            ("sensors", self.tr("Sensors alone"), now.sensors),
            ("together", self.tr("Together"), now.together),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        for row, (kind, name, estimate) in enumerate(self._lines()):
            y = 36.0 * row
            known = estimate is not None
            ink = tokens.colour("ink" if known else "ink_faint")
            sign = ink
            if kind == "together" and estimate is not None:
                sign = tokens.mood(estimate.quadrant)
            paint_sign(painter, kind, QPointF(7, y + 9), sign)
            painter.setFont(self._theme.font("caption"))
            painter.setPen(tokens.colour("ink_soft"))
            painter.drawText(QPointF(20, y + 13), name)
            painter.setFont(self._theme.font("body", bold=kind == "together"))
            painter.setPen(ink)
            left = 20.0
            if estimate is not None:
                box = QRectF(left, y + 19, 14, 14)
                mood = estimate.quadrant
                paint_icon(painter, MOOD_ICON[mood], box, tokens.mood(mood))
                left += 19
            painter.drawText(QPointF(left, y + 31), _said(estimate))
        painter.end()


def _said(estimate: EmotionEstimate | None) -> str:
    if estimate is None:
        return "–"
    percent = round(100 * estimate.probabilities[estimate.quadrant.position])
    return f"{mood_name(estimate.quadrant)} {percent} %"
