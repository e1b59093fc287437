"""The live session as a state machine: chunks and a clock in, estimates and reasons out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.session import Abstention, Sensed, Session, SessionConfig
from app.wristband.source import Annotation, AnnotationKind, HeartRate
from inference.emotion import EmotionEstimate, Quadrant
from inference.physio.signals import Channel, SignalChunk
from inference.physio.simulate import SimulatedListener

FS = 128
CHUNK = 8
HAPPY = (0.7, 0.1, 0.1, 0.1)
SAD = (0.1, 0.1, 0.1, 0.7)


class FakeRater:
    """Says what it is told to, and remembers what it was shown."""

    model_id = "fake"

    def __init__(self, *signals: Iterable[Channel], weight: float = 0.5) -> None:
        self.song_weight = weight
        self.says = HAPPY
        self.shown: list[Mapping[Channel, np.ndarray]] = []
        self._signals = {frozenset(s) for s in signals} or {frozenset(Channel)}

    def reads(self, channels: Iterable[Channel]) -> bool:
        return frozenset(channels) in self._signals

    def classify(self, segments: Mapping[Channel, np.ndarray]) -> EmotionEstimate:
        self.shown.append(segments)
        return EmotionEstimate.from_probabilities(self.says, max(self.says), self.model_id)


class Player:
    """Plays a simulated listener into a session, and estimates whenever one is due."""

    def __init__(self, session: Session, t0_s: float = 100.0) -> None:
        self.session = session
        self.t0_s = t0_s
        self.made = 0
        self.lost = 0
        self._listener = SimulatedListener("demo", 0)
        self._listener.song(Quadrant.HAHV, 0)

    def chunks(self, n: int = CHUNK) -> Iterator[SignalChunk]:
        gsr, ppg = self._listener.next(n)
        t0_s = self.t0_s + self.made / FS
        for channel, x in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
            if channel in self.session.channels:
                yield SignalChunk(channel, t0_s, float(FS), x, channel.unit, self.lost)
        self.made += n
        self.lost = 0

    def lose(self, samples: int) -> None:
        self._listener.next(samples)
        self.made += samples
        self.lost += samples

    def play(self, seconds: float, *, change=lambda c: c, late_s: float = 0.0) -> list[Sensed]:
        said = []
        for _ in range(round(seconds * FS / CHUNK)):
            for chunk in self.chunks():
                now_s = chunk.t0_s + chunk.duration_s
                if self.session.take(change(chunk), now_s):
                    sensed = self.session.estimate(now_s + late_s)
                    if sensed is not None:
                        said.append(sensed)
        return said


def session(rater: FakeRater | None = None, channels=Channel, **options) -> Session:
    return Session(channels, rater or FakeRater(), **options)


def test_an_estimate_every_hop_once_there_are_ten_seconds():
    said = Player(session()).play(20.0)
    times = np.array([s.t_s for s in said])
    assert np.abs(np.diff(times) - 0.35).max() < 0.01
    first = next(s for s in said if s.quadrant is not None)
    assert 10.0 <= first.t_s < 10.4
    before = [s for s in said if s.t_s < first.t_s]
    assert {s.reason for s in before} == {Abstention.COLLECTING}
    assert all(s.quadrant is Quadrant.HAHV and s.reason is None for s in said[len(before) :])
    assert said[-1].dropped == 0


def test_the_network_sees_16_segments_of_both_signals():
    rater = FakeRater()
    Player(session(rater)).play(15.0)
    assert rater.shown[-1][Channel.GSR].shape == (16, 33, 64)
    assert rater.shown[-1][Channel.PPG].shape == (16, 32, 64)


def test_quality_and_heart_rate_are_told():
    last = Player(session()).play(15.0)[-1]
    assert set(last.quality) == set(Channel)
    assert 0.5 < last.score <= 1.0
    assert last.heart_rate_bpm is not None
    assert 40 < last.heart_rate_bpm < 150


def test_what_nobody_asks_for_is_dropped_and_counted():
    one = session()
    player = Player(one)
    player.play(12.0)
    for _ in range(round(2.1 * FS / CHUNK)):
        for chunk in player.chunks():
            one.take(chunk, chunk.t0_s + chunk.duration_s)
    now_s = player.t0_s + player.made / FS
    sensed = one.estimate(now_s)
    assert sensed is not None
    assert sensed.t_s == pytest.approx(player.made / FS, abs=0.36)
    assert sensed.dropped == one.dropped == 5
    assert one.estimate(now_s) is None


def test_an_estimate_that_comes_too_late_is_dropped():
    one = session()
    player = Player(one)
    player.play(12.0)
    assert player.play(1.0, late_s=0.5) == []
    assert one.dropped in (2, 3)
    assert player.play(1.0) != []


def test_chunks_that_are_held_up_make_estimates_late():
    """The clock says so: what should have been heard half a second ago is no news."""
    one = session()
    player = Player(one)
    player.play(12.0)
    dropped = 0
    for _ in range(16):
        for chunk in player.chunks():
            now_s = chunk.t0_s + chunk.duration_s + 0.6
            if one.take(chunk, now_s):
                dropped += one.estimate(now_s) is None
    assert dropped >= 2
    assert one.dropped == dropped


def test_at_endless_speed_nothing_is_late():
    one = session(speed=math.inf)
    player = Player(one)
    said = 0
    for _ in range(round(12 * FS / CHUNK)):
        for chunk in player.chunks():
            if one.take(chunk, 0.0):
                said += one.estimate(0.0) is not None
    assert said == 33
    assert one.dropped == 0


@pytest.mark.parametrize(
    ("channel", "value", "word"),
    [(Channel.GSR, 0.001, "contact"), (Channel.PPG, 7.0, "does not move")],
)
def test_bad_signals_make_it_abstain_with_the_reason(channel, value, word):
    rater = FakeRater()
    player = Player(session(rater))
    assert player.play(12.0)[-1].quadrant is not None

    def spoil(chunk: SignalChunk) -> SignalChunk:
        if chunk.channel is not channel:
            return chunk
        return replace(chunk, samples=np.full(len(chunk.samples), value, np.float32))

    last = player.play(12.0, change=spoil)[-1]
    assert last.quadrant is None
    assert last.reason is Abstention.QUALITY
    assert channel.value.upper() in last.text
    assert word in last.text
    assert last.score == 0.0
    good = player.play(15.0)[-1]
    assert good.quadrant is not None


def test_the_good_signal_speaks_alone_where_a_network_reads_it():
    rater = FakeRater(Channel, {Channel.PPG})
    player = Player(session(rater))

    def spoil(chunk: SignalChunk) -> SignalChunk:
        if chunk.channel is not Channel.GSR:
            return chunk
        return replace(chunk, samples=np.full(len(chunk.samples), 0.001, np.float32))

    last = player.play(14.0, change=spoil)[-1]
    assert last.quadrant is Quadrant.HAHV
    assert last.signals == {Channel.PPG}
    assert "PPG alone" in last.text
    assert set(rater.shown[-1]) == {Channel.PPG}


@pytest.mark.parametrize("silent", Channel)
@pytest.mark.parametrize("alone", [True, False])
def test_where_one_signal_stops_the_other_goes_on_or_it_says_why_not(silent, alone):
    other = next(c for c in Channel if c is not silent)
    rater = FakeRater(Channel, *([{other}] if alone else []))
    one = session(rater)
    player = Player(one)
    assert player.play(12.0)[-1].signals == set(Channel)

    said: list[Sensed] = []
    for _ in range(10 * FS // CHUNK):
        for chunk in player.chunks():
            now_s = chunk.t0_s + chunk.duration_s
            if chunk.channel is not silent and one.take(chunk, now_s):
                said += [s for s in (one.estimate(now_s),) if s is not None]
    last = said[-1]
    assert f"{silent.value.upper()}: no signal" in last.text
    assert last.signals == ({other} if alone else set())
    assert (last.quadrant is Quadrant.HAHV) == alone
    assert (last.reason is None) == alone
    assert last.t_s == pytest.approx(22.0, abs=0.4)
    again = player.play(12.0)
    assert again[0].reason is Abstention.COLLECTING
    assert again[-1].signals == set(Channel)


@pytest.mark.parametrize("channel", Channel)
def test_a_source_of_one_signal(channel):
    alone = Player(session(FakeRater({channel}), {channel})).play(13.0)[-1]
    assert alone.quadrant is Quadrant.HAHV
    assert alone.text == f"{channel.value.upper()} alone"
    none = Player(session(FakeRater(), {channel})).play(13.0)[-1]
    assert none.reason is Abstention.NO_MODEL
    assert channel.value.upper() in none.text


def test_without_the_model_quality_and_rate_are_still_told():
    one = Session(Channel, None)
    last = Player(one).play(13.0)[-1]
    assert last.reason is Abstention.NO_MODEL
    assert last.score > 0.5
    assert last.heart_rate_bpm is not None


def test_a_heart_rate_strap_tells_no_emotion():
    one = session(channels=())
    assert one.take(HeartRate(3.0, 71), 3.0)
    sensed = one.estimate(3.0)
    assert sensed is not None
    assert sensed.reason is Abstention.NO_MODEL
    assert sensed.heart_rate_bpm == 71.0


def test_short_losses_are_counted_and_lived_with():
    player = Player(session())
    player.play(12.0)
    player.lose(16)
    said = player.play(1.0)
    assert all(s.quadrant is not None for s in said)
    assert said[-1].lost == 16


def test_a_long_gap_begins_anew():
    player = Player(session())
    player.play(12.0)
    player.lose(3 * FS)
    said = player.play(11.0)
    assert said[0].reason is Abstention.COLLECTING
    assert said[0].lost == 3 * FS
    assert said[-1].quadrant is not None
    assert said[-1].t_s == pytest.approx(26.0, abs=0.4)


def test_the_next_listening_begins_anew():
    one = session()
    player = Player(one)
    player.play(12.0)
    one.take(Annotation(112.0, AnnotationKind.GAP, text="the next listening begins"), 112.0)
    assert player.play(1.0)[-1].reason is Abstention.COLLECTING


def test_silence_is_told_once_a_hop_and_ends_with_the_next_chunk():
    one = session()
    player = Player(one)
    player.play(12.0)
    end_s = player.t0_s + player.made / FS
    assert one.tick(end_s + 1.9) is None
    silent = one.tick(end_s + 2.1)
    assert silent is not None
    assert silent.reason is Abstention.NO_SIGNAL
    assert one.tick(end_s + 2.2) is None
    assert one.tick(end_s + 2.5) is not None
    player.t0_s += 2.5
    player.play(0.1)
    assert one.tick(end_s + 2.7) is None


def test_equal_quadrants_are_undecided():
    rater = FakeRater()
    rater.says = (0.3, 0.3, 0.2, 0.2)
    last = Player(session(rater)).play(12.0)[-1]
    assert last.quadrant is None
    assert last.reason is Abstention.UNDECIDED
    assert last.estimate is not None


def test_what_is_shown_does_not_flicker():
    rater = FakeRater()
    player = Player(session(rater))
    said = player.play(15.0)
    shown = [s.shown for s in said if s.quadrant is not None]
    assert shown[0] is None
    assert shown[-1] is Quadrant.HAHV
    for _ in range(6):
        rater.says = SAD if rater.says == HAPPY else HAPPY
        assert {s.shown for s in player.play(1.05)} == {Quadrant.HAHV}
    rater.says = SAD
    assert player.play(3.0)[-1].shown is Quadrant.LALV


def test_unclear_estimates_are_given_but_not_shown():
    rater = FakeRater()
    rater.says = (0.28, 0.24, 0.24, 0.24)
    last = Player(session(rater)).play(15.0)[-1]
    assert last.quadrant is Quadrant.HAHV
    assert last.shown is None


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.0, Quadrant.LALV), (0.2, Quadrant.LALV), (3.0, Quadrant.HAHV)]
)
def test_the_song_is_the_prior_and_the_sensors_count_by_their_weight(weight, expected):
    prior = EmotionEstimate.from_probabilities(SAD, 0.66, "song")
    last = Player(session(FakeRater(weight=weight), prior=prior)).play(12.0)[-1]
    assert last.quadrant is expected
    assert last.estimate is not None
    if weight == 0.0:
        assert last.estimate.probabilities == pytest.approx(SAD)
        assert last.estimate.confidence == 0.66


def test_a_foreign_rate_in_the_middle_does_not_break_it():
    one = session(config=SessionConfig(enough_s=2.0))
    player = Player(one)
    player.play(3.0)
    wave = np.sin(np.arange(160)).astype(np.float32)
    one.take(SignalChunk(Channel.PPG, 103.0, 32.0, wave, "a.u."), 108.0)
    assert player.play(4.0)[-1] is not None
