"""Spectrogram, scalogram and segments: against librosa, against plain convolution, in streams."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.frontend import AUDIBLE, MsSg, ms_sg_image
from inference.audio.scalogram import Scalogram, ScalogramConfig, resize_rows, scalogram
from inference.audio.segments import (
    HOP_LENGTH,
    SEGMENT_FRAMES,
    frame_count,
    segment_count,
    segment_views,
    window_starts,
)
from inference.audio.spectrogram import MelConfig, delta, log_mel, mel_filters

FS = 16000


@pytest.fixture(scope="module")
def music() -> NDArray[np.float32]:
    """Twenty seconds of chords with decays, noise and a silence."""
    rng = np.random.default_rng(0)
    t = np.arange(FS) / FS
    bars = []
    for _ in range(20):
        roots = 110.0 * 2 ** (rng.integers(0, 36, 3) / 12)
        chord = sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in roots)
        bars.append(chord * np.exp(-3 * t) * 0.2 + 0.01 * rng.standard_normal(FS))
    bars[7][:] = 0.0
    return np.concatenate(bars).astype(np.float32)


@pytest.mark.parametrize(
    ("seconds", "segments"), [(0.2, 0), (0.4, 0), (0.5, 1), (0.85, 2), (40, 113), (60, 171)]
)
def test_segment_counts_of_the_specification(seconds: float, segments: int) -> None:
    assert segment_count(frame_count(round(seconds * FS))) == segments


def test_segments_are_views_that_start_every_32_frames(music: NDArray[np.float32]) -> None:
    image = log_mel(music)[None]
    segments = segment_views(image)
    assert segments.shape == (segment_count(image.shape[2]), 1, 64, SEGMENT_FRAMES)
    assert np.shares_memory(segments, image)
    np.testing.assert_array_equal(segments[5], image[:, :, 160:206])
    assert segment_views(image[:, :, :45]).shape == (0, 1, 64, SEGMENT_FRAMES)


@pytest.mark.parametrize(
    ("segments", "starts"),
    [(0, []), (1, [0]), (83, [0]), (84, [0]), (85, [0, 1]), (98, [0, 14]), (113, [0, 14, 28, 29])],
)
def test_windows_cover_the_whole_song(segments: int, starts: list[int]) -> None:
    assert window_starts(segments) == starts


def test_mel_rows_equal_librosa(music: NDArray[np.float32]) -> None:
    librosa = pytest.importorskip("librosa")
    config = MelConfig(energy="append")
    np.testing.assert_allclose(
        mel_filters(config), librosa.filters.mel(sr=FS, n_fft=1024, n_mels=64), atol=1e-7
    )
    power = librosa.feature.melspectrogram(
        y=music, sr=FS, n_fft=1024, hop_length=175, n_mels=64, pad_mode="constant"
    )
    np.testing.assert_allclose(log_mel(music, config)[1:], np.log(power + 1e-5), atol=1e-3)
    np.testing.assert_allclose(log_mel(music)[1:], np.log(power + 1e-5)[1:], atol=1e-3)


def test_the_energy_row_is_the_log_energy_of_the_windowed_frame(
    music: NDArray[np.float32],
) -> None:
    window = np.hanning(1025)[:-1]
    at = 1000 * HOP_LENGTH
    energy = ((music[at - 512 : at + 512] * window) ** 2).sum()
    assert log_mel(music)[0, 1000] == pytest.approx(np.log(energy + 1e-5), abs=1e-4)
    assert log_mel(music, MelConfig(energy="append")).shape[0] == 65


def test_the_differential_equals_librosa(music: NDArray[np.float32]) -> None:
    librosa = pytest.importorskip("librosa")
    image = log_mel(music[: 2 * FS])
    np.testing.assert_allclose(
        delta(image), librosa.feature.delta(image, width=9, mode="nearest"), atol=1e-5
    )
    ramp = np.arange(30, dtype=np.float32)[None] * 0.25
    np.testing.assert_allclose(delta(ramp)[0, 4:-4], 0.25, atol=1e-6)


@pytest.mark.parametrize("row", [0, 20, 45, 70, 83])
def test_the_scalogram_equals_convolution_with_each_wavelet(
    music: NDArray[np.float32], row: int
) -> None:
    bank = Scalogram()
    config = bank.config
    block = music[: bank.length]
    centre_hz = config.centres_hz[row]
    deviation_s = config.omega0 / (2 * np.pi * centre_hz)
    reach = int(6 * deviation_s * FS)
    t = np.arange(-reach, reach + 1) / FS
    envelope = np.exp(-0.5 * (t / deviation_s) ** 2)
    wavelet = 2 * envelope / envelope.sum() * np.exp(2j * np.pi * centre_hz * t)
    frames = range(config.margin_frames + 10, config.block_frames - config.margin_frames - 10, 31)
    expected = [
        abs(np.vdot(wavelet, block[i * HOP_LENGTH - reach : i * HOP_LENGTH + reach + 1]))
        for i in frames
    ]
    np.testing.assert_allclose(bank.magnitudes(block)[row, list(frames)], expected, atol=1e-5)


def test_a_full_scale_sine_has_magnitude_one_in_its_own_row_only() -> None:
    bank = Scalogram()
    t = np.arange(bank.length) / FS
    block = np.sin(2 * np.pi * bank.config.centres_hz[40] * t).astype(np.float32)
    magnitudes = bank.magnitudes(block)[:, 300]
    assert int(np.argmax(magnitudes)) == 40
    assert magnitudes[40] == pytest.approx(1.0, abs=1e-3)
    assert magnitudes[[34, 46]].max() < 0.01


def test_filters_span_seven_octaves_from_55_hz_below_nyquist() -> None:
    config = ScalogramConfig()
    assert config.filters == 84
    assert config.centres_hz[0] == 55.0
    assert config.centres_hz[12] == pytest.approx(110.0)
    top = config.centres_hz[-1]
    assert top + top / config.omega0 < FS / 2


def test_resizing_keeps_the_mean_and_flat_images() -> None:
    matrix = resize_rows(84, 64)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=0), 64 / 84, rtol=1e-6)


def test_streaming_equals_one_shot_however_the_audio_is_cut(music: NDArray[np.float32]) -> None:
    expected = np.stack([log_mel(music), delta(log_mel(music)), scalogram(music)])
    expected += np.array([11.5, 1.0, 0.0], np.float32)[:, None, None]
    expected /= np.array([17.5, 2.0, 8.5], np.float32)[:, None, None]
    expected = np.clip(expected, 0, 1)
    np.testing.assert_allclose(ms_sg_image(music), expected, atol=1e-5)
    rng = np.random.default_rng(1)
    for longest in (50, 5000, 200000):
        cuts = np.cumsum(rng.integers(1, longest, 2 * music.size // longest + 50))
        blocks = np.split(music, cuts[cuts < music.size])
        segments = np.concatenate(list(MsSg().segments(blocks)))
        np.testing.assert_allclose(segments, segment_views(expected), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 45, 713, 714, 715, 718, 741, 742, 1429])
def test_any_length_gives_all_its_frames(music: NDArray[np.float32], frames: int) -> None:
    samples = np.tile(music, 2)[: (frames - 1) * HOP_LENGTH + 1]
    image = ms_sg_image(samples)
    assert image.shape == (3, 64, frames)
    np.testing.assert_allclose(image[0], np.clip((log_mel(samples) + 11.5) / 17.5, 0, 1), atol=1e-5)


def test_silence_and_extremes_stay_in_range() -> None:
    silence = ms_sg_image(np.zeros(FS, np.float32))
    assert silence[0, 0].max() < AUDIBLE
    loud = ms_sg_image((4 * np.sign(np.sin(np.arange(FS)))).astype(np.float32))
    for image in (silence, loud):
        assert np.isfinite(image).all()
        assert image.min() >= 0.0
        assert image.max() <= 1.0
    assert ms_sg_image(np.zeros(0, np.float32)).shape == (3, 64, 0)


def test_a_tone_of_minus_50_db_is_audible_and_minus_70_is_not() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(FS) / FS).astype(np.float32)
    assert ms_sg_image(tone * 10 ** (-50 / 20))[0, 0, 20:-20].min() > AUDIBLE
    assert ms_sg_image(tone * 10 ** (-70 / 20))[0, 0, 20:-20].max() < AUDIBLE
