"""The 22 named features of the RS-BF baseline: what a person would measure in GSR and PPG."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from inference.physio.features import Beats, conductance_responses, find_beats
from inference.physio.signals import FS_HZ, SignalError

__all__ = ["NAMED_FEATURES", "named_features"]

Floats = NDArray[np.float64]

NAMED_FEATURES = (
    "gsr_level_mean", "gsr_level_sd", "gsr_level_range", "gsr_level_slope",
    "gsr_phasic_sd", "gsr_phasic_skewness", "scr_per_min", "gsr_rise_mean",
    "heart_rate_mean", "heart_rate_sd", "rmssd", "pnn50",
    "pulse_amplitude_mean", "pulse_amplitude_sd", "heart_rate_slope",
    "ppg_power_0.5_1hz", "ppg_power_1_2hz", "ppg_power_2_4hz", "ppg_power_4_8hz",
    "ppg_sd", "ppg_skewness", "ppg_kurtosis",
)  # fmt: skip
"""Names, in the order of `named_features`."""

_BANDS_HZ = ((0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0))
_LEAST_S = 5.0
_TONIC_HZ = 0.05


def named_features(gsr: ArrayLike, ppg: ArrayLike, fs_hz: float = FS_HZ) -> Floats:
    """Features of conditioned signals, shape (22,), in the order of `NAMED_FEATURES`.

    Parameters
    ----------
    gsr : array-like, shape (n,)
        ln conductance above the listener's level (0 is the level).
    ppg : array-like, shape (n,)
        Band-passed pulse in the listener's deviations.
    fs_hz : float

    Returns
    -------
    ndarray, shape (22,), float64
        Levels, slopes (a second) and rises in ln conductance; rates in beats
        a minute, their slope in beats a minute a beat; RMSSD in s; amplitude
        in ln deviations; power as ln. What cannot be measured (no pulse, no
        rise) is 0.

    Raises
    ------
    SignalError
        If there are less than five seconds.

    References
    ----------
    Ayata, Yaslan, Kamasak, IEEE Trans. Consumer Electronics 64 (2018).
    """
    level, pulse = np.asarray(gsr, np.float64), np.asarray(ppg, np.float64)
    if min(len(level), len(pulse)) < _LEAST_S * fs_hz:
        raise SignalError("named features need five seconds of both signals or more")
    found = _conductance(level, fs_hz) + _beats(pulse, fs_hz) + _spectrum(pulse, fs_hz)
    return np.nan_to_num(np.array(found, np.float64))


def _conductance(level: Floats, fs_hz: float) -> list[float]:
    t_s = np.arange(len(level)) / fs_hz
    high_pass = signal.butter(2, _TONIC_HZ, "highpass", fs=fs_hz, output="sos")
    phasic = signal.sosfilt(high_pass, level - level[0])
    slope = np.diff(level) * fs_hz
    # Of conductance relative to the level, a response of a hundredth counts.
    responses = conductance_responses(np.exp(np.clip(level, -5.0, 5.0)), fs_hz)
    return [
        float(level.mean()),
        float(level.std()),
        float(np.ptp(level)),
        float(np.polyfit(t_s, level, 1)[0]),
        float(phasic.std()),
        _moment(phasic, 3),
        60.0 * len(responses) / float(t_s[-1]),
        float(slope[slope > 0].mean()) if (slope > 0).any() else 0.0,
    ]


def _beats(pulse: Floats, fs_hz: float) -> list[float]:
    beats: Beats = find_beats(pulse, fs_hz)
    intervals = beats.intervals_s
    if len(intervals) < 4:
        return [0.0] * 7
    rate = 60.0 / intervals
    steps = np.diff(intervals)
    tops = pulse[np.clip(np.round(beats.times_s * fs_hz).astype(np.int64), 0, len(pulse) - 1)]
    height = np.log(np.maximum(tops, 1e-2))
    return [
        float(rate.mean()),
        float(rate.std()),
        float(np.sqrt((steps**2).mean())),
        float((np.abs(steps) > 0.05).mean()),
        float(height.mean()),
        float(height.std()),
        float(np.polyfit(np.arange(len(rate)), rate, 1)[0]),
    ]


def _spectrum(pulse: Floats, fs_hz: float) -> list[float]:
    f_hz, power = signal.welch(pulse, fs_hz, nperseg=min(len(pulse), round(4 * fs_hz)))
    bands = [
        float(np.log(power[(f_hz >= low) & (f_hz < high)].sum() + 1e-9)) for low, high in _BANDS_HZ
    ]
    return [*bands, float(np.log(pulse.std() + 1e-9)), _moment(pulse, 3), _moment(pulse, 4)]


def _moment(x: Floats, order: int) -> float:
    spread = float(x.std())
    return float((((x - x.mean()) / spread) ** order).mean()) if spread > 1e-12 else 0.0
