"""What the listener answered when asked how a song felt: a file of its own, deletable for good.

Apart from the library's file, because that one is backed up, and what is
deleted here must be nowhere (`library_db.private_file`). An answer is on the
disk when `add` returns.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from inference.emotion import EmotionEstimate, MoodPoint, Quadrant
from library_db.database import Durability
from library_db.decisions import Decided, decided_of, insert_decided, make_decisions
from library_db.private_file import PrivateFormat, PrivateStore

__all__ = ["Answer", "AnswerStore", "Occasion", "ShownBy"]


class ShownBy(str, Enum):
    """Whose word the question repeated."""

    MUSIC = "music"
    """A model of the song alone."""
    SENSORS = "sensors"
    """The network that reads skin conductance and pulse."""
    FUSED = "fused"
    """The song's estimate, updated by the sensors."""


class Occasion(str, Enum):
    """When the question came."""

    SONG_END = "song end"
    CHANGE = "change"
    """The state that the sensors showed had changed, in the midst of a song."""


_COLUMNS = (
    "track_id, audio_hash, at_s, position_s, shown, answer, "
    "p_hahv, p_halv, p_lahv, p_lalv, confidence, model_id, "
    "valence, arousal, shown_by, occasion, session"
)


def _make_table(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "track_id INTEGER NOT NULL, audio_hash TEXT NOT NULL, at_s REAL NOT NULL, "
        "position_s REAL NOT NULL, shown TEXT NOT NULL, answer TEXT NOT NULL, "
        "p_hahv REAL NOT NULL, p_halv REAL NOT NULL, p_lahv REAL NOT NULL, p_lalv REAL NOT NULL, "
        "confidence REAL NOT NULL, model_id TEXT NOT NULL)"
    )


def _add_places_and_sources(connection: sqlite3.Connection) -> None:
    for column in (
        "valence REAL",
        "arousal REAL",
        "shown_by TEXT NOT NULL DEFAULT 'music'",
        "occasion TEXT NOT NULL DEFAULT 'song end'",
        "session TEXT NOT NULL DEFAULT ''",
    ):
        connection.execute(f"ALTER TABLE answers ADD COLUMN {column}")


_FORMAT = PrivateFormat(
    "answers.sqlite3",
    "answers",
    "`undertone labels forget` deletes the damaged file too.",
    (_make_table, _add_places_and_sources, make_decisions),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to "This felt Calm to you?".

    Parameters
    ----------
    track_id : int
        In the library at the time.
    audio_hash : str
        Of the song's audio, which finds it again under another id.
    at_s : float
        When, in seconds since the epoch.
    position_s : float
        In the song.
    shown : Quadrant
        What the question named.
    predicted : EmotionEstimate
        What the model that was shown said of the song, with its id.
    answer : Quadrant
        What the listener said; a yes repeats `shown`.
    place : MoodPoint, optional
        Where on the plane the listener put it; it lies in the quadrant `answer`.
    shown_by : ShownBy
    occasion : Occasion
    session : str
        Name of the recording that ran at the time; empty: none did.
    id : int, optional
        In the file; None before it is kept there.

    Raises
    ------
    ValueError
        If a time is not a finite number, or the place lies in another quadrant.
    """

    track_id: int
    audio_hash: str
    at_s: float
    position_s: float
    shown: Quadrant
    predicted: EmotionEstimate
    answer: Quadrant
    place: MoodPoint | None = None
    shown_by: ShownBy = ShownBy.MUSIC
    occasion: Occasion = Occasion.SONG_END
    session: str = ""
    id: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.at_s) and math.isfinite(self.position_s)):
            raise ValueError("times must be finite numbers")
        if self.place is not None and Quadrant.of(self.place) is not self.answer:
            raise ValueError("the place must lie in the quadrant that was answered")

    @property
    def agreed(self) -> bool:
        return self.answer is self.shown


class AnswerStore(PrivateStore):
    """The file of answers in a library's folder.

    Examples
    --------
    >>> with AnswerStore.open(Path("library")) as answers:  # doctest: +SKIP
    ...     answers.add(answer)
    """

    form = _FORMAT

    def add(self, *answers: Answer) -> None:
        """Keep answers in one commit; they survive a power cut from now on."""
        with self._file.database.transaction(Durability.LISTENER) as connection:
            connection.executemany(
                f"INSERT INTO answers ({_COLUMNS}) VALUES ({_PLACES})",
                [_row(answer) for answer in answers],
            )

    def change(self, answer_id: int, answer: Quadrant, place: MoodPoint | None = None) -> bool:
        """Set what was answered, when the listener has thought better of it.

        Returns
        -------
        bool
            Whether that answer is there.
        """
        with self._file.deleting() as connection:  # what is replaced is to be gone
            found = connection.execute(
                "UPDATE answers SET answer = ?, valence = ?, arousal = ? WHERE id = ?",
                (answer.value, *_place(place), int(answer_id)),
            ).rowcount
            # What was decided on the former word does not hold of this one.
            connection.execute("DELETE FROM decisions WHERE answer_id = ?", (int(answer_id),))
        return found > 0

    def all(self) -> list[Answer]:
        """All answers, the oldest first; a row that says nothing sensible is left out."""
        with self._file.database.reading() as connection:
            rows = connection.execute(
                f"SELECT id, {_COLUMNS} FROM answers ORDER BY at_s, id"
            ).fetchall()
        answers = []
        for row in rows:
            with suppress(ValueError, TypeError):
                answers.append(_answer(row))
        return answers

    def delete(self, track_ids: Iterable[int] | None = None) -> int:
        """Delete the answers on these songs, or all, so that the file no longer holds them.

        What was decided on them goes too; with all of them go the damaged files.

        Returns
        -------
        int
            How many were deleted.
        """
        if track_ids is not None:
            return self._delete_where("track_id", track_ids)
        with self._file.deleting() as connection:
            count = connection.execute("DELETE FROM answers").rowcount
            connection.execute("DELETE FROM decisions")
        self._file.delete_damaged()
        return max(count, 0)

    def remove(self, answer_ids: Iterable[int]) -> int:
        """Delete single answers by their ids, so that the file no longer holds them.

        Returns
        -------
        int
            How many were deleted.
        """
        return self._delete_where("id", answer_ids)

    def decide(self, decisions: Iterable[Decided]) -> None:
        """Put these decisions in the place of all former ones, in one commit."""
        with self._file.deleting() as connection:
            connection.execute("DELETE FROM decisions")
            insert_decided(connection, decisions)

    def forget_corrections(self, track_ids: Iterable[int] | None = None) -> None:
        """Delete what was decided on corrections of these songs, or of all, that are taken back."""
        with self._file.deleting() as connection:
            if track_ids is None:
                connection.execute("DELETE FROM decisions WHERE origin = 'correction'")
                return
            connection.executemany(
                "DELETE FROM decisions WHERE origin = 'correction' AND track_id = ?",
                [(int(track_id),) for track_id in track_ids],
            )

    def decisions(self) -> list[Decided]:
        """What became of each word at the last training."""
        with self._file.database.reading() as connection:
            return decided_of(connection)

    def _delete_where(self, column: str, values: Iterable[int]) -> int:
        wanted = [(int(value),) for value in values]
        with self._file.deleting() as connection:
            count = connection.executemany(
                f"DELETE FROM answers WHERE {column} = ?", wanted
            ).rowcount
            of = "answer_id" if column == "id" else column
            connection.executemany(f"DELETE FROM decisions WHERE {of} = ?", wanted)
        return max(count, 0)


_PLACES = ", ".join("?" * len(_COLUMNS.split(",")))


def _row(answer: Answer) -> tuple[object, ...]:
    return (
        int(answer.track_id),
        answer.audio_hash,
        float(answer.at_s),
        float(answer.position_s),
        answer.shown.value,
        answer.answer.value,
        *map(float, answer.predicted.probabilities),
        float(answer.predicted.confidence),
        answer.predicted.model_id,
        *_place(answer.place),
        answer.shown_by.value,
        answer.occasion.value,
        answer.session,
    )


def _place(place: MoodPoint | None) -> tuple[float | None, float | None]:
    return (None, None) if place is None else (float(place.valence), float(place.arousal))


def _answer(row: tuple[Any, ...]) -> Answer:
    number, track_id, audio, at_s, position_s, shown, said, a, b, c, d, confidence, model = row[:13]
    valence, arousal, shown_by, occasion, session = row[13:]
    place = None if valence is None or arousal is None else MoodPoint(valence, arousal)
    return Answer(
        track_id, audio, at_s, position_s, Quadrant(shown),
        EmotionEstimate((a, b, c, d), confidence, model), Quadrant(said),
        place, ShownBy(shown_by), Occasion(occasion), session, number,
    )  # fmt: skip
