"""The library by albums, artists, genres, moods and folders: groups of songs from the index.

Everything comes from the columns in memory: 100,000 songs are grouped in some
ten milliseconds, without SQL and without the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS
from library_db.columns import Columns, Mask, Rows, TextColumn
from library_db.matching import match
from library_db.query import QueryError, parse
from library_db.text import fold, sort_key

if TYPE_CHECKING:
    from library_db.index import LibraryIndex

__all__ = [
    "FolderTree", "Group", "Kind", "arranged", "folders", "groups", "members", "songs_below",
]  # fmt: skip

MOST_COVERS = 4
_APART = "\x1f"
_GENRES = re.compile(r"\s*[;/|]\s*|\s*,\s+")


class Kind(str, Enum):
    """By what songs are put together."""

    ALBUMS = "albums"
    ARTISTS = "artists"
    GENRES = "genres"
    MOODS = "moods"


class Group(NamedTuple):
    """Songs that belong together; one of thousands, which is why it is a tuple.

    Parameters
    ----------
    key : str
        Tells the group from the others of its kind; `members` takes it.
    name : str
        As the first of its songs spells it; "" for songs without one.
    artist : str
        Of an album: whose it is; "" where several artists play on it.
    moods : tuple of int
        How many of the songs are of each quadrant, in the order of `QUADRANTS`.
    covers : tuple of int
        Songs with a cover, at most four, of different albums.
    year : int or None
        The earliest.
    added_s : float
        When the newest of its songs came, seconds since the epoch.
    """

    key: str
    name: str
    artist: str
    songs: int
    moods: tuple[int, int, int, int]
    covers: tuple[int, ...]
    year: int | None
    added_s: float


@dataclass(frozen=True)
class FolderTree:
    """The folders that hold songs and all above them, by number.

    Attributes
    ----------
    paths : list of str
    songs : list of int
        In the folder and below it.
    parents : list of int
        -1 at the top.
    children : list of lists of int
        In order of path.
    rows : list of int
        The place of each among the children of its parent.
    tops : list of int
        Where the tree begins: below what all songs have in common.
    """

    paths: list[str]
    songs: list[int]
    parents: list[int]
    children: list[list[int]]
    rows: list[int]
    tops: list[int]


def groups(index: LibraryIndex, kind: Kind, query: str = "") -> list[Group]:
    """The groups that have songs which fit a query, in order of their names.

    Raises
    ------
    QueryError
        If the text is no query.
    """
    root = parse(query).root
    return index.read(lambda columns: _groups(columns, kind, match(root, columns)))


def members(index: LibraryIndex, kind: Kind, keys: Iterable[str]) -> NDArray[np.int64]:
    """Ids of the songs of some groups, ascending."""
    wanted = set(keys)

    def look(columns: Columns) -> NDArray[np.int64]:
        rows, codes, named = _coded(columns, kind, np.ones(len(columns), np.bool_))
        chosen = np.array([key in wanted for key in named.keys], np.bool_)
        if not len(rows):
            return np.empty(0, np.int64)
        return np.unique(columns.ids[rows[chosen[codes]]])

    return index.read(look)


def arranged(
    index: LibraryIndex, ids: NDArray[np.int64], query: str = "", *, sort: str = "album"
) -> list[int]:
    """Those of `ids` that fit a query, in order; all of them where the text is no query."""
    try:
        order = index.search(query, sort=sort)
    except QueryError:
        order = index.search("", sort=sort)
    found: list[int] = order[np.isin(order, ids)].tolist()
    return found


def folders(index: LibraryIndex, query: str = "") -> FolderTree:
    """The folders with songs that fit a query.

    Raises
    ------
    QueryError
        If the text is no query.
    """
    root = parse(query).root

    def look(columns: Columns) -> dict[str, int]:
        column = columns.texts["folder"]
        counts = np.bincount(column.codes[match(root, columns)], minlength=len(column.folded))
        found = zip(column.values, counts.tolist(), strict=True)
        return {path: number for path, number in found if number}

    return _tree(index.read(look))


def _tree(own: dict[str, int]) -> FolderTree:
    numbers: dict[str, int] = {}
    paths: list[str] = []
    parents: list[int] = []
    children: list[list[int]] = []
    songs: list[int] = []
    rows: list[int] = []

    def number_of(path: str) -> int:
        number = numbers.get(path)
        if number is None:
            above = path.rpartition("/")[0] or "/"
            parent = -1 if path in ("/", "") else number_of(above)
            number = numbers[path] = len(paths)
            paths.append(path)
            parents.append(parent)
            children.append([])
            songs.append(0)
            rows.append(len(children[parent]) if parent >= 0 else 0)
            if parent >= 0:
                children[parent].append(number)
        return number

    for path in sorted(own):
        at = number_of(path)
        while at >= 0:
            songs[at] += own[path]
            at = parents[at]

    def descended(number: int) -> int:
        while paths[number] not in own and len(children[number]) == 1:
            number = children[number][0]
        return number

    tops = [descended(number) for number, parent in enumerate(parents) if parent < 0]
    if len(tops) == 1 and paths[tops[0]] == "/" and "/" not in own:
        tops = [descended(number) for number in children[tops[0]]]
    return FolderTree(paths, songs, parents, children, rows, tops)


def songs_below(index: LibraryIndex, *paths: str) -> NDArray[np.int64]:
    """Ids of the songs in some folders and the folders below them, ascending."""
    whole, starts = set(paths), tuple(path.rstrip("/") + "/" for path in paths)

    def look(columns: Columns) -> NDArray[np.int64]:
        column = columns.texts["folder"]
        within = [value in whole or value.startswith(starts) for value in column.values]
        return columns.ids[np.array([*within, False], np.bool_)[column.codes]]

    return index.read(look)


@dataclass(frozen=True)
class _Named:
    """Keys, names and artists of groups, by code."""

    keys: list[str]
    names: list[str]
    artists: list[str]


def _groups(columns: Columns, kind: Kind, mask: Mask) -> list[Group]:
    rows, codes, named = _coded(columns, kind, mask)
    if not len(rows):
        return []
    total = len(named.keys)
    counts = np.bincount(codes, minlength=total).tolist()
    moods = _moods(columns, rows, codes, total)
    covers = _covers(columns, rows, codes, total)
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    years = np.fmin.reduceat(columns.numbers["year"][rows[order]], starts)
    added = np.fmax.reduceat(columns.numbers["added_s"][rows[order]], starts)
    found = [
        Group(
            named.keys[code],
            named.names[code],
            named.artists[code],
            counts[code],
            moods[code],
            covers[code],
            int(year) if year == year else None,  # NaN: unknown
            float(moment) if moment == moment else 0.0,
        )
        for code, year, moment in zip(present.tolist(), years.tolist(), added.tolist(), strict=True)
    ]
    if kind is Kind.ALBUMS:
        return [found[place] for place in _album_order(columns, rows[order][starts])]
    if kind is Kind.MOODS:
        return found
    keys = [named.keys[code] for code in present.tolist()]
    return [found[i] for i in sorted(range(len(found)), key=lambda i: _last_if_empty(keys[i]))]


def _album_order(columns: Columns, rows: Rows) -> list[int]:
    """The order of albums, of each of which one row is given: by name, then by artist."""
    album, artist = (columns.texts[name].ranks()[rows] for name in ("album", "artist"))
    order: list[int] = np.lexsort((artist, album)).tolist()
    return order


def _last_if_empty(key: str) -> tuple[bool, str]:
    return not key, sort_key(key)


def _moods(
    columns: Columns, rows: Rows, codes: Rows, total: int
) -> list[tuple[int, int, int, int]]:
    kinds = len(QUADRANTS) + 1
    numbers = codes * kinds + columns.quadrant[rows] + 1
    table = np.bincount(numbers, minlength=total * kinds).reshape(total, kinds)
    return [(a, b, c, d) for _, a, b, c, d in table.tolist()]


def _covers(columns: Columns, rows: Rows, codes: Rows, total: int) -> list[tuple[int, ...]]:
    """For each group songs with covers, of different albums."""
    shown = columns.flags["cover"][rows] & ~columns.flags["missing"][rows]
    rows, codes = rows[shown], codes[shown]
    albums = columns.texts["album"]
    pairs = codes.astype(np.int64) * (len(albums.values) + 1) + albums.codes[rows]
    _, first = np.unique(pairs, return_index=True)
    found: list[tuple[int, ...]] = [()] * total
    for code, track_id in zip(
        codes[first].tolist(), columns.ids[rows[first]].tolist(), strict=True
    ):
        if len(found[code]) < MOST_COVERS:
            found[code] = (*found[code], track_id)
    return found


def _coded(columns: Columns, kind: Kind, mask: Mask) -> tuple[Rows, Rows, _Named]:
    """Rows and the code of the group of each (a row of several groups comes several times)."""
    rows = np.flatnonzero(mask)
    if kind is Kind.MOODS:
        quadrant = columns.quadrant[rows]
        names = [quadrant.value for quadrant in QUADRANTS]
        return (
            rows[quadrant >= 0],
            quadrant[quadrant >= 0].astype(np.intp),
            _Named(names, names, [""] * len(names)),
        )
    if kind is Kind.GENRES:
        return _genres(columns.texts["genre"], rows)
    if kind is Kind.ARTISTS:
        return _artists(columns, rows)
    return _albums(columns, rows)


def _artists(columns: Columns, rows: Rows) -> tuple[Rows, Rows, _Named]:
    """By album artist where there is one: a compilation is not fifty artists of one song."""
    by_album, keys_a, names_a = columns.texts["album_artist"].alike()
    by_song, keys_s, names_s = columns.texts["artist"].alike()
    numbers: dict[str, int] = {key: number for number, key in enumerate(keys_s)}
    names = list(names_s)
    for key, name in zip(keys_a, names_a, strict=True):
        if key not in numbers:
            numbers[key] = len(names)
            names.append(name)
    taken = np.array([numbers[key] for key in keys_a], np.intp)
    empty = numbers.get("", -1)
    from_album = taken[by_album[columns.texts["album_artist"].codes[rows]]]
    from_song = by_song[columns.texts["artist"].codes[rows]]
    codes = np.where(from_album == empty, from_song, from_album)
    return rows, codes, _Named(list(numbers), names, [""] * len(names))


def _genres(column: TextColumn, rows: Rows) -> tuple[Rows, Rows, _Named]:
    """A song of several genres belongs to each of them."""
    numbers: dict[str, int] = {}
    names: list[str] = []
    by_code: list[list[int]] = []
    for value in column.values:
        own = []
        for name in _GENRES.split(value):
            key = fold(name)
            if key not in numbers:
                numbers[key] = len(names)
                names.append(name)
            own.append(numbers[key])
        by_code.append(list(dict.fromkeys(own)))
    lengths = np.array([len(own) for own in by_code], np.intp)
    flat = np.array([number for own in by_code for number in own], np.intp)
    starts = np.cumsum(lengths) - lengths
    codes = column.codes[rows]
    times = lengths[codes]
    again = np.repeat(rows, times)
    within = np.arange(len(again)) - np.repeat(np.cumsum(times) - times, times)
    found = flat[np.repeat(starts[codes], times) + within]
    return again, found, _Named(list(numbers), names, [""] * len(names))


def _albums(columns: Columns, rows: Rows) -> tuple[Rows, Rows, _Named]:
    """By name and album artist; without an album artist, by name and folder."""
    by_album, albums, spelled = columns.texts["album"].alike()
    by_owner, owners, owner_names = columns.texts["album_artist"].alike()
    by_artist, _, artist_names = columns.texts["artist"].alike()
    folder = columns.texts["folder"]
    album = by_album[columns.texts["album"].codes[rows]]
    named = np.array([bool(text) for text in albums], np.bool_)[album]
    rows, album = rows[named], album[named]
    owner = by_owner[columns.texts["album_artist"].codes[rows]]
    owned = np.array([bool(text) for text in owners], np.bool_)[owner]
    place = np.where(owned, owner, len(owners) + folder.codes[rows])
    pairs = album.astype(np.int64) * (len(owners) + len(folder.values)) + place
    _, first, codes = np.unique(pairs, return_index=True, return_inverse=True)
    artist = by_artist[columns.texts["artist"].codes[rows]]
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(first)))
    alone = np.full(len(first), -1, np.intp)
    if len(first):
        least = np.minimum.reduceat(artist[order], starts)
        alone = np.where(least == np.maximum.reduceat(artist[order], starts), least, -1)
    places = folder.values
    keys, names, artists = [], [], []
    for at, own, whose, where, single in zip(
        album[first].tolist(),
        owned[first].tolist(),
        owner[first].tolist(),
        folder.codes[rows[first]].tolist(),
        alone.tolist(),
        strict=True,
    ):
        owning = ("a", owners[whose]) if own else ("f", places[where])
        keys.append(_APART.join((albums[at], *owning)))
        names.append(spelled[at])
        artists.append(owner_names[whose] if own else artist_names[single] if single >= 0 else "")
    return rows, codes.astype(np.intp), _Named(keys, names, artists)
