"""What all data sets have in common: licence, citation, checks that name what is wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS, Quadrant
from inference.errors import UndertoneError
from inference.physio.signals import SignalChunk

__all__ = [
    "DatasetError",
    "DatasetInfo",
    "Listening",
    "MusicClip",
    "MusicSet",
    "SensorSet",
    "quadrant_of",
    "read_table",
]


class DatasetError(UndertoneError):
    """A data set folder that is not in its documented layout."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is and what may be done with what is learned from it.

    Parameters
    ----------
    name : str
        As in ``--dataset``.
    title, citation, licence : str
    layout : str
        The files that ``--root`` must hold, for error texts.
    """

    name: str
    title: str
    citation: str
    licence: str
    layout: str


@dataclass(frozen=True)
class MusicClip:
    """One labelled piece of music.

    Parameters
    ----------
    clip_id : str
    path : Path
        Audio (or MIDI, for EMOPIA).
    quadrant : Quadrant
    group : str
        Artist, or song where artists are unknown: never split it.
    weight : float
        Share of the evidence that points to the quadrant, in (0, 1].
    genre : str
        The first one named, or "".
    """

    clip_id: str
    path: Path
    quadrant: Quadrant
    group: str
    weight: float = 1.0
    genre: str = ""


@dataclass(frozen=True)
class MusicSet:
    """A loaded data set of music."""

    info: DatasetInfo
    root: Path
    clips: tuple[MusicClip, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Positions in `QUADRANTS`, shape (n,)."""
        return np.array([c.quadrant.position for c in self.clips], dtype=np.int64)

    @property
    def groups(self) -> NDArray[np.str_]:
        """Artist or song of each clip, shape (n,)."""
        return np.array([c.group for c in self.clips])

    @property
    def files(self) -> list[Path]:
        """All files that were or will be read."""
        return [c.path for c in self.clips]


@dataclass(frozen=True)
class Listening:
    """One listener's signals during one song.

    Parameters
    ----------
    listener, song : str
    order : int
        Place in the listener's session, from 0.
    quadrant : Quadrant
        As felt.
    gsr, ppg : SignalChunk
    valence, arousal : float or None
        Ratings brought to [-1, 1], where there are any.
    audio : Path or None
        The song, where the user has it.
    """

    listener: str
    song: str
    order: int
    quadrant: Quadrant
    gsr: SignalChunk
    ppg: SignalChunk
    valence: float | None = None
    arousal: float | None = None
    audio: Path | None = None

    @property
    def recording(self) -> str:
        return f"{self.listener}/{self.order}"


@dataclass(frozen=True)
class SensorSet:
    """A loaded data set of signals; `skipped` names what could not be used and why."""

    info: DatasetInfo
    root: Path
    listenings: tuple[Listening, ...]
    files: tuple[Path, ...]
    skipped: tuple[str, ...] = ()

    @property
    def labels(self) -> NDArray[np.int64]:
        """Positions in `QUADRANTS`, shape (n,)."""
        return np.array([x.quadrant.position for x in self.listenings], dtype=np.int64)

    def column(self, kind: str) -> NDArray[np.str_]:
        """Group labels by "listener", "song" or "recording", shape (n,)."""
        return np.array([str(getattr(x, kind)) for x in self.listenings])


def quadrant_of(valence: float, arousal: float) -> Quadrant:
    """Quadrant of ratings whose middle is 0; 0 counts as high (paper-spec item 21)."""
    return QUADRANTS[2 * int(arousal < 0) + int(valence < 0)]


def read_table(
    path: Path, columns: Sequence[str], info: DatasetInfo
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers.

    Raises
    ------
    DatasetError
        If the file is missing, is no text, or lacks one of `columns`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
            names = rows[0].keys() if rows else ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"cannot read {path.name} of {info.title} in {path.parent}",
            f"--root must hold: {info.layout}.",
        ) from error
    lacking = [c for c in columns if c not in names]
    if lacking:
        raise DatasetError(
            f"{path} lacks the column {lacking[0]!r}", f"--root must hold: {info.layout}."
        )
    for number, row in enumerate(rows, start=2):
        yield number, {k: (v or "").strip() for k, v in row.items() if isinstance(k, str)}


def parse_quadrant(text: str, where: str) -> Quadrant:
    """A quadrant by its short name.

    Raises
    ------
    DatasetError
        If it is no such name.
    """
    try:
        return Quadrant(text)
    except ValueError:
        names = ", ".join(q.value for q in QUADRANTS)
        raise DatasetError(f"{where}: {text!r} is no quadrant", f"Write one of {names}.") from None


def inside(root: Path, name: str, where: str) -> Path:
    """A file named by a table, refused where it leads out of `root`.

    Raises
    ------
    DatasetError
        If the name is absolute or climbs out.
    """
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DatasetError(f"{where}: {name!r} leads out of the folder", "Use a plain name.")
    return path
