"""The listener's corrections as a file: written, read back, matched to the songs of a library."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.emotion import MoodPoint, Quadrant
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from library_db.emotion_layers import UserLabel
    from library_db.library import Library
    from library_db.track import Track

__all__ = [
    "Imported",
    "LabelsError",
    "corrected",
    "label_to_json",
    "load",
    "read",
    "take_over",
    "write",
]

FORMAT = "undertone-labels"
VERSION = 1
_MOST_BYTES = 200_000_000
_REMEDY = "Choose a file that `undertone labels export` wrote"


class LabelsError(UndertoneError):
    """A file of corrections that cannot be read."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of corrections.

    Parameters
    ----------
    taken, kept : int
        Corrections taken over, and songs whose own correction is as new or newer.
    unknown : tuple of Path
        Songs that the library does not have.
    """

    taken: int
    kept: int
    unknown: tuple[Path, ...]


def corrected(library: Library, ids: Iterable[int]) -> Iterator[tuple[Track, UserLabel]]:
    """The songs of `ids` that the listener has corrected."""
    wanted = [int(i) for i in ids]
    for start in range(0, len(wanted), 500):
        tracks = library.tracks(wanted[start : start + 500])
        emotions = library.emotions([track.id for track in tracks])
        for track, emotion in zip(tracks, emotions, strict=True):
            if emotion.user is not None:
                yield track, emotion.user


def label_to_json(track: Track, label: UserLabel) -> dict[str, Any]:
    """A correction as plain JSON values; valence and arousal are null where none was chosen."""
    return {
        "path": str(track.path),
        "audio_hash": track.audio_hash,
        "title": track.title,
        "artist": track.artist,
        "quadrant": label.quadrant.value,
        "valence": None if label.mood is None else label.mood.valence,
        "arousal": None if label.mood is None else label.mood.arousal,
        "at_s": label.at_s,
    }


def write(labels: Iterable[tuple[Track, UserLabel]], answers: Sequence[dict[str, Any]] = ()) -> str:
    """The text of a file that `read` reads, and `app.answers_file.read_answers` where it has any.

    Parameters
    ----------
    answers : sequence of dict
        As `app.my_data.answer_to_json` gives them.
    """
    rows = [label_to_json(track, label) for track, label in labels]
    whole: dict[str, Any] = {"format": FORMAT, "version": VERSION, "labels": rows}
    if answers:
        whole["answers"] = list(answers)
    return json.dumps(whole, allow_nan=False, indent=1) + "\n"


def read(path: Path) -> list[tuple[Path, str, UserLabel]]:
    """The corrections in a file, as (path, audio hash, label).

    Raises
    ------
    LabelsError
        If the file cannot be read or any of its entries is not a correction.
    """
    whole = load(path)
    rows = whole.get("labels")
    if not isinstance(rows, list):
        raise LabelsError(f"{path} holds no list of corrections", _REMEDY)
    return [_entry(path, number, row) for number, row in enumerate(rows, 1)]


def load(path: Path) -> dict[str, Any]:
    """A file of corrections and answers as plain JSON values.

    Raises
    ------
    LabelsError
        If it cannot be read, or is no such file.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LabelsError(f"{path} is too large to be a file of corrections", _REMEDY)
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabelsError(f"{path} cannot be read ({error.strerror})", _REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise LabelsError(f"{path} is not a file of corrections", _REMEDY) from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise LabelsError(f"{path} is not a file of corrections", _REMEDY)
    if whole.get("version") != VERSION:
        raise LabelsError(f"{path} was written by a newer version", "Install the newest Undertone")
    return whole


def take_over(library: Library, entries: Iterable[tuple[Path, str, UserLabel]]) -> Imported:
    """Take corrections over in one commit: by path, else by the audio; the newer one wins."""
    labels: dict[int, UserLabel] = {}
    kept = 0
    unknown: list[Path] = []
    for path, audio, label in entries:
        ids = _songs(library, path, audio)
        if not ids:
            unknown.append(path)
        for track_id in ids:
            mine = labels.get(track_id) or library.emotion(track_id).user
            if mine is not None and mine.at_s >= label.at_s:
                kept += 1
            else:
                labels[track_id] = label
    if labels:
        library.correct_many(labels)
    return Imported(len(labels), kept, tuple(unknown))


def _songs(library: Library, path: Path, audio: str) -> list[int]:
    track = library.by_path(path)
    if track is not None and (not audio or track.audio_hash == audio):
        return [track.id]
    return [file.id for file in library.files_with(audio) if file.hidden is None] if audio else []


def _entry(file: Path, number: int, row: Any) -> tuple[Path, str, UserLabel]:
    from library_db.emotion_layers import UserLabel

    try:
        quadrant = Quadrant(row["quadrant"])
        point = None
        if row.get("valence") is not None or row.get("arousal") is not None:
            point = MoodPoint(valence=float(row["valence"]), arousal=float(row["arousal"]))
        at_s = float(row["at_s"])
        if not (math.isfinite(at_s) and at_s >= 0):
            raise ValueError(f"at_s is {at_s}")
        path, audio = row["path"], row.get("audio_hash", "")
        if not (isinstance(path, str) and isinstance(audio, str)) or "\0" in path:
            raise ValueError("path and audio_hash must be texts")
        os.fsencode(path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabelsError(
            f"{file}: entry {number} is not a correction ({error})",
            "Mend or remove it; nothing was taken over",
        ) from error
    return Path(path), audio, UserLabel(quadrant, point, at_s)
