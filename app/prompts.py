"""When may we ask how a song felt? A policy that people can live with, without a clock of its own.

A question comes at the end of a song that was really heard, or when the state
that a band shows has changed; seldom, never in quiet hours, and where the
answer teaches something: the models (or the song and the sensors) disagree, the
confidence is low, or more than one mood is plausible. Every fifth question is on
any song, so that the answers are no picture of the doubtful songs alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from app.listening import Felt, Heard
from app.settings import Prompts
from inference.emotion import EmotionEstimate, Quadrant
from inference.uncertainty import uncertainty
from library_db.answers import Occasion, ShownBy

if TYPE_CHECKING:
    from library_db.answers import Answer
    from library_db.emotion_layers import TrackEmotion

__all__ = ["Consent", "Moment", "PromptPolicy", "Refusal", "Verdict"]

HOUR_S = 3600.0
LEAST_GAP_S = 300.0
"""Between two questions, whatever the rate."""

LONGEST_GAP_S = 2 * HOUR_S
"""Each question that is let pass doubles the gap, up to this."""

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
class Moment:
    """The occasion of a question.

    Parameters
    ----------
    track_id : int
    heard : Heard
    emotion : TrackEmotion
        The song's.
    felt : Felt, optional
        What a band shows.
    occasion : Occasion
    """

    track_id: int
    heard: Heard
    emotion: TrackEmotion
    felt: Felt | None = None
    occasion: Occasion = Occasion.SONG_END

    @property
    def predicted(self) -> EmotionEstimate | None:
        """What would be shown: the band's word where there is one, else the song's."""
        return self.felt.estimate if self.felt is not None else self.emotion.estimate


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
    shown_by : ShownBy
        Whose word `shown` is.
    """

    shown: Quadrant | None = None
    predicted: EmotionEstimate | None = None
    refusal: Refusal | None = None
    asks_consent: bool = False
    shown_by: ShownBy = ShownBy.MUSIC


@dataclass
class PromptPolicy:
    """Decides, and remembers what was asked; times are seconds since the epoch.

    Examples
    --------
    >>> policy = PromptPolicy()
    >>> verdict = policy.decide(moment, Prompts(), now_s=0.0, hour=12)  # doctest: +SKIP
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

    def decide(self, moment: Moment, settings: Prompts, *, now_s: float, hour: int) -> Verdict:
        """Whether to ask now, and what.

        Parameters
        ----------
        hour : int
            Of the listener's clock, 0..23.
        """
        refusal = self._refusal(moment, settings, now_s, hour)
        predicted = moment.predicted
        if refusal is not None or predicted is None:
            return Verdict(refusal=refusal or Refusal.NO_MOOD)
        felt = moment.felt
        return Verdict(
            felt.shown if felt is not None else predicted.quadrant,
            predicted,
            asks_consent=settings.consent == Consent.UNASKED.value,
            shown_by=felt.shown_by if felt is not None else ShownBy.MUSIC,
        )

    def asked(self, now_s: float) -> None:
        """A question, or the request for consent, is on the screen."""
        self._asked.append(now_s)
        self._count += 1

    def answered(self, track_id: int, now_s: float) -> None:
        """The listener answered on a song."""
        self._answered[track_id] = now_s
        self._passed = 0

    def forget(self) -> None:
        """The answers were deleted: so is what was remembered of them here."""
        self._answered.clear()
        self._asked.clear()

    def let_pass(self) -> None:
        """The listener said "not now", or let the question time out."""
        self._passed += 1

    def _refusal(
        self, moment: Moment, settings: Prompts, now_s: float, hour: int
    ) -> Refusal | None:
        if not settings.enabled or settings.at_most_per_hour == 0:
            return Refusal.OFF
        if settings.consent == Consent.REFUSED.value:
            return Refusal.NO_CONSENT
        if settings.do_not_disturb:
            return Refusal.DO_NOT_DISTURB
        if _is_quiet(settings, hour):
            return Refusal.QUIET_HOURS
        changed = moment.occasion is Occasion.CHANGE
        if not (moment.heard.begun if changed else moment.heard.enough):
            return Refusal.NOT_HEARD
        if moment.predicted is None:
            return Refusal.NO_MOOD
        if self._said(moment, now_s):
            return Refusal.SAID_ALREADY
        gap_s = min(LEAST_GAP_S * 2.0**self._passed, LONGEST_GAP_S)
        # A clock that was set back must not silence us for years.
        since_s = [now_s - at_s for at_s in self._asked if now_s >= at_s]
        if since_s and min(since_s) < gap_s:
            return Refusal.TOO_SOON
        if sum(s < HOUR_S for s in since_s) >= settings.at_most_per_hour:
            return Refusal.ENOUGH
        any_song = self._count % ANY_SONG_EVERY == ANY_SONG_EVERY - 1
        if not any_song and not self._is_informative(moment, settings):
            return Refusal.NOT_INFORMATIVE
        return None

    def _said(self, moment: Moment, now_s: float) -> bool:
        """Whether the listener has answered this: on the song, or on the present hearing of it.

        A state that a band shows is a new question at each hearing: it may be another one.
        """
        said_s = self._answered.get(moment.track_id)
        if moment.felt is not None:
            return said_s is not None and now_s - said_s < max(moment.heard.heard_s, LEAST_GAP_S)
        if moment.emotion.user is not None:
            return True
        return said_s is not None and now_s - said_s < ASK_AGAIN_S

    def _is_informative(self, moment: Moment, settings: Prompts) -> bool:
        emotion, predicted, felt = moment.emotion, moment.predicted, moment.felt
        common, personal = emotion.common, emotion.personal
        if common is not None and personal is not None and common.quadrant is not personal.quadrant:
            return True
        if felt is not None and emotion.quadrant not in (None, felt.shown):
            return True
        if predicted is None:
            return False
        if len(uncertainty(predicted).possible) > 1:
            return True
        return predicted.confidence < settings.unsure_below


def _is_quiet(settings: Prompts, hour: int) -> bool:
    begin, end = settings.quiet_from, settings.quiet_until
    if begin <= end:
        return begin <= hour < end
    return hour >= begin or hour < end
