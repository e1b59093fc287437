"""Writes a mood into a listener's file: copied, verified, then renamed; only our own items.

The old file stays whole until the new one, verified and on the disk, takes its name in one
step. What cannot be parsed to the last byte is refused with `TagError` and not touched.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO

from library_db.errors import TagError
from library_db.identity import payload_hash
from library_db.tag_items import KEYS, Layout, refuse, texts_of, write_pieces
from library_db.tags import Tags, read_tags

__all__ = [
    "FileState",
    "FileTags",
    "NoPlaceError",
    "clean_leftovers",
    "read_mood_tags",
    "real_file",
    "rewrite",
]

_LEFTOVER = re.compile(r"\.undertone-tags-[0-9a-f]{16}\.tmp")
_NO_PLACE = "files of this kind ({}) have no safe place for a mood"
_BLOCK_BYTES = 1 << 20
_SPARE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileState:
    """Size and time of a file, by which a scan tells whether it changed."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FileTags:
    """Our items in a file, whoever wrote them.

    Parameters
    ----------
    kind : str
        ``"ID3v2.4"``, ``"FLAC"`` ...: raw items go back into files of the same kind only.
    texts : mapping of key to text
        Of `library_db.tag_items.KEYS` those that are there.
    raw : tuple of bytes
    state : FileState
    """

    kind: str
    texts: Mapping[str, str]
    raw: tuple[bytes, ...]
    state: FileState


class NoPlaceError(TagError):
    """A format in which no mood can be written safely."""


def real_file(path: Path) -> Path:
    """The file itself where `path` is a link to it."""
    return Path(os.path.realpath(path))


def read_mood_tags(path: Path) -> FileTags:
    """The items with our keys in a file that could be rewritten.

    Raises
    ------
    TagError
        If it could not: not understood, read-only, several names ... `NoPlaceError` if its
        format has no place for a mood.
    """
    with _opened(path) as (file, state):
        _refuse_unwritable(path, state)
        layout = _layout(path, file, state.st_size)
        return _file_tags(layout, state)


def rewrite(
    path: Path,
    found: FileTags,
    items: Mapping[str, str] | Sequence[bytes],
    *,
    before_replacing: Callable[[], None] | None = None,
) -> FileState:
    """Replace our items in a file; everything else in it stays byte for byte.

    Parameters
    ----------
    path : Path
        A file, not a link: see `real_file`.
    found : FileTags
        What `read_mood_tags` gave; the file must still be as it was then.
    items : mapping of key to text, or sequence of bytes
        What to write, or raw items to put back.
    before_replacing : callable, optional
        Called when the new file is verified and on the disk; if it raises, nothing happens.

    Returns
    -------
    FileState
        Of the new file. Mode, extended attributes and, where permitted, owner are the old
        file's; its time is the present, since other programs must see that it changed.

    Raises
    ------
    TagError
        The old file is then as it was.
    """
    temporary = path.parent / f".undertone-tags-{secrets.token_hex(8)}.tmp"
    try:
        with _opened(path) as (source, state), temporary.open("x+b") as target:
            _lock(target)
            layout = _layout(path, source, state.st_size)
            if _file_tags(layout, state) != found:
                raise refuse("the file changed meanwhile")
            _refuse_full_disk(path.parent, state.st_size)
            raw = _encoded(layout, items)
            write_pieces(source, target, layout.pieces(raw))
            target.flush()
            _keep_attributes(path, temporary, target, state)
            os.fsync(target.fileno())
            _verify(path, temporary, source, target, layout, raw)
            if before_replacing is not None:
                before_replacing()
            now = path.stat()
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (
                state.st_ino, state.st_size, state.st_mtime_ns,
            ):  # fmt: skip
                raise refuse("the file changed meanwhile")
            temporary.replace(path)
            _sync_folder(path.parent)
            written = os.fstat(target.fileno())
    except OSError as error:
        raise TagError(f"its tags cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return FileState(written.st_size, written.st_mtime_ns)


def clean_leftovers(folder: Path) -> int:
    """Remove the unfinished copies of a run that was killed; returns how many there were."""
    removed = 0
    try:
        names = [entry.name for entry in os.scandir(folder) if _LEFTOVER.fullmatch(entry.name)]
    except OSError:
        return 0
    for name in names:
        with suppress(OSError), (folder / name).open("rb") as file:
            _lock(file)  # fails where another run is just writing it
            (folder / name).unlink()
            removed += 1
    return removed


# reading


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise TagError(f"the file cannot be read: {error.strerror or error}") from error
    with file:
        yield file, os.fstat(file.fileno())


def _file_tags(layout: Layout, state: os.stat_result) -> FileTags:
    return FileTags(
        layout.kind,
        texts_of(layout.items),
        tuple(item.raw for item in layout.items),
        FileState(state.st_size, state.st_mtime_ns),
    )


def _layout(path: Path, file: BinaryIO, size: int) -> Layout:
    """The file's tags by what it is, not by its name."""
    kind = read_tags(path).format
    file.seek(0)
    try:
        if kind == "MP3":
            from library_db.tags_id3 import read_id3

            return read_id3(file, size)
        if kind == "FLAC":
            from library_db.tags_vorbis import read_flac

            return read_flac(file, size)
        if kind in ("Ogg", "Opus"):
            from library_db.tags_vorbis import read_ogg

            return read_ogg(file, size)
        if kind in ("M4A", "ALAC"):
            from library_db.tags_mp4 import read_mp4

            return read_mp4(file, size)
    except OSError as error:
        raise TagError(f"the file cannot be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise refuse("it is nested too deeply") from error
    raise NoPlaceError(_NO_PLACE.format(kind))


def _refuse_unwritable(path: Path, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise refuse("this is not a file")
    if state.st_nlink > 1:
        raise refuse(f"the file has {state.st_nlink} names (hard links), which writing would part")
    if not state.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise refuse("the file is read-only")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise refuse("its folder is read-only")


# writing


def _encoded(layout: Layout, items: Mapping[str, str] | Sequence[bytes]) -> tuple[bytes, ...]:
    if isinstance(items, Mapping):
        return tuple(layout.encode(key, items[key]) for key in KEYS if key in items)
    return tuple(items)


def _refuse_full_disk(folder: Path, size: int) -> None:
    with suppress(OSError):
        if shutil.disk_usage(folder).free < size + _SPARE_BYTES:
            raise refuse("there is not enough space for a copy of the file beside it")


def _keep_attributes(path: Path, temporary: Path, target: BinaryIO, state: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        for owner, group in ((-1, state.st_gid), (state.st_uid, -1)):
            with suppress(OSError):  # only root may give files away
                os.fchown(target.fileno(), owner, group)
    shutil.copystat(path, temporary)
    os.utime(temporary)


def _verify(
    path: Path,
    temporary: Path,
    source: BinaryIO,
    target: BinaryIO,
    before: Layout,
    raw: Sequence[bytes],
) -> None:
    """Read the new file as a stranger would and compare everything that must be the same."""
    after = _layout(temporary, target, os.fstat(target.fileno()).st_size)
    same_ranges = len(before.kept) == len(after.kept) and all(
        _digest(source, old) == _digest(target, new)
        for old, new in zip(before.kept, after.kept, strict=True)
    )
    if not (
        tuple(item.raw for item in after.items) == tuple(raw)
        and after.foreign == before.foreign
        and (after.kind == before.kind or not raw)
        and same_ranges
        and _said(temporary) == _said(path)
        and payload_hash(temporary) == payload_hash(path)
    ):
        raise refuse("a copy with the new tags did not pass its check")


def _said(path: Path) -> dict[str, object]:
    """What other programs show of a file."""
    tags = read_tags(path)
    said = {field.name: getattr(tags, field.name) for field in fields(Tags)}
    said.pop("bitrate_kbps")  # of some formats computed from the size of the file
    if said["duration_s"] is not None:
        said["duration_s"] = round(said["duration_s"], 1)
    return said


def _digest(file: BinaryIO, place: tuple[int, int]) -> bytes:
    start, end = place
    digest = hashlib.blake2b()
    file.seek(start)
    while start < end:
        data = file.read(min(_BLOCK_BYTES, end - start))
        if not data:
            return b""
        digest.update(data)
        start += len(data)
    return digest.digest()


def _lock(file: BinaryIO) -> None:
    """Hold the file as ours until it is closed; OSError where somebody else holds it."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
