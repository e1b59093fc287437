"""Timelines and features of the tracks: blobs that can be computed again, in their own file.

Apart from the library's own file, so that its backups and integrity checks
stay small and quick, and a fault here costs computing time and nothing else:
a damaged file is set aside and a new one begun.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from library_db.adaptation import Adaptation
from library_db.database import Database, Durability
from library_db.errors import LibraryCorrupt
from library_db.recovery import Notice, set_aside

__all__ = ["AnalysisRow", "AnalysisStore"]

_FILE = "analysis.sqlite3"
_CHUNK = 500
_TABLES = (
    "CREATE TABLE IF NOT EXISTS timelines "
    "(track_id INTEGER PRIMARY KEY, audio_hash TEXT, data BLOB)",
    "CREATE TABLE IF NOT EXISTS features (track_id INTEGER, front_end TEXT, audio_hash TEXT, "
    "data BLOB, PRIMARY KEY (track_id, front_end))",
    "CREATE TABLE IF NOT EXISTS adaptations "
    "(front_end TEXT PRIMARY KEY, version INTEGER, songs INTEGER, data BLOB, learned_s REAL)",
)
_OBJECTS = 5
"""What these make in a file, the indexes of the keys counted; an older file has fewer."""


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """Blobs of one track, valid for the audio with this hash."""

    track_id: int
    audio_hash: str
    timeline: bytes | None
    front_end: str
    features: bytes | None


class AnalysisStore:
    """Blobs by track; what was computed from other audio than the present one is not given.

    Attributes
    ----------
    notices : list of Notice
        What the person is to be told: that a damaged file was set aside.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._lock = threading.Lock()
        self.notices: list[Notice] = []
        try:
            self._database = _open(self._path)
        except LibraryCorrupt:
            self._begin_anew()

    def put(self, rows: Sequence[AnalysisRow]) -> None:
        """Write or replace blobs; those that are None are left as they are."""
        database = self._database
        try:
            _put(database, rows)
        except LibraryCorrupt:
            self._replace(database)
            _put(self._database, rows)

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

    def front_end(self, track_id: int, audio_hash: str) -> str:
        """Of the features stored last for a track; empty without any of its present audio."""
        sql = (
            "SELECT front_end FROM features WHERE track_id = ? AND audio_hash = ? "
            "ORDER BY rowid DESC LIMIT 1"
        )
        try:
            with self._database.reading() as connection:
                row = connection.execute(sql, (track_id, audio_hash)).fetchone()
        except LibraryCorrupt:
            return ""  # as in `_one`
        return str(row[0]) if row else ""

    def features_of(self, hashes: Mapping[int, str], front_end: str) -> Iterator[tuple[int, bytes]]:
        """Features of many tracks (id to audio hash), of those that have them."""
        rows = self._features(hashes, front_end, "track_id, audio_hash, data")
        yield from ((i, data) for i, audio_hash, data in rows if hashes[i] == audio_hash)

    def having_features(self, hashes: Mapping[int, str], front_end: str) -> set[int]:
        """Those tracks (id to audio hash) whose features of this front end are stored."""
        rows = self._features(hashes, front_end, "track_id, audio_hash")
        return {i for i, audio_hash in rows if hashes[i] == audio_hash}

    def _features(
        self, hashes: Mapping[int, str], front_end: str, columns: str
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of the features of many tracks, as far as they can be read."""
        ids = list(hashes)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            sql = (
                f"SELECT {columns} FROM features WHERE front_end = ? "
                f"AND track_id IN ({', '.join('?' * len(chunk))})"
            )
            try:
                with self._database.reading() as connection:
                    rows = connection.execute(sql, (front_end, *chunk)).fetchall()
            except LibraryCorrupt:
                return  # as in `_one`
            yield from rows

    def with_features(self, front_end: str) -> list[tuple[int, str]]:
        """Tracks that features of this front end are stored for, with their audio hash; by id."""
        sql = "SELECT track_id, audio_hash FROM features WHERE front_end = ? ORDER BY track_id"
        try:
            with self._database.reading() as connection:
                return [(int(i), h) for i, h in connection.execute(sql, (front_end,))]
        except LibraryCorrupt:
            return []  # as in `_one`

    def adaptation(self, front_end: str) -> Adaptation | None:
        """What was learned last of the library, from features of this front end."""
        sql = "SELECT version, songs, data, learned_s FROM adaptations WHERE front_end = ?"
        try:
            with self._database.reading() as connection:
                found = connection.execute(sql, (front_end,)).fetchone()
        except LibraryCorrupt:
            return None
        return None if found is None else Adaptation(*found)

    def put_adaptation(self, front_end: str, data: bytes, songs: int) -> Adaptation:
        """Keep a new version in place of the former; what is the same keeps its version."""
        with self._database.transaction(Durability.BULK) as connection:
            before = self.adaptation(front_end)
            version = 1 if before is None else before.version + (before.data != data)
            kept = Adaptation(version, songs, data, time.time())
            connection.execute(
                "INSERT OR REPLACE INTO adaptations (front_end, version, songs, data, learned_s) "
                "VALUES (?, ?, ?, ?, ?)",
                (front_end, version, songs, data, kept.learned_s),
            )
        return kept

    def close(self) -> None:
        self._database.close()

    def _one(self, sql: str, values: Sequence[object]) -> bytes | None:
        try:
            with self._database.reading() as connection:
                found = connection.execute(sql, values).fetchone()
        except LibraryCorrupt:
            return None  # the next write sets the file aside
        return None if found is None else found[0]

    def _replace(self, damaged: Database) -> None:
        with self._lock:
            if self._database is damaged:
                damaged.close()
                self._begin_anew()

    def _begin_anew(self) -> None:
        name = set_aside(self._path).name
        self._database = _open(self._path)
        self.notices.append(
            Notice(
                f"The stored timelines in {self._path} were damaged and set aside as {name}; "
                "all moods and corrections are kept",
                "Tag your music again to have the timelines back.",
            )
        )


def _open(path: Path) -> Database:
    database = Database(path)
    try:
        with database.reading() as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables < _OBJECTS:
            with database.transaction(Durability.BULK) as connection:
                for statement in _TABLES:
                    connection.execute(statement)
        with database.reading() as connection:
            names = {row[1] for row in connection.execute("PRAGMA table_info(adaptations)")}
        if "learned_s" not in names:  # a file of an older program
            with database.transaction(Durability.BULK) as connection:
                connection.execute("ALTER TABLE adaptations ADD COLUMN learned_s REAL")
    except BaseException:
        database.close()
        raise
    return database


def _put(database: Database, rows: Sequence[AnalysisRow]) -> None:
    with database.transaction(Durability.BULK) as connection:
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
