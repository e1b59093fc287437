"""Songs rated again from their stored features: a new head needs no decoding."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.song_task import Classifier
from app.workers import Crashed, WorkerPool
from inference.emotion import EmotionEstimate
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from app.tag_rows import TagOptions
    from library_db.library import Library

__all__ = ["RateTask", "Rated", "rated_again"]

_SONGS_AT_ONCE = 128
_LIMIT_S = 120.0
_HEARTBEAT_S = 0.2


@dataclass(frozen=True, slots=True)
class RateTask:
    """Songs to rate: id, hash of the audio, `SongFeatures` as bytes."""

    songs: tuple[tuple[int, str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Rated:
    """A song's estimate from its stored features.

    Parameters
    ----------
    audio_hash : str
        Of the audio that the features were made from.
    timeline : bytes
    seconds : float
        Time to rate it.
    """

    track_id: int
    audio_hash: str
    estimate: EmotionEstimate
    timeline: bytes
    seconds: float


def rated_again(
    library: Library,
    ids: Sequence[int],
    front_end: str,
    load: Callable[[], Classifier],
    options: TagOptions,
) -> Generator[tuple[Rated, ...], None, None]:
    """Rate songs that have features of the model's front end.

    Parameters
    ----------
    library : Library
        Only read.
    ids : sequence of int
    front_end : str
    load : callable
        As in `app.tagging.Model`.
    options : TagOptions
        `jobs` and `niceness` count here.

    Yields
    ------
    tuple of Rated
        At least a few times a second, perhaps empty. Songs whose record is damaged, or which
        cost a worker its life, are left out: they are to be classified from their files.
    """
    if not ids:
        return
    tasks = _tasks(library, ids, front_end)
    if options.jobs == 0:
        rate = load_rater(load)
        for task in tasks:
            yield rate(task)
        return
    load_worker = functools.partial(_load_worker, load, options.niceness)
    pool: WorkerPool[RateTask, tuple[Rated, ...]] = WorkerPool(options.jobs, load_worker)
    try:
        waiting = next(tasks, None)
        while waiting is not None or pool.busy:
            while pool.room and waiting is not None:
                pool.submit(waiting, limit_s=_LIMIT_S)
                waiting = next(tasks, None)
            yield ()
            for finished in pool.wait(_HEARTBEAT_S):
                yield () if isinstance(finished.result, Crashed) else finished.result
    finally:
        pool.close()


def load_rater(load: Callable[[], Classifier]) -> Callable[[RateTask], tuple[Rated, ...]]:
    """Load the classifier; returns the function that a worker applies to each task."""
    return functools.partial(_rate, load())


def _load_worker(
    load: Callable[[], Classifier], niceness: int
) -> Callable[[RateTask], tuple[Rated, ...]]:
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    return load_rater(load)


def _tasks(library: Library, ids: Sequence[int], front_end: str) -> Iterator[RateTask]:
    for start in range(0, len(ids), _SONGS_AT_ONCE):
        tracks = library.tracks(ids[start : start + _SONGS_AT_ONCE])
        songs = []
        for track in tracks:
            data = library.features(track.id, front_end)
            if data is not None:
                songs.append((track.id, track.audio_hash, data))
        yield RateTask(tuple(songs))


def _rate(classifier: Classifier, task: RateTask) -> tuple[Rated, ...]:
    from inference.audio.features import SongFeatures

    rated = []
    for track_id, audio_hash, data in task.songs:
        started = time.perf_counter()
        try:
            found = classifier.rate(SongFeatures.from_bytes(data))
        except (UndertoneError, ValueError, ArithmeticError):
            continue  # a damaged record
        seconds = round(time.perf_counter() - started, 6)
        timeline = found.timeline.to_bytes()
        rated.append(Rated(track_id, audio_hash, found.estimate, timeline, seconds))
    return tuple(rated)
