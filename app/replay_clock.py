"""The clock of a replay: runs with the song that plays beside it, stands while it stands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["ReplayClock"]

_BLEND = 0.1
_FAR_S = 0.4


class ReplayClock:
    """Seconds of the recording. Set on one thread, read on others; it never runs backwards.

    Parameters
    ----------
    start_s : float
        Where it stands until `run`.
    now : callable
        A monotonic clock, in seconds.
    """

    def __init__(self, start_s: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._base_s = start_s
        self._base_at = 0.0
        self._running = False
        self._shown_s = start_s

    def __call__(self) -> float:
        with self._lock:
            self._shown_s = max(self._shown_s, self._value())
            return self._shown_s

    @property
    def running(self) -> bool:
        return self._running

    def run(self) -> None:
        """Go on from where it stands."""
        with self._lock:
            if not self._running:
                self._base_s, self._base_at, self._running = self._shown_s, self._now(), True

    def hold(self) -> None:
        """Stand still."""
        with self._lock:
            self._base_s = self._shown_s = max(self._shown_s, self._value())
            self._running = False

    def measured(self, position_s: float) -> bool:
        """The song says where the recording is now.

        Small differences are taken up little by little, larger ones ahead at once.

        Returns
        -------
        bool
            False where the song is so far behind that the clock would have to run backwards.
        """
        with self._lock:
            value_s = self._value()
            error_s = position_s - value_s
            if error_s < -_FAR_S:
                return False
            step_s = error_s if error_s > _FAR_S else _BLEND * error_s
            self._base_s, self._base_at = value_s + step_s, self._now()
            return True

    def _value(self) -> float:
        return self._base_s + (self._now() - self._base_at if self._running else 0.0)
