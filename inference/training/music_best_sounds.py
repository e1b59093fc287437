"""Sounds that are no music, made by rule: noises, tones, clicks, and voices without words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["FS_HZ", "kind_of", "no_music"]

FS_HZ = 16_000
_DURATION_S = 18.0

Array = NDArray[np.float64]
# First three formants of vowels, Hz (Peterson and Barney, JASA 1952: men's means).
_VOWELS = (
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
    (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip


def no_music(count: int, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Sounds of 18 s, 16 kHz mono, peak 0.5: kinds in turn, no two alike."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        x = _MAKERS[kind_of(number)](rng)
        x = x + 10.0 ** rng.uniform(-4.5, -2.0) * np.abs(x).max() * rng.normal(size=len(x))
        yield (0.5 * x / np.abs(x).max()).astype(np.float32)


def kind_of(number: int) -> str:
    """What the sound of this number in `no_music` is."""
    return _TURNS[number % len(_TURNS)]


def _samples() -> int:
    return round(_DURATION_S * FS_HZ)


def _coloured_noise(rng: np.random.Generator) -> Array:
    spectrum = np.fft.rfft(rng.normal(size=_samples()))
    hz = np.fft.rfftfreq(_samples(), 1 / FS_HZ)
    x: Array = np.fft.irfft(spectrum * np.maximum(hz, 20.0) ** rng.uniform(-1.2, 0.4))
    return x


def _gusts(rng: np.random.Generator) -> Array:
    """Noise that comes and goes, as wind, rain, traffic or applause do."""
    slow = signal.resample(rng.normal(size=int(rng.integers(8, 120))), _samples())
    low = rng.uniform(50, 1500)
    band = signal.butter(2, [low, min(7500.0, low * rng.uniform(3, 20))], "band", fs=FS_HZ)
    x: Array = signal.lfilter(*band, rng.normal(size=_samples()))
    return x * np.exp(rng.uniform(0.3, 1.2) * slow)


def _hum(rng: np.random.Generator) -> Array:
    t = np.arange(_samples()) / FS_HZ
    hz = rng.uniform(40, 900)
    partials = range(1, int(rng.integers(2, 12)))
    x = sum((np.sin(2 * np.pi * hz * k * t) * rng.uniform(0, 1) / k for k in partials), 0.0 * t)
    return np.asarray(x + rng.uniform(0.01, 0.3) * rng.normal(size=len(t)))


def _lulls(rng: np.random.Generator) -> Array:
    """Noise that swells out of silence and back, as breakers and wind at a microphone do."""
    every = int(rng.uniform(0.3, 2.0) * FS_HZ)
    knots = np.abs(rng.normal(size=_samples() // every + 2))
    swell = np.interp(np.arange(_samples()), every * np.arange(len(knots)), knots)
    band = signal.butter(int(rng.integers(1, 4)), rng.uniform(200, 4000), fs=FS_HZ)
    return np.asarray(swell * signal.lfilter(*band, rng.normal(size=_samples())))


def _tones(rng: np.random.Generator) -> Array:
    """One to three steady tones together, whole or in pulses: test signals, signals of devices."""
    t = np.arange(_samples()) / FS_HZ
    shapes = (np.sin, signal.square, signal.sawtooth, lambda at: signal.sawtooth(at, 0.5))
    x = np.zeros(len(t))
    for _ in range(int(rng.integers(1, 4))):
        hz = 50.0 * 60.0 ** rng.uniform()
        x += rng.uniform(0.3, 1.0) * shapes[int(rng.integers(len(shapes)))](2 * np.pi * hz * t)
    if rng.random() < 0.5:
        x *= t % rng.uniform(0.15, 1.5) < rng.uniform(0.05, 0.5)
    return x


def _sweep(rng: np.random.Generator) -> Array:
    """A siren, or one long glide."""
    t = np.arange(_samples()) / FS_HZ
    low, high = np.sort(rng.uniform(50, 4000, 2))
    turn = rng.choice([rng.uniform(0.5, 4.0), _DURATION_S])
    place = np.abs((2 * t / turn + 1) % 2 - 1)
    hz = low * (high / low) ** place if rng.random() < 0.5 else low + (high - low) * place
    phase = 2 * np.pi * np.cumsum(hz) / FS_HZ
    return np.asarray(np.sin(phase) if rng.random() < 0.6 else signal.square(phase))


def _clicks(rng: np.random.Generator) -> Array:
    """Knocks, keys and steps: bursts at irregular times."""
    x = np.zeros(_samples())
    at = np.cumsum(rng.gamma(rng.uniform(1, 4), rng.uniform(0.05, 0.4), 400))
    length = int(rng.integers(80, 2400))
    for start in (at[at < _DURATION_S - 0.2] * FS_HZ).astype(int):
        decay = np.exp(-np.arange(length) / rng.uniform(0.1, 0.4) / length)
        x[start : start + length] += rng.uniform(0.3, 1.0) * rng.normal(size=length) * decay
    return np.asarray(signal.lfilter(*signal.butter(1, rng.uniform(500, 7000), fs=FS_HZ), x))


def _voices(rng: np.random.Generator) -> Array:
    return np.asarray(sum((_voice(rng) for _ in range(int(rng.integers(2, 6)))), 0.0 * _voice(rng)))


def _voice(rng: np.random.Generator) -> Array:
    """Syllables of a buzzing or hissing source through three formants, with pauses for breath."""
    pieces: list[Array] = []
    pitch_hz, speed = rng.uniform(80, 260), rng.uniform(0.7, 1.4)
    while sum(map(len, pieces)) < _samples():
        for _ in range(int(rng.integers(4, 14))):
            if rng.random() < 0.6:
                pieces.append(_hiss(rng, speed * rng.uniform(0.03, 0.12)))
            glide = pitch_hz * rng.uniform(0.8, 1.25, 2)
            pieces.append(_vowel(rng, glide, speed * rng.uniform(0.07, 0.25)))
        pieces.append(np.zeros(int(FS_HZ * rng.uniform(0.1, 0.8))))
    return np.concatenate(pieces)[: _samples()]


def _vowel(rng: np.random.Generator, pitch_hz: Array, duration_s: float) -> Array:
    n = int(FS_HZ * duration_s)
    phase = np.cumsum(np.linspace(pitch_hz[0], pitch_hz[1], n)) / FS_HZ
    x = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.normal(size=n)
    for hz in _VOWELS[int(rng.integers(len(_VOWELS)))]:
        x = _resonance(x, hz * rng.uniform(0.95, 1.2), rng.uniform(60, 140))
    return np.asarray(x * np.hanning(n) ** 0.5 * rng.uniform(0.4, 1.0))


def _hiss(rng: np.random.Generator, duration_s: float) -> Array:
    n = max(16, int(FS_HZ * duration_s))
    x = _resonance(rng.normal(size=n), rng.uniform(1500, 7000), rng.uniform(500, 2000))
    return np.asarray(0.2 * x * np.hanning(n) / (np.abs(x).max() + 1e-9))


def _resonance(x: Array, hz: float, bandwidth_hz: float) -> Array:
    """A two-pole filter of gain 1 at 0 Hz (Klatt, JASA 1980)."""
    radius = np.exp(-np.pi * bandwidth_hz / FS_HZ)
    b, c = 2 * radius * np.cos(2 * np.pi * hz / FS_HZ), -(radius**2)
    return np.asarray(signal.lfilter([1.0 - b - c], [1.0, -b, -c], x))


_MAKERS: Mapping[str, Callable[[np.random.Generator], Array]] = {
    "voice": _voice,
    "coloured noise": _coloured_noise,
    "clicks": _clicks,
    "voices together": _voices,
    "hum": _hum,
    "gusts": _gusts,
    "tones": _tones,
    "sweep": _sweep,
    "lulls": _lulls,
}
_TURNS = (
    "voice", "coloured noise", "voice", "clicks", "voices together", "hum", "voice", "gusts",
    "tones", "sweep", "tones", "lulls",
)  # fmt: skip
