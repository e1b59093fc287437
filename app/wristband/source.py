"""What a source of signals is: chunks and other deliveries, a state with a reason, counters."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from inference.physio.signals import Channel, SignalChunk

__all__ = [
    "Annotation",
    "AnnotationKind",
    "Counters",
    "Deliveries",
    "Delivery",
    "HeartRate",
    "Provenance",
    "Reason",
    "SignalSource",
    "SourceState",
    "SourceStatus",
]


class SourceState(Enum):
    """What a source is doing."""

    SCANNING = "scanning"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"


class Reason(Enum):
    """Why a source does not stream."""

    NO_RADIO = "no_radio"
    """There is no Bluetooth adapter, or no service that drives it."""
    POWERED_OFF = "powered_off"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    LOST = "lost"
    """It was streaming, and the link broke or fell silent."""
    PROTOCOL = "protocol"
    """It does not speak as it should; trying again does not help."""
    FINISHED = "finished"
    """A replay or a simulation came to its end."""


class Provenance(Enum):
    """Where the signals are from; shown wherever they go."""

    REAL = "real"
    REPLAY = "replay"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A state, with the reason where there is one.

    Parameters
    ----------
    text : str
        The reason and its remedy for people.
    """

    state: SourceState
    reason: Reason | None = None
    text: str = ""


class AnnotationKind(Enum):
    """What happened to the signals."""

    GAP = "gap"
    CONTACT_LOST = "contact_lost"
    CONTACT_BACK = "contact_back"
    CLIPPING = "clipping"
    CLOCK_RESET = "clock_reset"
    RECONNECTED = "reconnected"
    OVERRUN = "overrun"
    """More came than could be taken: the oldest was dropped."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something that happened at `t_s` of the session's clock; to one channel, or (None) to all."""

    t_s: float
    kind: AnnotationKind
    channel: Channel | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class HeartRate:
    """A heart rate as the device computes it: for display and HRV, not for emotion.

    Parameters
    ----------
    t_s : float
        Arrival, seconds on the session's clock.
    bpm : int
    rr_s : tuple of float
        Intervals between beats since the last message, in seconds.
    contact : bool or None
        None where the device cannot tell.
    """

    t_s: float
    bpm: int
    rr_s: tuple[float, ...] = ()
    contact: bool | None = None


Delivery = SignalChunk | HeartRate | Annotation


@dataclass(frozen=True, slots=True)
class Counters:
    """What came in and what did not, since the source was opened. All counts are exact.

    Parameters
    ----------
    packets : int
        Packets that were taken.
    samples : int
        Samples a channel that were taken.
    lost : int
        Samples a channel that never came, by the device's own clock.
    duplicate, reordered, corrupt : int
        Packets that were left out: seen before; older than one that was
        taken; damaged or against the protocol.
    dropped : int
        Deliveries that were left out since nobody took them in time.
    dropped_in_device : int
        Samples that the device says it dropped.
    reconnects : int
    """

    packets: int = 0
    samples: int = 0
    lost: int = 0
    duplicate: int = 0
    reordered: int = 0
    corrupt: int = 0
    dropped: int = 0
    dropped_in_device: int = 0
    reconnects: int = 0

    def add(self, **more: int) -> Counters:
        """These counts with `more` on top, by name."""
        return replace(self, **{name: getattr(self, name) + n for name, n in more.items()})


class SignalSource(Protocol):
    """Signals from a device, a file or a simulation, on the session's clock.

    Iterating starts it and delivers until it stops; `status` then says why.
    It is used on one asyncio loop; `close` ends the iteration.
    """

    @property
    def name(self) -> str:
        """For people; plain text, from an untrusted device."""
        ...

    @property
    def provenance(self) -> Provenance: ...

    @property
    def channels(self) -> frozenset[Channel]:
        """What it measures; a source of one signal runs the model of that signal."""
        ...

    @property
    def status(self) -> SourceStatus: ...

    @property
    def counters(self) -> Counters: ...

    def __aiter__(self) -> AsyncIterator[Delivery]: ...

    async def close(self) -> None:
        """Stop within a second or two, whatever the device does."""
        ...


class Deliveries:
    """A bounded queue between a source and whoever takes its deliveries.

    When it is full the oldest is dropped and counted, and the chunk that
    follows says how many samples are missing before it: a slow taker costs
    signal, never memory or honesty.

    Parameters
    ----------
    limit : int
        Most deliveries that may wait.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._waiting: deque[Delivery] = deque()
        self._missing: dict[Channel, int] = {}
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, delivery: Delivery) -> None:
        """Add one, on the loop's thread; ignored once closed."""
        if self._closed:
            return
        self._waiting.append(delivery)
        if len(self._waiting) > self._limit:
            oldest = self._waiting.popleft()
            self.dropped += 1
            if isinstance(oldest, SignalChunk):
                missing = len(oldest.samples) + oldest.lost
                self._missing[oldest.channel] = self._missing.get(oldest.channel, 0) + missing
        self._ready.set()

    def close(self) -> None:
        """End the iteration after what is waiting was taken."""
        self._closed = True
        self._ready.set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        while True:
            while self._waiting:
                yield self._taken(self._waiting.popleft())
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()

    def _taken(self, delivery: Delivery) -> Delivery:
        if isinstance(delivery, SignalChunk):
            missing = self._missing.pop(delivery.channel, 0)
            if missing:
                return replace(delivery, lost=delivery.lost + missing)
        return delivery
