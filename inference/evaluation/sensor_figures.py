"""What is known of the sensor networks: all lines of the table, under P3, P1 and P4, with twins."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.datasets import SensorSet
from inference.evaluation.baselines import FeatureSystem, MajoritySystem, forest
from inference.evaluation.controls import permute_labels
from inference.evaluation.crossval import OutOfFold, Samples, System, cross_validate, result_row
from inference.evaluation.folds import Fold, Groups, Protocol, make_folds
from inference.evaluation.intervals import bootstrap, bootstrap_difference
from inference.evaluation.metrics import (
    HIGH_AROUSAL,
    HIGH_VALENCE,
    Metric,
    balanced_accuracy,
)
from inference.job import Job
from inference.physio.named import NAMED_FEATURES
from inference.training.sensor import Recording, SensorSystem, SensorTraining

__all__ = [
    "NETWORK",
    "ONE_SIGNAL",
    "VARIANTS",
    "Judged",
    "axis_balanced",
    "crossed_parts",
    "judge",
    "one_signal",
    "only",
    "song_consensus",
]

Floats = NDArray[np.float64]
Row = dict[str, object]

NETWORK = "ssia-cbgru"
"""Name of the shipped network in the table."""
ONE_SIGNAL = {"gsr": 0, "ppg": 1}
"""Networks of one signal: name and place among the images."""
VARIANTS = {"features": " + named features", "windows": ", windows of 0.5, 4 and 12 s"}
"""Networks that may be measured beside it, under P3 and P4, and their names in the table."""
_FEATURES = "named features + forest"
_PROTOCOLS = (Protocol.P3, Protocol.P1, Protocol.P4)
_CROSSED = (Protocol.P3, Protocol.P4)


@dataclass(frozen=True)
class Judged:
    """The rows of the table, and the predictions behind some of them.

    Parameters
    ----------
    rows : list of dict
    outside : mapping of "P3/<name>" and the like to OutOfFold
    folds : mapping of Protocol to folds
    """

    rows: list[Row]
    outside: Mapping[str, OutOfFold]
    folds: Mapping[Protocol, Sequence[Fold]]


@dataclass(frozen=True)
class _Line:
    """One system of the table.

    Parameters
    ----------
    name : str
    system : System
    inputs : sequence
        What it reads of each listening.
    twin : bool
        Whether it also runs on permuted labels.
    protocols : tuple of Protocol
    checkpoint : str
        Names its finished folds; empty where it takes no time.
    """

    name: str
    system: System[Any]
    inputs: Sequence[Any]
    twin: bool = False
    protocols: tuple[Protocol, ...] = _PROTOCOLS
    checkpoint: str = ""


def only(recordings: Sequence[Recording], signal: int) -> list[Recording]:
    """The recordings with one of their signals."""
    return [replace(r, images=(r.images[signal],)) for r in recordings]


def one_signal(training: SensorTraining, signal: int) -> SensorTraining:
    """The same training for the network of one signal."""
    network = replace(training.network, encoders=(training.network.encoders[signal],))
    return replace(training, network=network)


def _lines(
    data: SensorSet,
    recordings: Sequence[Recording],
    training: SensorTraining,
    compare: Collection[str],
) -> list[_Line]:
    variants = {
        "features": replace(training.network, features=len(NAMED_FEATURES)),
        "windows": replace(training.network, scales=(1, 8, 24)),
    }

    def network(
        name: str, settings: SensorTraining, inputs: Sequence[Recording], **more: Any
    ) -> _Line:
        slug = "-".join(name.replace("+", " ").replace(",", " ").split())
        digest = hashlib.sha256(repr(settings).encode()).hexdigest()[:12]
        return _Line(name, SensorSystem(settings), inputs, checkpoint=f"{slug}-{digest}", **more)

    return [
        _Line("majority", MajoritySystem[Recording](), recordings),
        _Line(
            "order in the session only",
            FeatureSystem(_order, forest),
            [x.order for x in data.listenings],
        ),
        _Line(_FEATURES, FeatureSystem(_named, forest), recordings, twin=True),
        network(NETWORK, training, recordings, twin=True),
        *(
            network(
                f"{NETWORK}, {name.upper()} alone",
                one_signal(training, signal),
                only(recordings, signal),
                twin=True,
                protocols=(Protocol.P3,),
            )
            for name, signal in ONE_SIGNAL.items()
        ),
        *(
            network(
                f"{NETWORK}{VARIANTS[name]}",
                replace(training, network=settings),
                recordings,
                protocols=_CROSSED,
            )
            for name, settings in variants.items()
            if name in compare
        ),
    ]


def _order(place: int) -> Floats:
    return np.array([float(place)])


def _named(recording: Recording) -> Floats:
    if recording.features is None:
        raise ValueError("this recording has no named features")
    return recording.features.astype(np.float64)


def judge(
    data: SensorSet,
    recordings: Sequence[Recording],
    training: SensorTraining,
    *,
    n_folds: int,
    seeds: Sequence[int],
    checkpoints: Path,
    compare: Collection[str] = (),
    n_draws: int = 1000,
) -> Job[Judged]:
    """Run every line under every protocol; intervals by bootstrap over listeners.

    Parameters
    ----------
    data : SensorSet
    recordings : sequence of Recording
        Of the data's listenings, in their order.
    training : SensorTraining
        Of the shipped network; the variants differ from it in one thing each.
    n_folds : int
        Of P3 and P1; P4 crosses half as many parts of listeners with as many of songs.
    seeds : sequence of int
    checkpoints : Path
        Folder of finished folds.
    compare : collection of str
        Which of `VARIANTS` to measure as well.
    n_draws : int
        Of the bootstrap.
    """
    rows: list[Row] = []
    outside: dict[str, OutOfFold] = {}
    folds: dict[Protocol, Sequence[Fold]] = {}
    groups = Groups({k: data.column(k) for k in ("listener", "recording", "song")})
    permuted = permute_labels(data.labels, data.column("recording"), seed=1)

    def split(protocol: Protocol, labels: NDArray[np.int64]) -> Sequence[Fold]:
        n = crossed_parts(n_folds) if protocol is Protocol.P4 else n_folds
        return make_folds(protocol, labels, groups, n_folds=n, seed=0)

    for protocol in _PROTOCOLS:
        folds[protocol] = split(protocol, data.labels)
    # Line by line, so that the shipped network is judged before its variants are.
    for line in _lines(data, recordings, training, compare):
        for protocol in line.protocols:
            for twin in (False, True) if line.twin else (False,):
                labels = permuted if twin else data.labels
                name = f"{line.name}, labels permuted" if twin else line.name
                samples = Samples(line.inputs, labels, data.column("listener"))
                file = None
                if line.checkpoint:
                    kind = "permuted" if twin else "true"
                    file = checkpoints / f"{protocol.value}-{line.checkpoint}-{kind}.npz"
                found = yield from cross_validate(
                    line.system,
                    samples,
                    split(protocol, labels) if twin else folds[protocol],
                    seeds=seeds,
                    checkpoint=file,
                )
                outside[f"{protocol.value}/{name}"] = found
                base = None if twin else outside.get(f"{protocol.value}/{NETWORK}")
                rows.append(_row(protocol, name, samples, found, base, n_draws))
    for protocol in _PROTOCOLS:
        prior, known = song_consensus(data.labels, data.column("song"), folds[protocol])
        if known.any():
            samples = Samples[Any](recordings, data.labels, data.column("listener"))
            found = OutOfFold(prior[None], known)
            name = "song consensus of other listeners"
            rows.append(_row(protocol, name, samples, found, None, n_draws))
    order = [p.value for p in _PROTOCOLS]
    rows.sort(key=lambda row: order.index(str(row["protocol"])))
    return Judged(rows, outside, folds)


def crossed_parts(n_folds: int) -> int:
    """Parts of listeners, and of songs, that P4 crosses: as many folds again would be squared."""
    return max(2, (n_folds + 1) // 2)


def song_consensus(
    labels: NDArray[np.int64], songs: NDArray[np.str_], folds: Sequence[Fold]
) -> tuple[Floats, NDArray[np.bool_]]:
    """What the training listeners of each fold felt during the same song.

    Returns
    -------
    probabilities : ndarray, shape (n, 4)
        Their counts and one more vote, split as the training labels are.
    known : ndarray of bool, shape (n,)
    """
    p = np.zeros((len(labels), 4))
    known = np.zeros(len(labels), bool)
    for fold in folds:
        share = np.bincount(labels[fold.train], minlength=4) / len(fold.train)
        for i in fold.test:
            same = fold.train[songs[fold.train] == songs[i]]
            votes = np.bincount(labels[same], minlength=4) + share
            p[i], known[i] = votes / votes.sum(), len(same) > 0
    return p, known


def axis_balanced(high: Floats) -> Metric:
    """Balanced accuracy of one axis, of which `high` (4,) is 1 for the quadrants that are high."""

    def metric(y: ArrayLike, p: ArrayLike) -> float:
        rows = np.asarray(p, np.float64)
        share = rows @ high / rows.sum(axis=1)
        truth = (high[np.asarray(y, np.int64)] > 0.5).astype(np.int64)
        return balanced_accuracy(truth, np.stack([1.0 - share, share], axis=1))

    return metric


def _row(
    protocol: Protocol,
    name: str,
    samples: Samples[Any],
    found: OutOfFold,
    base: OutOfFold | None,
    n_draws: int,
) -> Row:
    """A line of the table; `gain` is the paired difference of balanced accuracy to the network."""
    row: Row = {"protocol": protocol.value, **result_row(name, samples, found, n_draws=n_draws)}
    at = np.flatnonzero(found.tested)
    y, p, who = samples.labels[at], found.probabilities[:, at], samples.groups[at]
    for axis, high in (("arousal", HIGH_AROUSAL), ("valence", HIGH_VALENCE)):
        i = bootstrap(axis_balanced(high), y, p, who, n_draws=n_draws)
        key = f"{axis}_balanced"
        row |= {key: i.value, f"{key}_low": i.low, f"{key}_high": i.high}
    row["log_loss"] = float(
        np.mean([-np.log(np.maximum(run[np.arange(len(y)), y], 1e-9)).mean() for run in p])
    )
    if base is None or found is base:
        return row | dict.fromkeys(("gain", "gain_low", "gain_high"), "")
    d = bootstrap_difference(
        balanced_accuracy, y, p, base.probabilities[:, at], who, n_draws=n_draws
    )
    return row | {"gain": d.value, "gain_low": d.low, "gain_high": d.high}
