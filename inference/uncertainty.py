"""What an estimate leaves open: the quadrants that it may be, and intervals round its place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant

__all__ = ["LEAST_SPREAD", "UNKNOWN", "Uncertainty", "rounded", "uncertainty"]

LEAST_SPREAD = 0.3
"""Of 1 - v^2: below it an interval grows no narrower, since far out the spread is less known."""

_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What an estimate leaves open, each part right for `coverage` of the songs.

    Parameters
    ----------
    possible : tuple of Quadrant
        By falling probability; one of them is right with probability `coverage`. Empty where
        the model's card does not say.
    valence, arousal : (low, high) or None
        In [-1, 1]; None where the card does not say.
    coverage : float
    """

    possible: tuple[Quadrant, ...] = ()
    valence: tuple[float, float] | None = None
    arousal: tuple[float, float] | None = None
    coverage: float = 0.9

    @property
    def tells(self) -> bool:
        """Whether the set says something: one quadrant, or two of them."""
        return 1 <= len(self.possible) <= 2


UNKNOWN = Uncertainty()
"""Where nothing is known of what is open."""


def uncertainty(estimate: EmotionEstimate) -> Uncertainty:
    """Read off an estimate, by its `leeway`, what it leaves open; without one, nothing is said.

    Notes
    -----
    Sets are adaptive prediction sets without randomisation (Romano, Sesia and Candes, NeurIPS
    2020). An interval is v +- width sqrt(max(1 - v^2, 0.3)), the deviation of a quantity of +-1
    whose mean is v; what it holds is the balance of listeners' mood tags on that axis, from -1
    (all low) to 1 (all high), as far as the training data tell it.
    """
    leeway, mood = estimate.leeway, estimate.mood
    if leeway is None:
        return UNKNOWN
    return Uncertainty(
        _possible(estimate, leeway.set_mass),
        _interval(mood.valence, leeway.valence_width),
        _interval(mood.arousal, leeway.arousal_width),
        leeway.coverage,
    )


def rounded(interval: tuple[float, float] | None, digits: int = 6) -> list[float] | None:
    """An interval as plain JSON."""
    return None if interval is None else [round(end, digits) for end in interval]


def _possible(estimate: EmotionEstimate, mass: float | None) -> tuple[Quadrant, ...]:
    if mass is None:
        return ()
    p = estimate.probabilities
    order = sorted(range(len(QUADRANTS)), key=lambda i: -p[i])
    before, chosen, least = 0.0, [], 1.0
    for i in order:
        if before > mass and p[i] < least - _TIE:  # as probable as one that is in: in as well
            break
        chosen.append(QUADRANTS[i])
        before, least = before + p[i], p[i]
    return tuple(chosen)


def _interval(value: float, width: float | None) -> tuple[float, float] | None:
    if width is None:
        return None
    half = width * math.sqrt(max(1.0 - value * value, LEAST_SPREAD))
    return max(-1.0, value - half), min(1.0, value + half)
