"""Opening the library for a command, and closing it whatever happens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.console import clean, message
from app.paths import Home

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["open_library", "preview_library"]


@contextmanager
def open_library(home: Home) -> Iterator[Library]:
    """The library of `home`, created if there is none yet.

    Raises
    ------
    UndertoneError
        If the folder cannot be made or the database not be opened.
    """
    from library_db.library import Library

    home.prepare()
    library = Library.open(home.library_dir)
    try:
        for notice in library.notices:
            message(clean(f"undertone: {notice.message}. {notice.remedy}".rstrip(". ") + "."))
        yield library
    finally:
        library.close()


@contextmanager
def preview_library(home: Home) -> Iterator[Library]:
    """The library of `home` for a command that writes nothing; an empty one if there is none."""
    if (home.library_dir / "library.sqlite3").exists():
        with open_library(home) as library:
            yield library
        return
    from library_db.library import Library

    with tempfile.TemporaryDirectory(prefix="undertone-") as folder:
        library = Library.open(Path(folder))
        try:
            yield library
        finally:
            library.close()
