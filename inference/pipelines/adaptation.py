"""Getting used to a library: what is usual in it, learned from its songs without any label."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.packing import PackingError, pack, unpack

__all__ = ["FEWEST_SONGS", "LibraryStatistics", "Usual"]

Array = NDArray[np.float32]

FEWEST_SONGS = 30
"""From this many songs on a library is known well enough to adapt to it."""

_HALF_WAY_SONGS = 10.0
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

    @property
    def share(self) -> float:
        """How far to go from the training's statistics to the library's, 0.75 (30 songs) to 1."""
        return self.songs / (self.songs + _HALF_WAY_SONGS)

    def rows(self, rows: Array, trained: Usual) -> Array:
        """Segments, shape (n, r), as if the library were usual music."""
        usual = self.usual
        return _moved(
            rows, usual.row_mean, usual.row_scale, trained.row_mean, trained.row_scale, self.share
        )

    def song(self, song: Array, trained: Usual) -> Array:
        """A song's vector, shape (k,), as if the library were usual music."""
        usual = self.usual
        return _moved(
            song,
            usual.song_mean,
            usual.song_scale,
            trained.song_mean,
            trained.song_scale,
            self.share,
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


def _moved(
    x: Array, mean: Array, scale: Array, trained_mean: Array, trained_scale: Array, share: float
) -> Array:
    known = np.isfinite(trained_scale) & (trained_scale > 0.0)
    base = np.where(known, trained_scale, 1.0)
    ratio = np.clip(scale / base, _SMALLEST, _LARGEST) ** share
    centre = trained_mean + share * (mean - trained_mean)
    moved: Array = np.where(known, (x - centre) / ratio + trained_mean, x).astype(np.float32)
    return moved
