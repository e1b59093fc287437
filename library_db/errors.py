"""The library's expected errors, and how SQLite's error codes become them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.errors import UndertoneError

__all__ = [
    "LibraryBusy",
    "LibraryCorrupt",
    "LibraryError",
    "LibraryTooNew",
    "TagError",
    "translated",
]


class LibraryError(UndertoneError):
    """The library's database cannot be read or written as asked."""


class LibraryBusy(LibraryError):
    """Another program holds the database for longer than we wait."""


class LibraryCorrupt(LibraryError):
    """The file is damaged, or no database at all."""


class LibraryTooNew(LibraryError):
    """The database was made by a newer version of the program."""


class TagError(UndertoneError):
    """A file's tags cannot be read: not audio, empty, broken, or not permitted."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise `LibraryError` with a remedy in place of sqlite3's errors about `path`.

    Errors that can only be our own mistakes (SQL syntax, wrong use of the
    module) pass through unchanged.
    """
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        known = _as_library_error(error, path)
        if known is None:
            raise
        raise known from error


def _as_library_error(error: sqlite3.Error, path: Path) -> LibraryError | None:
    # Extended codes carry the primary code in their low byte.
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryBusy(
            f"The library {path} is in use by another program",
            "Let the other Undertone finish its work, or close it, and try again.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LibraryCorrupt(
            f"The library {path} is damaged",
            "Start Undertone again: it sets the file aside and restores its newest backup.",
        )
    if code == sqlite3.SQLITE_FULL:
        return LibraryError(
            f"The disk is full: the last change to {path} was not saved",
            "Free some space; everything that was saved before is kept.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return LibraryError(
            f"The library {path} cannot be written",
            f"Make the folder {path.parent} writable, or choose another one with --home.",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return LibraryError(
            f"The library {path} cannot be opened",
            f"Check that the folder {path.parent} exists and that you may read and write it.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return LibraryError(
            f"The disk reported an error at {path} ({error})",
            "Check the disk and its free space; the last change was not saved.",
        )
    return None
