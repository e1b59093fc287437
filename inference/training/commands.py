"""What `undertone train` runs: whole trainings from folders to model files, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from inference.catalog import DataSource
from inference.datasets import MusicSet, SensorSet, load_music, load_sensor
from inference.errors import UndertoneError
from inference.evaluation import (
    OutOfFold,
    RunRecord,
    Samples,
    digest_files,
    result_row,
    write_results,
)
from inference.job import Job
from inference.models.vgg19 import VGG19Base, VGG19Blocks, load_published_weights
from inference.training.calibration import coverage_figures
from inference.training.costs import Cost, lines, music_cost, sensor_cost
from inference.training.music import Targets
from inference.training.music_best import train_undertone_music
from inference.training.music_best_folds import BestRecipe
from inference.training.music_best_head import HeadSettings
from inference.training.music_data import ALL_BLOCKS, WorkFolder, features
from inference.training.music_model import train_music_model
from inference.training.music_systems import clip_samples
from inference.training.options import Folders, MusicOptions, Say, SensorOptions
from inference.training.sensor import prepare_recordings
from inference.training.sensor_model import train_sensor_model
from inference.training.targets import regression_targets

__all__ = [
    "Cost",
    "Folders",
    "MusicOptions",
    "SensorOptions",
    "lines",
    "music_cost",
    "prepared_music",
    "published_teacher",
    "sensor_cost",
    "train_music",
    "train_sensor",
    "train_student",
    "undertone_recipe",
]


def prepared_music(
    options: MusicOptions,
    work: WorkFolder,
    data: MusicSet,
    build: Callable[[], VGG19Base] | None,
    kinds: Sequence[str] = ("vgg19",),
) -> Job[None]:
    """Images and the teacher's features of all clips, computed where they are not kept yet."""
    yield from work.images(data)
    for kind in kinds:
        network = partial(_teacher_of, kind, options, build)
        yield from features(work, data, kind, network)


def _teacher_of(
    kind: str, options: MusicOptions, build: Callable[[], VGG19Base] | None
) -> nn.Module:
    base = published_teacher(options, build)
    return VGG19Blocks(base) if kind == ALL_BLOCKS else base


def published_teacher(
    options: MusicOptions, build: Callable[[], VGG19Base] | None = None
) -> VGG19Base:
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
    teacher: Callable[[], VGG19Base] | None = None,
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
    teacher: Callable[[], VGG19Base] | None = None,
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
    begin = time.monotonic()
    data = load_music(options.dataset, options.root)
    sensors = load_sensor(options.sensor_dataset, options.sensor_root)
    if options.front_end == "undertone":
        make, name = _undertone, "undertone-music"
    else:
        make, name = _ms_sg, f"ms-sg-{options.front_end}"
        work = WorkFolder(folders.work)
        yield from prepared_music(options, work, data, teacher, (options.hears,))
    targets = yield from regression_targets(
        sensors, folders.work, options.quick, say, options.selection
    )
    row = yield from make(options, folders, say, data, targets, _source(sensors))
    record = RunRecord(
        options.command,
        data.info.name,
        "P2",
        digest_files([*data.files, data.root / "labels.csv"], data.root),
        options.recipe(folders.work).seeds,
        time.monotonic() - begin,
        {"targets": sensors.info.name, "kept recordings": len(targets.labels)},
    )
    say(f"results: {write_results(folders.results, f'train-{name}', [row], record)}")
    return folders.models / name


def _source(sensors: SensorSet) -> DataSource:
    return DataSource(
        f"{sensors.info.title} ({sensors.info.citation})",
        sensors.info.licence,
        "wrist signals that the regression targets were learned from",
    )


def _ms_sg(
    options: MusicOptions,
    folders: Folders,
    say: Say,
    data: MusicSet,
    targets: Targets,
    target_source: DataSource,
) -> Job[dict[str, object]]:
    """The paper's features: `ms-sg-student`, or the head of `ms-sg-vgg19`."""
    recipe = options.recipe(folders.work, say)
    model = yield from train_music_model(
        data,
        WorkFolder(folders.work),
        targets,
        recipe,
        folders.models / recipe.model_id,
        target_source=target_source,
        results=f"results/train-{recipe.model_id}.csv",
        command=" ".join(options.command),
    )
    return dict(model.row)


def _undertone(
    options: MusicOptions,
    folders: Folders,
    say: Say,
    data: MusicSet,
    targets: Targets,
    target_source: DataSource,
) -> Job[dict[str, object]]:
    """The default model, `undertone-music`."""
    if options.weights is None:
        raise UndertoneError(
            "the published weights of musicnn are needed",
            "Fetch them with: pip download --no-deps musicnn==0.1.0, and name the wheel "
            "with --weights.",
        )
    recipe = undertone_recipe(options)
    model = yield from train_undertone_music(
        data,
        options.weights,
        targets,
        recipe,
        folders.work,
        folders.models / "undertone-music",
        target_source=target_source,
        results="results/train-undertone-music.csv",
        command=" ".join(options.command),
    )
    samples = Samples(data.clips, data.labels, data.groups)
    found = OutOfFold(model.probabilities, np.ones(len(data.labels), dtype=bool))
    agreement = [clip.weight for clip in data.clips]
    figures = coverage_figures(model.probabilities, data.labels, agreement, data.groups)
    return result_row("undertone-music", samples, found) | figures


def undertone_recipe(options: MusicOptions) -> BestRecipe:
    """How the default model is trained and tested."""
    if options.quick:
        head = HeadSettings(members=1, regress_epochs=1, epochs=1)
        return BestRecipe(head=head, n_folds=2, seeds=(0,))
    return BestRecipe(n_folds=options.folds, seeds=tuple(range(options.seeds)))


def train_sensor(options: SensorOptions, folders: Folders, say: Say) -> Job[Path]:
    """Train the sensor model; returns its folder. The figures lie in ``results``."""
    begin = time.monotonic()
    data = load_sensor(options.dataset, options.root)
    for line in data.skipped:
        say(f"skipped: {line}")
    recipe = options.recipe()
    recordings = yield from prepare_recordings(data, settings=recipe.images)
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
        "P3, P1, P4",
        digest_files(data.files, data.root),
        recipe.seeds,
        time.monotonic() - begin,
    )
    say(f"results: {write_results(folders.results, name, rows, record)}")
    return folders.models / "ssia-cbgru"
