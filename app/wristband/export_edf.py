"""Turns a recording into EDF+ or BDF+, which any biosignal program reads, with units and events.

EDF+ holds 16 bits a sample, BDF+ 24. What is missing is never filled in: it stands at the lowest
value, which no sensor gives, and an annotation says from when to when.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyedflib
from numpy.typing import NDArray

from app.wristband.edf_tracks import MISSING
from app.wristband.export import Contents, Event, read_contents
from app.wristband.recorder import RecordingError
from app.wristband.source import HeartRate
from inference.physio.signals import Channel, SignalChunk

__all__ = ["export_edf"]

Floats = NDArray[np.float64]
Format = Literal["edf", "bdf"]

_BITS = {"edf": 16, "bdf": 24}
_TYPES = {"edf": pyedflib.FILETYPE_EDFPLUS, "bdf": pyedflib.FILETYPE_BDFPLUS}
_LONGEST_TEXT = 40
"""Characters of an annotation that pyEDFlib writes."""
_MOST_ANNOTATION_SIGNALS = 64
_LEAP_S = 1.0
"""A chunk further from where the count of samples puts it begins a stretch of its own."""
_STEPS = {Channel.GSR: 0.001, Channel.PPG: 1.0}
"""Steps that bands measure in: kept exactly where the range allows it."""


@dataclass(frozen=True)
class _Signal:
    """One signal, evenly sampled from the first moment of the recording on; NaN: missing."""

    label: str
    unit: str
    fs_hz: float
    values: Floats
    step: float


def export_edf(recording: Path, file: Path, kind: Format = "edf") -> Path:
    """Write a recording as one EDF+ or BDF+ file.

    Parameters
    ----------
    recording : Path
        Its folder or its file.
    file : Path
        Must not exist; readable by its owner alone.
    kind : "edf" or "bdf"
        16 bits: conductance in its steps of 0.001 uS, the pulse exactly where
        it spans less than 65,535 units, else rounded to its 65,534th part.
        24 bits: a band's samples are kept exactly.

    Returns
    -------
    Path
        `file`.

    Raises
    ------
    RecordingError
        If the recording cannot be read or holds no signal, or the file is
        there already or cannot be written.
    """
    contents = read_contents(recording)
    signals = list(_signals(contents))
    if not signals:
        raise RecordingError("The recording holds no signal", "Export its events as CSV.")
    _claim(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _write(file, kind, contents, signals)
    except (OSError, ValueError, AssertionError, Warning) as error:
        file.unlink(missing_ok=True)
        raise RecordingError(
            f"{file.name} cannot be written ({error})", "Export the recording as CSV."
        ) from error
    return file


def _claim(file: Path) -> None:
    """Make the file, private and empty, so that nothing is ever overwritten."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise RecordingError(
            f"{file.name} cannot be written ({error.strerror})", "Choose another name."
        ) from error


# -- signals -------------------------------------------------------------------


def _signals(contents: Contents) -> Iterator[_Signal]:
    for channel in Channel:
        chunks = [
            d for d in contents.deliveries if isinstance(d, SignalChunk) and d.channel is channel
        ]
        # A source that changes its rate midway makes one signal a rate.
        for number, fs_hz in enumerate(dict.fromkeys(c.fs_hz for c in chunks), 1):
            name = channel.value.upper() + ("" if number == 1 else f" {number}")
            values = _line_up([c for c in chunks if c.fs_hz == fs_hz], fs_hz)
            unit = "uS" if channel is Channel.GSR else ""
            yield _Signal(name, unit, fs_hz, values, _STEPS[channel])
    rates = [d for d in contents.deliveries if isinstance(d, HeartRate)]
    if rates:
        yield _Signal("HR", "bpm", 1.0, _hold(rates), 1.0)


def _line_up(chunks: Sequence[SignalChunk], fs_hz: float) -> Floats:
    """All samples at their places since the first moment; NaN where there is none."""
    parts: list[Floats] = []
    count = 0
    for i, chunk in enumerate(chunks):
        late_s = chunk.t0_s - count / fs_hz
        missing = max(chunk.lost, 0)
        if i == 0 or abs(late_s - missing / fs_hz) > _LEAP_S:
            missing = max(0, round(late_s * fs_hz))
        parts += [np.full(missing, np.nan), chunk.samples.astype(np.float64)]
        count += missing + len(chunk.samples)
    return np.concatenate(parts)


def _hold(rates: Sequence[HeartRate]) -> Floats:
    """The heart rate once a second: the last one told, for five seconds at most."""
    values = np.full(int(rates[-1].t_s) + 1, np.nan)
    for rate, following in zip(rates, [*rates[1:], None], strict=True):
        start = max(0, math.ceil(rate.t_s))
        stop = math.ceil(following.t_s) if following is not None else start + 1
        if rate.bpm > 0:
            values[start : min(stop, start + 5)] = float(rate.bpm)
    return values


@dataclass(frozen=True)
class _Scale:
    """How values become whole numbers: `low` is `bottom`, which stands for what is missing."""

    low: float
    high: float
    bottom: int
    top: int

    def digital(self, values: Floats) -> NDArray[np.int32]:
        step = (self.high - self.low) / (self.top - self.bottom)
        whole = np.round((np.nan_to_num(values) - self.low) / step) + self.bottom
        whole = np.clip(whole, self.bottom + 1, self.top)
        return np.where(np.isnan(values), self.bottom, whole).astype(np.int32)


def _scale(signal: _Signal, bits: int) -> _Scale:
    """The signal's own steps where they are few enough, else as many as there are of its range."""
    bottom, most_steps = -(1 << (bits - 1)), (1 << bits) - 1
    there = signal.values[np.isfinite(signal.values)]
    least, most = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    step = signal.step
    for floor in (0.0, math.floor(least)):
        low, steps = floor - step, max(2, round((most - floor) / step) + 1)
        high = low + steps * step
        fits = len(f"{high:.3f}" if step < 1.0 else f"{high:.0f}") <= 8
        if least >= floor and steps <= most_steps and fits and _whole(there / step):
            return _Scale(round(low, 3), round(high, 3), bottom, bottom + steps)
    margin = max((most - least) / (most_steps - 2), 1e-6)
    low, high = _eight(least - margin, math.floor), _eight(most + margin, math.ceil)
    return _Scale(low, high, bottom, bottom + most_steps)


def _whole(steps: Floats) -> bool:
    return bool(np.all(np.abs(steps - np.round(steps)) < 0.05))


def _eight(value: float, towards: Callable[[float], int]) -> float:
    """The nearest number of eight characters, as the header holds them, down or up."""
    for digits in range(6, -1, -1):
        rounded = float(towards(value * 10**digits)) / 10.0**digits
        if len(f"{rounded:.{digits}f}") <= 8:
            return rounded
    raise ValueError(f"{value} does not fit into the header")


# -- the file --------------------------------------------------------------------


def _write(file: Path, kind: Format, contents: Contents, signals: Sequence[_Signal]) -> None:
    scales = [_scale(s, _BITS[kind]) for s in signals]
    duration_s = max(len(s.values) / s.fs_hz for s in signals)
    end = (duration_s, -1.0, "end of the recording")
    notes = sorted([*_gaps(signals), *_texts(contents.events), end])
    writer = pyedflib.EdfWriter(str(file), len(signals), file_type=_TYPES[kind])
    with contextlib.closing(writer):
        writer.setHeader(_header(contents))
        writer.setSignalHeaders(
            [_signal_header(s, scale) for s, scale in zip(signals, scales, strict=True)]
        )
        records = max(1, math.ceil(duration_s / writer.record_duration))
        wanted = math.ceil(len(notes) / records) or 1
        writer.set_number_of_annotation_signals(min(wanted, _MOST_ANNOTATION_SIGNALS))
        data = []
        for i, (signal, scale) in enumerate(zip(signals, scales, strict=True)):
            whole = np.full(records * writer.get_smp_per_record(i), np.nan)
            whole[: len(signal.values)] = signal.values[: len(whole)]
            data.append(scale.digital(whole))
        writer.writeSamples(data, digital=True)
        for onset_s, duration, text in notes:
            writer.writeAnnotation(max(0.0, onset_s), duration, text)


def _header(contents: Contents) -> dict[str, Any]:
    name = str(contents.meta.get("name") or "").encode("ascii", "replace").decode()
    return {
        "technician": "",
        "recording_additional": "Undertone",
        "patientname": "",
        "patient_additional": "",
        "patientcode": "",
        "equipment": "".join(c if c.isalnum() else "_" for c in name)[:40],
        "admincode": "",
        "sex": "",
        "startdate": contents.begun or datetime(1985, 1, 1),
        "birthdate": "",
    }


def _signal_header(signal: _Signal, scale: _Scale) -> dict[str, Any]:
    return {
        "label": signal.label,
        "dimension": signal.unit,
        "sample_frequency": signal.fs_hz,
        "physical_min": _short(scale.low),
        "physical_max": _short(scale.high),
        "digital_min": scale.bottom,
        "digital_max": scale.top,
        "transducer": "",
        "prefilter": f"none; {MISSING}",
    }


def _short(value: float) -> float:
    """Whole numbers without ".0": the header has eight characters."""
    return int(value) if value == int(value) else value


def _gaps(signals: Sequence[_Signal]) -> Iterator[tuple[float, float, str]]:
    """(onset, duration, text) of each stretch that is missing."""
    for signal in signals:
        missing = np.concatenate([[False], np.isnan(signal.values), [False]])
        edges = np.flatnonzero(np.diff(missing.astype(np.int8)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            text = f"missing: {stop - start} of {signal.label}"
            yield float(start / signal.fs_hz), float((stop - start) / signal.fs_hz), text


def _texts(events: Sequence[Event]) -> Iterator[tuple[float, float, str]]:
    """Events as annotations; a long text goes on in the next one at the same time."""
    for event in events:
        text = " ".join(x for x in (event.kind, event.detail, event.text) if x)
        text = " ".join(text.split())
        for start in range(0, len(text), _LONGEST_TEXT):
            yield event.t_s, -1.0, text[start : start + _LONGEST_TEXT]
