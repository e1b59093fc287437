"""Cutting a recording into the paper's segments: 0.5 s windows with 30 % overlap, as views.

One frame is 175 samples at 16 kHz, so that a segment is 46 frames and the hop of 0.35 s is
exactly 32 frames (paper-spec items 4 and 15). Thirty-second windows for the classifier hold
84 segments, one every 14 segments, about 5 s (item 15b).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FS_HZ",
    "HOP_LENGTH",
    "SEGMENT_FRAMES",
    "SEGMENT_HOP_FRAMES",
    "SEGMENT_HOP_S",
    "SEGMENT_S",
    "WINDOW_HOP_SEGMENTS",
    "WINDOW_SEGMENTS",
    "frame_count",
    "segment_count",
    "segment_views",
    "window_starts",
]

FS_HZ = 16000
HOP_LENGTH = 175
SEGMENT_FRAMES = 46
SEGMENT_HOP_FRAMES = 32
SEGMENT_S = 0.5
SEGMENT_HOP_S = 0.35
WINDOW_SEGMENTS = 84
WINDOW_HOP_SEGMENTS = 14


def frame_count(samples: int) -> int:
    """Frames in a recording of `samples` samples: one centred on each multiple of the hop."""
    return 1 + samples // HOP_LENGTH if samples > 0 else 0


def segment_count(frames: int) -> int:
    """Whole segments in `frames` frames; 113 in 40 s, 171 in 60 s, 0 below 0.5 s."""
    return max(0, 1 + (frames - SEGMENT_FRAMES) // SEGMENT_HOP_FRAMES)


def segment_views(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """All whole segments of an image, without copying.

    Parameters
    ----------
    image : ndarray, shape (c, r, t), float32
        Channels, rows, frames.

    Returns
    -------
    ndarray, shape (n, c, r, 46), float32
        A read-only view: segment i starts at frame 32 i. n may be 0.
    """
    channels, rows, frames = image.shape
    n = segment_count(frames)
    if n == 0:
        return np.empty((0, channels, rows, SEGMENT_FRAMES), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(image, SEGMENT_FRAMES, axis=2)
    return windows[:, :, ::SEGMENT_HOP_FRAMES].transpose(2, 0, 1, 3)


def window_starts(
    segments: int, *, length: int = WINDOW_SEGMENTS, hop: int = WINDOW_HOP_SEGMENTS
) -> list[int]:
    """First segment of each classifier window.

    A song shorter than one window is one window of its own length. A rest at the end that
    the hop does not reach is covered by one more window that ends with the song.

    Parameters
    ----------
    segments : int
        Segments in the song.
    length, hop : int
        Of the windows, in segments.
    """
    if segments <= 0:
        return []
    if segments <= length:
        return [0]
    starts = list(range(0, segments - length + 1, hop))
    if starts[-1] + length < segments:
        starts.append(segments - length)
    return starts
