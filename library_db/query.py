"""The search language: `mood:calm artist:"x" valence:>0.3 conf:<0.5 year:1990-1999 free words`.

Terms stand for AND; `OR` between terms, `-` before one and ( ) around some are
understood. A word without a field is looked for in title, artist and album.
Case and accents do not matter. `parse` gives a `Query`, plain data that
`library_db.matching` evaluates on the index.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from inference.emotion import Quadrant
from inference.errors import UndertoneError
from library_db.text import fold

__all__ = [
    "AllOf",
    "AnyOf",
    "Contains",
    "Flag",
    "MoodIs",
    "Node",
    "Not",
    "Query",
    "QueryError",
    "Within",
    "parse",
    "quoted",
]


class QueryError(UndertoneError):
    """A query that cannot be understood.

    Parameters
    ----------
    start, end : int
        The offending part is `text[start:end]`.
    """

    def __init__(self, message: str, remedy: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__(message, remedy)
        self.start = start
        self.end = end

    def __reduce__(self) -> tuple[type[QueryError], tuple[str, str, int, int]]:  # type: ignore[override]
        return (type(self), (self.message, self.remedy, self.start, self.end))


@dataclass(frozen=True, slots=True)
class Contains:
    """Folded `text` occurs in a text field ("" = title, artist or album), or is all of it."""

    field: str
    text: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """A numeric field lies between `low` and `high`; tracks without a value never do."""

    field: str
    low: float
    high: float
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class MoodIs:
    """The track counts as one of these quadrants; None stands for "no mood yet"."""

    quadrants: frozenset[Quadrant | None]


@dataclass(frozen=True, slots=True)
class Flag:
    """A state of a track, one of `FLAGS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    """All parts hold; without parts, everything matches."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Node, ...]


Node = Contains | Within | MoodIs | Flag | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query and the text that it came from."""

    root: Node
    text: str = ""


TEXT_FIELDS = {
    "title": "title",
    "artist": "artist",
    "album": "album",
    "albumartist": "album_artist",
    "genre": "genre",
    "path": "path",
    "folder": "path",
    "format": "format",
}
NUMBER_FIELDS = {
    "valence": "valence",
    "arousal": "arousal",
    "conf": "confidence",
    "confidence": "confidence",
    "year": "year",
    "duration": "duration_s",
    "length": "duration_s",
    "bitrate": "bitrate_kbps",
    "track": "track_no",
    "disc": "disc_no",
}
FLAGS = {
    "missing": "missing",
    "failed": "failed",
    "unsure": "unsure",
    "corrected": "corrected",
    "personal": "personal",
    "tagged": "tagged",
    "untagged": "untagged",
    "stale": "stale",
    "cover": "cover",
}
"""unsure: confidence below 0.5; stale: the audio changed since it was classified."""

_MOODS: dict[str, Quadrant | None] = {
    **{q.label.lower(): q for q in Quadrant},
    **{q.value.lower(): q for q in Quadrant},
    "none": None,
    "unknown": None,
}
_EXAMPLES = {
    "mood": "mood:calm",
    "year": "year:1990-1999",
    "duration_s": "duration:>3:30",
    "confidence": "conf:<0.5",
}
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_FIELD = re.compile(r"([^\W\d_]+):")
_COMPARE = re.compile(r"(>=|<=|>|<|=)")
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_CLOCK = r"\d+:\d{1,2}(?::\d{1,2})?"
_RANGE = re.compile(rf"({_CLOCK}|{_NUMBER})?(?:\.\.|-)({_CLOCK}|{_NUMBER})?", re.ASCII)
_DECADE = re.compile(r"(\d{3}0)s", re.ASCII)
_MAX_DEPTH = 50


def quoted(text: str) -> str:
    """`text` as a quoted value that stands for itself in a query."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(text: str) -> Query:
    """Understand a query.

    Raises
    ------
    QueryError
        With the place of the mistake and what to write instead.
    """
    parser = _Parser(text)
    return Query(parser.any_of(depth=0), text)


class _Parser:
    """Recursive descent over the characters; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def _skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _at_or(self) -> bool:
        after = self.at + 2
        if not self.text.startswith("OR", self.at):
            return False
        return after == len(self.text) or self.text[after].isspace() or self.text[after] in "()"

    def any_of(self, depth: int) -> Node:
        parts = [self.all_of(depth)]
        while self._at_or():
            self.at += 2
            parts.append(self.all_of(depth))
        # "a OR" while it is being typed: an empty side says nothing yet.
        said = tuple(part for part in parts if part != AllOf())
        if not said:
            return AllOf()
        return said[0] if len(said) == 1 else AnyOf(said)

    def all_of(self, depth: int) -> Node:
        parts: list[Node] = []
        while True:
            self._skip_space()
            if self.at >= len(self.text) or self._at_or():
                break
            if self.text[self.at] == ")" and depth:
                break
            part = self.term(depth)
            if part is not None:
                parts.append(part)
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def term(self, depth: int) -> Node | None:
        start = self.at
        negate = False
        while self.at < len(self.text) and self.text[self.at] == "-":
            negate = not negate
            self.at += 1
        if self.at >= len(self.text) or self.text[self.at].isspace():
            return None  # a dash by itself, as in "Artist - Title"
        part: Node | None
        if self.text[self.at] == "(":
            part = self._group(depth, start)
        elif field := _FIELD.match(self.text, self.at):
            self.at = field.end()
            part = self._field(field.group(1), field.start())
        else:
            part = self._word(depth)
        if part is None or part == AllOf():
            return None
        return Not(part) if negate else part

    def _group(self, depth: int, start: int) -> Node:
        if depth >= _MAX_DEPTH:
            raise QueryError(
                "Too many parentheses", "Write the query in a flatter way.", start, self.at + 1
            )
        self.at += 1
        inner = self.any_of(depth + 1)
        if self.at < len(self.text):  # a ")"; at the end of the text it may be left out
            self.at += 1
        return inner

    def _word(self, depth: int) -> Node:
        value, _ = self._value(stop_at_parenthesis=depth > 0)
        return Contains("", fold(value))

    def _value(self, *, stop_at_parenthesis: bool = False) -> tuple[str, bool]:
        """The quoted or bare text at `at`, and whether it was quoted."""
        if self.at < len(self.text) and self.text[self.at] == '"':
            return self._quoted(), True
        start = self.at
        while self.at < len(self.text):
            c = self.text[self.at]
            if c.isspace() or (c == ")" and stop_at_parenthesis):
                break
            self.at += 1
        return self.text[start : self.at], False

    def _quoted(self) -> str:
        """The text in quotes; a missing closing quote, as while typing, is taken as there."""
        self.at += 1
        out: list[str] = []
        while self.at < len(self.text):
            c = self.text[self.at]
            self.at += 1
            if c == '"':
                break
            if c == "\\" and self.at < len(self.text) and self.text[self.at] in '\\"':
                c = self.text[self.at]
                self.at += 1
            out.append(c)
        return "".join(out)

    def _field(self, written: str, start: int) -> Node:
        name = written.lower()
        if name not in _ALL_FIELDS:
            raise self._unknown_field(written, start)
        exact = False
        if name in TEXT_FIELDS and self.text.startswith("=", self.at):
            exact = True
            self.at += 1
        value_start = self.at
        value, was_quoted = self._value(stop_at_parenthesis=True)
        if not value and not (was_quoted and exact):
            raise QueryError(
                f"{written}: says nothing to look for",
                f"Write a value after the colon, such as {_example(name)}.",
                start,
                max(self.at, start + 1),
            )
        span = (value_start, self.at)
        if name in TEXT_FIELDS:
            return Contains(TEXT_FIELDS[name], fold(value), exact)
        if name == "mood":
            return _mood(value, span)
        if name == "is":
            return _flag(value, span)
        if name in FLAGS:
            if value.lower() not in _YES:
                raise QueryError(
                    f"{written}: is yes or no, not \u201c{value}\u201d",
                    f"Write is:{name} or -is:{name}.",
                    *span,
                )
            return Flag(FLAGS[name]) if _YES[value.lower()] else Not(Flag(FLAGS[name]))
        return _number(NUMBER_FIELDS[name], value, span)

    def _unknown_field(self, written: str, start: int) -> QueryError:
        close = difflib.get_close_matches(written.lower(), _ALL_FIELDS, n=1)
        value, _ = self._value(stop_at_parenthesis=True)
        hint = f"Did you mean {close[0]}:? " if close else ""
        return QueryError(
            f"There is no field \u201c{written}\u201d",
            f"{hint}To search for the words themselves write {quoted(f'{written}:{value}')}.",
            start,
            start + len(written) + 1,
        )


_ALL_FIELDS = ("mood", "is", *TEXT_FIELDS, *NUMBER_FIELDS, *FLAGS)


def _example(name: str) -> str:
    if name in NUMBER_FIELDS:
        return _EXAMPLES.get(NUMBER_FIELDS[name], f"{name}:>0.3")
    if name == "is":
        return "is:unsure"
    if name in FLAGS:
        return f"{name}:yes"
    return _EXAMPLES.get(name, f'{name}:"some text"')


def _mood(value: str, span: tuple[int, int]) -> Node:
    chosen: set[Quadrant | None] = set()
    for name in filter(None, fold(value).split(",")):
        if name not in _MOODS:
            raise QueryError(
                f"There is no mood \u201c{name}\u201d",
                "Moods are happy, tense, calm and sad (or HAHV, HALV, LAHV, LALV), and none.",
                *span,
            )
        chosen.add(_MOODS[name])
    if not chosen:
        raise QueryError("mood: names no mood", "Write mood:calm or mood:calm,sad.", *span)
    return MoodIs(frozenset(chosen))


def _flag(value: str, span: tuple[int, int]) -> Node:
    name = value.lower()
    if name in FLAGS:
        return Flag(FLAGS[name])
    if name in _MOODS:
        return MoodIs(frozenset({_MOODS[name]}))
    close = difflib.get_close_matches(name, FLAGS, n=1)
    hint = f"Did you mean is:{close[0]}? " if close else ""
    raise QueryError(
        f"\u201cis:{value}\u201d is not known", f"{hint}There are: {', '.join(FLAGS)}.", *span
    )


def _number(field: str, value: str, span: tuple[int, int]) -> Node:
    if compare := _COMPARE.match(value):
        sign = compare.group(1)
        number = _float(field, value[compare.end() :], span)
        if sign == "=":
            return Within(field, number, number)
        if sign.startswith(">"):
            return Within(field, number, math.inf, low_open=sign == ">")
        return Within(field, -math.inf, number, high_open=sign == "<")
    if field == "year" and (decade := _DECADE.fullmatch(value)):
        return Within(field, float(decade[1]), float(decade[1]) + 9)
    between = _RANGE.fullmatch(value)
    if between and not re.fullmatch(_NUMBER, value) and (between[1] or between[2]):
        low = _float(field, between[1], span) if between[1] else -math.inf
        high = _float(field, between[2], span) if between[2] else math.inf
        return Within(field, min(low, high), max(low, high))
    number = _float(field, value, span)
    # "valence:0.3" means what is shown as 0.3.
    digits = len(value.rstrip("%").partition(".")[2]) if "." in value else None
    if digits is not None and not value.endswith("%"):
        half = 0.5 * 10.0**-digits
        return Within(field, number - half, number + half, high_open=True)
    return Within(field, number, number)


def _float(field: str, text: str, span: tuple[int, int]) -> float:
    number: float | None = None
    if field == "duration_s" and re.fullmatch(_CLOCK, text, re.ASCII):
        number = 0.0
        for part in text.split(":"):
            number = number * 60 + float(part)
    elif re.fullmatch(_NUMBER, text.removesuffix("%"), re.ASCII) and len(text) <= 30:
        number = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    if number is None:
        raise QueryError(
            f"\u201c{text}\u201d is not a number",
            f"Write for example {_EXAMPLES.get(field, f'{field}:>0.3 or {field}:-0.5..0.5')}.",
            *span,
        )
    return number
