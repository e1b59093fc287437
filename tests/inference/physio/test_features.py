"""Heart rate, variability, responses and quality against what a simulated listener does."""

from __future__ import annotations

import numpy as np
import pytest

from inference.emotion import QUADRANTS
from inference.physio.features import conductance_responses, find_beats, variability
from inference.physio.quality import Issue, judge
from inference.physio.signals import FS_HZ, Channel, SignalError
from inference.physio.simulate import SimulatedListener

T_S = np.arange(0, 60, 1 / FS_HZ)


def listen(seed: int, seconds: int = 60) -> tuple[np.ndarray, np.ndarray, float]:
    """GSR, PPG and the true beats a minute of a listener, after 20 s to settle."""
    listener = SimulatedListener("real", seed)
    listener.song(QUADRANTS[seed % 4], seed)
    listener.next(round(20 * FS_HZ))
    phase = listener._phase
    gsr, ppg = listener.next(round(seconds * FS_HZ))
    return gsr, ppg, 60.0 * (listener._phase - phase) / seconds


def pulse(bpm: float, seconds: float = 60.0) -> np.ndarray:
    t = np.arange(0, seconds, 1 / FS_HZ)
    return np.exp(-((((t * bpm / 60) % 1.0) - 0.3) ** 2) / 0.01)


def conductance(
    onsets_s: list[float], heights_us: list[float], level_us: float = 2.0
) -> np.ndarray:
    gsr = level_us + 0.02 * np.sin(2 * np.pi * T_S / 90)
    for onset, height in zip(onsets_s, heights_us, strict=True):
        since = np.maximum(T_S - onset, 0.0)
        shape = np.exp(-since / 3.0) - np.exp(-since / 0.4)
        gsr += height * shape / shape.max()
    return np.round(gsr / 0.00128) * 0.00128


@pytest.mark.parametrize("seed", range(8))
def test_the_heart_rate_is_within_2_bpm_of_the_listeners(seed):
    _, ppg, truth = listen(seed)
    found = find_beats(ppg, FS_HZ).rate_bpm
    assert found is not None
    assert abs(found - truth) <= 2.0


@pytest.mark.parametrize("bpm", [42.0, 72.0, 118.0, 150.0])
def test_a_steady_pulse_has_its_rate_and_no_variability(bpm):
    beats = find_beats(pulse(bpm), FS_HZ)
    assert beats.rate_bpm == pytest.approx(bpm, abs=0.3)
    assert beats.similarity > 0.95
    found = variability(beats)
    assert found is not None
    assert found.rmssd_ms < 4.0
    assert found.pnn50 == 0.0


def test_rmssd_of_a_swinging_pulse():
    beat_s, swing_s, f_hz = 0.8, 0.05, 0.25
    phase = np.cumsum(1 / (beat_s + swing_s * np.sin(2 * np.pi * f_hz * T_S)) / FS_HZ)
    ppg = np.exp(-(((phase % 1.0) - 0.3) ** 2) / 0.01)
    found = variability(find_beats(ppg, FS_HZ))
    assert found is not None
    assert found.rmssd_ms == pytest.approx(
        1000 * np.sqrt(2) * swing_s * np.sin(np.pi * f_hz * beat_s), rel=0.15
    )


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_responses_are_counted_within_one(count):
    rng = np.random.default_rng(count)
    onsets = [3.0 + 6.0 * i + rng.uniform(0, 2) for i in range(count)]
    heights = [float(h) for h in rng.uniform(0.05, 0.5, count)]
    found = conductance_responses(conductance(onsets, heights), FS_HZ)
    assert abs(len(found) - count) <= 1
    assert all(0.0 < at < 60.0 and amplitude > 0.01 for at, amplitude in found)


def test_overlapping_responses_are_told_apart_and_measured():
    found = conductance_responses(conductance([20.0, 22.5], [0.4, 0.3]), FS_HZ)
    assert [round(at) for at, _ in found] == [20, 23]
    assert found[0][1] == pytest.approx(0.4, rel=0.3)


def test_the_listeners_responses_are_counted_within_one():
    within = 0
    for seed in (0, 1, 2, 5, 6, 7, 9, 11):
        listener = SimulatedListener("real", seed)
        listener.song(QUADRANTS[0], seed)
        gsr, true = [], {}
        for _ in range(60):
            gsr.append(listener.next(128)[0])
            level = float(np.median(gsr[-1]))
            for onset, rise, decay, height in listener._responses:
                t = np.linspace(0, 8, 400)
                top = float((np.exp(-t / decay) - np.exp(-t / (rise / 2))).max())
                true.setdefault(onset, height * top * level)
        least = max(0.01, 0.01 * float(np.median(np.concatenate(gsr))))
        clear = sum(a >= least for onset, a in true.items() if onset < 58.0)
        within += abs(len(conductance_responses(np.concatenate(gsr), FS_HZ)) - clear) <= 1
    assert within >= 7


def test_too_little_signal_is_refused():
    with pytest.raises(SignalError):
        find_beats(np.zeros(100), FS_HZ)
    with pytest.raises(SignalError):
        conductance_responses(np.zeros(100), FS_HZ)
    with pytest.raises(SignalError):
        judge(Channel.GSR, np.zeros(50, np.float32))


# -- quality -----------------------------------------------------------------

RECENT = round(10 * FS_HZ)


def issues(channel: Channel, samples: np.ndarray, **options: float) -> tuple[Issue, ...]:
    return judge(channel, samples.astype(np.float32), **options).issues


def test_a_resting_listener_is_good_on_both_channels():
    gsr, ppg, _ = listen(0)
    for channel, samples in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
        found = judge(channel, samples[-RECENT:])
        assert found.usable
        assert found.score > 0.6


def test_an_electrode_in_the_air_has_no_contact():
    assert issues(Channel.GSR, np.full(RECENT, 0.003)) == (Issue.NO_CONTACT,)


@pytest.mark.parametrize("channel", Channel)
def test_a_line_is_flat(channel):
    assert issues(channel, np.full(RECENT, 1.5)) == (Issue.FLAT,)


def test_a_cut_pulse_is_clipping_and_one_at_its_end_has_no_contact():
    wave = np.sin(2 * np.pi * 1.2 * T_S[:RECENT])
    assert issues(Channel.PPG, np.clip(wave, -1, 0.7)) == (Issue.CLIPPING,)
    assert issues(Channel.PPG, np.where(T_S[:RECENT] < 9.5, 1.0, wave)) == (Issue.NO_CONTACT,)


def test_a_jump_of_conductance_is_motion():
    gsr = 1.0 + 0.01 * np.sin(T_S[:RECENT])
    gsr[RECENT // 2 :] *= 4.0
    assert issues(Channel.GSR, gsr) == (Issue.MOTION,)


def test_a_burst_in_the_pulse_is_motion():
    ppg = pulse(70, 10.0) * 40
    ppg[600:730] += 600 * np.sin(np.linspace(0, 25, 130))
    assert issues(Channel.PPG, ppg) == (Issue.MOTION,)


def test_noise_has_no_pulse():
    noise = np.random.default_rng(1).normal(size=RECENT)
    assert issues(Channel.PPG, noise) == (Issue.NO_PULSE,)


def test_lost_samples_lower_the_score_and_then_the_verdict():
    _, ppg, _ = listen(0)
    some = judge(Channel.PPG, ppg[-RECENT:], missing=0.1)
    assert some.usable
    assert some.score < judge(Channel.PPG, ppg[-RECENT:]).score
    assert Issue.MISSING in issues(Channel.PPG, ppg[-RECENT:], missing=0.5)
