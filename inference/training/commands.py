"""What `undertone train` runs: whole trainings from folders to model files, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from inference.catalog import DataSource
from inference.datasets import MusicSet, SensorSet, load_music, load_sensor
from inference.errors import UndertoneError
from inference.evaluation import RunRecord, Samples, digest_files, write_results
from inference.job import Job
from inference.models.vgg19 import load_published_weights
from inference.training.distil import Distillation
from inference.training.loops import Optimisation
from inference.training.music import HeadTraining, Targets
from inference.training.music_data import WorkFolder, features
from inference.training.music_model import Kind, MusicRecipe, music_folds, train_music_model
from inference.training.music_systems import StudentFrontEnd, clip_samples
from inference.training.sensor import Recording, SensorTraining, prepare_recordings
from inference.training.sensor_model import SensorRecipe, train_sensor_model
from inference.training.targets import TargetSettings, build_targets

__all__ = [
    "Cost",
    "Folders",
    "MusicOptions",
    "SensorOptions",
    "load_targets",
    "music_cost",
    "prepared_music",
    "published_teacher",
    "regression_targets",
    "save_targets",
    "sensor_cost",
    "train_music",
    "train_sensor",
    "train_student",
]

Say = Callable[[str], None]

# Seconds on one core of a 2020s x86 processor, measured with `undertone train`.
_IMAGE_S = 0.1
_TEACHER_S = 0.011
_DISTIL_S = 0.0009
_HEAD_S = 0.03
_SENSOR_S = 0.016


@dataclass(frozen=True)
class Folders:
    """Where a training reads and writes.

    Parameters
    ----------
    work : Path
        Images, features, students, finished folds: what an interrupted
        training goes on from. Delete it to start anew.
    models : Path
        A folder for the finished model is made in it.
    results : Path
    """

    work: Path
    models: Path
    results: Path


@dataclass(frozen=True)
class Cost:
    """What a training will take on one core, roughly."""

    step: str
    seconds: float


@dataclass(frozen=True)
class MusicOptions:
    """A training of music models.

    Parameters
    ----------
    root : Path
    dataset : str
    weights : Path, optional
        Published VGG19 weights; needed where its features are not kept yet.
    sensor_root : Path, optional
        Recordings to make the regressor's targets from (not for a student alone).
    sensor_dataset : str
    front_end : "student" or "vgg19"
    folds, seeds : int
    quick : bool
        One seed, two folds, an epoch or two: to see that it runs. What it
        writes is no model to use.
    """

    root: Path
    dataset: str = "music4q"
    weights: Path | None = None
    sensor_root: Path | None = None
    sensor_dataset: str = "hku956"
    front_end: Kind = "student"
    folds: int = 5
    seeds: int = 3
    quick: bool = False
    command: Sequence[str] = field(default=("undertone", "train", "music"))

    def recipe(self, folder: Path, say: Say | None = None) -> MusicRecipe:
        """The recipe that these options make."""
        head, student = HeadTraining(), Distillation()
        if self.quick:
            head = replace(
                head, regress=_shortened(head.regress), classify=_shortened(head.classify)
            )
            student = replace(student, optimisation=_shortened(student.optimisation))
        return MusicRecipe(
            front_end=self.front_end,
            head=head,
            student=StudentFrontEnd(settings=student, folder=folder / "students", report=say),
            n_folds=2 if self.quick else self.folds,
            seeds=(0,) if self.quick else tuple(range(self.seeds)),
        )


@dataclass(frozen=True)
class SensorOptions:
    """A training of the sensor model.

    Parameters
    ----------
    root : Path
    dataset : str
    folds, seeds : int
    quick : bool
        As in `MusicOptions`.
    """

    root: Path
    dataset: str = "hku956"
    folds: int = 5
    seeds: int = 3
    quick: bool = False
    command: Sequence[str] = field(default=("undertone", "train", "sensor"))

    def recipe(self) -> SensorRecipe:
        """The recipe that these options make."""
        training = SensorTraining()
        if self.quick:
            training = replace(training, optimisation=_shortened(training.optimisation))
        return SensorRecipe(
            training=training,
            n_folds=2 if self.quick else self.folds,
            seeds=(0,) if self.quick else tuple(range(self.seeds)),
        )


def _shortened(settings: Optimisation) -> Optimisation:
    return replace(settings, epochs=min(2, settings.epochs))


def music_cost(options: MusicOptions, work: Path, kinds: Sequence[str] = ("vgg19",)) -> list[Cost]:
    """The steps of a music training that are still to do, with seconds on one core."""
    data = load_music(options.dataset, options.root)
    folder = WorkFolder(work)
    n = len(data.clips)
    images = sum(not folder.path("ms-sg", c.clip_id).exists() for c in data.clips)
    teacher = sum(not folder.path(k, c.clip_id).exists() for c in data.clips for k in kinds)
    recipe = options.recipe(work)
    fits = recipe.n_folds * len(recipe.seeds) + 1
    segments = 84 * n
    costs = [
        Cost("decode and transform", images * _IMAGE_S),
        Cost("VGG19 features", teacher * 84 * _TEACHER_S),
    ]
    if options.front_end == "student":
        o = recipe.student.settings
        each = segments * o.share * o.optimisation.epochs * _DISTIL_S
        lacking = _lacking_students(data, folder, recipe, options.sensor_root is None)
        costs.append(Cost("distil students (one a fold, one of all)", each * lacking))
    if options.sensor_root is not None:
        sensors = load_sensor(options.sensor_dataset, options.sensor_root)
        there = _targets_path(sensors, work, options.quick).exists()
        costs.append(Cost("regression targets", 0.0 if there else len(sensors.listenings) * 0.5))
    return [*costs, Cost("regressor and classifier, folds and seeds", fits * n * _HEAD_S)]


def _lacking_students(data: MusicSet, work: WorkFolder, recipe: MusicRecipe, alone: bool) -> float:
    """Trainings of a student still to do; one on all clips counts as more than one of a fold."""
    whole = clip_samples(data, work)
    student, lacking = recipe.student, 0.0
    assert student.folder is not None
    if not (student.folder / f"{student.name(whole.inputs)}.pt").exists():
        lacking += 1.0
    if alone:
        return lacking
    for fold in music_folds(data, recipe.n_folds):
        inside = whole.take(fold.train).inputs
        if not (student.folder / f"{student.name(inside)}.pt").exists():
            lacking += len(inside) / len(data.clips)
    return lacking


def sensor_cost(options: SensorOptions) -> list[Cost]:
    """The steps of a sensor training, with seconds on one core."""
    data = load_sensor(options.dataset, options.root)
    recipe = options.recipe()
    n, epochs = len(data.listenings), recipe.training.optimisation.epochs
    fits = 2 * recipe.n_folds * len(recipe.seeds) + 1
    return [
        Cost("condition and transform", n * 0.04),
        Cost("folds, seeds and the permuted twin", fits * n * epochs * _SENSOR_S),
    ]


def prepared_music(
    options: MusicOptions,
    work: WorkFolder,
    data: MusicSet,
    build: Callable[[], nn.Module] | None,
    kinds: Sequence[str] = ("vgg19",),
) -> Job[None]:
    """Images and the teacher's features of all clips, computed where they are not kept yet."""
    yield from work.images(data)
    for kind in kinds:
        yield from features(work, data, kind, lambda: published_teacher(options, build))


def published_teacher(
    options: MusicOptions, build: Callable[[], nn.Module] | None = None
) -> nn.Module:
    """The teacher: VGG19 with the published weights, or what `build` makes.

    Raises
    ------
    UndertoneError
        If the weights are needed and not named.
    """
    if build is not None:
        return build()
    if options.weights is None:
        raise UndertoneError(
            "the published VGG19 weights are needed", "Name the file with --weights."
        )
    return load_published_weights(options.weights)


def train_student(
    options: MusicOptions,
    folders: Folders,
    say: Say,
    *,
    teacher: Callable[[], nn.Module] | None = None,
) -> Job[Path]:
    """Distil the student of all clips; returns its file of weights in the work folder."""
    data = load_music(options.dataset, options.root)
    work = WorkFolder(folders.work)
    yield from prepared_music(options, work, data, teacher)
    student = options.recipe(folders.work, say).student
    inputs = clip_samples(data, work).inputs
    student.student(inputs)
    assert student.folder is not None
    return student.folder / f"{student.name(inputs)}.pt"


def train_music(
    options: MusicOptions,
    folders: Folders,
    say: Say,
    *,
    teacher: Callable[[], nn.Module] | None = None,
) -> Job[Path]:
    """Train a music model from a folder of music and a folder of recordings.

    Parameters
    ----------
    options : MusicOptions
    folders : Folders
    say : callable
        Told what is being done, for people.
    teacher : callable, optional
        Makes the teacher, in place of VGG19 with the published weights.

    Returns
    -------
    Path
        The model's folder. The out-of-fold figures lie in ``results``.

    Raises
    ------
    UndertoneError
        If a folder is not in its layout, weights are missing, or something
        cannot be written.
    """
    if options.sensor_root is None:
        raise UndertoneError(
            "the regressor needs recordings to imitate", "Name their folder with --sensor-root."
        )
    clock = _Clock()
    data = load_music(options.dataset, options.root)
    work = WorkFolder(folders.work)
    yield from prepared_music(options, work, data, teacher)
    sensors = load_sensor(options.sensor_dataset, options.sensor_root)
    targets = yield from regression_targets(sensors, folders.work, options.quick, say)
    recipe = options.recipe(folders.work, say)
    name = f"train-{recipe.model_id}"
    model = yield from train_music_model(
        data,
        work,
        targets,
        recipe,
        folders.models / recipe.model_id,
        target_source=DataSource(
            f"{sensors.info.title} ({sensors.info.citation})",
            sensors.info.licence,
            "wrist signals that the regression targets were learned from",
        ),
        results=f"results/{name}.csv",
        command=" ".join(options.command),
    )
    record = RunRecord(
        options.command,
        data.info.name,
        "P2",
        digest_files([*data.files, data.root / "labels.csv"], data.root),
        recipe.seeds,
        clock.seconds,
        {"targets": sensors.info.name, "kept recordings": len(targets.labels)},
    )
    say(f"results: {write_results(folders.results, name, [dict(model.row)], record)}")
    return folders.models / recipe.model_id


def regression_targets(data: SensorSet, work: Path, quick: bool, say: Say) -> Job[Targets]:
    """Targets of these recordings, kept in the work folder."""
    path = _targets_path(data, work, quick)
    if not path.exists():
        recordings = yield from prepare_recordings(data)
        settings = TargetSettings()
        if quick:
            short = replace(settings.sensor, optimisation=_shortened(settings.sensor.optimisation))
            settings = replace(settings, sensor=short, retrain=_shortened(settings.retrain))
        samples = Samples[Recording](recordings, data.labels, data.column("listener"))
        selected = yield from build_targets(samples, settings, seed=0)
        say(f"{sum(d.kept for d in selected.decisions)} of {len(recordings)} recordings kept")
        save_targets(selected.targets, path)
    return load_targets(path)


def _targets_path(data: SensorSet, work: Path, quick: bool) -> Path:
    digest = digest_files(data.files, data.root)[:12]
    return work / f"targets-{digest}{'-quick' if quick else ''}.pt"


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


def train_sensor(options: SensorOptions, folders: Folders, say: Say) -> Job[Path]:
    """Train the sensor model; returns its folder. The figures lie in ``results``."""
    clock = _Clock()
    data = load_sensor(options.dataset, options.root)
    for line in data.skipped:
        say(f"skipped: {line}")
    recordings = yield from prepare_recordings(data)
    recipe = options.recipe()
    name = "train-ssia-cbgru"
    rows = yield from train_sensor_model(
        data,
        recordings,
        recipe,
        folders.models / "ssia-cbgru",
        checkpoints=folders.work,
        results=f"results/{name}.csv",
        command=" ".join(options.command),
    )
    record = RunRecord(
        options.command,
        data.info.name,
        "P3",
        digest_files(data.files, data.root),
        recipe.seeds,
        clock.seconds,
    )
    say(f"results: {write_results(folders.results, name, rows, record)}")
    return folders.models / "ssia-cbgru"


class _Clock:
    """Wall time since it was made."""

    def __init__(self) -> None:
        import time

        self._now = time.monotonic
        self._start = self._now()

    @property
    def seconds(self) -> float:
        return self._now() - self._start


def lines(costs: Sequence[Cost]) -> Iterator[str]:
    """The costs as text, the sum last."""
    for cost in costs:
        yield f"  {cost.step}: {_duration(cost.seconds)}"
    yield f"  together about {_duration(sum(c.seconds for c in costs))} on one core"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
