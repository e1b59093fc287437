"""Getting used to a library: what is usual in it, learned from its songs without any label."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.packing import PackingError, pack, unpack

__all__ = ["FEWEST_SONGS", "Familiar", "LibraryStatistics", "Move", "Usual"]

Array = NDArray[np.float32]

FEWEST_SONGS = 30
"""From this many songs on a library is known well enough to adapt to it."""

_HALF_WAY_SONGS = 10.0
_USUAL, _STRANGE = (
    0.4,
    0.7,
)  # strangeness up to which a library counts as usual, and from which on as strange
_LEAST_WORD = 0.1
_SMALLEST, _LARGEST = 0.5, 2.0  # a deviation is never taken to be further off than this
_KIND, _VERSION = b"UTLS", 1
_HEAD = struct.Struct("<IIH")


@dataclass(frozen=True, eq=False)
class Usual:
    """Mean and deviation over songs, of segments (averaged a song) and of the songs' own vector.

    Parameters
    ----------
    row_mean, row_scale : ndarray, shape (r,), float32
    song_mean, song_scale : ndarray, shape (k,), float32
    """

    row_mean: Array
    row_scale: Array
    song_mean: Array
    song_scale: Array


@dataclass(frozen=True, eq=False)
class Familiar:
    """What a model knows.

    Parameters
    ----------
    near : Usual
        Of its training songs.
    far : Usual
        Of the same songs, played by other instruments.
    moods : ndarray, shape (r + k, m), float32
        Orthonormal directions, in deviations of `near`, in which songs of different moods
        differ: a library that is off in these alone is one of other moods, not of another kind.
    """

    near: Usual
    far: Usual
    moods: Array


@dataclass(frozen=True, eq=False)
class LibraryStatistics:
    """What is usual in a library.

    Parameters
    ----------
    front_end : str
        Of the features that it was learned from.
    songs : int
    usual : Usual
    """

    front_end: str
    songs: int
    usual: Usual

    @classmethod
    def of(cls, features: Iterable[SongFeatures]) -> LibraryStatistics | None:
        """Learn from stored features of one front end; None from fewer than 30 songs.

        Raises
        ------
        ValueError
            If the features come from different front ends.
        """
        rows, songs, front_end = [], [], ""
        for song in features:
            if front_end and song.front_end != front_end:
                raise ValueError(f"features of {front_end!r} and {song.front_end!r} do not mix")
            front_end = song.front_end
            rows.append(song.segments[:, :-1].astype(np.float32).mean(axis=0))
            songs.append(song.song)
        if len(rows) < FEWEST_SONGS:
            return None
        row, song_rows = np.stack(rows), np.stack(songs)
        usual = Usual(row.mean(0), row.std(0), song_rows.mean(0), song_rows.std(0))
        return cls(front_end, len(rows), usual)

    def strangeness(self, familiar: Familiar) -> float:
        """How far the library's middle lies from the training songs', in their deviations.

        Root mean square over the features, less what its moods explain and what chance makes of
        so few songs: 0.1 to 0.5 for genres of popular music, 0.9 for solo piano.
        """
        near, mine = familiar.near, self.usual
        off = np.concatenate(
            [
                _relative(mine.row_mean - near.row_mean, near.row_scale),
                _relative(mine.song_mean - near.song_mean, near.song_scale),
            ]
        )
        spread = np.concatenate(
            [
                _relative(mine.row_scale, near.row_scale),
                _relative(mine.song_scale, near.song_scale),
            ]
        )
        off = off - familiar.moods @ (familiar.moods.T @ off)
        chance = float(np.square(spread).mean()) / self.songs
        return float(np.sqrt(max(0.0, float(np.square(off).mean()) - chance)))

    def share(self, familiar: Familiar) -> float:
        """What moved songs count for: 0 in a library of the usual kind, 0.75 in a strange one of
        30 songs, 1 in a large one. An answer that would count for under a tenth is not asked for.
        """
        strange = np.interp(self.strangeness(familiar), (_USUAL, _STRANGE), (0.0, 1.0))
        share = float(strange) * self.songs / (self.songs + _HALF_WAY_SONGS)
        return 0.0 if share < _LEAST_WORD else 1.0 if share > 1.0 - _LEAST_WORD else share

    def towards(self, familiar: Familiar) -> Move:
        """What brings the library's songs to where a model knows its way with strange sounds."""
        mine, far = self.usual, familiar.far
        return Move(
            _Line.of(mine.row_mean, mine.row_scale, far.row_mean, far.row_scale),
            _Line.of(mine.song_mean, mine.song_scale, far.song_mean, far.song_scale),
            self.share(familiar),
        )

    def to_bytes(self) -> bytes:
        """A versioned record with a check sum."""
        u = self.usual
        name = self.front_end.encode()
        head = _HEAD.pack(self.songs, len(u.row_mean), len(name)) + name
        arrays = [u.row_mean, u.row_scale, u.song_mean, u.song_scale]
        body = b"".join(np.ascontiguousarray(a, "<f4").tobytes() for a in arrays)
        return pack(_KIND, _VERSION, head + body)

    @classmethod
    def from_bytes(cls, data: bytes) -> LibraryStatistics:
        """Read what `to_bytes` wrote.

        Raises
        ------
        PackingError
            If the record is damaged or from a newer version.
        """
        payload = unpack(_KIND, _VERSION, data)
        try:
            songs, r, length = _HEAD.unpack_from(payload)
            start = _HEAD.size + length
            name = payload[_HEAD.size : start].decode()
            values = np.frombuffer(payload, "<f4", offset=start).astype(np.float32)
            k = len(values) // 2 - r
            if k < 0:
                raise ValueError
            parts = np.split(values, np.cumsum([r, r, k]))
            usual = Usual(*parts)
        except (struct.error, ValueError) as error:
            raise PackingError(
                "the stored statistics of the library are incomplete", "Tag a song again."
            ) from error
        return cls(name, songs, usual)


def _relative(x: Array, scale: Array) -> Array:
    """`x` over `scale`; 0 where training never saw it move."""
    known = np.isfinite(scale) & (scale > 0.0)
    relative: Array = np.where(known, x / np.where(known, scale, 1.0), 0.0).astype(np.float32)
    return relative


@dataclass(frozen=True, eq=False)
class _Line:
    """x to factor * x + offset."""

    factor: Array
    offset: Array

    @classmethod
    def of(cls, mean: Array, scale: Array, to_mean: Array, to_scale: Array) -> _Line:
        known = np.isfinite(to_scale) & (to_scale > 0.0)
        base = np.where(known, to_scale, 1.0)
        ratio = np.where(known, np.clip(scale / base, _SMALLEST, _LARGEST), 1.0)
        offset = np.where(known, to_mean - mean / ratio, 0.0)
        return cls((1.0 / ratio).astype(np.float32), offset.astype(np.float32))

    def __call__(self, x: Array) -> Array:
        moved: Array = (x * self.factor + self.offset).astype(np.float32)
        return moved


@dataclass(frozen=True, eq=False)
class Move:
    """How the features of a library's songs are moved, and what they then count for.

    A song is judged where it is and where it is moved to, and the answers are blended: half way
    lies no music that a model has heard, and what it says there is worth less than either.

    Parameters
    ----------
    share : float
        Of the judgement of the moved song, 0 to 1.
    """

    _rows: _Line
    _song: _Line
    share: float

    def rows(self, rows: Array) -> Array:
        """Segments, shape (..., r)."""
        return self._rows(rows)

    def song(self, song: Array) -> Array:
        """Songs' vectors, shape (..., k)."""
        return self._song(song)

    def blended(self, judge: Callable[[Array, Array], Array], rows: Array, song: Array) -> Array:
        """What `judge` (rows, song) -> log-probabilities (..., 4) says, here and where it is moved.

        Returns
        -------
        ndarray, shape (..., 4)
            Log-probabilities, up to a constant in each row.
        """
        if self.share == 0.0:
            return judge(rows, song)
        moved = judge(self.rows(rows), self.song(song))
        if self.share == 1.0:
            return moved
        blend: Array = (1.0 - self.share) * judge(rows, song) + self.share * moved
        return blend
