"""Holds heavy work while the computer is in use, or on its battery, if the settings ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.desktop.jobs import State, Task
from app.power import on_battery

if TYPE_CHECKING:
    from app.desktop.jobs import JobRunner
    from app.desktop.preferences import Preferences

__all__ = ["Surroundings", "Throttle"]

_LOOK_MS = 10_000

AskIdle = Callable[[Callable[[bool | None], None]], None]


class Surroundings:
    """What is known of the computer: each True, False, or None where nothing says so."""

    def __init__(self) -> None:
        self.on_battery: bool | None = None
        self.idle: bool | None = None


class Throttle(QObject):
    """Pauses heavy tasks and lets them go on; a listener who says "go on" is obeyed.

    Parameters
    ----------
    battery : callable
        Asked on a worker.
    """

    changed = Signal()  # the surroundings, or what is held

    def __init__(
        self,
        runner: JobRunner,
        preferences: Preferences,
        parent: QObject | None = None,
        *,
        battery: Callable[[], bool | None] = on_battery,
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._preferences = preferences
        self._battery = battery
        self.ask_idle: AskIdle = lambda answer: answer(None)
        """Asks whether nobody is at the computer; the answer comes on the GUI thread."""
        self.surroundings = Surroundings()
        self._held: dict[Task, bool] = {}
        self._free: set[Task] = set()
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        runner.task_started.connect(self._on_task)
        preferences.changed.connect(self._on_setting)

    @property
    def reason(self) -> str:
        """Why heavy work would have to wait now; empty where it need not."""
        tagging, now = self._preferences.settings.tagging, self.surroundings
        if tagging.not_on_battery and now.on_battery:
            return self.tr("Waits for the mains: the computer is on its battery")
        if tagging.only_when_idle and now.idle is False:
            return self.tr("Waits until nobody is at the computer")
        return ""

    def is_held(self, task: Task) -> bool:
        return task in self._held

    def look(self) -> None:
        """Ask for the surroundings, then hold or let go."""
        if self._stopped:
            return
        tagging = self._preferences.settings.tagging

        def answered(idle: bool | None) -> None:
            self.surroundings.idle = idle
            self._runner.call(self._battery, plugged)

        def plugged(battery: bool | None) -> None:
            self.surroundings.on_battery = battery
            self._apply()

        if tagging.only_when_idle:
            self.ask_idle(answered)
        else:
            answered(None)

    def stop(self) -> None:
        self._stopped = True
        self._timer.stop()

    def _apply(self) -> None:
        if self._stopped:
            return
        reason = self.reason
        for task in [task for task in self._runner.tasks if task.heavy]:
            if reason and task not in self._held and task not in self._free:
                if task.state in (State.RUNNING, State.WAITING):
                    self._held[task] = True
                    task.hold(reason)
            elif not reason and task in self._held:
                del self._held[task]
                task.resume()
        self.changed.emit()

    def _on_task(self, task: Task) -> None:
        if not task.heavy:
            return
        task.state_changed.connect(lambda state: self._on_state(task, state))
        task.ended.connect(lambda: self._on_ended(task))
        if self._wanted():
            self._timer.start()
            self.look()

    def _on_state(self, task: Task, state: State) -> None:
        if state is State.RUNNING and self._held.pop(task, False):
            self._free.add(task)  # the listener pressed "go on"
            self.changed.emit()

    def _on_ended(self, task: Task) -> None:
        self._held.pop(task, None)
        self._free.discard(task)
        if not any(other.heavy and other is not task for other in self._runner.tasks):
            self._timer.stop()

    def _wanted(self) -> bool:
        tagging = self._preferences.settings.tagging
        return tagging.only_when_idle or tagging.not_on_battery

    def _on_setting(self, section: str, name: str) -> None:
        if section == "tagging" and name in ("only_when_idle", "not_on_battery"):
            self._free.clear()
            if any(task.heavy for task in self._runner.tasks) and not self._stopped:
                self._timer.start()
            self.look()
