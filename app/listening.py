"""How a song was listened to, and what the listener felt meanwhile: pure, without a clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from inference.emotion import EmotionEstimate, Quadrant
from library_db.answers import ShownBy

__all__ = ["Felt", "Heard", "Listening", "StateWatch"]

LEAST_HEARD_S = 20.0
LEAST_SHARE = 0.5
"""Of the song; one that was skipped says nothing of how it feels."""

HOLD_S = 8.0
"""A state that the sensors show counts as a new one when it has stayed so long."""

_LONGEST_STEP_S = 3.0  # between two positions that belong to uninterrupted listening


@dataclass(frozen=True, slots=True)
class Heard:
    """How a song was listened to.

    Parameters
    ----------
    heard_s : float
        Time that it sounded, skipped parts left out.
    duration_s : float or None
    position_s : float
        Where it was left.
    """

    heard_s: float
    duration_s: float | None
    position_s: float

    @property
    def begun(self) -> bool:
        """Whether it sounded long enough to have been felt."""
        return self.heard_s >= LEAST_HEARD_S

    @property
    def enough(self) -> bool:
        """Whether that was the song, and not a part of it."""
        if not self.begun:
            return False
        return not self.duration_s or self.heard_s >= LEAST_SHARE * self.duration_s


@dataclass(frozen=True, slots=True)
class Felt:
    """What a band shows at a moment.

    Parameters
    ----------
    shown : Quadrant
        Steady, as the session shows it.
    estimate : EmotionEstimate
        Behind it.
    shown_by : ShownBy
        The sensors alone, or the song's estimate updated by them.
    session : str
        Name of the recording that runs; empty: none does.
    """

    shown: Quadrant
    estimate: EmotionEstimate
    shown_by: ShownBy = ShownBy.SENSORS
    session: str = ""


@dataclass
class Listening:
    """The song that plays, and how much of it has sounded.

    Parameters
    ----------
    track_id : int
    began_s : float
        Seconds since the epoch.
    """

    track_id: int
    began_s: float = 0.0
    heard_s: float = 0.0
    position_s: float = 0.0
    duration_s: float = 0.0
    felt: Felt | None = None
    """The last one that was shown."""
    _felt: Counter[Quadrant] = field(default_factory=Counter)

    def move(self, position_s: float, duration_s: float) -> None:
        """The player is at `position_s`; only steps of playing on count as heard."""
        step_s = position_s - self.position_s
        if 0.0 < step_s <= _LONGEST_STEP_S:
            self.heard_s += step_s
        self.position_s = position_s
        self.duration_s = duration_s or self.duration_s

    def feel(self, felt: Felt | None) -> None:
        """The band shows this now; None: nothing that is clear."""
        self.felt = felt
        if felt is not None:
            self._felt[felt.shown] += 1

    @property
    def heard(self) -> Heard:
        return Heard(self.heard_s, self.duration_s or None, self.position_s)

    @property
    def mostly_felt(self) -> Quadrant | None:
        """What was shown most of the time; None without a band."""
        return max(self._felt, key=lambda q: (self._felt[q], -q.position)) if self._felt else None


@dataclass
class StateWatch:
    """Says when the state that is shown has become another one, and stayed so."""

    hold_s: float = HOLD_S
    _settled: Quadrant | None = None
    _rival: Quadrant | None = None
    _since_s: float = 0.0

    def see(self, shown: Quadrant | None, now_s: float) -> Quadrant | None:
        """Take what is shown at `now_s`.

        Returns
        -------
        Quadrant or None
            The new state, once, when it has stayed for `hold_s`; the first state of all is no
            change, and a pause in which nothing is shown makes none.
        """
        if shown is None or shown is self._settled:
            self._rival = None
            return None
        if shown is not self._rival or now_s < self._since_s:
            self._rival, self._since_s = shown, now_s
        if now_s - self._since_s < self.hold_s:
            return None
        former, self._settled, self._rival = self._settled, shown, None
        return None if former is None else shown
