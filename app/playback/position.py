"""Where in the song we are, between the moments (four a second at best) at which libVLC says so."""

from __future__ import annotations

__all__ = ["PositionEstimate"]

_SNAP_S = 0.4
_SETTLE_S = 1.0
_BLEND = 0.2


class PositionEstimate:
    """A position that runs on with the clock and is gently corrected by what is measured.

    It never runs backwards, except through `jump` and `reset`. All times
    `at` are seconds of the same monotonic clock.
    """

    def __init__(self) -> None:
        self.duration_s: float | None = None
        self._base_s = 0.0
        self._base_at = 0.0
        self._running = False
        self._shown_s = 0.0
        self._ignore_until = 0.0

    def reset(self, position_s: float) -> None:
        """Stand still at `position_s` of a file of unknown length."""
        self.duration_s = None
        self._running = False
        self._base_s = self._shown_s = position_s
        self._ignore_until = 0.0

    def jump(self, position_s: float, at: float) -> float:
        """Go to `position_s`, limited to the file; returns where that is."""
        self._base_s = self._shown_s = self._limited(position_s)
        self._base_at = at
        self._ignore_until = at + _SETTLE_S
        return self._base_s

    def run(self, at: float) -> None:
        """Run with the clock from `at` on."""
        if not self._running:
            self._running, self._base_at = True, at

    def hold(self, at: float) -> None:
        """Stand still from `at` on."""
        self._base_s, self._running = self.at(at), False

    def finish(self) -> None:
        """Stand still at the end of the file."""
        self._running = False
        if self.duration_s is not None:
            self._base_s = self._shown_s = self.duration_s

    def measured(self, position_s: float, at: float) -> None:
        """The player said at `at` that it is at `position_s`."""
        expected_s = self._base_s + (at - self._base_at if self._running else 0.0)
        error_s = position_s - expected_s
        if abs(error_s) > _SNAP_S:
            if at < self._ignore_until:
                return  # from before the jump
            self._shown_s = position_s
            self._base_s = position_s
        else:
            self._base_s = expected_s + _BLEND * error_s
        self._base_at = at

    def at(self, now: float) -> float:
        """The position at `now`, in seconds."""
        position_s = self._base_s + (max(now - self._base_at, 0.0) if self._running else 0.0)
        self._shown_s = max(self._shown_s, self._limited(position_s))
        return self._shown_s

    def _limited(self, position_s: float) -> float:
        return position_s if self.duration_s is None else min(position_s, self.duration_s)
