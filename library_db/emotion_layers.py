"""The three layers of emotion of a track, and the one rule by which one of them speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.emotion import EmotionEstimate, MoodPoint, Quadrant
from inference.uncertainty import UNKNOWN, Uncertainty, uncertainty

__all__ = ["SOURCES", "Effective", "Layer", "Source", "TrackEmotion", "UserLabel", "effective"]

Layer = Literal["common", "personal"]
"""A layer that a model fills."""

Source = Literal["user", "personal", "common"]

SOURCES: tuple[Source, ...] = ("user", "personal", "common")
"""The layers, strongest first."""


@dataclass(frozen=True, slots=True)
class UserLabel:
    """The listener's own word on a track; no model ever overwrites it.

    Parameters
    ----------
    quadrant : Quadrant
    mood : MoodPoint or None
        The place that the listener chose, None where only a quadrant was chosen.
    at_s : float
        When, in seconds since the epoch.
    """

    quadrant: Quadrant
    mood: MoodPoint | None = None
    at_s: float = 0.0

    @classmethod
    def of(cls, said: Quadrant | MoodPoint | UserLabel, now_s: float) -> UserLabel:
        """What was said, as a label; one that is a label already stays as it is."""
        if isinstance(said, UserLabel):
            return said
        if isinstance(said, MoodPoint):
            return cls(Quadrant.of(said), said, now_s)
        return cls(Quadrant(said), None, now_s)


@dataclass(frozen=True, slots=True)
class Effective:
    """What a track counts as, after precedence."""

    quadrant: Quadrant
    mood: MoodPoint
    confidence: float
    source: Source


def effective(
    common: EmotionEstimate | None,
    personal: EmotionEstimate | None,
    user: UserLabel | None,
) -> Effective | None:
    """Resolve the layers: user over personal over common; None where there is no layer.

    A listener's quadrant without a point is placed where the models put the
    track if that lies in the quadrant, else at the quadrant's centre; the
    listener is taken at their word, with confidence 1.
    """
    estimate = personal if personal is not None else common
    if user is not None:
        mood = user.mood
        if mood is None and estimate is not None and Quadrant.of(estimate.mood) is user.quadrant:
            mood = estimate.mood
        return Effective(user.quadrant, mood or user.quadrant.centre, 1.0, "user")
    if estimate is None:
        return None
    source: Source = "personal" if personal is not None else "common"
    return Effective(estimate.quadrant, estimate.mood, estimate.confidence, source)


@dataclass(frozen=True, slots=True)
class TrackEmotion:
    """All layers of one track; the properties give what the track counts as."""

    common: EmotionEstimate | None = None
    personal: EmotionEstimate | None = None
    user: UserLabel | None = None

    @property
    def effective(self) -> Effective | None:
        return effective(self.common, self.personal, self.user)

    @property
    def quadrant(self) -> Quadrant | None:
        chosen = self.effective
        return chosen.quadrant if chosen else None

    @property
    def open(self) -> Uncertainty:
        """What is left open of the mood: after the listener's own word, nothing."""
        if self.user is not None:
            return Uncertainty((self.user.quadrant,))
        return UNKNOWN if self.estimate is None else uncertainty(self.estimate)

    @property
    def mood(self) -> MoodPoint | None:
        chosen = self.effective
        return chosen.mood if chosen else None

    @property
    def confidence(self) -> float | None:
        chosen = self.effective
        return chosen.confidence if chosen else None

    @property
    def source(self) -> Source | None:
        chosen = self.effective
        return chosen.source if chosen else None

    @property
    def estimate(self) -> EmotionEstimate | None:
        """The strongest model's estimate, whatever the listener said."""
        return self.personal if self.personal is not None else self.common
