"""Replays signals from files: our recordings, Empatica E4 exports, HKU956 listenings."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.wristband.layouts import ReplayError, Track, read_pieces
from app.wristband.profiles.base import GattProfile
from app.wristband.profiles.heart_rate import HeartRateProfile
from app.wristband.profiles.polar_pmd import PolarPmd
from app.wristband.profiles.undertone_band import UndertoneBand
from app.wristband.recorder import FILE_NAME, Kind, Recording, chunk_of, open_recording
from app.wristband.source import (
    Annotation,
    AnnotationKind,
    Counters,
    Delivery,
    HeartRate,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.physio.signals import Channel, SignalChunk

__all__ = ["PROFILES", "ReplayError", "ReplaySource"]

PROFILES: dict[str, Callable[[], GattProfile]] = {
    "undertone-band": UndertoneBand,
    "polar-pmd": PolarPmd,
    "heart-rate": HeartRateProfile,
}
"""How a recording names the profile that reads its packets."""

_CHUNK_S = 0.25
_LOOK_S = 0.25
"""The clock is looked at so often while it is waited for: it may be held, or set."""


class ReplaySource:
    """A file as a `SignalSource`, at the pace of real time or any other.

    Parameters
    ----------
    path : Path
        A recording (folder or file); an E4 export (folder or zip with
        EDA.csv and BVP.csv); an HKU956 listening (either of its two CSV
        files) or the folder of a listener (all of them in order); a CSV table
        with times, or the folder of an exported recording; EDF+ or BDF+.
    speed : float
        1 for real time; infinity for as fast as it is taken.
    clock, sleep : callable
        The session's clock (s) and how to wait; tests own both. A clock that
        is held holds the replay.
    start_s : float
        Begin here; what lies before is read and left out.

    Raises
    ------
    ReplayError
        If nothing there can be replayed.
    """

    def __init__(
        self,
        path: Path,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], object] = asyncio.sleep,
        start_s: float = 0.0,
    ) -> None:
        if not speed > 0.0:
            raise ReplayError(f"a speed of {speed} is none", "Use 1 for real time, or more.")
        self._start_s = max(0.0, start_s)
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._closed = False
        self._counters = Counters()
        self._counted: dict[Channel, tuple[int, int]] = {}
        self._status = SourceStatus(SourceState.STOPPED)
        self._damage = ""
        self._profile: GattProfile | None = None
        self._origin_s = 0.0
        if path.name == FILE_NAME or (path / FILE_NAME).is_file():
            recording = open_recording(path)
            self._damage = recording.damage
            self._script = self._from_recording(recording)
            self._name = str(recording.meta.get("name") or path.name)
            self._channels = self._channels_of(recording)
        else:
            pieces = read_pieces(path)
            left_out = sum(track.left_out for piece in pieces for track in piece)
            if left_out:
                self._counters = self._counters.add(reordered=left_out)
                self._damage = f"{left_out} rows have no place in time and were left out"
            self._script = self._from_pieces(pieces)
            self._name = path.name
            self._channels = frozenset(t.channel for piece in pieces for t in piece)

    @property
    def name(self) -> str:
        return self._name

    @property
    def provenance(self) -> Provenance:
        return Provenance.REPLAY

    @property
    def channels(self) -> frozenset[Channel]:
        return self._channels

    @property
    def status(self) -> SourceStatus:
        return self._status

    @property
    def counters(self) -> Counters:
        if self._profile is not None and self._counters.packets == 0:
            return self._profile.counters
        return self._counters

    @property
    def damage(self) -> str:
        """What of the file could not be read; empty if all could."""
        return self._damage

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        clock = self._clock or asyncio.get_running_loop().time
        begun_s = clock()
        self._origin_s = begun_s - self._start_s
        self._status = SourceStatus(SourceState.STREAMING)
        for due_s, deliveries in self._script:
            if due_s < self._start_s:
                continue
            due_s -= self._start_s
            while not self._closed and (wait_s := due_s / self._speed - (clock() - begun_s)) > 0.0:
                waiting = self._sleep(min(wait_s, _LOOK_S))
                if asyncio.iscoroutine(waiting):
                    await waiting
            if self._closed:
                break
            for delivery in deliveries:
                yield delivery
        reason = None if self._closed else Reason.FINISHED
        self._status = SourceStatus(SourceState.STOPPED, reason, self._damage)

    async def close(self) -> None:
        self._closed = True

    # -- scripts: (due, deliveries), due in seconds from the start of the replay ----

    def _from_recording(self, recording: Recording) -> Iterator[tuple[float, list[Delivery]]]:
        make = PROFILES.get(str(recording.meta.get("profile", "")))
        profile = self._profile = make() if make is not None else None
        info = recording.meta.get("info")
        if profile is not None and isinstance(info, str):
            profile.take_info(info.encode())
        names: dict[int, str] = {}
        first_s = recording.records[0].t_s if recording.records else 0.0
        for record in recording.records:
            due_s = record.t_s - first_s
            number = record.payload[0] if record.payload else -1
            if record.kind is Kind.CHARACTERISTIC:
                names[number] = record.payload[1:].decode("ascii", "replace")
            elif record.kind is Kind.PACKET and profile is not None and number in names:
                fed = profile.feed(names[number], record.payload[1:], record.t_s)
                yield due_s, [_shifted(d, self._origin_s - first_s) for d in fed]
            elif record.kind is Kind.SAMPLES:
                chunk = chunk_of(record)
                if chunk is None:
                    self._counters = self._counters.add(corrupt=1)
                else:
                    self._count(chunk)
                    yield due_s, [_shifted(chunk, self._origin_s - first_s)]

    def _from_pieces(
        self, pieces: Sequence[Sequence[Track]]
    ) -> Iterator[tuple[float, list[Delivery]]]:
        offset_s = 0.0
        for number, piece in enumerate(pieces):
            if number:
                text = "the next listening begins"
                at_s = self._origin_s + offset_s
                yield offset_s, [Annotation(at_s, AnnotationKind.GAP, text=text)]
            end_s = offset_s
            for due_s, chunk in sorted(_cut(piece), key=lambda item: item[0]):
                self._count(chunk)
                yield offset_s + due_s, [_shifted(chunk, self._origin_s + offset_s)]
                end_s = max(end_s, offset_s + due_s)
            offset_s = end_s

    def _count(self, chunk: SignalChunk) -> None:
        samples, lost = self._counted.get(chunk.channel, (0, 0))
        self._counted[chunk.channel] = (samples + len(chunk.samples), lost + chunk.lost)
        # Of the channel that has more: their rates may differ.
        self._counters = replace(
            self._counters,
            packets=self._counters.packets + 1,
            samples=max(samples for samples, _ in self._counted.values()),
            lost=max(lost for _, lost in self._counted.values()),
        )

    def _channels_of(self, recording: Recording) -> frozenset[Channel]:
        if self._profile is not None:
            return self._profile.channels
        make = PROFILES.get(str(recording.meta.get("profile", "")))
        if make is not None:
            return make().channels
        kinds = (chunk_of(r) for r in recording.records if r.kind is Kind.SAMPLES)
        return frozenset(chunk.channel for chunk in kinds if chunk is not None)


def _shifted(delivery: Delivery, by_s: float) -> Delivery:
    """The delivery at another time."""
    if isinstance(delivery, SignalChunk):
        return SignalChunk(
            delivery.channel,
            delivery.t0_s + by_s,
            delivery.fs_hz,
            delivery.samples,
            delivery.unit,
            delivery.lost,
        )
    if isinstance(delivery, HeartRate):
        return HeartRate(delivery.t_s + by_s, delivery.bpm, delivery.rr_s, delivery.contact)
    return Annotation(delivery.t_s + by_s, delivery.kind, delivery.channel, delivery.text)


def _cut(tracks: Sequence[Track]) -> Iterator[tuple[float, SignalChunk]]:
    """(due, chunk) of a quarter of a second each; missing values become `lost`."""
    for track in tracks:
        lost = 0
        step = max(1, round(_CHUNK_S * track.fs_hz))
        least, most = track.channel.limits
        good = (track.values >= least) & (track.values <= most)  # NaN is neither
        for start in range(0, len(track.values), step):
            stop = min(start + step, len(track.values))
            for a, b in _runs(good, start, stop):
                if not good[a]:
                    lost += b - a
                    continue
                t0_s = track.start_s + a / track.fs_hz
                chunk = SignalChunk(
                    track.channel, t0_s, track.fs_hz, track.values[a:b], track.channel.unit, lost
                )
                lost = 0
                yield track.start_s + b / track.fs_hz, chunk


def _runs(good: NDArray[np.bool_], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Spans of start..stop in which `good` does not change."""
    edges = np.flatnonzero(np.diff(good[start:stop])) + start + 1
    bounds = [start, *edges.tolist(), stop]
    yield from itertools.pairwise(bounds)
