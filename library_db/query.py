"""The search language: `mood:calm artist:"x" valence:>0.3 conf:<0.5 year:1990-1999 free words`.

Terms stand for AND; `OR` between terms, `-` before one and ( ) around some are
understood. A word without a field is looked for in title, artist and album.
Case and accents do not matter. `parse` gives a `Query`, plain data that
`library_db.matching` evaluates on the index.
"""

from __future__ import annotations

import difflib
import re

from library_db.query_fields import ALL_FIELDS, FLAGS, NUMBER_FIELDS, TEXT_FIELDS, example
from library_db.query_nodes import (
    AllOf,
    AnyOf,
    Contains,
    Flag,
    MoodIs,
    Node,
    Not,
    Query,
    QueryError,
    Within,
)
from library_db.query_values import flag_node, mood_node, number_node
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

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_FIELD = re.compile(r"([^\W\d_]+%?):")
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
        if name not in ALL_FIELDS:
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
                f"Write a value after the colon, such as {example(name)}.",
                start,
                max(self.at, start + 1),
            )
        span = (value_start, self.at)
        if name in TEXT_FIELDS:
            return Contains(TEXT_FIELDS[name], fold(value), exact)
        if name in ("mood", "mood%"):
            return mood_node(value, span, relative=name.endswith("%"))
        if name == "is":
            return flag_node(value, span)
        if name in FLAGS:
            if value.lower() not in _YES:
                raise QueryError(
                    f"{written}: is yes or no, not \u201c{value}\u201d",
                    f"Write is:{name} or -is:{name}.",
                    *span,
                )
            return Flag(FLAGS[name]) if _YES[value.lower()] else Not(Flag(FLAGS[name]))
        return number_node(NUMBER_FIELDS[name], value, span)

    def _unknown_field(self, written: str, start: int) -> QueryError:
        close = difflib.get_close_matches(written.lower(), ALL_FIELDS, n=1)
        value, _ = self._value(stop_at_parenthesis=True)
        hint = f"Did you mean {close[0]}:? " if close else ""
        return QueryError(
            f"There is no field \u201c{written}\u201d",
            f"{hint}To search for the words themselves write {quoted(f'{written}:{value}')}.",
            start,
            start + len(written) + 1,
        )
