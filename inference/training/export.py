"""From trained networks to ONNX files that the player reads without torch."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from inference.audio.segments import SEGMENT_FRAMES
from inference.models.regressor import MusicCommittee, MusicHead
from inference.models.sensor import SensorNet

__all__ = [
    "export_classifier",
    "export_front_end",
    "export_head",
    "export_network",
    "export_sensor",
]

_OPSET = 17
Axes = Mapping[str, Mapping[int, str]]


def export_network(
    model: nn.Module,
    examples: Sequence[Tensor],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Axes,
) -> None:
    """Write any network whole or not at all; `axes` names those that may have any length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with warnings.catch_warnings():
        # The tracing exporter is the one that gives a GRU of free length; it warns of its age.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            tuple(examples),
            part,
            dynamo=False,
            opset_version=_OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={k: dict(v) for k, v in axes.items()},
        )
    part.replace(path)


def export_front_end(model: nn.Module, path: Path) -> None:
    """Write a front end: ``images`` (n, 3, 64, 46) -> ``features`` (n, d), any n."""
    example = torch.rand(2, 3, 64, SEGMENT_FRAMES)
    axes = {"images": {0: "n"}, "features": {0: "n"}}
    export_network(model, [example], path, ["images"], ["features"], axes)


def export_head(head: MusicHead | MusicCommittee, path: Path) -> None:
    """Write a head: ``features`` (b, L, d) -> log-probabilities, codes, attended; any b and L.

    Outputs: ``log_probabilities`` (b, 4) at the calibrated temperature,
    ``codes`` (b, L, 256), ``attended`` (b, 128).
    """
    example = torch.rand(2, 12, head.width_in)
    axes = {
        "features": {0: "b", 1: "L"},
        "log_probabilities": {0: "b"},
        "codes": {0: "b", 1: "L"},
        "attended": {0: "b"},
    }
    export_network(
        head, [example], path, ["features"], ["log_probabilities", "codes", "attended"], axes
    )


def export_classifier(head: MusicHead | MusicCommittee, path: Path) -> None:
    """Write the last layer: ``weight`` (d, 4) and ``bias`` (4,), float32, temperature divided in.

    ``log_softmax(attended @ weight + bias)`` equals the head's
    log-probabilities: songs are rated anew from what was attended.
    """
    with torch.no_grad():
        weight, bias = (t.numpy() for t in head.rating())
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as handle:
        np.savez(handle, weight=np.ascontiguousarray(weight.T), bias=bias)
    part.replace(path)


def export_sensor(net: SensorNet, path: Path, names: Sequence[str] = ("gsr", "ppg")) -> None:
    """Write the sensor network: ``gsr`` (b, L, 33, 64) and ``ppg`` (b, L, 32, 64), any b and L.

    `names` are the inputs in the order of the encoders: one for a network of one signal.

    Outputs: ``log_probabilities`` (b, 4), ``segments`` (b, L, 256),
    ``attended`` (b, 128).
    """
    examples = [torch.rand(2, 6, e.rows, 64) for e in net.config.encoders]
    axes = {n: {0: "b", 1: "L"} for n in [*names, "segments"]}
    axes |= {"log_probabilities": {0: "b"}, "attended": {0: "b"}}
    export_network(net, examples, path, names, ["log_probabilities", "segments", "attended"], axes)
