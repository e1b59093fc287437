"""The recorded sessions: a list of them, what each holds of songs and notes, and their end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.overwriting import delete_for_good
from app.wristband.recorder import FILE_NAME, Outline, RecordingError, outline_recording
from app.wristband.source import Provenance
from inference.emotion import Quadrant
from inference.errors import UndertoneError

__all__ = [
    "Anchor",
    "Moment",
    "RecordedSession",
    "SongSpan",
    "delete_recording",
    "list_recordings",
    "read_session",
]

_SIMULATED = ("simulated", "virtual")


@dataclass(frozen=True, slots=True)
class Anchor:
    """At `t_s` of the session the song was at `position_s`, and went on from there or stood."""

    t_s: float
    position_s: float
    playing: bool


@dataclass(frozen=True, slots=True)
class SongSpan:
    """A song that was the current one from `start_s` to `end_s` of the session.

    Parameters
    ----------
    track_id : int or None
        In the library at the time; `audio_hash` finds it under another id.
    anchors : tuple of Anchor
        In order of time, at least one.
    """

    start_s: float
    end_s: float
    title: str
    artist: str
    track_id: int | None
    audio_hash: str
    path: str
    anchors: tuple[Anchor, ...]

    def at(self, t_s: float) -> Anchor:
        """Where the song was at `t_s`, and whether it played."""
        latest = self.anchors[0]
        for anchor in self.anchors:
            if anchor.t_s > t_s:
                break
            latest = anchor
        gone_s = max(t_s - latest.t_s, 0.0) if latest.playing else 0.0
        return Anchor(t_s, latest.position_s + gone_s, latest.playing)

    def time_of(self, position_s: float, near_s: float) -> float | None:
        """When in the session the song was at `position_s`, the time nearest `near_s`."""
        found: list[float] = []
        for place, anchor in enumerate(self.anchors):
            last = place + 1 == len(self.anchors)
            until_s = self.end_s if last else self.anchors[place + 1].t_s
            t_s = anchor.t_s + position_s - anchor.position_s
            if anchor.playing and anchor.t_s <= t_s <= until_s:
                found.append(t_s)
        return min(found, key=lambda t: abs(t - near_s), default=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """A note of the listener, or (with `shown`) what was shown from then on."""

    t_s: float
    text: str = ""
    shown: Quadrant | None = None
    is_note: bool = True


@dataclass(frozen=True)
class RecordedSession:
    """A recording as the list shows it; times are seconds from its first record.

    Parameters
    ----------
    begun : datetime
        Local time.
    device : str
        What was listened to.
    provenance : Provenance
        REAL or SIMULATED: of the signals when they were recorded.
    quality : float or None
        Mean of what was judged meanwhile, 0..1; None where nothing was.
    damage : str
        Empty where the file is whole.
    """

    path: Path
    begun: datetime
    duration_s: float
    device: str
    provenance: Provenance
    songs: tuple[SongSpan, ...] = ()
    moments: tuple[Moment, ...] = ()
    quality: float | None = None
    damage: str = ""
    size_bytes: int = 0

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    def song_at(self, t_s: float) -> SongSpan | None:
        return next((span for span in self.songs if span.start_s <= t_s < span.end_s), None)


def list_recordings(folder: Path) -> list[RecordedSession]:
    """All sessions in `folder`, the newest first; what is none is passed over."""
    try:
        kept = list(folder.iterdir())
    except OSError:
        return []
    found = []
    for path in kept:
        try:
            found.append(read_session(path))
        except UndertoneError:
            continue
    return sorted(found, key=lambda session: session.begun, reverse=True)


def read_session(path: Path) -> RecordedSession:
    """What a recording holds besides the signals.

    Parameters
    ----------
    path : Path
        Its folder.

    Raises
    ------
    RecordingError
        If it cannot be read.
    """
    outline = outline_recording(path)
    end_s = outline.last_s - outline.first_s
    notes = list(_notes(outline))
    scores = [score for _, kind, note in notes if kind == "felt" for score in _scores(note)]
    meta = outline.meta
    stat = outline.path.stat()
    return RecordedSession(
        path=outline.path.parent,
        begun=datetime.fromtimestamp(_number(meta.get("begun_at")) or stat.st_mtime - end_s),
        duration_s=end_s,
        device=_text(meta.get("name")) or _text(meta.get("source")),
        provenance=_provenance(meta),
        songs=tuple(_spans(notes, end_s)),
        moments=tuple(_moments(notes)),
        quality=sum(scores) / len(scores) if scores else None,
        damage=outline.damage,
        size_bytes=stat.st_size,
    )


def delete_recording(path: Path) -> None:
    """Overwrite a recording with zeros and delete it with its folder, for good.

    Raises
    ------
    RecordingError
        If that cannot be done, or `path` is no recording's folder.
    """
    if not (path / FILE_NAME).is_file() or path.is_symlink():
        raise RecordingError(f"{path.name} is no recording")
    try:
        delete_for_good(path)
    except OSError as error:
        raise RecordingError(
            f"{path.name} cannot be deleted ({error.strerror})", "Make its folder writable."
        ) from error


# -- events ---------------------------------------------------------------------------

Note = tuple[float, str, dict[str, Any]]
"""Seconds from the first record, kind, values."""


def _notes(outline: Outline) -> Iterator[Note]:
    for record in outline.notes:
        try:
            values = json.loads(record.payload)
        except ValueError:
            continue
        if isinstance(values, dict) and math.isfinite(record.t_s):
            yield max(record.t_s - outline.first_s, 0.0), str(values.get("kind", "")), values


def _spans(notes: Sequence[Note], end_s: float) -> Iterator[SongSpan]:
    """One song after another; where the program died, the last one plays on to the end."""
    current: tuple[float, dict[str, Any]] | None = None
    anchors: list[Anchor] = []
    for t_s, kind, values in [*notes, (end_s, "silence", {})]:
        if kind == "position" and current is not None:
            anchors.append(_anchor(t_s, values))
        if kind not in ("song", "silence"):
            continue
        same = current is not None and kind == "song" and _same(current[1], values)
        if same:
            anchors.append(_anchor(t_s, values))
            continue
        if current is not None and t_s > current[0]:
            yield _span(current[0], t_s, current[1], anchors)
        current = (t_s, values) if kind == "song" else None
        anchors = [_anchor(t_s, values)] if kind == "song" else []


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether it is the same song still: told again since its mood was found, say."""
    return all(one.get(key) == other.get(key) for key in ("track_id", "audio_hash", "path"))


def _anchor(t_s: float, values: dict[str, Any]) -> Anchor:
    return Anchor(t_s, _number(values.get("position_s")) or 0.0, values.get("playing") is True)


def _span(
    start_s: float, end_s: float, values: dict[str, Any], anchors: Sequence[Anchor]
) -> SongSpan:
    track_id = values.get("track_id")
    return SongSpan(
        start_s,
        end_s,
        _text(values.get("text")),
        _text(values.get("artist")),
        track_id if isinstance(track_id, int) else None,
        _text(values.get("audio_hash")),
        _text(values.get("path"), 4096),
        tuple(anchors),
    )


def _moments(notes: Sequence[Note]) -> Iterator[Moment]:
    for t_s, kind, values in notes:
        if kind == "note":
            yield Moment(t_s, _text(values.get("text")))
        elif kind == "felt":
            shown = values.get("shown")
            known = shown in {q.value for q in Quadrant}
            yield Moment(t_s, "", Quadrant(shown) if known else None, is_note=False)


def _scores(values: dict[str, Any]) -> list[float]:
    quality = values.get("quality")
    if not isinstance(quality, dict):
        return []
    told = [_number(score) for score in quality.values()]
    return [score for score in told if score is not None]


def _provenance(meta: dict[str, Any]) -> Provenance:
    told = meta.get("provenance")
    if told == Provenance.SIMULATED.value or meta.get("source") in _SIMULATED:
        return Provenance.SIMULATED
    return Provenance.REAL


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if usable and math.isfinite(value) else None  # type: ignore[arg-type]


def _text(value: object, limit: int = 300) -> str:
    """One line of plain text: a recording may come from elsewhere."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value[:limit]).split())
