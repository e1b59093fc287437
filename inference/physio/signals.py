"""Pieces of physiological signals, with units, time and loss: what every source delivers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.errors import UndertoneError

__all__ = ["FS_HZ", "Channel", "SignalChunk", "SignalError", "join_chunks", "resample"]

FS_HZ = 128.0
"""Sampling rate of all processing, as in the paper."""

Samples = NDArray[np.float32]


class SignalError(UndertoneError):
    """A signal that cannot be used: not finite, too short, of an odd rate or unit."""


class Channel(str, Enum):
    """What is measured."""

    GSR = "gsr"
    PPG = "ppg"

    @property
    def unit(self) -> str:
        """Unit of the samples: microsiemens, or arbitrary light units."""
        return "uS" if self is Channel.GSR else "a.u."

    @property
    def limits(self) -> tuple[float, float]:
        """What a sensor can give: skin conducts up to some 60 uS, a zero may lie a little below 0.

        What is beyond counts as missing.
        """
        return (-0.1, 100.0) if self is Channel.GSR else (-1e9, 1e9)


@dataclass(frozen=True)
class SignalChunk:
    """Consecutive samples of one channel.

    Parameters
    ----------
    channel : Channel
    t0_s : float
        Time of the first sample, seconds on the session's clock.
    fs_hz : float
        Sampling rate, > 0.
    samples : array-like, shape (n,)
        Kept as read-only float32; NaN and infinities are refused, a gap is
        said in `lost`, never filled.
    unit : str
        Must be the channel's.
    lost : int
        Samples that are missing just before this chunk.

    Raises
    ------
    SignalError
        On anything that contradicts the above.
    """

    channel: Channel
    t0_s: float
    fs_hz: float
    samples: Samples
    unit: str
    lost: int = 0

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float32)
        if samples.ndim != 1:
            raise SignalError(f"samples of one channel are one row, not of shape {samples.shape}")
        if not np.isfinite(samples).all():
            raise SignalError(f"the {self.channel.value} signal holds values that are not finite")
        if not (math.isfinite(self.fs_hz) and self.fs_hz > 0 and math.isfinite(self.t0_s)):
            raise SignalError(f"impossible rate or time: {self.fs_hz} Hz at {self.t0_s} s")
        if self.unit != self.channel.unit:
            raise SignalError(
                f"{self.channel.value} is in {self.unit!r}",
                f"Convert it to {self.channel.unit}.",
            )
        if self.lost < 0:
            raise SignalError(f"a chunk cannot have lost {self.lost} samples")
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)

    @classmethod
    def of(
        cls, channel: Channel, samples: ArrayLike, fs_hz: float, t0_s: float = 0.0
    ) -> SignalChunk:
        """A chunk in the channel's own unit without loss."""
        return cls(channel, t0_s, fs_hz, np.asarray(samples, np.float32), channel.unit)

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.fs_hz


def join_chunks(chunks: Sequence[SignalChunk]) -> SignalChunk:
    """One chunk from consecutive ones without gaps.

    Raises
    ------
    SignalError
        If there are none, or they differ in channel or rate, or one says
        that samples were lost before it.
    """
    if not chunks:
        raise SignalError("there are no chunks to join")
    first = chunks[0]
    for chunk in chunks[1:]:
        if (chunk.channel, chunk.fs_hz) != (first.channel, first.fs_hz):
            raise SignalError("chunks of different channels or rates cannot be joined")
        if chunk.lost:
            raise SignalError(f"{chunk.lost} samples were lost at {chunk.t0_s:.2f} s")
    return SignalChunk(
        first.channel,
        first.t0_s,
        first.fs_hz,
        np.concatenate([c.samples for c in chunks]),
        first.unit,
        first.lost,
    )


def resample(chunk: SignalChunk, fs_hz: float = FS_HZ) -> SignalChunk:
    """The chunk at another rate, by linear interpolation between its samples.

    Interpolation needs no sample beyond the next one, so that a live stream
    is treated as a recording is. It adds nothing: at 4 Hz, a segment of
    0.5 s holds two measured values.
    """
    if chunk.fs_hz == fs_hz:
        return chunk
    if len(chunk.samples) < 2:
        raise SignalError("a signal of less than two samples cannot be resampled")
    t = np.arange(len(chunk.samples)) / chunk.fs_hz
    n = int(np.floor(t[-1] * fs_hz)) + 1
    values = np.interp(np.arange(n) / fs_hz, t, chunk.samples)
    return SignalChunk(
        chunk.channel,
        chunk.t0_s,
        fs_hz,
        values.astype(np.float32),
        chunk.unit,
        round(chunk.lost * fs_hz / chunk.fs_hz),
    )
