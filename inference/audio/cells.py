"""Cells: moments of a few seconds of music that add up, so that windows cost next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.audio.spectra import CELL_FRAMES, COARSE_HOP, FINE_HOP

__all__ = ["Windows", "coarse_means", "fine_means", "joined", "sampled_means", "windowed"]

Array = NDArray[np.float32]


C = TypeVar("C", bound=tuple[Array, ...])


class Windows(NamedTuple):
    """Stretches of cells, ``start`` to ``stop`` (exclusive) each, shape (W,)."""

    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @classmethod
    def over(cls, cells: int, length: int, hop: int) -> Windows:
        """Windows of `length` cells every `hop`, the last one flush with the end; at least one."""
        length = min(length, cells)
        start = np.arange(0, cells - length + 1, hop)
        if start[-1] + length < cells:
            start = np.append(start, cells - length)
        return cls(start, start + length)

    @classmethod
    def around(cls, cells: int, reach: int) -> Windows:
        """One window a cell: itself and `reach` neighbours on either side, as far as there are."""
        at = np.arange(cells)
        return cls(np.maximum(at - reach, 0), np.minimum(at + reach + 1, cells))


def windowed(cells: C, windows: Windows) -> C:
    """The mean of every field over each window: first axis W in place of cells."""
    return type(cells)(*(_window_mean(field, windows) for field in cells))


def joined(parts: Sequence[C]) -> C:
    """Consecutive stretches of cells as one."""
    return type(parts[0])(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def _window_mean(field: Array, windows: Windows) -> Array:
    total = np.zeros((len(field) + 1, *field.shape[1:]))
    np.cumsum(field, axis=0, out=total[1:])
    count = (windows.stop - windows.start).reshape(-1, *[1] * (field.ndim - 1))
    mean: Array = ((total[windows.stop] - total[windows.start]) / count).astype(np.float32)
    return mean


def fine_means(frames: Array) -> Array:
    """Mean over the fine frames of each cell: (T, ...) to (cells, ...)."""
    cells = len(frames) // CELL_FRAMES
    cut = frames[: cells * CELL_FRAMES].reshape(cells, CELL_FRAMES, *frames.shape[1:])
    mean: Array = cut.mean(axis=1, dtype=np.float32)
    return mean


def coarse_means(frames: Array, cells: int) -> Array:
    """Mean over the coarse frames whose centre lies in each cell: (U, ...) to (cells, ...)."""
    return sampled_means(frames, np.arange(len(frames)) * (COARSE_HOP / FINE_HOP), cells)


def sampled_means(values: Array, at_frame: NDArray[Any], cells: int) -> Array:
    """Mean a cell of values at rising times (in fine frames); one without any takes the nearest."""
    edges = np.searchsorted(at_frame, np.arange(cells + 1) * CELL_FRAMES)
    edges[:-1] = np.minimum(edges[:-1], len(values) - 1)
    total = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=total[1:])
    stop = np.maximum(edges[1:], edges[:-1] + 1)
    count = (stop - edges[:-1]).reshape(-1, *[1] * (values.ndim - 1))
    mean: Array = ((total[stop] - total[edges[:-1]]) / count).astype(np.float32)
    return mean
