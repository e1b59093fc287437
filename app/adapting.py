"""Getting used to a library: when to learn what is usual in it, and the model that knows it."""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.errors import UndertoneError
from inference.job import Job, Progress
from library_db.adaptation import MARK

if TYPE_CHECKING:
    from app.song_model import Model
    from inference.audio.features import SongFeatures
    from inference.pipelines.adaptation import LibraryStatistics
    from library_db.adaptation import Adaptation
    from library_db.library import Library

__all__ = ["adapted", "learn", "may_learn", "needed_songs", "otherwise_adapted", "stored"]

_GROWTH = 2
"""Learn again when there are this many times the songs of the last time."""

_MOST_SONGS = 3000
"""More say nothing new of what is usual."""

_READ_AT_ONCE = 100


def stored(library: Library, model: Model) -> Adaptation | None:
    """What was last learned of the library with the model's features; None if nothing usable."""
    if not model.adapts:
        return None
    found = library.analysis.adaptation(model.front_end)
    return found if found is not None and _statistics(found.data, model) is not None else None


def adapted(model: Model, adaptation: Adaptation | None) -> Model:
    """The model used to the library; the model as it is where nothing was learned.

    Its revision names the version of what was learned, so that songs which were rated with
    another one, or without, are stale.
    """
    if adaptation is None or model.load_adapted is None:
        return model
    return replace(
        model,
        load=functools.partial(model.load_adapted, adaptation.data),
        revision=f"{model.revision}{MARK}{adaptation.name}",
    )


def otherwise_adapted(library: Library, model: Model, used: Model) -> list[int]:
    """Songs that this very model has rated, but in another version of being used to the library.

    Parameters
    ----------
    model, used : Model
        As it is, and as it is used to the library.
    """
    from library_db.adaptation import rated_with
    from library_db.rows import model_key

    plain = model_key(model.model_id, model.revision)
    wanted = model_key(used.model_id, used.revision)
    return [i for i, key in rated_with(library, plain) if key != wanted]


def may_learn(library: Library, model: Model, coming: Sequence[int]) -> bool:
    """Whether there will be enough songs to learn (anew) once those of `coming` are heard."""
    if not model.adapts:
        return False
    from library_db.adaptation import heard

    there = set(heard(library, model.front_end))
    return _is_due(library, model, len(there | set(coming)))


def learn(library: Library, model: Model) -> Job[bool]:
    """Learn what is usual in the library from all songs that were heard, if it is time to.

    Songs with the same audio count once; the order in which songs were heard has no part in it.

    Returns
    -------
    bool
        Whether something new was learned and stored.
    """
    from inference.pipelines.adaptation import LibraryStatistics
    from library_db.adaptation import heard

    there = heard(library, model.front_end)
    if not _is_due(library, model, len(there)):
        return False
    step = max(1, -(-len(there) // _MOST_SONGS))
    features = yield from _features(library, model.front_end, there[::step])
    statistics = LibraryStatistics.of(features)
    if statistics is None:
        return False
    library.analysis.put_adaptation(model.front_end, statistics.to_bytes(), len(there))
    return True


def _is_due(library: Library, model: Model, songs: int) -> bool:
    return songs >= needed_songs(stored(library, model))


def needed_songs(before: Adaptation | None) -> int:
    """How many songs it takes to learn what is usual, after it was last learned so."""
    from inference.pipelines.adaptation import FEWEST_SONGS

    return FEWEST_SONGS if before is None else _GROWTH * before.songs


def _features(
    library: Library, front_end: str, ids: Sequence[int]
) -> Generator[Progress, None, list[SongFeatures]]:
    from inference.audio.features import SongFeatures

    found = []
    for number, track_id in enumerate(ids):
        if number % _READ_AT_ONCE == 0:
            yield Progress(0, 0, "")
        data = library.features(track_id, front_end)
        if data is None:
            continue
        try:
            found.append(SongFeatures.from_bytes(data))
        except (UndertoneError, ValueError):
            continue  # damaged: it is heard again in its turn
    return found


def _statistics(data: bytes, model: Model) -> LibraryStatistics | None:
    from inference.pipelines.adaptation import LibraryStatistics

    try:
        found = LibraryStatistics.from_bytes(data)
    except UndertoneError:
        return None
    return found if found.front_end == model.front_end else None
