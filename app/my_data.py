"""Everything that is kept of the listener, in one place: counted, exported, deleted for good."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.labels import corrected, write
from app.overwriting import delete_for_good
from app.personal_models import FOLDER, PersonalModels, heard_folder
from app.unfinished import TrainingLock
from inference.emotion import Quadrant
from inference.errors import UndertoneError
from inference.job import Job, Progress
from library_db.answers import Answer, AnswerStore
from library_db.history import Play, PlayHistory
from library_db.index_file import INDEX_FILE
from library_db.personal_layer import (
    clear_corrections,
    clear_personal,
    corrected_ids,
    personal_ids,
)

if TYPE_CHECKING:
    from app.paths import Home
    from library_db.decisions import Decided
    from library_db.library import Library

__all__ = ["Deleted", "Kept", "Part", "answer_to_json", "delete_data", "export_data", "kept"]

_README = """\
Your data in Undertone, exported on {day}.

answers.json      what you answered when you were asked how a song felt
corrections.json  your own word on songs; `undertone labels import` reads it
decisions.json    what became of each of these words in the last training, and why
history.csv       what was played, for how long, which mood it counted as, and what was felt
models/           the versions of your own model
recordings/       recorded sessions of a sensor band

Times are UTC, in ISO 8601 or in seconds since 1970. Valence and arousal are in -1..1.
"""


class Part(str, Enum):
    """A kind of data that can be deleted by itself."""

    ANSWERS = "answers"
    """With them go the versions of the listener's model and what it said of the songs."""
    CORRECTIONS = "corrections"
    HISTORY = "history"
    RECORDINGS = "recordings"
    BACKUPS = "backups"
    """Daily copies of the library, and damaged ones that were set aside: they may hold corrections
    and the moods of the own model."""


@dataclass(frozen=True)
class Kept:
    """How much there is of each kind.

    Parameters
    ----------
    answers, corrections, versions, plays, recordings, backups : int
    songs : int
        That have a mood of the listener's own model.
    """

    answers: int = 0
    corrections: int = 0
    versions: int = 0
    songs: int = 0
    plays: int = 0
    recordings: int = 0
    backups: int = 0


@dataclass(frozen=True)
class Deleted:
    """What `delete_data` has deleted.

    Parameters
    ----------
    what : Kept
        Zero for the kinds that were left.
    touched : tuple of int
        Ids of the tracks that count as something else now.
    """

    what: Kept
    touched: tuple[int, ...]


def kept(library: Library, home: Home) -> Kept:
    """Count what is kept; nothing is made by looking."""
    folder = home.library_dir
    answers = plays = 0
    if AnswerStore.exists(folder):
        with AnswerStore.open(folder) as store:
            answers = len(store.all())
    if PlayHistory.exists(folder):
        with PlayHistory.open(folder) as history:
            plays = history.count()
    return Kept(
        answers=answers,
        corrections=len(corrected_ids(library)),
        versions=len(PersonalModels(home.models_dir).numbers()),
        songs=len(personal_ids(library)),
        plays=plays,
        recordings=len(_folders(home.recordings_dir)),
        backups=len(_backups(folder)),
    )


def export_data(library: Library, home: Home, target: Path) -> Job[Path]:
    """Copy everything that is kept of the listener into a new folder within `target`.

    Returns
    -------
    Path
        The folder, readable by its owner alone.

    Raises
    ------
    UndertoneError
        If it cannot be written; what was written of it is left.
    """
    try:
        folder = _new_folder(target / f"undertone-my-data-{time.strftime('%Y-%m-%d')}")
        yield Progress(0, 4, "answers and corrections")
        readme = _README.format(day=time.strftime("%Y-%m-%d"))
        (folder / "README.txt").write_text(readme, encoding="utf-8")
        rows = [answer_to_json(library, answer) for answer in _answers(home.library_dir)]
        (folder / "answers.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        decisions = [_decided_to_json(one) for one in _decisions(home.library_dir)]
        text = json.dumps(decisions, indent=1) + "\n"
        (folder / "decisions.json").write_text(text, encoding="utf-8")
        text = write(corrected(library, corrected_ids(library)))
        (folder / "corrections.json").write_text(text, encoding="utf-8")
        yield Progress(1, 4, "history")
        _write_history(library, home.library_dir, folder / "history.csv")
        yield Progress(2, 4, "models")
        models = PersonalModels(home.models_dir).folder
        if models.is_dir():
            shutil.copytree(models, folder / "models" / FOLDER)
        for recording in _folders(home.recordings_dir):
            yield Progress(3, 4, f"recording {recording.name}")
            shutil.copytree(recording, folder / "recordings" / recording.name)
    except (OSError, shutil.Error) as error:
        raise UndertoneError(
            f"your data could not be written to {target} ({error})",
            "Choose another folder, or free some space",
        ) from error
    return folder


def delete_data(library: Library, home: Home, parts: Collection[Part]) -> Deleted:
    """Delete these kinds for good; the bytes are overwritten where they lie in a database.

    Returns
    -------
    Deleted

    Raises
    ------
    UndertoneError
        If something cannot be deleted; what was deleted before it stays deleted.
    """
    before = kept(library, home)
    folder = home.library_dir
    touched: tuple[int, ...] = ()
    models = PersonalModels(home.models_dir)
    if Part.ANSWERS in parts:
        with TrainingLock(models):  # what is trained at this moment would come after it
            if AnswerStore.exists(folder):
                with AnswerStore.open(folder) as store:
                    store.delete()
            models.delete()
        touched += clear_personal(library).touched
    if Part.CORRECTIONS in parts:
        touched += clear_corrections(library).touched
        if AnswerStore.exists(folder):
            with AnswerStore.open(folder) as store:
                store.forget_corrections()
    if Part.HISTORY in parts and PlayHistory.exists(folder):
        with PlayHistory.open(folder) as history:
            history.delete()
    if Part.RECORDINGS in parts:
        for recording in _folders(home.recordings_dir):
            _remove(recording)
        _remove(heard_folder(models))
    if {Part.ANSWERS, Part.CORRECTIONS} & set(parts):
        library.store.database.fold_wal()
        _remove(folder / INDEX_FILE)  # a copy of the moods, made again at the end
    if Part.BACKUPS in parts:
        for backup in _backups(folder):
            _remove(backup)
    of_answers = Part.ANSWERS in parts
    gone = Kept(
        answers=before.answers if of_answers else 0,
        corrections=before.corrections if Part.CORRECTIONS in parts else 0,
        versions=before.versions if of_answers else 0,
        songs=before.songs if of_answers else 0,
        plays=before.plays if Part.HISTORY in parts else 0,
        recordings=before.recordings if Part.RECORDINGS in parts else 0,
        backups=before.backups if Part.BACKUPS in parts else 0,
    )
    return Deleted(gone, touched)


def answer_to_json(library: Library, answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON values; path, title and artist are null where the song is gone."""
    track = library.track(answer.track_id)
    if track is not None and track.audio_hash != answer.audio_hash:
        track = None
    place = answer.place
    return {
        "path": None if track is None else str(track.path),
        "title": None if track is None else track.title,
        "artist": None if track is None else track.artist,
        "audio_hash": answer.audio_hash,
        "at_s": answer.at_s,
        "position_s": answer.position_s,
        "shown": answer.shown.value,
        "answer": answer.answer.value,
        "valence": None if place is None else place.valence,
        "arousal": None if place is None else place.arousal,
        "probabilities": list(answer.predicted.probabilities),
        "confidence": answer.predicted.confidence,
        "model": answer.predicted.model_id,
        "shown_by": answer.shown_by.value,
        "occasion": answer.occasion.value,
        "session": answer.session or None,
    }


# inner workings


def _answers(folder: Path) -> list[Answer]:
    if not AnswerStore.exists(folder):
        return []
    with AnswerStore.open(folder) as store:
        return store.all()


def _decisions(folder: Path) -> list[Decided]:
    if not AnswerStore.exists(folder):
        return []
    with AnswerStore.open(folder) as store:
        return store.decisions()


def _decided_to_json(decided: Decided) -> dict[str, Any]:
    plain = asdict(decided)
    return {k: v.value if isinstance(v, Quadrant) else v for k, v in plain.items()}


def _write_history(library: Library, folder: Path, target: Path) -> None:
    plays: list[Play] = []
    if PlayHistory.exists(folder):
        with PlayHistory.open(folder) as history:
            plays = history.between(0.0, 1e12)
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ("began", "heard_s", "title", "artist", "path", "mood", "valence", "arousal", "felt")
        )
        for play, (title, artist, path) in zip(plays, _named(library, plays), strict=True):
            began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(play.began_s))
            mood = ("", "") if play.mood is None else (play.mood.valence, play.mood.arousal)
            table.writerow((
                began, play.heard_s, title, artist, path,
                play.quadrant.label if play.quadrant else "", *mood,
                play.felt.label if play.felt else "",
            ))  # fmt: skip


def _named(library: Library, plays: list[Play]) -> Iterator[tuple[str, str, str]]:
    tracks = {track.id: track for track in library.tracks({play.track_id for play in plays})}
    for play in plays:
        track = tracks.get(play.track_id)
        path = "" if track is None else str(track.path).encode("utf-8", "replace").decode()
        yield ("", "", "") if track is None else (track.title, track.artist, path)


def _folders(folder: Path) -> list[Path]:
    """The recordings."""
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return []


def _backups(folder: Path) -> list[Path]:
    """Daily copies of the library, and damaged ones that were set aside."""
    damaged = folder.glob("library-damaged-*")
    return sorted([*(folder / "backups").glob("library-*.sqlite3"), *damaged])


def _new_folder(wanted: Path) -> Path:
    folder, number = wanted, 2
    while folder.exists():
        folder, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _remove(path: Path) -> None:
    try:
        delete_for_good(path)
    except OSError as error:
        raise UndertoneError(
            f"{path} cannot be deleted ({os.strerror(error.errno or 0)})", "Delete it yourself"
        ) from error
