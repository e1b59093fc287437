"""The words for emotion that every floor shares: quadrants, mood points, estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["QUADRANTS", "EmotionEstimate", "Leeway", "MoodPoint", "Quadrant"]

_SUM_TOLERANCE = 1e-3


class Quadrant(str, Enum):
    """A quadrant of Russell's circumplex: high or low arousal x high or low valence.

    The order of the members (HAHV, HALV, LAHV, LALV) is the order of every
    probability vector in the program.
    """

    HAHV = "HAHV"
    HALV = "HALV"
    LAHV = "LAHV"
    LALV = "LALV"

    @classmethod
    def of(cls, point: MoodPoint) -> Quadrant:
        """The quadrant in which `point` lies; 0 counts as high on both axes."""
        if point.arousal >= 0.0:
            return cls.HAHV if point.valence >= 0.0 else cls.HALV
        return cls.LAHV if point.valence >= 0.0 else cls.LALV

    @property
    def label(self) -> str:
        """The everyday English name: Happy, Tense, Calm or Sad."""
        return _LABELS[self]

    @property
    def position(self) -> int:
        """Index into a probability vector, 0..3."""
        return QUADRANTS.index(self)

    @property
    def high_arousal(self) -> bool:
        return self in (Quadrant.HAHV, Quadrant.HALV)

    @property
    def high_valence(self) -> bool:
        return self in (Quadrant.HAHV, Quadrant.LAHV)

    @property
    def centre(self) -> MoodPoint:
        """The middle of the quadrant, (+-0.5, +-0.5)."""
        return MoodPoint(
            valence=0.5 if self.high_valence else -0.5,
            arousal=0.5 if self.high_arousal else -0.5,
        )


QUADRANTS: tuple[Quadrant, ...] = tuple(Quadrant)
_LABELS = {
    Quadrant.HAHV: "Happy",
    Quadrant.HALV: "Tense",
    Quadrant.LAHV: "Calm",
    Quadrant.LALV: "Sad",
}


@dataclass(frozen=True, slots=True)
class MoodPoint:
    """A place on the valence-arousal plane, each axis in [-1, 1].

    Raises
    ------
    ValueError
        If a coordinate is not a finite number in [-1, 1].
    """

    valence: float
    arousal: float

    def __post_init__(self) -> None:
        for name in ("valence", "arousal"):
            value = getattr(self, name)
            if not (math.isfinite(value) and -1.0 <= value <= 1.0):
                raise ValueError(f"{name} must be a finite number in [-1, 1], not {value!r}")


@dataclass(frozen=True, slots=True)
class Leeway:
    """What a model's calibration says of how much its estimates leave open.

    `inference.uncertainty` reads sets and intervals off an estimate with it.

    Parameters
    ----------
    set_mass : float or None
        Quadrants are possible by falling probability while those before sum to no more.
    valence_width, arousal_width : float or None
        Half widths of the widest intervals.
    coverage : float
        How often sets and intervals hold the truth, out of fold.
    """

    set_mass: float | None = None
    valence_width: float | None = None
    arousal_width: float | None = None
    coverage: float = 0.9


@dataclass(frozen=True, slots=True)
class EmotionEstimate:
    """What a model says of a song, a window of it, or a listener's signals.

    Parameters
    ----------
    probabilities : tuple of 4 floats
        In the order of `QUADRANTS`; non-negative, sum 1.
    confidence : float
        Calibrated probability in [0, 1] that `quadrant` is right.
    model_id : str
        The model that said it, as in the catalogue.
    leeway : Leeway or None
        What its calibration says of how much it leaves open; None where that is not known.

    Notes
    -----
    `mood` follows from the same probabilities: valence = 2 P(HV) - 1 and
    arousal = 2 P(HA) - 1. It can therefore lie in another quadrant than
    the most probable one: colour by `quadrant`, place by `mood`.
    """

    probabilities: tuple[float, float, float, float]
    confidence: float
    model_id: str
    leeway: Leeway | None = None

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(QUADRANTS):
            raise ValueError(f"expected 4 probabilities, got {len(self.probabilities)}")
        if not all(math.isfinite(p) and p >= 0.0 for p in self.probabilities):
            raise ValueError(f"probabilities must be finite and >= 0: {self.probabilities}")
        if abs(sum(self.probabilities) - 1.0) > _SUM_TOLERANCE:
            raise ValueError(f"probabilities must sum to 1: {self.probabilities}")
        if not (math.isfinite(self.confidence) and 0.0 <= self.confidence <= 1.0):
            raise ValueError(f"confidence must lie in [0, 1]: {self.confidence!r}")

    @classmethod
    def from_probabilities(
        cls,
        probabilities: Sequence[float],
        confidence: float,
        model_id: str,
        leeway: Leeway | None = None,
    ) -> EmotionEstimate:
        """Build an estimate from any sequence of four non-negative weights, normalising them."""
        total = float(sum(probabilities))
        if not (math.isfinite(total) and total > 0.0):
            raise ValueError(f"cannot normalise probabilities {list(probabilities)!r}")
        a, b, c, d = (float(p) / total for p in probabilities)
        return cls((a, b, c, d), min(max(float(confidence), 0.0), 1.0), model_id, leeway)

    @property
    def quadrant(self) -> Quadrant:
        """The most probable quadrant; the first one on a tie."""
        return QUADRANTS[self.probabilities.index(max(self.probabilities))]

    @property
    def mood(self) -> MoodPoint:
        """Valence and arousal, each in [-1, 1], from the probabilities."""
        hahv, halv, lahv, _ = self.probabilities

        def axis(p_high: float) -> float:
            return min(max(2.0 * p_high - 1.0, -1.0), 1.0)

        return MoodPoint(valence=axis(hahv + lahv), arousal=axis(hahv + halv))
