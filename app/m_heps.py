"""My sessions as an M-HEPS-like folder: manifest and one CSV a signal, as data sets read it.

The layout is that of `inference.datasets.recordings`: ``manifest.csv`` (listener, song, quadrant,
gsr, ppg, audio, fs_hz) and signals with one value a line, GSR in microsiemens.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.heard_songs import HeardSong, Signals, quality_fault, readable, recordings_in
from inference.emotion import Quadrant
from inference.errors import UndertoneError
from inference.job import Job, Progress
from inference.physio.signals import FS_HZ, Channel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evidence import Word
    from library_db.library import Library

__all__ = ["COLUMNS", "Exported", "export_sessions"]

COLUMNS = ("listener", "song", "quadrant", "gsr", "ppg", "audio", "fs_hz")
_BOTH = frozenset(Channel)


@dataclass(frozen=True)
class Exported:
    """What became of the sessions.

    Parameters
    ----------
    written : int
        Songs with signals and a word.
    left_out : tuple of (str, str)
        Others, each with its reason.
    """

    written: int
    left_out: tuple[tuple[str, str], ...]


def export_sessions(
    library: Library,
    words: Iterable[Word],
    recordings: Path,
    folder: Path,
    *,
    listener: str,
    audio: bool = False,
) -> Job[Exported]:
    """Write every song that was heard with a band and has a word of the listener.

    Parameters
    ----------
    words : iterable of Word
        One a song: `app.evidence.collect`.
    recordings : Path
        Folder of the recordings.
    folder : Path
        A new or empty one; readable by its owner alone.
    listener : str
        Name in the manifest.
    audio : bool
        Copy the songs' files, too.

    Raises
    ------
    UndertoneError
        If the folder is not empty or cannot be written.
    """
    said = {word.audio_hash or f"track {word.track_id}": word.word for word in words}
    rows: list[dict[str, str]] = []
    left_out: list[tuple[str, str]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise UndertoneError(f"{folder} is not empty", "Name a new folder with -o DIR")
        found = recordings_in(recordings)
        for number, path in enumerate(found):
            yield Progress(number, len(found), path.name)
            read = readable(path)
            if read is None:
                left_out.append((path.name, "no song is known to have played, or it is damaged"))
                continue
            songs, signals = read
            for song in songs:
                quadrant = said.get(song.audio_hash or f"track {song.track_id}")
                fault = _fault(song, signals, quadrant)
                if fault or quadrant is None:
                    left_out.append((f"{path.name}: {song.title}", fault))
                    continue
                rows.append(
                    _write_song(folder, listener, song, signals, quadrant, len(rows) + 1)
                    | ({"audio": _copy(library, song, folder)} if audio else {})
                )
        _write_text(folder / "manifest.csv", lambda file: _manifest(file, rows))
    except OSError as error:
        raise UndertoneError(
            f"your sessions cannot be written to {folder} ({error.strerror})",
            "Free some space, or choose another folder",
        ) from error
    return Exported(len(rows), tuple(left_out))


def _fault(song: HeardSong, signals: Signals, quadrant: Quadrant | None) -> str:
    """Why a song is left out; "" if it is not."""
    if quadrant is None:
        return "you have not said how it felt"
    if signals.channels != _BOTH:
        return "only one signal was recorded"
    part = signals.during(song)
    if part is None:
        return "too little of it was recorded"
    fault = quality_fault(part)
    return f"bad signals: {fault}" if fault else ""


def _write_song(
    folder: Path, listener: str, song: HeardSong, signals: Signals, quadrant: Quadrant, number: int
) -> dict[str, str]:
    part = signals.during(song)
    assert part is not None
    row = {
        "listener": listener,
        "song": song.audio_hash or song.title or f"song {number}",
        "quadrant": quadrant.value,
        "audio": "",
        "fs_hz": f"{FS_HZ:g}",
    }
    for channel, values in part.values.items():
        name = f"signals/{number:04}-{channel.value}.csv"
        row[channel.value] = name
        _write_text(folder / name, lambda file, x=values: _values(file, x))  # type: ignore[misc]
    return row


def _values(file: object, values: NDArray[np.float32]) -> None:
    file.write("\n".join(f"{v:.6g}" for v in values.tolist()) + "\n")  # type: ignore[attr-defined]


def _manifest(file: object, rows: Sequence[dict[str, str]]) -> None:
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n")  # type: ignore[arg-type]
    table.writeheader()
    table.writerows(rows)


def _copy(library: Library, song: HeardSong, folder: Path) -> str:
    """Copy a song's file; "" where it is not there any more."""
    track = library.track(song.track_id) if song.track_id is not None else None
    if track is None or track.audio_hash != song.audio_hash:
        files = [f for f in library.files_with(song.audio_hash) if f.hidden is None]
        track = library.track(files[0].id) if song.audio_hash and files else None
    if track is None or not track.path.is_file():
        return ""
    name = f"audio/{track.id:06}{track.path.suffix.lower()}"
    target = folder / name
    if not target.exists():
        target.parent.mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(track.path, target)
    return name


def _write_text(path: Path, write: Callable[[object], None]) -> None:
    path.parent.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        write(file)
