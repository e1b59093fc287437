"""What could follow in a query that is being typed: fields, moods, states, names in the library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from library_db.columns import Columns
from library_db.query import quoted
from library_db.query_fields import ALL_FIELDS, FLAGS, NUMBER_FIELDS, TEXT_FIELDS
from library_db.text import fold

if TYPE_CHECKING:
    from library_db.index import LibraryIndex

__all__ = ["Suggestion", "suggest"]

MOST = 8
_FIELD = re.compile(r"([^\W\d_]+%?):")
_BARE = re.compile(r"[^\s()\"\\]+\Z")
_MOODS = ("happy", "tense", "calm", "sad", "none")
_OFFERED = (
    *("mood", "artist", "album", "genre", "year", "conf", "valence", "arousal", "is", "title"),
    *(
        "albumartist",
        "duration",
        "bitrate",
        "format",
        "folder",
        "track",
        "disc",
        "valence%",
        "arousal%",
        "mood%",
    ),
)
_VALUES = {
    "confidence": (">0.7", "<0.5"),
    "valence": (">0.3", "<-0.3", "-0.5..0.5"),
    "arousal": (">0.3", "<-0.3", "-0.5..0.5"),
    "valence%": (">80", "<20", "40..60"),
    "arousal%": (">80", "<20", "40..60"),
    "year": ("1990-1999", "1980s", ">=2015"),
    "duration_s": ("<3:00", ">10:00", "2:00..4:00"),
    "bitrate_kbps": (">=256", "<128"),
}
_COLUMNS = ("artist", "album", "album_artist", "genre", "format", "folder")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on: `text[start:end]` becomes `insert`.

    Parameters
    ----------
    shown : str
        What stands for it in a list.
    kind : str
        "field", "mood", "state", "value", or the text field whose value it is ("artist", ...).
    songs : int or None
        How many songs have this value.
    """

    start: int
    end: int
    insert: str
    shown: str
    kind: str
    songs: int | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    """The term at the cursor: where it and its value begin, its field, what is typed of it."""

    start: int
    value_start: int
    end: int
    field: str
    typed: str


def suggest(index: LibraryIndex, text: str, cursor: int, *, most: int = MOST) -> list[Suggestion]:
    """What could be typed at `cursor`, the likeliest first.

    Names are offered where a word of theirs begins with what is typed, those of many songs first.
    Nothing is offered where nothing is typed, but after a field's colon.
    """
    term = _term_at(text, cursor)
    if term is None:
        return []
    found = index.read(lambda columns: list(_all(term, columns, most)))
    seen: dict[str, Suggestion] = {}
    for suggestion in found:
        if text[suggestion.end : suggestion.end + 1].isspace():
            suggestion = replace(suggestion, insert=suggestion.insert.rstrip())
        if suggestion.insert.strip() != text[suggestion.start : suggestion.end]:
            seen.setdefault(suggestion.insert, suggestion)
    return list(seen.values())[:most]


def _all(term: _Term, columns: Columns, most: int) -> Iterator[Suggestion]:
    if not term.field:
        yield from _words(term, columns, most)
    elif term.field in ("mood", "mood%"):
        yield from _moods(term)
    elif term.field == "is":
        yield from _plain(term, FLAGS, "state")
        yield from _plain(term, _MOODS, "mood")
    elif term.field in FLAGS:
        yield from _plain(term, ("yes", "no"), "value")
    elif term.field in NUMBER_FIELDS:
        yield from _plain(term, _VALUES.get(NUMBER_FIELDS[term.field], (">1",)), "value")
    elif term.field in TEXT_FIELDS:
        column = "folder" if term.field == "folder" else TEXT_FIELDS[term.field]
        yield from _names(term, columns, column, most)


def _words(term: _Term, columns: Columns, most: int) -> Iterator[Suggestion]:
    """A word without a field: fields that begin so, moods, states, then names."""
    word = fold(term.typed)
    for name in _OFFERED:
        if name.startswith(word):
            yield Suggestion(term.start, term.end, f"{name}:", f"{name}:", "field")
    for mood in _MOODS[:4]:
        if mood.startswith(word):
            yield Suggestion(term.start, term.end, f"mood:{mood} ", f"mood:{mood}", "mood")
    if len(word) < 2:
        return
    for flag in FLAGS:
        if flag.startswith(word):
            yield Suggestion(term.start, term.end, f"is:{flag} ", f"is:{flag}", "state")
    for field in ("artist", "album", "genre"):
        for value, songs in _matching(columns, field, word, most):
            insert = f"{field}:{_value(value)} "
            yield Suggestion(term.start, term.end, insert, value, field, songs)


def _moods(term: _Term) -> Iterator[Suggestion]:
    """Of moods in a list, `mood:calm,sad`, the last is gone on with."""
    before, _, word = term.typed.rpartition(",")
    start = term.value_start + (len(before) + 1 if before else 0)
    taken = set(before.split(","))
    for mood in _MOODS:
        if mood.startswith(fold(word)) and mood not in taken:
            yield Suggestion(start, term.end, f"{mood} ", mood, "mood")


def _plain(term: _Term, values: Iterable[str], kind: str) -> Iterator[Suggestion]:
    for value in values:
        if value.startswith(term.typed.lower()):
            yield Suggestion(term.value_start, term.end, f"{value} ", value, kind)


def _names(term: _Term, columns: Columns, column: str, most: int) -> Iterator[Suggestion]:
    typed = term.typed.removeprefix("=")
    start = term.value_start + len(term.typed) - len(typed)
    word = fold(typed.replace('"', "").strip())
    if column in _COLUMNS:
        for value, songs in _matching(columns, column, word, most):
            yield Suggestion(start, term.end, f"{_value(value)} ", value, term.field, songs)


def _matching(columns: Columns, column: str, word: str, most: int) -> list[tuple[str, int]]:
    """Values with a word that begins so, each with its number of songs; the commonest first."""
    texts = columns.texts[column]
    inner = f" {word}"
    codes = [
        code
        for code, folded in enumerate(texts.folded)
        if folded and (folded.startswith(word) or inner in folded)
    ]
    counts = np.bincount(texts.codes, minlength=len(texts.folded))[codes]
    order = np.argsort(-counts, kind="stable")[: 2 * most].tolist()
    values = texts.values
    found: dict[str, tuple[str, int]] = {}
    for place in order:
        code, songs = codes[place], int(counts[place])
        if songs and texts.folded[code] not in found:
            found[texts.folded[code]] = (values[code], songs)
    return list(found.values())[:most]


def _value(value: str) -> str:
    return value if _BARE.match(value) and not value.startswith("=") else quoted(value)


def _term_at(text: str, cursor: int) -> _Term | None:
    """The term that ends at or goes on behind the cursor; None between terms."""
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] in "()":
            at += 1
            continue
        while at < len(text) and text[at] == "-":
            at += 1
        start = at
        field = _FIELD.match(text, at)
        value_start = field.end() if field else at
        at = end = _value_end(text, value_start)
        if start <= cursor <= end and (field is None or cursor >= value_start):
            name = field[1].lower() if field else ""
            if name and name not in ALL_FIELDS:
                return None
            typed = text[value_start:cursor]
            return _Term(start, value_start, end, name, typed) if typed or name else None
        if start <= cursor < value_start:  # within the field's own name
            return None
        at = max(at, start + 1)
    return None


def _value_end(text: str, at: int) -> int:
    if text.startswith("=", at):
        at += 1
    if text.startswith('"', at):
        at += 1
        while at < len(text) and text[at] != '"':
            at += 2 if text[at] == "\\" else 1
        return min(at + 1, len(text))
    while at < len(text) and not text[at].isspace() and text[at] not in ")":
        at += 1
    return at
