"""Songs and their moods as text files: M3U8 playlist, CSV table, JSON."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from app.rows import LIST_FIELDS, track_to_json
from inference.emotion import QUADRANTS

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.track import Track

__all__ = ["WRITERS", "write_csv", "write_json", "write_m3u8"]

Songs = Iterable[tuple["Track", "TrackEmotion"]]


def write_json(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """An array of the objects of `undertone list --json`."""
    before = "["
    for track, emotion in songs:
        file.write(before + json.dumps(track_to_json(track, emotion), allow_nan=False))
        before = ",\n "
    file.write("]\n" if before != "[" else "[]\n")


def write_csv(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """A row a song; the four probabilities in columns of their own.

    A byte of a file name that is not UTF-8 is written as ``\\xNN``, so that the table stays
    valid UTF-8; use JSON where names must survive exactly.
    """
    fields = [name for name in LIST_FIELDS if name not in ("probabilities", "seconds")]
    columns = [*fields, *(f"p_{quadrant.value}" for quadrant in QUADRANTS)]
    table = csv.DictWriter(file, columns)
    table.writeheader()
    for track, emotion in songs:
        row = track_to_json(track, emotion)
        del row["seconds"]
        probabilities = row.pop("probabilities") or {}
        row |= {f"p_{quadrant.value}": probabilities.get(quadrant.value) for quadrant in QUADRANTS}
        table.writerow({key: _printable(value) for key, value in row.items()})


def write_m3u8(file: TextIO, songs: Songs, folder: Path | None) -> None:
    """An extended playlist in UTF-8, relative to `folder` where a song lies below it.

    A path that a line cannot hold (a line break, bytes that are not UTF-8) becomes a
    percent-encoded ``file://`` address.
    """
    file.write("#EXTM3U\n")
    for track, _ in songs:
        seconds = -1 if track.duration_s is None else round(track.duration_s)
        artist = f"{track.artist} - " if track.artist else ""
        title = " ".join(_printable(f"{artist}{track.title}").split())
        file.write(f"#EXTINF:{seconds},{title}\n{_playlist_path(track.path, folder)}\n")


WRITERS: dict[str, Callable[[TextIO, Songs, Path | None], None]] = {
    "csv": write_csv,
    "json": write_json,
    "m3u8": write_m3u8,
}


def _playlist_path(path: Path, folder: Path | None) -> str:
    text = str(path)
    if "\n" in text or "\r" in text or _printable(text) != text:
        return "file://" + quote(os.fsencode(path))
    if folder is not None and path.is_relative_to(folder):
        relative = str(path.relative_to(folder))
        # A leading # would be a comment, "c:/x" an address.
        return f"./{relative}" if relative.startswith("#") or ":" in relative else relative
    return text


def _printable(value: object) -> str:
    """Text that UTF-8 can hold."""
    if value is None:
        return ""
    text = os.fsencode(value) if isinstance(value, Path) else str(value)
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogateescape")
    return text.decode("utf-8", "backslashreplace")
