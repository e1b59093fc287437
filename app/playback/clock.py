"""Time that can be injected: the real one with timers, and a virtual one that tests move on."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

__all__ = ["Cancel", "Clock", "RealClock", "VirtualClock"]

Cancel = Callable[[], None]


class Clock(Protocol):
    """Monotonic time in seconds, and calls at a later time."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def call_later(self, delay_s: float, action: Callable[[], None]) -> Cancel:
        """Call `action` once after `delay_s`, on any thread, unless cancelled first."""
        ...


class RealClock:
    """The machine's monotonic clock; calls are made on threads of their own."""

    def now(self) -> float:
        return time.monotonic()

    def call_later(self, delay_s: float, action: Callable[[], None]) -> Cancel:
        timer = threading.Timer(max(delay_s, 0.0), action)
        timer.name = "playback-timer"
        timer.daemon = True
        timer.start()
        return timer.cancel


class VirtualClock:
    """A clock that stands still until `advance` moves it."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._number = count()

    def now(self) -> float:
        return self._now_s

    def call_later(self, delay_s: float, action: Callable[[], None]) -> Cancel:
        number = next(self._number)
        heapq.heappush(self._calls, (self._now_s + max(delay_s, 0.0), number, action))
        return lambda: self._cancelled.add(number)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, making the calls that fall due, in order."""
        until = self._now_s + seconds
        while self._calls and self._calls[0][0] <= until:
            self._now_s, number, action = heapq.heappop(self._calls)
            if number in self._cancelled:
                self._cancelled.discard(number)
            else:
                action()
        self._now_s = until
