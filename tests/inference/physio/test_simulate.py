"""The simulated listener: repeatable, within human ranges, feels as much as it is told to."""

import numpy as np
import pytest
from scipy import signal

from inference.datasets import simulated
from inference.emotion import MoodPoint, Quadrant
from inference.evaluation import Groups, Samples, cross_validate, grouped_folds, score
from inference.evaluation.baselines import FeatureSystem, forest
from inference.job import run_to_end
from inference.physio.named import named_features
from inference.physio.simulate import SimulatedListener


def test_samples_do_not_depend_on_how_they_are_asked_for() -> None:
    a, b = SimulatedListener("demo", 3), SimulatedListener("demo", 3)
    for listener in (a, b):
        listener.song(Quadrant.HAHV, seed=1)
    whole = a.next(2000)
    parts = [b.next(n) for n in (1, 63, 64, 500, 1372)]
    for i in range(2):
        assert np.array_equal(whole[i], np.concatenate([p[i] for p in parts]))
    assert not np.array_equal(whole[1], SimulatedListener("demo", 4).next(2000)[1])


def test_signals_are_of_a_living_person() -> None:
    rates = []
    for seed in range(6):
        listener = SimulatedListener("real", seed)
        listener.song(Quadrant.LAHV, seed)
        gsr, ppg = listener.next(128 * 60)
        assert gsr.dtype == ppg.dtype == np.float32
        assert np.isfinite(gsr).all()
        assert 0.0 < np.median(gsr) < 30.0
        quiet = signal.sosfiltfilt(
            signal.butter(2, [0.7, 4], "bandpass", fs=128, output="sos"), ppg
        )
        f_hz, power = signal.welch(quiet, 128, nperseg=2048)
        rates.append(60 * f_hz[power.argmax()])
        assert rates[-1] == pytest.approx(listener.traits.heart_rate_bpm, abs=15)
    assert np.ptp(rates) > 5


def test_truth_is_known() -> None:
    listener = SimulatedListener("demo", 0)
    assert listener.truth is None
    listener.song(MoodPoint(valence=-0.4, arousal=0.3), seed=0)
    assert listener.truth is Quadrant.HALV
    with pytest.raises(ValueError, match="32 Hz"):
        SimulatedListener("demo", 0, fs_hz=4.0)


def test_memory_does_not_grow() -> None:
    listener = SimulatedListener("real", 1)
    listener.song(Quadrant.HALV, 0)
    for _ in range(600):
        listener.next(128)
    assert len(listener._responses) < 31
    assert len(listener._left[0]) < 128


@pytest.mark.parametrize(("coupling", "low", "high"), [(8.0, 0.55, 1.0), (0.0, 0.05, 0.40)])
def test_hand_features_find_what_is_there_and_no_more(
    coupling: float, low: float, high: float
) -> None:
    data = simulated.make(coupling, listeners=6, songs=16, duration_s=30.0)
    vectors = []
    for who in sorted(set(data.column("listener"))):
        mine = [x for x in data.listenings if x.listener == who]
        x = np.stack(
            [named_features(np.log(m.gsr.samples + 0.01), m.ppg.samples / 40.0) for m in mine]
        )
        vectors += list((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9))
    songs = data.column("song")
    folds = grouped_folds(data.labels, Groups({"song": songs}), n_folds=4, seed=0)
    system: FeatureSystem[np.ndarray] = FeatureSystem(lambda v: v, forest)
    found = run_to_end(
        cross_validate(system, Samples(vectors, data.labels, songs), folds, seeds=[0])
    )
    assert low < score(data.labels, found.probabilities[0]).balanced_accuracy < high
