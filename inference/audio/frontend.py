"""The paper's image of music, MS-SG, streamed: static mel, first differential, scalogram.

Blocks of audio of any length go in, consecutive frames or segments come out; the result does
not depend on how the audio was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from inference.audio.scalogram import Scalogram, ScalogramConfig
from inference.audio.segments import SEGMENT_HOP_FRAMES, segment_count, segment_views
from inference.audio.spectrogram import DELTA_FRAMES, MelConfig, MelSpectrogram, delta_inside

__all__ = ["AUDIBLE", "MS_SG_SCALING", "MsSg", "ms_sg_image"]

Image = NDArray[np.float32]

MS_SG_SCALING = ((11.5, 17.5), (1.0, 2.0), (0.0, 8.5))
"""(offset, range) of the channels: each is clip((x + offset) / range, 0, 1), so that log-mel,
differential and scalogram fill 0..1. Networks are trained with exactly these figures."""

AUDIBLE = (-7.9 + 11.5) / 17.5
"""Scaled energy (row 0 of channel 0) from which on a frame counts as sound: -60 dB full scale."""


class MsSg:
    """Streams MS-SG images (paper-spec items 15 to 18).

    Parameters
    ----------
    mel : MelConfig
    scalogram : ScalogramConfig
        Both need the same hop and number of rows.
    """

    id = "ms-sg-1"

    def __init__(
        self, mel: MelConfig | None = None, scalogram: ScalogramConfig | None = None
    ) -> None:
        self._mel = MelSpectrogram(mel)
        self._scalogram = Scalogram(scalogram)
        m, s = self._mel.config, self._scalogram.config
        if m.hop_length != s.hop_length or m.rows != s.rows or m.fs_hz != s.fs_hz:
            raise ValueError("mel spectrogram and scalogram must share rate, hop and rows")
        if m.margin + DELTA_FRAMES * m.hop_length > s.margin_frames * s.hop_length:
            raise ValueError("the scalogram's margin must cover the mel frames' one")

    def frames(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Image]:
        """Images of consecutive frames.

        Parameters
        ----------
        blocks : iterable of ndarray, shape (n,), float32
            Mono audio at 16 kHz, cut anywhere.

        Yields
        ------
        ndarray, shape (3, rows, t), float32, in 0..1
            Together 1 + n // 175 frames for n samples.
        """
        config = self._scalogram.config
        hop, core = config.hop_length, config.core_frames
        buffer = np.zeros(self._scalogram.length, np.float32)
        filled = config.margin_frames * hop
        samples = first = 0
        for block in blocks:
            samples += block.size
            while block.size:
                n = min(block.size, buffer.size - filled)
                buffer[filled : filled + n] = block[:n]
                filled += n
                block = block[n:]
                if filled == buffer.size:
                    yield self._image(buffer, core, first=first == 0, following=DELTA_FRAMES)
                    first += core
                    filled -= core * hop
                    buffer[:filled] = buffer[core * hop :].copy()
        buffer[filled:] = 0.0
        left = 1 + samples // hop - first if samples else 0
        while left > 0:
            n = min(left, core)
            yield self._image(buffer, n, first=first == 0, following=min(left - n, DELTA_FRAMES))
            first, left = first + n, left - n
            buffer[: buffer.size - core * hop] = buffer[core * hop :].copy()
            buffer[buffer.size - core * hop :] = 0.0

    def segments(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Image]:
        """Batches of consecutive segments.

        Parameters
        ----------
        blocks : iterable of ndarray, shape (n,), float32

        Yields
        ------
        ndarray, shape (n, 3, rows, 46), float32, in 0..1
            Views; n is about 22.
        """
        rest: Image | None = None
        for image in self.frames(blocks):
            joined = image if rest is None else np.concatenate([rest, image], axis=2)
            n = segment_count(joined.shape[2])
            if n:
                yield segment_views(joined)
            rest = joined[:, :, n * SEGMENT_HOP_FRAMES :]

    def _image(self, buffer: Image, frames: int, *, first: bool, following: int) -> Image:
        """Scaled image of `frames` frames from behind the buffer's margin on.

        `following` frames of sound are known to follow; before the `first` none came. The
        differential repeats the outermost frame where there is no sound.
        """
        config = self._scalogram.config
        before = 0 if first else DELTA_FRAMES
        start = (config.margin_frames - before) * config.hop_length - self._mel.config.margin
        mel = self._mel(buffer[start:], before + frames + following)
        beyond = (DELTA_FRAMES - before, DELTA_FRAMES - following)
        image = np.empty((3, config.rows, frames), np.float32)
        image[0] = mel[:, before : before + frames]
        image[1] = delta_inside(np.pad(mel, ((0, 0), beyond), mode="edge"))
        image[2] = self._scalogram(buffer)[:, :frames]
        for channel, (offset, extent) in zip(image, MS_SG_SCALING, strict=True):
            channel += np.float32(offset)
            channel *= np.float32(1.0 / extent)
        return np.clip(image, 0.0, 1.0, out=image)


def ms_sg_image(samples: NDArray[np.float32]) -> Image:
    """Image of a whole recording, for training: shape (3, 64, 1 + n // 175), float32, in 0..1."""
    pieces = list(MsSg().frames([np.asarray(samples, np.float32)]))
    if not pieces:
        return np.empty((3, MelConfig().rows, 0), np.float32)
    return np.concatenate(pieces, axis=2)
