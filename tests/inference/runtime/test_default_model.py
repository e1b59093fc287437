"""The default model as it is shipped: what it does not mind, and what it has no opinion on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from app.demo.composer import compose
from app.demo.pieces import PIECES
from app.demo.synthesis import FS_HZ as DEMO_HZ
from app.demo.synthesis import render
from inference.audio.recode import Codec, recoded
from inference.emotion import EmotionEstimate, Quadrant
from inference.runtime import MusicClassifier
from inference.uncertainty import uncertainty

FS_HZ = 16_000
SECONDS = 30
PLAYED = (0, 1, 2, 3)  # pieces of the demo library, one of each mood

Array = NDArray[np.float32]
Sound = NDArray[np.float64]
LOUDER = np.float32(10 ** (6 / 20))

CHANGES: dict[str, Callable[[Array], Array]] = {
    "128 kb/s": lambda x: recoded(x, Codec("libmp3lame", ".mp3", 44_100, 128_000)),
    "6 dB louder": lambda x: np.clip(x * LOUDER, -1.0, 1.0),
    "6 dB softer": lambda x: x / LOUDER,
    "first 10 s gone": lambda x: x[10 * FS_HZ :],
    "22050 Hz": lambda x: recoded(x, Codec("pcm_s16le", ".wav", 22_050)),
}


@pytest.fixture(scope="module")
def classifier() -> MusicClassifier:
    return MusicClassifier.load("undertone-music")


@pytest.fixture(scope="module")
def played() -> list[Array]:
    """Pieces of the demo library, 16 kHz mono."""
    found = []
    for number in PLAYED:
        stereo = render(compose(PIECES[number]), PIECES[number].sound)[: SECONDS * DEMO_HZ]
        mono = signal.resample_poly(stereo.mean(axis=1), FS_HZ // 100, DEMO_HZ // 100)
        found.append(mono.astype(np.float32))
    return found


def said(classifier: MusicClassifier, x: Array) -> EmotionEstimate:
    return classifier.rate(classifier._pipeline.analyse([x.astype(np.float32)]).features).estimate


@pytest.fixture(scope="module")
def before(classifier: MusicClassifier, played: list[Array]) -> list[Quadrant]:
    return [said(classifier, x).quadrant for x in played]


@pytest.mark.parametrize("change", CHANGES)
def test_a_song_stays_what_it_is_through_what_files_go_through(
    classifier: MusicClassifier, played: list[Array], before: list[Quadrant], change: str
) -> None:
    assert [said(classifier, CHANGES[change](x)).quadrant for x in played] == before


def test_songs_are_not_all_called_the_same(before: list[Quadrant]) -> None:
    assert len(set(before)) >= 3


def silence(t: Sound) -> Sound:
    return 0 * t


def tone(t: Sound) -> Sound:
    return np.asarray(np.sin(2 * np.pi * 440 * t))


def square_wave(t: Sound) -> Sound:
    return np.asarray(signal.square(2 * np.pi * 220 * t))


def sawtooth(t: Sound) -> Sound:
    return np.asarray(signal.sawtooth(2 * np.pi * 110 * t))


def white_noise(t: Sound) -> Sound:
    return np.random.default_rng(7).normal(size=len(t))


def pink_noise(t: Sound) -> Sound:
    spectrum = np.fft.rfft(white_noise(t)) / np.sqrt(np.maximum(1, np.arange(len(t) // 2 + 1)))
    return np.asarray(np.fft.irfft(spectrum))


def metronome(t: Sound) -> Sound:
    since = t % 0.5
    hz = np.where(t % 2.0 < 0.5, 1600, 1100)
    return np.asarray(np.sin(2 * np.pi * hz * since) * np.exp(-90 * since))


def mains_hum(t: Sound) -> Sound:
    return np.asarray(sum((np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 8)), 0 * t))


NO_MUSIC = (silence, tone, square_wave, sawtooth, white_noise, pink_noise, metronome, mains_hum)


@pytest.mark.parametrize("sound", NO_MUSIC, ids=lambda f: f.__name__)
def test_what_is_no_music_leaves_everything_open(
    classifier: MusicClassifier, sound: Callable[[Sound], Sound]
) -> None:
    x = sound(np.arange(SECONDS * FS_HZ) / FS_HZ)
    level = 0.4 / max(1e-9, float(np.abs(x).max()))
    estimate = said(classifier, (level * x).astype(np.float32))
    assert not uncertainty(estimate).tells
    assert estimate.confidence < 0.45
