"""What `undertone evaluate` runs: a table of the paper, or one of ours, into a results file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from inference.datasets import MUSIC_SETS, MusicSet, load_music, load_sensor
from inference.errors import UndertoneError
from inference.evaluation.folds import Protocol
from inference.evaluation.music_checks import ChecksSetup, checks_cost, music_checks
from inference.evaluation.music_tables import (
    TABLE_3_KINDS,
    MusicSetup,
    controls_systems,
    differences,
    int8_systems,
    music_table,
    table_3_systems,
)
from inference.evaluation.results import RunRecord, digest_files, table_text, write_results
from inference.evaluation.sensor_tables import (
    SENSOR_SYSTEMS,
    leak_table,
    sensor_inputs,
    sensor_table,
)
from inference.job import Job, Progress
from inference.models.vgg19 import VGG19Base, VGG19Blocks
from inference.training.commands import (
    Cost,
    MusicOptions,
    lines,
    music_cost,
    prepared_music,
    published_teacher,
    undertone_recipe,
)
from inference.training.install import eight_bit
from inference.training.loops import Optimisation
from inference.training.music_best_hearing import published_networks
from inference.training.music_data import ALL_BLOCKS, EIGHT_BITS, WorkFolder, segments_of
from inference.training.quantise import onnx_features
from inference.training.targets import regression_targets

__all__ = ["SEGMENTS_S", "TABLES", "EvaluateOptions", "cost", "evaluate", "lines"]

TABLES = ("table-1", "table-2", "table-3", "controls", "int8", "music-checks", "leak")
_MUSIC = {"table-3": table_3_systems, "controls": controls_systems, "int8": int8_systems}
SEGMENTS_S = (0.5, 1.0, 2.5, 5.0)
"""Segment lengths of Table II, seconds."""
_TABLE_2 = ("PSD + SVM", "RS + HA-BGRU", "RS + HA-CBGRU", "SG + HA-CBGRU", "SG + HIA-CBGRU")
_LISTENING_FIT_S = 0.16

Say = Callable[[str], None]
Row = dict[str, object]


@dataclass(frozen=True)
class EvaluateOptions:
    """An evaluation.

    Parameters
    ----------
    table : one of `TABLES`
    root : Path
    dataset : str
    protocol : Protocol
    work : Path
        Images, features, students, finished folds.
    results : Path
        Folder of the results files.
    sensor_root, sensor_dataset
        Recordings for the regressor's targets (tables of music).
    weights : Path, optional
        Published VGG19 weights (tables of music, where nothing is kept yet).
    systems : sequence of str
        Rows to run; all by default.
    others : sequence of (layout, Path)
        Other kinds of music, only tested (music-checks).
    folds, seeds : int
    quick : bool
        Two folds, one seed, two epochs: to see that it runs. Its file is
        named so and its figures mean nothing.
    resume : bool
        Go on from finished folds instead of starting anew.
    """

    table: str
    root: Path
    dataset: str
    protocol: Protocol
    work: Path
    results: Path
    sensor_root: Path | None = None
    sensor_dataset: str = "hku956"
    weights: Path | None = None
    systems: Sequence[str] = ()
    others: Sequence[tuple[str, Path]] = ()
    folds: int = 5
    seeds: int = 3
    quick: bool = False
    resume: bool = False
    command: Sequence[str] = field(default=("undertone", "evaluate"))

    @property
    def name(self) -> str:
        """Name of the results file."""
        parts = [self.table, self.dataset]
        if self.table != "leak":
            parts.append(self.protocol.value.lower())
        return "-".join([*parts, "quick"] if self.quick else parts)

    @property
    def seed_list(self) -> tuple[int, ...]:
        return (0,) if self.quick else tuple(range(self.seeds))

    @property
    def n_folds(self) -> int:
        return 2 if self.quick else self.folds

    def music(self) -> MusicOptions:
        """The same options for the music trainings."""
        return MusicOptions(
            root=self.root,
            dataset=self.dataset,
            weights=self.weights,
            sensor_root=self.sensor_root,
            sensor_dataset=self.sensor_dataset,
            front_end="undertone" if self.table == "music-checks" else "student",
            folds=self.folds,
            seeds=self.seeds,
            quick=self.quick,
        )


def _of_music(options: EvaluateOptions) -> bool:
    return options.table == "music-checks" or options.table in _MUSIC


def _kinds(options: EvaluateOptions) -> tuple[str, ...]:
    """Kinds of teacher features that the table needs."""
    if options.table == "int8":
        return (ALL_BLOCKS,)
    if options.table != "table-3":
        return ("vgg19",)
    wanted = options.systems or TABLE_3_KINDS
    return tuple(
        dict.fromkeys(["vgg19", *(TABLE_3_KINDS[s] for s in wanted if s in TABLE_3_KINDS)])
    )


def cost(options: EvaluateOptions) -> list[Cost]:
    """The steps of an evaluation, with seconds on one core.

    Raises
    ------
    UndertoneError
        If the table does not fit the data set or the protocol.
    """
    _check(options)
    if _of_music(options):
        steps = music_cost(options.music(), options.work, _kinds(options))
        if options.table == "music-checks":
            return checks_cost(steps, options.n_folds, len(options.seed_list))
        rows = len(options.systems) or (6 if options.table == "table-3" else 9)
        return [*steps[:-1], replace(steps[-1], seconds=steps[-1].seconds * rows)]
    data = load_sensor(options.dataset, options.root)
    n = len(data.listenings)
    steps = [Cost("condition and transform", n * 0.04)]
    if options.table == "leak":
        return [*steps, Cost("trees over segments", n * 0.25)]
    names = options.systems or (SENSOR_SYSTEMS if options.table == "table-1" else _TABLE_2)
    deep = sum(" + HA" in s or " + HI" in s or "BLSTM" in s for s in names)
    fits = 2 * deep * options.n_folds * len(options.seed_list)
    lengths = len(SEGMENTS_S) if options.table == "table-2" else 1
    return [
        *steps,
        Cost("networks and their permuted twins", fits * n * _LISTENING_FIT_S * lengths),
    ]


def _check(options: EvaluateOptions) -> None:
    if options.table not in TABLES:
        raise UndertoneError(f"there is no table {options.table!r}", f"One of {', '.join(TABLES)}.")
    if _of_music(options) != (options.dataset in MUSIC_SETS):
        kind = "music" if _of_music(options) else "signals"
        raise UndertoneError(
            f"{options.table} is measured on {kind}, and {options.dataset} is not that",
            "Choose another --dataset.",
        )
    if _of_music(options) and options.protocol is not Protocol.P2:
        raise UndertoneError("music is evaluated with artists held out", "Use --protocol P2.")


def evaluate(
    options: EvaluateOptions, say: Say, *, teacher: Callable[[], VGG19Base] | None = None
) -> Job[list[Row]]:
    """Run an evaluation and write its results.

    Returns
    -------
    list of dict
        The rows of the table.

    Raises
    ------
    UndertoneError
        If the options do not fit, the data are not in their layout, or
        something cannot be written.
    """
    _check(options)
    begin = time.monotonic()
    checkpoints = options.work / "folds" / options.name
    if not options.resume:
        shutil.rmtree(checkpoints, ignore_errors=True)
    extra: list[Row] = []
    if _of_music(options):
        music = load_music(options.dataset, options.root)
        digest = digest_files([*music.files, music.root / "labels.csv"], music.root)
    if options.table == "music-checks":
        rows = yield from _check_rows(options, say, music)
    elif _of_music(options):
        setup = yield from _music_setup(options, say, teacher)
        systems = _MUSIC[options.table](setup)
        rows, found = yield from music_table(
            setup, systems, names=options.systems, checkpoints=checkpoints
        )
        extra = differences(music, found)
    else:
        data = load_sensor(options.dataset, options.root)
        digest = digest_files(data.files, data.root)
        for line in data.skipped:
            say(f"skipped: {line}")
        rows = yield from _sensor_rows(options, checkpoints)
    record = RunRecord(
        command=options.command,
        dataset=options.dataset,
        protocol="P0, P1, P3" if options.table == "leak" else options.protocol.value,
        data_digest=digest,
        seeds=options.seed_list,
        seconds=time.monotonic() - begin,
        notes={"folds": options.n_folds, "resumed": options.resume},
    )
    say(table_text([{k: v for k, v in r.items() if _shown(k)} for r in rows]))
    say(f"results: {write_results(options.results, options.name, rows, record)}")
    if extra:
        say(table_text(extra))
        write_results(options.results, f"{options.name}-differences", extra, record)
    if options.protocol.leaky:
        say("P0 shares recordings between training and test: the permuted row is what it measures.")
    return rows


def _shown(column: str) -> bool:
    return not (column.endswith(("_low", "_high")) and not column.startswith("accuracy"))


def _music_setup(
    options: EvaluateOptions, say: Say, teacher: Callable[[], VGG19Base] | None
) -> Job[MusicSetup]:
    if options.sensor_root is None:
        raise UndertoneError(
            "the regressor needs recordings to imitate", "Name their folder with --sensor-root."
        )
    data = load_music(options.dataset, options.root)
    work = WorkFolder(options.work)
    yield from prepared_music(options.music(), work, data, teacher, _kinds(options))
    sensors = load_sensor(options.sensor_dataset, options.sensor_root)
    targets = yield from regression_targets(sensors, options.work, options.quick, say)
    if options.table == "int8":
        yield from _eight_bit_features(options, work, data, teacher)
    recipe = options.music().recipe(options.work, say)
    return MusicSetup(
        data=data,
        work=work,
        targets=targets,
        student=recipe.student,
        n_folds=options.n_folds,
        seeds=options.seed_list,
        epochs=2 if options.quick else None,
    )


def _check_rows(options: EvaluateOptions, say: Say, data: MusicSet) -> Job[list[Row]]:
    if options.sensor_root is None or options.weights is None:
        raise UndertoneError(
            "the checks need recordings to imitate and musicnn's published weights",
            "Name them with --sensor-root and --weights (pip download --no-deps musicnn==0.1.0).",
        )
    sensors = load_sensor(options.sensor_dataset, options.sensor_root)
    targets = yield from regression_targets(sensors, options.work, options.quick, say)
    with TemporaryDirectory() as folder:
        setup = ChecksSetup(
            data,
            published_networks(options.weights, Path(folder)),
            options.work,
            targets,
            undertone_recipe(options.music()),
            [load_music(layout, root) for layout, root in options.others],
        )
        rows = yield from music_checks(setup, options.systems)
    return rows


def _eight_bit_features(
    options: EvaluateOptions,
    work: WorkFolder,
    data: MusicSet,
    teacher: Callable[[], VGG19Base] | None,
) -> Job[None]:
    """Features by the teacher in 8 bits, where they are not kept yet."""
    lacking = [c for c in data.clips if not work.path(EIGHT_BITS, c.clip_id).exists()]
    if not lacking:
        return
    model = options.work / f"{EIGHT_BITS}.onnx"
    if not model.exists():
        eight_bit(VGG19Blocks(published_teacher(options.music(), teacher)), model)
    run = onnx_features(model)
    for i, clip in enumerate(lacking):
        image = work.load("ms-sg", clip.clip_id).astype(np.float16)
        work.save(EIGHT_BITS, clip.clip_id, run(segments_of(image)))
        yield Progress(i + 1, len(lacking), f"8 bits: {clip.clip_id}")


def _sensor_rows(options: EvaluateOptions, checkpoints: Path) -> Job[list[Row]]:
    data = load_sensor(options.dataset, options.root)
    if options.table == "leak":
        inputs = yield from sensor_inputs(data)
        rows = yield from leak_table(data, inputs, n_folds=options.n_folds)
        return rows
    optimisation = Optimisation(epochs=2, batch=32) if options.quick else None
    lengths = SEGMENTS_S if options.table == "table-2" else (0.5,)
    names = options.systems or (SENSOR_SYSTEMS if options.table == "table-1" else _TABLE_2)
    rows = []
    for length_s in lengths:
        inputs = yield from sensor_inputs(data, segment_s=length_s)
        some = yield from sensor_table(
            data,
            inputs,
            options.protocol,
            names=names,
            n_folds=options.n_folds,
            seeds=options.seed_list,
            optimisation=optimisation,
            checkpoints=checkpoints / f"{length_s:g}s",
        )
        rows += [{"segment_s": length_s, **r} for r in some] if len(lengths) > 1 else some
    return rows
