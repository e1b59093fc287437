"""What stored features say of a song beyond its probabilities: without torch, without the audio.

Two views of a song: its musical features, which a listener's own map may read, and the regressed
physiological features, which the clusters of prompted labelling compare where no band was worn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.audio.features import SongFeatures
from inference.catalog import find
from inference.errors import UndertoneError
from inference.pipelines.head import Head, heads_of
from inference.pipelines.undertone import WINDOW_SEGMENTS, Reduction
from inference.pipelines.weights import read_graph

__all__ = [
    "MsSgReader",
    "SongReader",
    "SongSpace",
    "UndertoneReader",
    "Windows",
    "read_songs",
]

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

DIMENSIONS = 24
"""Of the space in which a listener's map may look at songs."""

_WINDOWS = 4
_SPREAD = 2.0
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Windows:
    """What a head reads of a song.

    Parameters
    ----------
    segments : ndarray, shape (L, r), float32
    song : ndarray, shape (k,), float32
        Standardised.
    """

    segments: Floats
    song: Floats

    def starts(self) -> tuple[NDArray[np.int64], int]:
        """First segments of a few windows, evenly spread, and their length."""
        length = min(WINDOW_SEGMENTS, len(self.segments))
        last = len(self.segments) - length
        count = min(_WINDOWS, last + 1)
        return np.unique(np.linspace(0, last, count).round().astype(np.int64)), length

    def scores(self, head: Head) -> Array:
        """Log-probabilities by a head, averaged over the windows, (4,)."""
        start, length = self.starts()
        codes = head.codes(self.segments, self.song)
        said = head.think(codes[start[:, None] + np.arange(length)]).log_probabilities
        return np.asarray(said.mean(axis=0), np.float64)


class SongReader(Protocol):
    """Reads the stored features of one front end."""

    @property
    def front_end(self) -> str: ...

    @property
    def heads(self) -> Sequence[Head]:
        """Of the common model, where the listener's own may start from; may be empty."""
        ...

    def musical(self, features: SongFeatures) -> Array:
        """What a listener's map may look at, (d,)."""
        ...

    def physiological(self, features: SongFeatures) -> Array:
        """Regressed physiological features, the mean over the song, (c,)."""
        ...

    def windows(self, features: SongFeatures) -> Windows | None:
        """What heads read; None where the front end keeps no such thing."""
        ...


def read_songs(model_id: str, models_dir: Path | None) -> SongReader:
    """The reader of the features that a model keeps.

    Raises
    ------
    UndertoneError
        If the model is not installed, damaged, or keeps nothing that can be read.
    """
    installed = find(model_id, models_dir)
    pipeline = installed.card.pipeline
    if pipeline == "undertone":
        return UndertoneReader(installed.card.front_end, installed.files)
    if pipeline == "ms-sg" and "classifier" in installed.files:
        return MsSgReader(installed.card.front_end)
    raise UndertoneError(
        f"{model_id} keeps no features of songs that a personal model could read",
        "Tag your music with the default model",
    )


class UndertoneReader:
    """See `inference.pipelines.undertone`: reduced segments, standardised song."""

    def __init__(self, front_end: str, files: Mapping[str, Path]) -> None:
        self.front_end = front_end
        self.heads: Sequence[Head] = heads_of(read_graph(files["head"]))
        self._reduction = Reduction.load(files["reduction"])

    def musical(self, features: SongFeatures) -> Array:
        """Mean reduced segment beside the song's means, both standardised."""
        rows, sound = _split(features)
        mean = (sound @ rows - self._reduction.row_mean) / self._reduction.row_scale
        return np.concatenate([mean, self._reduction.song(features.song)]).astype(np.float64)

    def physiological(self, features: SongFeatures) -> Array:
        """Mean code of all heads, which imitate the same listeners."""
        rows, sound = _split(features)
        song = self._reduction.song(features.song)
        codes = np.mean([head.codes(rows, song) for head in self.heads], axis=0)
        return np.asarray(sound @ codes, np.float64)

    def windows(self, features: SongFeatures) -> Windows | None:
        rows, _ = _split(features)
        return Windows(rows, self._reduction.song(features.song).astype(np.float32))


class MsSgReader:
    """See `inference.pipelines.ms_sg`: attended vectors of windows are both views."""

    def __init__(self, front_end: str) -> None:
        self.front_end = front_end
        self.heads: Sequence[Head] = ()

    def musical(self, features: SongFeatures) -> Array:
        """Mean attended vector, r of equation 13."""
        rows, sound = _split(features)
        return np.asarray(sound @ rows, np.float64)

    def physiological(self, features: SongFeatures) -> Array:
        return self.musical(features)

    def windows(self, features: SongFeatures) -> Windows | None:
        return None


def _split(features: SongFeatures) -> tuple[Floats, Floats]:
    """Rows without their last column, and that column as weights whose sum is 1."""
    rows, sound = np.split(features.segments.astype(np.float32), [-1], axis=1)
    weight = np.clip(sound[:, 0], 0.0, 1.0)
    total = float(weight.sum())
    return rows, weight / total if total > 0.0 else np.full(len(rows), 1.0 / len(rows), np.float32)


@dataclass(frozen=True, eq=False)
class SongSpace:
    """Principal directions of the musical features in a library, fitted without any label.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    directions : ndarray, shape (d, m)
        Scaled so that places have a total variance of 4 over the songs it was fitted to.
    """

    mean: Array
    directions: Array

    def __post_init__(self) -> None:
        fits = self.directions.ndim == 2 and self.mean.shape == self.directions.shape[:1]
        if not fits or not (np.isfinite(self.mean).all() and np.isfinite(self.directions).all()):
            raise ValueError("a space takes a finite mean (d,) and directions (d, m)")

    @property
    def dimensions(self) -> int:
        return int(self.directions.shape[1])

    def places(self, musical: ArrayLike) -> Array:
        """Where songs (n, d) lie: (n, m)."""
        places: Array = (np.asarray(musical, np.float64) - self.mean) @ self.directions
        return places

    @classmethod
    def fit(cls, musical: ArrayLike, dimensions: int = DIMENSIONS) -> SongSpace:
        """From the musical features of songs, (n, d); fewer dimensions where songs are few."""
        x = np.asarray(musical, np.float64)
        mean = x.mean(axis=0)
        _, values, rows = np.linalg.svd(x - mean, full_matrices=False)
        variance = values**2 / max(len(x) - 1, 1)
        count = int(min(dimensions, max(1, len(x) // 4), (variance > _LEAST_VARIANCE).sum()))
        total = float(np.sqrt(variance[:count].sum())) if count else 1.0
        return cls(mean, rows[:count].T * (_SPREAD / max(total, 1e-9)))
