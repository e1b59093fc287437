"""Makes plain bounded values of what tags hold: lines of text, years, numbers, gains."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from library_db.text import plain_text

__all__ = [
    "as_text",
    "bounded_gain",
    "gain_of",
    "joined",
    "ordinal_of",
    "peak_of",
    "positive",
    "r128_gain_of",
    "whole",
    "year_of",
]

_MAX_VALUES = 8
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2}|2100)(?!\d)")
_GAIN = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*(?:dB)?\s*", re.IGNORECASE | re.ASCII)
_MAX_GAIN_DB = 60.0
_MAX_PEAK = 10.0
# R128 gains refer to -23 LUFS, ReplayGain 2.0 to -18 LUFS (RFC 7845, section 5.2.1).
_R128_TO_REPLAYGAIN_DB = 5.0


def as_text(value: Any) -> str:
    """A value of any tag format as text, cut where bytes go on for long."""
    if isinstance(value, bytes):
        return bytes(value[:4096]).decode("utf-8", "replace")
    return str(value)


def joined(values: Iterable[Any] | None) -> str:
    """Several values as one line, each once: "Simon; Garfunkel"."""
    lines: dict[str, None] = {}
    for value in values or ():
        for part in as_text(value)[:4096].split("\0"):
            if line := plain_text(part):
                lines[line] = None
        if len(lines) >= _MAX_VALUES:
            break
    return plain_text("; ".join(list(lines)[:_MAX_VALUES]))


def year_of(values: Iterable[Any] | None) -> int | None:
    """The first plausible year in the values: 1000 to 2100."""
    for value in values or ():
        if found := _YEAR.search(as_text(value)[:100]):
            return int(found[1])
    return None


def ordinal_of(values: Iterable[Any] | None) -> int | None:
    """The number of a track or disc from "3", "03", "3/12" or (3, 12)."""
    for value in values or ():
        first = value[0] if isinstance(value, tuple) and value else value
        found = re.match(r"\s*(\d{1,5})(?!\d)", as_text(first)[:100], re.ASCII)
        if found and 0 < int(found[1]) < 10_000:
            return int(found[1])
    return None


def bounded_gain(gain_db: float) -> float | None:
    """A gain in decibels that a player may apply, else None."""
    return gain_db if math.isfinite(gain_db) and abs(gain_db) <= _MAX_GAIN_DB else None


def positive(value: Any, limit: float) -> float | None:
    """`value` as a finite number above 0 and up to `limit`, else None."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0.0 < number <= limit else None


def whole(value: Any, limit: int) -> int | None:
    """As `positive`, rounded."""
    number = positive(value, limit)
    return None if number is None or number < 0.5 else round(number)


def gain_of(value: Any) -> float | None:
    """Decibels from ReplayGain's text, such as "-7.25 dB"."""
    found = _GAIN.fullmatch(as_text(value)[:100])
    return bounded_gain(float(found[1].replace(",", "."))) if found else None


def peak_of(value: Any) -> float | None:
    """The largest sample from ReplayGain's text, such as "0.988": 1 is full scale."""
    # mutagen gives 0 where a frame holds no peak; MP3s may go somewhat beyond full scale.
    return positive(as_text(value)[:40], _MAX_PEAK)


def r128_gain_of(value: Any) -> float | None:
    """ReplayGain's decibels from Opus' gain, which counts in 1/256 dB from -23 LUFS."""
    text = as_text(value)[:20]
    if not re.fullmatch(r"[+-]?\d{1,6}", text, re.ASCII):
        return None
    return bounded_gain(int(text) / 256.0 + _R128_TO_REPLAYGAIN_DB)
