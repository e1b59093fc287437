"""One thread that executes every write to the library, in the order of asking."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, cast

from inference.errors import UndertoneError

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["LibraryWriter", "WriterClosedError"]

T = TypeVar("T")


class WriterClosedError(UndertoneError):
    """A write was asked for after the writer was closed."""


class LibraryWriter:
    """Executes functions of a library on one thread, first come first served.

    Parameters
    ----------
    library : Library
        Open; the writer does not close it.

    Examples
    --------
    >>> writer = LibraryWriter(library)                                     # doctest: +SKIP
    >>> changes = writer.submit(lambda lib: lib.correct(7, Quadrant.LAHV))  # doctest: +SKIP
    >>> changes.result(timeout=1.0)                                         # doctest: +SKIP

    Notes
    -----
    The thread is a daemon, so that a write that hangs (a network disk) cannot keep the
    program from ending; `close` gives every accepted write its time and says what did not end.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._jobs: queue.SimpleQueue[tuple[Callable[[Library], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="undertone-writer", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[[Library], T]) -> Future[T]:
        """Ask for ``fn(library)``; an exception that it raises is the future's.

        A future that is cancelled before its turn is skipped.

        Raises
        ------
        WriterClosedError
            After `close`.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise WriterClosedError("the library is closed; nothing more can be saved")
            self._jobs.put((fn, future))
        return future

    def facade(self) -> Library:
        """The library as jobs on other threads see it: reads go through, writes go to the writer.

        `library_db.scan.scan` and `app.tagging.tag` run on it unchanged: each of their commits
        waits for its turn between the corrections that the listener makes meanwhile.
        """
        return cast("Library", _Facade(self, self._library))

    def close(self, timeout_s: float = 2.0) -> bool:
        """Execute what was accepted, then end the thread.

        Returns
        -------
        bool
            True if everything was written within `timeout_s` seconds. After False the last
            write is still being tried and those behind it have been cancelled.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            return True
        self._cancel_waiting()
        return False

    def _cancel_waiting(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                self._jobs.put(None)
                return
            if job is not None:
                job[1].cancel()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            fn, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = fn(self._library)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del job, fn, future


WRITES = frozenset(
    {
        "add_root",
        "correct",
        "correct_many",
        "forget",
        "refresh",
        "remove_root",
        "restore",
        "set_estimates",
        "set_failed",
        "set_file_states",
        "write_scan",
    }
)
"""The methods of `Library` that change the database or the index in memory."""


class _Facade:
    """A `Library` whose writes are executed by the writer thread."""

    def __init__(self, writer: LibraryWriter, library: Library) -> None:
        self._writer = writer
        self._library = library

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._library, name)
        if name not in WRITES:
            return found

        def write(*args: Any, **kwargs: Any) -> Any:
            return self._writer.submit(lambda _: found(*args, **kwargs)).result()

        return write
