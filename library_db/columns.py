"""The columns of the index: numpy arrays and folded texts, filled from SQL rows."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import ne
from typing import Any

import numpy as np
from numpy.typing import NDArray

from library_db.emotion_layers import SOURCES
from library_db.relative import percentiles, quadrants_about_median
from library_db.text import fold, sort_key

__all__ = ["INDEX_COLUMNS", "Columns", "Mask", "Rows", "TextColumn"]

INDEX_COLUMNS = (
    "id", "path", "title", "artist", "album", "album_artist", "genre", "format",
    "year", "track_no", "disc_no", "bitrate_kbps", "duration_s", "added_s",
    "missing", "scan_error", "tag_error", "has_cover", "audio_changed",
    "quadrant", "valence", "arousal", "confidence", "source",
)  # fmt: skip
"""The SQL columns of a row, in the order in which `Columns.put` takes them."""

_TEXTS = ("artist", "album", "album_artist", "genre", "format", "folder")
_NUMBERS = (
    "year", "track_no", "disc_no", "bitrate_kbps", "duration_s", "added_s",
    "valence", "arousal", "confidence",
)  # fmt: skip
_FLAGS = ("missing", "failed", "cover", "stale", "corrected", "personal")
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Numbers = NDArray[Any]


class TextColumn:
    """A text field with few different values: an integer code a row, each value kept once."""

    def __init__(self) -> None:
        self.codes: NDArray[np.int32] = np.empty(0, np.int32)
        self.folded: list[str] = []
        self._code: dict[str, int] = {}
        self._ranks: NDArray[np.int32] | None = None
        self._alike: tuple[Rows, list[str], list[str]] | None = None

    def code(self, text: str) -> int:
        """The code of `text`, a new one where it was not seen before."""
        code = self._code.get(text)
        if code is None:
            code = self._code[text] = len(self.folded)
            self.folded.append(fold(text))
            self._ranks = self._alike = None
        return code

    def find(self, text: str) -> int:
        """The code of `text`, -1 where no track has it."""
        return self._code.get(text, -1)

    def holds(self, accepts: Callable[[str], bool]) -> Mask:
        """Which rows have a value that `accepts` (asked once a value)."""
        by_code = np.fromiter(map(accepts, self.folded), np.bool_, len(self.folded))
        return by_code[self.codes]

    def restore(self, codes: NDArray[np.int32], values: list[str], folded: list[str]) -> None:
        """Take over what was kept: `values` are the texts by code, `folded` made of them."""
        self.codes, self.folded = codes, folded
        self._ranks = self._alike = None
        self._code = {text: code for code, text in enumerate(values)}
        if not len(values) == len(folded) == len(self._code):
            raise ValueError("a text column does not fit its codes")

    @property
    def values(self) -> list[str]:
        """The different texts, by code."""
        return list(self._code)

    def alike(self) -> tuple[Rows, list[str], list[str]]:
        """Texts that differ in case and accents alone, as one.

        Returns
        -------
        numbers : ndarray, shape (codes,)
            By code the number of its folded text.
        folded, spelled : lists
            By number that text, and the first spelling of it.
        """
        if self._alike is None:
            numbers: dict[str, int] = {}
            spelled: list[str] = []
            by_code = []
            for folded, value in zip(self.folded, self._code, strict=True):
                number = numbers.setdefault(folded, len(numbers))
                if number == len(spelled):
                    spelled.append(value)
                by_code.append(number)
            self._alike = np.array(by_code, np.intp), list(numbers), spelled
        return self._alike

    def ranks(self) -> NDArray[np.int32]:
        """Per row its place in sorted order; equal keys share one, the empty text comes last."""
        if self._ranks is None:
            self._ranks = dense_ranks([sort_key(text) for text in self.folded])[1]
        return self._ranks[self.codes]


def dense_ranks(
    keys: Sequence[str], order: list[int] | None = None, *, settled: bool = False
) -> tuple[list[int], NDArray[np.int32]]:
    """Positions in sorted order, and the rank of each key; empty keys last.

    Parameters
    ----------
    order : list of int, optional
        An earlier order of the first of these keys: sorting what is almost sorted is quicker.
    settled : bool
        Whether those keys are what they were: a few more are then put in between them.
    """
    order = [] if order is None else list(order)
    more = range(len(order), len(keys))
    if settled and len(more) <= len(order) // 50:
        for i in more:
            insort(order, i, key=keys.__getitem__)
    else:
        order = _in_order(keys, [*order, *more])
    ascending = [keys[i] for i in order]
    ranks = np.zeros(len(keys), np.int32)
    steps = np.fromiter(map(ne, ascending[1:], ascending), np.bool_, max(len(order) - 1, 0))
    ranks[order[1:]] = np.cumsum(steps)
    if ascending and not ascending[0]:
        ranks[ranks == 0] = ranks[order[-1]] + 1
    return order, ranks


def _in_order(keys: Sequence[str], order: Iterable[int]) -> list[int]:
    """`order` sorted by key, in many short steps.

    One sort of 100,000 texts would hold the interpreter, and with it the window, for a tenth of a
    second. Texts with the same beginning are sorted together, and other threads run in between.
    """
    heads: dict[str, list[int]] = {}
    for i in order:
        heads.setdefault(keys[i][:2], []).append(i)
    found: list[int] = []
    for head in sorted(heads):
        found += sorted(heads[head], key=keys.__getitem__)
    return found


class Columns:
    """All columns of the index. Numpy arrays are replaced, never written to; lists are not.

    Attributes
    ----------
    ids : ndarray, shape (n,), int64, ascending
    quadrant : ndarray, shape (n,), int8, -1 without a mood
    titles, words : lists of n folded texts
        Title; title, artist, album and album artist by line.
    """

    def __init__(self) -> None:
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.quadrant: NDArray[np.int8] = np.empty(0, np.int8)
        self.titles: list[str] = []
        self.words: list[str] = []
        self._names: list[bytes] = []
        self._folded_names: list[str] | None = None
        self.texts = {name: TextColumn() for name in _TEXTS}
        self.numbers: dict[str, Numbers] = {
            # Seconds since the epoch need more than 24 bits.
            name: np.empty(0, np.float64 if name == "added_s" else np.float32)
            for name in _NUMBERS
        }
        self.flags: dict[str, Mask] = {name: np.empty(0, np.bool_) for name in _FLAGS}
        self._percentiles: dict[str, tuple[Numbers, Numbers]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def names(self) -> list[str]:
        """File names, folded when they are first asked for."""
        if self._folded_names is None:
            self._folded_names = list(map(_folded_name, self._names))
        return self._folded_names

    def number(self, field: str) -> Numbers:
        """A column of numbers; "valence%" and "arousal%" are percentiles within the library."""
        if not field.endswith("%"):
            return self.numbers[field]
        values = self.numbers[field.removesuffix("%")]
        of, found = self._percentiles.get(field, (None, values))
        if of is not values:  # columns are replaced when they change
            found = percentiles(values)
            self._percentiles[field] = values, found
        return found

    @property
    def relative_quadrant(self) -> NDArray[np.int8]:
        """Like `quadrant`, where the medians of the library are the axes."""
        return quadrants_about_median(self.number("valence%"), self.number("arousal%"))

    def parts(self) -> dict[str, Any]:
        """All of it as named arrays and lists, for keeping; `restore` takes them back."""
        parts: dict[str, Any] = {
            "ids": self.ids, "quadrant": self.quadrant,
            "titles": self.titles, "words": self.words, "names": self._names,
        }  # fmt: skip
        for name, column in self.texts.items():
            parts[f"codes {name}"] = column.codes
            parts[f"values {name}"], parts[f"folded {name}"] = column.values, column.folded
        parts.update({f"number {name}": numbers for name, numbers in self.numbers.items()})
        parts.update({f"flag {name}": flags for name, flags in self.flags.items()})
        return parts

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Become what `parts` gave.

        Raises
        ------
        KeyError, ValueError
            If a part is missing or does not fit the others; the columns are then of no use.
        """
        self.ids, self.quadrant = parts["ids"], parts["quadrant"]
        self.titles, self.words, self._names = parts["titles"], parts["words"], parts["names"]
        self._folded_names = None
        for name, column in self.texts.items():
            kept = (parts[f"{part} {name}"] for part in ("codes", "values", "folded"))
            column.restore(*kept)
        self.numbers = {name: parts[f"number {name}"] for name in self.numbers}
        self.flags = {name: parts[f"flag {name}"] for name in self.flags}
        lengths = {len(self.titles), len(self.words), len(self._names), len(self.quadrant)}
        lengths.update(map(len, (*self.numbers.values(), *self.flags.values())))
        lengths.update(len(column.codes) for column in self.texts.values())
        if lengths != {len(self.ids)}:
            raise ValueError("the columns are of different lengths")

    def rows_of(self, ids: Iterable[int]) -> Rows:
        """Rows of the tracks with these ids; ids that are not there are left out."""
        wanted = np.fromiter(ids, np.int64)
        found: Rows = np.searchsorted(self.ids, wanted[self._has(wanted)])
        return found

    def _has(self, ids: NDArray[np.int64]) -> Mask:
        if not len(self):
            return np.zeros(len(ids), np.bool_)
        rows = np.minimum(np.searchsorted(self.ids, ids), len(self) - 1)
        found: Mask = self.ids[rows] == ids
        return found

    def remove(self, rows: Rows) -> None:
        """Take rows out."""
        keep = np.ones(len(self), np.bool_)
        keep[rows] = False
        self._take(np.flatnonzero(keep))

    def put(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Add or replace rows (in the order of `INDEX_COLUMNS`, ascending by id).

        Returns
        -------
        bool
            Whether a text changed or a row is new, so that text orders no longer hold.
        """
        new_ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        fresh = new_ids[~self._has(new_ids)]
        if len(fresh):
            in_order = not len(self) or fresh[0] > self.ids[-1]
            self._grow(fresh)
            if not in_order:  # a track came back that had been taken out
                self._take(np.argsort(self.ids, kind="stable"))
        at = np.searchsorted(self.ids, new_ids)
        values = dict(zip(INDEX_COLUMNS, zip(*rows, strict=True), strict=True))
        changed = self._put_texts(values, at)
        self._put_values(values, at)
        return changed or bool(len(fresh))

    def _grow(self, ids: NDArray[np.int64]) -> None:
        count = len(ids)
        self.ids = np.concatenate([self.ids, ids])
        self.quadrant = np.concatenate([self.quadrant, np.full(count, -1, np.int8)])
        for column in self.texts.values():
            column.codes = np.concatenate([column.codes, np.full(count, -1, np.int32)])
        for name, numbers in self.numbers.items():
            self.numbers[name] = np.concatenate([numbers, np.full(count, np.nan, numbers.dtype)])
        for name, flags in self.flags.items():
            self.flags[name] = np.concatenate([flags, np.zeros(count, np.bool_)])
        self.titles.extend([""] * count)
        self.words.extend([""] * count)
        self._names.extend([b""] * count)
        if self._folded_names is not None:
            self._folded_names.extend([""] * count)

    def _take(self, rows: Rows) -> None:
        self.ids = self.ids[rows]
        self.quadrant = self.quadrant[rows]
        for column in self.texts.values():
            column.codes = column.codes[rows]
        for name, numbers in self.numbers.items():
            self.numbers[name] = numbers[rows]
        for name, flags in self.flags.items():
            self.flags[name] = flags[rows]
        places = rows.tolist()
        self.titles = [self.titles[i] for i in places]
        self.words = [self.words[i] for i in places]
        self._names = [self._names[i] for i in places]
        self._folded_names = None

    def _put_texts(self, values: Mapping[str, Sequence[Any]], at: Rows) -> bool:
        changed = False
        places = [path.rpartition(b"/") for path in values["path"]]
        folders = [folder.decode("utf-8", "replace") for folder, _, _ in places]
        codes: dict[str, NDArray[np.int32]] = {}
        for name, column in self.texts.items():
            texts = folders if name == "folder" else [text or "" for text in values[name]]
            codes[name] = np.fromiter(map(column.code, texts), np.int32, len(texts))
            if not np.array_equal(column.codes[at], codes[name]):
                column.codes = _replaced(column.codes, at, codes[name])
                changed = True
        titles = [
            title.lower() if title.isascii() else fold(title)
            for title in (title or "" for title in values["title"])
        ]
        names = [name for _, _, name in places]
        parts = [
            map(self.texts[name].folded.__getitem__, codes[name].tolist())
            for name in ("artist", "album", "album_artist")
        ]
        words = list(map("\n".join, zip(titles, *parts, strict=True)))
        changed |= self._put_list(self.titles, titles, at)
        changed |= self._put_list(self._names, names, at)
        self._put_list(self.words, words, at)
        if self._folded_names is not None:
            self._put_list(self._folded_names, list(map(_folded_name, names)), at)
        return changed

    @staticmethod
    def _put_list(column: list[Any], values: list[Any], at: Rows) -> bool:
        """Write `values` at the rows `at` (ascending); whether anything became different."""
        if len(at) and at[-1] - at[0] == len(at) - 1:
            place = slice(int(at[0]), int(at[-1]) + 1)
            changed = column[place] != values
            column[place] = values
            return changed
        changed = False
        for row, value in zip(at.tolist(), values, strict=True):
            changed = changed or column[row] != value
            column[row] = value
        return changed

    def _put_values(self, values: Mapping[str, Sequence[Any]], at: Rows) -> None:
        for name, present in self.numbers.items():
            numbers = np.array(values[name], present.dtype)  # None becomes NaN
            self.numbers[name] = _replaced(present, at, numbers)
        quadrants = [-1 if value is None else value for value in values["quadrant"]]
        self.quadrant = _replaced(self.quadrant, at, np.array(quadrants, np.int8))
        failed = zip(values["scan_error"], values["tag_error"], strict=True)
        found = {
            "missing": map(bool, values["missing"]),
            "failed": (bool(scan or tag) for scan, tag in failed),
            "cover": map(bool, values["has_cover"]),
            "stale": map(bool, values["audio_changed"]),
            "corrected": map(SOURCES.index("user").__eq__, values["source"]),
            "personal": map(SOURCES.index("personal").__eq__, values["source"]),
        }
        for name, flags in found.items():
            column = np.fromiter((flag is True for flag in flags), np.bool_, len(at))
            self.flags[name] = _replaced(self.flags[name], at, column)


def _folded_name(name: bytes) -> str:
    return fold(name.decode("utf-8", "replace"))


def _replaced(column: NDArray[Any], at: Rows, values: NDArray[Any]) -> NDArray[Any]:
    """A copy of `column` with `values` at rows `at`: who reads the old array is not disturbed."""
    out = column.copy()
    out[at] = values
    return out
