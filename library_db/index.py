"""The columnar index: every searchable field of every track in memory, to search and sort in ms.

Loaded from SQL columns at start and kept up to date by each commit's changes.
Searching is a boolean array, sorting a cached permutation; no SQL, no
documents. All methods may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS, Quadrant
from library_db.columns import INDEX_COLUMNS, Columns, Mask, Rows, dense_ranks
from library_db.matching import match
from library_db.query import AllOf, Flag, Node, Query, parse
from library_db.regions import inside
from library_db.relative import RelativeMood, quadrants_about_median

T = TypeVar("T")

__all__ = ["INDEX_COLUMNS", "SORTS", "LibraryIndex", "MoodColumns"]

_NUMBER_SORTS = {
    "year": "year", "duration": "duration_s", "bitrate": "bitrate_kbps", "added": "added_s",
    "track": "track_no", "valence": "valence", "arousal": "arousal", "confidence": "confidence",
    "valence%": "valence", "arousal%": "arousal",  # who is above more songs has the higher value
}  # fmt: skip

_TEXT_SORTS = ("artist", "album", "title", "genre", "format", "path")

SORTS = (*_TEXT_SORTS, *_NUMBER_SORTS, "mood")
"""What `search` can sort by."""

_KEPT_ORDER, _KEPT_TITLES = "order artist", "order title"


@dataclass(frozen=True, slots=True)
class MoodColumns:
    """The moods of all tracks at one moment; arrays of one length, not to be written to.

    `artist` tells artists apart by a number, `there` says whether the file is where it was.
    """

    ids: NDArray[np.int64]
    quadrant: NDArray[np.int8]
    valence: NDArray[np.float32]
    arousal: NDArray[np.float32]
    confidence: NDArray[np.float32]
    duration_s: NDArray[np.float32]
    artist: NDArray[np.int32]
    there: Mask


class LibraryIndex:
    """The tracks of the library in columns; row i of each array is the track `ids[i]`.

    Notes
    -----
    The arrays are replaced, never written to, when the library changes: who
    holds one keeps a consistent old state. `columns` gives several of one moment.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._columns = Columns()
        self._by_title: list[int] | None = None
        self._titles_settled = False  # whether the titles in `_by_title` are what they were
        self._orders: dict[tuple[str, bool], Rows] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Track ids, ascending; shape (n,)."""
        return self._columns.ids

    @property
    def quadrant(self) -> NDArray[np.int8]:
        """Position in `QUADRANTS` of what each track counts as, -1 without a mood; shape (n,)."""
        return self._columns.quadrant

    @property
    def valence(self) -> NDArray[np.float32]:
        """In [-1, 1], NaN without a mood; shape (n,). `arousal` and `confidence` likewise."""
        return self._columns.numbers["valence"]

    @property
    def arousal(self) -> NDArray[np.float32]:
        return self._columns.numbers["arousal"]

    @property
    def confidence(self) -> NDArray[np.float32]:
        return self._columns.numbers["confidence"]

    def columns(self, *, relative: bool = False) -> MoodColumns:
        """Ids and moods of all tracks at one moment.

        Parameters
        ----------
        relative : bool
            Moods within the library: percentiles, brought to [-1, 1], and the quadrants of these.
        """
        with self._lock:
            columns = self._columns
            return MoodColumns(
                self.ids,
                columns.relative_quadrant if relative else self.quadrant,
                *_places(columns, relative),
                self.confidence,
                columns.numbers["duration_s"],
                columns.texts["artist"].codes,
                ~columns.flags["missing"],
            )

    def read(self, look: Callable[[Columns], T]) -> T:
        """What `look` makes of the columns, which stay as they are meanwhile."""
        with self._lock:
            return look(self._columns)

    # keeping

    def parts(self) -> dict[str, Any]:
        """Everything as named arrays and lists, and the orders that take long to make."""
        with self._lock:
            order = self._order("artist", False).astype(np.int32)
            self._title_ranks()
            titles = np.array(self._by_title, np.int32)
            return {**self._columns.parts(), _KEPT_ORDER: order, _KEPT_TITLES: titles}

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Become what `parts` gave.

        Raises
        ------
        KeyError, ValueError
            If that is not whole; to be followed by `clear`.
        """
        columns = Columns()
        columns.restore(parts)
        order, titles = parts[_KEPT_ORDER].astype(np.intp), parts[_KEPT_TITLES].tolist()
        if not len(order) == len(titles) == len(columns):
            raise ValueError("an order is of another length than the columns")
        with self._lock:
            self._columns, self._by_title, self._titles_settled = columns, titles, True
            self._orders = {("artist", False): order}

    def clear(self) -> None:
        """Forget all tracks."""
        with self._lock:
            self._columns, self._by_title, self._orders = Columns(), None, {}

    # questions

    def search(
        self, query: Query | str = "", *, sort: str = "artist", descending: bool = False
    ) -> NDArray[np.int64]:
        """Ids of the matching tracks in order; unknown values last in both directions.

        Raises
        ------
        QueryError
            If the text is no query.
        ValueError
            If `sort` is not one of `SORTS`.
        """
        root = _root(query)
        with self._lock:
            order = self._order(sort, descending)
            if root == AllOf():
                return self.ids[order]
            mask = match(root, self._columns)
            return self.ids[order[mask[order]]]

    def relative_of(self, ids: Sequence[int]) -> dict[int, RelativeMood]:
        """Where tracks lie within the library; those without a mood are left out."""
        with self._lock:
            rows = self._columns.rows_of(ids)
            kept = self.ids[rows].tolist()
            valence = self._columns.number("valence%")[rows]
            arousal = self._columns.number("arousal%")[rows]
        quadrants = quadrants_about_median(valence, arousal)
        found = zip(kept, quadrants, valence.tolist(), arousal.tolist(), strict=True)
        return {i: RelativeMood(QUADRANTS[q], v, a) for i, q, v, a in found if q >= 0}

    def within(
        self, corners: Sequence[tuple[float, float]], *, relative: bool = False
    ) -> NDArray[np.int64]:
        """Ids, ascending, of the tracks in a part of the mood plane given by its corners."""
        moods = self.columns(relative=relative)
        outline = np.array(corners, np.float64).reshape(-1, 2)
        return moods.ids[inside(moods.valence, moods.arousal, outline)]

    def counts(
        self, query: Query | str = "", *, relative: bool = False
    ) -> dict[Quadrant | None, int]:
        """How many matching tracks count as each quadrant; None for those without a mood."""
        root = _root(query)
        with self._lock:
            counted = self._columns.relative_quadrant if relative else self.quadrant
            quadrants = counted[match(root, self._columns)]
        found = np.bincount(quadrants.astype(np.intp) + 1, minlength=1 + len(QUADRANTS))
        return {None: int(found[0]), **{q: int(found[q.position + 1]) for q in QUADRANTS}}

    def count_flags(self, query: Query | str, names: Iterable[str]) -> dict[str, int]:
        """How many matching tracks are in each of these states (see `query.FLAGS`)."""
        root = _root(query)
        with self._lock:
            mask = match(root, self._columns)
            return {name: int((mask & match(Flag(name), self._columns)).sum()) for name in names}

    def ids_among(self, ids: Iterable[int]) -> list[int]:
        """Those of `ids` that are in the index, in their order."""
        with self._lock:
            found: list[int] = self.ids[self._columns.rows_of(ids)].tolist()
            return found

    def rows_of(self, ids: Iterable[int]) -> Rows:
        """Rows of the tracks with these ids; ids that are not there are left out."""
        with self._lock:
            return self._columns.rows_of(ids)

    def albums_of(self, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """What tells the album of each track from others; tracks without an album are left out.

        One album is one name by one album artist, or in one folder where that is not named.
        """
        with self._lock:
            rows = self._columns.rows_of(ids)
            texts = self._columns.texts
            kept = self.ids[rows].tolist()
            codes = [texts[name].codes[rows] for name in ("album", "album_artist", "folder")]
            empty = {name: texts[name].find("") for name in ("album", "album_artist")}
            by = np.where(codes[1] == empty["album_artist"], -1 - codes[2], codes[1])
            found = zip(kept, codes[0].tolist(), by.tolist(), strict=True)
            return {i: (album, artist) for i, album, artist in found if album != empty["album"]}

    def quadrants_of(self, ids: Sequence[int]) -> dict[int, int]:
        """Position in `QUADRANTS` of each track, -1 without a mood."""
        with self._lock:
            rows = self._columns.rows_of(ids)
            return dict(zip(self.ids[rows].tolist(), self.quadrant[rows].tolist(), strict=True))

    # changes

    def apply(self, rows: Sequence[Sequence[Any]], removed: Iterable[int] = ()) -> None:
        """Take over changed tracks.

        Parameters
        ----------
        rows : sequence of rows
            Values in the order of `INDEX_COLUMNS`, ascending by id; new ids are
            added, known ones replaced.
        removed : ids that are gone
        """
        with self._lock:
            gone = self._columns.rows_of(removed)
            if len(gone):
                self._columns.remove(gone)
                self._by_title = None
                self._orders.clear()
            if not rows:
                return
            count, last = len(self), self.ids[-1] if len(self) else -1
            if self._columns.put(rows):
                self._orders.clear()
                self._titles_settled &= len(self) - count == len(rows)  # nothing but new rows
                if count and self.ids[count - 1] != last:
                    self._by_title = None  # a row went in between: the others have moved
            else:
                for key in [key for key in self._orders if key[0] not in _TEXT_SORTS]:
                    del self._orders[key]

    # order

    def _order(self, sort: str, descending: bool) -> Rows:
        """All rows in the order of `sort`; ties by artist, album, disc, track and title."""
        if sort not in SORTS:
            raise ValueError(f"cannot sort by {sort!r}; there are: {', '.join(SORTS)}")
        order = self._orders.get((sort, descending))
        if order is None:
            order = self._orders[sort, descending] = self._sorted(sort, descending)
        return order

    def _sorted(self, sort: str, descending: bool) -> Rows:
        columns = self._columns
        if sort == "artist" and not descending:
            artist, album = (columns.texts[name].ranks() for name in ("artist", "album"))
            disc, track = columns.numbers["disc_no"], columns.numbers["track_no"]
            return np.lexsort((self._title_ranks(), track, disc, album, artist))
        ties = self._order("artist", False)
        key, empty = self._key(sort)
        key = np.where(empty, np.nan, -key if descending else key)  # NaN sorts last
        if sort == "album":
            # An album's discs and tracks stay together, whoever plays on them.
            disc, track = columns.numbers["disc_no"], columns.numbers["track_no"]
            return ties[np.lexsort((track[ties], disc[ties], key[ties]))]
        return ties[np.argsort(key[ties], kind="stable")]

    def _key(self, sort: str) -> tuple[NDArray[np.float64], Mask]:
        """The value to sort by, a row, and where it is unknown."""
        columns = self._columns
        if sort in _NUMBER_SORTS:
            numbers = columns.numbers[_NUMBER_SORTS[sort]].astype(np.float64)
            return numbers, np.isnan(numbers)
        if sort == "mood":
            return self.quadrant.astype(np.float64), self.quadrant < 0
        if sort == "title":
            empty = np.fromiter((not t for t in columns.titles), np.bool_, len(self))
            return self._title_ranks().astype(np.float64), empty
        if sort == "path":
            _, names = dense_ranks(columns.names)
            folders = columns.texts["folder"].ranks().astype(np.float64)
            return folders * (len(self) + 1) + names, np.zeros(len(self), np.bool_)
        column = columns.texts[sort]
        return column.ranks().astype(np.float64), column.holds(lambda text: not text)

    def _title_ranks(self) -> NDArray[np.int32]:
        self._by_title, ranks = dense_ranks(
            self._columns.titles, self._by_title, settled=self._titles_settled
        )
        self._titles_settled = True
        return ranks


def _places(columns: Columns, relative: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Valence and arousal in [-1, 1]."""
    if not relative:
        return columns.numbers["valence"], columns.numbers["arousal"]
    valence, arousal = (
        (columns.number(name) / 50 - 1).astype(np.float32) for name in ("valence%", "arousal%")
    )
    return valence, arousal


def _root(query: Query | str) -> Node:
    return (parse(query) if isinstance(query, str) else query).root
