"""Instruments that the program plays itself: strings, keys, pipes, drums, as sums of partials."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["FS_HZ", "INSTRUMENTS", "Instrument", "drummed", "in_a_room"]

FS_HZ = 16_000
INSTRUMENTS = 10
"""How many different ones there are; every second is a piano."""

_KINDS = ("piano", "pluck", "piano", "organ", "piano", "pad", "piano", "mallet", "piano", "chip")
_LONGEST_S = 2.5
_PARTIALS = 16
_HIGHEST_HZ = 7800.0
_LAYERS = 4  # of loudness: a hammer that falls harder sounds brighter
_RELEASE = 1280  # samples, 80 ms
_ATTACK_S = {"pad": 0.12, "organ": 0.015, "chip": 0.004}
_DECAY_S = {"piano": 3.2, "pluck": 1.2, "mallet": 0.8}  # of 220 Hz; the others hold their tone
_STRUCK_AT = {"piano": 8.3, "pluck": 4.7}  # one part of the string's length
_ORGAN_STOPS = (1, 2, 3, 4, 6, 8)
_BAR = (1, 4, 10)  # partials of a tuned bar

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Instrument:
    """A kind of instrument with its own colour; what it has played once it remembers.

    Parameters
    ----------
    number : int
        0 to `INSTRUMENTS` - 1.
    """

    number: int
    _played: dict[tuple[int, int], Array] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return _KINDS[self.number % INSTRUMENTS]

    def play(self, pitch: int, force: float, duration_s: float) -> Array:
        """A tone, 16 kHz, with its release.

        Parameters
        ----------
        pitch : int
            Semitones, 69 is 440 Hz.
        force : float
            0 to 1: moves loudness and brightness.
        duration_s : float
            2.5 s at most.
        """
        layer = int(np.clip(force * _LAYERS, 0, _LAYERS - 1))
        if (pitch, layer) not in self._played:
            self._played[pitch, layer] = self._tone(pitch, (layer + 0.5) / _LAYERS)
        tone = self._played[pitch, layer]
        held = min(len(tone), max(1, int(duration_s * FS_HZ)))
        played = tone[: held + _RELEASE].copy()
        played[held:] *= np.linspace(1.0, 0.0, len(played) - held, dtype=np.float32)
        return played * np.float32(force**1.5)

    def _tone(self, pitch: int, force: float) -> Array:
        rng = np.random.default_rng((9, self.number))
        slope, stiffness = rng.uniform(0.8, 1.6), rng.uniform(1e-4, 6e-4)
        damping, brightness, even = rng.uniform(0.7, 1.5), rng.uniform(0.6, 1.4), rng.random()
        hz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        t = (np.arange(int(_LONGEST_S * FS_HZ)) / FS_HZ).astype(np.float32)
        tone = np.zeros_like(t)
        for k in range(1, _PARTIALS + 1):
            stiff = np.sqrt(1.0 + stiffness * k * k) if self.kind in _STRUCK_AT else 1.0
            if hz * k * stiff > _HIGHEST_HZ:
                break
            height = self._partial(k, slope / (brightness * (0.5 + force)), even)
            wave = np.sin(2 * np.pi * hz * k * stiff * t + rng.uniform(0.0, 2 * np.pi))
            tone += height * self._decay(k, hz, damping, t) * wave
        tone *= np.minimum(1.0, t / _ATTACK_S.get(self.kind, 0.003))
        if self.kind in _DECAY_S:  # the knock of the hammer or the nail
            knock = rng.normal(size=800) * np.exp(-np.arange(800) / 120.0)
            tone[:800] += 0.05 * force * knock * np.abs(tone).max()
        scaled: Array = (tone / np.sqrt(np.square(tone[:4000]).mean() + 1e-9)).astype(np.float32)
        return scaled

    def _partial(self, k: int, slope: float, even: float) -> float:
        if self.kind == "mallet" and k not in _BAR:
            return 0.0
        if self.kind == "chip":
            return (1.0 if k % 2 else even) / k
        if self.kind == "organ":
            return float(0.9**k) if k in _ORGAN_STOPS else 0.02
        height = float(k**-slope)
        if self.kind in _STRUCK_AT:
            height *= abs(np.sin(np.pi * k / _STRUCK_AT[self.kind])) + 0.1
        return height

    def _decay(self, k: int, hz: float, damping: float, t: Array) -> Array:
        if self.kind not in _DECAY_S:
            return np.ones_like(t)
        s = damping * _DECAY_S[self.kind] * (220.0 / hz) ** 0.6 / (1.0 + 0.25 * (k - 1))
        fast: Array = np.exp(-t / max(s, 0.03)).astype(np.float32)
        if self.kind != "piano":
            return fast
        # two strings a key: what is left of them sounds longer (Weinreich, JASA 1977)
        slow: Array = 0.75 * fast + 0.25 * np.exp(-t / max(3.0 * s, 0.05)).astype(np.float32)
        return slow


def drummed(at: NDArray[np.int64], force: Array, length: int, rng: np.random.Generator) -> Array:
    """Drums and cymbals at the samples `at`, as loud as `force` (0 to 1) says, (length,)."""
    drums = np.zeros(length + FS_HZ, np.float32)
    for start, loud in zip(at, force, strict=True):
        n = int(rng.integers(400, 3000))
        decay = np.arange(n)
        if rng.random() < 0.4:
            beat = 2.0 * np.sin(2 * np.pi * 60.0 * decay / FS_HZ) * np.exp(-decay / (n / 4))
        else:
            beat = rng.normal(size=n) * np.exp(-decay / (n / 5))
        drums[start : start + n] += (beat * loud).astype(np.float32)[: len(drums) - start]
    return drums[:length]


def in_a_room(x: Array, rng: np.random.Generator) -> Array:
    """With reverberation: decaying noise, 0.2 to 1.6 s to a thousandth."""
    n = int(rng.uniform(0.2, 1.6) * FS_HZ)
    answer = rng.normal(size=n) * np.exp(-6.9 * np.arange(n) / n)
    answer /= np.sqrt(np.square(answer).sum())
    wet = signal.fftconvolve(x, answer)[: len(x)]
    return (x + rng.uniform(0.05, 0.4) * wet).astype(np.float32)
