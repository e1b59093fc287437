"""Segments of 64 samples every 44.8: the same count as in music of the same length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HOP_SAMPLES",
    "PAPER_HOP_SAMPLES",
    "SEGMENT_SAMPLES",
    "cut",
    "segment_count",
    "segment_starts",
]

SEGMENT_SAMPLES = 64
"""0.5 s at 128 Hz."""
HOP_SAMPLES = 44.8
"""0.35 s at 128 Hz (30 % overlap); starts are rounded one by one, so that no error adds up."""

PAPER_HOP_SAMPLES = 64.0
"""The paper's "120 per 60 s": no overlap (paper-spec item 4, literal)."""


def segment_count(n_samples: int, hop: float = HOP_SAMPLES, length: int = SEGMENT_SAMPLES) -> int:
    """Whole segments in a recording: 113 in 40 s, 171 in 60 s; 120 in 60 s without overlap."""
    if n_samples < length:
        return 0
    count = int((n_samples - length) / hop) + 2
    while round((count - 1) * hop) + length > n_samples:
        count -= 1
    return count


def segment_starts(
    n_samples: int, hop: float = HOP_SAMPLES, length: int = SEGMENT_SAMPLES
) -> NDArray[np.int64]:
    """First sample of each segment: round(i * hop), shape (L,)."""
    count = segment_count(n_samples, hop, length)
    return np.array([round(i * hop) for i in range(count)], dtype=np.int64)


def cut(image: NDArray[np.float32], starts: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Segments of an image over time.

    Parameters
    ----------
    image : ndarray, shape (rows, n), float32
        Columns at 128 Hz.
    starts : ndarray of int64, optional
        First columns; all segments by default.

    Returns
    -------
    ndarray, shape (L, rows, 64), float32
        A copy.
    """
    at = segment_starts(image.shape[1]) if starts is None else starts
    columns = at[:, None] + np.arange(SEGMENT_SAMPLES)
    return np.ascontiguousarray(image[:, columns].transpose(1, 0, 2))
