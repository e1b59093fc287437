"""Heart rate, its variability and skin conductance responses, on SciPy alone."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from inference.physio.signals import SignalError

__all__ = ["Beats", "Variability", "conductance_responses", "find_beats", "variability"]

Floats = NDArray[np.float64]

_SHORTEST_S, _LONGEST_S = 0.33, 1.7
"""Intervals between beats that count: 35 to 180 beats a minute."""
_DECAY_S = 3.0
_SHAPE = 0.7
"""Amplitude of a response over the area of its driver, for rises of 0.7-1 s and decays of 2-4 s."""
_SHOULDER = 0.1
"""Of the largest response: what is less counts as its echo, as in NeuroKit2 (`amplitude_min`)."""


@dataclass(frozen=True, eq=False)
class Beats:
    """Heartbeats in a stretch of pulse.

    Parameters
    ----------
    times_s : ndarray, shape (n,), float64
        Systolic peaks, s from the start of the stretch.
    similarity : float
        Mean correlation of the beats with their average, -1..1.
    """

    times_s: Floats
    similarity: float

    @property
    def intervals_s(self) -> Floats:
        """Credible intervals: possible ones that lie near the median of their neighbours."""
        raw = np.diff(self.times_s)
        raw = raw[(raw > _SHORTEST_S) & (raw < _LONGEST_S)]
        if len(raw) < 3:
            return raw
        near = signal.medfilt(np.pad(raw, 2, mode="edge"), 5)[2:-2]
        usual = float(np.median(raw))
        good = (np.abs(raw - near) < 0.3 * near) & (np.abs(raw - usual) < 0.35 * usual)
        return np.asarray(raw[good])

    @property
    def rate_bpm(self) -> float | None:
        """Beats a minute by the mean of credible intervals; None where there are less than 3."""
        intervals = self.intervals_s
        return 60.0 / float(np.mean(intervals)) if len(intervals) >= 3 else None


@dataclass(frozen=True)
class Variability:
    """Heart rate variability in the time domain.

    Parameters
    ----------
    rmssd_ms : float
        Root mean square of successive differences of intervals.
    sdnn_ms : float
    pnn50 : float
        Share of successive differences over 50 ms.

    References
    ----------
    Task Force of ESC and NASPE, Circulation 93 (1996).
    """

    rmssd_ms: float
    sdnn_ms: float
    pnn50: float


def find_beats(ppg: ArrayLike, fs_hz: float) -> Beats:
    """Systolic peaks of a pulse signal.

    Parameters
    ----------
    ppg : array-like, shape (n,), arbitrary units, systole upwards
    fs_hz : float
        At least 25 Hz.

    Raises
    ------
    SignalError
        If there is less than a second, or the rate is too low for a pulse.

    References
    ----------
    Elgendi et al., PLoS ONE 8 (2013) e76585: two moving averages of the
    squared, band-passed pulse (111 ms and 667 ms).
    """
    x = np.asarray(ppg, np.float64)
    if fs_hz < 25.0 or len(x) < fs_hz:
        raise SignalError("beats need a second of pulse or more, at 25 Hz or more")
    clean = signal.sosfiltfilt(
        _pulse_band(fs_hz), x - x.mean(), padlen=min(len(x) - 1, round(2 * fs_hz))
    )
    squared = np.maximum(clean, 0.0) ** 2
    # One motion burst must not raise the threshold of the quiet seconds.
    squared = np.minimum(squared, 20.0 * np.mean(squared) + 1e-12)
    peak = _average(squared, round(0.111 * fs_hz))
    threshold = _average(squared, round(0.667 * fs_hz)) + 0.02 * float(squared.mean())
    inside = np.concatenate([[False], peak > threshold, [False]])
    edges = np.flatnonzero(np.diff(inside.astype(np.int8)))
    found: list[int] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start < 0.111 * fs_hz:
            continue
        at = int(start + np.argmax(clean[start:stop]))
        if not found or at - found[-1] > _SHORTEST_S * fs_hz:
            found.append(at)
        elif clean[at] > clean[found[-1]]:
            found[-1] = at
    fine = [_vertex(clean, at) / fs_hz for at in found]
    return Beats(np.array(fine, np.float64), _similarity(clean, found, fs_hz))


@functools.lru_cache(maxsize=4)
def _pulse_band(fs_hz: float) -> Floats:
    band_hz = (0.5, min(8.0, 0.4 * fs_hz))
    return np.asarray(signal.butter(2, band_hz, "bandpass", fs=fs_hz, output="sos"))


def _average(x: Floats, n: int) -> Floats:
    n = max(1, n) | 1
    return np.asarray(np.convolve(x, np.ones(n) / n, "same"))


def _vertex(x: Floats, at: int) -> float:
    """Where the parabola through the peak and its neighbours has its top, in samples."""
    if not 0 < at < len(x) - 1:
        return float(at)
    before, top, after = x[at - 1 : at + 2]
    bend = before - 2.0 * top + after
    return at + 0.5 * float(before - after) / float(bend) if bend < 0.0 else float(at)


def _similarity(clean: Floats, found: list[int], fs_hz: float) -> float:
    """Mean correlation of each beat with the mean beat; 0 with fewer than three."""
    if len(found) < 3:
        return 0.0
    half = max(2, int(min(np.median(np.diff(found)), fs_hz) / 2))
    beats = np.array([clean[i - half : i + half] for i in found if half <= i <= len(clean) - half])
    if len(beats) < 3:
        return 0.0
    beats = beats - beats.mean(axis=1, keepdims=True)
    size = np.linalg.norm(beats, axis=1, keepdims=True)
    beats = beats / np.maximum(size, 1e-12)
    # The median is the template: a burst among the beats does not bend it.
    template = np.median(beats, axis=0)
    norm = float(np.linalg.norm(template))
    return float(np.mean(beats @ template) / norm) if norm > 1e-9 else 0.0


def variability(beats: Beats) -> Variability | None:
    """Heart rate variability; None with fewer than eight credible intervals."""
    ms = 1000.0 * beats.intervals_s
    if len(ms) < 8:
        return None
    steps = np.diff(ms)
    return Variability(
        float(np.sqrt(np.mean(steps**2))),
        float(np.std(ms, ddof=1)),
        float(np.mean(np.abs(steps) > 50.0)),
    )


def conductance_responses(
    gsr_us: ArrayLike, fs_hz: float, *, least_us: float = 0.01
) -> list[tuple[float, float]]:
    """Skin conductance responses: rises of at least `least_us`.

    Parameters
    ----------
    gsr_us : array-like, shape (n,), microsiemens
    fs_hz : float
        At least 2 Hz.
    least_us : float
        Usual limits are 0.01 to 0.05 (Boucsein, Electrodermal Activity, 2012);
        never less than a hundredth of the level, whose drift is no response.

    Returns
    -------
    list of (rise_s, amplitude_us)
        In order of time: when the rise is steepest, and how high it leads,
        what else the conductance does taken off.

    Raises
    ------
    SignalError
        If there are less than five seconds, or the rate is too low.
    """
    x = np.asarray(gsr_us, np.float64)
    if fs_hz < 2.0 or len(x) < 5.0 * fs_hz:
        raise SignalError("responses need five seconds of conductance or more, at 2 Hz or more")
    least_us = max(least_us, 0.01 * float(np.median(x)))
    if fs_hz > 8.0:
        step = int(fs_hz // 8.0)
        n = len(x) // step * step
        x, fs_hz = x[:n].reshape(-1, step).mean(axis=1), fs_hz / step
    smooth = _edge_average(x, round(0.5 * fs_hz))
    # A response decays with a time constant of about 3 s: taking that off turns each into a
    # pulse of its own, also where one rides on the fall of another.
    driver = np.gradient(smooth) * fs_hz + smooth / _DECAY_S
    span = round(15.0 * fs_hz) | 1
    driver -= signal.medfilt(np.pad(driver, span // 2, mode="reflect"), span)[span // 2 :][: len(x)]
    peaks, _ = signal.find_peaks(
        driver, height=least_us / 1.5, prominence=least_us / 1.5, distance=max(1, round(fs_hz))
    )
    found: list[tuple[float, float]] = []
    for at, (start, stop) in zip(peaks, _around(driver, peaks, round(fs_hz)), strict=True):
        area = float(np.maximum(driver[start:stop], 0.0).sum() / fs_hz)
        if _SHAPE * area >= least_us:
            found.append((float(at / fs_hz), _SHAPE * area))
    # The shoulders of a response whose decay is not the assumed one are no responses.
    largest = max((height for _, height in found), default=0.0)
    found = [(at, height) for at, height in found if height >= _SHOULDER * largest]
    return found


def _around(driver: Floats, peaks: NDArray[np.int64], reach: int) -> list[tuple[int, int]]:
    """Where each peak begins and ends: `reach` around it, and never beyond the valley between."""
    found = []
    for i, at in enumerate(peaks):
        start, stop = max(0, at - reach), at + reach + 1
        if i and peaks[i - 1] > at - 2 * reach:
            start = max(start, int(peaks[i - 1] + np.argmin(driver[peaks[i - 1] : at])))
        if i + 1 < len(peaks) and peaks[i + 1] < at + 2 * reach:
            stop = min(stop, int(at + np.argmin(driver[at : peaks[i + 1]])) + 1)
        found.append((start, stop))
    return found


def _edge_average(x: Floats, n: int) -> Floats:
    n = max(1, n) | 1
    return np.asarray(np.convolve(np.pad(x, n // 2, mode="edge"), np.ones(n) / n, "valid"))
