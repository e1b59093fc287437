"""Where a list of songs comes from that is more than a query: a playlist, an album, a choice."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from library_db.playlists import OutsideFile
from library_db.smart import songs_of
from widgets.rows import TrackRow
from widgets.text import one_line

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.playlists import Rule

__all__ = [
    "PLACE",
    "Found",
    "Lost",
    "OutsideFiles",
    "Question",
    "Source",
    "among",
    "playlist_source",
    "rule_source",
]

PLACE = "place"
"""The sort key of an order of one's own."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What of a list is not there: how many of how many, and the path of the first."""

    number: int = 0
    total: int = 0
    first: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """Songs of a list, in order.

    Attributes
    ----------
    ids : ndarray, shape (n,), int64
        Below 0: a file from outside the library (see `OutsideFiles`).
    places : ndarray, shape (n,), or None
        Where each stands in the list itself, which the search may have shortened or sorted.
    lost : Lost
        Entries whose files are not there; none while a search shortens the list.
    """

    ids: NDArray[np.int64]
    places: NDArray[np.intp] | None = None
    lost: Lost = Lost()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a source: a query in the search language, and the order."""

    query: str
    sort: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A list of songs with a name.

    Parameters
    ----------
    find : callable
        Answers a question; runs on a pool.
    ordered : bool
        It has an order of its own, sorted by `PLACE`.
    editable : bool
        Songs can be put in, taken out and moved.
    parent : str
        The view to go back to; "" for one that the sidebar holds.
    """

    title: str
    find: Callable[[Library, Question], Found]
    ordered: bool = False
    editable: bool = False
    parent: str = ""


class OutsideFiles:
    """Ids below 0 for files that the library does not know, for as long as the program runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[OutsideFile, int] = {}
        self._files: dict[int, OutsideFile] = {}

    def ids_of(self, files: Iterable[OutsideFile]) -> list[int]:
        """The ids of files, new ones where they were not seen before."""
        found = []
        with self._lock:
            for file in files:
                track_id = self._ids.get(file)
                if track_id is None:
                    track_id = self._ids[file] = -len(self._ids) - 2  # -1 means "no song" elsewhere
                    self._files[track_id] = file
                found.append(track_id)
        return found

    def file_of(self, track_id: int) -> OutsideFile | None:
        return self._files.get(track_id)

    def rows(self, ids: Sequence[int]) -> list[TrackRow]:
        """What the views show of them; looks at the disk."""
        files = ((track_id, self.file_of(track_id)) for track_id in ids)
        return [
            TrackRow(
                id=track_id,
                title=one_line(file.title) or one_line(file.path.name),
                duration_s=file.duration_s,
                missing=not _is_there(file.path),
                path=str(file.path),
            )
            for track_id, file in files
            if file is not None
        ]


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  (50,000 of them; never raises)


def among(
    title: str,
    ids: Callable[[Library], NDArray[np.int64]],
    parent: str = "",
    sort: str = "",
) -> Source:
    """A set of songs, sorted as all songs are; with `sort`, by that until another is chosen."""

    def find(library: Library, question: Question) -> Found:
        by = sort if question.sort == PLACE else question.sort
        found = library.search(question.query, sort=by, descending=question.descending)
        return Found(found[np.isin(found, ids(library))])

    return Source(title, find, ordered=bool(sort), parent=parent)


def rule_source(title: str, rule: Rule) -> Source:
    """A smart playlist, in its own order until the listener asks for another."""

    def find(library: Library, question: Question) -> Found:
        own = question.sort == PLACE
        ids = songs_of(
            library.index,
            rule,
            also=question.query,
            sort="" if own else question.sort,
            descending=question.descending,
        )
        return Found(ids[::-1] if own and question.descending else ids)

    return Source(title, find, ordered=True)


def playlist_source(title: str, playlist_id: int, outside: OutsideFiles) -> Source:
    """A playlist, its missing files included."""

    kept: tuple[tuple[int, int], NDArray[np.int64], Lost] | None = None

    def find(library: Library, question: Question) -> Found:
        nonlocal kept
        now = (library.playlists.revision(playlist_id), library.revision)
        if kept is None or kept[0] != now:
            ids = _entries(library, playlist_id, outside)
            kept = (now, ids, _lost(library, ids, outside))
        _, ids, lost = kept
        return _ordered(library, ids, question, Lost() if question.query else lost)

    return Source(title, find, ordered=True, editable=True)


def _entries(library: Library, playlist_id: int, outside: OutsideFiles) -> NDArray[np.int64]:
    playlist = library.playlists.get(playlist_id)
    if playlist is None:
        return np.empty(0, np.int64)
    entries = library.playlists.resolved(playlist).entries
    numbers = iter(outside.ids_of(e for e in entries if isinstance(e, OutsideFile)))
    return np.array([e if isinstance(e, int) else next(numbers) for e in entries], np.int64)


def _lost(library: Library, ids: NDArray[np.int64], outside: OutsideFiles) -> Lost:
    gone = np.isin(ids, library.search("is:missing"))
    for place in np.flatnonzero(ids < 0).tolist():
        file = outside.file_of(int(ids[place]))
        gone[place] = file is None or not _is_there(file.path)
    if not gone.any():
        return Lost()
    first = int(ids[np.argmax(gone)])
    file, track = outside.file_of(first), library.track(first) if first >= 0 else None
    path = file.path if file is not None else track.path if track is not None else Path()
    return Lost(int(gone.sum()), len(ids), str(path))


def _ordered(library: Library, ids: NDArray[np.int64], question: Question, lost: Lost) -> Found:
    """The entries of a list that fit a question, in the list's or the question's order."""
    own = question.sort == PLACE
    matched = library.search(
        question.query,
        sort="artist" if own else question.sort,
        descending=not own and question.descending,
    )
    foreign = ids < 0
    keep = np.isin(ids, matched)
    if not question.query:
        keep |= foreign
    places = np.flatnonzero(keep)
    if own:
        places = places[::-1] if question.descending else places
    elif len(matched):
        ranks = np.full(len(ids), len(matched), np.int64)
        by_id = np.argsort(matched)
        known = np.flatnonzero(keep & ~foreign)
        ranks[known] = by_id[np.searchsorted(matched[by_id], ids[known])]
        places = places[np.argsort(ranks[places], kind="stable")]
    return Found(ids[places], places, lost)
