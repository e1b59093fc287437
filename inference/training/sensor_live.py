"""What live mode needs beside the sensor network: one-signal networks, and how to fuse with a song.

The weight of the sensors beside the song's own estimate is learned where songs have been heard by
several listeners: the labels of the *other* listeners stand in for the music.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from inference.catalog import ModelCard, write_model
from inference.catalog.card import CARD_NAME
from inference.datasets import SensorSet
from inference.evaluation import (
    Fold,
    Groups,
    OutOfFold,
    Protocol,
    Samples,
    cross_validate,
    make_folds,
    result_row,
)
from inference.job import Job, Progress
from inference.models.encoder import EncoderConfig
from inference.models.sensor import SensorConfig
from inference.training.calibration import fit_temperature, tempered
from inference.training.export import export_sensor
from inference.training.sensor import Recording, SensorSystem, SensorTraining, train_sensor
from inference.training.sensor_model import SensorRecipe

__all__ = ["Fusion", "add_live_parts", "fit_fusion", "song_consensus"]

Floats = NDArray[np.float64]
_ROWS = {"gsr": 33, "ppg": 32}
_LARGEST_WEIGHT = 3.0


@dataclass(frozen=True)
class Fusion:
    """The sensors' weight beside a song, and what it did where it was not fitted.

    Parameters
    ----------
    weight : float
        Fitted on all listenings with a consensus, for the shipped model; 0 where
        weights that were fitted crosswise gain less than one standard error.
    probabilities : ndarray, shape (n, 4)
        Fused, each fold with the weight of the other folds.
    consensus : ndarray, shape (n, 4)
    known : ndarray of bool, shape (n,)
        Listenings whose song somebody else among the training listeners heard.
    """

    weight: float
    probabilities: Floats
    consensus: Floats
    known: NDArray[np.bool_]


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


def fit_fusion(
    prior: Floats,
    felt: Floats,
    labels: NDArray[np.int64],
    known: NDArray[np.bool_],
    folds: Sequence[Fold],
) -> Fusion:
    """Fit the weight by log-loss, for all and crosswise over the folds."""
    fused = prior.copy()
    for fold in folds:
        inside = np.flatnonzero(known & ~np.isin(np.arange(len(labels)), fold.test))
        weight = _weight(prior[inside], felt[inside], labels[inside])
        fused[fold.test] = _fused(prior[fold.test], felt[fold.test], weight)
    at = np.flatnonzero(known)
    weight = _weight(prior[at], felt[at], labels[at])
    rows = at, labels[at]
    gain = np.log(np.maximum(fused[rows], 1e-9)) - np.log(np.maximum(prior[rows], 1e-9))
    # One standard error: what could be chance is none.
    if len(at) < 2 or gain.mean() <= gain.std(ddof=1) / np.sqrt(len(at)):
        weight = 0.0
    return Fusion(weight, fused, prior, known)


def _fused(prior: Floats, felt: Floats, weight: float) -> Floats:
    scores = np.log(np.maximum(prior, 1e-9)) + weight * np.log(np.maximum(felt, 1e-9))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _weight(prior: Floats, felt: Floats, labels: NDArray[np.int64]) -> float:
    if len(labels) == 0:
        return 0.0

    def loss(weight: float) -> float:
        return _log_loss(_fused(prior, felt, weight), labels)

    found = minimize_scalar(loss, bounds=(0.0, _LARGEST_WEIGHT), method="bounded")
    return float(found.x) if loss(float(found.x)) < loss(0.0) else 0.0


def _log_loss(p: Floats, labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-9)).mean())


def add_live_parts(
    data: SensorSet,
    recordings: Sequence[Recording],
    recipe: SensorRecipe,
    folder: Path,
    *,
    checkpoints: Path,
    results: str,
) -> Job[list[dict[str, object]]]:
    """Train GSR-only and PPG-only networks, fit the fusion, and add both to a finished model.

    Parameters
    ----------
    folder : Path
        Of the model that `train_sensor_model` wrote with the same data and recipe.
    checkpoints : Path
        Its folds are read from here.
    results : str
        Where the rows will lie, for the card.

    Returns
    -------
    list of dict
        Rows of the results table: the one-signal networks on all listenings;
        sensors, song consensus and both fused where there is a consensus.
    """
    listeners = data.column("listener")
    folds = make_folds(
        Protocol.P3, data.labels, Groups({"listener": listeners}), n_folds=recipe.n_folds, seed=0
    )
    tiled = np.tile(data.labels, len(recipe.seeds))
    rows: list[dict[str, object]] = []
    live: dict[str, object] = {}
    with TemporaryDirectory() as scratch:
        sources: dict[str, Path] = {}
        for index, name in enumerate(_ROWS):
            own = [Recording((r.images[index],), r.starts, r.length) for r in recordings]
            training = _single(recipe.training, name)
            samples = Samples[Recording](own, data.labels, listeners)
            found = yield from cross_validate(
                SensorSystem(training),
                samples,
                folds,
                seeds=recipe.seeds,
                checkpoint=checkpoints / f"ssia-cbgru-{name}-true.npz",
            )
            temperature = fit_temperature(found.probabilities.reshape(-1, 4), tiled)
            live[f"temperature_{name}"] = round(float(np.clip(temperature, 0.2, 5.0)), 4)
            rows.append(_row(f"{name.upper()} alone", samples, found, temperature))
            yield Progress(0, 0, f"fitting {name.upper()} alone on all listeners")
            net = train_sensor(samples, training, recipe.seeds[0])
            sources[name] = Path(scratch) / f"{name}.onnx"
            export_sensor(net, sources[name], names=(name,))
        samples = Samples[Recording](recordings, data.labels, listeners)
        both = yield from cross_validate(
            SensorSystem(recipe.training),
            samples,
            folds,
            seeds=recipe.seeds,
            checkpoint=checkpoints / "ssia-cbgru-true.npz",
        )
        temperature = fit_temperature(both.probabilities.reshape(-1, 4), tiled)
        felt = tempered(both.probabilities.mean(axis=0), temperature)
        prior, known = song_consensus(data.labels, data.column("song"), folds)
        fusion = fit_fusion(prior, felt, data.labels, known, folds)
        for name, p in {
            "sensors, where there is a consensus": felt,
            "song consensus of other listeners": prior,
            "consensus and sensors fused": fusion.probabilities,
        }.items():
            rows.append(_row(name, samples, OutOfFold(p[None], known), 1.0))
        live |= {"fusion_weight": round(fusion.weight, 4), "results": results}
        card = _read(folder)
        # The networks that are there keep their files.
        for role, file in card.files.items():
            if role not in sources:
                sources[role] = folder / file.name
        write_model(replace(card, config={**card.config, "live": live}), folder, sources)
    return rows


def _single(training: SensorTraining, name: str) -> SensorTraining:
    encoder = EncoderConfig(rows=_ROWS[name])
    return replace(training, network=SensorConfig(encoders=(encoder,)))


def _row(
    name: str, samples: Samples[Recording], found: OutOfFold, temperature: float
) -> dict[str, object]:
    calm = OutOfFold(
        np.stack([tempered(p, temperature) for p in found.probabilities]), found.tested
    )
    at = np.flatnonzero(found.tested)
    losses = [_log_loss(p[at], samples.labels[at]) for p in calm.probabilities]
    row: Mapping[str, object] = result_row(name, samples, calm)
    return {**row, "log_loss": float(np.mean(losses))}


def _read(folder: Path) -> ModelCard:
    return ModelCard.from_json((folder / CARD_NAME).read_text(encoding="utf-8"))
