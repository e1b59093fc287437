"""Signals from any program that speaks Lab Streaming Layer: pylsl's only door (extra `lsl`).

liblsl's calls wait, so they run on a thread of their own, which hands what came to the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.wristband.profiles.base import plain_text
from app.wristband.source import (
    Annotation,
    AnnotationKind,
    Counters,
    Deliveries,
    Delivery,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk

__all__ = ["Lane", "LslError", "LslSource", "lanes_of"]

_GSR_NAMES = ("gsr", "eda", "scl", "skin conductance", "electrodermal")
_PPG_NAMES = ("ppg", "bvp", "pleth", "pulse")
_TO_MICROSIEMENS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "": lambda x: x,  # not said: nearly everybody sends microsiemens
    "us": lambda x: x,
    "microsiemens": lambda x: x,
    "microsiemen": lambda x: x,
    "umho": lambda x: x,
    "ns": lambda x: x / 1e3,
    "nanosiemens": lambda x: x / 1e3,
    "s": lambda x: x * 1e6,
    "siemens": lambda x: x * 1e6,
    "ohm": lambda x: 1e6 / x,
    "kohm": lambda x: 1e3 / x,
    "kiloohm": lambda x: 1e3 / x,
}
_PULL_S = 0.1
_STALL_S = 5.0
_GAP_S = 0.2
"""Stamps may be off by less: LSL is a TCP stream, what it loses it loses by the buffer."""
_LONGEST_GAP_S = 3600.0


class LslError(UndertoneError):
    """There is no such stream, or none that can be used; `reason` says which."""

    def __init__(self, message: str, remedy: str = "", reason: Reason = Reason.PROTOCOL) -> None:
        super().__init__(message, remedy)
        self.reason = reason


@dataclass(frozen=True)
class Lane:
    """One of our channels in a stream: which of its columns, and how it is converted."""

    channel: Channel
    column: int
    unit: str

    def convert(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """The values in the channel's unit; what makes no sense becomes NaN."""
        with np.errstate(all="ignore"):
            given = _TO_MICROSIEMENS[self.unit](values) if self.channel is Channel.GSR else values
            least, most = self.channel.limits
            result = np.where((given >= least) & (given <= most), given, np.nan)
        return result.astype(np.float32)


def lanes_of(
    kind: str, labels: Sequence[str | None], units: Sequence[str | None], count: int
) -> list[Lane]:
    """Which columns of a stream are GSR and PPG, by their labels, else by the stream's type.

    Parameters
    ----------
    kind : str
        The stream's type.
    labels, units : sequence of str or None
        Of its columns, as far as it says.
    count : int
        How many columns it has.

    Raises
    ------
    LslError
        If a GSR column is in a unit that we cannot convert.
    """
    lanes: list[Lane] = []
    for channel, names in ((Channel.GSR, _GSR_NAMES), (Channel.PPG, _PPG_NAMES)):
        found = [i for i in range(count) if i < len(labels) and _is(labels[i], names)]
        if not found and count == 1 and _is(kind, names):
            found = [0]
        if found:
            unit = (units[found[0]] or "") if found[0] < len(units) else ""
            lanes.append(Lane(channel, found[0], _unit(unit, channel)))
    return lanes


def _is(text: str | None, names: Sequence[str]) -> bool:
    return any(name in (text or "").lower() for name in names)


def _unit(unit: str, channel: Channel) -> str:
    if channel is not Channel.GSR:
        return ""
    plain = unit.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u")
    plain = plain.replace("\u03c9", "ohm").replace("\u2126", "ohm").replace("ohms", "ohm")
    if plain not in _TO_MICROSIEMENS:
        raise LslError(
            f"The stream's GSR is in {plain_text(unit)!r}", "Send it in microsiemens (uS)."
        )
    return plain


def _import() -> Any:
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise LslError(
            "Lab Streaming Layer is not installed",
            "Install it with `pip install undertone[lsl]`.",
            Reason.NO_RADIO,
        ) from error
    return pylsl


class LslSource:
    """The GSR and PPG of one or two LSL streams as a `SignalSource`.

    Parameters
    ----------
    device : str
        Name or source id of the streams; empty takes the first that fit.
    find_s : float
        How long to look for streams.
    stall_s : float
        A stream that is silent for so long counts as lost; it is taken up
        again when it comes back.
    clock : callable
        The session's clock, in seconds, monotonic.
    on_status : callable, optional
        Told each change of `status`, on the loop's thread.
    """

    def __init__(
        self,
        device: str = "",
        *,
        find_s: float = 5.0,
        stall_s: float = _STALL_S,
        clock: Callable[[], float] = time.monotonic,
        on_status: Callable[[SourceStatus], None] | None = None,
    ) -> None:
        self._device = device
        self._find_s = find_s
        self._stall_s = stall_s
        self._clock = clock
        self._on_status = on_status
        self._name = plain_text(device) or "LSL"
        self._status = SourceStatus(SourceState.STOPPED)
        self._channels: frozenset[Channel] = frozenset()
        self._counters = Counters()
        self._deliveries = Deliveries()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finished = asyncio.Event()

    @property
    def name(self) -> str:
        return self._name

    @property
    def provenance(self) -> Provenance:
        return Provenance.REAL

    @property
    def channels(self) -> frozenset[Channel]:
        return self._channels

    @property
    def status(self) -> SourceStatus:
        return self._status

    @property
    def counters(self) -> Counters:
        return self._counters.add(dropped=self._deliveries.dropped)

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._work, name="lsl", daemon=True)
            self._thread.start()
        async for delivery in self._deliveries:
            yield delivery

    async def close(self) -> None:
        self._stop.set()
        if self._thread is None:
            self._deliveries.close()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self._finished.wait()

    # -- the thread -------------------------------------------------------------

    def _work(self) -> None:
        reason: Reason | None = None
        text = ""
        inlets: list[_Inlet] = []
        try:
            self._set(SourceState.SCANNING)
            inlets = self._find(_import())
            self._set(SourceState.STREAMING)
            self._stream(inlets)
        except LslError as error:
            reason, text = error.reason, str(error)
        except Exception as error:
            reason, text = Reason.LOST, f"The stream broke ({plain_text(error)})."
        finally:
            for inlet in inlets:
                inlet.close()
            self._set(SourceState.STOPPED, reason, text)
            self._on_loop(self._deliveries.close)
            self._on_loop(self._finished.set)

    def _find(self, pylsl: Any) -> list[_Inlet]:
        """Inlets on the streams that bring our channels.

        Raises
        ------
        LslError
            If there is none in time, or none that can be used.
        """
        until = time.monotonic() + self._find_s
        refused: LslError | None = None
        while not self._stop.is_set():
            inlets: list[_Inlet] = []
            have: set[Channel] = set()
            for info in pylsl.resolve_streams(min(1.0, self._find_s)):
                if self._device and self._device not in (info.name(), info.source_id()):
                    continue
                try:
                    inlet = _Inlet(pylsl, info, have)
                except LslError as error:
                    refused = error
                    continue
                have |= {lane.channel for lane in inlet.lanes}
                inlets.append(inlet) if inlet.lanes else inlet.close()
            late = time.monotonic() >= until
            if inlets and (len(have) == len(Channel) or late):
                self._name = plain_text(inlets[0].name) or "LSL"
                self._channels = frozenset(have)
                return inlets
            for inlet in inlets:
                inlet.close()
            if late:
                raise refused or LslError(
                    "No stream with GSR or PPG was found",
                    "Start it in the other program, and let the firewall pass it.",
                    Reason.NOT_FOUND,
                )
        return []

    def _stream(self, inlets: list[_Inlet]) -> None:
        heard = time.monotonic()
        lost = False
        while not self._stop.is_set():
            came = False
            for inlet in inlets:
                deliveries, taken, missing, bad = inlet.pull(_PULL_S / len(inlets), self._clock)
                came = came or bool(taken)
                inlet.taken, inlet.lost = inlet.taken + taken, inlet.lost + missing
                # Of the stream that has more: their rates may differ.
                self._counters = replace(
                    self._counters.add(packets=bool(taken), corrupt=bad),
                    samples=max(i.taken for i in inlets),
                    lost=max(i.lost for i in inlets),
                )
                if lost and deliveries:
                    lost = False
                    self._counters = self._counters.add(reconnects=1)
                    self._set(SourceState.STREAMING)
                    back = Annotation(self._clock(), AnnotationKind.RECONNECTED)
                    self._on_loop(self._deliveries.put, back)
                for delivery in deliveries:
                    self._on_loop(self._deliveries.put, delivery)
            now = time.monotonic()
            heard = now if came else heard
            if not lost and now - heard > self._stall_s:
                lost = True
                self._set(SourceState.RECONNECTING, Reason.LOST, "The stream fell silent.")

    def _set(self, state: SourceState, reason: Reason | None = None, text: str = "") -> None:
        status = SourceStatus(state, reason, text)
        if status != self._status:
            self._status = status
            if self._on_status is not None:
                self._on_loop(self._on_status, status)

    def _on_loop(self, function: Callable[..., object], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *values)


class _Inlet:
    """One stream and what we take of it; used on the thread only."""

    def __init__(self, pylsl: Any, info: Any, have: set[Channel]) -> None:
        self.name = info.name()
        # Not liblsl's dejittering: it smears a gap over the samples around it.
        flags = pylsl.proc_clocksync | pylsl.proc_monotonize
        self._clock = pylsl.local_clock
        self._inlet = pylsl.StreamInlet(info, max_buflen=60, processing_flags=flags)
        full = self._inlet.info(timeout=5.0)
        count = full.channel_count()
        labels, units = full.get_channel_labels() or [], full.get_channel_units() or []
        lanes = lanes_of(full.type(), labels, units, count)
        self.lanes = [lane for lane in lanes if lane.channel not in have]
        self.fs_hz = float(full.nominal_srate())
        self._expected: float | None = None
        self.taken = self.lost = 0
        if self.lanes and not 0.5 <= self.fs_hz <= 2000.0:
            self.close()
            raise LslError(
                f"The stream {plain_text(self.name)!r} has no steady rate we can take "
                f"({self.fs_hz:g} Hz)",
                "Send it with a fixed rate of 0.5 to 2000 Hz.",
            )
        if self.lanes:
            self._inlet.open_stream(timeout=5.0)

    def pull(
        self, timeout_s: float, clock: Callable[[], float]
    ) -> tuple[list[Delivery], int, int, int]:
        """What came: deliveries, samples taken, samples missing, values that were none."""
        rows, stamps = self._inlet.pull_chunk(timeout=timeout_s, max_samples=1024)
        if not stamps:
            return [], 0, 0, 0
        table = np.asarray(rows, dtype=np.float64).reshape(len(stamps), -1)
        to_session = clock() - self._clock()
        times = np.asarray(stamps) + to_session
        deliveries: list[Delivery] = []
        missing = bad = 0
        for start, stop, gap in self._spans(times):
            missing += gap
            if gap:
                text = f"{gap} samples are missing before this"
                deliveries.append(Annotation(times[start], AnnotationKind.GAP, text=text))
            for lane in self.lanes:
                values = lane.convert(table[start:stop, lane.column])
                good = np.isfinite(values)
                bad += int(np.count_nonzero(~good))
                deliveries += self._chunks(lane, values, good, float(times[start]), gap)
        self._expected = float(times[-1]) + 1.0 / self.fs_hz
        return deliveries, len(stamps), missing, bad

    def _spans(self, times: NDArray[np.float64]) -> list[tuple[int, int, int]]:
        """(start, stop, samples missing before) of each stretch without a gap."""
        period_s = 1.0 / self.fs_hz
        first = times[0] if self._expected is None else self._expected
        steps = np.diff(times, prepend=first - period_s) - period_s
        limit_s = max(_GAP_S, 2.5 * period_s)
        starts = [0, *(int(i) for i in np.flatnonzero(steps > limit_s) if i > 0)]
        spans = []
        for start, stop in zip(starts, [*starts[1:], len(times)], strict=True):
            gap = steps[start] if steps[start] > limit_s else 0.0
            spans.append((start, stop, round(min(gap, _LONGEST_GAP_S) * self.fs_hz)))
        return spans

    def _chunks(
        self,
        lane: Lane,
        values: NDArray[np.float32],
        good: NDArray[np.bool_],
        t0_s: float,
        lost: int,
    ) -> list[Delivery]:
        """The finite stretches of `values`; the others become loss."""
        edges = [0, *(int(i) + 1 for i in np.flatnonzero(np.diff(good))), len(values)]
        chunks: list[Delivery] = []
        for start, stop in itertools.pairwise(edges):
            if not good[start]:
                lost += stop - start
                continue
            at_s = t0_s + start / self.fs_hz
            unit = lane.channel.unit
            chunks.append(
                SignalChunk(lane.channel, at_s, self.fs_hz, values[start:stop], unit, lost)
            )
            lost = 0
        return chunks

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._inlet.close_stream()
