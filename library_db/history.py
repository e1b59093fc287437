"""What was played, when, for how long, and which mood it counted as then: deletable for good.

A private file of its own (`library_db.private_file`), in no backup. A play is
kept for two years, the last 200,000 of them at most, so that the file stays small.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from inference.emotion import MoodPoint, Quadrant
from library_db.database import Durability
from library_db.private_file import PrivateFormat, PrivateStore

__all__ = ["KEPT_S", "MOST_KEPT", "Play", "PlayHistory"]

KEPT_S = 2 * 366 * 86_400.0
MOST_KEPT = 200_000

_COLUMNS = "track_id, audio_hash, began_s, heard_s, quadrant, valence, arousal, felt"


def _make_table(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS plays (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "track_id INTEGER NOT NULL, audio_hash TEXT NOT NULL, began_s REAL NOT NULL, "
        "heard_s REAL NOT NULL, quadrant TEXT, valence REAL, arousal REAL, felt TEXT)"
    )
    connection.execute("CREATE INDEX IF NOT EXISTS plays_began ON plays (began_s)")


_FORMAT = PrivateFormat(
    "history.sqlite3",
    "listening history",
    "*Your model*, *Delete my data* deletes the damaged file too.",
    (_make_table,),
)


@dataclass(frozen=True, slots=True)
class Play:
    """One song that was heard.

    Parameters
    ----------
    track_id : int
        In the library at the time.
    audio_hash : str
        Of the song's audio, which finds it again under another id.
    began_s : float
        Seconds since the epoch.
    heard_s : float
        Time that it sounded, pauses and skipped parts left out.
    quadrant : Quadrant or None
        What the song counted as then.
    mood : MoodPoint or None
        Where it lay then.
    felt : Quadrant or None
        What the listener felt, as far as is known: the answer, else what the sensors showed
        for most of the song.
    id : int, optional
        In the file.

    Raises
    ------
    ValueError
        If a time is not a finite number, or `heard_s` is negative.
    """

    track_id: int
    audio_hash: str
    began_s: float
    heard_s: float
    quadrant: Quadrant | None = None
    mood: MoodPoint | None = None
    felt: Quadrant | None = None
    id: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.began_s) and math.isfinite(self.heard_s)) or self.heard_s < 0:
            raise ValueError("times must be finite numbers, and what was heard not negative")


class PlayHistory(PrivateStore):
    """The file of plays in a library's folder.

    Examples
    --------
    >>> with PlayHistory.open(Path("library")) as history:  # doctest: +SKIP
    ...     history.add(play)
    """

    form = _FORMAT

    def add(self, *plays: Play) -> None:
        """Keep plays in one commit, and let go of those that are too old."""
        with self._file.deleting() as connection:
            connection.executemany(
                f"INSERT INTO plays ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(play) for play in plays],
            )
            newest_s = max((play.began_s for play in plays), default=0.0)
            connection.execute("DELETE FROM plays WHERE began_s < ?", (newest_s - KEPT_S,))
            connection.execute(
                "DELETE FROM plays WHERE id <= (SELECT max(id) FROM plays) - ?", (MOST_KEPT,)
            )

    def extend(self, play: Play) -> None:
        """Write anew how long a play that is kept has lasted, and what was felt in it.

        One that has been deleted meanwhile stays so.
        """
        with self._file.database.transaction(Durability.LISTENER) as connection:
            connection.execute(
                "UPDATE plays SET heard_s = ?, felt = coalesce(?, felt) "
                "WHERE track_id = ? AND began_s = ?",
                (
                    float(play.heard_s), play.felt.value if play.felt else None,
                    int(play.track_id), float(play.began_s),
                ),
            )  # fmt: skip

    def between(self, begin_s: float, end_s: float) -> list[Play]:
        """The plays that began in [begin_s, end_s), the oldest first."""
        return self._read("WHERE began_s >= ? AND began_s < ? ORDER BY began_s, id", begin_s, end_s)

    def recent(self, count: int) -> list[Play]:
        """The last plays, the newest first."""
        return self._read("ORDER BY began_s DESC, id DESC LIMIT ?", count)

    def count(self) -> int:
        """How many plays are kept."""
        with self._file.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM plays").fetchone()[0])

    def set_felt(self, track_id: int, felt: Quadrant, at_s: float) -> None:
        """Note on the play of a song that was under way, or just over, what was answered."""
        with self._file.database.transaction(Durability.LISTENER) as connection:
            connection.execute(
                "UPDATE plays SET felt = ? WHERE id = (SELECT id FROM plays WHERE track_id = ? "
                "AND began_s <= ? ORDER BY began_s DESC, id DESC LIMIT 1)",
                (felt.value, int(track_id), float(at_s)),
            )

    def remove(self, play_ids: Iterable[int]) -> int:
        """Delete single plays by their ids; returns how many were there."""
        with self._file.deleting() as connection:
            ids = [(int(play_id),) for play_id in play_ids]
            count = connection.executemany("DELETE FROM plays WHERE id = ?", ids).rowcount
        return max(count, 0)

    def delete(self) -> int:
        """Delete all plays, so that no file holds them any more; returns how many there were."""
        with self._file.deleting() as connection:
            count = connection.execute("DELETE FROM plays").rowcount
        self._file.delete_damaged()
        return max(count, 0)

    def _read(self, clause: str, *values: float) -> list[Play]:
        """Plays in the order of `clause`; a row that says nothing sensible is left out."""
        with self._file.database.reading() as connection:
            rows = connection.execute(
                f"SELECT id, {_COLUMNS} FROM plays {clause}", values
            ).fetchall()
        plays = []
        for row in rows:
            with suppress(ValueError, TypeError):
                plays.append(_play(row))
        return plays


def _row(play: Play) -> tuple[object, ...]:
    mood = (None, None) if play.mood is None else (play.mood.valence, play.mood.arousal)
    return (
        int(play.track_id),
        play.audio_hash,
        float(play.began_s),
        float(play.heard_s),
        play.quadrant.value if play.quadrant else None,
        *mood,
        play.felt.value if play.felt else None,
    )


def _play(row: tuple[Any, ...]) -> Play:
    number, track_id, audio, began_s, heard_s, quadrant, valence, arousal, felt = row
    return Play(
        track_id, audio, began_s, heard_s,
        Quadrant(quadrant) if quadrant else None,
        None if valence is None or arousal is None else MoodPoint(valence, arousal),
        Quadrant(felt) if felt else None,
        number,
    )  # fmt: skip
