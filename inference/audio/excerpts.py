"""A song as excerpts of 30 s and its loudness, in bounded memory whatever its length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.audio.spectra import CELL_FRAMES, FINE_HOP, FS_HZ, Level

__all__ = ["CELL_SAMPLES", "EXCERPT_CELLS", "EXCERPT_SAMPLES", "Excerpt", "Listener"]

Array = NDArray[np.float32]

EXCERPT_CELLS = 10
CELL_SAMPLES = CELL_FRAMES * FINE_HOP
EXCERPT_SAMPLES = EXCERPT_CELLS * CELL_SAMPLES
_MOST = 16  # excerpts, 8 min and 31 MB


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Consecutive samples of a song.

    Parameters
    ----------
    start_s : float
    samples : ndarray, shape (n,), float32
        16 kHz mono as decoded; at most `EXCERPT_SAMPLES`.
    """

    start_s: float
    samples: Array


class Listener:
    """Takes a song block by block and keeps excerpts of it.

    All of it up to 8 minutes; of longer ones every second excerpt (every fourth ...), so that at
    most 16 are held.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[int, Array]] = []
        self._stride = 1
        self._next = 0
        self._buffer = np.empty(EXCERPT_SAMPLES, np.float32)
        self._filled = 0
        self._level = Level()
        self.samples = 0

    def hear(self, block: Array) -> None:
        """Take the next samples, shape (n,), float32, 16 kHz."""
        self._level = self._level.heard(block)
        self.samples += block.size
        while block.size:
            n = min(block.size, EXCERPT_SAMPLES - self._filled)
            self._buffer[self._filled : self._filled + n] = block[:n]
            self._filled += n
            block = block[n:]
            if self._filled == EXCERPT_SAMPLES:
                self._keep()

    def _keep(self) -> None:
        if self._next % self._stride == 0:
            self._kept.append((self._next, self._buffer[: self._filled].copy()))
        self._next += 1
        self._filled = 0
        if len(self._kept) > _MOST:
            self._stride *= 2
            self._kept = [(i, x) for i, x in self._kept if i % self._stride == 0]

    @property
    def duration_s(self) -> float:
        return self.samples / FS_HZ

    @property
    def gain(self) -> float:
        """What brings the song to the common loudness."""
        return self._level.gain

    def excerpts(self) -> list[Excerpt]:
        """What was kept, in order; a song shorter than a cell is repeated until it fills one."""
        if self._filled >= CELL_SAMPLES:
            self._keep()
        if not self._kept and self._filled:
            times = -(-CELL_SAMPLES // self._filled)
            self._kept.append((0, np.tile(self._buffer[: self._filled], times)[:CELL_SAMPLES]))
        return [Excerpt(i * EXCERPT_SAMPLES / FS_HZ, x) for i, x in self._kept]
