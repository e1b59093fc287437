"""Synthesised music, good enough to see what range a network's activations take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from inference.audio.frontend import ms_sg_image
from inference.audio.segments import FS_HZ, segment_views

__all__ = ["calibration_segments", "piece"]

_MODES = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6))


def piece(rng: np.random.Generator, duration_s: float = 8.0) -> NDArray[np.float32]:
    """A piece of chords, a melody, drums and noise at random tempo, register and loudness.

    Returns
    -------
    ndarray, shape (n,), float32
        Mono at 16 kHz, peak between 0.16 and 1.
    """
    n = round(duration_s * FS_HZ)
    beat = round(FS_HZ * 60.0 / rng.uniform(60, 180))
    base_hz = 55.0 * 2.0 ** rng.uniform(0.5, 3.5)
    sound = np.zeros(n)
    for start in range(0, n, 4 * beat):
        chord = _MODES[rng.integers(len(_MODES))]
        shift = rng.integers(-5, 6)
        for note in chord:
            _add_tone(sound, start, 4 * beat, base_hz * 2 ** ((note + shift) / 12), rng, 0.4)
    for start in range(0, n, max(1, beat // int(rng.integers(1, 4)))):
        _add_tone(sound, start, beat, base_hz * 2 ** (rng.integers(7, 24) / 12), rng, 0.6)
    if rng.random() < 0.7:
        _add_drums(sound, beat, rng)
    sound /= max(1e-9, float(np.abs(sound).max()))
    sound += _pink(n, rng) * 10.0 ** rng.uniform(-2.5, -0.5)
    peak = 10.0 ** rng.uniform(-0.8, 0.0)
    mixed: NDArray[np.float32] = (sound / float(np.abs(sound).max()) * peak).astype(np.float32)
    return mixed


def _pink(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of equal power an octave, unit deviation: the dense ground of produced music."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20.0))
    noise: NDArray[np.float64] = np.fft.irfft(spectrum, n)
    return noise / float(noise.std())


def _add_tone(
    sound: NDArray[np.float64],
    start: int,
    length: int,
    f_hz: float,
    rng: np.random.Generator,
    level: float,
) -> None:
    t = np.arange(min(length, len(sound) - start)) / FS_HZ
    decay = np.exp(-t * rng.uniform(0.3, 6.0))
    brightness = rng.uniform(0.3, 0.9)
    for k in range(1, 9):
        if f_hz * k < FS_HZ / 2:
            phase = rng.uniform(0, 2 * np.pi)
            sound[start : start + len(t)] += (
                level * brightness**k * decay * np.sin(2 * np.pi * f_hz * k * t + phase)
            )


def _add_drums(sound: NDArray[np.float64], beat: int, rng: np.random.Generator) -> None:
    for i, start in enumerate(range(0, len(sound), max(1, beat // 2))):
        t = np.arange(min(FS_HZ // 5, len(sound) - start)) / FS_HZ
        if i % 4 == 0:
            hit = np.sin(2 * np.pi * 60.0 * t) * np.exp(-t * 18.0) * 1.5
        else:
            hit = rng.normal(size=len(t)) * np.exp(-t * rng.uniform(20, 90)) * 0.6
        sound[start : start + len(t)] += hit


def calibration_segments(pieces: int = 24, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """MS-SG segments of synthesised pieces: one (n, 3, 64, 46) float32 a piece."""
    rng = np.random.default_rng(seed)
    for _ in range(pieces):
        yield np.ascontiguousarray(segment_views(ms_sg_image(piece(rng))))
