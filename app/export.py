"""Songs and their moods as text files: M3U8 playlist, CSV table, JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from app.rows import LIST_FIELDS, track_to_json
from inference.emotion import QUADRANTS
from library_db import m3u

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.relative import RelativeMood
    from library_db.track import Track

__all__ = ["WRITERS", "called", "write_csv", "write_json", "write_m3u8"]

_AXES = ("valence", "arousal")

Songs = Iterable[tuple["Track", "TrackEmotion", "RelativeMood | None"]]


def write_json(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """An array of the objects of `undertone list --json`."""
    before = "["
    for song in songs:
        file.write(before + json.dumps(track_to_json(*song), allow_nan=False))
        before = ",\n "
    file.write("]\n" if before != "[" else "[]\n")


def write_csv(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """A row a song; probabilities and ends of intervals in columns of their own.

    A byte of a file name that is not UTF-8 is written as ``\\xNN``, so that the table stays
    valid UTF-8; use JSON where names must survive exactly.
    """
    fields = [name for name in LIST_FIELDS if name not in ("probabilities", "seconds")]
    ends = [f"{axis}_{end}" for axis in _AXES for end in ("low", "high")]
    fields = [name for name in fields if not name.endswith("_interval")]
    columns = [*fields, *(f"p_{quadrant.value}" for quadrant in QUADRANTS), *ends]
    table = csv.DictWriter(file, columns)
    table.writeheader()
    for song in songs:
        row = track_to_json(*song)
        del row["seconds"]
        probabilities = row.pop("probabilities") or {}
        row |= {f"p_{quadrant.value}": probabilities.get(quadrant.value) for quadrant in QUADRANTS}
        row["possible"] = " ".join(row["possible"] or ())
        for axis in _AXES:
            low, high = row.pop(f"{axis}_interval") or (None, None)
            row |= {f"{axis}_low": low, f"{axis}_high": high}
        table.writerow({key: _printable(value) for key, value in row.items()})


def write_m3u8(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """An extended playlist in UTF-8, its paths relative to `folder` where they lie near."""
    m3u.write_m3u8(
        file, ((track.path, called(track), track.duration_s) for track, *_ in songs), folder
    )


def called(track: Track) -> str:
    """A song in a playlist's words: "Artist - Title"."""
    return f"{track.artist} - {track.title}" if track.artist else track.title


WRITERS: dict[str, Callable[[TextIO, Songs, Path | None], None]] = {
    "csv": write_csv,
    "json": write_json,
    "m3u8": write_m3u8,
}


def _printable(value: object) -> str:
    """Text that UTF-8 can hold."""
    if value is None:
        return ""
    return m3u.printable(str(value))
