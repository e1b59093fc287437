"""Writing moods into the listener's files, when asked to, and taking them out again."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from inference.emotion import QUADRANTS
from inference.errors import UndertoneError
from inference.job import Job, Progress

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.library import Library
    from library_db.tags_writing import FileState, FileTags
    from library_db.track import Track

__all__ = ["TagChange", "UndoError", "WriteReport", "mood_texts", "undo_tags", "write_tags"]

_READ_AT_ONCE = 200
_UNDO_SCHEMA = 1
_LOCK_NAME = "writing-tags.lock"
_USER = "user"
_MODEL = "undertone:"
_LABELS = frozenset(quadrant.label for quadrant in QUADRANTS)
_CHANGED = "the file changed since it was scanned; run the same command again"


class UndoError(UndertoneError):
    """An undo file cannot be written, or is none."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """What became of one file.

    Parameters
    ----------
    before, after : mapping of key to text
        Our items in the file, whoever wrote them; equal where there was nothing to do.
    skipped : str or None
        Why it was left alone, as it should be: a foreign mood, a format without a place.
    error : str or None
        Why it could not be written.
    """

    path: Path
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    skipped: str | None = None
    error: str | None = None

    @property
    def is_change(self) -> bool:
        return self.before != self.after

    def lines(self) -> list[str]:
        """The difference for people, one line a key."""
        keys = dict.fromkeys((*self.before, *self.after))
        return [
            f"{key}: {self.before.get(key) or '(none)'} -> {self.after.get(key) or '(none)'}"
            for key in keys
            if self.before.get(key) != self.after.get(key)
        ]


@dataclass(frozen=True, slots=True)
class WriteReport:
    """The sum of a run; in a dry run `written` counts the files that would be.

    Parameters
    ----------
    written, unchanged : int
    skipped, failed : tuple of TagChange
    undo_file : Path or None
        What takes the run back; None where nothing was written.
    """

    written: int
    unchanged: int
    skipped: tuple[TagChange, ...]
    failed: tuple[TagChange, ...]
    undo_file: Path | None
    seconds: float


def mood_texts(emotion: TrackEmotion) -> dict[str, str]:
    """What is written of a song: the listener's word before any model's; empty without a mood.

    MOOD is Happy, Tense, Calm or Sad; VALENCE and AROUSAL lie in 0..1 in files; MOOD_SOURCE is
    ``user`` or ``undertone:`` and the model's id.
    """
    chosen = emotion.effective
    if chosen is None:
        return {}
    source = _USER
    if chosen.source != "user" and emotion.estimate is not None:
        source = _MODEL + emotion.estimate.model_id
    return {
        "MOOD": chosen.quadrant.label,
        "VALENCE": f"{(chosen.mood.valence + 1) / 2:.3f}",
        "AROUSAL": f"{(chosen.mood.arousal + 1) / 2:.3f}",
        "MOOD_SOURCE": source,
    }


def write_tags(
    library: Library,
    ids: Sequence[int],
    undo_dir: Path,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
) -> Job[WriteReport]:
    """Write the moods of songs into their files; see `library_db.tags_writing`.

    Parameters
    ----------
    library : Library
        This generator's thread is its only writer meanwhile.
    ids : sequence of int
        Songs; those without a mood are passed over.
    undo_dir : Path
        Gets one file a run, which `undo_tags` takes.
    overwrite : bool
        Also over a mood that another program or person wrote.
    dry_run : bool
        Only say what would be done.

    Yields
    ------
    Progress
        `item` is a `TagChange` when a file's turn is over. Close the generator to stop: each
        file is either written or as it was.

    Raises
    ------
    UndoError
        If the undo file cannot be written; no more files are touched then.
    UndertoneError
        If another run writes tags just now.
    """
    with _Writing(library, undo_dir, dry_run=dry_run) as run:
        for start in range(0, len(ids), _READ_AT_ONCE):
            tracks = library.tracks(ids[start : start + _READ_AT_ONCE])
            emotions = library.emotions([track.id for track in tracks])
            for number, (track, emotion) in enumerate(zip(tracks, emotions, strict=True), start):
                wanted = mood_texts(emotion)
                if wanted:
                    change = run.write(track, wanted, overwrite=overwrite)
                    yield Progress(number + 1, len(ids), track.path.name, change)
                else:
                    yield Progress(number + 1, len(ids), track.path.name)
        return run.report()


def undo_tags(library: Library, undo_file: Path, *, dry_run: bool = False) -> Job[WriteReport]:
    """Take back what a run wrote, file by file, unless somebody changed it since.

    Parameters
    ----------
    undo_file : Path
        As `WriteReport.undo_file`. It is kept: a second time there is nothing left to do.

    Yields
    ------
    Progress
        As `write_tags`.

    Raises
    ------
    UndoError
        If the file is none of ours.
    """
    records = list(_records(undo_file))
    with _Writing(library, undo_file.parent, dry_run=dry_run) as run:
        for number, record in enumerate(reversed(records), 1):
            change = run.restore(record)
            yield Progress(number, len(records), change.path.name, change)
        return run.report()


class _Writing:
    """The state of one run."""

    def __init__(self, library: Library, undo_dir: Path, *, dry_run: bool) -> None:
        self._library = library
        self._undo = _UndoFile(undo_dir)
        self._dry_run = dry_run
        self._started_s = time.monotonic()
        self._stack = ExitStack()
        self._folders: set[Path] = set()
        self._done: dict[Path, tuple[FileState, FileState]] = {}
        self._written = self._unchanged = 0
        self._skipped: list[TagChange] = []
        self._failed: list[TagChange] = []

    def __enter__(self) -> _Writing:
        if not self._dry_run:
            lock = self._library.store.database.path.parent / _LOCK_NAME
            self._stack.enter_context(_only_run(lock))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()
        self._stack.close()

    def report(self) -> WriteReport:
        return WriteReport(
            self._written,
            self._unchanged,
            tuple(self._skipped),
            tuple(self._failed),
            self._undo.path,
            time.monotonic() - self._started_s,
        )

    def write(self, track: Track, wanted: Mapping[str, str], *, overwrite: bool) -> TagChange:
        """Write one song's mood, or say why not."""
        from library_db.errors import TagError
        from library_db.tags_writing import NoPlaceError, read_mood_tags, real_file

        path = real_file(track.path)
        before: Mapping[str, str] = {}
        try:
            if self._follow(track, path):
                return self._count(TagChange(track.path, wanted, wanted))
            self._clean(path.parent)
            found = read_mood_tags(path)
            before = found.texts
            if not self._dry_run and not _is_as_known(track, found):
                raise TagError(_CHANGED)
            if before == wanted:
                return self._count(TagChange(track.path, before, wanted))
            if before and not _is_ours(before) and not overwrite:
                mood = before.get("MOOD") or ", ".join(f"{k} {v}" for k, v in before.items())
                reason = f"it has a mood that is not from here ({mood}); --overwrite replaces it"
                return self._count(TagChange(track.path, before, before, skipped=reason))
            if not self._dry_run:
                self._replace(track.path, path, found, wanted, wanted, [track.id])
        except NoPlaceError as error:
            return self._count(TagChange(track.path, skipped=error.message))
        except TagError as error:
            return self._count(TagChange(track.path, before, before, error=str(error)))
        return self._count(TagChange(track.path, before, wanted))

    def restore(self, record: _Record) -> TagChange:
        """Put one file's items back, or say why not."""
        from library_db.errors import TagError
        from library_db.tags_writing import read_mood_tags, real_file

        try:
            path = real_file(record.path)
            self._clean(path.parent)
            found = read_mood_tags(path)
            if found.texts == record.before:
                return self._count(TagChange(record.path, found.texts, found.texts))
            if found.texts != record.after or found.kind != record.kind:
                reason = "its mood was changed again since, and is left alone"
                return self._count(TagChange(record.path, skipped=reason))
            if not self._dry_run:
                track = self._library.by_path(record.path)
                ids = [track.id] if track is not None and _is_as_known(track, found) else []
                self._replace(record.path, path, found, record.removed, record.before, ids)
        except TagError as error:
            return self._count(TagChange(record.path, error=str(error)))
        return self._count(TagChange(record.path, record.after, record.before))

    def _replace(
        self,
        named: Path,
        path: Path,
        found: FileTags,
        items: Mapping[str, str] | Sequence[bytes],
        after: Mapping[str, str],
        ids: Sequence[int],
    ) -> None:
        from library_db.tags_writing import rewrite

        def remember() -> None:
            if isinstance(items, Mapping):
                self._undo.add(named, found, after)

        state = rewrite(path, found, items, before_replacing=remember)
        self._done[path] = (found.state, state)
        self._library.set_file_states([(i, state.size_bytes, state.mtime_ns) for i in ids])

    def _follow(self, track: Track, path: Path) -> bool:
        """Whether the song's file was written already under another name (a link)."""
        before, after = self._done.get(path, (None, None))
        if before is None or after is None:
            return False
        if (track.size_bytes, track.mtime_ns) == (before.size_bytes, before.mtime_ns):
            self._library.set_file_states([(track.id, after.size_bytes, after.mtime_ns)])
        return True

    def _clean(self, folder: Path) -> None:
        from library_db.tags_writing import clean_leftovers

        if folder not in self._folders and not self._dry_run:
            clean_leftovers(folder)
            self._folders.add(folder)

    def _count(self, change: TagChange) -> TagChange:
        if change.error is not None:
            self._failed.append(change)
        elif change.skipped is not None:
            self._skipped.append(change)
        elif change.is_change:
            self._written += 1
        else:
            self._unchanged += 1
        return change


def _is_ours(texts: Mapping[str, str]) -> bool:
    source = texts.get("MOOD_SOURCE", "")
    known = source == _USER or source.startswith(_MODEL)
    return known and texts.get("MOOD", "Happy") in _LABELS


def _is_as_known(track: Track, found: FileTags) -> bool:
    state = found.state
    return (track.size_bytes, track.mtime_ns) == (state.size_bytes, state.mtime_ns)


@contextmanager
def _only_run(lock: Path) -> Iterator[None]:
    with lock.open("a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UndertoneError(
                "another Undertone is writing tags just now", "Wait until it has finished"
            ) from error
        except (ImportError, OSError):
            pass  # file systems without locks: each file is still replaced in one step
        yield


# the undo file: one JSON object a line


@dataclass(frozen=True, slots=True)
class _Record:
    path: Path
    kind: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    removed: tuple[bytes, ...]


class _UndoFile:
    """Made at the first change of a run; a record is on the disk before its file is replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self.path: Path | None = None

    def add(self, path: Path, found: FileTags, after: Mapping[str, str]) -> None:
        record = {
            "schema": _UNDO_SCHEMA,
            "path": str(path),
            "kind": found.kind,
            "at_s": time.time(),
            "before": dict(found.texts),
            "after": dict(after),
            "removed": [base64.b64encode(raw).decode("ascii") for raw in found.raw],
        }
        line = json.dumps(record, allow_nan=False) + "\n"
        try:
            file = self._opened()
            file.write(line.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise UndoError(
                f"the undo file in {self._folder} cannot be written ({error.strerror}); "
                "no more files are touched",
                "Free some space, or choose another folder with --home",
            ) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stamp = time.strftime("%Y%m%d-%H%M%S")
            for number in range(1, 1000):
                path = self._folder / f"tags-{stamp}{f'-{number}' if number > 1 else ''}.jsonl"
                try:
                    self._file = path.open("xb")
                except FileExistsError:
                    continue
                self.path = path
                break
        if self._file is None:
            raise OSError(0, "too many undo files")
        return self._file


def _records(undo_file: Path) -> Generator[_Record, None, None]:
    try:
        lines = undo_file.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise UndoError(f"{undo_file} cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return  # cut off by a crash, before its file was touched
        try:
            data: dict[str, Any] = json.loads(line)
            if data["schema"] != _UNDO_SCHEMA:
                raise ValueError("schema")
            yield _Record(
                Path(data["path"]),
                str(data["kind"]),
                {str(key): str(text) for key, text in data["before"].items()},
                {str(key): str(text) for key, text in data["after"].items()},
                tuple(base64.b64decode(raw, validate=True) for raw in data["removed"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UndoError(
                f"{undo_file} is not an undo file of this program (line {number})",
                "Name one of those in the folder undo of Undertone's home",
            ) from error
