"""The columnar index: every searchable field of every track in memory, as numpy columns.

Loaded from SQL columns at start and kept up to date by each commit's changes.
Searching is a boolean array, sorting a cached permutation; no SQL, no
documents. All methods may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS, Quadrant
from library_db.emotion_layers import SOURCES
from library_db.matching import match
from library_db.query import AllOf, Flag, Node, Query, parse
from library_db.text import fold, sort_key

__all__ = ["INDEX_COLUMNS", "SORTS", "LibraryIndex"]

INDEX_COLUMNS = (
    "id", "path", "title", "artist", "album", "album_artist", "genre", "format",
    "year", "track_no", "disc_no", "bitrate_kbps", "duration_s", "added_s",
    "missing", "scan_error", "tag_error", "has_cover", "audio_changed",
    "quadrant", "valence", "arousal", "confidence", "source",
)  # fmt: skip
"""The SQL columns of a row, in the order in which `LibraryIndex.apply` takes them."""

_TEXTS = ("artist", "album", "album_artist", "genre", "format")
_NUMBERS = (
    "year", "track_no", "disc_no", "bitrate_kbps", "duration_s", "added_s",
    "valence", "arousal", "confidence",
)  # fmt: skip
_FLAGS = ("missing", "failed", "cover", "stale", "corrected", "personal")
_EMOTION_SORTS = ("mood", "valence", "arousal", "confidence")

SORTS = (
    "artist", "album", "title", "genre", "format", "year", "duration", "bitrate", "added", "track",
    *_EMOTION_SORTS,
)  # fmt: skip
"""What `search` can sort by."""

_SORT_NUMBERS = {
    "year": "year", "duration": "duration_s", "bitrate": "bitrate_kbps", "added": "added_s",
    "track": "track_no", "valence": "valence", "arousal": "arousal", "confidence": "confidence",
}  # fmt: skip
_P = {name: position for position, name in enumerate(INDEX_COLUMNS)}

Rows = NDArray[np.intp]


class TextColumn:
    """A text field with few different values: an integer code a row, each value kept once."""

    def __init__(self) -> None:
        self.codes: NDArray[np.int32] = np.empty(0, np.int32)
        self.folded: list[str] = []
        self._code: dict[str, int] = {}
        self._ranks: NDArray[np.int32] | None = None

    def code(self, text: str) -> int:
        """The code of `text`, a new one where it was not seen before."""
        code = self._code.get(text)
        if code is None:
            code = self._code[text] = len(self.folded)
            self.folded.append(fold(text))
            self._ranks = None
        return code

    def holds(self, accepts: Callable[[str], bool]) -> NDArray[np.bool_]:
        """Which rows have a value that `accepts` (asked once a value)."""
        by_code = np.fromiter(map(accepts, self.folded), np.bool_, len(self.folded))
        return by_code[self.codes]

    def ranks(self) -> NDArray[np.int32]:
        """Per row its place in sorted order; the empty text comes last."""
        if self._ranks is None:
            keys = [sort_key(text) for text in self.folded]
            order = sorted(range(len(keys)), key=lambda i: (not keys[i], keys[i], i))
            ranks = np.zeros(len(keys), np.int32)
            rank, previous = -1, None
            for i in order:
                if keys[i] != previous:
                    rank, previous = rank + 1, keys[i]
                ranks[i] = rank
            self._ranks = ranks
        return self._ranks[self.codes]


class LibraryIndex:
    """The tracks of the library in columns; row i of each array is the track `ids[i]`.

    Attributes
    ----------
    ids : ndarray, shape (n,), int64, ascending
    quadrant : ndarray, shape (n,), int8
        Position in `QUADRANTS` of what the track counts as; -1 without a mood.
    valence, arousal, confidence : ndarray, shape (n,), float32
        NaN without a mood.

    Notes
    -----
    The arrays are replaced, never written to, when the library changes: who
    holds one keeps a consistent old state.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.quadrant: NDArray[np.int8] = np.empty(0, np.int8)
        self.titles: list[str] = []
        self.words: list[str] = []
        self.names: list[str] = []
        self._texts = {name: TextColumn() for name in (*_TEXTS, "folder")}
        self._numbers = {name: np.empty(0, np.float32) for name in _NUMBERS}
        self._numbers["added_s"] = np.empty(0, np.float64)  # type: ignore[assignment]
        self._flags = {name: np.empty(0, np.bool_) for name in _FLAGS}
        self._by_title: list[int] = []
        self._orders: dict[tuple[str, bool], Rows] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def valence(self) -> NDArray[np.float32]:
        return self._numbers["valence"]

    @property
    def arousal(self) -> NDArray[np.float32]:
        return self._numbers["arousal"]

    @property
    def confidence(self) -> NDArray[np.float32]:
        return self._numbers["confidence"]

    def text_column(self, name: str) -> TextColumn:
        return self._texts[name]

    def number_column(self, name: str) -> NDArray[np.float32]:
        """A numeric field, NaN where unknown; shape (n,)."""
        return self._numbers[name]

    def flag(self, name: str) -> NDArray[np.bool_]:
        """A state of the tracks: missing, failed, cover, stale, corrected or personal; shape (n,)."""
        return self._flags[name]

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
        parsed = parse(query) if isinstance(query, str) else query
        with self._lock:
            order = self._order(sort, descending)
            mask = match(parsed.root, self)
            return self.ids[order[mask[order]]]

    def counts(self, query: Query | str = "") -> dict[Quadrant | None, int]:
        """How many matching tracks count as each quadrant; None for those without a mood."""
        parsed = parse(query) if isinstance(query, str) else query
        with self._lock:
            mask = match(parsed.root, self)
            found = np.bincount(self.quadrant[mask].astype(np.intp) + 1, minlength=5)
        return {None: int(found[0]), **{q: int(found[q.position + 1]) for q in QUADRANTS}}

    def rows_of(self, ids: Iterable[int]) -> Rows:
        """Rows of the tracks with these ids; ids that are not there are left out."""
        wanted = np.fromiter(ids, np.int64)
        with self._lock:
            near = np.searchsorted(self.ids, wanted)
            inside = near < len(self.ids)
            near = near[inside]
            return near[self.ids[near] == wanted[inside]]

    def ids_among(self, ids: Iterable[int]) -> list[int]:
        """Those of `ids` that are in the index."""
        with self._lock:
            found: list[int] = self.ids[self.rows_of(ids)].tolist()
            return found

    def count_flag(self, root: Node, name: str) -> int:
        """How many tracks satisfy `root` and are in the state `name` (see `query.FLAGS`)."""
        with self._lock:
            return int(match(AllOf((root, Flag(name))), self).sum())

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
            gone = self.rows_of(removed)
            if len(gone):
                self._remove(gone)
            if rows:
                self._put(rows)

    def _remove(self, gone: Rows) -> None:
        keep = np.ones(len(self.ids), np.bool_)
        keep[gone] = False
        self.ids = self.ids[keep]
        self.quadrant = self.quadrant[keep]
        for column in self._texts.values():
            column.codes = column.codes[keep]
        for table in (self._numbers, self._flags):
            for name, values in table.items():
                table[name] = values[keep]  # type: ignore[index,assignment,call-overload]
        kept = np.flatnonzero(keep).tolist()
        self.titles = [self.titles[i] for i in kept]
        self.words = [self.words[i] for i in kept]
        self.names = [self.names[i] for i in kept]
        self._by_title = []
        self._orders.clear()

    def _put(self, rows: Sequence[Sequence[Any]]) -> None:
        new_ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        at = np.searchsorted(self.ids, new_ids)
        known = np.zeros(len(rows), np.bool_)
        inside = at < len(self.ids)
        known[inside] = self.ids[at[inside]] == new_ids[inside]
        fresh = int(len(rows) - known.sum())
        if fresh and len(self.ids) and new_ids[~known].min() < self.ids[-1]:
            # An id from before came back (a removed folder was added again): make room in order.
            self._rebuild_with(new_ids[~known])
            at = np.searchsorted(self.ids, new_ids)
            fresh = 0
        else:
            at[~known] = len(self.ids) + np.arange(fresh)
            self._grow(new_ids[~known])
        text_changed = self._put_texts(rows, at, known)
        self._put_values(rows, at)
        if text_changed or fresh:
            self._orders.clear()
        else:
            for key in [k for k in self._orders if k[0] not in ("artist", "album", "title")]:
                del self._orders[key]

    def _grow(self, ids: NDArray[np.int64]) -> None:
        count = len(ids)
        self.ids = np.concatenate([self.ids, ids])
        self.quadrant = np.concatenate([self.quadrant, np.full(count, -1, np.int8)])
        for column in self._texts.values():
            column.codes = np.concatenate([column.codes, np.zeros(count, np.int32)])
        for name, numbers in self._numbers.items():
            self._numbers[name] = np.concatenate([numbers, np.full(count, np.nan, numbers.dtype)])
        for name, flags in self._flags.items():
            self._flags[name] = np.concatenate([flags, np.zeros(count, np.bool_)])
        for texts in (self.titles, self.words, self.names):
            texts.extend([""] * count)

    def _rebuild_with(self, ids: NDArray[np.int64]) -> None:
        """Insert empty rows for `ids` among the present ones."""
        self._grow(ids)
        order = np.argsort(self.ids, kind="stable")
        self.ids = self.ids[order]
        self.quadrant = self.quadrant[order]
        for column in self._texts.values():
            column.codes = column.codes[order]
        for name, numbers in self._numbers.items():
            self._numbers[name] = numbers[order]
        for name, flags in self._flags.items():
            self._flags[name] = flags[order]
        places = order.tolist()
        self.titles = [self.titles[i] for i in places]
        self.words = [self.words[i] for i in places]
        self.names = [self.names[i] for i in places]
        self._by_title = []
        self._orders.clear()

    def _put_texts(self, rows: Sequence[Sequence[Any]], at: Rows, known: NDArray[np.bool_]) -> bool:
        changed = not bool(known.all())
        places = at.tolist()
        for name in _TEXTS:
            column, position = self._texts[name], _P[name]
            codes = np.fromiter(
                (column.code(row[position] or "") for row in rows), np.int32, len(rows)
            )
            changed = changed or bool((column.codes[at] != codes).any())
            column.codes = _replaced(column.codes, at, codes)
        folders, folder_codes = self._texts["folder"], []
        position, title_at = _P["path"], _P["title"]
        others = [_P[n] for n in ("artist", "album", "album_artist")]
        for place, row in zip(places, rows, strict=True):
            folder, _, name = row[position].rpartition(b"/")
            folder_codes.append(folders.code(folder.decode("utf-8", "replace")))
            self.names[place] = fold(name.decode("utf-8", "replace"))
            title = fold(row[title_at] or "")
            if title != self.titles[place]:
                self.titles[place] = title
                changed = True
            self.words[place] = "\n".join([title, *(fold(row[i]) for i in others if row[i])])
        folders.codes = _replaced(folders.codes, at, np.array(folder_codes, np.int32))
        return changed

    def _put_values(self, rows: Sequence[Sequence[Any]], at: Rows) -> None:
        for name in _NUMBERS:
            position = _P[name]
            present = self._numbers[name]
            values = np.array([row[position] for row in rows], present.dtype)  # None becomes NaN
            self._numbers[name] = _replaced(present, at, values)
        position = _P["quadrant"]
        quadrants = [-1 if row[position] is None else row[position] for row in rows]
        self.quadrant = _replaced(self.quadrant, at, np.array(quadrants, np.int8))
        source = _P["source"]
        flags = {
            "missing": [bool(row[_P["missing"]]) for row in rows],
            "failed": [bool(row[_P["scan_error"]] or row[_P["tag_error"]]) for row in rows],
            "cover": [bool(row[_P["has_cover"]]) for row in rows],
            "stale": [bool(row[_P["audio_changed"]]) for row in rows],
            "corrected": [row[source] == SOURCES.index("user") for row in rows],
            "personal": [row[source] == SOURCES.index("personal") for row in rows],
        }
        for name, found in flags.items():
            self._flags[name] = _replaced(self._flags[name], at, np.array(found, np.bool_))

    # order

    def _order(self, sort: str, descending: bool) -> Rows:
        """All rows in the order of `sort`; ties by artist, album, disc, track, title."""
        if sort not in SORTS:
            raise ValueError(f"cannot sort by {sort!r}; there are: {', '.join(SORTS)}")
        order = self._orders.get((sort, descending))
        if order is None:
            order = self._orders[sort, descending] = self._sorted(sort, descending)
        return order

    def _sorted(self, sort: str, descending: bool) -> Rows:
        if sort in ("artist", "album") and not descending:
            ranks = [self._texts[name].ranks() for name in ("artist", "album")]
            if sort == "album":
                ranks.reverse()
            disc, track = (self._with_last(name) for name in ("disc_no", "track_no"))
            return np.lexsort((self._title_ranks(), track, disc, ranks[1], ranks[0]))
        ties = self._order("artist", False)
        if sort in _SORT_NUMBERS:
            key = self._numbers[_SORT_NUMBERS[sort]]
            key = -key if descending else key
            return ties[np.argsort(key[ties], kind="stable")]  # NaN sorts last
        if sort == "mood":
            ranked, empty = self.quadrant, self.quadrant < 0
        elif sort == "title":
            ranked = self._title_ranks()  # type: ignore[assignment]
            empty = np.fromiter((not t for t in self.titles), np.bool_, len(self.titles))
        else:
            column = self._texts[sort]
            ranked = column.ranks()  # type: ignore[assignment]
            empty = column.holds(lambda text: not text)
        numeric = ranked.astype(np.float32 if len(self) < 2**24 else np.float64)
        numeric = np.where(empty, np.nan, -numeric if descending else numeric)
        return ties[np.argsort(numeric[ties], kind="stable")]

    def _with_last(self, name: str) -> NDArray[np.float32]:
        return self._numbers[name]

    def _title_ranks(self) -> NDArray[np.int32]:
        # Sorting an almost sorted list is almost free, so the last order is kept and extended.
        titles = self.titles
        order = self._by_title
        order.extend(range(len(order), len(titles)))
        order.sort(key=titles.__getitem__)
        ranks = np.empty(len(titles), np.int32)
        ranks[order] = np.arange(len(titles), dtype=np.int32)
        return ranks


def _replaced(column: NDArray[Any], at: Rows, values: NDArray[Any]) -> NDArray[Any]:
    """A copy of `column` with `values` at the rows `at`: readers of the old array are not disturbed."""
    out = column.copy()
    out[at] = values
    return out
