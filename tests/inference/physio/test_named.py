"""The 22 named features: each moves with what it is named after."""

from __future__ import annotations

import numpy as np
import pytest

from inference.physio.named import NAMED_FEATURES, named_features
from inference.physio.signals import FS_HZ, SignalError

T_S = np.arange(0, 60, 1 / FS_HZ)


def pulse(bpm: float = 72.0, size: float = 1.0, swing_s: float = 0.0) -> np.ndarray:
    interval = 60.0 / bpm + swing_s * np.sin(2 * np.pi * 0.25 * T_S)
    phase = np.cumsum(1.0 / interval / FS_HZ)
    wave = np.exp(-(((phase % 1.0) - 0.3) ** 2) / 0.01)
    return size * (wave - wave.mean())


def level(at: float = 0.0, slope: float = 0.0, responses: int = 0) -> np.ndarray:
    gsr = at + slope * T_S
    for onset in np.linspace(4, 54, responses) if responses else ():
        since = np.maximum(T_S - onset, 0.0)
        gsr += 0.2 * (np.exp(-since / 3.0) - np.exp(-since / 0.5))
    return gsr


def features(**signals: np.ndarray) -> dict[str, float]:
    found = named_features(signals.get("gsr", level()), signals.get("ppg", pulse()))
    return dict(zip(NAMED_FEATURES, found.tolist(), strict=True))


def test_there_are_22_with_names_of_their_own() -> None:
    assert len(set(NAMED_FEATURES)) == 22
    assert all(np.isfinite(list(features().values())))


def test_conductance() -> None:
    f = features(gsr=level(0.7, 0.01, 5))
    assert f["gsr_level_slope"] == pytest.approx(0.01, abs=0.003)
    assert f["gsr_level_mean"] == pytest.approx(0.7 + 0.3, abs=0.1)
    assert f["gsr_level_range"] > 0.5
    assert f["scr_per_min"] == pytest.approx(5.0, abs=1.1)
    flat = features(gsr=level(0.7))
    assert flat["scr_per_min"] == 0.0
    assert flat["gsr_phasic_sd"] < f["gsr_phasic_sd"]
    assert flat["gsr_rise_mean"] == 0.0


def test_pulse() -> None:
    slow, quick = features(ppg=pulse(60.0)), features(ppg=pulse(100.0))
    assert slow["heart_rate_mean"] == pytest.approx(60.0, abs=1.0)
    assert quick["heart_rate_mean"] == pytest.approx(100.0, abs=1.0)
    swinging = features(ppg=pulse(60.0, swing_s=0.06))
    assert swinging["rmssd"] == pytest.approx(
        np.sqrt(2) * 0.06 * np.sin(np.pi * 0.25 * 1.0), rel=0.25
    )
    assert swinging["pnn50"] > slow["pnn50"]
    assert swinging["heart_rate_sd"] > slow["heart_rate_sd"]
    large = features(ppg=pulse(60.0, size=2.0))
    assert large["pulse_amplitude_mean"] - slow["pulse_amplitude_mean"] == pytest.approx(
        np.log(2.0), abs=0.05
    )
    assert large["ppg_sd"] - slow["ppg_sd"] == pytest.approx(np.log(2.0), abs=0.05)
    assert large["ppg_kurtosis"] == pytest.approx(slow["ppg_kurtosis"], rel=0.01)


def test_without_a_pulse_its_features_are_zero_and_short_signals_are_refused() -> None:
    none = features(ppg=np.zeros_like(T_S))
    assert none["heart_rate_mean"] == none["rmssd"] == 0.0
    with pytest.raises(SignalError):
        named_features(T_S[:600], T_S[:600])
