"""Making undertone-music: hear the clips, cross-validate by artist, calibrate, fit, export."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from inference.catalog import DataSource, Metric, ModelCard, write_model
from inference.datasets import MusicSet
from inference.evaluation import METRICS
from inference.evaluation.intervals import bootstrap
from inference.job import Job, Progress
from inference.training.calibration import fit_calibration, fit_temperature, tempered
from inference.training.export import export_network
from inference.training.music import Targets
from inference.training.music_best_detector import with_detector
from inference.training.music_best_folds import (
    BestRecipe,
    FittedHead,
    cross_validated,
)
from inference.training.music_best_head import Committee
from inference.training.music_best_hearing import (
    hear_material,
    hear_no_music,
    published_networks,
)

__all__ = [
    "MODEL_ID",
    "BestModel",
    "train_undertone_music",
]

MODEL_ID = "undertone-music"
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BestModel:
    """A trained model and what it said out of fold.

    Parameters
    ----------
    card : ModelCard
    probabilities : ndarray, shape (seeds, n, 4)
        Out of fold, at the calibrated temperature.
    """

    card: ModelCard
    probabilities: Floats


def train_undertone_music(
    data: MusicSet,
    wheel: Path,
    targets: Targets,
    recipe: BestRecipe,
    work: Path,
    folder: Path,
    *,
    target_source: DataSource,
    results: str,
    command: str,
) -> Job[BestModel]:
    """Train the default model from labelled clips and the published networks.

    Parameters
    ----------
    data : MusicSet
    wheel : Path
        musicnn-0.1.0-py3-none-any.whl.
    targets : Targets
        Selected physiological features of recordings.
    recipe : BestRecipe
    work : Path
        For what is computed once.
    folder : Path
        The model's own folder; replaced.
    target_source : DataSource
        What the targets were learned from, for the card.
    results, command : str
        The results file that the figures go to, and what makes it.

    Raises
    ------
    UndertoneError
        If the wheel is another, or a clip cannot be decoded.
    """
    with TemporaryDirectory() as scratch:
        files = published_networks(wheel, Path(scratch))
        material = yield from hear_material(data, files, work)
        clips = material.plain
        raw = yield from cross_validated(material, list(data.groups), recipe, targets, work)
        tiled = np.tile(clips.labels, len(recipe.seeds))
        temperature = fit_temperature(raw.reshape(-1, 4), tiled)
        calm = np.stack([tempered(p, temperature) for p in raw])
        agreement = [clip.weight for clip in data.clips]
        yield Progress(0, 0, "fitting on all clips")
        fitted = FittedHead.of(material, recipe, recipe.seeds[0], targets)
        reduction = with_detector(fitted.reduction, material.songs, hear_no_music(files))
        files["reduction"] = Path(scratch) / "reduction.npz"
        files["head"] = Path(scratch) / "head.onnx"
        np.savez_compressed(files["reduction"], **asdict(reduction))
        export_committee(fitted.committee, files["head"], recipe.head.rank, clips.song.shape[1])
        card = ModelCard(
            id=MODEL_ID,
            version="1.3.0",
            kind="music",
            title="Undertone",
            summary=_SUMMARY,
            licence="research and personal use",
            pipeline="undertone",
            data=(_labels_source(data), target_source, *_OTHER_SOURCES),
            config={
                "head": {k: v for k, v in asdict(recipe.head).items() if k != "route"},
                "far": asdict(recipe.far),
                "route": recipe.head.route.value,
                "pairing": "by label, at recording level",
                "paper": _PAPER,
            },
            calibration=fit_calibration(calm, clips.labels, agreement, temperature=temperature),
            metrics=_metrics(data, calm, recipe, results, command),
            credits=_CREDITS,
            limits=_LIMITS,
        )
        card = write_model(card, folder, files)
    return BestModel(card, calm)


def export_committee(committee: Committee, path: Path, rank: int, song: int) -> None:
    """``segments`` (b, L, r), ``song`` (b, k) -> ``log_probabilities`` (b, 4), any b and L."""
    axes = {
        "segments": {0: "b", 1: "L"},
        "song": {0: "b"},
        "log_probabilities": {0: "b"},
    }
    export_network(
        committee,
        [torch.rand(2, 5, rank), torch.rand(2, song)],
        path,
        ["segments", "song"],
        ["log_probabilities"],
        axes,
    )


def _labels_source(data: MusicSet) -> DataSource:
    info = data.info
    return DataSource(f"{info.title} ({info.citation})", info.licence, "labels and audio")


def _metrics(
    data: MusicSet, calm: Floats, recipe: BestRecipe, results: str, command: str
) -> tuple[Metric, ...]:
    protocol = (
        f"P2, artist-grouped {recipe.n_folds}-fold, {len(recipe.seeds)} seeds, standardisation, "
        "components and heads fitted inside the fold"
    )
    found = []
    for name, title in _FIGURES.items():
        i = bootstrap(METRICS[name], data.labels, calm, data.groups)
        value, low, high = (round(v, 4) for v in (i.value, i.low, i.high))
        found.append(Metric(title, value, low, high, protocol, results, command))
    return tuple(found)


_FIGURES = {
    "accuracy": "quadrant accuracy",
    "macro_f1": "quadrant macro-F1",
    "arousal_accuracy": "arousal accuracy",
    "valence_accuracy": "valence accuracy",
    "calibration_error": "expected calibration error",
}

_SUMMARY = (
    "Music to quadrants by the way of Kim, Lee and Kim (IEEE TCE 2021) on stronger musical "
    "features: musicnn's two networks and our own descriptors of rhythm, harmony and timbre, "
    "regressed physiological features, SIA-BGRU; several heads are averaged. Music that sounds "
    "unlike what they learned from is judged by kernel machines, arousal and valence apart, that "
    "were fitted to the clips as they are and played again by synthesised instruments, and read "
    "what stays the same; elsewhere these have a fifth of the word on valence."
)
_CREDITS = (
    "musicnn (Pons and Serra 2019, Music Technology Group, Universitat Pompeu Fabra; ISC "
    "licence): MSD_musicnn and MTT_musicnn of musicnn 0.1.0, silent filters left out. Copyright "
    "(c) Music Technology Group, Universitat Pompeu Fabra 2019. Code developed by Jordi Pons. "
    "Permission to use, copy, modify, and/or distribute this software for any purpose with or "
    "without fee is hereby granted, provided that the above copyright notice and this permission "
    "notice appear in all copies."
)
_LIMITS = (
    "Quadrants of mostly Western popular music; other kinds are much harder: see README.md. The "
    "physiological targets are paired with music by label, since no public set pairs this music "
    "with signals: see the controls in results/ for what they add over random codes and none."
)
_OTHER_SOURCES = (
    DataSource(
        "Million Song Dataset with Last.fm tags (through MSD_musicnn)", "ISC (the weights)", "tags"
    ),
    DataSource("MagnaTagATune (through MTT_musicnn)", "ISC (the weights)", "tags"),
)
_PAPER = {
    "4": "segments of 6 s without overlap: musicnn hears 3 s at once",
    "10": "inner attention over 5 segments of a window of 30 s",
    "13": "label-matched pairing at recording level; regressor and SIA-BGRU then fitted together, "
    "squared error of the codes kept beside the cross-entropy",
    "15": "16 kHz mono, 512 and 4096 points, brought to -16 dB full scale",
    "15b": "windows of 30 s, hop 6 s, averaged log-probabilities",
}
