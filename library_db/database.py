"""One SQLite file: its connections, its transactions and how durable they are."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from library_db.errors import LibraryError, translated

__all__ = ["Database", "Durability", "on_network"]

BUSY_TIMEOUT_S = 10.0

# WAL needs memory shared between the processes that have the file open, which these cannot give
# (https://sqlite.org/wal.html, "Disadvantages").
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"),
        *("ncpfs", "beegfs", "davfs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse", "fuse.sshfs"),
        *("fuse.rclone", "fuse.s3fs", "fuse.davfs", "fuse.gvfsd-fuse", "fuse.glusterfs"),
    }
)


class Durability(Enum):
    """How much a commit survives; both survive the death of the program at any moment."""

    LISTENER = "FULL"
    """On the disk when the call returns: what a person said must survive a power cut."""

    BULK = "NORMAL"
    """The last commits before a power cut may be lost, whole; for what can be computed again."""


def on_network(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether `folder` lies on a network (or otherwise shared) file system."""
    try:
        lines = mounts.read_bytes().decode("utf-8", "surrogateescape").splitlines()
        place = folder.resolve()
    except OSError:
        return False
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if place.is_relative_to(mount) and len(mount) >= best:
            best, kind = len(mount), fields[2]
    return kind in _NETWORK_FILE_SYSTEMS


_PAUSE_S = 0.02


class Database:
    """One writer connection and a pool of readers on one SQLite file.

    Readers never wait for the writer (WAL) and the writer is one thread at a
    time; other processes are kept apart by SQLite's own locks.

    Parameters
    ----------
    path : Path
        The file; created when it is missing.
    wal : bool, optional
        Default: WAL, except on a network file system.
    timeout_s : float
        How long to wait for another process before `LibraryBusy`.

    Raises
    ------
    LibraryError
        In every method: locked, damaged, read-only, disk full, with a remedy.
    """

    def __init__(
        self, path: Path, *, wal: bool | None = None, timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._pool: list[sqlite3.Connection] = []
        self._depth = 0
        self._owner: int | None = None
        self._closed = False
        self._writer = self._connect()
        try:
            with translated(path):
                use_wal = not on_network(path.parent) if wal is None else wal
                mode = "WAL" if use_wal else "TRUNCATE"
                self._set_up(mode)
        except BaseException:
            self._writer.close()
            raise

    def _set_up(self, mode: str) -> None:
        """Set the journal and what is kept of deletions.

        SQLite does not wait for another process where the journal's mode changes or a journal is
        recovered, as when several make the same library at once: so this waits.
        """
        ends_s = time.monotonic() + self._timeout_s
        while True:
            try:
                self._writer.execute(f"PRAGMA journal_mode={mode}").fetchone()
                self._writer.execute("PRAGMA journal_size_limit=67108864")
                # A mood that was taken back stays in no gap of the file, whatever the build.
                self._writer.execute("PRAGMA secure_delete=ON").fetchone()
                return
            except sqlite3.OperationalError as error:
                busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > ends_s:
                    raise
                time.sleep(_PAUSE_S)

    def _connect(self) -> sqlite3.Connection:
        with translated(self.path):
            connection = sqlite3.connect(
                self.path,
                timeout=self._timeout_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is within `transaction`."""
        return self._owner == threading.get_ident()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from; inside a transaction of this thread, that transaction's."""
        if self.in_transaction:
            with translated(self.path):
                yield self._writer
            return
        with self._pool_lock:
            if self._closed:
                raise LibraryError(f"The library {self.path} has been closed")
            connection = self._pool.pop() if self._pool else None
        if connection is None:
            connection = self._connect()
        try:
            with translated(self.path):
                yield connection
        finally:
            if connection.in_transaction:
                connection.rollback()
            with self._pool_lock:
                keep = not self._closed
                if keep:
                    self._pool.append(connection)
            if not keep:
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """As `reading`, with all statements seeing the same moment."""
        with self.reading() as connection:
            if connection.in_transaction:
                yield connection
            else:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def transaction(
        self, durability: Durability = Durability.LISTENER
    ) -> Iterator[sqlite3.Connection]:
        """All writes within commit together when the outermost block ends, or not at all."""
        with self._write_lock:
            if self._closed:
                raise LibraryError(f"The library {self.path} has been closed")
            if self._depth:
                self._depth += 1
                try:
                    yield self._writer
                finally:
                    self._depth -= 1
                return
            with translated(self.path):
                self._writer.execute(f"PRAGMA synchronous={durability.value}")
                self._writer.execute("BEGIN IMMEDIATE")
                self._depth, self._owner = 1, threading.get_ident()
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    # A full disk has already been rolled back by SQLite itself.
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
                finally:
                    self._depth, self._owner = 0, None

    def fold_wal(self) -> bool:
        """Bring the WAL into the file and empty it, so that it holds nothing deleted any more.

        Returns
        -------
        bool
            False where somebody reads an older state just now.
        """
        with self._write_lock, translated(self.path):
            busy, *_ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close all connections; the WAL is folded into the file by the last one."""
        with self._write_lock, self._pool_lock:
            self._closed = True
            for connection in self._pool:
                connection.close()
            self._pool.clear()
            self._writer.close()
