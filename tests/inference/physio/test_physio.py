"""Signals: chunked equals one-shot, nothing looks ahead, units and gaps are kept."""

import numpy as np
import pytest

from inference.physio.conditioning import Conditioner, condition
from inference.physio.images import (
    ImageSettings,
    ListenerScale,
    conditioned,
    cut_images,
    sensor_images,
)
from inference.physio.scalogram import (
    GSR_SCALES,
    PPG_SCALES,
    CausalScalogram,
    ScalogramConfig,
    scalogram,
)
from inference.physio.segments import PAPER_HOP_SAMPLES, cut, segment_count, segment_starts
from inference.physio.signals import Channel, SignalChunk, SignalError, join_chunks, resample

FS = 128.0


def sine(f_hz: float, duration_s: float = 20.0, fs_hz: float = FS) -> np.ndarray:
    return np.sin(2 * np.pi * f_hz * np.arange(round(duration_s * fs_hz)) / fs_hz).astype(
        np.float32
    )


def test_segments_are_as_many_as_in_music() -> None:
    assert segment_count(40 * 128) == 113
    assert segment_count(60 * 128) == 171
    assert segment_count(63) == 0
    assert segment_count(64) == 1
    assert segment_starts(60 * 128)[:4].tolist() == [0, 45, 90, 134]
    for n in range(64, 700):
        assert segment_starts(n)[-1] + 64 <= n
        assert round(segment_count(n) * 44.8) + 64 > n


def test_cut_takes_the_right_columns() -> None:
    image = np.arange(400, dtype=np.float32)[None].repeat(3, axis=0)
    assert cut(image).shape == (8, 3, 64)
    assert cut(image)[3, 1, 0] == 134


@pytest.mark.parametrize("channel", list(Channel))
def test_conditioning_in_chunks_equals_one_shot(channel: Channel) -> None:
    x = np.exp(sine(1.2) + 0.1 * sine(20.0))
    whole = condition(channel, x)
    filter_ = Conditioner(channel)
    parts = [filter_.push(p) for p in np.split(x, [1, 7, 400, 401, 2000])]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


@pytest.mark.parametrize("config", [GSR_SCALES, PPG_SCALES])
def test_the_scalogram_in_chunks_equals_one_shot(config) -> None:
    x = sine(1.2, 12.0) + 0.3 * sine(0.3, 12.0) + 0.7
    whole = CausalScalogram(config).push(x)
    bank = CausalScalogram(config)
    parts = [bank.push(p) for p in np.split(x, [45, 90, 134, 1000, 1001])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-4)


def test_nothing_looks_ahead() -> None:
    x = sine(1.2, 10.0)
    later = x.copy()
    later[640:] += 5.0
    for channel in Channel:
        a = scalogram(condition(channel, np.exp(x)), channel)
        b = scalogram(condition(channel, np.exp(later)), channel)
        np.testing.assert_allclose(a[:, :640], b[:, :640], atol=1e-4)
        assert np.abs(a[:, 640:] - b[:, 640:]).max() > 0.1


@pytest.mark.parametrize("f_hz", [0.8, 1.5, 4.0, 8.0])
def test_a_sine_lights_up_its_own_row(f_hz: float) -> None:
    image = scalogram(sine(f_hz, 30.0), Channel.PPG)
    row = image[:, -1280:].mean(axis=1).argmax()
    assert PPG_SCALES.centres_hz[row] == pytest.approx(f_hz, rel=0.15)
    assert np.expm1(image[row, -1280:].mean()) == pytest.approx(1.0, abs=0.15)


def test_a_constant_is_silent_except_for_its_level() -> None:
    image = scalogram(np.full(2000, 1.7, np.float32), Channel.GSR)
    assert image.shape == (33, 2000)
    assert image[:32].max() < 1e-3
    assert image[32] == pytest.approx(1.7)


def test_chunks_keep_units_and_refuse_nonsense() -> None:
    chunk = SignalChunk.of(Channel.GSR, [0.5, 0.6], 4.0, t0_s=1.0)
    assert (chunk.unit, chunk.duration_s, chunk.lost) == ("uS", 0.5, 0)
    with pytest.raises(ValueError, match="read-only"):
        chunk.samples[0] = 1.0
    with pytest.raises(SignalError, match="not finite"):
        SignalChunk.of(Channel.PPG, [np.nan], 64.0)
    with pytest.raises(SignalError, match="Convert it to uS"):
        SignalChunk(Channel.GSR, 0.0, 4.0, np.ones(2, np.float32), "ohm")
    with pytest.raises(SignalError, match="impossible rate"):
        SignalChunk.of(Channel.PPG, [1.0], 0.0)
    with pytest.raises(SignalError, match="lost -1"):
        SignalChunk(Channel.GSR, 0.0, 4.0, np.ones(2, np.float32), "uS", lost=-1)


def test_joining_refuses_a_gap() -> None:
    a = SignalChunk.of(Channel.PPG, [1, 2], 64.0)
    b = SignalChunk.of(Channel.PPG, [3], 64.0, t0_s=2 / 64)
    assert join_chunks([a, b]).samples.tolist() == [1, 2, 3]
    gap = SignalChunk(Channel.PPG, 1.0, 64.0, np.ones(1, np.float32), "a.u.", lost=5)
    with pytest.raises(SignalError, match="5 samples were lost"):
        join_chunks([a, gap])


def test_resampling_keeps_time() -> None:
    chunk = resample(SignalChunk.of(Channel.GSR, np.arange(40), 4.0))
    assert chunk.fs_hz == 128.0
    assert chunk.samples[32] == pytest.approx(1.0)
    assert chunk.duration_s == pytest.approx(9.75, abs=0.02)


def test_a_listeners_scale_takes_level_and_amplitude_away_but_not_their_changes() -> None:
    ppg = 200.0 * sine(1.2, 60.0)
    gsr = np.exp(np.where(np.arange(len(ppg)) < 3840, 0.0, 0.4)).astype(np.float32)
    g = conditioned(SignalChunk.of(Channel.GSR, gsr * 3.0, FS))
    p = conditioned(SignalChunk.of(Channel.PPG, ppg, FS))
    scale = ListenerScale.of(g, p, prefix_s=25.0)
    assert scale.gsr_level == pytest.approx(np.log(3.0), abs=1e-3)
    images = sensor_images(g, p, scale)
    assert images.gsr[32, 1000] == pytest.approx(0.0, abs=1e-3)
    assert images.gsr[32, -1] == pytest.approx(0.4, abs=1e-3)
    assert images.segments()[0].shape == (171, 33, 64)
    with pytest.raises(SignalError, match="less than a second"):
        ListenerScale.of(g[:10], p[:10])


@pytest.mark.parametrize("config", [GSR_SCALES, PPG_SCALES])
def test_segments_transformed_by_themselves_equal_a_new_bank_each(config: ScalogramConfig) -> None:
    x = np.random.default_rng(3).normal(size=(3, 64)).cumsum(axis=1).astype(np.float32)
    alone = CausalScalogram(config).alone(x)
    assert alone.shape == (3, config.rows, 64)
    for segment, image in zip(x, alone, strict=True):
        np.testing.assert_allclose(image, CausalScalogram(config).push(segment), atol=1e-4)


def test_the_papers_letter_cuts_120_segments_and_sees_only_their_inside() -> None:
    n = 60 * 128
    rng = np.random.default_rng(0)
    gsr, ppg = (rng.normal(size=n).cumsum().astype(np.float32) / 50 for _ in range(2))
    scale = ListenerScale(0.1, 2.0)
    literal = ImageSettings(scalogram="segment", hop=PAPER_HOP_SAMPLES)
    images, starts = cut_images(gsr, ppg, scale, literal)
    assert len(starts) == 120
    segments = images.segments(starts)
    assert [x.shape for x in segments] == [(120, 33, 64), (120, 32, 64)]
    changed = gsr.copy()
    changed[: 64 * 50] += 1.0
    again, _ = cut_images(changed, ppg, scale, literal)
    np.testing.assert_array_equal(again.segments(starts)[0][50:], segments[0][50:])
    ours, overlapping = cut_images(gsr, ppg, scale)
    assert len(overlapping) == 171
    at = int(np.flatnonzero(overlapping == 64 * 49)[0])  # the same half second
    assert not np.allclose(ours.segments(overlapping)[0][at], segments[0][49], atol=0.05)
