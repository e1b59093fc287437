"""Tells files that were moved or renamed from copies, by their audio."""

# Paths are bytes here, so that names in any encoding survive.
# ruff: noqa: PTH112, PTH116, PTH119, PTH120

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from library_db.identity import audio_hash
from library_db.walk import Found, is_below

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.rows import KnownFile

__all__ = ["Moves"]

_NONE: Sequence[KnownFile] = ()


class Moves:
    """Which track a file's audio belongs to, where the track's own file is not in its place.

    Parameters
    ----------
    known : mapping by path
        The tracks below what is scanned.
    gone : dict by path
        Those of `known` whose file is not there; who is claimed leaves it.
    changed : mapping by path
        Files of `known` whose size or mtime differs.
    """

    def __init__(
        self,
        library: Library,
        known: Mapping[bytes, KnownFile],
        gone: dict[bytes, KnownFile],
        changed: Mapping[bytes, Found],
    ) -> None:
        self._library = library
        self._known = known
        self._gone = gone
        self._changed = changed
        self._claimed: set[int] = set()
        self._candidates: dict[str, Sequence[KnownFile]] = {}
        self._hashes: dict[bytes, str] = {}
        self._roots = [os.fsencode(root) for root in library.roots()]

    def claim(self, found: Found, identity: str) -> KnownFile | None:
        """The track that takes over this file, if there is one; no track is given twice."""
        if not identity:
            return None
        candidates = self._candidates.get(identity)
        if candidates is None:
            candidates = self._candidates[identity] = self._not_in_place(identity)
        name = os.path.basename(found.path)
        for file in sorted(candidates, key=lambda f: (os.path.basename(f.path) != name, f.id)):
            if file.id in self._claimed or file.path == found.path:
                continue
            if self._is_displaced(file, found):
                self._claimed.add(file.id)
                self._gone.pop(file.path, None)
                return file
        return None

    def _not_in_place(self, identity: str) -> Sequence[KnownFile]:
        # Asked once an identity: what this scan itself adds is in its place, and a thousand
        # copies of one file must not be compared with a thousand others each.
        return [
            file
            for file in self._library.files_with(identity)
            if file.path not in self._known or file.path in self._gone or file.path in self._changed
        ] or _NONE

    def has_claimed(self, track_id: int) -> bool:
        return track_id in self._claimed

    def _is_displaced(self, file: KnownFile, found: Found) -> bool:
        if file.path in self._gone:
            return True
        if file.path in self._changed:
            return self._hash_now(file.path) != file.audio_hash
        return _is_gone(file.path, self._roots) or _is_same_file(file.path, found.path)

    def _hash_now(self, path: bytes) -> str:
        if path not in self._hashes:
            try:
                self._hashes[path] = audio_hash(path)
            except OSError:
                self._hashes[path] = ""
        return self._hashes[path]


def _is_gone(path: bytes, roots: Sequence[bytes]) -> bool:
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
    within = [root for root in roots if is_below(path, root)]
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
    """Whether two paths spell one file in two ways (case, links, mounts); not hard links."""
    try:
        a, b = os.stat(one), os.stat(other)
    except OSError:
        return False
    return os.path.samestat(a, b) and a.st_nlink == 1
