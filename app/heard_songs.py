"""The songs of a recording: when they played, with which signals, and what those say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.wristband.recorder import FILE_NAME, Kind, Recording, RecordingError, open_recording
from app.wristband.replay import ReplaySource
from inference.errors import UndertoneError
from inference.physio.quality import RECENT_S, judge
from inference.physio.signals import FS_HZ, Channel, SignalChunk

__all__ = [
    "LEAST_S",
    "HeardSong",
    "Signals",
    "heard_songs",
    "quality_fault",
    "readable",
    "recordings_in",
    "signals_of",
]

Samples = NDArray[np.float32]

LEAST_S = 20.0
"""Of a song with signals; less says nothing."""

_MOST_S = 600.0
_BAD_SHARE = 0.5


@dataclass(frozen=True)
class HeardSong:
    """A song that played without a break while signals were recorded.

    Parameters
    ----------
    recording : str
        Name of its folder.
    track_id : int or None
    audio_hash : str
    title, path : str
    begin_s, end_s : float
        From the first record of the recording.
    at_s : float
        Of the end, seconds since the epoch.
    """

    recording: str
    track_id: int | None
    audio_hash: str
    title: str
    path: str
    begin_s: float
    end_s: float
    at_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.begin_s


@dataclass(frozen=True, eq=False)
class Signals:
    """Signals of a recording on one grid of 128 Hz.

    Parameters
    ----------
    start_s : float
        From the first record.
    values : mapping of Channel to ndarray, shape (n,), float32
        In the channel's unit; what was lost is bridged by a straight line.
    measured : mapping of Channel to ndarray of bool, shape (n,)
        False where it was.
    """

    start_s: float
    values: Mapping[Channel, Samples]
    measured: Mapping[Channel, NDArray[np.bool_]]

    @property
    def channels(self) -> frozenset[Channel]:
        return frozenset(self.values)

    def during(self, song: HeardSong) -> Signals | None:
        """The part in which a song played; None where there is too little."""
        first = max(0, round((song.begin_s - self.start_s) * FS_HZ))
        last = max(0, round((song.end_s - self.start_s) * FS_HZ))
        part = slice(first, last)
        lengths = [len(x[part]) for x in self.values.values()]
        if not lengths or min(lengths) < LEAST_S * FS_HZ:
            return None
        return Signals(
            self.start_s + first / FS_HZ,
            {c: x[part] for c, x in self.values.items()},
            {c: x[part] for c, x in self.measured.items()},
        )


def recordings_in(folder: Path) -> list[Path]:
    """The recordings below a folder, the oldest first."""
    try:
        return sorted(p for p in folder.iterdir() if (p / FILE_NAME).is_file())
    except OSError:
        return []


def heard_songs(path: Path) -> list[HeardSong]:
    """The songs that played during a recording, each at its longest unbroken stretch.

    Raises
    ------
    RecordingError
        If it cannot be read.
    """
    recording = open_recording(path)
    longest: dict[str, HeardSong] = {}
    for song in _stretches(recording, path.name):
        key = song.audio_hash or song.path
        known = longest.get(key)
        if song.duration_s >= LEAST_S and (known is None or song.duration_s > known.duration_s):
            longest[key] = song
    return sorted(longest.values(), key=lambda song: song.begin_s)


def _stretches(recording: Recording, name: str) -> Iterator[HeardSong]:
    if not recording.records:
        return
    first_s, last_s = recording.records[0].t_s, recording.records[-1].t_s
    begun_at = recording.meta.get("begun_at")
    epoch_s = float(begun_at) if isinstance(begun_at, int | float) else 0.0
    playing: HeardSong | None = None
    song: HeardSong | None = None
    for record in recording.records:
        if record.kind is not Kind.ANNOTATION:
            continue
        event = _event(record.payload)
        if event.get("kind") not in ("song", "position", "silence"):
            continue
        at_s = record.t_s - first_s
        if playing is not None:
            yield _ended(playing, at_s, epoch_s)
        if event["kind"] == "song":
            song = HeardSong(
                name, _integer(event.get("track_id")), _text(event, "audio_hash"),
                _text(event, "text"), _text(event, "path"), at_s, at_s, 0.0,
            )  # fmt: skip
        elif event["kind"] == "silence":
            song = None
        goes_on = song is not None and event.get("playing") is True
        playing = replace(song, begin_s=at_s) if song is not None and goes_on else None
    if playing is not None:
        yield _ended(playing, last_s - first_s, epoch_s)


def _ended(song: HeardSong, end_s: float, epoch_s: float) -> HeardSong:
    end_s = min(end_s, song.begin_s + _MOST_S)
    return replace(song, end_s=end_s, at_s=epoch_s + end_s if epoch_s else 0.0)


def _event(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def signals_of(path: Path) -> Signals:
    """All signals of a recording.

    Raises
    ------
    UndertoneError
        If it cannot be read, or holds less than a second.
    """
    chunks: dict[Channel, list[SignalChunk]] = {}
    for chunk in asyncio.run(_chunks(path)):
        chunks.setdefault(chunk.channel, []).append(chunk)
    spans = [(c[0].t0_s, c[-1].t0_s + c[-1].duration_s) for c in chunks.values()]
    start_s = max((begin for begin, _ in spans), default=0.0)
    end_s = min((end for _, end in spans), default=0.0)
    count = int((end_s - start_s) * FS_HZ)
    if count < FS_HZ:
        raise RecordingError(f"The recording {path.name} holds less than a second of signals")
    at_s = start_s + np.arange(count) / FS_HZ
    values, measured = {}, {}
    for channel, some in chunks.items():
        values[channel], measured[channel] = _on_grid(some, at_s)
    return Signals(start_s, values, measured)


async def _chunks(path: Path) -> list[SignalChunk]:
    source = ReplaySource(path, speed=float("inf"), clock=lambda: 0.0)
    return [delivery async for delivery in source if isinstance(delivery, SignalChunk)]


def _on_grid(
    chunks: Sequence[SignalChunk], at_s: NDArray[np.float64]
) -> tuple[Samples, NDArray[np.bool_]]:
    times = np.concatenate([c.t0_s + np.arange(len(c.samples)) / c.fs_hz for c in chunks])
    samples = np.concatenate([np.asarray(c.samples, np.float64) for c in chunks])
    order = np.argsort(times, kind="stable")
    times, samples = times[order], samples[order]
    values = np.interp(at_s, times, samples).astype(np.float32)
    after = np.clip(np.searchsorted(times, at_s), 1, len(times) - 1)
    apart = times[after] - times[after - 1]
    return values, apart <= 2.5 / chunks[0].fs_hz


def quality_fault(signals: Signals) -> str:
    """What is wrong with a song's signals where more than half of the time is bad; "" if not."""
    length = round(RECENT_S * FS_HZ)
    bad: dict[str, int] = {}
    pieces = faulty = 0
    for channel, values in signals.values.items():
        for start in range(0, len(values) - length + 1, length):
            part = slice(start, start + length)
            missing = float(np.mean(~signals.measured[channel][part]))
            issues = judge(channel, values[part], missing=missing).issues
            pieces += 1
            faulty += bool(issues)
            for issue in issues[:1]:
                text = f"{channel.value.upper()}: {issue.text}"
                bad[text] = bad.get(text, 0) + 1
    if pieces and faulty <= _BAD_SHARE * pieces:
        return ""
    return max(bad, key=lambda text: bad[text]) if bad else "too short"


def readable(path: Path) -> tuple[list[HeardSong], Signals] | None:
    """Songs and signals of a recording; None where it cannot be read or no song played."""
    try:
        songs = heard_songs(path)
        return (songs, signals_of(path)) if songs else None
    except (UndertoneError, ValueError):
        return None
