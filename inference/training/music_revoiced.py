"""Labelled clips played again by other instruments, so that a mood is not learned as a timbre.

Notes are heard crudely: what stands out in a semitone and begins there, or is there when anything
begins. Rhythm, density, register, harmony and (coarsely) force stay; the sound is another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from inference.training.music_instruments import (
    FS_HZ,
    INSTRUMENTS,
    Instrument,
    drummed,
    in_a_room,
)

__all__ = ["BAND", "ONE_PLAYER", "Manner", "Note", "Score", "revoiced", "transcribed"]

_LOWEST, _SEMITONES = 36, 60  # C2 to B6
_HOP = 320  # 50 frames a second
_LONG, _SHORT = 4096, 2048
_LOW_SEMITONES = 24  # that need the longer window
_OVERTONES = ((12, 0.5), (19, 0.4), (24, 0.3), (28, 0.25))  # semitones above, and how much of it
_LEVEL = 0.16  # root mean square, -16 dB full scale
_APART = 4  # frames between two tones of a pitch
_LONGEST = 100  # frames
_DRUMS = 0.4  # share of renderings without a piano that have some

Array = NDArray[np.float32]


class Note(NamedTuple):
    """A tone of a `Score`; times in frames of 20 ms."""

    start: int
    pitch: int
    force: float
    length: int


class Score(NamedTuple):
    """What was heard of a clip.

    Parameters
    ----------
    notes : list of Note
    beats : ndarray of int64, shape (b,)
        Frames in which anything begins.
    weight : ndarray, shape (b,)
        How strongly, 0 to 1.
    force : float
        How hard the clip is played, 0 to 1: bright and full of attacks, or not.
    """

    notes: list[Note]
    beats: NDArray[np.int64]
    weight: Array
    force: float


@dataclass(frozen=True)
class Manner:
    """How a score is played: ranges from which each rendering draws.

    Parameters
    ----------
    beats, notes : (low, high)
        Shares of the moments at which notes begin, and of the notes there, that are played.
    pedal : (low, high)
        Times as long as the notes were heard.
    force : (low, high)
        Times as hard.
    """

    beats: tuple[float, float]
    notes: tuple[float, float]
    pedal: tuple[float, float]
    force: tuple[float, float]


BAND = Manner((1.0, 1.0), (0.75, 1.0), (1.0, 1.0), (1.0, 1.0))
"""Nearly all that was heard: 13 notes a second in the middle of music4q."""

ONE_PLAYER = Manner((0.5, 1.0), (0.6, 1.0), (1.0, 2.0), (0.6, 1.0))
"""What two hands would make of it: 8 notes a second, held longer, less hard."""


def revoiced(x: Array, seed: tuple[int, ...], manner: Manner = BAND) -> Array:
    """The clip `x`, shape (n,), 16 kHz, by another instrument in another room, up to 3 semitones
    higher or lower; peak 0.5."""
    rng = np.random.default_rng(seed)
    score = transcribed(x, voices=int(rng.integers(2, 5)))
    instrument = _instrument(int(rng.integers(0, INSTRUMENTS)))
    shift, pedal = int(rng.integers(-3, 4)), rng.uniform(*manner.pedal)
    force = (0.36 + 0.84 * score.force) * rng.uniform(*manner.force)
    played = np.zeros(len(x) + 5 * FS_HZ, np.float32)
    for note in _played(score.notes, manner, rng):
        duration_s = note.length * _HOP / FS_HZ * pedal * rng.uniform(0.8, 1.5)
        tone = instrument.play(note.pitch + shift, min(1.0, note.force * force), duration_s)
        start = max(0, round(note.start * _HOP + 80.0 * rng.normal()))
        played[start : start + len(tone)] += tone[: len(played) - start]
    played = played[: len(x)]
    if instrument.kind != "piano" and rng.random() < _DRUMS:
        drums = drummed(score.beats * _HOP, score.weight, len(x), rng)
        level = np.sqrt(np.square(played).mean() / (np.square(drums).mean() + 1e-9))
        played = played + drums * np.float32(level * rng.uniform(0.2, 0.9))
    played = in_a_room(played, rng)
    peak = float(np.abs(played).max())
    return (0.5 * played / peak).astype(np.float32) if peak > 0.0 else played


def _played(notes: list[Note], manner: Manner, rng: np.random.Generator) -> list[Note]:
    beats, kept = rng.uniform(*manner.beats), rng.uniform(*manner.notes)
    there = {start: rng.random() < beats for start in sorted({note.start for note in notes})}
    return [note for note in notes if there[note.start] and rng.random() < kept]


@lru_cache(maxsize=INSTRUMENTS)
def _instrument(number: int) -> Instrument:
    return Instrument(number)


def transcribed(x: Array, voices: int = 3) -> Score:
    """The notes of a clip, shape (n,), 16 kHz; `voices` of them at most begin at once."""
    x = x * np.float32(_LEVEL / np.sqrt(np.square(x).mean() + 1e-12))
    fine = _magnitude(x, _SHORT)
    short = fine @ _semitones(_SHORT) / (_SHORT / 4)
    long = (_magnitude(x, _LONG) @ _semitones(_LONG) / (_LONG / 4))[: len(short)]
    low, high = long[:, :_LOW_SEMITONES], short[:, _LOW_SEMITONES:]
    tones = _without_overtones(np.log1p(300.0 * np.concatenate([low, high], axis=1)))
    rise = _rise(np.log1p(300.0 * short))
    around = ndimage.uniform_filter1d(rise, 50, mode="nearest")
    begins = (ndimage.maximum_filter1d(rise, 7) == rise) & (rise > 1.3 * around + 0.005)
    beats = np.flatnonzero(begins)
    weight = np.minimum(1.0, rise / (np.percentile(rise[beats], 90) + 1e-9)) if len(beats) else rise
    notes = _notes(tones, begins, weight, _loudness(short), voices)
    return Score(notes, beats, weight[beats].astype(np.float32), _force(fine, rise))


def _magnitude(x: Array, length: int) -> Array:
    padded = np.pad(x, (length // 2, length // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::_HOP]
    window = np.hanning(length).astype(np.float32)
    magnitude: Array = np.abs(fft.rfft(frames * window, axis=1))
    return magnitude


@lru_cache(maxsize=2)
def _semitones(length: int) -> Array:
    """Triangles a semitone apart, at least a bin wide, (length / 2 + 1, 60)."""
    hz = np.arange(length // 2 + 1) * FS_HZ / length
    pitch = 440.0 * 2.0 ** ((np.arange(_LOWEST, _LOWEST + _SEMITONES) - 69) / 12)
    width = np.maximum(pitch * (2.0 ** (1 / 12) - 1.0), FS_HZ / length)
    weights = np.maximum(0.0, 1.0 - np.abs(hz[:, None] - pitch) / width)
    filters: Array = (weights / np.maximum(weights.sum(axis=0), 1e-9)).astype(np.float32)
    return filters


def _without_overtones(level: Array) -> Array:
    stands_out = np.maximum(0.0, level - ndimage.uniform_filter1d(level, 11, axis=1))
    tones = stands_out.copy()
    for above, share in _OVERTONES:
        tones[:, above:] -= share * stands_out[:, :-above]
    positive: Array = np.maximum(tones, 0.0)
    return positive


def _rise(level: Array) -> Array:
    """How much begins in a frame; vibrato suppressed (Boeck and Widmer, DAFx 2013)."""
    before = ndimage.maximum_filter1d(level, 3, axis=1)
    rise = np.zeros(len(level), np.float32)
    rise[2:] = np.maximum(0.0, level[2:] - before[:-2]).mean(axis=1)
    return rise


def _loudness(short: Array) -> Array:
    """Of each frame, 1 for the loudest."""
    power = ndimage.uniform_filter1d(np.square(short).sum(axis=1), 9)
    loud = np.sqrt(np.maximum(power, 0.0))  # running sums leave rounding below nothing
    relative: Array = np.clip(loud / (np.percentile(loud, 95) + 1e-9), 0.0, 1.0) ** 0.6
    return relative


def _force(fine: Array, rise: Array) -> float:
    """From the share of power above 1 kHz and the mean rise; 0.5 in the middle of music."""
    hz = np.arange(fine.shape[1]) * FS_HZ / _SHORT
    power = np.square(fine).sum(axis=0)
    bright = np.log(power[hz > 1000.0].sum() / (power.sum() + 1e-12) + 1e-6)
    score = (bright + 2.2) / 0.8 + (float(rise.mean()) - 0.065) / 0.02
    return float(1.0 / (1.0 + np.exp(-0.8 * score)))


def _notes(
    tones: Array, begins: NDArray[np.bool_], weight: Array, loudness: Array, voices: int
) -> list[Note]:
    after = np.minimum(np.arange(len(tones)) + 3, len(tones) - 1)
    growth = np.maximum(0.0, tones - np.roll(tones, 3, axis=0))
    growth[:3] = 0.0
    own = ndimage.maximum_filter1d(growth, 9, axis=0) == growth
    own &= growth > 0.6 * np.percentile(tones.max(axis=1), 80)
    last = np.full(_SEMITONES, -_APART)
    notes: list[Note] = []
    for t in range(len(tones)):
        heard = tones[after[t]]
        if begins[t]:
            strongest = np.argsort(-heard)[:voices]
            pitches = [p for p in strongest if heard[p] > max(0.4 * heard.max(), 0.1)]
            force = 0.35 + 0.65 * float(weight[t])
        else:
            pitches, force = list(np.flatnonzero(own[t])[:1]), 0.5
        for p in pitches:
            if t - last[p] < _APART:
                continue
            last[p] = t
            share = float(heard[p] / (heard.max() + 1e-9)) ** 0.3
            length = _held(tones[t : t + _LONGEST, p], 0.35 * float(heard[p]))
            notes.append(Note(t, _LOWEST + int(p), force * float(loudness[t]) * share, length))
    return notes


def _held(tone: Array, threshold: float) -> int:
    """Frames until a tone falls under the threshold, the first ones aside."""
    below = np.flatnonzero(tone[_APART:] <= threshold)
    return _APART + int(below[0]) if len(below) else max(len(tone), _APART)
