"""Brings the library up to date with the disk: a job that never stops at a bad file.

Three steps. *Walk*: list every audio file and compare size and mtime with what
is known; nothing is opened. *Read*: tags and identity of what is new or
different, committed in batches. *Settle*: what was not found again is marked
as missing, unless its folder could not be looked at.

A file that appears under a new path takes over the track whose audio it holds
if that track's own file is gone from where it was (or holds other audio now).
Otherwise it is a track of its own: two copies are two tracks.
"""

# Paths are bytes here, so that names in any encoding survive.
# ruff: noqa: PTH116, PTH119, PTH120

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.job import Job, Progress
from library_db.changes import ChangeSet
from library_db.files import ScanBatch
from library_db.moves import Moves
from library_db.reading import file_fields
from library_db.text import plain_text
from library_db.walk import Found, Walk, is_below, targets

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.rows import KnownFile

__all__ = ["ScanBatch", "ScanFault", "ScanReport", "discover", "scan"]

BATCH_FILES = 200
BATCH_S = 1.0
_WALK_STEP = 500
_CHANGED_AGAIN = "changed while it was read; the next scan reads it again"
_VANISHED = "vanished while it was read"
_EMPTY = (
    "holds no music any more; if it is a drive, is that connected? Its songs are kept as they were"
)


@dataclass(frozen=True, slots=True)
class ScanFault:
    """A file or folder that could not be taken in, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found.

    Every audio file that was found counts once: as added, changed (retagged,
    or found again after it was missing), unchanged, moved, or in `failed`.
    `missing` are the tracks below the scanned paths whose files are not there.
    `failed` also names folders that could not be read, and again each file
    that failed in an earlier scan and has not changed since.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    missing: int = 0
    failed: tuple[ScanFault, ...] = ()
    seconds: float = 0.0


def discover(paths: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """The audio files that a scan of `paths` would look at, then what it would name as faults.

    Yields
    ------
    path : Path
    fault : str or None
        Why the path cannot be looked at; None for an audio file.
    """
    walk = Walk(targets(paths))
    for found in walk.files():
        yield _as_path(found.path), None
    for path, reason in walk.faults:
        yield _as_path(path), reason


def scan(library: Library, roots: Sequence[Path]) -> Job[ScanReport]:
    """Take files and folders into the library, or bring what is known of them up to date.

    Parameters
    ----------
    library : Library
        Written to through `write_scan` only.
    roots : sequence of Path
        Folders and single files; they are not registered as the library's folders.

    Yields
    ------
    Progress
        `total` is 0 during the walk; `item` is a `ChangeSet` after each commit.

    Returns
    -------
    ScanReport

    Notes
    -----
    Closing the job at any moment keeps what was read; nothing is then marked as missing.

    Raises
    ------
    LibraryError
        If the database cannot be written.
    """
    return (yield from _Scan(library, targets(roots)).run())


class _Scan:
    def __init__(self, library: Library, paths: Sequence[bytes]) -> None:
        self.library = library
        self.walk = Walk(paths)
        self.known: dict[bytes, KnownFile] = library.known_files(paths)
        self.gone: dict[bytes, KnownFile] = {}
        self.changed_files: dict[bytes, Found] = {}
        self.batch = ScanBatch()
        self.committed_s = time.monotonic()
        self.replaced: list[tuple[Found, dict[str, Any]]] = []
        self.moves = Moves(library, self.known, self.gone, self.changed_files)
        self.faults: dict[bytes, str] = {}
        self.added = self.changed = self.unchanged = self.moved = 0
        self.done = self.total = 0

    def run(self) -> Job[ScanReport]:
        started = time.monotonic()
        try:
            new = yield from self._look()
            self.total = len(new) + len(self.changed_files)
            yield from self._read(new, self._take_new)
            yield from self._read(list(self.changed_files.values()), self._take_changed)
            for found, fields in self.replaced:
                self._take_replaced(found, fields)
            missing = yield from self._settle()
            yield from self._commit()
        finally:
            # After close(): what was read is kept. After a failed commit the batch is empty.
            if len(self.batch):
                batch, self.batch = self.batch, ScanBatch()
                self.library.write_scan(batch)
        for path, reason in self.walk.faults:
            self.faults.setdefault(path, reason)
        return ScanReport(
            self.added,
            self.changed,
            self.unchanged,
            self.moved,
            missing,
            tuple(ScanFault(_as_path(p), reason) for p, reason in sorted(self.faults.items())),
            time.monotonic() - started,
        )

    # walk

    def _look(self) -> Generator[Progress, None, list[Found]]:
        """Sort what is on the disk into new, changed and unchanged; the rest of `known` is gone."""
        new: list[Found] = []
        seen: list[bytes] = []
        unseen = dict(self.known)
        where = ""
        for step, found in enumerate(self.walk.steps(), 1):
            if found is None or step % _WALK_STEP == 0:
                yield Progress(len(seen), 0, where)
            if found is None:
                continue
            where = os.fsdecode(os.path.dirname(found.path))
            seen.append(found.path)
            file = unseen.pop(found.path, None)
            if file is None:
                new.append(found)
            elif (file.size_bytes, file.mtime_ns) != (found.size_bytes, found.mtime_ns):
                self.changed_files[found.path] = found
            else:
                self._unchanged(found.path, file)
        self._spare_empty(sorted(seen), unseen)
        unread = self.walk.unread
        self.gone.update(
            (path, file)
            for path, file in unseen.items()
            if not (unread and any(is_below(path, folder) for folder in unread))
        )
        return new

    def _spare_empty(self, seen: list[bytes], unseen: dict[bytes, KnownFile]) -> None:
        """A folder that held music and holds none now may be a drive that is not connected."""
        lost = sorted(path for path, file in unseen.items() if not file.missing and not file.hidden)
        for target in self.walk.targets:
            if target in self.walk.unread or _any_below(seen, target):
                continue
            if _any_below(lost, target):
                self.walk.unread.add(target)
                self.faults[target] = _EMPTY

    def _unchanged(self, path: bytes, file: KnownFile) -> None:
        if file.missing or file.hidden:
            self.batch.updated.append((file.id, {"missing": None, "hidden": None}))
            if file.hidden:
                self.added += 1
            else:
                self.changed += 1
        elif file.scan_error is not None:
            self.faults[path] = file.scan_error
        else:
            self.unchanged += 1

    # read

    def _read(self, files: list[Found], take: Any) -> Generator[Progress, None, None]:
        for found in files:
            fields = self._fields(found)
            self.done += 1
            if fields is not None:
                take(found, fields)
            if len(self.batch) >= BATCH_FILES or time.monotonic() - self.committed_s >= BATCH_S:
                yield from self._commit()
            name = os.fsdecode(os.path.basename(found.path))
            yield Progress(self.done, self.total, plain_text(name))

    def _fields(self, found: Found) -> dict[str, Any] | None:
        """What is stored of a file; None where it cannot be read now, with the fault noted."""
        for _ in range(2):
            try:
                fields = file_fields(found)
                state = os.stat(found.path)
            except FileNotFoundError:
                self.faults[found.path] = _VANISHED
                return None
            except OSError as error:
                self.faults[found.path] = f"the file cannot be read: {error.strerror}"
                return None
            if (state.st_size, state.st_mtime_ns) == (found.size_bytes, found.mtime_ns):
                return fields
            found = Found(found.path, state.st_size, state.st_mtime_ns)
        self.faults[found.path] = _CHANGED_AGAIN
        return None

    def _take_new(self, found: Found, fields: dict[str, Any]) -> None:
        if not self._take_over(found, fields):
            self.batch.added.append({**fields, "added_s": time.time()})
            self._count(found, fields, "added")

    def _take_changed(self, found: Found, fields: dict[str, Any]) -> None:
        file = self.known[found.path]
        if fields["audio_hash"] == file.audio_hash:
            self._update(file, found, fields)
            self._count(found, fields, "changed")
        elif not self._take_over(found, fields):
            # Another file may yet turn out to hold this track's audio: decide when all are read.
            self.replaced.append((found, fields))

    def _take_replaced(self, found: Found, fields: dict[str, Any]) -> None:
        """Other audio at a known path: the track stays, unless it has moved on with its audio."""
        file = self.known[found.path]
        if self.moves.has_claimed(file.id):
            self.batch.added.append({**fields, "added_s": time.time()})
            self._count(found, fields, "added")
        else:
            self._update(file, found, fields)
            self._count(found, fields, "changed")

    def _take_over(self, found: Found, fields: dict[str, Any]) -> bool:
        """Give the file to the track that its audio belongs to, if that is not where it was."""
        owner = self.moves.claim(found, fields["audio_hash"])
        if owner is None:
            return False
        self._update(owner, found, fields)
        self._count(found, fields, "moved")
        return True

    def _count(self, found: Found, fields: dict[str, Any], kind: str) -> None:
        if fields["scan_error"] is not None:
            self.faults[found.path] = fields["scan_error"]
        else:
            setattr(self, kind, getattr(self, kind) + 1)

    def _update(self, file: KnownFile, found: Found, fields: dict[str, Any]) -> None:
        update = {**fields, "missing": None, "hidden": None, "tag_error": None}
        update["tag_error_model"] = None
        if fields["audio_hash"] != file.audio_hash:
            update["payload_hash"] = None
            update["audio_changed"] = 1
        self.batch.updated.append((file.id, update))

    # settle

    def _settle(self) -> Generator[Progress, None, int]:
        missing = 0
        for file in self.gone.values():
            if file.hidden:
                continue
            missing += 1
            if not file.missing:
                self.batch.updated.append((file.id, {"missing": 1}))
                if len(self.batch) >= BATCH_FILES:
                    yield from self._commit()
        return missing

    def _commit(self) -> Generator[Progress, None, None]:
        self.committed_s = time.monotonic()
        if not len(self.batch):
            return
        batch, self.batch = self.batch, ScanBatch()
        changes: ChangeSet = self.library.write_scan(batch)
        yield Progress(self.done, self.total, "", changes)


def _as_path(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _any_below(paths: list[bytes], folder: bytes) -> bool:
    """Whether one of the sorted `paths` lies below `folder`."""
    start = folder.rstrip(b"/") + b"/"
    at = bisect_left(paths, start)
    return at < len(paths) and paths[at].startswith(start)
