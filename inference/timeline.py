"""How the mood of a song moves: probabilities of the four quadrants over time."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.packing import PackingError, pack, unpack

__all__ = ["Timeline"]

_KIND, _VERSION = b"UTTL", 1
_FIELDS = struct.Struct("<ffI")


@dataclass(frozen=True, eq=False)
class Timeline:
    """Quadrant probabilities at equally spaced moments of a song.

    Parameters
    ----------
    start_s, hop_s : float
        Time of the first value and distance of the values, seconds.
    probabilities : ndarray, shape (n, 4), float32
        In the order of `inference.emotion.QUADRANTS`; rows sum to 1.
    """

    start_s: float
    hop_s: float
    probabilities: NDArray[np.float32]

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each value, shape (n,), seconds."""
        return self.start_s + self.hop_s * np.arange(len(self.probabilities), dtype=np.float64)

    @property
    def valence(self) -> NDArray[np.float32]:
        """Shape (n,), in [-1, 1]."""
        return self._axis(0, 2)

    @property
    def arousal(self) -> NDArray[np.float32]:
        """Shape (n,), in [-1, 1]."""
        return self._axis(0, 1)

    def _axis(self, first: int, second: int) -> NDArray[np.float32]:
        high = self.probabilities[:, first] + self.probabilities[:, second]
        axis: NDArray[np.float32] = np.clip(2.0 * high - 1.0, -1.0, 1.0).astype(np.float32)
        return axis

    def to_bytes(self) -> bytes:
        """Four bytes a value: probabilities in steps of 1/255."""
        steps = np.rint(np.clip(self.probabilities, 0.0, 1.0) * 255.0).astype(np.uint8)
        head = _FIELDS.pack(self.start_s, self.hop_s, len(steps))
        return pack(_KIND, _VERSION, head + steps.tobytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Timeline:
        """Read what `to_bytes` wrote.

        Raises
        ------
        PackingError
            If the record is damaged or from a newer version.
        """
        payload = unpack(_KIND, _VERSION, data)
        if len(payload) < _FIELDS.size:
            raise PackingError(
                "a stored timeline is incomplete", "Tag the song again with --force."
            )
        start_s, hop_s, n = _FIELDS.unpack_from(payload)
        if len(payload) != _FIELDS.size + 4 * n:
            raise PackingError(
                "a stored timeline is incomplete", "Tag the song again with --force."
            )
        steps = np.frombuffer(payload, np.uint8, offset=_FIELDS.size).reshape(n, 4)
        values = np.maximum(steps.astype(np.float32), 1e-3)
        return cls(start_s, hop_s, values / values.sum(axis=1, keepdims=True))
