"""What a damaged database still gives, row by row: the listener's playlists."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from library_db.playlists import Entry, OutsideFile, Playlist, rule_of
from library_db.text import plain_text

__all__ = ["readable_rows", "salvage_playlists"]


def salvage_playlists(damaged: Path) -> list[tuple[int, Playlist]]:
    """The playlists that can still be read, each with its revision.

    Their songs are given by paths: a backup may know a track by the id, or not know it at all.
    """
    found: list[tuple[int, Playlist]] = []
    uri = f"{damaged.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as connection:
        rows = readable_rows(connection, "SELECT id, name, place, rev, doc FROM playlists")
        for number, name, place, revision, document in rows:
            with suppress(ValueError, TypeError, KeyError, IndexError, AttributeError):
                fields = json.loads(document)
                entries = tuple(
                    entry
                    for stored in fields["entries"]
                    if (entry := _entry(connection, stored)) is not None
                )
                playlist = Playlist(
                    plain_text(name),
                    entries,
                    rule_of(fields.get("rule")),
                    int(number),
                    float(place),
                )
                found.append((int(revision), playlist))
    return found


def _entry(connection: sqlite3.Connection, stored: int | list[Any]) -> Entry | None:
    if not isinstance(stored, int):
        return OutsideFile(Path(stored[0]), stored[1], stored[2])
    track = readable_rows(connection, "SELECT path, title FROM tracks WHERE id = ?", (stored,))
    return OutsideFile(Path(os.fsdecode(track[0][0])), track[0][1] or "") if track else None


def readable_rows(
    connection: sqlite3.Connection, sql: str, values: Sequence[object] = ()
) -> list[Any]:
    """The rows of a SELECT up to the first that cannot be read."""
    rows: list[Any] = []
    with suppress(sqlite3.Error, UnicodeDecodeError):
        for row in connection.execute(sql, values):
            rows.append(row)
    return rows
