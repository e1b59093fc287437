"""When the player may ask; the clock is the test's."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.listening import Felt, Heard, Listening, StateWatch
from app.prompts import ANY_SONG_EVERY, HOUR_S, Moment, PromptPolicy, Refusal
from app.settings import Prompts, Settings
from inference.emotion import EmotionEstimate, Leeway, Quadrant
from library_db.answers import Answer, Occasion, ShownBy
from library_db.emotion_layers import TrackEmotion, UserLabel

NOON = 12
AGREED = Settings().changed("prompts", consent="given").prompts
UNSURE = EmotionEstimate((0.1, 0.2, 0.4, 0.3), 0.4, "common")
SURE = EmotionEstimate((0.05, 0.05, 0.85, 0.05), 0.9, "common")
SURE_SAD = EmotionEstimate((0.05, 0.05, 0.05, 0.85), 0.9, "personal-1")
WHOLE = Heard(180.0, 180.0, 180.0)


def end(track_id: int = 1, *, heard: Heard = WHOLE, **layers: object) -> Moment:
    return Moment(track_id, heard, TrackEmotion(**(layers or {"common": UNSURE})))


def refusal(
    song: Moment, settings: Prompts = AGREED, *, now_s: float = 0.0, hour: int = NOON
) -> Refusal | None:
    return PromptPolicy().decide(song, settings, now_s=now_s, hour=hour).refusal


def with_(**values: object) -> Prompts:
    return Settings().changed("prompts", consent="given", **values).prompts


def test_an_unsure_song_that_was_heard_is_asked_about() -> None:
    verdict = PromptPolicy().decide(end(), AGREED, now_s=0.0, hour=NOON)
    assert (verdict.shown, verdict.predicted, verdict.refusal) == (Quadrant.LAHV, UNSURE, None)
    assert not verdict.asks_consent


def test_the_first_question_is_for_consent() -> None:
    assert PromptPolicy().decide(end(), Prompts(), now_s=0.0, hour=NOON).asks_consent


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (with_(enabled=False), Refusal.OFF),
        (with_(at_most_per_hour=0), Refusal.OFF),
        (with_(do_not_disturb=True), Refusal.DO_NOT_DISTURB),
        (Settings().changed("prompts", consent="refused").prompts, Refusal.NO_CONSENT),
    ],
)
def test_the_listener_can_have_peace(settings: Prompts, expected: Refusal) -> None:
    assert refusal(end(), settings) is expected


@pytest.mark.parametrize(
    ("begin", "until", "quiet"),
    [(22, 8, {22, 23, 0, 7}), (13, 15, {13, 14}), (9, 9, set())],
)
def test_quiet_hours_may_pass_midnight(begin: int, until: int, quiet: set[int]) -> None:
    settings = with_(quiet_from=begin, quiet_until=until)
    hours = {h for h in range(24) if refusal(end(), settings, hour=h) is Refusal.QUIET_HOURS}
    assert quiet <= hours
    assert len(hours) == (until - begin) % 24


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (Heard(5.0, 180.0, 180.0), Refusal.NOT_HEARD),
        (Heard(60.0, 180.0, 180.0), Refusal.NOT_HEARD),
        (Heard(100.0, 180.0, 100.0), None),
        (Heard(25.0, None, 25.0), None),
    ],
)
def test_a_skipped_song_is_not_asked_about(heard: Heard, expected: Refusal | None) -> None:
    assert refusal(end(heard=heard)) is expected


def test_it_asks_where_the_answer_teaches_something() -> None:
    assert refusal(end(common=SURE)) is Refusal.NOT_INFORMATIVE
    assert refusal(end(common=SURE, personal=SURE_SAD)) is None
    verdict = PromptPolicy().decide(
        end(common=SURE, personal=SURE_SAD), AGREED, now_s=0.0, hour=NOON
    )
    assert (verdict.shown, verdict.predicted) == (Quadrant.LALV, SURE_SAD)


def test_now_and_then_it_asks_about_a_sure_song() -> None:
    policy = PromptPolicy()
    for number in range(ANY_SONG_EVERY - 1):
        policy.asked(number * HOUR_S)
    now_s = ANY_SONG_EVERY * HOUR_S
    assert policy.decide(end(common=SURE), AGREED, now_s=now_s, hour=NOON).refusal is None
    policy.asked(now_s)
    later = policy.decide(end(2, common=SURE), AGREED, now_s=now_s + HOUR_S, hour=NOON)
    assert later.refusal is Refusal.NOT_INFORMATIVE


def test_songs_without_a_mood_or_with_the_listeners_word_are_left_alone() -> None:
    assert refusal(Moment(1, WHOLE, TrackEmotion())) is Refusal.NO_MOOD
    corrected = end(common=UNSURE, user=UserLabel(Quadrant.LALV))
    assert refusal(corrected) is Refusal.SAID_ALREADY
    policy = PromptPolicy()
    policy.remember([Answer(1, "a", 0.0, 1.0, Quadrant.LAHV, UNSURE, Quadrant.LAHV)])
    later = policy.decide(end(1), AGREED, now_s=24 * HOUR_S, hour=NOON)
    assert later.refusal is Refusal.SAID_ALREADY
    assert policy.decide(end(2), AGREED, now_s=24 * HOUR_S, hour=NOON).refusal is None


def ask_all_day(policy: PromptPolicy, settings: Prompts, *, passed: bool) -> list[float]:
    """A song ends every four minutes for ten hours; the times of the questions."""
    asked = []
    for number in range(150):
        now_s = 240.0 * number
        if policy.decide(end(number), settings, now_s=now_s, hour=NOON).refusal is None:
            policy.asked(now_s)
            asked.append(now_s)
            if passed:
                policy.let_pass()
            else:
                policy.answered(number, now_s)
    return asked


def test_the_rate_is_kept_and_questions_keep_their_distance() -> None:
    asked = ask_all_day(PromptPolicy(), with_(at_most_per_hour=3), passed=False)
    assert 25 <= len(asked) <= 31
    assert all(sum(t <= other < t + HOUR_S for other in asked) <= 3 for t in asked)
    assert min(b - a for a, b in pairwise(asked)) >= 300.0


def test_who_does_not_answer_is_asked_less_and_less() -> None:
    asked = ask_all_day(PromptPolicy(), with_(at_most_per_hour=60), passed=True)
    gaps = [b - a for a, b in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert len(asked) < 12


def test_a_clock_set_back_does_not_silence_it() -> None:
    policy = PromptPolicy()
    policy.asked(1e9)
    assert policy.decide(end(), AGREED, now_s=10.0, hour=NOON).refusal is None


CALM_FELT = Felt(Quadrant.LAHV, UNSURE, ShownBy.FUSED, "2026-11-25")


def change(track_id: int = 1, *, heard: Heard = WHOLE, felt: Felt = CALM_FELT) -> Moment:
    return Moment(track_id, heard, TrackEmotion(common=SURE_SAD), felt, Occasion.CHANGE)


def test_a_change_of_the_shown_state_is_asked_about_with_the_bands_word() -> None:
    begun = change(heard=Heard(25.0, 180.0, 25.0))
    verdict = PromptPolicy().decide(begun, AGREED, now_s=0.0, hour=NOON)
    assert (verdict.shown, verdict.predicted) == (Quadrant.LAHV, UNSURE)
    assert verdict.shown_by is ShownBy.FUSED
    assert refusal(change(heard=Heard(5.0, 180.0, 5.0))) is Refusal.NOT_HEARD
    assert refusal(begun, with_(do_not_disturb=True)) is Refusal.DO_NOT_DISTURB
    assert refusal(begun, hour=23) is Refusal.QUIET_HOURS


def test_song_and_sensors_that_disagree_are_worth_a_question() -> None:
    sure = Felt(Quadrant.LAHV, SURE)
    assert refusal(change(felt=sure)) is None
    agreed = Moment(1, WHOLE, TrackEmotion(common=SURE), sure, Occasion.CHANGE)
    assert refusal(agreed) is Refusal.NOT_INFORMATIVE


def test_a_felt_state_may_be_asked_about_again_at_another_hearing() -> None:
    policy = PromptPolicy()
    policy.remember([Answer(1, "a", 0.0, 1.0, Quadrant.LAHV, UNSURE, Quadrant.LAHV)])
    soon = policy.decide(change(), AGREED, now_s=200.0, hour=NOON)
    assert soon.refusal is Refusal.SAID_ALREADY
    assert policy.decide(change(), AGREED, now_s=HOUR_S, hour=NOON).refusal is None


def test_more_than_one_possible_mood_is_worth_a_question() -> None:
    for mass, expected in ((0.7, None), (0.5, Refusal.NOT_INFORMATIVE)):
        torn = EmotionEstimate((0.02, 0.02, 0.6, 0.36), 0.9, "common", Leeway(set_mass=mass))
        assert refusal(end(common=torn)) is expected


def test_only_a_state_that_stays_is_a_change() -> None:
    watch = StateWatch(hold_s=8.0)
    seen = [watch.see(Quadrant.LAHV, float(t)) for t in range(20)]
    assert seen == [None] * 20, "the first state is no change"
    for t in range(20, 40):  # flickers
        assert watch.see(Quadrant.HAHV if t % 4 else Quadrant.LAHV, float(t)) is None
    assert watch.see(Quadrant.LAHV, 40.0) is None
    new = [watch.see(Quadrant.HALV, 41.0 + t) for t in range(12)]
    assert [t for t, one in enumerate(new) if one is not None] == [8]
    assert [watch.see(None, 60.0), watch.see(Quadrant.HALV, 61.0)] == [None, None]


def test_what_was_felt_for_most_of_a_song() -> None:
    listening = Listening(1)
    assert listening.mostly_felt is None
    for felt in (CALM_FELT, Felt(Quadrant.HAHV, SURE), None, CALM_FELT, None):
        listening.feel(felt)
    assert listening.mostly_felt is Quadrant.LAHV
    assert listening.felt is None
