"""Does the sensor network learn? On simulated listeners, where what is to be learned is known.

No performance of anything: how strongly these listeners feel is set by hand. At k = 6 the network
has to find what hand-made features find; at k = 0 nobody feels anything, and whatever scores above
chance leaks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference.datasets import simulated
from inference.evaluation.baselines import FeatureSystem, forest
from inference.evaluation.crossval import OutOfFold, Samples, System, cross_validate, result_row
from inference.evaluation.folds import Groups, Protocol, make_folds
from inference.evaluation.intervals import bootstrap_difference
from inference.evaluation.metrics import balanced_accuracy
from inference.evaluation.results import RunRecord, write_results
from inference.job import Job
from inference.physio.named import NAMED_FEATURES
from inference.training.loops import Optimisation
from inference.training.sensor import Recording, SensorSystem, SensorTraining, prepare_recordings

__all__ = ["SimulatedOptions", "evaluate_simulated"]

Row = dict[str, object]
_FOREST = "named features + forest"


@dataclass(frozen=True)
class SimulatedOptions:
    """An evaluation on simulated listeners.

    Parameters
    ----------
    couplings : sequence of float
        k; see `inference.physio.simulate`.
    listeners, songs : int
        Each listener hears each song; quadrants are equally many.
    duration_s : float
        Of a song.
    folds, seeds : int
    epochs : int
    native : bool
        Also measure images of 64 columns, at five times the cost.
    results : Path
    work : Path, optional
        For finished folds.
    command : sequence of str
    """

    couplings: Sequence[float] = (0.0, 6.0)
    listeners: int = 24
    songs: int = 32
    duration_s: float = 40.0
    folds: int = 4
    seeds: int = 3
    epochs: int = 12
    native: bool = False
    results: Path = Path("results")
    work: Path | None = None
    command: Sequence[str] = ("undertone", "evaluate", "simulated")

    @property
    def training(self) -> SensorTraining:
        """More, smaller steps than on real listenings, where early stopping ends after few.

        A fixed number of them: like the forest, the network learns from all
        listeners of the training part.
        """
        steps = Optimisation(epochs=self.epochs, batch=16, rate=2e-3)
        return SensorTraining(optimisation=steps, early_stop=False)


def evaluate_simulated(options: SimulatedOptions) -> Job[list[Row]]:
    """Measure with songs held out, and write ``simulated-listeners.csv`` and ``.json``.

    Returns
    -------
    list of dict
        For each k the forest on named features, the network, and the network
        with these features beside its scalograms, each also as the mean of its
        seeds (a forest is a mean, too); `behind` is how much of balanced
        accuracy a network lies behind the forest. Intervals are 95 % by
        bootstrap over listeners.
    """
    began_s = time.monotonic()
    rows: list[Row] = []
    for k in options.couplings:
        rows += yield from _at(k, options)
    record = RunRecord(
        list(options.command),
        "simulated listeners",
        "P2, songs held out",
        "made by the program, seed 0",
        list(range(options.seeds)),
        time.monotonic() - began_s,
        {
            "listeners": options.listeners,
            "songs": options.songs,
            "duration_s": options.duration_s,
            "folds": options.folds,
            "epochs": options.epochs,
        },
    )
    write_results(options.results, "simulated-listeners", rows, record)
    return rows


def _at(k: float, options: SimulatedOptions) -> Job[list[Row]]:
    data = simulated.make(
        k, listeners=options.listeners, songs=options.songs, duration_s=options.duration_s
    )
    recordings = yield from prepare_recordings(data)
    training = options.training
    joined = replace(training, network=replace(training.network, features=len(NAMED_FEATURES)))
    native = replace(training, network=replace(training.network, decimation=1))
    systems: dict[str, System[Recording]] = {
        _FOREST: FeatureSystem(_named, forest),
        "ssia-cbgru": SensorSystem(training),
        "ssia-cbgru + named features": SensorSystem(joined),
    }
    if options.native:
        systems["ssia-cbgru, native columns"] = SensorSystem(native)
    samples = Samples(recordings, data.labels, data.column("listener"))
    folds = make_folds(
        Protocol.P2,
        data.labels,
        Groups({"song": data.column("song")}),
        n_folds=options.folds,
        seed=0,
    )
    found: dict[str, OutOfFold] = {}
    for name, system in systems.items():
        file = None
        if options.work is not None and name != _FOREST:
            slug = "-".join(name.replace("+", " ").replace(",", " ").split())
            file = options.work / f"simulated-{k:g}-{slug}-{options.epochs}.npz"
        found[name] = outside = yield from cross_validate(
            system, samples, folds, seeds=range(options.seeds), checkpoint=file
        )
        if name != _FOREST and options.seeds > 1:
            mean = outside.probabilities.mean(axis=0, keepdims=True)
            found[f"{name}, mean of {options.seeds}"] = OutOfFold(mean, outside.tested)
    return [_row(k, name, samples, outside, found[_FOREST]) for name, outside in found.items()]


def _row(
    k: float, name: str, samples: Samples[Recording], found: OutOfFold, best: OutOfFold
) -> Row:
    d = bootstrap_difference(
        balanced_accuracy, samples.labels, best.probabilities, found.probabilities, samples.groups
    )
    row: Row = {"coupling": float(k), **result_row(name, samples, found)}
    return row | {"behind": d.value, "behind_low": d.low, "behind_high": d.high}


def _named(recording: Recording) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    assert recording.features is not None
    return recording.features.astype(np.float64)
