"""How values read on the screen: times, counts, mood names. Every text passes the translator."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QDateTime, QLocale

from inference.emotion import QUADRANTS, Quadrant
from inference.uncertainty import Uncertainty
from library_db.relative import RelativeMood

__all__ = [
    "clock",
    "count",
    "day",
    "eta",
    "length",
    "moment",
    "mood_name",
    "mood_words",
    "one_line",
    "open_words",
    "relative_words",
    "songs",
    "time_of",
]

_CONTEXT = "Text"
_MOODS = {
    Quadrant.HAHV: QT_TRANSLATE_NOOP("Text", "Happy"),
    Quadrant.HALV: QT_TRANSLATE_NOOP("Text", "Tense"),
    Quadrant.LAHV: QT_TRANSLATE_NOOP("Text", "Calm"),
    Quadrant.LALV: QT_TRANSLATE_NOOP("Text", "Sad"),
}


def _tr(text: str) -> str:
    return QCoreApplication.translate(_CONTEXT, text)


def mood_name(quadrant: Quadrant | None) -> str:
    """ "Happy", "Tense", "Calm", "Sad", or "Untagged", in the listener's language."""
    return _tr("Untagged") if quadrant is None else _tr(_MOODS[quadrant])


def mood_words(quadrant: Quadrant | None, left_open: Uncertainty) -> str:
    """ "Calm"; "Calm or Sad" where that is all that can be said; "Unsure" where it is less."""
    if quadrant is None or len(left_open.possible) < 2:
        return mood_name(quadrant)
    if not left_open.tells:
        return _tr("Unsure")
    one, other = left_open.possible
    return _tr("{one} or {other}").format(one=mood_name(one), other=mood_name(other))


def open_words(quadrant: Quadrant | None, left_open: Uncertainty) -> str:
    """What a mood leaves open, in a few sentences; empty where nothing is known of it."""
    if quadrant is None or not left_open.possible:
        return ""
    share = round(100 * left_open.coverage)
    names = [mood_name(one) for one in left_open.possible]
    if len(names) == len(QUADRANTS):
        said = [_tr("Any of the four moods; most likely {mood}.").format(mood=names[0])]
    else:
        some = names[0]
        if len(names) > 1:
            some = _tr("{some} or {last}").format(some=", ".join(names[:-1]), last=names[-1])
        said = [
            _tr("{moods}. Such answers hold the right mood for {n} of 100 songs.").format(
                moods=some, n=share
            )
        ]
    for template, interval in (
        (_tr("Valence between {low} and {high}."), left_open.valence),
        (_tr("Arousal between {low} and {high}."), left_open.arousal),
    ):
        if interval is not None:
            low, high = (QLocale().toString(end, "f", 1) for end in interval)
            said.append(template.format(low=low, high=high))
    return " ".join(said)


def relative_words(relative: RelativeMood | None) -> str:
    """Where a song lies within the library: "In your library: Calm, pleasanter than 80 %, ..."."""
    if relative is None:
        return ""
    return _tr("In your library: {mood}, pleasanter than {v} %, livelier than {a} %").format(
        mood=mood_name(relative.quadrant), v=round(relative.valence), a=round(relative.arousal)
    )


def clock(seconds: float | None) -> str:
    """A length or place in a song: 3:07, 1:02:45, or a dash where it is unknown."""
    if seconds is None or not 0 <= seconds < 1e7:
        return "–"
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int) -> str:
    """An integer with the locale's group separators."""
    return QLocale().toString(int(number))


def songs(number: int) -> str:
    """ "1 song", "2,345 songs"."""
    if number == 1:
        return _tr("1 song")
    return _tr("{count} songs").format(count=count(number))


def day(at_s: float) -> str:
    """The day of a moment (seconds since the epoch) by the listener's clock: 25 Nov 2026."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(at_s)).date(), "d MMM yyyy")


def moment(at_s: float) -> str:
    """Day and time of a moment, as `day`: 25 Nov 2026, 18:05."""
    return f"{day(at_s)}, {time_of(at_s)}"


def time_of(at_s: float) -> str:
    """The time of a moment, as `moment`: 18:05."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(at_s)).time(), "HH:mm")


def length(seconds: float) -> str:
    """How long something took in all: 45 min, 1 h 20 min; under a minute in seconds."""
    if seconds < 60:
        return _tr("{n} s").format(n=round(seconds))
    minutes = round(seconds / 60)
    if minutes < 60:
        return _tr("{n} min").format(n=minutes)
    if minutes % 60 == 0:
        return _tr("{n} h").format(n=minutes // 60)
    return _tr("{h} h {n} min").format(h=minutes // 60, n=minutes % 60)


def eta(seconds: float | None) -> str:
    """A remaining time, coarse as an estimate should be."""
    if seconds is None:
        return ""
    if seconds < 10:
        return _tr("a few seconds left")
    if seconds < 90:
        return _tr("about {count} s left").format(count=round(seconds / 5) * 5)
    if seconds < 5400:
        return _tr("about {count} min left").format(count=round(seconds / 60))
    return _tr("about {count} h left").format(count=round(seconds / 3600))


def one_line(text: str, limit: int = 400) -> str:
    """`text` with control characters and line breaks as spaces, at most `limit` characters."""
    cut = text[: limit + 1]
    clean = "".join(c if c.isprintable() else " " for c in cut)
    clean = " ".join(clean.split())
    return clean[:limit] + "…" if len(clean) > limit or len(text) > len(cut) else clean
