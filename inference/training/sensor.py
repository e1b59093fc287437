"""Training SSIA-CBGRU + SIA-BGRU on recordings of GSR and PPG."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import nll_loss

from inference.datasets import Listening, SensorSet
from inference.evaluation.crossval import Samples
from inference.job import Job, Progress
from inference.models.sensor import SensorConfig, SensorNet
from inference.physio.images import ImageSettings, conditioned, cut_images, prefix_scale
from inference.physio.named import named_features
from inference.physio.segments import SEGMENT_SAMPLES
from inference.physio.signals import FS_HZ
from inference.training.loops import Optimisation, class_weights, fit, seeded

__all__ = [
    "Recording",
    "SensorSystem",
    "SensorTraining",
    "conditioned_signals",
    "encode_recordings",
    "predict_sensor",
    "prepare_recordings",
    "read_recordings",
    "train_sensor",
]

Image = NDArray[np.float16]

FEATURES_S = 60.0
"""Named features describe so much of a recording, its last seconds: as live listening would."""


@dataclass(frozen=True)
class Recording:
    """Images of one listening, ready for training.

    Parameters
    ----------
    images : tuple of ndarray, each (rows, n), float16
        GSR (33 rows) and PPG (32 rows), normalised by the listener's prefix.
    starts : ndarray of int64, shape (L,)
        First columns of the segments.
    length : int
        Columns of a segment.
    features : ndarray, shape (22,), float32, optional
        `NAMED_FEATURES` of its last minute.
    """

    images: tuple[Image, ...]
    starts: NDArray[np.int64]

    length: int = SEGMENT_SAMPLES
    features: NDArray[np.float32] | None = None

    def segments(self, at: NDArray[np.int64]) -> list[Tensor]:
        """Segments number `at`: one (len(at), rows, length) float32 a signal."""
        columns = np.maximum(self.starts[at][:, None] + np.arange(self.length), 0)
        return [
            torch.from_numpy(image[:, columns].transpose(1, 0, 2).astype(np.float32))
            for image in self.images
        ]

    def longer(self, factor: int) -> Recording:
        """The same, with segments `factor` times as long that end where the present ones do.

        Before the beginning all is taken to have been as in the first column.
        """
        starts = self.starts - (factor - 1) * self.length
        return replace(self, starts=starts, length=factor * self.length)


def prepare_recordings(
    data: SensorSet, *, prefix_s: float = 120.0, settings: ImageSettings | None = None
) -> Job[list[Recording]]:
    """Condition, transform and normalise all listenings of a data set, listener by listener.

    The scale of a listener comes from the first `prefix_s` seconds of the
    session, which carry no label, as it would live.
    """
    by_listener: dict[str, list[int]] = {}
    for i, listening in enumerate(data.listenings):
        by_listener.setdefault(listening.listener, []).append(i)
    prepared: dict[int, Recording] = {}
    for members in by_listener.values():
        members.sort(key=lambda i: data.listenings[i].order)
        pairs = [conditioned_signals(data.listenings[i]) for i in members]
        scale = prefix_scale(pairs, prefix_s=prefix_s)
        for i, (gsr, ppg) in zip(members, pairs, strict=True):
            images, starts = cut_images(gsr, ppg, scale, settings or ImageSettings())
            last = round(FEATURES_S * FS_HZ)
            prepared[i] = Recording(
                (images.gsr.astype(np.float16), images.ppg.astype(np.float16)),
                starts,
                features=named_features(
                    gsr[-last:] - scale.gsr_level, ppg[-last:] / scale.ppg_deviation
                ).astype(np.float32),
            )
            yield Progress(len(prepared), len(data.listenings), data.listenings[i].recording)
    return [prepared[i] for i in range(len(data.listenings))]


def conditioned_signals(listening: Listening) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Conditioned GSR and PPG of a listening at 128 Hz, of equal length."""
    gsr, ppg = conditioned(listening.gsr), conditioned(listening.ppg)
    n = min(len(gsr), len(ppg))
    return gsr[:n], ppg[:n]


@dataclass(frozen=True)
class SensorTraining:
    """How the sensor network is trained.

    Parameters
    ----------
    network : SensorConfig
    optimisation : Optimisation
    segments : int
        Random segments a recording in a step, in their order.
    test_segments : int
        Evenly spaced segments at test time.
    early_stop : bool
        Hold a fifth of the listeners back to choose the epoch. Off only where
        the network is to describe its own training recordings (the targets
        of the regressor), never where it is judged.
    patience : int
        Epochs without a better loss on the held listeners after which it ends.
    """

    network: SensorConfig = field(default_factory=SensorConfig)
    optimisation: Optimisation = field(
        default_factory=lambda: Optimisation(epochs=8, batch=32, rate=3e-3)
    )
    segments: int = 8
    test_segments: int = 16
    early_stop: bool = True
    patience: int = 2


def _stack(recordings: Sequence[Recording], picks: Sequence[NDArray[np.int64]]) -> list[Tensor]:
    parts = [r.segments(at) for r, at in zip(recordings, picks, strict=True)]
    return [torch.stack([p[i] for p in parts]) for i in range(len(parts[0]))]


def _inputs(
    net: SensorNet, recordings: Sequence[Recording], picks: Sequence[NDArray[np.int64]]
) -> list[Tensor]:
    """What `SensorNet.forward` takes: images, and named features where it reads them."""
    inputs = _stack(recordings, picks)
    if net.config.features:
        inputs.append(torch.from_numpy(np.stack([_features(r) for r in recordings])))
    return inputs


def _features(recording: Recording) -> NDArray[np.float32]:
    if recording.features is None:
        raise ValueError("this recording has no named features")
    return recording.features


def _fitting(recordings: Sequence[Recording], settings: SensorTraining) -> list[Recording]:
    """Recordings whose segments are as long as the network's longest window."""
    longest = max(settings.network.scales)
    return [r.longer(longest) for r in recordings] if longest > 1 else list(recordings)


def _even(recording: Recording, count: int) -> NDArray[np.int64]:
    return np.linspace(0, len(recording.starts) - 1, count).round().astype(np.int64)


def train_sensor(
    samples: Samples[Recording],
    settings: SensorTraining,
    seed: int,
    *,
    start: SensorNet | None = None,
) -> SensorNet:
    """Fit the network to training recordings, early-stopped on an inner part of their groups.

    Parameters
    ----------
    samples : Samples of Recording
        One fifth of the groups (listeners) is held back to choose the epoch,
        where there are at least five.
    settings : SensorTraining
    seed : int
    start : SensorNet, optional
        Where to go on from (step 5's retraining), instead of random weights.
    """
    rng = seeded(seed)
    samples = replace(samples, inputs=_fitting(samples.inputs, settings))
    net = copy.deepcopy(start) if start is not None else SensorNet(settings.network)
    # Convolutions of few channels are a third quicker so.
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inner, held = _inner_split(samples, rng) if settings.early_stop else (samples, None)
    if start is None:
        _fit_rows(net, inner.inputs, rng)
    weights = class_weights(inner.labels)
    labels = torch.from_numpy(inner.labels)

    def loss_of(at: NDArray[np.int64]) -> Tensor:
        chosen = [inner.inputs[int(i)] for i in at]
        picks = [
            np.sort(rng.choice(len(r.starts), settings.segments, len(r.starts) < settings.segments))
            for r in chosen
        ]
        said = net(*_inputs(net, chosen, picks)).log_probabilities
        return nll_loss(said, labels[torch.from_numpy(at)], weight=weights)

    best: tuple[float, int, dict[str, Tensor]] = (np.inf, 0, {})

    def after_epoch(epoch: int, loss: float) -> bool:
        nonlocal best
        if held is None:
            return False
        p = _predict(net, held.inputs, settings)
        loss_held = float(
            nll_loss(
                torch.from_numpy(np.log(np.maximum(p, 1e-9))).float(),
                torch.from_numpy(held.labels),
                weight=weights,
            )
        )
        if loss_held < best[0]:
            best = (loss_held, epoch, copy.deepcopy(net.state_dict()))
        return epoch - best[1] >= settings.patience

    fit(net, len(inner.labels), loss_of, settings.optimisation, rng, after_epoch=after_epoch)
    if best[2]:
        net.load_state_dict(best[2])
    return net.to(memory_format=torch.contiguous_format).eval()  # type: ignore[no-any-return]


def _inner_split(
    samples: Samples[Recording], rng: np.random.Generator
) -> tuple[Samples[Recording], Samples[Recording] | None]:
    names = np.unique(samples.groups)
    if len(names) < 5:
        return samples, None
    held_names = rng.choice(names, len(names) // 5, replace=False)
    held = np.isin(samples.groups, held_names)
    return samples.take(np.flatnonzero(~held)), samples.take(np.flatnonzero(held))


def _fit_rows(net: SensorNet, recordings: Sequence[Recording], rng: np.random.Generator) -> None:
    for signal in range(len(recordings[0].images)):
        columns = [
            r.images[signal][:, rng.integers(0, r.images[signal].shape[1], 200)].astype(np.float32)
            for r in recordings
        ]
        whole = torch.from_numpy(np.concatenate(columns, axis=1))
        net.fit_rows(signal, whole.mean(dim=1), whole.std(dim=1))
    if net.config.features:
        features = torch.from_numpy(np.stack([_features(r) for r in recordings]))
        net.fit_features(features.mean(dim=0), features.std(dim=0))


def predict_sensor(
    net: SensorNet, recordings: Sequence[Recording], settings: SensorTraining
) -> NDArray[np.float64]:
    """Probabilities (n, 4) from evenly spaced segments."""
    return _predict(net, _fitting(recordings, settings), settings)


def _predict(
    net: SensorNet, recordings: Sequence[Recording], settings: SensorTraining
) -> NDArray[np.float64]:
    net.eval()
    out = []
    with torch.inference_mode():
        for i in range(0, len(recordings), 16):
            part = recordings[i : i + 16]
            picks = [_even(r, settings.test_segments) for r in part]
            out.append(net(*_inputs(net, part, picks)).log_probabilities.exp().numpy())
    return np.concatenate(out).astype(np.float64)


def encode_recordings(
    net: SensorNet, recordings: Sequence[Recording], settings: SensorTraining
) -> NDArray[np.float32]:
    """Fused segment vectors of evenly spaced segments, shape (n, test_segments, width)."""
    net.eval()
    recordings = _fitting(recordings, settings)
    out = []
    with torch.inference_mode():
        for i in range(0, len(recordings), 16):
            part = recordings[i : i + 16]
            picks = [_even(r, settings.test_segments) for r in part]
            out.append(net.encode(*_stack(part, picks)).numpy())
    return np.concatenate(out)


def read_recordings(
    net: SensorNet, recordings: Sequence[Recording], settings: SensorTraining
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities (n, 4) and attended vectors r (n, d) from evenly spaced segments."""
    net.eval()
    probabilities, attended = [], []
    with torch.inference_mode():
        for i in range(0, len(recordings), 16):
            part = recordings[i : i + 16]
            said = net(*_stack(part, [_even(r, settings.test_segments) for r in part]))
            probabilities.append(said.log_probabilities.exp().numpy())
            attended.append(said.attended.numpy())
    return (
        np.concatenate(probabilities).astype(np.float64),
        np.concatenate(attended).astype(np.float64),
    )


@dataclass(frozen=True)
class SensorSystem:
    """Fits on training recordings, returns a predictor."""

    settings: SensorTraining

    def __call__(self, samples: Samples[Recording], seed: int) -> SensorPredictor:
        return SensorPredictor(train_sensor(samples, self.settings, seed), self.settings)


@dataclass(frozen=True)
class SensorPredictor:
    """A fitted network as predictor."""

    net: SensorNet
    settings: SensorTraining

    def __call__(self, inputs: Sequence[Recording]) -> NDArray[np.float64]:
        return predict_sensor(self.net, inputs, self.settings)
