"""Long work in one place: what runs and how long still, what ended, and when it may run."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.controls import label
from widgets.job_strip import JobStrip
from widgets.theme import SPACE, Theme

__all__ = ["LongWorkDialog"]


class LongWorkDialog(QDialog):
    """Not modal. Jobs are known by a key."""

    pause_requested = Signal(int, bool)
    cancel_requested = Signal(int)
    only_when_idle_changed = Signal(bool)
    not_on_battery_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        *,
        only_when_idle: bool,
        not_on_battery: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Long work"))
        self.resize(620, 460)
        self._theme = theme
        self.strips: dict[int, JobStrip] = {}
        self._nothing = label(self.tr("Nothing is being done."), "soft")
        self._running = QVBoxLayout()
        self._running.setSpacing(0)
        self.ended = QListWidget()
        self.ended.setAccessibleName(self.tr("Work that has ended"))
        self.ended.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.idle = QCheckBox(self.tr("Find moods only while nobody is at the computer"))
        self.idle.setChecked(only_when_idle)
        self.idle.toggled.connect(self.only_when_idle_changed)
        self.mains = QCheckBox(self.tr("Find moods only while the mains is connected"))
        self.mains.setChecked(not_on_battery)
        self.mains.toggled.connect(self.not_on_battery_changed)
        self._surroundings = label("", "caption", wrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(label(self.tr("Running"), "title"))
        column.addWidget(self._nothing)
        column.addLayout(self._running)
        column.addSpacing(SPACE)
        column.addWidget(label(self.tr("Ended"), "title"))
        column.addWidget(self.ended, 1)
        column.addSpacing(SPACE)
        column.addWidget(self.idle)
        column.addWidget(self.mains)
        column.addWidget(self._surroundings)
        column.addWidget(buttons)

    def add_job(self, key: int, name: str, *, pausable: bool = True) -> None:
        """A job has begun."""
        strip = JobStrip(self._theme, name)
        strip.pause.setVisible(pausable)
        strip.pause_requested.connect(lambda on: self.pause_requested.emit(key, on))
        strip.cancel_requested.connect(lambda: self.cancel_requested.emit(key))
        strip.cancel_requested.connect(strip.show_cancelling)
        self.strips[key] = strip
        self._running.addWidget(strip)
        self._nothing.hide()

    def remove_job(self, key: int) -> None:
        """A job has ended."""
        strip = self.strips.pop(key, None)
        if strip is not None:
            self._running.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        self._nothing.setVisible(not self.strips)

    def show_ended(self, lines: list[str]) -> None:
        """What has ended, the newest first."""
        self.ended.clear()
        self.ended.addItems(lines)

    def show_surroundings(self, text: str) -> None:
        """What is known of power and idleness, honestly."""
        self._surroundings.setText(text)
