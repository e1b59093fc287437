"""Finds the audio files below some folders, whatever the folders hold."""

# Paths are bytes here, so that names in any encoding survive.
# ruff: noqa: PTH100, PTH116, PTH119, PTH122

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from library_db.formats import AUDIO_SUFFIXES

__all__ = ["Found", "Walk", "is_below", "targets"]

_SKIPPED_FOLDERS = frozenset(
    {b".git", b".thumbnails", b".cache", b".trash", b"lost+found", b"@eadir", b"#recycle",
     b"$recycle.bin", b"system volume information", b".stversions", b".snapshots"}
)  # fmt: skip
_SUFFIXES = frozenset(os.fsencode(suffix) for suffix in AUDIO_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Found:
    """An audio file as the walk saw it."""

    path: bytes
    size_bytes: int
    mtime_ns: int


def targets(paths: Sequence[Path]) -> list[bytes]:
    """The paths, absolute and each once; what lies below another one is left to it."""
    absolute = sorted({os.fsencode(Path(os.path.abspath(path))) for path in paths})
    kept: list[bytes] = []
    for path in absolute:
        # One that is not there is kept, to be named.
        if not any(is_below(path, other) for other in kept) or not os.path.lexists(path):
            kept.append(path)
    # A link to a folder comes after the folder itself, whose spelling is then the one that stays.
    return sorted(kept, key=lambda path: (os.path.realpath(path) != path, path))


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


@dataclass
class Walk:
    """One walk over `targets`; iterate `files`, then read what went wrong.

    Attributes
    ----------
    faults : list of (path, reason)
        What could not be looked at.
    unread : set of paths
        Folders whose content is unknown: nothing below them may be called missing.
    """

    targets: Sequence[bytes]
    faults: list[tuple[bytes, str]] = field(default_factory=list)
    unread: set[bytes] = field(default_factory=set)
    _visited: set[tuple[int, int]] = field(default_factory=set)

    def files(self) -> Iterator[Found]:
        """Each audio file once, folder by folder. Links are followed, after all real folders."""
        return (found for found in self.steps() if found is not None)

    def steps(self) -> Iterator[Found | None]:
        """As `files`, and None after each folder: there may be thousands without music."""
        links: list[bytes] = []
        linked_files: list[bytes] = []
        for target in self.targets:
            try:
                state = os.stat(target)
            except OSError as error:
                self.faults.append((target, _unreachable(error)))
                if not any(is_below(target, other) for other in self.targets if other != target):
                    self.unread.add(target)
                continue
            if stat.S_ISDIR(state.st_mode):
                yield from self._folder(target, links, linked_files)
            elif not stat.S_ISREG(state.st_mode):
                self._fault(target, "neither a file nor a folder")
            elif not _is_audio(os.path.basename(target)):
                self._fault(target, "not an audio file by its name")
            else:
                yield Found(target, state.st_size, state.st_mtime_ns)
        while links:
            yield from self._folder(links.pop(0), links, linked_files)
        yield from self._linked(linked_files)

    def _folder(
        self, start: bytes, links: list[bytes], linked_files: list[bytes]
    ) -> Iterator[Found | None]:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            files: list[Found] = []
            inner: list[bytes] = []
            try:
                state = os.stat(folder)
                if (state.st_dev, state.st_ino) in self._visited:
                    continue
                self._visited.add((state.st_dev, state.st_ino))
                with os.scandir(folder) as entries:
                    for entry in entries:
                        self._entry(entry, files, inner, links, linked_files)
            except OSError as error:
                self._fault(folder, f"the folder cannot be read: {error.strerror}")
            inner.sort(reverse=True)
            waiting.extend(inner)
            files.sort(key=lambda found: found.path)
            yield from files
            yield None

    def _entry(
        self,
        entry: os.DirEntry[bytes],
        files: list[Found],
        inner: list[bytes],
        links: list[bytes],
        linked_files: list[bytes],
    ) -> None:
        name = entry.name
        is_audio = _is_audio(name)
        try:
            if entry.is_symlink():
                if entry.is_dir():
                    links.append(entry.path)
                elif is_audio:
                    linked_files.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                if name.lower() not in _SKIPPED_FOLDERS and not name.startswith(b".Trash-"):
                    inner.append(entry.path)
            elif is_audio and entry.is_file(follow_symlinks=False):
                state = entry.stat(follow_symlinks=False)
                files.append(Found(entry.path, state.st_size, state.st_mtime_ns))
        except FileNotFoundError:
            return  # gone since the folder was listed: as if it had not been there
        except OSError as error:
            self.faults.append((entry.path, f"cannot be looked at: {error.strerror}"))
            self.unread.add(entry.path)

    def _linked(self, paths: Sequence[bytes]) -> Iterator[Found]:
        """Linked files that the walk does not reach by themselves."""
        for path in paths:
            real = os.path.realpath(path)
            if any(is_below(real, target) for target in self.targets):
                continue
            try:
                state = os.stat(path)
            except OSError as error:
                self.faults.append((path, f"the link leads nowhere: {error.strerror}"))
                continue
            if stat.S_ISREG(state.st_mode):
                yield Found(path, state.st_size, state.st_mtime_ns)

    def _fault(self, path: bytes, reason: str) -> None:
        self.faults.append((path, reason))
        self.unread.add(path)


def _is_audio(name: bytes) -> bool:
    # "._name" are the resource forks that macOS leaves on other systems' disks.
    return os.path.splitext(name)[1].lower() in _SUFFIXES and not name.startswith(b"._")


def _unreachable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist; if it lies on a drive, is that connected?"
    return f"cannot be reached: {error.strerror}"
