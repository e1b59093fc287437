"""A database file of what a person said or did: private, never backed up, deleted for good.

Deleted rows are overwritten with zeros (``secure_delete``), the rollback
journal is emptied at each commit, and what is written is on the disk when the
call returns. A damaged file is set aside, never deleted unasked.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from library_db.database import Database, Durability
from library_db.errors import LibraryCorrupt, LibraryError, LibraryTooNew
from library_db.recovery import Notice, set_aside

__all__ = ["PrivateFile", "PrivateFormat", "PrivateStore"]


@dataclass(frozen=True)
class PrivateFormat:
    """What a private file is called and how it is laid out.

    Parameters
    ----------
    name : str
        Of the file.
    what : str
        What it holds, for messages: "answers".
    remedy : str
        What to do about a damaged file that was set aside.
    steps : sequence of callable
        Step n makes version n + 1 of version n; the first one makes the tables.
    """

    name: str
    what: str
    remedy: str
    steps: Sequence[Callable[[sqlite3.Connection], None]]

    @property
    def version(self) -> int:
        return len(self.steps)


class PrivateFile:
    """An open private file.

    Attributes
    ----------
    database : Database
    notices : list of Notice
        What the person is to be told: that a damaged file was set aside.
    """

    def __init__(
        self, folder: Path, form: PrivateFormat, database: Database, notices: Sequence[Notice] = ()
    ) -> None:
        self.folder = folder
        self.database = database
        self.notices = list(notices)
        self._form = form

    @classmethod
    def open(cls, folder: Path, form: PrivateFormat) -> PrivateFile:
        """Open the file in `folder`; a new one, readable by its owner alone, if there is none.

        Raises
        ------
        LibraryError
            Not permitted, disk full, in use, made by a newer version: with a remedy.
        """
        path = folder / form.name
        try:
            return cls(folder, form, _open(path, form))
        except LibraryCorrupt:
            name = set_aside(path).name
            notice = Notice(
                f"Your {form.what} in {path} were damaged and set aside as {name}; "
                "your corrections are kept",
                form.remedy,
            )
            return cls(folder, form, _open(path, form), [notice])

    @contextmanager
    def deleting(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose deletions overwrite what they delete.

        Raises
        ------
        LibraryError
            If this machine's SQLite cannot do that; nothing is deleted then.
        """
        with self.database.transaction(Durability.LISTENER) as connection:
            # Checked, not assumed: a build of SQLite may leave it out.
            if not connection.execute("PRAGMA secure_delete=ON").fetchone()[0]:
                raise LibraryError(
                    "This machine's SQLite cannot delete for good",
                    f"Delete the file {self.folder / self._form.name} yourself.",
                )
            yield connection

    def delete_damaged(self) -> None:
        """Delete the damaged files that were set aside."""
        stem = self._form.name.partition(".")[0]
        for damaged in self.folder.glob(f"{stem}-damaged-*"):
            with suppress(FileNotFoundError):
                damaged.unlink()

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class PrivateStore:
    """What lies in one private file of a library's folder; a subclass names its `form`.

    Attributes
    ----------
    notices : list of Notice
        What the person is to be told: that a damaged file was set aside.
    """

    form: ClassVar[PrivateFormat]

    def __init__(self, file: PrivateFile) -> None:
        self._file = file

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the file in `folder`; a new one, readable by its owner alone, if there is none.

        Raises
        ------
        LibraryError
            Not permitted, disk full, in use, made by a newer version: with a remedy.
        """
        return cls(PrivateFile.open(folder, cls.form))

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether there is such a file; `open` would make one."""
        return (folder / cls.form.name).exists()

    @property
    def notices(self) -> list[Notice]:
        return self._file.notices

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path, form: PrivateFormat) -> Database:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Private from its first byte on, whatever the umask.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LibraryError(
            f"Your {form.what} cannot be kept in {path} ({error.strerror})",
            f"Make the folder {path.parent} writable, or choose another one with --home.",
        ) from error
    # No WAL: its file would keep what the database has deleted.
    database = Database(path, wal=False)
    try:
        _bring_up_to_date(database, path, form)
    except BaseException:
        database.close()
        raise
    return database


def _bring_up_to_date(database: Database, path: Path, form: PrivateFormat) -> None:
    with database.reading() as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise LibraryCorrupt(f"The {form.what} in {path} are damaged")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > form.version:
        raise LibraryTooNew(
            f"The {form.what} in {path} were made by a newer version of Undertone",
            "Update Undertone; the file was not touched.",
        )
    if version == form.version:
        return
    with database.transaction(Durability.LISTENER) as connection:
        # Asked again: another process may have done it meanwhile.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in form.steps[version:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {form.version}")
