"""The sensor network learns what is there, on simulated listeners who feel strongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from inference.datasets import simulated
from inference.evaluation import Groups, Samples, grouped_folds
from inference.evaluation.metrics import balanced_accuracy
from inference.evaluation.sensor_figures import axis_balanced
from inference.evaluation.sensor_simulated import SimulatedOptions, evaluate_simulated
from inference.job import run_to_end
from inference.training.sensor import Recording, predict_sensor, prepare_recordings, train_sensor

pytestmark = pytest.mark.training


def test_songs_held_out_are_told_apart_well_above_chance() -> None:
    data = simulated.make(14.0, listeners=5, songs=16, duration_s=12.0)
    recordings = run_to_end(prepare_recordings(data))
    songs = data.column("song")
    fold = grouped_folds(data.labels, Groups({"song": songs}), n_folds=2, seed=0)[0]
    # Few listeners: none can be spared for early stopping.
    training = replace(SimulatedOptions(epochs=12).training, early_stop=False)
    samples = Samples[Recording](recordings, data.labels, data.column("listener"))
    net = train_sensor(samples.take(fold.train), training, 0)
    p = predict_sensor(net, [recordings[i] for i in fold.test], training)
    assert balanced_accuracy(data.labels[fold.test], p) >= 0.45


def test_the_table_of_simulated_listeners(tmp_path) -> None:
    options = SimulatedOptions(
        couplings=(0.0,), listeners=3, songs=8, duration_s=9.0, folds=2, seeds=2, epochs=1,
        results=tmp_path, work=tmp_path / "work",
    )  # fmt: skip
    rows = run_to_end(evaluate_simulated(options))
    forest, *networks = rows
    assert [row["system"] for row in networks] == [
        "ssia-cbgru",
        "ssia-cbgru, mean of 2",
        "ssia-cbgru + named features",
        "ssia-cbgru + named features, mean of 2",
    ]
    for row in networks:
        behind = forest["balanced_accuracy"] - row["balanced_accuracy"]
        assert row["behind"] == pytest.approx(behind)
        assert row["behind_low"] <= row["behind"] <= row["behind_high"]
    assert (tmp_path / "simulated-listeners.csv").is_file()


def test_balanced_accuracy_of_an_axis() -> None:
    high = np.array([1.0, 1.0, 0.0, 0.0])
    y = np.array([0, 1, 1, 1, 2])
    p = np.full((5, 4), 0.25)
    p[:, 1] += 0.5  # always high
    assert axis_balanced(high)(y, p) == 0.5
    p[4] = [0.1, 0.1, 0.4, 0.4]
    assert axis_balanced(high)(y, p) == 1.0
