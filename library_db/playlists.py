"""Playlists: songs in an order of the listener's own, and questions that are saved (smart ones).

They lie in the library's database and hold the ids of tracks, so that they
survive moved and renamed files. A file that the library does not know is kept
by its path until a scan finds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from library_db.database import Durability
from library_db.storage import Document
from library_db.text import fold, plain_text

if TYPE_CHECKING:
    from library_db.store import LibraryStore

__all__ = [
    "Entry",
    "OutsideFile",
    "Playlist",
    "PlaylistInfo",
    "Playlists",
    "Rule",
    "clean_name",
    "rule_of",
]

_CHUNK = 500
MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class OutsideFile:
    """A file in a playlist that the library does not know: missing, or not scanned yet."""

    path: Path
    title: str = ""
    duration_s: float | None = None


Entry = int | OutsideFile
"""What a playlist lists: a track by its id, or a file from outside the library."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a smart playlist asks.

    Parameters
    ----------
    query : str
        In the search language; "" for everything.
    region : tuple of (valence, arousal)
        Corners of a part of the mood plane in which the songs lie; without any, all of it.
    sort, descending
        Their order, as `Library.search` takes it.
    relative : bool
        Whether the region is one of percentiles within the library, brought to [-1, 1].
    """

    query: str = ""
    region: tuple[tuple[float, float], ...] = ()
    sort: str = "artist"
    descending: bool = False
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Playlist:
    """One playlist. With a `rule` it is a smart one and has no entries of its own.

    Parameters
    ----------
    id : int
        0 before it is written.
    place : float
        Where it stands among the others.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    rule: Rule | None = None
    id: int = 0
    place: float = 0.0

    def with_entries(self, entries: Iterable[Entry], before: int | None = None) -> Playlist:
        """With more entries, before the one at place `before`; at the end without it."""
        place = len(self.entries) if before is None else before
        return replace(self, entries=(*self.entries[:place], *entries, *self.entries[place:]))

    def without(self, places: Iterable[int]) -> Playlist:
        """Without the entries at these places."""
        gone = set(places)
        kept = (entry for place, entry in enumerate(self.entries) if place not in gone)
        return replace(self, entries=tuple(kept))

    def moved(self, places: Iterable[int], before: int) -> Playlist:
        """With the entries at these places put before the one at place `before`, in their order."""
        chosen = sorted({place for place in places if 0 <= place < len(self.entries)})
        rest = self.without(chosen).entries
        at = before - sum(place < before for place in chosen)
        picked = tuple(self.entries[place] for place in chosen)
        return replace(self, entries=(*rest[:at], *picked, *rest[at:]))


@dataclass(frozen=True, slots=True)
class PlaylistInfo:
    """A playlist without its entries; `songs` is their number, 0 for a smart one."""

    id: int
    name: str
    smart: bool
    songs: int
    place: float
    revision: int


class Playlists:
    """The playlists of a library. Each writing method is one commit, on the disk when it returns.

    Examples
    --------
    >>> road = library.playlists.put(Playlist("Road", (7, 3)))      # doctest: +SKIP
    >>> library.playlists.get(road).entries                         # doctest: +SKIP
    (7, 3)
    """

    def __init__(self, store: LibraryStore) -> None:
        self._store = store
        self._table = store.playlists

    # reading

    def infos(self) -> list[PlaylistInfo]:
        """All playlists in their order, without what they hold."""
        rows = self._store.rows(
            "SELECT id, name, smart, songs, place, rev FROM playlists ORDER BY place, id"
        )
        return [
            PlaylistInfo(i, name or "", bool(smart), songs or 0, place or 0.0, rev or 0)
            for i, name, smart, songs, place, rev in rows
        ]

    def get(self, playlist_id: int) -> Playlist | None:
        """A playlist as it is stored, or None."""
        document = self._table.document(int(playlist_id))
        return None if document is None else _playlist(document)

    def revision(self, playlist_id: int) -> int:
        """Another number after each change of a playlist; -1 where there is none."""
        rows = self._store.rows("SELECT rev FROM playlists WHERE id = ?", (int(playlist_id),))
        return int(rows[0][0] or 0) if rows else -1

    def named(self, name: str) -> Playlist | None:
        """The playlist of this name; where case or accents differ, the first that fits."""
        infos = self.infos()
        wanted = fold(clean_name(name))
        exact = [info.id for info in infos if info.name == name]
        alike = [info.id for info in infos if fold(info.name) == wanted]
        found = (exact or alike)[:1]
        return self.get(found[0]) if found else None

    def resolved(self, playlist: Playlist) -> Playlist:
        """With those files from outside that the library has come to know as its tracks."""
        outside = [entry.path for entry in playlist.entries if isinstance(entry, OutsideFile)]
        known = self.ids_at(outside) if outside else {}
        if not known:
            return playlist
        entries = (
            known.get(entry.path, entry) if isinstance(entry, OutsideFile) else entry
            for entry in playlist.entries
        )
        return replace(playlist, entries=tuple(entries))

    def ids_at(self, paths: Sequence[Path]) -> dict[Path, int]:
        """The tracks at these paths, by path; those that are not known are left out."""
        places = {os.fsencode(path): path for path in paths}
        keys = list(places)
        found: dict[Path, int] = {}
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ", ".join("?" * len(chunk))
            rows = self._store.rows(
                f"SELECT path, id FROM tracks WHERE path IN ({marks}) AND hidden IS NULL", chunk
            )
            found.update((places[path], int(i)) for path, i in rows)
        return found

    def free_name(self, name: str) -> str:
        """`name`, or where it is taken, "name 2" and so on."""
        name = clean_name(name)
        taken = {info.name for info in self.infos()}
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name} {number}"
        return free

    # writing

    def put(self, playlist: Playlist) -> int:
        """Write a playlist, a new one at the end of the others; its id."""
        with self._store.commit(Durability.LISTENER):
            if not playlist.id:
                last = max((info.place for info in self.infos()), default=0.0)
                playlist = replace(playlist, place=playlist.place or last + 1.0)
                return self._table.insert(self._document(playlist))
            self.write({playlist.id: playlist})
        return playlist.id

    def write(self, playlists: Mapping[int, Playlist | None]) -> dict[int, Playlist | None]:
        """Put playlists back as they were (None: not there), in one commit; what stood before."""
        with self._store.commit(Durability.LISTENER):
            before = {i: self.get(i) for i in playlists}
            self._table.remove(doc_ids=[i for i, playlist in playlists.items() if playlist is None])
            self._table.put_multiple(
                Document(self._document(playlist), i)
                for i, playlist in playlists.items()
                if playlist is not None
            )
        return before

    def put_back(self, salvaged: Iterable[tuple[int, Playlist]]) -> None:
        """Take over playlists from a damaged file, where they are the newer ones."""
        with self._store.commit(Durability.LISTENER):
            for revision, playlist in salvaged:
                present = self.get(playlist.id)
                if present is None or self.revision(playlist.id) < revision:
                    self.write({playlist.id: self.resolved(playlist)})

    def order(self, ids: Sequence[int]) -> dict[int, Playlist | None]:
        """Have the playlists stand in this order; what each was before."""
        with self._store.commit(Durability.LISTENER):
            present = [self.get(i) for i in ids]
            return self.write(
                {
                    playlist.id: replace(playlist, place=float(place))
                    for place, playlist in enumerate((p for p in present if p is not None), 1)
                }
            )

    def _document(self, playlist: Playlist) -> dict[str, Any]:
        newest = self._store.rows("SELECT ifnull(max(rev), 0) FROM playlists")[0][0]
        document: dict[str, Any] = {
            "name": clean_name(playlist.name),
            "place": float(playlist.place),
            "smart": int(playlist.rule is not None),
            "songs": len(playlist.entries),
            "rev": int(newest) + 1,
            "entries": [_entry_document(entry) for entry in playlist.entries],
        }
        if playlist.rule is not None:
            rule = playlist.rule
            document["rule"] = {
                "query": rule.query,
                "region": [[float(x), float(y)] for x, y in rule.region],
                "sort": rule.sort,
                "descending": rule.descending,
                **({"relative": True} if rule.relative else {}),
            }
        return document


def clean_name(name: str) -> str:
    """A name as it is kept: one line of plain text, never empty."""
    return plain_text(name, MOST_NAME) or "Playlist"


def _entry_document(entry: Entry) -> int | list[Any]:
    if isinstance(entry, OutsideFile):
        return [str(entry.path), entry.title, entry.duration_s]
    return int(entry)  # numpy's integers are not JSON's


def _playlist(document: Document) -> Playlist:
    return Playlist(
        name=document.get("name", ""),
        entries=tuple(
            entry if isinstance(entry, int) else OutsideFile(Path(entry[0]), entry[1], entry[2])
            for entry in document.get("entries", ())
        ),
        rule=rule_of(document.get("rule")),
        id=document.doc_id,
        place=document.get("place", 0.0),
    )


def rule_of(stored: Mapping[str, Any] | None) -> Rule | None:
    """The rule of a stored playlist, None for one without."""
    if stored is None:
        return None
    region = tuple((float(x), float(y)) for x, y in stored["region"])
    relative = bool(stored.get("relative"))
    return Rule(stored["query"], region, stored["sort"], stored["descending"], relative)
