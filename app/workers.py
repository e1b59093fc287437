"""Spawned worker processes: one that crashes or hangs costs the item that it had, not the run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from inference.errors import UndertoneError

__all__ = ["Crashed", "Finished", "WorkerError", "WorkerPool", "unexpected"]

T = TypeVar("T")
R = TypeVar("R")

_START_LIMIT_S = 120.0
_STARTS_IN_A_ROW = 3
_END_LIMIT_S = 5.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerError(UndertoneError):
    """The worker processes cannot do their work at all."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """A worker ended, or was ended, while it had an item.

    Parameters
    ----------
    reason : str
        For people.
    repeatable : bool
        Whether it would probably happen again (a segmentation fault, a hang) or not (the
        process was killed from outside, for memory perhaps).
    """

    reason: str
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Finished(Generic[T, R]):
    """An item and what became of it."""

    item: T
    result: R | Crashed


class WorkerPool(Generic[T, R]):
    """Up to `size` processes, each working on one item at a time.

    Parameters
    ----------
    size : int
        How many processes at most; one is started when there is an item for it.
    load : callable
        Called once in each process; returns the function that is then applied to the items.
        An `UndertoneError` that it raises ends the run: `wait` raises it.

    Notes
    -----
    The function must not raise: what goes wrong with an item is part of its result. Workers
    do not see Ctrl-C (the parent decides), and end by themselves when the parent is gone.
    """

    def __init__(self, size: int, load: Callable[[], Callable[[T], R]]) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one worker, not {size}")
        self._size = size
        self._load = load
        self._workers: list[_Worker[T, R]] = []
        self._failed_starts = 0

    @property
    def room(self) -> int:
        """How many items `submit` would take at once."""
        return self._size - self.busy

    @property
    def busy(self) -> int:
        """How many items are being worked on."""
        return sum(worker.item is not None for worker in self._workers)

    def submit(self, item: T, *, limit_s: float) -> None:
        """Give `item` to an idle worker; one that needs longer than `limit_s` s is ended."""
        for worker in [w for w in self._workers if w.item is None and not w.is_alive]:
            self._bury(worker)
        idle = [worker for worker in self._workers if worker.item is None]
        if not idle:
            if len(self._workers) >= self._size:
                raise ValueError("every worker has an item already")
            idle = [_Worker(self._load)]
            self._workers += idle
        idle[0].give(item, limit_s)

    def wait(self, timeout_s: float) -> list[Finished[T, R]]:
        """What was finished, at the latest after `timeout_s` seconds (perhaps nothing).

        Raises
        ------
        UndertoneError
            What `load` raised.
        WorkerError
            If the workers keep dying before they are ready.
        """
        busy = [worker for worker in self._workers if worker.item is not None]
        left_s = [timeout_s, *(worker.left_s for worker in busy)]
        wait([source for worker in busy for source in worker.sources], max(0.0, min(left_s)))
        finished = []
        for worker in busy:
            result = worker.result()
            if result is None:
                continue
            item = worker.take()
            if not worker.is_usable:
                self._bury(worker)
                if not worker.was_ready or worker.was_dismissed:  # the item had no part in that
                    self.submit(item, limit_s=worker.limit_s)
                    continue
            finished.append(Finished(item, result))
        return finished

    def close(self) -> None:
        """End every worker at once; what they were working on is lost."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()
        self._workers.clear()

    def _bury(self, worker: _Worker[T, R]) -> None:
        self._workers.remove(worker)
        worker.terminate()
        worker.join()
        if worker.was_ready:
            self._failed_starts = 0
            return
        self._failed_starts += 1
        if self._failed_starts >= _STARTS_IN_A_ROW:
            raise WorkerError(
                f"the worker processes end before they are ready ({worker.ended})",
                "Close other programs if memory is short, and run `undertone doctor`",
            )


class _Worker(Generic[T, R]):
    """One process, seen from the parent."""

    def __init__(self, load: Callable[[], Callable[[T], R]]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, load), name="undertone-worker", daemon=True
        )
        with _interrupts_held():
            self._process.start()
        theirs.close()
        self.item: T | None = None
        self.was_ready = False
        self.is_usable = True
        self.was_dismissed = False
        self.ended = ""
        self.limit_s = 0.0
        self._since = time.monotonic()

    @property
    def sources(self) -> list[Any]:
        return [self._pipe, self._process.sentinel]

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def left_s(self) -> float:
        """How long it may still work on its item, s."""
        limit_s = self.limit_s if self.was_ready else _START_LIMIT_S
        return self._since + limit_s - time.monotonic()

    def give(self, item: T, limit_s: float) -> None:
        self.item = item
        self.limit_s = limit_s
        self._since = time.monotonic()
        with suppress(OSError):  # it died meanwhile: `result` will find that
            self._pipe.send(item)

    def take(self) -> T:
        item, self.item = self.item, None
        assert item is not None
        return item

    def result(self) -> R | Crashed | None:
        """What became of the item, None while it is being worked on."""
        try:
            while self._pipe.poll():
                kind, value = self._pipe.recv()
                if kind == "done":
                    result: R = value
                    return result
                if kind == "broken":
                    raise value
                self.was_ready = True
                self._since = time.monotonic()
        except (EOFError, OSError):
            self.is_usable = False
            self._process.join(1.0)
            return Crashed(self.obituary(), repeatable=not self._was_killed())
        if not self._process.is_alive() and not self._pipe.poll():
            self.is_usable = False
            return Crashed(self.obituary(), repeatable=not self._was_killed())
        if self.left_s <= 0:
            self.is_usable = False
            return Crashed(f"it was not finished after {self.limit_s:.0f} s", repeatable=True)
        return None

    def obituary(self) -> str:
        code = self._process.exitcode
        if code is None:
            return "its worker process stopped answering"
        if code >= 0:
            return f"its worker process ended with code {code}"
        name = signal.strsignal(-code) or f"signal {-code}"
        if -code == signal.SIGKILL:
            name += ", perhaps for lack of memory"
        return f"its worker process died: {name}"

    def _was_killed(self) -> bool:
        return self._process.exitcode in (-signal.SIGKILL, -signal.SIGTERM)

    def terminate(self) -> None:
        self._process.kill()

    def join(self) -> None:
        self._pipe.close()
        self._process.join(_END_LIMIT_S)  # a process inside a dead network disk cannot be ended
        self.ended = self.obituary()
        self.was_dismissed = self._process.exitcode == -signal.SIGTERM
        if not self._process.is_alive():
            self._process.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process started inside never sees Ctrl-C: it inherits the blocked signal."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, load: Callable[[], Callable[[T], R]]) -> None:
    """The whole life of a worker process."""
    for name in ("SIGINT", "SIGHUP"):  # the parent decides; it ends when the parent does
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    for variable in _THREAD_VARIABLES:  # before numpy is imported
        os.environ[variable] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = load()
    except UndertoneError as error:
        pipe.send(("broken", error))
        return
    except Exception as error:
        pipe.send(
            ("broken", WorkerError(f"a worker process could not start ({unexpected(error)})"))
        )
        return
    pipe.send(("ready", None))
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(("done", work(item)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def unexpected(error: BaseException) -> str:
    """One line about an exception that nobody expected."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
