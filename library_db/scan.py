"""Brings the library up to date with the disk: a job that never stops at a bad file.

Three steps. *Walk*: list every audio file and compare size and mtime with what
is known; nothing is opened. *Read*: tags and identity of what is new or
different, committed in batches. *Settle*: what was not found again is marked
as missing, unless its folder could not be looked at.

A file that appears under a new path takes over the track whose audio it holds
if that track's own file is gone from where it was (or holds other audio now).
Otherwise it is a track of its own: two copies are two tracks.
"""

# ruff: noqa: PTH  (paths are bytes here, so that names in any encoding survive)

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.job import Job, Progress
from library_db.changes import ChangeSet
from library_db.errors import TagError
from library_db.identity import audio_hash
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


@dataclass
class ScanBatch:
    """Rows for one commit of `Library.write_scan`: fields of new tracks, and of known ones by id."""

    added: list[dict[str, Any]] = field(default_factory=list)
    updated: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.added) + len(self.updated)


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
        self.claimed: set[int] = set()
        self.replaced: list[tuple[Found, dict[str, Any]]] = []
        self.current_hashes: dict[bytes, str] = {}
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
        unseen = dict(self.known)
        seen_below = dict.fromkeys(self.walk.targets, False)
        for count, found in enumerate(self.walk.files(), 1):
            file = unseen.pop(found.path, None)
            if file is None:
                new.append(found)
            elif (file.size_bytes, file.mtime_ns) != (found.size_bytes, found.mtime_ns):
                self.changed_files[found.path] = found
            else:
                self._unchanged(found.path, file)
            if count % _WALK_STEP == 0:
                yield Progress(count, 0, os.fsdecode(os.path.dirname(found.path)))
        present = [*new, *self.changed_files.values()]
        for target in self.walk.targets:
            seen_below[target] = any(is_below(f.path, target) for f in present) or any(
                path not in unseen and is_below(path, target) for path in self.known
            )
        for target, seen in seen_below.items():
            known_below = any(is_below(p, target) and not f.missing for p, f in unseen.items())
            if not seen and known_below and target not in self.walk.unread:
                self.walk.unread.add(target)
                if os.path.isdir(target):
                    self.faults[target] = (
                        "holds no music any more; if it is a drive, is that connected? "
                        "Its songs are kept as they are"
                    )
        unread = self.walk.unread
        self.gone = {
            path: file
            for path, file in unseen.items()
            if not (unread and any(is_below(path, folder) for folder in unread))
        }
        return new

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
                fields = _file_fields(found)
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
        if file.id in self.claimed:
            self.batch.added.append({**fields, "added_s": time.time()})
            self._count(found, fields, "added")
        else:
            self._update(file, found, fields)
            self._count(found, fields, "changed")

    def _take_over(self, found: Found, fields: dict[str, Any]) -> bool:
        """Give the file to the track that its audio belongs to, if that is not where it was."""
        owner = self._displaced_owner(found, fields["audio_hash"])
        if owner is None:
            return False
        self.claimed.add(owner.id)
        self.gone.pop(owner.path, None)
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

    # identity

    def _displaced_owner(self, found: Found, identity: str) -> KnownFile | None:
        """The track that this audio belongs to, if its own file is not where it was."""
        if not identity:
            return None
        name = os.path.basename(found.path)
        candidates = [
            file
            for file in self.library.files_with(identity)
            if file.id not in self.claimed and file.path != found.path
        ]
        candidates.sort(key=lambda file: (os.path.basename(file.path) != name, file.id))
        return next((file for file in candidates if self._is_displaced(file, found)), None)

    def _is_displaced(self, file: KnownFile, found: Found) -> bool:
        if file.path in self.gone:
            return True
        if file.path in self.changed_files:
            return self._hash_now(file.path) != file.audio_hash
        if file.path in self.known:
            return False  # seen, and the same as ever; or in a folder that cannot be read
        return _is_gone(file.path, self.library.roots()) or _is_same_file(file.path, found.path)

    def _hash_now(self, path: bytes) -> str:
        if path not in self.current_hashes:
            try:
                self.current_hashes[path] = audio_hash(path)
            except OSError:
                self.current_hashes[path] = ""
        return self.current_hashes[path]

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


def _file_fields(found: Found) -> dict[str, Any]:
    from library_db.tags import Tags, read_tags

    path = _as_path(found.path)
    error: str | None = None
    try:
        tags = read_tags(path)
    except TagError as fault:
        if isinstance(fault.__cause__, OSError):
            raise fault.__cause__ from None
        tags, error = Tags(), fault.message
    fields: dict[str, Any] = {
        name: getattr(tags, name) or None
        for name in Tags.__dataclass_fields__
        if name not in ("has_cover", "gain_track_db", "gain_album_db")
    }
    stem = os.path.splitext(os.path.basename(found.path))[0].decode("utf-8", "replace")
    fields.update(
        path=found.path,
        title=tags.title or plain_text(stem),
        has_cover=int(tags.has_cover),
        gain_track_db=tags.gain_track_db,
        gain_album_db=tags.gain_album_db,
        size_bytes=found.size_bytes,
        mtime_ns=found.mtime_ns,
        audio_hash=audio_hash(found.path) if found.size_bytes else "",
        scan_error=error,
    )
    return fields


def _is_gone(path: bytes, roots: Sequence[Path]) -> bool:
    """Whether the file is no longer there, as opposed to being on a drive that is not connected."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:
        return False
    else:
        return False
    folder = os.path.dirname(path)
    within = [root for root in map(os.fsencode, roots) if is_below(path, root)]
    if within:
        folder = min(within, key=len)
    else:
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _is_same_file(one: bytes, other: bytes) -> bool:
    """Whether two paths are two spellings of one file (case, links, bind mounts), not hard links."""
    try:
        a, b = os.stat(one), os.stat(other)
    except OSError:
        return False
    return os.path.samestat(a, b) and a.st_nlink == 1


def _as_path(path: bytes) -> Path:
    return Path(os.fsdecode(path))
