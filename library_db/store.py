"""The library's documents: its tables, their columns, and which rows a commit changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from library_db.columns import INDEX_COLUMNS
from library_db.database import Database, Durability
from library_db.emotion_layers import TrackEmotion
from library_db.errors import LibraryError, LibraryTooNew
from library_db.rows import effective_fields, estimate_of, user_of
from library_db.schema import Column, TableSchema
from library_db.storage import Document, DocumentDB
from library_db.text import plain_text

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "LibraryStore", "format_of"]

APPLICATION_ID = 0x756E6474
"""In the file's header: "undt" in ASCII, tells our files from other programs' databases."""

SCHEMA_VERSION = 2

TRACKS = TableSchema(
    "tracks",
    (
        Column("path", "BLOB", unique=True),
        Column("audio_hash", "TEXT", index=True),
        Column("payload_hash", "TEXT"),
        Column("title", "TEXT"),
        Column("artist", "TEXT"),
        Column("album", "TEXT"),
        Column("album_artist", "TEXT"),
        Column("genre", "TEXT"),
        Column("year", "INTEGER"),
        Column("track_no", "INTEGER"),
        Column("disc_no", "INTEGER"),
        Column("duration_s", "REAL"),
        Column("fs_hz", "INTEGER"),
        Column("channels", "INTEGER"),
        Column("bitrate_kbps", "INTEGER"),
        Column("format", "TEXT"),
        Column("has_cover", "INTEGER"),
        Column("mtime_ns", "INTEGER"),
        Column("size_bytes", "INTEGER"),
        Column("added_s", "REAL"),
        Column("missing", "INTEGER"),
        Column("hidden", "INTEGER"),
        Column("gain_track_db", "REAL"),
        Column("gain_album_db", "REAL"),
        Column("peak_track", "REAL"),
        Column("peak_album", "REAL"),
        Column("scan_error", "TEXT"),
        Column("tag_error", "TEXT"),
        Column("tag_error_model", "TEXT"),
        # What the track counts as, resolved by emotion_layers.effective at each write.
        Column("quadrant", "INTEGER"),
        Column("valence", "REAL"),
        Column("arousal", "REAL"),
        Column("confidence", "REAL"),
        Column("source", "INTEGER"),
        Column("common_model", "TEXT"),
        Column("audio_changed", "INTEGER"),
        # The commit that last touched the row: another process' changes are those above ours.
        Column("rev", "INTEGER", index=True),
    ),
)
_ESTIMATE = (
    Column("p_hahv", "REAL"),
    Column("p_halv", "REAL"),
    Column("p_lahv", "REAL"),
    Column("p_lalv", "REAL"),
    Column("confidence", "REAL"),
    Column("model_id", "TEXT"),
)
COMMON = TableSchema("emotion_common", _ESTIMATE)
PERSONAL = TableSchema("emotion_personal", _ESTIMATE)
USER = TableSchema(
    "emotion_user",
    (
        Column("quadrant", "TEXT"),
        Column("valence", "REAL"),
        Column("arousal", "REAL"),
        Column("at_s", "REAL"),
    ),
)
ROOTS = TableSchema("roots", (Column("path", "BLOB", unique=True),))
PLAYLISTS = TableSchema(
    "playlists",
    (
        Column("name", "TEXT"),
        Column("place", "REAL"),
        Column("smart", "INTEGER"),
        Column("songs", "INTEGER"),
        Column("rev", "INTEGER"),
    ),
)
SCHEMAS = (TRACKS, COMMON, PERSONAL, USER, ROOTS, PLAYLISTS)


class LibraryStore:
    """TinyDB with the library's tables, and the bookkeeping of what each commit changed.

    Attributes
    ----------
    db : DocumentDB
        TinyDB; whatever comes later is a further table of it.
    tracks, common, personal, user, roots, playlists : SqliteTable
        `common`, `personal` and `user` are keyed by the track's id.
    """

    def __init__(
        self, database: Database, before_migration: Callable[[], object] | None = None
    ) -> None:
        self.database = database
        _prepare(database, before_migration)
        self.db = DocumentDB(database, SCHEMAS)
        self.tracks = self.db.sqlite_table(TRACKS.name)
        self.common = self.db.sqlite_table(COMMON.name)
        self.personal = self.db.sqlite_table(PERSONAL.name)
        self.user = self.db.sqlite_table(USER.name)
        self.roots = self.db.sqlite_table(ROOTS.name)
        self.playlists = self.db.sqlite_table(PLAYLISTS.name)

    @contextmanager
    def commit(self, durability: Durability) -> Iterator[int]:
        """One atomic commit; gives the revision that rows written in it must carry."""
        with self.database.transaction(durability) as connection:
            yield _revision(connection) + 1

    def index_rows(self, after: int = 0) -> tuple[int, list[tuple[Any, ...]], list[int]]:
        """What changed after a revision.

        Returns
        -------
        revision : int
            The newest one.
        rows : list of tuples
            In the order of `INDEX_COLUMNS`, ascending by id.
        hidden : list of ids
            Tracks that were taken out of the library.
        """
        columns = ", ".join(f'"{name}"' for name in INDEX_COLUMNS)
        with self.database.snapshot() as connection:
            revision = _revision(connection)
            # "+id": sort the few that the index on rev gives, rather than walk all in order of id.
            changed = "rev > ? AND" if after else "? IS NOT NULL AND"
            rows = connection.execute(
                f"SELECT {columns} FROM tracks WHERE {changed} hidden IS NULL ORDER BY +id",
                (after,),
            ).fetchall()
            hidden: list[int] = []
            if after:
                found = connection.execute(
                    "SELECT id FROM tracks WHERE rev > ? AND hidden IS NOT NULL", (after,)
                )
                hidden = [i for (i,) in found]
        return revision, rows, hidden

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The result of a SELECT, for questions that documents would answer too slowly."""
        with self.database.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def write_tracks(self, revision: int, updates: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Set fields of tracks, marking them as changed in `revision`."""
        self.tracks.set_fields((i, {**fields, "rev": revision}) for i, fields in updates)

    def put_back(self, labels: Iterable[tuple[bytes, str, Mapping[str, Any]]]) -> None:
        """Take over the listener's answers from a damaged file, where they are the newer ones.

        Parameters
        ----------
        labels : iterable of (path, audio_hash, label document)
            A track that is not known is entered by its path; the next scan reads the rest of it.
        """
        labels = list(labels)
        if not labels:
            return
        with self.commit(Durability.LISTENER) as revision:
            for path, audio_hash, document in labels:
                found = self.rows("SELECT id FROM tracks WHERE path = ?", (path,))
                if found:
                    track_id = int(found[0][0])
                else:
                    title = plain_text(path.rpartition(b"/")[2].decode("utf-8", "replace"))
                    track_id = self.tracks.insert(
                        {"path": path, "audio_hash": audio_hash, "title": title, "size_bytes": 0,
                         "mtime_ns": -1, "added_s": document["at_s"], "rev": revision}
                    )  # fmt: skip
                present = self.user.document(track_id)
                if present is None or present["at_s"] < document["at_s"]:
                    self.user.put_multiple([Document(document, track_id)])
                emotion = self.emotions([track_id])[0]
                self.write_tracks(revision, [(track_id, effective_fields(emotion))])

    def emotions(self, ids: Iterable[int]) -> list[TrackEmotion]:
        """All layers of the tracks with these ids, in their order; empty for unknown ids."""
        wanted = [int(i) for i in ids]
        common, personal, user = (
            table.documents(wanted) for table in (self.common, self.personal, self.user)
        )
        return [
            TrackEmotion(
                estimate_of(common.get(i)), estimate_of(personal.get(i)), user_of(user.get(i))
            )
            for i in wanted
        ]

    def close(self) -> None:
        self.database.close()


def _revision(connection: sqlite3.Connection) -> int:
    newest: int | None = connection.execute("SELECT max(rev) FROM tracks").fetchone()[0]
    return newest or 0


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """The format of a library's file, 0 if it has no tables yet.

    Raises
    ------
    LibraryError
        If it is another program's database, or a newer version's.
    """
    # In this order: another process that makes the file just now commits all of it at once.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise LibraryError(
            f"{path} is not an Undertone library",
            "Move it elsewhere, or choose another folder with --home.",
        )
    if version > SCHEMA_VERSION:
        raise LibraryTooNew(
            f"The library {path} was made by a newer version of Undertone "
            f"(format {version}, this one knows {SCHEMA_VERSION})",
            "Update Undertone, or choose another folder with --home. The library was not touched.",
        )
    return version


def _add_peaks(connection: sqlite3.Connection) -> None:
    for name in ("peak_track", "peak_album"):
        connection.execute(f"ALTER TABLE tracks ADD COLUMN {name} REAL")
    # The next scan reads again what may hold peaks.
    connection.execute(
        "UPDATE tracks SET mtime_ns = -1 "
        "WHERE gain_track_db IS NOT NULL OR gain_album_db IS NOT NULL"
    )


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _add_peaks}
"""What brings a file of format n to format n + 1, by n; each within the one transaction."""


def _prepare(database: Database, before_migration: Callable[[], object] | None) -> None:
    """Create the tables of a new file; refuse foreign and newer ones; migrate older ones."""
    with database.reading() as connection:
        version = format_of(connection, database.path)
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if version == SCHEMA_VERSION:
        return
    if not empty and before_migration is not None:
        before_migration()
    with database.transaction(Durability.LISTENER) as connection:
        # Another process may have done it while this one waited for its turn.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in range(version or SCHEMA_VERSION, SCHEMA_VERSION):  # a new file is of 0
            if step in MIGRATIONS:
                MIGRATIONS[step](connection)
        for schema in SCHEMAS:
            for statement in schema.create_statements():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
