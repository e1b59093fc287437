"""Tables I and II and the leak table: systems on GSR and PPG, under a named protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.datasets import SensorSet
from inference.evaluation.baselines import (
    FeatureSystem,
    MajoritySystem,
    extra_trees,
    forest,
    psd_features,
    svm,
)
from inference.evaluation.controls import leak_verdict, permute_labels
from inference.evaluation.crossval import Samples, System, cross_validate, result_row
from inference.evaluation.folds import Fold, Groups, LeakyFold, Protocol, make_folds
from inference.evaluation.metrics import balanced_accuracy
from inference.job import Job, Progress
from inference.models.encoder import EncoderConfig
from inference.models.sensor import SensorConfig
from inference.physio.images import ListenerScale, cut_images
from inference.physio.named import named_features
from inference.training.loops import Optimisation
from inference.training.sensor import Recording, SensorSystem, SensorTraining, conditioned_signals

__all__ = ["SENSOR_SYSTEMS", "SensorInput", "leak_table", "sensor_inputs", "sensor_table"]

Row = dict[str, object]
Signal = NDArray[np.float32]


@dataclass(frozen=True)
class SensorInput:
    """One listening, or a slice of one: both representations of the same seconds.

    Parameters
    ----------
    signals : tuple of ndarray, each (n,), float32
        Conditioned GSR (above the listener's level) and PPG (in the
        listener's deviations).
    scalogram : Recording
    """

    signals: tuple[Signal, Signal]
    scalogram: Recording

    def raw(self) -> Recording:
        """The signals as images of one row, with the same segments."""
        rows = tuple(s[None].astype(np.float16) for s in self.signals)
        return Recording(rows, self.scalogram.starts, self.scalogram.length)

    def kept_signals(self) -> tuple[Signal, Signal]:
        """What the segments of this input cover, joined."""
        covered = np.zeros(len(self.signals[0]), dtype=bool)
        for a in self.scalogram.starts:
            covered[a : a + self.scalogram.length] = True
        return self.signals[0][covered], self.signals[1][covered]


def sensor_inputs(
    data: SensorSet, *, segment_s: float = 0.5, prefix_s: float = 120.0
) -> Job[list[SensorInput]]:
    """Inputs of all listenings, with segments of any length and 30 % overlap."""
    by_listener: dict[str, list[int]] = {}
    for i, listening in enumerate(data.listenings):
        by_listener.setdefault(listening.listener, []).append(i)
    found: dict[int, SensorInput] = {}
    length = round(segment_s * 128)
    for members in by_listener.values():
        members.sort(key=lambda i: data.listenings[i].order)
        pairs = [conditioned_signals(data.listenings[i]) for i in members]
        scale = ListenerScale.of(
            np.concatenate([g for g, _ in pairs]),
            np.concatenate([p for _, p in pairs]),
            prefix_s=prefix_s,
        )
        for i, (gsr, ppg) in zip(members, pairs, strict=True):
            images, starts = cut_images(gsr, ppg, scale, length=length)
            recording = Recording(
                (images.gsr.astype(np.float16), images.ppg.astype(np.float16)), starts, length
            )
            signals = (
                gsr - np.float32(scale.gsr_level),
                ppg / np.float32(scale.ppg_deviation),
            )
            found[i] = SensorInput(signals, recording)
            yield Progress(len(found), len(data.listenings), data.listenings[i].recording)
    return [found[i] for i in range(len(data.listenings))]


@dataclass(frozen=True)
class _Deep:
    """A network on one of the two representations."""

    training: SensorTraining
    raw: bool

    def __call__(self, samples: Samples[SensorInput], seed: int) -> _DeepPredictor:
        inside = Samples(self.convert(samples.inputs), samples.labels, samples.groups)
        return _DeepPredictor(self, SensorSystem(self.training)(inside, seed))

    def convert(self, inputs: Sequence[SensorInput]) -> list[Recording]:
        return [i.raw() if self.raw else i.scalogram for i in inputs]


@dataclass(frozen=True)
class _DeepPredictor:
    system: _Deep
    predictor: Callable[[Sequence[Recording]], NDArray[np.float64]]

    def __call__(self, inputs: Sequence[SensorInput]) -> NDArray[np.float64]:
        return self.predictor(self.system.convert(inputs))


_RAW, _SG = (1, 1), (33, 32)


def _network(rows: tuple[int, int], **settings: object) -> SensorConfig:
    attention = settings.get("attention", "inner")
    encoders = tuple(EncoderConfig(rows=r, **settings) for r in rows)  # type: ignore[arg-type]
    return SensorConfig(
        encoders=encoders,
        attention="plain" if attention == "plain" else "inner",
        # Raw signals have frequencies up to 64 Hz, magnitudes of wavelets change slowly.
        decimation=1 if rows == _RAW else 4,
    )


_NETWORKS: dict[str, tuple[SensorConfig, bool]] = {
    "RS + IA-BLSTM": (_network(_RAW, channels=(), cell="lstm", dense=16), True),
    "RS + HA-BGRU": (_network(_RAW, channels=(), attention="plain", dense=16), True),
    "RS + HA-CBGRU": (_network(_RAW, attention="plain"), True),
    "SG + HA-CBGRU": (_network(_SG, attention="plain"), False),
    "SG + HIA-CBGRU": (_network(_SG), False),
}


def _hand(i: SensorInput) -> NDArray[np.float64]:
    gsr, ppg = i.kept_signals()
    return named_features(gsr, ppg)


def _psd(i: SensorInput) -> NDArray[np.float64]:
    gsr, ppg = i.kept_signals()
    return psd_features(gsr.astype(np.float64), ppg.astype(np.float64))


def _systems(optimisation: Optimisation | None) -> Mapping[str, System[SensorInput]]:
    found: dict[str, System[SensorInput]] = {
        "majority": MajoritySystem[SensorInput](),
        "RS-BF + RF": FeatureSystem(_hand, forest),
        "PSD + SVM": FeatureSystem(_psd, svm),
    }
    for name, (network, raw) in _NETWORKS.items():
        training = SensorTraining(network=network)
        if optimisation is not None:
            training = replace(training, optimisation=optimisation)
        found[name] = _Deep(training, raw)
    return found


SENSOR_SYSTEMS = tuple(_systems(None))
"""Rows of Table I, in the paper's order after the majority line."""


def _sliced(
    inputs: Sequence[SensorInput], n_slices: int, seed: int
) -> tuple[list[SensorInput], NDArray[np.int64], NDArray[np.int64]]:
    """Cut recordings into random sets of segments: (inputs, recording of each, slice of each)."""
    rng = np.random.default_rng(seed)
    out, owner, number = [], [], []
    for i, whole in enumerate(inputs):
        starts = whole.scalogram.starts
        parts = np.array_split(rng.permutation(len(starts)), n_slices)
        for k, part in enumerate(p for p in parts if len(p)):
            cut = replace(whole.scalogram, starts=np.sort(starts[part]))
            out.append(replace(whole, scalogram=cut))
            owner.append(i)
            number.append(k)
    return out, np.array(owner), np.array(number)


def sensor_table(
    data: SensorSet,
    inputs: Sequence[SensorInput],
    protocol: Protocol,
    *,
    names: Sequence[str] = SENSOR_SYSTEMS,
    n_folds: int = 5,
    seeds: Sequence[int] = (0, 1, 2),
    optimisation: Optimisation | None = None,
    checkpoints: Path | None = None,
) -> Job[list[Row]]:
    """Rows of Table I (or one column of Table II) under a protocol.

    Every system is followed by its twin on labels permuted between
    recordings; under P0, which shares recordings between training and test,
    the twin is what shows that the figure means nothing.

    Parameters
    ----------
    optimisation : Optimisation, optional
        Of the networks, in place of the default.
    """
    labels = data.labels
    recordings = data.column("recording")
    groups = {k: data.column(k) for k in ("recording", "song", "listener")}
    unit = np.arange(len(labels))
    folds: Sequence[Fold] | Sequence[LeakyFold]
    if protocol.leaky:
        inputs, unit, slices = _sliced(inputs, n_folds, 0)
        folds = [
            LeakyFold(np.flatnonzero(slices != k), np.flatnonzero(slices == k))
            for k in range(n_folds)
        ]
        kind = "recording"
    else:
        kind = {"P1": "recording", "P2": "song"}.get(protocol.value, "listener")
        folds = make_folds(protocol, labels, Groups(groups), n_folds=n_folds, seed=0)
    rows: list[Row] = []
    systems = _systems(optimisation)
    for name in names:
        for twin in (False, True):
            if twin and name == "majority":
                continue
            y = permute_labels(labels, recordings, seed=1) if twin else labels
            samples = Samples(inputs, y[unit], groups[kind][unit])
            title = f"{name}, labels permuted" if twin else name
            file = None
            if checkpoints is not None:
                slug = "".join(c if c.isalnum() else "-" for c in title.lower())
                file = checkpoints / f"{protocol.value}-{slug}.npz"
            found = yield from cross_validate(
                systems[name], samples, folds, seeds=seeds, checkpoint=file
            )
            rows.append({"protocol": protocol.value, **result_row(title, samples, found)})
    return rows


def leak_table(
    data: SensorSet,
    inputs: Sequence[SensorInput],
    *,
    n_folds: int = 5,
    per_recording: int = 20,
    seed: int = 0,
) -> Job[list[Row]]:
    """What random folds over segments measure: the same trees with true and permuted labels.

    Rows: random folds over segments (P0), recordings held out (P1), listeners
    held out (P3), each with true labels and with labels permuted between
    recordings. `leaks` says whether permuted labels score above chance.
    """
    rng = np.random.default_rng(seed)
    vectors, owner = [], []
    for i, one in enumerate(inputs):
        starts = one.scalogram.starts
        at = rng.choice(len(starts), min(per_recording, len(starts)), replace=False)
        for part in zip(*(p.numpy() for p in one.scalogram.segments(np.sort(at))), strict=True):
            vectors.append(np.concatenate([image.mean(axis=1) for image in part]).astype(float))
            owner.append(i)
    unit = np.array(owner)
    recording = data.column("recording")[unit]
    rows: list[Row] = []
    for protocol in (Protocol.P0, Protocol.P1, Protocol.P3):
        for permuted in (False, True):
            labels = data.labels
            if permuted:
                labels = permute_labels(labels, data.column("recording"), seed=seed + 1)
            y = labels[unit]
            folds: Sequence[Fold] | Sequence[LeakyFold]
            if protocol is Protocol.P0:
                parts = np.array_split(rng.permutation(len(y)), n_folds)
                folds = [
                    LeakyFold(np.concatenate([p for p in parts if p is not t]), t) for t in parts
                ]
            else:
                groups = Groups({"recording": recording, "listener": data.column("listener")[unit]})
                folds = make_folds(protocol, y, groups, n_folds=n_folds, seed=seed)
            samples = Samples(vectors, y, recording)
            system: FeatureSystem[NDArray[np.float64]] = FeatureSystem(_itself, extra_trees)
            found = yield from cross_validate(system, samples, folds, seeds=[seed])
            verdict = leak_verdict(y, found.probabilities[0], recording, n_draws=300)
            name = "segments, labels permuted" if permuted else "segments, true labels"
            rows.append(
                {
                    "protocol": protocol.value,
                    "held out": protocol.text,
                    "system": name,
                    "n": len(y),
                    "balanced_accuracy": balanced_accuracy(y, found.probabilities[0]),
                    "low": verdict.permuted.low,
                    "high": verdict.permuted.high,
                    "leaks": str(verdict.leaks) if permuted else "",
                }
            )
    return rows


def _itself(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x
