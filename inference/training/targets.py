"""The paper's steps 1 to 5: from labelled recordings to the targets of the regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from inference.datasets import SensorSet
from inference.evaluation.crossval import Samples
from inference.evaluation.results import digest_files
from inference.job import Job, Progress
from inference.labelling import Decision, EmotionClusters, kept, select
from inference.models.sensor import SensorConfig, SensorNet
from inference.training.loops import Optimisation
from inference.training.music import Targets
from inference.training.sensor import (
    Recording,
    SensorTraining,
    encode_recordings,
    predict_sensor,
    prepare_recordings,
    train_sensor,
)

__all__ = [
    "Selected",
    "Selection",
    "TargetSettings",
    "build_targets",
    "load_targets",
    "regression_targets",
    "save_targets",
    "targets_path",
]


Selection = Literal["quadrants", "paper"]


@dataclass(frozen=True)
class TargetSettings:
    """How targets are made.

    Parameters
    ----------
    sensor : SensorTraining
        Without early stopping: the network describes these recordings, it
        does not predict others.
    retrain : Optimisation
        Of step 5, on the kept recordings, from the network of step 1.
    clusters : "quadrants" or "paper"
        Clusters of each quadrant, or the paper's n = 4 that start at the class
        means and are free to move (paper-spec item 12, literal).
    per_quadrant : int
        Clusters a quadrant.
    at_least : int
        Recordings to keep a quadrant.
    """

    sensor: SensorTraining = field(
        default_factory=lambda: SensorTraining(
            # Native columns: these are the targets that the shipped music models learned.
            network=SensorConfig(decimation=1),
            optimisation=Optimisation(epochs=16, batch=32, rate=3e-3),
            early_stop=False,
        )
    )
    retrain: Optimisation = field(
        default_factory=lambda: Optimisation(epochs=6, batch=32, rate=1e-3)
    )
    clusters: Selection = "quadrants"
    per_quadrant: int = 3
    at_least: int = 10


@dataclass(frozen=True)
class Selected:
    """Targets with how they came about.

    Parameters
    ----------
    targets : Targets
    decisions : tuple of Decision
        One a recording.
    net : SensorNet
        Retrained on what was kept.
    """

    targets: Targets
    decisions: tuple[Decision, ...]
    net: SensorNet


def build_targets(
    samples: Samples[Recording], settings: TargetSettings, seed: int
) -> Job[Selected]:
    """Train, cluster, select, retrain, encode.

    The listener's rating stands for the answer to the prompt: a recording
    enters the targets where the network's prediction and the nearest cluster
    agree with it.

    Yields
    ------
    Progress
        One a step.
    """
    net = train_sensor(samples, settings.sensor, seed)
    yield Progress(1, 4, "network trained on all recordings")
    features = _recording_level(net, samples.inputs, settings.sensor)
    if settings.clusters == "paper":
        clusters = EmotionClusters.fit_literal(features, samples.labels)
    else:
        clusters = EmotionClusters.fit(
            features, samples.labels, per_quadrant=settings.per_quadrant, seed=seed
        )
    predictions = predict_sensor(net, samples.inputs, settings.sensor).argmax(axis=1)
    decisions = select(clusters, features, predictions, samples.labels, at_least=settings.at_least)
    chosen = np.array(kept(decisions), dtype=np.int64)
    yield Progress(2, 4, f"{len(chosen)} of {len(decisions)} recordings kept")
    again = replace(settings.sensor, optimisation=settings.retrain)
    net = train_sensor(samples.take(chosen), again, seed + 1, start=net)
    yield Progress(3, 4, "network retrained on them")
    part = samples.take(chosen)
    codes = _recording_level(net, part.inputs, settings.sensor)
    state = {k: v.clone() for k, v in net.classifier.state_dict().items()}
    yield Progress(4, 4, "targets encoded")
    return Selected(Targets(codes, part.labels, state), decisions, net)


def _recording_level(
    net: SensorNet, recordings: Sequence[Recording], settings: SensorTraining
) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = encode_recordings(net, recordings, settings).mean(axis=1)
    return mean


def regression_targets(
    data: SensorSet,
    work: Path,
    quick: bool,
    say: Callable[[str], None],
    selection: Selection = "quadrants",
) -> Job[Targets]:
    """Targets of these recordings, kept in the work folder."""
    path = targets_path(data, work, quick, selection)
    if not path.exists():
        recordings = yield from prepare_recordings(data)
        settings = TargetSettings(clusters=selection)
        if quick:
            short = replace(settings.sensor, optimisation=_capped(settings.sensor.optimisation))
            settings = replace(settings, sensor=short, retrain=_capped(settings.retrain))
        samples = Samples[Recording](recordings, data.labels, data.column("listener"))
        selected = yield from build_targets(samples, settings, seed=0)
        say(f"{sum(d.kept for d in selected.decisions)} of {len(recordings)} recordings kept")
        save_targets(selected.targets, path)
    return load_targets(path)


def targets_path(
    data: SensorSet, work: Path, quick: bool, selection: Selection = "quadrants"
) -> Path:
    """Where the targets of these recordings are kept in a work folder."""
    digest = digest_files(data.files, data.root)[:12]
    kind = "-paper" if selection == "paper" else ""
    return work / f"targets-{digest}{kind}{'-quick' if quick else ''}.pt"


def save_targets(targets: Targets, path: Path) -> None:
    """Write targets in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    content = {
        "codes": torch.from_numpy(targets.codes),
        "labels": torch.from_numpy(targets.labels),
        "classifier": dict(targets.classifier or {}),
    }
    torch.save(content, part)
    part.replace(path)


def load_targets(path: Path) -> Targets:
    """Read targets that `save_targets` wrote."""
    content = torch.load(path, weights_only=True)
    return Targets(
        content["codes"].numpy().astype(np.float32),
        content["labels"].numpy().astype(np.int64),
        content["classifier"] or None,
    )


def _capped(settings: Optimisation) -> Optimisation:
    return replace(settings, epochs=min(2, settings.epochs))
