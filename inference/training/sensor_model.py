"""The recipe of `ssia-cbgru`: listener-grouped figures beside a permuted twin, then the model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from inference.catalog import Calibration, DataSource, Metric, ModelCard, write_model
from inference.datasets import SensorSet
from inference.evaluation import (
    Groups,
    OutOfFold,
    Protocol,
    Samples,
    bootstrap,
    cross_validate,
    majority_probabilities,
    make_folds,
    permute_labels,
    result_row,
)
from inference.evaluation.metrics import METRICS
from inference.job import Job, Progress
from inference.training.calibration import fit_temperature, tempered
from inference.training.export import export_sensor
from inference.training.sensor import Recording, SensorSystem, SensorTraining, train_sensor

__all__ = ["SensorRecipe", "train_sensor_model"]

_LIMITS = (
    "Across listeners this network is at about chance on wrist signals during music: the figures "
    "and those of the same code on permuted labels are in the results file. It is the base that a "
    "listener's own answers are learned upon, not an emotion meter."
)


@dataclass(frozen=True)
class SensorRecipe:
    """Everything that decides what the model becomes.

    Parameters
    ----------
    training : SensorTraining
    n_folds : int
        Listener-grouped folds of the figures.
    seeds : sequence of int
        The shipped network has the first one.
    """

    training: SensorTraining = field(default_factory=SensorTraining)
    n_folds: int = 5
    seeds: Sequence[int] = (0, 1, 2)


def train_sensor_model(
    data: SensorSet,
    recordings: Sequence[Recording],
    recipe: SensorRecipe,
    folder: Path,
    *,
    checkpoints: Path,
    results: str,
    command: str,
) -> Job[list[dict[str, object]]]:
    """Cross-validate (P3) with true and permuted labels, fit on all listeners, export.

    Returns
    -------
    list of dict
        Rows of the results table: the network, its permuted twin, the
        majority line.
    """
    listeners = data.column("listener")
    digest = hashlib.sha256(repr(recipe.training).encode()).hexdigest()[:12]
    rows: list[dict[str, object]] = []
    outside: OutOfFold | None = None
    twins = {
        "ssia-cbgru": data.labels,
        "ssia-cbgru, labels permuted": permute_labels(
            data.labels, data.column("recording"), seed=1
        ),
    }
    for name, labels in twins.items():
        samples = Samples[Recording](recordings, labels, listeners)
        folds = make_folds(
            Protocol.P3, labels, Groups({"listener": listeners}), n_folds=recipe.n_folds, seed=0
        )
        kind = "true" if name == "ssia-cbgru" else "permuted"
        found = yield from cross_validate(
            SensorSystem(recipe.training),
            samples,
            folds,
            seeds=recipe.seeds,
            checkpoint=checkpoints / "folds" / f"ssia-cbgru-{kind}-{digest}.npz",
        )
        rows.append(result_row(name, samples, found))
        outside = outside or found
    assert outside is not None
    samples = Samples[Recording](recordings, data.labels, listeners)
    majority = majority_probabilities(data.labels, len(data.labels))[None]
    rows.append(result_row("majority", samples, OutOfFold(majority, outside.tested)))
    yield Progress(0, 0, "fitting on all listeners")
    net = train_sensor(samples, recipe.training, recipe.seeds[0])
    tiled = np.tile(data.labels, len(recipe.seeds))
    temperature = fit_temperature(outside.probabilities.reshape(-1, 4), tiled)
    card = ModelCard(
        id="ssia-cbgru",
        version="1.0.0",
        kind="sensor",
        title="SSIA-CBGRU and SIA-BGRU",
        summary="GSR and PPG of a wristband to quadrants: scalograms, convolutions, bidirectional "
        "GRUs with inner attention (Kim, Lee and Kim, IEEE TCE 2021).",
        licence=f"learned from {data.info.title}: {data.info.licence}",
        pipeline="ssia-cbgru",
        data=(
            DataSource(
                f"{data.info.title} ({data.info.citation})",
                data.info.licence,
                "signals and ratings",
            ),
        ),
        config={
            "paper": {
                "1": "complex Morlet, omega0 6, cut at its centre (looks back only), log1p",
                "2": "32 scales, PPG 0.5-16 Hz, GSR 0.05-4 Hz",
                "3": "native samples, and a row of ln conductance level",
                "4": "64 samples every 44.8",
                "5": "causal; level and amplitude relative to the listener's first 120 s",
                "21": "quadrant by the sign of the ratings",
            },
            "network": asdict(recipe.training.network),
            "inputs": {"gsr": ["b", "L", 33, 64], "ppg": ["b", "L", 32, 64]},
        },
        calibration=Calibration(temperature=round(float(np.clip(temperature, 0.2, 5.0)), 4)),
        metrics=_metrics(samples, outside, temperature, recipe, results, command),
        limits=_LIMITS,
    )
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "sensor.onnx"
        export_sensor(net, path)
        write_model(card, folder, {"sensor": path})
    return rows


def _metrics(
    samples: Samples[Recording],
    outside: OutOfFold,
    temperature: float,
    recipe: SensorRecipe,
    results: str,
    command: str,
) -> tuple[Metric, ...]:
    calm = np.stack([tempered(p, temperature) for p in outside.probabilities])
    names = {"balanced_accuracy": "quadrant balanced accuracy (chance 0.25)"}
    names |= {"arousal_accuracy": "arousal accuracy", "valence_accuracy": "valence accuracy"}
    found = []
    for name, title in names.items():
        i = bootstrap(METRICS[name], samples.labels, calm, samples.groups)
        found.append(
            Metric(
                title,
                round(i.value, 4),
                round(i.low, 4),
                round(i.high, 4),
                f"P3, listener-grouped {recipe.n_folds}-fold, {len(recipe.seeds)} seeds",
                results,
                command,
            )
        )
    return tuple(found)
