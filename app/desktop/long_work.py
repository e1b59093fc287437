"""All jobs of the program in one list: running, with pause and cancel, and ended."""

from __future__ import annotations

import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.error_texts import error_text
from app.desktop.jobs import State, Task
from app.desktop.throttle import Throttle
from widgets.dialogs.long_work import LongWorkDialog
from widgets.text import one_line

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop

__all__ = ["LongWork"]

_KEPT = 50


class LongWork(QObject):
    """Follows every task of the runner, and shows them when asked to."""

    def __init__(self, desktop: Desktop, throttle: Throttle) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._throttle = throttle
        self._keys = count(1)
        self._tasks: dict[int, Task] = {}
        self.ended: deque[str] = deque(maxlen=_KEPT)
        self._dialog: LongWorkDialog | None = None
        desktop.runner.task_started.connect(self._on_task)
        throttle.changed.connect(self._show_surroundings)
        desktop.window.actions_.jobs.triggered.connect(self.show)

    def show(self) -> None:
        """Open the list, or bring it to the front."""
        if self._dialog is not None:
            self._dialog.raise_()
            self._dialog.activateWindow()
            return
        desktop = self._desktop
        tagging = desktop.preferences.settings.tagging
        dialog = LongWorkDialog(
            desktop.theme,
            only_when_idle=tagging.only_when_idle,
            not_on_battery=tagging.not_on_battery,
            parent=desktop.window,
        )
        dialog.pause_requested.connect(self._pause)
        dialog.cancel_requested.connect(self._cancel)
        for name in ("only_when_idle", "not_on_battery"):
            getattr(dialog, f"{name}_changed").connect(
                lambda on, name=name: desktop.preferences.set("tagging", name, on)
            )
        self._dialog = dialog
        dialog.finished.connect(self._closed)
        for key, task in self._tasks.items():
            dialog.add_job(key, task.name)
            self._show_task(key)
        dialog.show_ended(list(self.ended))
        self._throttle.look()
        self._show_surroundings()
        desktop.dialogs.show(dialog, modal=False)

    def _closed(self) -> None:
        self._dialog = None

    def _on_task(self, task: Task) -> None:
        key = next(self._keys)
        self._tasks[key] = task
        task.stepped.connect(lambda *_: self._show_task(key))
        task.state_changed.connect(lambda *_: self._show_task(key))
        task.failed.connect(lambda error: self._note(task, error_text(error)))
        task.ended.connect(lambda: self._on_ended(key))
        if self._dialog is not None:
            self._dialog.add_job(key, task.name)

    def _show_task(self, key: int) -> None:
        strip = self._dialog.strips.get(key) if self._dialog is not None else None
        if strip is None:
            return
        task = self._tasks[key]
        progress = task.progress
        strip.show_progress(
            progress.done, progress.total, one_line(progress.text, 200), task.eta.left_s()
        )
        strip.show_paused(task.state is State.PAUSED, task.held)

    def _on_ended(self, key: int) -> None:
        task = self._tasks.pop(key)
        if task.state is not State.FAILED:
            words = {
                State.FINISHED: self.tr("done"),
                State.CANCELLED: self.tr("cancelled; what was finished is kept"),
            }
            self._note(task, words.get(task.state, ""))
        if self._dialog is not None:
            self._dialog.remove_job(key)

    def _note(self, task: Task, words: str) -> None:
        at = time.strftime("%H:%M")
        self.ended.appendleft(
            self.tr("{time}  {job}: {result}").format(
                time=at, job=task.name, result=one_line(words, 300)
            )
        )
        if self._dialog is not None:
            self._dialog.show_ended(list(self.ended))

    def _pause(self, key: int, on: bool) -> None:
        task = self._tasks.get(key)
        if task is not None:
            if on:
                task.pause()
            else:
                task.resume()

    def _cancel(self, key: int) -> None:
        task = self._tasks.get(key)
        if task is not None:
            task.cancel()

    def _show_surroundings(self) -> None:
        if self._dialog is None:
            return
        now = self._throttle.surroundings
        power = {
            True: self.tr("on its battery"),
            False: self.tr("on the mains"),
            None: self.tr("not told by the system, so work is not held back"),
        }[now.on_battery]
        parts = [self.tr("Power: {state}.").format(state=power)]
        if self._desktop.preferences.settings.tagging.only_when_idle:
            idle = {
                True: self.tr("nobody is here"),
                False: self.tr("somebody is here"),
                None: self.tr("not told by the desktop, so work is not held back"),
            }[now.idle]
            parts.append(self.tr("Computer: {state}.").format(state=idle))
        self._dialog.show_surroundings(" ".join(parts))
