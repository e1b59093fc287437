"""The recipe of `ssia-cbgru`: figures under P3, P1 and P4 beside their twins, then the model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from inference.catalog import Calibration, DataSource, Metric, ModelCard, write_model
from inference.datasets import SensorSet
from inference.evaluation import OutOfFold, Protocol, Samples, bootstrap, result_row
from inference.evaluation.metrics import METRICS
from inference.evaluation.sensor_figures import (
    NETWORK,
    ONE_SIGNAL,
    Judged,
    crossed_parts,
    judge,
    one_signal,
    only,
    song_consensus,
)
from inference.job import Job, Progress
from inference.physio.images import ImageSettings
from inference.training.calibration import confidence_map, fit_temperature, tempered
from inference.training.export import export_sensor
from inference.training.sensor import Recording, SensorTraining, train_sensor
from inference.training.sensor_live import fit_fusion

__all__ = ["SensorRecipe", "train_sensor_model"]

Floats = NDArray[np.float64]
Row = dict[str, object]

_BESIDE = (
    f"{NETWORK}, labels permuted",
    "majority",
    "order in the session only",
    "named features + forest",
    "song consensus of other listeners",
)
_LIMITS = (
    "Across listeners this network is at about chance on wrist signals during music: its figures, "
    "those of the same code on permuted labels and of simpler systems are in the results file. It "
    "is the base that a listener's own answers are learned upon, not an emotion meter."
)


@dataclass(frozen=True)
class SensorRecipe:
    """Everything that decides what the model becomes.

    Parameters
    ----------
    training : SensorTraining
    images : ImageSettings
    n_folds : int
        Folds of the figures under P3 and P1.
    seeds : sequence of int
        The shipped networks have the first one.
    compare : collection of str
        Variants of the network to measure beside it; see `judge`.
    n_draws : int
        Of the bootstrap of intervals.
    """

    training: SensorTraining = field(default_factory=SensorTraining)
    images: ImageSettings = field(default_factory=ImageSettings)
    n_folds: int = 5
    seeds: Sequence[int] = (0, 1, 2)
    compare: Collection[str] = ()
    n_draws: int = 1000


def train_sensor_model(
    data: SensorSet,
    recordings: Sequence[Recording],
    recipe: SensorRecipe,
    folder: Path,
    *,
    checkpoints: Path,
    results: str,
    command: str,
) -> Job[list[Row]]:
    """Judge with true and permuted labels, fit the three networks on all listeners, export.

    Parameters
    ----------
    recordings : sequence of Recording
        Of the data's listenings, made with `recipe.images`.
    folder : Path
        For the model.
    checkpoints : Path
        For finished folds.
    results, command : str
        Where the rows will lie and how they were made, for the card.

    Returns
    -------
    list of dict
        Rows of the results table.
    """
    judged = yield from judge(
        data,
        recordings,
        recipe.training,
        n_folds=recipe.n_folds,
        seeds=recipe.seeds,
        checkpoints=checkpoints / "folds",
        compare=recipe.compare,
        n_draws=recipe.n_draws,
    )
    names = {"sensor": NETWORK} | {role: f"{NETWORK}, {role.upper()} alone" for role in ONE_SIGNAL}
    tiled = np.tile(data.labels, len(recipe.seeds))
    temperatures = {
        role: _temperature(judged.outside[f"P3/{name}"].probabilities, tiled)
        for role, name in names.items()
    }
    fused, weight = _fusion(data, judged, temperatures["sensor"])
    live: dict[str, object] = {"fusion_weight": round(weight, 4), "results": results}
    live |= {f"temperature_{role}": temperatures[role] for role in ONE_SIGNAL}
    calm = tempered(
        judged.outside[f"P3/{NETWORK}"].probabilities.reshape(-1, 4), temperatures["sensor"]
    )
    card = _card(
        data,
        recipe,
        Calibration(
            temperature=temperatures["sensor"],
            confidence=tuple((a, b) for a, b in confidence_map(calm, tiled, knots=3)),
        ),
        live,
        _metrics(data, judged, recipe, results, command),
    )
    with TemporaryDirectory() as scratch:
        files: dict[str, Path] = {}
        for role in names:
            yield Progress(0, 0, f"fitting {names[role]} on all listeners")
            files[role] = Path(scratch) / f"{role}.onnx"
            _fit(data, recordings, recipe, role, files[role])
        write_model(card, folder, files)
    return [*judged.rows, *fused]


def _temperature(runs: Floats, labels: NDArray[np.int64]) -> float:
    return round(float(np.clip(fit_temperature(runs.reshape(-1, 4), labels), 0.2, 5.0)), 4)


def _fit(
    data: SensorSet, recordings: Sequence[Recording], recipe: SensorRecipe, role: str, path: Path
) -> None:
    training, inputs, signals = recipe.training, list(recordings), tuple(ONE_SIGNAL)
    if role in ONE_SIGNAL:
        training, inputs = one_signal(training, ONE_SIGNAL[role]), only(inputs, ONE_SIGNAL[role])
        signals = (role,)
    samples = Samples[Recording](inputs, data.labels, data.column("listener"))
    export_sensor(train_sensor(samples, training, recipe.seeds[0]), path, names=signals)


def _fusion(data: SensorSet, judged: Judged, temperature: float) -> tuple[list[Row], float]:
    """Rows of sensors, song consensus and both where there is a consensus, and the weight."""
    felt = judged.outside[f"P3/{NETWORK}"].probabilities
    calm = tempered(felt.mean(axis=0), temperature)
    prior, known = song_consensus(data.labels, data.column("song"), judged.folds[Protocol.P3])
    fusion = fit_fusion(prior, calm, data.labels, known, judged.folds[Protocol.P3])
    if not known.any():
        return [], 0.0
    samples = Samples[int](list(range(len(known))), data.labels, data.column("listener"))
    columns = list(judged.rows[0])
    rows: list[Row] = []
    for name, p in {
        "sensors alone, where there is a consensus": calm,
        "consensus and sensors fused, weight fitted crosswise": fusion.probabilities,
    }.items():
        found = result_row(name, samples, OutOfFold(p[None], known))
        at = np.flatnonzero(known)
        loss = -np.log(np.maximum(p[at, data.labels[at]], 1e-9)).mean()
        row: Row = {"protocol": "P3", **found, "log_loss": float(loss)}
        rows.append({c: row.get(c, "") for c in columns})
    return rows, fusion.weight


def _card(
    data: SensorSet,
    recipe: SensorRecipe,
    calibration: Calibration,
    live: dict[str, object],
    metrics: tuple[Metric, ...],
) -> ModelCard:
    network, images = recipe.training.network, recipe.images
    whole = images.scalogram == "recording"
    return ModelCard(
        id="ssia-cbgru",
        version="1.1.0",
        kind="sensor",
        title="SSIA-CBGRU and SIA-BGRU",
        summary="GSR and PPG of a wristband, or one of them, to quadrants: scalograms, "
        "convolutions, bidirectional GRUs with inner attention (Kim, Lee and Kim, IEEE TCE 2021).",
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
                "1": "complex Morlet, omega0 6, cut at its centre (looks back only), log1p; "
                + ("of the whole recording" if whole else "of each segment by itself"),
                "2": "32 scales, PPG 0.5-16 Hz, GSR 0.05-4 Hz",
                "3": f"averages of {network.decimation} columns (32 x {64 // network.decimation}), "
                "and a row of ln conductance level",
                "4": f"64 samples every {images.hop:g}",
                "5": "causal; level and amplitude relative to the listener's first 120 s",
                "11": "AdamW, one-cycle, 8 random segments a recording a step, early stopping on "
                "inner listeners",
                "21": "quadrant by the sign of the ratings",
            },
            "scalogram": images.scalogram,
            "network": asdict(network),
            "inputs": {"gsr": ["b", "L", 33, 64], "ppg": ["b", "L", 32, 64]},
            "live": live,
        },
        calibration=calibration,
        metrics=metrics,
        limits=_LIMITS,
    )


def _metrics(
    data: SensorSet, judged: Judged, recipe: SensorRecipe, results: str, command: str
) -> tuple[Metric, ...]:
    names = {"balanced_accuracy": "quadrant balanced accuracy (chance 0.25)"}
    names |= {"arousal_accuracy": "arousal accuracy", "valence_accuracy": "valence accuracy"}
    parts = crossed_parts(recipe.n_folds)
    folds = {Protocol.P4: f"{parts} x {parts} folds"}
    found = []
    for protocol in judged.folds:
        p = judged.outside[f"{protocol.value}/{NETWORK}"].probabilities
        how = (
            f"{protocol.value}, {protocol.text}, "
            f"{folds.get(protocol, f'{recipe.n_folds} folds')}, {len(recipe.seeds)} seeds"
        )
        for name, title in names.items():
            i = bootstrap(
                METRICS[name], data.labels, p, data.column("listener"), n_draws=recipe.n_draws
            )
            found.append(
                Metric(
                    title,
                    round(i.value, 4),
                    round(i.low, 4),
                    round(i.high, 4),
                    how,
                    results,
                    command,
                )
            )
        found += [
            Metric(f"beside it, balanced accuracy: {name}", value, low, high, how, results, command)
            for name, value, low, high in beside(judged.rows, protocol.value)
        ]
    return tuple(found)


def beside(rows: Sequence[Row], protocol: str) -> Iterator[tuple[str, float, float, float]]:
    """System, balanced accuracy and its interval of what the network has to be seen beside."""
    found = {row["system"]: row for row in rows if row["protocol"] == protocol}
    for system in (name for name in _BESIDE if name in found):
        value, low, high = (
            round(float(str(found[system][f"balanced_accuracy{end}"])), 4)
            for end in ("", "_low", "_high")
        )
        yield system, value, low, high
