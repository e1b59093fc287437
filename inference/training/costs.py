"""What a training will cost, said before it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.datasets import MusicSet, load_music, load_sensor
from inference.evaluation.sensor_figures import crossed_parts
from inference.training.music_data import WorkFolder
from inference.training.music_model import MusicRecipe, music_folds
from inference.training.music_systems import clip_samples
from inference.training.options import MusicOptions, SensorOptions
from inference.training.targets import targets_path

__all__ = ["Cost", "lines", "music_cost", "sensor_cost"]

# Seconds on one core of a 2020s x86 processor, measured with `undertone train`.
_IMAGE_S = 0.1
_TEACHER_S = 0.011
_DISTIL_S = 0.0009
_HEAD_S = 0.03
_SENSOR_S = 0.004
_HEARD_S = 1.0
_COMMITTEE_S = 0.1


@dataclass(frozen=True)
class Cost:
    """What a training will take on one core, roughly."""

    step: str
    seconds: float


def music_cost(options: MusicOptions, work: Path, kinds: Sequence[str] = ()) -> list[Cost]:
    """The steps of a music training that are still to do, with seconds on one core."""
    kinds = kinds or (options.hears,)
    data = load_music(options.dataset, options.root)
    folder = WorkFolder(work)
    n = len(data.clips)
    images = sum(not folder.path("ms-sg", c.clip_id).exists() for c in data.clips)
    teacher = sum(not folder.path(k, c.clip_id).exists() for c in data.clips for k in kinds)
    if options.front_end == "undertone":
        heads = 4 if options.quick else options.folds * options.seeds + 1
        return [
            Cost("hear the clips, where that is not kept", n * _HEARD_S),
            Cost("heads, folds and seeds", heads * n * _COMMITTEE_S),
        ]
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
        there = targets_path(sensors, work, options.quick, options.selection).exists()
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
    folds, seeds = recipe.n_folds, len(recipe.seeds)
    each = n * epochs * seeds * _SENSOR_S
    # Listenings that a protocol trains on, in sizes of the data set.
    grouped, crossed = folds - 1.0, (crossed_parts(folds) - 1.0) ** 2
    variants = sum({"features": 1.0, "windows": 3.0}[name] for name in recipe.compare)
    return [
        Cost("condition and transform", n * 0.04),
        Cost("P3, P1 and P4 with their permuted twins", 2 * each * (2 * grouped + crossed)),
        Cost("networks of one signal with their twins", each * 2 * grouped),
        Cost("variants of the network", each * (grouped + crossed) * variants),
    ]


def lines(costs: Sequence[Cost]) -> Iterator[str]:
    """The costs as text, the sum last."""
    for cost in costs:
        yield f"  {cost.step}: {_duration(cost.seconds)}"
    yield f"  together about {_duration(sum(c.seconds for c in costs))} on one core"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
