"""One asyncio event loop on a thread of its own, for the life of the program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["AsyncioThread"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class AsyncioThread:
    """Runs coroutines (D-Bus, Bluetooth) beside the Qt event loop.

    An event loop that drives both (qasync, QtAsyncio) was seen to fail
    with bleak, so asyncio gets its own thread, and results come back as
    futures or through queued Qt signals.
    """

    def __init__(self, name: str = "asyncio") -> None:
        self._loop = asyncio.new_event_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop; called on any other thread.

        Raises
        ------
        RuntimeError
            If the thread was closed.
        """
        if self._closed:
            work.close()
            raise RuntimeError("the asyncio thread is closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Call a plain function on the loop, soon; ignored once the thread is closed."""
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            if not self._closed:
                self._loop.call_soon_threadsafe(function, *args)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Cancel what still runs, end the loop and its thread; whether that was done in time."""
        if not self._closed:
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            try:
                self._cancel_all()
            finally:
                asyncio.set_event_loop(None)
                self._loop.close()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        for task in tasks:
            if not task.cancelled() and task.exception() is not None:
                log.warning("asyncio: %r failed while it was cancelled", task.get_name())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
