"""More like this: neighbours of a song in its stored musical features, and on the mood plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.packing import PackingError

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["CANDIDATES", "similar", "vector_of"]

CANDIDATES = 2000
"""So many neighbours on the plane are compared by their features; libraries up to this size in
whole. Reading them takes some 0.3 s, and none of it is done on the thread of the window."""

_FLOOR = 1e-6


def similar(library: Library, track_id: int, count: int) -> list[int]:
    """The songs that are most like one, itself first.

    Parameters
    ----------
    count : int
        At most so many.

    Returns
    -------
    list of int
        By distance in the stored features of its front end, among the neighbours on the mood
        plane; songs without such features follow in the order of the plane. Without stored
        features of the song itself, in the order of the plane alone; empty where it has no mood.
    """
    near = _on_the_plane(library, track_id)
    if not len(near):
        return []
    front_end, vectors = _vectors(library, track_id, near)
    if not front_end:
        return [int(i) for i in near[:count]]
    ids = [int(i) for i in near if int(i) in vectors]
    order = _by_distance(np.stack([vectors[i] for i in ids]), ids.index(track_id))
    ranked = [ids[place] for place in order]
    rest = [int(i) for i in near if int(i) not in vectors]
    return (ranked + rest)[:count]


def vector_of(features: SongFeatures) -> NDArray[np.float32]:
    """What a song's features say of it as a whole: mean and spread of its stretches, and the rest.

    Returns
    -------
    ndarray, shape (2 d + k,)
    """
    segments = features.segments.astype(np.float32)
    if not len(segments):
        segments = np.zeros((1, segments.shape[1]), np.float32)
    return np.concatenate([segments.mean(axis=0), segments.std(axis=0), features.song])


def _on_the_plane(library: Library, track_id: int) -> NDArray[np.int64]:
    """The song and its nearest neighbours in valence and arousal that are there to be played."""
    moods = library.index.columns()
    there = ~np.isin(moods.ids, library.search("is:missing")) | (moods.ids == track_id)
    keep = (moods.quadrant >= 0) & there
    ids, valence, arousal = moods.ids[keep], moods.valence[keep], moods.arousal[keep]
    own = np.flatnonzero(ids == track_id)
    if not len(own):
        return np.empty(0, np.int64)
    distance = np.hypot(valence - valence[own[0]], arousal - arousal[own[0]])
    distance[own[0]] = -1.0
    nearest: NDArray[np.int64] = ids[np.argsort(distance, kind="stable")[:CANDIDATES]]
    return nearest


def _vectors(
    library: Library, track_id: int, ids: NDArray[np.int64]
) -> tuple[str, dict[int, NDArray[np.float32]]]:
    """The song's front end ("" without stored features), and the vectors of those that have it."""
    hashes = library.audio_hashes(ids.tolist())
    front_end = library.analysis.front_end(track_id, hashes[track_id])
    vectors = {}
    for found, data in library.analysis.features_of(hashes, front_end) if front_end else ():
        try:
            vectors[found] = vector_of(SongFeatures.from_bytes(data))
        except PackingError:  # tagging it again mends it
            continue
    if track_id not in vectors:
        return "", {}
    length = len(vectors[track_id])
    return front_end, {i: vector for i, vector in vectors.items() if len(vector) == length}


def _by_distance(vectors: NDArray[np.float32], own: int) -> NDArray[np.intp]:
    """Places in order of Euclidean distance to one of them, each column at unit variance."""
    x = np.nan_to_num(vectors.astype(np.float64))
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > _FLOOR, spread, np.inf)
    distance = np.square(x - x[own]).sum(axis=1)
    distance[own] = -1.0
    order: NDArray[np.intp] = np.argsort(distance, kind="stable")
    return order
