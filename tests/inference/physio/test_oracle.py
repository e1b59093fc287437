"""Heart rate, variability and responses against NeuroKit2, on its simulations and on ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from inference.emotion import QUADRANTS
from inference.physio.features import conductance_responses, find_beats, variability
from inference.physio.simulate import SimulatedListener

FS = 128
SECONDS = 60


@pytest.fixture(scope="module")
def nk() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it and pandas warn of each other's age
        yield pytest.importorskip("neurokit2")


def rate_and_rmssd(nk: Any, ppg: np.ndarray) -> tuple[float, float]:
    clean = nk.ppg_clean(ppg, sampling_rate=FS)
    peaks = nk.ppg_findpeaks(clean, sampling_rate=FS)["PPG_Peaks"]
    rmssd = nk.hrv_time(peaks, sampling_rate=FS)["HRV_RMSSD"].iloc[0]
    return 60.0 * FS / float(np.mean(np.diff(peaks))), float(rmssd)


def response_count(nk: Any, gsr: np.ndarray) -> int:
    clean = nk.eda_clean(gsr, sampling_rate=FS)
    phasic = nk.eda_phasic(clean, sampling_rate=FS)["EDA_Phasic"].to_numpy()
    return len(nk.eda_peaks(phasic, sampling_rate=FS)[1]["SCR_Peaks"])


@pytest.mark.parametrize("bpm", [48, 63, 75, 92, 118])
def test_heart_rate_and_rmssd_of_its_pulse(nk: Any, bpm: int) -> None:
    ppg = nk.ppg_simulate(
        duration=SECONDS,
        sampling_rate=FS,
        heart_rate=bpm,
        motion_amplitude=0.1,
        powerline_amplitude=0.02,
        random_state=bpm,
    )
    theirs, rmssd = rate_and_rmssd(nk, ppg)
    beats = find_beats(ppg, FS)
    found = variability(beats)
    assert beats.rate_bpm == pytest.approx(theirs, abs=2.0)
    assert beats.rate_bpm == pytest.approx(bpm, abs=2.0)
    assert found is not None
    assert found.rmssd_ms == pytest.approx(rmssd, rel=0.15)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_heart_rate_of_our_listener_where_the_hand_is_still(nk: Any, seed: int) -> None:
    # NeuroKit2 takes motion for beats: only listenings without bursts can be compared.
    listener = SimulatedListener("real", seed)
    listener.song(QUADRANTS[seed % 4], seed)
    listener.next(20 * FS)
    ppg = listener.next(SECONDS * FS)[1].astype(float)
    theirs, _ = rate_and_rmssd(nk, ppg)
    assert find_beats(ppg, FS).rate_bpm == pytest.approx(theirs, abs=2.0)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 10])
@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_responses_of_its_conductance(nk: Any, count: int, noise: float) -> None:
    gsr = nk.eda_simulate(
        duration=SECONDS,
        sampling_rate=FS,
        scr_number=count,
        noise=noise,
        drift=-0.005,
        random_state=count,
    )
    found = conductance_responses(gsr, FS)
    assert abs(len(found) - response_count(nk, gsr)) <= 1
    assert abs(len(found) - count) <= 1
