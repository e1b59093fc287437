"""What is kept of a song's analysis, so that another head can rate it without decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.packing import PackingError, pack, unpack

__all__ = ["MAX_BYTES", "SongFeatures"]

MAX_BYTES = 16384
"""What a song may take in the database."""

_KIND, _VERSION = b"UTSF", 1
_FIELDS = struct.Struct("<HffIII")


@dataclass(frozen=True, eq=False)
class SongFeatures:
    """Features of one song from one front end.

    Parameters
    ----------
    front_end : str
        Identity of what computed them; only models with the same front end can use them.
    duration_s : float
        Of the decoded audio, seconds.
    hop_s : float
        Distance of the rows of `segments`, seconds.
    segments : ndarray, shape (n, d), float16
        One row a stretch of the song, in order; the front end says what the columns are.
    song : ndarray, shape (k,), float32
        Of the whole song.
    """

    front_end: str
    duration_s: float
    hop_s: float
    segments: NDArray[np.float16]
    song: NDArray[np.float32]

    def to_bytes(self) -> bytes:
        """A versioned record with a check sum: 24 bytes, the name, 2 n d + 4 k."""
        name = self.front_end.encode()
        n, d = self.segments.shape
        head = _FIELDS.pack(len(name), self.duration_s, self.hop_s, n, d, self.song.size)
        segments = np.ascontiguousarray(self.segments, "<f2").tobytes()
        song = np.ascontiguousarray(self.song, "<f4").tobytes()
        return pack(_KIND, _VERSION, head + name + segments + song)

    @classmethod
    def from_bytes(cls, data: bytes) -> SongFeatures:
        """Read what `to_bytes` wrote.

        Raises
        ------
        PackingError
            If the record is damaged or from a newer version.
        """
        payload = unpack(_KIND, _VERSION, data)
        incomplete = PackingError(
            "stored features of a song are incomplete", "Tag the song again with --force."
        )
        if len(payload) < _FIELDS.size:
            raise incomplete
        length, duration_s, hop_s, n, d, k = _FIELDS.unpack_from(payload)
        if len(payload) != _FIELDS.size + length + 2 * n * d + 4 * k:
            raise incomplete
        name = payload[_FIELDS.size : _FIELDS.size + length].decode("utf-8", "replace")
        start = _FIELDS.size + length
        segments = np.frombuffer(payload, "<f2", n * d, start).reshape(n, d).astype(np.float16)
        song = np.frombuffer(payload, "<f4", k, start + 2 * n * d).astype(np.float32)
        return cls(name, duration_s, hop_s, segments, song)
