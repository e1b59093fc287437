"""When may we ask how a song felt? A policy that people can live with, without a clock of its own.

A question comes at the end of a song that was really heard, seldom, never in
quiet hours, and where the answer teaches something: the model is unsure, or
the common and the personal model disagree. Every fifth question is on any song,
so that the answers are no picture of the doubtful songs alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from app.settings import Prompts
from inference.emotion import EmotionEstimate, Quadrant

if TYPE_CHECKING:
    from library_db.answers import Answer
    from library_db.emotion_layers import TrackEmotion

__all__ = ["Consent", "Heard", "PromptPolicy", "Refusal", "SongEnd", "Verdict"]

HOUR_S = 3600.0
LEAST_GAP_S = 300.0
"""Between two questions, whatever the rate."""

LONGEST_GAP_S = 2 * HOUR_S
"""Each question that is let pass doubles the gap, up to this."""

LEAST_HEARD_S = 20.0
LEAST_SHARE = 0.5
"""Of the song; one that was skipped says nothing of how it feels."""

ANY_SONG_EVERY = 5
ASK_AGAIN_S = 30 * 24 * HOUR_S


class Consent(str, Enum):
    """What the listener has said to being asked at all (setting `prompts.consent`)."""

    UNASKED = "unasked"
    GIVEN = "given"
    REFUSED = "refused"


class Refusal(str, Enum):
    """Why nothing is asked."""

    OFF = "questions are switched off"
    NO_CONSENT = "the listener does not want to be asked"
    DO_NOT_DISTURB = "do not disturb"
    QUIET_HOURS = "quiet hours"
    NOT_HEARD = "too little of the song was heard"
    NO_MOOD = "the song has no mood yet"
    SAID_ALREADY = "the listener has said how this song feels"
    TOO_SOON = "the last question is too recent"
    ENOUGH = "enough questions for this hour"
    NOT_INFORMATIVE = "the mood is fairly sure"


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
    def enough(self) -> bool:
        if self.heard_s < LEAST_HEARD_S:
            return False
        return not self.duration_s or self.heard_s >= LEAST_SHARE * self.duration_s


@dataclass(frozen=True, slots=True)
class SongEnd:
    """The occasion of a question.

    Parameters
    ----------
    track_id : int
    heard : Heard
    emotion : TrackEmotion
    """

    track_id: int
    heard: Heard
    emotion: TrackEmotion


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says: the quadrant to ask for, or why nothing is asked.

    Parameters
    ----------
    shown : Quadrant or None
    predicted : EmotionEstimate or None
        The estimate behind `shown`.
    refusal : Refusal or None
    asks_consent : bool
        The listener is to be asked first whether they want to be asked.
    """

    shown: Quadrant | None = None
    predicted: EmotionEstimate | None = None
    refusal: Refusal | None = None
    asks_consent: bool = False


@dataclass
class PromptPolicy:
    """Decides, and remembers what was asked; times are seconds since the epoch.

    Examples
    --------
    >>> policy = PromptPolicy()
    >>> verdict = policy.decide(end, Prompts(), now_s=0.0, hour=12)  # doctest: +SKIP
    """

    _asked: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    _answered: dict[int, float] = field(default_factory=dict)
    _passed: int = 0
    _count: int = 0

    def remember(self, answers: list[Answer]) -> None:
        """Take over what was answered in earlier sessions."""
        for answer in sorted(answers, key=lambda answer: answer.at_s):
            self._asked.append(answer.at_s)
            self._answered[answer.track_id] = answer.at_s

    def decide(self, end: SongEnd, settings: Prompts, *, now_s: float, hour: int) -> Verdict:
        """Whether to ask now, and what.

        Parameters
        ----------
        hour : int
            Of the listener's clock, 0..23.
        """
        refusal = self._refusal(end, settings, now_s, hour)
        if refusal is not None:
            return Verdict(refusal=refusal)
        predicted = end.emotion.estimate
        assert predicted is not None
        return Verdict(
            predicted.quadrant,
            predicted,
            asks_consent=settings.consent == Consent.UNASKED.value,
        )

    def asked(self, now_s: float) -> None:
        """A question, or the request for consent, is on the screen."""
        self._asked.append(now_s)
        self._count += 1

    def answered(self, track_id: int, now_s: float) -> None:
        """The listener answered on a song."""
        self._answered[track_id] = now_s
        self._passed = 0

    def let_pass(self) -> None:
        """The listener said "not now", or let the question time out."""
        self._passed += 1

    def _refusal(self, end: SongEnd, settings: Prompts, now_s: float, hour: int) -> Refusal | None:
        emotion = end.emotion
        said_s = self._answered.get(end.track_id)
        if not settings.enabled or settings.at_most_per_hour == 0:
            return Refusal.OFF
        if settings.consent == Consent.REFUSED.value:
            return Refusal.NO_CONSENT
        if settings.do_not_disturb:
            return Refusal.DO_NOT_DISTURB
        if _is_quiet(settings, hour):
            return Refusal.QUIET_HOURS
        if not end.heard.enough:
            return Refusal.NOT_HEARD
        if emotion.estimate is None:
            return Refusal.NO_MOOD
        if emotion.user is not None or (said_s is not None and now_s - said_s < ASK_AGAIN_S):
            return Refusal.SAID_ALREADY
        gap_s = min(LEAST_GAP_S * 2.0**self._passed, LONGEST_GAP_S)
        # A clock that was set back must not silence us for years.
        since_s = [now_s - at_s for at_s in self._asked if now_s >= at_s]
        if since_s and min(since_s) < gap_s:
            return Refusal.TOO_SOON
        if sum(s < HOUR_S for s in since_s) >= settings.at_most_per_hour:
            return Refusal.ENOUGH
        any_song = self._count % ANY_SONG_EVERY == ANY_SONG_EVERY - 1
        if not any_song and not _is_informative(emotion, settings):
            return Refusal.NOT_INFORMATIVE
        return None


def _is_informative(emotion: TrackEmotion, settings: Prompts) -> bool:
    common, personal = emotion.common, emotion.personal
    if common is not None and personal is not None and common.quadrant is not personal.quadrant:
        return True
    estimate = emotion.estimate
    return estimate is not None and estimate.confidence < settings.unsure_below


def _is_quiet(settings: Prompts, hour: int) -> bool:
    begin, end = settings.quiet_from, settings.quiet_until
    if begin <= end:
        return begin <= hour < end
    return hour >= begin or hour < end
