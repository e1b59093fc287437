"""The columns of the library table: key (also the sort key of a search), width, what they show."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QLocale

from widgets.rows import TrackRow
from widgets.text import clock, day, mood_words

__all__ = ["COLUMNS", "Column", "cell_text", "column_index", "header_text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `stretch` above 0: it shares the width that is left."""

    key: str
    name: str
    width: int
    stretch: int = 0
    shown: bool = True
    right: bool = False

    @property
    def sortable(self) -> bool:
        """Whether a search can sort by it."""
        return self.key != "error"

    @property
    def choosable(self) -> bool:
        """Whether the listener may show and hide it; else the view does."""
        return self.key not in ("title", "place")


COLUMNS: tuple[Column, ...] = (
    Column("place", QT_TRANSLATE_NOOP("TrackTable", "No."), 72, shown=False, right=True),
    Column("mood", QT_TRANSLATE_NOOP("TrackTable", "Mood"), 148),
    Column("title", QT_TRANSLATE_NOOP("TrackTable", "Title"), 260, stretch=4),
    Column("artist", QT_TRANSLATE_NOOP("TrackTable", "Artist"), 180, stretch=3),
    Column("album", QT_TRANSLATE_NOOP("TrackTable", "Album"), 180, stretch=3),
    Column("genre", QT_TRANSLATE_NOOP("TrackTable", "Genre"), 110, shown=False),
    Column("year", QT_TRANSLATE_NOOP("TrackTable", "Year"), 64, shown=False, right=True),
    Column("valence", QT_TRANSLATE_NOOP("TrackTable", "Valence"), 80, shown=False, right=True),
    Column("arousal", QT_TRANSLATE_NOOP("TrackTable", "Arousal"), 80, shown=False, right=True),
    Column("valence%", QT_TRANSLATE_NOOP("TrackTable", "Valence %"), 96, shown=False, right=True),
    Column("arousal%", QT_TRANSLATE_NOOP("TrackTable", "Arousal %"), 96, shown=False, right=True),
    Column("confidence", QT_TRANSLATE_NOOP("TrackTable", "Sureness"), 96),
    Column("duration", QT_TRANSLATE_NOOP("TrackTable", "Time"), 72, right=True),
    Column("added", QT_TRANSLATE_NOOP("TrackTable", "Added"), 104, shown=False, right=True),
    Column("path", QT_TRANSLATE_NOOP("TrackTable", "File"), 300, stretch=4, shown=False),
    Column("error", QT_TRANSLATE_NOOP("TrackTable", "Why"), 300, stretch=5, shown=False),
)


def column_index(key: str) -> int:
    """The place of a column by its key."""
    return next(i for i, column in enumerate(COLUMNS) if column.key == key)


def header_text(column: Column) -> str:
    """What stands over a column, in the language of the listener."""
    return QCoreApplication.translate("TrackTable", column.name)


def cell_text(row: TrackRow, key: str) -> str:
    """What a cell says, in words."""
    if key == "mood":
        return mood_words(row.quadrant, row.open)
    if key == "duration":
        return clock(row.duration_s)
    if key == "added":
        return day(row.added_s) if row.added_s else ""
    if key == "year":
        return "" if row.year is None else str(row.year)
    if key in ("valence", "arousal"):
        value = row.valence if key == "valence" else row.arousal
        return "" if value is None else QLocale().toString(value, "f", 2)
    if key in ("valence%", "arousal%"):
        return "" if row.relative is None else f"{round(row.relative.percentile(key))} %"
    if key == "confidence":
        return "" if row.confidence is None else f"{round(100 * row.confidence)} %"
    if key == "error":
        return row.why or row.error
    return str(getattr(row, key))
