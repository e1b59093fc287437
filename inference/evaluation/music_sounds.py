"""Whether the default model takes music for music, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from inference.datasets import MusicSet, load_music
from inference.evaluation.folds import Groups, Protocol, make_folds
from inference.evaluation.intervals import Interval, bootstrap
from inference.evaluation.music_libraries import Row, check_row
from inference.evaluation.results import RunRecord, digest_files, write_results
from inference.job import Job, Progress
from inference.training.music_best_detector import with_detector
from inference.training.music_best_folds import Material
from inference.training.music_best_head import fit_reduction
from inference.training.music_best_hearing import (
    hear_material,
    hear_no_music,
    published_networks,
)
from inference.training.music_best_sounds import kind_of

__all__ = ["evaluate_sounds", "sound_rows"]

Floats = NDArray[np.float64]
Songs = NDArray[np.float32]

_FOLDS = 5


def evaluate_sounds(
    root: Path,
    weights: Path,
    results: Path,
    *,
    work: Path,
    dataset: str = "music4q",
    command: Sequence[str] = ("undertone", "evaluate", "sounds"),
) -> Job[list[Row]]:
    """Measure the detector on music whose artists, and on sounds whose kind, were held out.

    Parameters
    ----------
    root : Path
        The music.
    weights : Path
        musicnn's wheel.
    results : Path
        Folder for ``music-sounds.csv``.
    work : Path
        What is heard is kept there.
    dataset : str
        The music's layout.
    command : sequence of str

    Returns
    -------
    list of dict
        Columns as in `inference.evaluation.music_checks`. ``taken for music`` is the share that
        has at least half of its say, ``has its whole say`` the share whose moods stay as they
        are.

    Raises
    ------
    UndertoneError
        If the music or the weights are not what they should be, or nothing can be written.
    """
    begin = time.monotonic()
    data = load_music(dataset, root)
    with TemporaryDirectory() as folder:
        networks = published_networks(weights, Path(folder))
        material = yield from hear_material(data, networks, work, varied=())
        yield Progress(0, 0, "made-up sounds")
        rows = list(sound_rows(data, material, hear_no_music(networks)))
    digest = digest_files([*data.files, data.root / "labels.csv"], data.root)
    seconds = time.monotonic() - begin
    record = RunRecord(command, data.info.name, "P2", digest, (0,), seconds)
    write_results(results, "music-sounds", rows, record)
    return rows


def sound_rows(data: MusicSet, material: Material, sounds: Songs) -> Iterator[Row]:
    """The rows, of what was heard; `sounds` are in the order of `no_music`."""
    plain = material.plain
    music = np.zeros(len(plain))
    groups = Groups({"artist": data.groups})
    for fold in make_folds(Protocol.P2, data.labels, groups, n_folds=_FOLDS, seed=0):
        train = material.take(fold.train)
        detector = with_detector(fit_reduction(train.plain, 1), train.songs, sounds)
        music[fold.test] = [detector.familiarity(song) for song in plain.song[fold.test]]
    yield from _rows(data.info.name, "music, artists held out", music, data.groups)
    kinds = np.array([kind_of(number) for number in range(len(sounds))])
    reduction = fit_reduction(plain, 1)
    for kind in sorted(set(kinds)):
        at = kinds == kind
        detector = with_detector(reduction, material.songs, sounds[~at])
        found = np.array([detector.familiarity(song) for song in sounds[at]])
        every = np.arange(len(found)).astype(np.str_)
        yield from _rows("made up", f"{kind}, this kind held out", found, every)


def _rows(
    data: str, condition: str, familiarity: Floats, groups: NDArray[np.str_]
) -> Iterator[Row]:
    for measure, said in (
        ("taken for music", familiarity >= 0.5),
        ("has its whole say", familiarity >= 1.0),
    ):
        interval = _share(said, groups)
        yield check_row("music or not", data, len(said), condition, measure, interval)


def _share(said: NDArray[np.bool_], groups: NDArray[np.str_]) -> Interval:
    nothing = np.zeros(len(said), np.int64)
    shares = said.astype(np.float64)[:, None]
    return bootstrap(lambda _, p: float(np.asarray(p).mean()), nothing, shares, groups)
