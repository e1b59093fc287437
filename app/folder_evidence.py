"""Words and sessions out of somebody's folder of recordings, in the place of one's own answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from app.evidence import Evidence, Word
from app.material import SessionFeatures
from inference.emotion import EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.job import Job, Progress
from inference.physio.signals import Channel

if TYPE_CHECKING:
    from app.song_task import Classifier
    from inference.audio.features import SongFeatures
    from inference.sensor_runtime import SensorClassifier
    from library_db.library import Library

__all__ = ["FolderEvidence", "ReadSong", "folder_evidence"]


class ReadSong(Protocol):
    """A listening; `inference.training.personal_folder.FolderSong`."""

    @property
    def song(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def quadrant(self) -> Quadrant: ...
    @property
    def audio(self) -> Path | None: ...
    @property
    def segments(self) -> dict[Channel, NDArray[np.float32]]: ...
    @property
    def fault(self) -> str: ...


@dataclass(frozen=True, eq=False)
class FolderEvidence:
    """What a folder says.

    Parameters
    ----------
    music : Evidence
        Words on songs that the common model knows: by the library, or by their audio.
    music_sessions, sessions : dict of int to SessionFeatures
        By the position of the word, in `music` and in `all`.
    features : dict of int to SongFeatures
        Of songs that are not in the library, by the position in `music`.
    all : Evidence
        Words on all songs, whatever is known of their music.
    """

    music: Evidence
    music_sessions: dict[int, SessionFeatures]
    features: dict[int, SongFeatures]
    all: Evidence
    sessions: dict[int, SessionFeatures]


def folder_evidence(
    songs: Sequence[ReadSong],
    library: Library,
    base_model: str,
    band: SensorClassifier | None,
    load: Callable[[], Classifier],
) -> Job[FolderEvidence]:
    """Bring a folder's words, signals and music together.

    Parameters
    ----------
    band : SensorClassifier or None
        The common sensor network; without it signals say nothing.
    load : callable
        Gives the classifier of music; called only if a song has to be heard.
    """
    unknown = EmotionEstimate.from_probabilities([0.25] * 4, 0.25, "unknown")
    classifier: Classifier | None = None
    whole: list[tuple[Word, EmotionEstimate | None, SongFeatures | None, SessionFeatures]] = []
    for number, song in enumerate(songs):
        yield Progress(number, len(songs), "reading the folder")
        estimate, track_id, features = _in_library(library, song.song, base_model)
        if estimate is None and song.audio is not None:
            classifier = classifier or load()
            try:
                heard = classifier.classify(song.audio)
            except UndertoneError:
                heard = None  # its signals count all the same
            if heard is not None and heard.estimate.model_id == base_model:
                estimate, features = heard.estimate, heard.features
        word = Word(
            "answer", None, track_id, song.song, float(song.order), song.quadrant,
            recording=f"{song.order}",
        )  # fmt: skip
        whole.append((word, estimate, features, _session(song, band)))
    known = [row for row in whole if row[1] is not None]
    return FolderEvidence(
        _evidence([(word, estimate or unknown) for word, estimate, _, _ in known], len(whole)),
        {i: row[3] for i, row in enumerate(known)},
        {i: row[2] for i, row in enumerate(known) if row[2] is not None},
        _evidence([(word, unknown) for word, *_ in whole], len(whole)),
        {i: row[3] for i, row in enumerate(whole)},
    )


def _session(song: ReadSong, band: SensorClassifier | None) -> SessionFeatures:
    if song.fault or band is None or not band.reads(frozenset(song.segments)):
        return SessionFeatures(None, fault=song.fault or "no sensor network is installed")
    estimate, features = band.read(song.segments)
    return SessionFeatures(features, estimate.quadrant, estimate=estimate)


def _in_library(
    library: Library, song: str, base_model: str
) -> tuple[EmotionEstimate | None, int | None, SongFeatures | None]:
    """A song whose manifest names it by its audio hash, as our own export does."""
    for file in library.files_with(song):
        common = library.emotion(file.id).common
        if file.hidden is None and common is not None and common.model_id == base_model:
            return common, file.id, None
    return None, None, None


def _evidence(rows: Sequence[tuple[Word, EmotionEstimate]], answers: int) -> Evidence:
    """A word a listening: each has signals of its own."""
    return Evidence(
        tuple(word for word, _ in rows), ((),) * len(rows), tuple(e for _, e in rows), (),
        answers, 0, 0, 0, answers - len(rows),
    )  # fmt: skip
