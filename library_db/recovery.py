"""Opening the database safely: integrity check, backups, and what happens to a damaged file.

A damaged file is renamed and never deleted, the newest backup that is whole
takes its place, the listener's own answers are read out of the damaged file as
far as they can be, and a `Notice` tells all this. While a process has the
library open it holds a shared lock, so that nobody renames the file under it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from library_db.database import Database
from library_db.errors import LibraryCorrupt, LibraryError, translated
from library_db.playlists import Playlist, Playlists
from library_db.salvage import readable_rows, salvage_playlists
from library_db.store import LibraryStore, format_of

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "BACKUPS_KEPT",
    "BACKUP_AFTER_S",
    "Notice",
    "OpenedDatabase",
    "open_database",
    "set_aside",
]

LIBRARY_FILE = "library.sqlite3"
BACKUP_FOLDER = "backups"
BACKUPS_KEPT = 5
BACKUP_AFTER_S = 20 * 3600.0

_STAMP = "%Y%m%d-%H%M%S"
_SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person must be told, and what they can do about it."""

    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message


@dataclass
class OpenedDatabase:
    """A database that was found or made whole.

    Attributes
    ----------
    salvaged : list of (path, audio_hash, label document)
        The listener's answers that a damaged file still gave.
    playlists : list of (revision, Playlist)
        The playlists that it still gave, their songs by their paths.
    """

    database: Database
    lock: FolderLock
    notices: list[Notice] = field(default_factory=list)
    salvaged: list[tuple[bytes, str, dict[str, Any]]] = field(default_factory=list)
    playlists: list[tuple[int, Playlist]] = field(default_factory=list)

    def put_back(self, store: LibraryStore) -> None:
        """Write what was salvaged into the library that took the damaged one's place."""
        store.put_back(self.salvaged)
        Playlists(store).put_back(self.playlists)


def open_database(folder: Path) -> OpenedDatabase:
    """Open or make the library's database in `folder`.

    Raises
    ------
    LibraryError
        With a remedy: not permitted, disk full, in use; damaged while another process has it open.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The folder {folder} cannot be made ({error.strerror})",
            "Choose another folder with --home.",
        ) from error
    lock = FolderLock(folder)
    try:
        path = folder / LIBRARY_FILE
        reason = _damage(path, has_backups=bool(_backups(folder)))
        if reason is None:
            return OpenedDatabase(Database(path), lock)
        return _recover(folder, path, reason, lock)
    except BaseException:
        lock.release()
        raise


class FolderLock:
    """Says to other processes that this one has the library open; gone when the process is."""

    def __init__(self, folder: Path) -> None:
        self._file: Any = None
        if fcntl is not None:
            # No lock where the folder or its file system gives none: SQLite's own still hold.
            with suppress(OSError):
                self._file = (folder / "library.lock").open("ab")
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def is_only_one(self) -> bool:
        """Whether no other process has the library open; it then stays so until `release`."""
        if self._file is None:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
        return True

    def share(self) -> None:
        """Let others in again after `is_only_one`."""
        if self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        if self._file is not None:
            self._file.close()


# damage


def _damage(path: Path, *, has_backups: bool) -> str | None:
    """Why the file cannot be used; None if it can, or if there is none yet."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return "was missing" if has_backups else None
    except OSError as error:
        raise LibraryError(
            f"The library {path} cannot be opened ({error.strerror})",
            f"Check that you may read and write the folder {path.parent}.",
        ) from error
    if size == 0:
        return "was empty" if has_backups else None
    return check(path)


def check(path: Path, *, immutable: bool = False) -> str | None:
    """SQLite's quick check of a file: None if it is whole.

    Raises
    ------
    LibraryError
        If the file cannot be read at all (in use, not permitted), or is whole but not for us.
    """
    uri = f"{path.absolute().as_uri()}{'?mode=ro&immutable=1' if immutable else '?mode=rw'}"
    try:
        with translated(path), closing(sqlite3.connect(uri, uri=True, timeout=10.0)) as connection:
            connection.execute("PRAGMA mmap_size=268435456")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found == "ok":
                format_of(connection, path)
    except LibraryCorrupt:
        return "was damaged"
    return None if found == "ok" else "was damaged"


def _recover(folder: Path, path: Path, reason: str, lock: FolderLock) -> OpenedDatabase:
    if not lock.is_only_one():
        raise LibraryCorrupt(
            f"The library {path} {reason}, and another Undertone has it open",
            "Close the other one and start again: the newest backup will then be restored.",
        )
    set_aside_as = set_aside(path) if path.exists() else None
    salvaged = _salvage(set_aside_as) if set_aside_as is not None else []
    playlists = salvage_playlists(set_aside_as) if set_aside_as is not None else []
    aside = f" It was set aside as {set_aside_as.name}." if set_aside_as is not None else ""
    restored = next(filter(_is_good, _backups(folder)), None)
    if restored is not None:
        _copy(restored, path)
        said = f"The library {path} {reason}.{aside} Its backup of {_when(restored)} was restored"
    else:
        said = f"The library {path} {reason}.{aside} There was no backup, so a new one was begun"
    if salvaged:
        said += f", and {len(salvaged)} of your own answers were read from the damaged file"
    notice = Notice(said, "Scan your music again to bring it up to date.")
    opened = OpenedDatabase(Database(path), lock, [notice], salvaged, playlists)
    lock.share()
    return opened


def set_aside(path: Path) -> Path:
    """Rename a database file, with what belongs to it, to a name that says when.

    Raises
    ------
    LibraryError
        If it cannot be renamed.
    """
    stamp = time.strftime(_STAMP)
    target = path.with_name(f"{path.stem}-damaged-{stamp}{path.suffix}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}-damaged-{stamp}-{number}{path.suffix}")
    try:
        path.rename(target)
        for ending in _SIDE_FILES:
            side = path.with_name(path.name + ending)
            if side.exists():
                side.rename(target.with_name(target.name + ending))
    except OSError as error:
        raise LibraryError(
            f"The damaged library {path} cannot be renamed ({error.strerror})",
            f"Make the folder {path.parent} writable, or choose another one with --home.",
        ) from error
    return target


def _salvage(damaged: Path) -> list[tuple[bytes, str, dict[str, Any]]]:
    """The listener's answers that can still be read, row by row."""
    found: list[tuple[bytes, str, dict[str, Any]]] = []
    uri = f"{damaged.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            labels = readable_rows(
                connection, "SELECT id, quadrant, valence, arousal, at_s FROM emotion_user"
            )
            for track_id, quadrant, valence, arousal, at_s in labels:
                track = readable_rows(
                    connection, "SELECT path, audio_hash FROM tracks WHERE id = ?", (track_id,)
                )
                if not track or quadrant is None:
                    continue
                document = {"quadrant": quadrant, "at_s": at_s or 0.0}
                if valence is not None and arousal is not None:
                    document.update(valence=valence, arousal=arousal)
                found.append((track[0][0], track[0][1] or "", document))
    except sqlite3.Error:
        pass
    return found


# backups


def _backups(folder: Path) -> list[Path]:
    """The backups, newest first."""
    return sorted((folder / BACKUP_FOLDER).glob("library-*.sqlite3"), reverse=True)


def _is_good(backup: Path) -> bool:
    with suppress(LibraryError):
        return check(backup, immutable=True) is None
    return False


def _when(backup: Path) -> str:
    with suppress(ValueError):
        moment = time.strptime(backup.stem.removeprefix("library-"), _STAMP)
        return time.strftime("%Y-%m-%d %H:%M", moment)
    return backup.name


def back_up(database: Database, folder: Path, *, after_s: float = BACKUP_AFTER_S) -> Notice | None:
    """Copy the database into the folder `backups` if the newest backup is older than `after_s`.

    Returns
    -------
    Notice or None
        What is to be told if no backup could be made; the program goes on without.
    """
    target = folder / BACKUP_FOLDER
    unfinished: Path | None = None
    try:
        backups = _backups(folder)
        if backups and time.time() - backups[0].stat().st_mtime < after_s:
            return None
        target.mkdir(exist_ok=True)
        unfinished = target / "unfinished.tmp"
        unfinished.unlink(missing_ok=True)
        with database.reading() as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(target / f"library-{time.strftime(_STAMP)}.sqlite3")
        for old in _backups(folder)[BACKUPS_KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, sqlite3.Error, LibraryError) as error:
        if unfinished is not None:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return Notice(
            f"No backup of the library could be made in {target} ({error})",
            "Check the folder and the free space on its disk.",
        )
    return None


def _copy(source: Path, target: Path) -> None:
    """Put a copy of a backup in the library's place, whole or not at all."""
    unfinished = target.with_name("restoring.tmp")
    try:
        with source.open("rb") as reading, unfinished.open("wb") as writing:
            while block := reading.read(1 << 20):
                writing.write(block)
            writing.flush()
            os.fsync(writing.fileno())
        unfinished.replace(target)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise LibraryError(
            f"The backup {source} could not be restored ({error.strerror})",
            "Free some space on the disk and start again; the backup is untouched.",
        ) from error
