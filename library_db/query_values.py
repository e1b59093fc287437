"""What stands after the colon of a field: moods, states, numbers, ranges, times."""

from __future__ import annotations

import difflib
import math
import re

from inference.emotion import Quadrant
from library_db.query_fields import EXAMPLES, FLAGS, MOODS
from library_db.query_nodes import Flag, MoodIs, Node, QueryError, Within
from library_db.text import fold

__all__ = ["flag_node", "mood_node", "number_node"]

_COMPARE = re.compile(r"(>=|<=|>|<|=)")
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_CLOCK = r"\d+:\d{1,2}(?::\d{1,2})?"
_RANGE = re.compile(rf"({_CLOCK}|{_NUMBER})?(?:\.\.|-)({_CLOCK}|{_NUMBER})?", re.ASCII)
_DECADE = re.compile(r"(\d{3}0)s", re.ASCII)


def mood_node(value: str, span: tuple[int, int], *, relative: bool = False) -> Node:
    """What `mood:value`, or `mood%:value`, stands for; `span` is where the value was written."""
    chosen: set[Quadrant | None] = set()
    for name in filter(None, fold(value).split(",")):
        if name not in MOODS:
            raise QueryError(
                f"There is no mood \u201c{name}\u201d",
                "Moods are happy, tense, calm and sad (or HAHV, HALV, LAHV, LALV), and none.",
                *span,
            )
        chosen.add(MOODS[name])
    if not chosen:
        raise QueryError("mood: names no mood", "Write mood:calm or mood:calm,sad.", *span)
    return MoodIs(frozenset(chosen), relative)


def flag_node(value: str, span: tuple[int, int]) -> Node:
    """What `is:value` stands for."""
    name = value.lower()
    if name in FLAGS:
        return Flag(FLAGS[name])
    if name in MOODS:
        return MoodIs(frozenset({MOODS[name]}))
    close = difflib.get_close_matches(name, FLAGS, n=1)
    hint = f"Did you mean is:{close[0]}? " if close else ""
    raise QueryError(
        f"\u201cis:{value}\u201d is not known", f"{hint}There are: {', '.join(FLAGS)}.", *span
    )


def number_node(field: str, value: str, span: tuple[int, int]) -> Node:
    """What a value of a numeric column stands for: a number, a comparison, a range, a decade."""
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
    if field.endswith("%"):
        digits = digits or 0
    elif value.endswith("%"):
        digits = None
    if digits is not None:
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
        share = text.endswith("%") and not field.endswith("%")
        number = float(text.removesuffix("%")) / (100.0 if share else 1.0)
    if number is None:
        raise QueryError(
            f"\u201c{text}\u201d is not a number",
            f"Write for example {EXAMPLES.get(field, f'{field}:>0.3 or {field}:-0.5..0.5')}.",
            *span,
        )
    return number
