"""What the listener answered when asked how a song felt: a file of its own, deletable for good.

Apart from the library's file, because that one is backed up, and what is
deleted here must be nowhere: deleted rows are overwritten with zeros
(``secure_delete``), the rollback journal is emptied at each commit, and no
backup is made. An answer is on the disk when `add` returns.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from inference.emotion import EmotionEstimate, Quadrant
from library_db.database import Database, Durability
from library_db.errors import LibraryCorrupt, LibraryError, LibraryTooNew
from library_db.recovery import Notice, set_aside

__all__ = ["Answer", "AnswerStore"]

_FILE = "answers.sqlite3"
_VERSION = 1
_COLUMNS = (
    "track_id, audio_hash, at_s, position_s, shown, answer, "
    "p_hahv, p_halv, p_lahv, p_lalv, confidence, model_id"
)
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "track_id INTEGER NOT NULL, audio_hash TEXT NOT NULL, at_s REAL NOT NULL, "
    "position_s REAL NOT NULL, shown TEXT NOT NULL, answer TEXT NOT NULL, "
    "p_hahv REAL NOT NULL, p_halv REAL NOT NULL, p_lahv REAL NOT NULL, p_lalv REAL NOT NULL, "
    "confidence REAL NOT NULL, model_id TEXT NOT NULL)"
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

    Raises
    ------
    ValueError
        If a time is not a finite number.
    """

    track_id: int
    audio_hash: str
    at_s: float
    position_s: float
    shown: Quadrant
    predicted: EmotionEstimate
    answer: Quadrant

    def __post_init__(self) -> None:
        if not (math.isfinite(self.at_s) and math.isfinite(self.position_s)):
            raise ValueError("times must be finite numbers")

    @property
    def agreed(self) -> bool:
        return self.answer is self.shown


class AnswerStore:
    """The file of answers in a library's folder.

    Attributes
    ----------
    notices : list of Notice
        What the person is to be told: that a damaged file was set aside.

    Examples
    --------
    >>> with AnswerStore.open(Path("library")) as answers:  # doctest: +SKIP
    ...     answers.add(answer)
    """

    def __init__(self, folder: Path, database: Database, notices: Sequence[Notice] = ()) -> None:
        self._folder = folder
        self._database = database
        self.notices = list(notices)

    @classmethod
    def open(cls, folder: Path) -> AnswerStore:
        """Open the answers in `folder`, a new file readable by its owner alone if there is none.

        Raises
        ------
        LibraryError
            Not permitted, disk full, in use, made by a newer version: with a remedy.
        """
        path = folder / _FILE
        try:
            return cls(folder, _open(path))
        except LibraryCorrupt:
            name = set_aside(path).name
            notice = Notice(
                f"Your answers in {path} were damaged and set aside as {name}; "
                "your corrections are kept",
                "`undertone labels forget` deletes the damaged file too.",
            )
            return cls(folder, _open(path), [notice])

    def add(self, *answers: Answer) -> None:
        """Keep answers in one commit; they survive a power cut from now on."""
        with self._database.transaction(Durability.LISTENER) as connection:
            connection.executemany(
                f"INSERT INTO answers ({_COLUMNS}) VALUES ({', '.join('?' * 12)})",
                [_row(answer) for answer in answers],
            )

    def all(self) -> list[Answer]:
        """All answers, the oldest first; a row that says nothing sensible is left out."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM answers ORDER BY at_s, id"
            ).fetchall()
        answers = []
        for track_id, audio, at_s, position_s, shown, said, a, b, c, d, confidence, model in rows:
            with suppress(ValueError, TypeError):
                predicted = EmotionEstimate((a, b, c, d), confidence, model)
                answers.append(
                    Answer(
                        track_id, audio, at_s, position_s, Quadrant(shown), predicted,
                        Quadrant(said),
                    )
                )  # fmt: skip
        return answers

    def delete(self, track_ids: Iterable[int] | None = None) -> int:
        """Delete the answers on these songs, or all, so that the file no longer holds them.

        With all of them go the damaged files that were set aside.

        Returns
        -------
        int
            How many were deleted.
        """
        with self._database.transaction(Durability.LISTENER) as connection:
            # Checked, not assumed: a build of SQLite may leave it out.
            if not connection.execute("PRAGMA secure_delete=ON").fetchone()[0]:
                raise LibraryError(
                    "This machine's SQLite cannot delete for good",
                    f"Delete the file {self._folder / _FILE} yourself.",
                )
            if track_ids is None:
                count = connection.execute("DELETE FROM answers").rowcount
            else:
                ids = [(int(i),) for i in track_ids]
                count = connection.executemany(
                    "DELETE FROM answers WHERE track_id = ?", ids
                ).rowcount
        if track_ids is None:
            for damaged in self._folder.glob("answers-damaged-*"):
                with suppress(FileNotFoundError):
                    damaged.unlink()
        return max(count, 0)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> AnswerStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


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
    )


def _open(path: Path) -> Database:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Private from its first byte on, whatever the umask.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LibraryError(
            f"Your answers cannot be kept in {path} ({error.strerror})",
            f"Make the folder {path.parent} writable, or choose another one with --home.",
        ) from error
    # No WAL: its file would keep what the database has deleted.
    database = Database(path, wal=False)
    try:
        with database.reading() as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise LibraryCorrupt(f"The answers in {path} are damaged")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise LibraryTooNew(
                f"The answers in {path} were made by a newer version of Undertone",
                "Update Undertone; the file was not touched.",
            )
        if version < _VERSION:
            with database.transaction(Durability.LISTENER) as connection:
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        database.close()
        raise
    return database
