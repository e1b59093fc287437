"""What the page shows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from inference.emotion import Quadrant

__all__ = ["Day", "PlayRow"]


@dataclass(frozen=True)
class Day:
    """What was played and felt on one day of the listener's calendar.

    Parameters
    ----------
    date : date
    played_s : mapping of Quadrant or None to float
        Seconds heard by the mood that the songs counted as then; None: they had none.
    felt : mapping of Quadrant to int
        Hearings by what was felt, as far as it is known.
    """

    date: date
    played_s: Mapping[Quadrant | None, float] = field(default_factory=dict)
    felt: Mapping[Quadrant, int] = field(default_factory=dict)

    @property
    def total_s(self) -> float:
        return sum(self.played_s.values())


@dataclass(frozen=True, slots=True)
class PlayRow:
    """One hearing; `song` is empty and `track_id` None where the song is gone."""

    key: int
    at_s: float
    song: str
    heard_s: float
    quadrant: Quadrant | None = None
    felt: Quadrant | None = None
    track_id: int | None = None
