"""Fits a device's clock to the host's from arrivals, which are late by a varying, bursty delay."""

from __future__ import annotations

from collections import deque

__all__ = ["ClockFit", "Unwrapper"]

_BIN_S = 2.0
_BINS = 60
_SKEW_LIMIT = 500e-6
"""Quartz is within 100 ppm; more than this is noise in the fit."""


class Unwrapper:
    """Turns a counter that wraps at `modulus` into one that does not.

    Parameters
    ----------
    modulus : int
        One past the largest value.
    """

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """The whole number nearest to the last one that is `value` modulo the modulus."""
        if self._last is None:
            self._last = value
            return value
        step = (value - self._last) % self._modulus
        if step > self._modulus // 2:
            step -= self._modulus
        return self._last + step

    def take(self, whole: int) -> None:
        """From now on be near `whole`, which `unwrap` returned."""
        self._last = whole

    def reset(self) -> None:
        self._last = None


class ClockFit:
    """Host time of a device time, robust against bursts.

    Notes
    -----
    A packet can be late, never early: in each bin of 2 s the smallest
    (arrival - device time) is nearest to the truth. A straight line
    through the bins' minima of the last two minutes (Theil-Sen: median of
    slopes, median of intercepts), its slope limited to 500 ppm, gives
    offset and skew. Before ten bins are full, the smallest offset so far.
    """

    def __init__(self) -> None:
        self._bins: deque[tuple[float, float]] = deque(maxlen=_BINS)
        self._bin_start: float | None = None
        self._best: tuple[float, float] = (0.0, 0.0)
        self._skew = 0.0
        self._offset_s = 0.0

    def reset(self) -> None:
        """Forget everything: the device's clock began anew."""
        self.__init__()  # type: ignore[misc]

    @property
    def skew(self) -> float:
        """How much faster the host's clock runs, as a fraction: 1e-4 is 100 ppm."""
        return self._skew

    def add(self, device_s: float, arrival_s: float) -> None:
        """A packet of `device_s` arrived at `arrival_s`."""
        offset_s = arrival_s - device_s
        if self._bin_start is None:
            self._bin_start, self._best, self._offset_s = device_s, (device_s, offset_s), offset_s
            return
        if device_s - self._bin_start >= _BIN_S:
            self._bins.append(self._best)
            self._bin_start, self._best = device_s, (device_s, offset_s)
            self._fit()
        elif offset_s < self._best[1]:
            self._best = (device_s, offset_s)
        if len(self._bins) < 10:
            self._offset_s = min(self._offset_s, offset_s)

    def to_host(self, device_s: float) -> float:
        """Host time of `device_s`, in seconds."""
        return device_s + self._offset_s + self._skew * device_s

    def _fit(self) -> None:
        if len(self._bins) < 10:
            return
        points = list(self._bins)
        half = len(points) // 2
        slopes = sorted(
            (b[1] - a[1]) / (b[0] - a[0])
            for a, b in zip(points[: len(points) - half], points[half:], strict=False)
        )
        skew = slopes[len(slopes) // 2]
        self._skew = min(max(skew, -_SKEW_LIMIT), _SKEW_LIMIT)
        intercepts = sorted(offset - self._skew * device for device, offset in points)
        self._offset_s = intercepts[len(intercepts) // 2]
