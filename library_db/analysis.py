"""Timelines and features of the tracks: large blobs that can be computed again, in a file of their own.

Apart from the library's own file, so that its backups and integrity checks
stay small and quick, and a fault here costs computing time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from library_db.database import Database, Durability

__all__ = ["AnalysisRow", "AnalysisStore"]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS timelines (track_id INTEGER PRIMARY KEY, audio_hash TEXT, data BLOB)",
    "CREATE TABLE IF NOT EXISTS features (track_id INTEGER, front_end TEXT, audio_hash TEXT, "
    "data BLOB, PRIMARY KEY (track_id, front_end))",
)


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """Blobs of one track, valid for the audio with this hash."""

    track_id: int
    audio_hash: str
    timeline: bytes | None
    front_end: str
    features: bytes | None


class AnalysisStore:
    """Blobs by track; what was computed from other audio than the track's present one is not given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables:
            with database.transaction(Durability.BULK) as connection:
                for statement in _TABLES:
                    connection.execute(statement)

    def put(self, rows: Iterable[AnalysisRow]) -> None:
        """Write or replace blobs; those that are None are left as they are."""
        with self._database.transaction(Durability.BULK) as connection:
            for row in rows:
                if row.timeline is not None:
                    connection.execute(
                        "INSERT OR REPLACE INTO timelines VALUES (?, ?, ?)",
                        (row.track_id, row.audio_hash, row.timeline),
                    )
                if row.features is not None:
                    connection.execute(
                        "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)",
                        (row.track_id, row.front_end, row.audio_hash, row.features),
                    )

    def timeline(self, track_id: int, audio_hash: str) -> bytes | None:
        return self._one(
            "SELECT data FROM timelines WHERE track_id = ? AND audio_hash = ?",
            (track_id, audio_hash),
        )

    def features(self, track_id: int, front_end: str, audio_hash: str) -> bytes | None:
        return self._one(
            "SELECT data FROM features WHERE track_id = ? AND front_end = ? AND audio_hash = ?",
            (track_id, front_end, audio_hash),
        )

    def _one(self, sql: str, values: Sequence[object]) -> bytes | None:
        with self._database.reading() as connection:
            found = connection.execute(sql, values).fetchone()
        return None if found is None else found[0]

    def close(self) -> None:
        self._database.close()
