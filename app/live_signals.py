"""The last seconds of a live session for the eye: bounded traces on the session's clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from app.live import Mark
from app.wristband.source import Annotation, Delivery
from inference.physio.conditioning import Conditioner, ConditioningConfig
from inference.physio.phasic import Phasic
from inference.physio.signals import Channel, SignalChunk

__all__ = ["Glimpse", "LiveSignals", "Ring", "Trace"]

Floats = NDArray[np.float64]

_KEPT_S = 64.0
_MOST_SAMPLES = 1 << 16
_MOST_MARKS = 200
_GAP_S = 0.1
"""A chunk that begins so long after the last one ended comes after a gap, said or not."""
_LEAK = 1e-3
_NONE: Floats = np.zeros(0)


class Trace(str, Enum):
    """What is drawn."""

    LEVEL = "level"
    """Skin conductance as it is measured, microsiemens."""
    PHASIC = "phasic"
    """Its fast part, microsiemens."""
    PULSE = "pulse"
    """The pulse wave, 0.5 to 8 Hz, arbitrary units."""


@dataclass(frozen=True)
class Glimpse:
    """What is to be drawn at one moment.

    Parameters
    ----------
    edge_s : float
        Where the right edge is, on the session's clock.
    begun_s : float
        First sample of the session.
    traces : mapping of Trace to (times, values)
        float64, shape (n,) each; NaN where a gap is.
    marks : sequence of Mark
    """

    edge_s: float
    begun_s: float
    traces: dict[Trace, tuple[Floats, Floats]]
    marks: Sequence[Mark] = ()


class Ring:
    """The newest samples of one trace with their times; older ones are forgotten.

    Each sample keeps the time that its chunk came with, so that the axis
    neither drifts against the session's clock nor assumes a rate.

    Parameters
    ----------
    capacity : int
    """

    def __init__(self, capacity: int) -> None:
        self._t = np.full(capacity, np.nan)
        self._x = np.full(capacity, np.nan)
        self._next = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def push(self, times: Floats, values: NDArray[np.float32] | Floats) -> None:
        """Add samples in the order of time."""
        size = len(self._t)
        times, values = times[-size:], values[-size:]
        at = (self._next + np.arange(len(times))) % size
        self._t[at], self._x[at] = times, values
        self._next = int((self._next + len(times)) % size)
        self._count = min(self._count + len(times), size)

    def since(self, from_s: float) -> tuple[Floats, Floats]:
        """Copies of times and values from `from_s` on, old to new."""
        size = len(self._t)
        at = (self._next - self._count + np.arange(self._count)) % size
        t, x = self._t[at], self._x[at]
        first = int(np.searchsorted(t, from_s))
        return t[first:], x[first:]


class _Lane:
    """One channel: its filters, its rings, where its last chunk ended."""

    def __init__(self, channel: Channel, fs_hz: float) -> None:
        self.channel = channel
        self.fs_hz = fs_hz
        self.end_s: float | None = None
        size = min(_MOST_SAMPLES, max(64, round(_KEPT_S * fs_hz)))
        names = (Trace.LEVEL, Trace.PHASIC) if channel is Channel.GSR else (Trace.PULSE,)
        self.rings = {name: Ring(size) for name in names}
        self.begin_anew()

    def begin_anew(self) -> None:
        """After a gap the filters know nothing of what was before."""
        self._phasic = Phasic(self.fs_hz) if self.channel is Channel.GSR else None
        highest = ConditioningConfig().ppg_band_hz[1]
        slow = self.channel is Channel.GSR or self.fs_hz <= 2.0 * highest
        self._pulse = None if slow else Conditioner(Channel.PPG, fs_hz=self.fs_hz)

    def take(self, chunk: SignalChunk) -> None:
        n = len(chunk.samples)
        gap_s = max(_GAP_S, 1.5 / chunk.fs_hz)
        if self.end_s is not None and (chunk.lost or abs(chunk.t0_s - self.end_s) > gap_s):
            self.begin_anew()
            for ring in self.rings.values():
                ring.push(np.array([self.end_s]), np.array([np.nan]))
        times = chunk.t0_s + np.arange(n) / chunk.fs_hz
        if self.channel is Channel.GSR:
            self.rings[Trace.LEVEL].push(times, chunk.samples)
            assert self._phasic is not None
            self.rings[Trace.PHASIC].push(times, self._phasic.push(chunk.samples))
        else:
            pulse = chunk.samples if self._pulse is None else self._pulse.push(chunk.samples)
            self.rings[Trace.PULSE].push(times, pulse)
        self.end_s = chunk.t0_s + n / chunk.fs_hz


class LiveSignals:
    """Takes deliveries on one thread and is looked at from another.

    The right edge runs with the clock, not with the chunks, so that the
    traces move evenly; a source that stalls leaves an empty space that grows.

    Parameters
    ----------
    speed : float
        Of the source's time against the clock.
    clock : callable
        The session's clock, in seconds.
    """

    def __init__(self, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[Channel, _Lane] = {}
        self._marks: deque[Mark] = deque(maxlen=_MOST_MARKS)
        self._begun_s: float | None = None
        self._offset_s = -np.inf
        self._offset_at = 0.0
        self._chunk_s = 0.0
        self._frozen_s: float | None = None

    @property
    def begun_s(self) -> float | None:
        """First sample of the session; None before it came."""
        return self._begun_s

    def take(self, delivery: Delivery) -> None:
        """Keep what can be drawn of a delivery."""
        with self._lock:
            if isinstance(delivery, Annotation):
                self._marks.append(Mark(delivery.t_s, delivery.kind.value, delivery.text))
            elif isinstance(delivery, SignalChunk) and len(delivery.samples):
                self._take_chunk(delivery)

    def mark(self, mark: Mark) -> None:
        """Keep a note of the listener."""
        with self._lock:
            self._marks.append(mark)

    def freeze(self) -> None:
        """The session is over: what was last seen stays."""
        with self._lock:
            self._frozen_s = self._edge_s()

    def now_s(self) -> float:
        """The session's time of the right edge."""
        with self._lock:
            return self._edge_s()

    def look(self, seconds: float) -> Glimpse | None:
        """The last `seconds`; None where nothing has come yet."""
        with self._lock:
            if self._begun_s is None:
                return None
            edge_s = self._edge_s()
            from_s = edge_s - seconds - 1.0
            traces = {
                name: ring.since(from_s)
                for lane in self._lanes.values()
                for name, ring in lane.rings.items()
            }
            marks = [mark for mark in self._marks if mark.t_s >= from_s]
            return Glimpse(edge_s, self._begun_s, traces, marks)

    def _take_chunk(self, chunk: SignalChunk) -> None:
        lane = self._lanes.get(chunk.channel)
        if lane is None or lane.fs_hz != chunk.fs_hz:
            lane = self._lanes[chunk.channel] = _Lane(chunk.channel, chunk.fs_hz)
        lane.take(chunk)
        if self._begun_s is None:
            self._begun_s = chunk.t0_s
        self._chunk_s = max(chunk.duration_s, 0.999 * self._chunk_s)
        now_s = self._clock()
        ahead_s = chunk.t0_s + chunk.duration_s - now_s * self._speed
        leaked = self._offset_s - _LEAK * (now_s - self._offset_at)
        self._offset_s, self._offset_at = max(ahead_s, leaked), now_s

    def _edge_s(self) -> float:
        if self._frozen_s is not None or self._begun_s is None:
            return self._frozen_s or 0.0
        # A chunk's length behind the newest: the edge never runs into what has not come yet.
        return self._clock() * self._speed + self._offset_s - min(self._chunk_s, 0.5)
