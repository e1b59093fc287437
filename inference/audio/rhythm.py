"""Rhythm of music: onsets and their intervals, pulse and tempo, slow modulations, drums."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from inference.audio.cells import fine_means, sampled_means
from inference.audio.spectra import FRAME_RATE_HZ, Spectra

__all__ = ["RhythmCells", "percussive_share", "rhythm_cells", "rhythm_features", "tempo_bpm"]

Array = NDArray[np.float32]

_BANDS = ((0, 8), (8, 30), (30, 60), (60, 96))  # mel bands: to 0.27, 1.0, 2.7 and 8 kHz
_REGIONS = (*_BANDS, (0, 96))
_IOI_EDGES_S = np.geomspace(0.05, 2.0, 13)
_PULSE_FRAMES, _PULSE_HOP = 512, 94  # 8.2 s, 1.5 s
_TEMPI = 48
_TEMPO_BPM = np.geomspace(30.0, 300.0, _TEMPI)
_MODULATION_FRAMES, _MODULATION_HOP = 256, 94  # 4.1 s
_MODULATION_EDGES = (1, 2, 4, 8, 16, 32, 64, 128)  # in steps of 0.244 Hz: 0.24 .. 31 Hz, by octaves
_MODULATION_GROUPS = 8


class RhythmCells(NamedTuple):
    """Moments of rhythm, first axis cells.

    Parameters
    ----------
    onset : ndarray, shape (n, 6, 4)
        First to fourth power of the onset strength: four bands, all, and the drums alone.
    peaks : ndarray, shape (n, 6, 3)
        A frame's share of peaks, their strength, their strength squared.
    intervals : ndarray, shape (n, 2, 12)
        Inter-onset intervals begun a frame, by length (all, drums).
    interval_log : ndarray, shape (n, 2, 2)
        Their logarithm and its square, summed a frame.
    pulse : ndarray, shape (n, 3, 48)
        Autocorrelation of the onset strength (all, low, drums) at the periods of 30 to 300 beats
        a minute.
    modulation : ndarray, shape (n, 8, 7)
        log10 of the power of slow modulations in eight groups of mel bands.
    split : ndarray, shape (n, 5, 4)
        Power, drums' power, drums' share of a frame and its square: four bands and all.
    """

    onset: Array
    peaks: Array
    intervals: Array
    interval_log: Array
    pulse: Array
    modulation: Array
    split: Array


def rhythm_cells(spectra: Spectra) -> RhythmCells:
    """Moments of each cell of `spectra`."""
    share = percussive_share(spectra.mel)
    onsets = _onset_strength(spectra.mel, share)
    peaks = _peaks(onsets)
    strength = np.where(peaks, onsets, 0.0).astype(np.float32)
    powers = np.stack([onsets, onsets**2, onsets**3, onsets**4], axis=2)
    marks = np.stack([peaks.astype(np.float32), strength, strength**2], axis=2)
    intervals, logs = _intervals(peaks[:, 4:])
    return RhythmCells(
        onset=fine_means(powers),
        peaks=fine_means(marks),
        intervals=fine_means(intervals),
        interval_log=fine_means(logs),
        pulse=_pulse(onsets[:, [4, 0, 5]], spectra.cells),
        modulation=_modulation(spectra.mel, spectra.cells),
        split=fine_means(_split(spectra.mel, share)),
    )


def percussive_share(mel: Array) -> Array:
    """The share of drums in each mel band and frame, 0 to 1.

    Notes
    -----
    Fitzgerald's median split (DAFx 2010): a drum stands out from its neighbours
    in time, a tone from those in frequency; Wiener masks of power 2. The medians
    over 27 frames (0.43 s) and 9 bands are medians of medians of three (Rousseeuw
    and Bassett's remedian, 1990), which needs no sorting.
    """
    tone, drum = mel, mel
    for distance in (1, 3, 9):
        tone = _median3(tone, distance, axis=0)
    for distance in (1, 3):
        drum = _median3(drum, distance, axis=1)
    # back from log10(1 + 1e4 x) to power, so that the masks are Wiener masks
    tone_power = np.expm1(tone * np.float32(np.log(10.0)))
    drum_power = np.expm1(drum * np.float32(np.log(10.0)))
    share: Array = (drum_power + 1e-3) / (drum_power + tone_power + 2e-3)
    return share


def _median3(x: Array, distance: int, axis: int) -> Array:
    """The median of each value and those `distance` before and behind it; the ends go on."""
    d, n = distance, x.shape[axis]
    if axis == 0 and n >= 2 * d:
        middle = _median_of(x[: n - 2 * d], x[d : n - d], x[2 * d :])
        first = _median_of(x[:1], x[:d], x[d : 2 * d])
        last = _median_of(x[n - 2 * d : n - d], x[n - d :], x[-1:])
        return np.concatenate([first, middle, last])
    pad = [(0, 0), (0, 0)]
    pad[axis] = (d, d)
    y = np.pad(x, pad, mode="edge")
    return _median_of(*(y[:n], x, y[2 * d :]) if axis == 0 else (y[:, :n], x, y[:, 2 * d :]))


def _median_of(a: Array, b: Array, c: Array) -> Array:
    median: Array = np.maximum(np.minimum(a, c), np.minimum(np.maximum(a, c), b))
    return median


def _onset_strength(mel: Array, share: Array) -> Array:
    """Rise of the log spectrum over two frames, vibrato suppressed: (T, 6).

    Boeck and Widmer's SuperFlux (DAFx 2013).
    """
    before = mel.copy()
    np.maximum(before[:, 1:], mel[:, :-1], out=before[:, 1:])
    np.maximum(before[:, :-1], mel[:, 1:], out=before[:, :-1])
    rise = np.zeros_like(mel)
    np.subtract(mel[2:], before[:-2], out=rise[2:])
    np.maximum(rise, 0.0, out=rise)
    sizes = np.array([b - a for a, b in _REGIONS], np.float32)
    drums = np.einsum("ij,ij->i", rise, share) / sizes[-1]
    return np.column_stack([rise @ _regions() / sizes, drums])


@lru_cache(maxsize=1)
def _regions() -> Array:
    """Which mel bands belong to each region, (96, 5): sums as one product."""
    bands = np.arange(_REGIONS[-1][1])[:, None]
    low, high = np.array(_REGIONS).T
    inside: Array = ((bands >= low) & (bands < high)).astype(np.float32)
    return inside


def _peaks(onsets: Array) -> NDArray[np.bool_]:
    """Frames whose onset strength is the largest of 7 and stands out from the second around it."""
    largest = ndimage.maximum_filter1d(onsets, 7, axis=0) == onsets
    around = ndimage.uniform_filter1d(onsets, 63, axis=0, mode="nearest")
    peaks: NDArray[np.bool_] = largest & (onsets > 1.4 * around + 0.02)
    return peaks


def _intervals(peaks: NDArray[np.bool_]) -> tuple[Array, Array]:
    frames, kinds = peaks.shape
    counts = np.zeros((frames, kinds, len(_IOI_EDGES_S) - 1), np.float32)
    logs = np.zeros((frames, kinds, 2), np.float32)
    for kind in range(kinds):
        at = np.flatnonzero(peaks[:, kind])
        gap_s = np.diff(at) / FRAME_RATE_HZ
        place = np.searchsorted(_IOI_EDGES_S, gap_s) - 1
        good = (place >= 0) & (place < counts.shape[2])
        counts[at[:-1][good], kind, place[good]] = 1.0
        log = np.log2(gap_s[good])
        logs[at[:-1][good], kind] = np.stack([log, log**2], axis=1)
    return counts, logs


def _frames(x: Array, length: int, hop: int) -> tuple[Array, NDArray[Any]]:
    """Windows over time, (n, length, ...), and the fine frame at the middle of each."""
    if len(x) < length:
        x = np.pad(x, ((0, length - len(x)), *[(0, 0)] * (x.ndim - 1)))
    view = np.lib.stride_tricks.sliding_window_view(x, length, axis=0)[::hop]
    middle = np.arange(len(view)) * float(hop) + length / 2
    return np.moveaxis(view, -1, 1), middle


def _pulse(onsets: Array, cells: int) -> Array:
    steady = onsets - ndimage.uniform_filter1d(onsets, 63, axis=0, mode="nearest")
    frames, middle = _frames(np.maximum(steady, 0.0), _PULSE_FRAMES, _PULSE_HOP)
    frames = frames.swapaxes(1, 2)
    frames = frames - frames.mean(axis=2, keepdims=True)
    spectrum = fft.rfft(frames, 2 * _PULSE_FRAMES, axis=2)
    correlation = fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag), axis=2)
    lag = 60.0 * FRAME_RATE_HZ / _TEMPO_BPM
    low = np.floor(lag).astype(np.int64)
    part = lag - low
    fair = [_PULSE_FRAMES / (_PULSE_FRAMES - lags) for lags in (low, low + 1)]
    at_tempi = correlation[..., low] * ((1.0 - part) * fair[0])
    at_tempi += correlation[..., low + 1] * (part * fair[1])
    at_tempi /= correlation[..., :1] + 1e-6
    return sampled_means(at_tempi.astype(np.float32), middle, cells)


def _modulation(mel: Array, cells: int) -> Array:
    grouped = mel.reshape(len(mel), _MODULATION_GROUPS, -1).mean(axis=2)
    frames, middle = _frames(grouped, _MODULATION_FRAMES, _MODULATION_HOP)
    window = np.hanning(_MODULATION_FRAMES).astype(np.float32)[:, None]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    power = np.square(np.abs(fft.rfft(frames, axis=1)))
    bands = np.add.reduceat(power, _MODULATION_EDGES, axis=1)[:, : len(_MODULATION_EDGES) - 1]
    return sampled_means(np.log10(bands + 1e-3).swapaxes(1, 2), middle, cells)


def _split(mel: Array, share: Array) -> Array:
    power = np.expm1(mel * np.float32(np.log(10.0))) * 1e-4
    whole, drum = power @ _regions(), (power * share) @ _regions()
    fraction = drum / (whole + 1e-6)
    return np.stack([whole, drum, fraction, fraction**2], axis=2).astype(np.float32)


@lru_cache(maxsize=1)
def _tempo_prior() -> Array:
    """Weights of tempi: log-normal about 110 a minute, as in Ellis (J. New Music Res. 2007)."""
    octaves = np.log2(_TEMPO_BPM / 110.0)
    prior: Array = np.exp(-0.5 * (octaves / 0.9) ** 2).astype(np.float32)
    return prior


def tempo_bpm(cells: RhythmCells) -> Array:
    """The most likely tempo in beats a minute, (n,)."""
    best = np.argmax(np.maximum(cells.pulse[:, 0], 0.0) * _tempo_prior(), axis=1)
    tempo: Array = _TEMPO_BPM[best].astype(np.float32)
    return tempo


def rhythm_features(cells: RhythmCells) -> Array:
    """Descriptors of each window, (W, 125), from moments averaged over it.

    Tempo and inter-onset intervals stay out: with them the mood model was less accurate.
    """
    n = len(cells.onset)
    parts = [
        _onset_features(cells),
        _split_features(cells),
        cells.modulation.reshape(n, -1),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _onset_features(cells: RhythmCells) -> Array:
    m1, m2, m3, m4 = (cells.onset[:, :, i].astype(np.float64) for i in range(4))
    variance = np.maximum(m2 - m1**2, 1e-8)
    deviation = np.sqrt(variance)
    skew = (m3 - 3 * m1 * m2 + 2 * m1**3) / deviation**3
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
    rate, strength, square = (cells.peaks[:, :, i].astype(np.float64) for i in range(3))
    mean_peak = strength / (rate + 1e-3)
    spread = np.sqrt(np.maximum(square / (rate + 1e-3) - mean_peak**2, 0.0))
    parts = [
        np.log(m1 + 1e-3), np.log(deviation + 1e-3), deviation / (m1 + 1e-3),
        np.cbrt(skew), np.log(kurtosis + 1.0),
        rate * FRAME_RATE_HZ, mean_peak, spread, strength / (m1 + 1e-3),
    ]  # fmt: skip
    return np.concatenate(parts, axis=1).astype(np.float32)


def _interval_features(cells: RhythmCells) -> Array:
    total = cells.intervals.sum(axis=2)
    share = cells.intervals / (total[:, :, None] + 1e-4)
    mean = cells.interval_log[:, :, 0] / (total + 1e-4)
    spread = np.sqrt(np.maximum(cells.interval_log[:, :, 1] / (total + 1e-4) - mean**2, 0.0))
    entropy = -(share * np.log(share + 1e-6)).sum(axis=2)
    n = len(total)
    return np.concatenate([np.sqrt(share).reshape(n, -1), mean, spread, entropy], axis=1)


def _pulse_features(cells: RhythmCells) -> Array:
    n = len(cells.pulse)
    pulse = np.maximum(cells.pulse, 0.0)
    weighted = pulse * _tempo_prior()
    best = weighted.argmax(axis=2)
    clarity = np.take_along_axis(pulse, best[:, :, None], axis=2)[:, :, 0]
    tempo = np.log2(_TEMPO_BPM[best] / 110.0)
    share = pulse / (pulse.sum(axis=2, keepdims=True) + 1e-3)
    entropy = -(share * np.log(share + 1e-6)).sum(axis=2)
    centre = (share * np.log2(_TEMPO_BPM / 110.0)).sum(axis=2)
    step = np.log2(_TEMPO_BPM[1] / _TEMPO_BPM[0])
    others = []
    for ratio in (0.5, 2.0, 3.0, 2.0 / 3.0):  # metrical levels about the beat
        place = np.clip(best + round(np.log2(ratio) / step), 0, _TEMPI - 1)
        others.append(np.take_along_axis(pulse, place[:, :, None], axis=2)[:, :, 0])
    coarse = cells.pulse.reshape(n, 3, _TEMPI // 3, 3).mean(axis=3)[:, :2]
    parts = [tempo, clarity, pulse.max(axis=2), entropy, centre, *others, coarse.reshape(n, -1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _split_features(cells: RhythmCells) -> Array:
    whole, drum, share, square = (cells.split[:, :, i] for i in range(4))
    loud = np.log(drum + 1e-5) - np.log(whole + 1e-5)
    spread = np.sqrt(np.maximum(square - share**2, 0.0))
    return np.concatenate([loud, share, spread], axis=1)
