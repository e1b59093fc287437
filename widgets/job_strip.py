"""Shows a running job: what, how far, how long still; pause and cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QWidget

from widgets.controls import ElidedLabel, IconButton
from widgets.text import count, eta
from widgets.theme import SPACE, Theme

__all__ = ["JobStrip"]


class JobStrip(QFrame):
    """One line for one job."""

    pause_requested = Signal(bool)
    cancel_requested = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("job_strip")
        self.setAccessibleName(name)
        self._name = name
        title = QLabel(name)
        title.setFont(theme.font("body", bold=True))
        self.detail = ElidedLabel(role="soft")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMinimumWidth(48)
        self.bar.setMaximumWidth(200)
        self._theme = theme
        self._total = 0
        self._show_total()
        theme.calm_changed.connect(self._show_total)
        self.bar.setAccessibleName(self.tr("Progress of {job}").format(job=name))
        self.numbers = QLabel()
        self.numbers.setProperty("role", "caption")
        self.pause = IconButton(theme, "pause", self.tr("Pause"), size=16)
        self.pause.setCheckable(True)
        self.pause.clicked.connect(lambda on: self.pause_requested.emit(on))
        self.cancel = IconButton(theme, "close", self.tr("Cancel"), size=16)
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * SPACE, 4, SPACE, 4)
        row.setSpacing(SPACE + 4)
        row.addWidget(title)
        row.addWidget(self.detail, 1)
        row.addWidget(self.numbers)
        row.addWidget(self.bar, 1)
        row.addWidget(self.pause)
        row.addWidget(self.cancel)

    def show_progress(self, done: int, total: int, text: str, left_s: float | None) -> None:
        """`total` 0 means that it is not known yet."""
        self._total = max(total, 0)
        self._show_total()
        self.bar.setValue(min(done, total))
        self.detail.set_whole(text)
        figures = f"{count(done)} / {count(total)}" if total else count(done) if done else ""
        rest = "" if self.pause.isChecked() else eta(left_s)
        self.numbers.setText("   ".join(part for part in (figures, rest) if part))

    def show_paused(self, paused: bool, reason: str = "") -> None:
        """`reason`: why it waits, where nobody paused it."""
        if paused and reason:
            self.detail.set_whole(reason)
        self.pause.setChecked(paused)
        self.pause.show_icon("play" if paused else "pause")
        self.pause.say(self.tr("Go on") if paused else self.tr("Pause"))

    def show_cancelling(self) -> None:
        """The worker has been told and ends what it has in its hands."""
        self.cancel.setEnabled(False)
        self.pause.setEnabled(False)
        self.detail.set_whole(self.tr("Stopping …"))

    def _show_total(self) -> None:
        # A bar without an end runs to and fro; an empty one says as much without moving.
        self.bar.setRange(0, self._total or int(self._theme.calm))
