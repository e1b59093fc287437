"""How far long work is: a bar with the time left on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Protocol, TypeVar

from app.cli.console import clean, message
from inference.job import Job, Progress

__all__ = ["Display", "display", "run_shown"]

_LINE_EVERY_S = 15.0

T = TypeVar("T")


class Display(Protocol):
    """Shows progress on stderr; a context manager."""

    def __enter__(self) -> Display: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def show(self, progress: Progress, what: str) -> None:
        """`what` says in a word or two what is being done."""
        ...

    def say(self, text: str) -> None:
        """Print one line for people beside the bar."""
        ...


def display() -> Display:
    """The display that suits stderr."""
    return _Bar() if sys.stderr.isatty() else _Lines()


def run_shown(job: Job[T], what: str) -> T:
    """Run a job to its end, showing how far it is; returns its result."""
    with display() as shown:
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                result: T = stop.value
                return result
            shown.show(progress, progress.text or what)


class _Lines:
    """For logs and pipes: says nothing of short work, and a line every 15 s of long work."""

    def __init__(self) -> None:
        self._started_s = self._said_s = time.monotonic()
        self._first_done: int | None = None

    def __enter__(self) -> _Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, progress: Progress, what: str) -> None:
        now = time.monotonic()
        if self._first_done is None or progress.done < self._first_done:
            self._first_done, self._started_s = progress.done, now
        if now - self._said_s < _LINE_EVERY_S:
            return
        self._said_s = now
        of = f" of {progress.total}" if progress.total else ""
        left = _time_left(progress, self._first_done, now - self._started_s)
        message(f"{what}: {progress.done}{of}{left}")

    def say(self, text: str) -> None:
        message(text)


class _Bar:
    """For a terminal: rich's progress bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[song]}", markup=False, style="dim"),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=8,
        )
        self._task: Any = None
        self._what = ""

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, progress: Progress, what: str) -> None:
        if what != self._what:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._what = what
            self._task = self._bar.add_task(what, total=None, song="")
        self._bar.update(self._task, completed=progress.done, total=progress.total or None)
        if song := clean(progress.text):
            self._bar.update(self._task, song=song if len(song) <= 40 else song[:39] + "…")

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def _time_left(progress: Progress, first_done: int, elapsed_s: float) -> str:
    done = progress.done - first_done
    if not progress.total or done <= 0:
        return ""
    left_s = elapsed_s / done * (progress.total - progress.done)
    if left_s < 90:
        return f", about {left_s:.0f} s left"
    if left_s < 5400:
        return f", about {left_s / 60:.0f} min left"
    return f", about {left_s / 3600:.1f} h left"
