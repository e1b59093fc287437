"""Playlists in and out: what the command line and the window share, without Qt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from app.export import called
from library_db.m3u import SUFFIXES, read_m3u, write_m3u8
from library_db.playlists import Entry, OutsideFile, Playlist
from library_db.relocating import match_moved
from library_db.smart import songs_of
from library_db.walk import Walk, targets

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = [
    "Imported",
    "audio_below",
    "entries_of",
    "gather",
    "import_m3u",
    "relocated",
    "with_playlists_opened",
    "write_playlist",
]

_READ_AT_ONCE = 500


@dataclass(frozen=True)
class Imported:
    """A playlist file, taken apart.

    Attributes
    ----------
    playlist : Playlist
        Not written yet: the tracks that the library knows, the other files by their paths.
    unknown : list of Path
        Files that are there and that the library does not know: to be scanned.
    missing : list of Path
        Files that are not there.
    skipped : list of str
        What could not be taken over, in words.
    """

    playlist: Playlist
    unknown: list[Path] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def import_m3u(library: Library, path: Path) -> Imported:
    """Read a playlist file and find its songs in the library.

    Raises
    ------
    PlaylistError
        If it cannot be read, or is no playlist.
    """
    read = read_m3u(path)
    known = library.playlists.ids_at([file.path for file in read.files])
    entries: list[Entry] = [known.get(file.path, file) for file in read.files]
    outside = dict.fromkeys(entry.path for entry in entries if isinstance(entry, OutsideFile))
    there = [path for path in outside if os.path.isfile(path)]  # noqa: PTH113  (50,000 of them)
    missing = outside.keys() - there
    return Imported(
        Playlist(library.playlists.free_name(read.name), tuple(entries)),
        there,
        [path for path in outside if path in missing],
        read.skipped,
    )


def entries_of(library: Library, playlist: Playlist) -> Sequence[Entry]:
    """What a playlist holds now, in its order: of a smart one, what its question finds."""
    if playlist.rule is not None:
        return [int(i) for i in songs_of(library.index, playlist.rule)]
    return library.playlists.resolved(playlist).entries


def write_playlist(library: Library, playlist: Playlist, file: TextIO, folder: Path | None) -> int:
    """Write a playlist as M3U8, its missing files included; how many songs."""
    entries = entries_of(library, playlist)
    write_m3u8(file, _songs(library, entries), folder, playlist.name)
    return len(entries)


def _songs(library: Library, entries: Sequence[Entry]) -> Iterator[tuple[Path, str, float | None]]:
    for start in range(0, len(entries), _READ_AT_ONCE):
        part = entries[start : start + _READ_AT_ONCE]
        tracks = {t.id: t for t in library.tracks(e for e in part if isinstance(e, int))}
        for entry in part:
            if isinstance(entry, OutsideFile):
                yield entry.path, entry.title, entry.duration_s
            elif entry in tracks:
                track = tracks[entry]
                yield track.path, called(track), track.duration_s


def gather(library: Library, paths: Sequence[Path]) -> tuple[list[Entry], list[Path]]:
    """What files, folders and playlist files stand for in a playlist, in their order.

    Returns
    -------
    entries : list
    unknown : list of Path
        Those of the files that the library does not know yet: to be scanned.

    Raises
    ------
    PlaylistError
        If a playlist file cannot be read.
    """
    entries: list[Entry] = []
    for path in paths:
        if path.suffix.lower() in SUFFIXES:
            entries += import_m3u(library, path).playlist.entries
        else:
            entries += [OutsideFile(found) for found in audio_below(path)]
    outside = [entry.path for entry in entries if isinstance(entry, OutsideFile)]
    known = library.playlists.ids_at(outside)
    settled: list[Entry] = [
        known.get(entry.path, entry) if isinstance(entry, OutsideFile) else entry
        for entry in entries
    ]
    unknown = dict.fromkeys(path for path in outside if path not in known and path.is_file())
    return settled, list(unknown)


def with_playlists_opened(paths: Sequence[Path]) -> list[Path]:
    """The paths, with the songs of each playlist file in its place.

    Raises
    ------
    PlaylistError
        If a playlist file cannot be read.
    """
    opened: list[Path] = []
    for path in paths:
        if path.suffix.lower() in SUFFIXES:
            opened += [file.path for file in read_m3u(path).files]
        else:
            opened.append(path)
    return opened


def audio_below(path: Path) -> list[Path]:
    """The audio files at or below a path, in order of path."""
    walk = Walk(targets([path]))
    return sorted(Path(os.fsdecode(found.path)) for found in walk.files())


def relocated(library: Library, playlist: Playlist, folder: Path) -> tuple[Playlist, int]:
    """A playlist with those of its lost files that lie below `folder`; and how many these are."""
    playlist = library.playlists.resolved(playlist)
    lost = [
        entry.path
        for entry in playlist.entries
        if isinstance(entry, OutsideFile) and not entry.path.exists()
    ]
    moved = match_moved(lost, audio_below(folder))
    known = library.playlists.ids_at(list(moved.values()))

    def settled(entry: Entry) -> Entry:
        if not isinstance(entry, OutsideFile) or entry.path not in moved:
            return entry
        path = moved[entry.path]
        return known.get(path, replace(entry, path=path))

    entries = tuple(map(settled, playlist.entries))
    found = sum(one != other for one, other in zip(entries, playlist.entries, strict=True))
    return replace(playlist, entries=entries), found
