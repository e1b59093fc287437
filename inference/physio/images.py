"""From a recording of GSR and PPG to the encoder's images, normalised from an unlabelled prefix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.physio.conditioning import condition
from inference.physio.scalogram import GSR_SCALES, PPG_SCALES, CausalScalogram, scalogram
from inference.physio.segments import HOP_SAMPLES, SEGMENT_SAMPLES, cut, segment_starts
from inference.physio.signals import FS_HZ, Channel, SignalChunk, SignalError, resample

__all__ = [
    "ImageSettings",
    "ListenerScale",
    "SensorImages",
    "conditioned",
    "cut_images",
    "prefix_scale",
    "sensor_images",
]

Image = NDArray[np.float32]


@dataclass(frozen=True)
class ImageSettings:
    """Where the paper is silent or cannot be meant: our way, or its letter.

    Parameters
    ----------
    scalogram : "recording" or "segment"
        Transform the whole recording and slice it, or each segment by itself
        (paper-spec item 1). Live listening knows the first way only.
    hop : float
        Samples from segment to segment: 44.8 overlaps by 30 %, 64 gives the
        paper's 120 segments in 60 s (item 4).
    """

    scalogram: Literal["recording", "segment"] = "recording"
    hop: float = HOP_SAMPLES


@dataclass(frozen=True)
class ListenerScale:
    """What a listener's signals are like at rest or at first, without any label.

    Parameters
    ----------
    gsr_level : float
        Median of the conditioned GSR, ln microsiemens.
    ppg_deviation : float
        Standard deviation of the conditioned PPG, motion bursts left out.
    """

    gsr_level: float
    ppg_deviation: float

    @classmethod
    def of(cls, gsr: Image, ppg: Image, *, prefix_s: float = 120.0) -> ListenerScale:
        """From conditioned signals at 128 Hz, of which the first `prefix_s` seconds count.

        Raises
        ------
        SignalError
            If there is less than a second.
        """
        n = round(prefix_s * FS_HZ)
        if min(len(gsr), len(ppg)) < FS_HZ:
            raise SignalError("there is less than a second of signal to learn a listener's scale")
        seconds = np.array_split(ppg[:n], max(1, len(ppg[:n]) // round(FS_HZ)))
        deviation = float(np.median([np.std(s) for s in seconds]))
        return cls(float(np.median(gsr[:n])), max(deviation, 1e-6))


@dataclass(frozen=True)
class SensorImages:
    """Images of one recording.

    Parameters
    ----------
    gsr : ndarray, shape (33, n), float32
        32 scales and the level above the listener's.
    ppg : ndarray, shape (32, n), float32
    """

    gsr: Image
    ppg: Image

    def segments(self, starts: NDArray[np.int64] | None = None) -> tuple[Image, Image]:
        """Segments (L, 33, 64) and (L, 32, 64); all by default."""
        at = segment_starts(min(self.gsr.shape[1], self.ppg.shape[1])) if starts is None else starts
        return cut(self.gsr, at), cut(self.ppg, at)


def conditioned(chunk: SignalChunk) -> Image:
    """A recording at 128 Hz, conditioned: shape (n,)."""
    return condition(chunk.channel, resample(chunk).samples)


def sensor_images(gsr: Image, ppg: Image, scale: ListenerScale) -> SensorImages:
    """Images of a recording.

    Parameters
    ----------
    gsr, ppg : ndarray, shape (n,), float32
        Conditioned signals of equal start, at 128 Hz.
    scale : ListenerScale
        Of this listener, from an unlabelled prefix of the session.
    """
    n = min(len(gsr), len(ppg))
    return SensorImages(
        scalogram(gsr[:n] - np.float32(scale.gsr_level), Channel.GSR),
        scalogram(ppg[:n] / np.float32(scale.ppg_deviation), Channel.PPG),
    )


def cut_images(
    gsr: Image,
    ppg: Image,
    scale: ListenerScale,
    settings: ImageSettings = ImageSettings(),
    *,
    length: int = SEGMENT_SAMPLES,
) -> tuple[SensorImages, NDArray[np.int64]]:
    """Images of a recording, and where its segments start in them.

    Parameters
    ----------
    gsr, ppg, scale
        As in `sensor_images`.
    settings : ImageSettings
    length : int
        Samples of a segment; `settings.hop` is that of 64 and grows with it.
    """
    n = min(len(gsr), len(ppg))
    starts = segment_starts(n, settings.hop * length / SEGMENT_SAMPLES, length)
    if settings.scalogram == "recording":
        return sensor_images(gsr, ppg, scale), starts
    at = starts[:, None] + np.arange(length)
    ready = (
        (gsr - np.float32(scale.gsr_level), GSR_SCALES),
        (ppg / np.float32(scale.ppg_deviation), PPG_SCALES),
    )
    images = [
        np.concatenate(list(CausalScalogram(config).alone(signal[at])), axis=1)
        for signal, config in ready
    ]
    return SensorImages(*images), np.arange(len(starts), dtype=np.int64) * length


def prefix_scale(recordings: Sequence[tuple[Image, Image]], *, prefix_s: float) -> ListenerScale:
    """The scale of a listener from conditioned recordings in listening order."""
    if not recordings:
        raise SignalError("there is no recording to learn a listener's scale from")
    return ListenerScale.of(
        np.concatenate([g for g, _ in recordings]),
        np.concatenate([p for _, p in recordings]),
        prefix_s=prefix_s,
    )
