"""Turns a recording into tables that any program reads: one CSV file a signal, one of events."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.wristband.recorder import Kind, RecordingError, open_recording
from app.wristband.replay import ReplaySource
from app.wristband.source import Annotation, AnnotationKind, Delivery, HeartRate
from inference.physio.signals import Channel, SignalChunk

__all__ = ["Contents", "Event", "export_csv", "read_contents"]

_HEADS = {Channel.GSR: ["t_s", "gsr_uS"], Channel.PPG: ["t_s", "ppg"]}


class Event(NamedTuple):
    """Something that happened, seconds from the first record."""

    t_s: float
    kind: str
    detail: str
    text: str


@dataclass(frozen=True)
class Contents:
    """What a recording holds, on a clock that begins with its first record.

    Parameters
    ----------
    meta : mapping
    deliveries : tuple of Delivery
    events : tuple of Event
        In order of time.
    begun : datetime or None
        When it was recorded, where its folder says so.
    """

    meta: Mapping[str, Any]
    deliveries: tuple[Delivery, ...]
    events: tuple[Event, ...]
    begun: datetime | None


def export_csv(recording: Path, folder: Path) -> list[Path]:
    """Write gsr.csv, ppg.csv, heart_rate.csv and events.csv of a recording, as far as it has them.

    Parameters
    ----------
    recording : Path
        Its folder or its file.
    folder : Path
        Made if missing. Times are seconds from the first record; what is
        missing is missing in the tables too, with a `gap` among the events.

    Returns
    -------
    list of Path
        The files that were written, readable by their owner alone.

    Raises
    ------
    RecordingError
        If the recording cannot be read, or a file is there already or
        cannot be written.
    """
    contents = read_contents(recording)
    deliveries = contents.deliveries
    tables: list[tuple[str, list[str], Iterable[Sequence[object]]]] = [
        (f"{channel.value}.csv", _HEADS[channel], list(_rows(deliveries, channel)))
        for channel in Channel
    ]
    rates = [(f"{d.t_s:.4f}", d.bpm) for d in deliveries if isinstance(d, HeartRate)]
    tables.append(("heart_rate.csv", ["t_s", "bpm"], rates))
    shown = [(f"{e.t_s:.4f}", e.kind, e.detail, e.text) for e in contents.events]
    tables.append(("events.csv", ["t_s", "kind", "detail", "text"], shown))
    return [_write(folder / name, head, rows) for name, head, rows in tables if rows]


def read_contents(recording: Path) -> Contents:
    """Read a recording for export.

    Parameters
    ----------
    recording : Path
        Its folder or its file.

    Raises
    ------
    RecordingError
        If it cannot be read.
    """
    opened = open_recording(recording)
    deliveries = asyncio.run(_all(opened.path))
    events = [
        Event(d.t_s, d.kind.value, d.channel.value if d.channel else "", d.text)
        for d in deliveries
        if isinstance(d, Annotation)
    ]
    told = {kind.value for kind in AnnotationKind}
    first_s = opened.records[0].t_s if opened.records else 0.0
    for record in opened.records:
        if record.kind is Kind.ANNOTATION:
            noted = json.loads(record.payload)
            kind, text = str(noted.pop("kind", "")), str(noted.pop("text", ""))
            if kind in told and any(r.kind is Kind.PACKET for r in opened.records):
                continue  # the packets themselves tell it again
            more = json.dumps(noted) if noted else ""
            events.append(Event(record.t_s - first_s, kind, more, text))
    return Contents(opened.meta, tuple(deliveries), tuple(sorted(events)), _begun(opened.path))


def _begun(file: Path) -> datetime | None:
    """When it was recorded, by the name of its folder."""
    try:
        return datetime.strptime(file.parent.name[:19], "%Y-%m-%dT%H-%M-%S")
    except ValueError:
        return None


async def _all(recording: Path) -> list[Delivery]:
    source = ReplaySource(recording, speed=float("inf"), clock=lambda: 0.0)
    return [delivery async for delivery in source]


def _rows(deliveries: Iterable[Delivery], channel: Channel) -> Iterable[Sequence[object]]:
    for chunk in deliveries:
        if isinstance(chunk, SignalChunk) and chunk.channel is channel:
            for i, value in enumerate(chunk.samples.tolist()):
                yield f"{chunk.t0_s + i / chunk.fs_hz:.4f}", f"{value:.6g}"


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(head)
            table.writerows(rows)
    except OSError as error:
        raise RecordingError(
            f"{path.name} cannot be written ({error.strerror})", "Choose an empty folder."
        ) from error
    return path
