"""Runs jobs and short calls on thread pools; the GUI thread owns a Task and hears of it by signals.

A worker holds the runner's one bridge and a `_Control` of events, never a
widget or a Task, so that nothing of the GUI can die in a worker's hands.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from enum import Enum
from itertools import count
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from inference.errors import UndertoneError
from inference.job import Job, Progress

__all__ = ["EtaClock", "JobRunner", "Latest", "State", "Task"]

_log = logging.getLogger(__name__)

_REPORT_EVERY_S = 0.05
_POOLS = {"tagging": 1, "io": 2, "look": 1, "draw": 1}


class State(Enum):
    """How a task is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (State.FINISHED, State.FAILED, State.CANCELLED)


class EtaClock:
    """Time left of a job, from its own pace; pauses do not count.

    Parameters
    ----------
    now : callable
        A monotonic clock, s.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun_s = now()
        self._first_done = 0
        self._last: tuple[int, int] = (0, 0)
        self._paused_at_s: float | None = None

    def step(self, done: int, total: int) -> None:
        """Take note of a progress; another phase (a new total, a lower count) starts afresh."""
        if total != self._last[1] or done < self._last[0]:
            self._begun_s, self._first_done = self._now(), done
        self._last = (done, total)

    def pause(self) -> None:
        if self._paused_at_s is None:
            self._paused_at_s = self._now()

    def resume(self) -> None:
        if self._paused_at_s is not None:
            self._begun_s += self._now() - self._paused_at_s
            self._paused_at_s = None

    def left_s(self) -> float | None:
        """Seconds to go, or None while it is too early to tell."""
        done, total = self._last
        steps = done - self._first_done
        elapsed_s = (self._paused_at_s or self._now()) - self._begun_s
        if total <= 0 or steps < 2 or elapsed_s < 1.0:
            return None
        return elapsed_s / steps * (total - done)


class _Control:
    """What the GUI thread tells a worker: cancel, pause. Thread-safe."""

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self._may_run = threading.Event()
        self._may_run.set()
        self._resting = False

    def cancel(self) -> None:
        self._cancel.set()
        self._may_run.set()
        self._resting = False

    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def pause(self) -> None:
        if not self.cancelled():
            self._may_run.clear()

    def resume(self) -> None:
        self._may_run.set()

    @property
    def resting(self) -> bool:
        return self._resting

    def wait_while_paused(self) -> None:
        if not self._may_run.is_set():
            self._resting = True
            self._may_run.wait()
            self._resting = False


class _Bridge(QObject):
    posted = Signal(int, str, object)


class Task(QObject):
    """A running job as the GUI thread sees it. Signals arrive on the GUI thread."""

    stepped = Signal(object, list)  # the latest Progress; all items since the last time
    state_changed = Signal(object)  # State
    finished = Signal(object)  # the job's result
    failed = Signal(object)  # UndertoneError or another exception
    ended = Signal()  # after any of finished, failed, cancelled

    def __init__(
        self, name: str, control: _Control, parent: QObject, *, heavy: bool = False
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.heavy = heavy  # keeps a processor busy for long: may be held
        self.held = ""  # why it waits, where nobody paused it
        self.state = State.WAITING
        self.progress = Progress(0)
        self.eta = EtaClock()
        self._control = control

    def pause(self) -> None:
        """Hold before the next step; what is in flight ends first."""
        if not self.state.over:
            self._control.pause()
            self.eta.pause()
            self._become(State.PAUSED)

    def hold(self, reason: str) -> None:
        """Pause for a reason that passes."""
        self.held = reason
        self.pause()

    def resume(self) -> None:
        if self.state is State.PAUSED:
            self.held = ""
            self.eta.resume()
            self._become(State.RUNNING)
            self._control.resume()

    def cancel(self) -> None:
        """Ask for the end; `ended` tells when the worker has closed the job."""
        self._control.cancel()

    def _become(self, state: State) -> None:
        if state is not self.state and not self.state.over:
            self.state = state
            self.state_changed.emit(state)

    def _hear(self, kind: str, payload: Any) -> None:
        if kind == "started":
            if self.state is State.WAITING:
                self._become(State.RUNNING)
        elif kind == "stepped":
            self.progress, items = payload
            self.eta.step(self.progress.done, self.progress.total)
            self.stepped.emit(self.progress, items)
        elif kind == "finished":
            self._become(State.FINISHED)
            self.finished.emit(payload)
        elif kind == "failed":
            self._become(State.FAILED)
            self.failed.emit(payload)
        else:
            self._become(State.CANCELLED)
        if self.state.over:
            self.ended.emit()


class _JobWorker(QRunnable):
    """Steps a generator; closes it itself, since another thread may not."""

    def __init__(
        self,
        key: int,
        make: Callable[[Callable[[], bool]], Job[Any]],
        control: _Control,
        bridge: _Bridge,
    ) -> None:
        super().__init__()
        self._key = key
        self._make = make
        self._control = control
        self._bridge = bridge

    def run(self) -> None:
        post = self._bridge.posted.emit
        try:
            outcome = self._step_through(post)
        except UndertoneError as error:
            outcome = ("failed", error)
        except Exception as error:
            _log.exception("a job failed")
            outcome = ("failed", error)
        post(self._key, *outcome)

    def _step_through(self, post: Callable[[int, str, object], None]) -> tuple[str, object]:
        control = self._control
        if control.cancelled():
            return "cancelled", None
        post(self._key, "started", None)
        job = self._make(control.cancelled)
        items: list[object] = []
        progress: Progress | None = None
        told_s = 0.0
        try:
            while True:
                control.wait_while_paused()
                if control.cancelled():
                    job.close()
                    return "cancelled", None
                progress = next(job)
                if progress.item is not None:
                    items.append(progress.item)
                if time.monotonic() - told_s >= _REPORT_EVERY_S:
                    post(self._key, "stepped", (progress, items))
                    items, told_s = [], time.monotonic()
        except StopIteration as stop:
            return "finished", stop.value
        finally:
            if progress is not None:
                post(self._key, "stepped", (progress, items))
            job.close()


class _CallWorker(QRunnable):
    def __init__(self, key: int, fn: Callable[[], Any], bridge: _Bridge) -> None:
        super().__init__()
        self._key = key
        self._fn = fn
        self._bridge = bridge

    def run(self) -> None:
        try:
            result = self._fn()
        except UndertoneError as error:
            self._bridge.posted.emit(self._key, "failed", error)
        except Exception as error:
            _log.exception("a call failed")
            self._bridge.posted.emit(self._key, "failed", error)
        else:
            self._bridge.posted.emit(self._key, "finished", result)


class JobRunner(QObject):
    """Owns the pools: "tagging" (long), "io" (scans, covers), "look" (short reads), "draw"."""

    task_started = Signal(object)  # Task

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keys = count(1)
        self._tasks: dict[int, Task] = {}
        self._controls: dict[int, _Control] = {}
        self._calls: dict[int, tuple[Callable[[Any], None], Callable[[Exception], None] | None]]
        self._calls = {}
        self._closed = False
        self._bridge = _Bridge(self)
        self._bridge.posted.connect(self._on_posted)
        self._pools: dict[str, QThreadPool] = {}
        for name, threads in _POOLS.items():
            pool = QThreadPool(self)
            pool.setMaxThreadCount(threads)
            pool.setObjectName(name)
            self._pools[name] = pool

    @property
    def tasks(self) -> list[Task]:
        """The tasks that have not ended."""
        return list(self._tasks.values())

    @property
    def idle(self) -> bool:
        """Whether nothing runs and no answer is awaited."""
        return not self._tasks and not self._calls

    def resting(self, task: Task) -> bool:
        """Whether a paused task's worker has come to rest between two steps."""
        keys = [key for key, other in self._tasks.items() if other is task]
        return bool(keys) and self._controls[keys[0]].resting

    def start(
        self, name: str, make: Callable[[Callable[[], bool]], Job[Any]], *, pool: str = "tagging"
    ) -> Task:
        """Run a job.

        Parameters
        ----------
        name : str
            What it is, for people.
        make : callable
            Called on the worker with `cancelled()`; returns the generator.
        """
        key = next(self._keys)
        control = _Control()
        task = Task(name, control, self, heavy=pool == "tagging")
        self._tasks[key] = task
        self._controls[key] = control
        if self._closed:
            control.cancel()
        self.task_started.emit(task)
        self._pools[pool].start(_JobWorker(key, make, control, self._bridge))
        return task

    def call(
        self,
        fn: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
        *,
        pool: str = "look",
    ) -> None:
        """Call `fn` on a worker and `then(result)` back on this thread."""
        if self._closed:
            return
        key = next(self._keys)
        self._calls[key] = (then, failed)
        self._pools[pool].start(_CallWorker(key, fn, self._bridge))

    def cancel_all(self) -> None:
        """Ask every task to end, and drop the answers of calls."""
        self._closed = True
        for control in self._controls.values():
            control.cancel()
        self._calls.clear()

    def wait(self, timeout_s: float) -> list[str]:
        """Wait for the workers; returns the names of what is still running."""
        ends_s = time.monotonic() + timeout_s
        stuck = []
        for name, pool in self._pools.items():
            left_ms = max(0, int(1000 * (ends_s - time.monotonic())))
            if not pool.waitForDone(left_ms):
                running = [task.name for task in self._tasks.values() if not task.state.over]
                stuck.append(f"{name} ({', '.join(running)})" if running else name)
        return stuck

    def _on_posted(self, key: int, kind: str, payload: object) -> None:
        task = self._tasks.get(key)
        if task is not None:
            task._hear(kind, payload)
            if task.state.over:
                del self._tasks[key], self._controls[key]
                task.deleteLater()
            return
        then, failed = self._calls.pop(key, (None, None))
        if kind == "finished" and then is not None:
            then(payload)
        elif kind == "failed" and failed is not None:
            failed(payload)  # type: ignore[arg-type]


class Latest:
    """Calls of which only the newest answer counts; while one runs, the next one waits alone."""

    def __init__(self, runner: JobRunner, *, pool: str = "look") -> None:
        self._runner = runner
        self._pool = pool
        self._busy = False
        self._next: tuple[Callable[[], Any], Callable[[Any], None], Any] | None = None

    def call(
        self,
        fn: Callable[[], Any],
        then: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._next = (fn, then, failed)
        if not self._busy:
            self._go()

    def _go(self) -> None:
        if self._next is None:
            return
        (fn, then, failed), self._next = self._next, None
        self._busy = True

        def answered(result: Any) -> None:
            self._busy = False
            if self._next is None:
                then(result)
            self._go()

        def refused(error: Exception) -> None:
            self._busy = False
            if self._next is None and failed is not None:
                failed(error)
            self._go()

        self._runner.call(fn, answered, refused, pool=self._pool)
