"""Images and features of labelled music, computed once and kept in a work folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.audio.decode import decode_blocks
from inference.audio.frontend import ms_sg_image
from inference.audio.segments import segment_views
from inference.datasets import DatasetError, MusicSet
from inference.job import Job, Progress, run_to_end

__all__ = [
    "ALL_BLOCKS",
    "CHANNELS",
    "EIGHT_BITS",
    "WorkFolder",
    "extract",
    "features",
    "segments_of",
]

Image = NDArray[np.float32]


def segments_of(image: NDArray[np.float16]) -> Image:
    """Segments of a kept image: (3, 64, t) -> (n, 3, 64, 46) float32."""
    return np.ascontiguousarray(segment_views(image.astype(np.float32)))


@dataclass(frozen=True)
class WorkFolder:
    """Where images and features are kept between runs, one file a clip and kind.

    Parameters
    ----------
    folder : Path
        Delete it to start anew. A file is written in one step, so an
        interrupted run goes on where it stopped.
    """

    folder: Path

    def path(self, kind: str, clip_id: str) -> Path:
        return self.folder / kind / f"{clip_id}.npy"

    def load(self, kind: str, clip_id: str) -> NDArray[np.float16] | Image:
        array: NDArray[np.float16] | Image = np.load(self.path(kind, clip_id))
        return array

    def save(self, kind: str, clip_id: str, array: NDArray[np.float16] | Image) -> None:
        path = self.path(kind, clip_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as handle:
            np.save(handle, array)
        part.replace(path)

    def images(self, data: MusicSet) -> Job[None]:
        """Decode and transform the clips that are not there yet.

        Raises
        ------
        DatasetError
            If a clip is shorter than one segment.
        AudioError
            If a clip cannot be decoded.
        """
        for i, clip in enumerate(data.clips):
            if not self.path("ms-sg", clip.clip_id).exists():
                image = ms_sg_image(np.concatenate(list(decode_blocks(clip.path))))
                if len(segment_views(image)) == 0:
                    raise DatasetError(f"{clip.path.name} is shorter than half a second")
                self.save("ms-sg", clip.clip_id, image.astype(np.float16))
            yield Progress(i + 1, len(data.clips), clip.clip_id)


def extract(model: nn.Module, images: Sequence[NDArray[np.float16]]) -> Job[list[Image]]:
    """Features of all segments of each image: one (n, d) float32 an image.

    Parameters
    ----------
    model : nn.Module
        (N, 3, 64, 46) -> (N, d).
    images : sequence of ndarray, each (3, 64, t)
    """
    model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    out: list[Image] = []
    for i, image in enumerate(images):
        x = torch.from_numpy(segments_of(image)).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            out.append(model(x).numpy())
        yield Progress(i + 1, len(images))
    return out


CHANNELS = {"vgg19": (0, 1, 2), "vgg19-ms": (0, 1, 0), "vgg19-sg": (2, 2, 2)}
"""Kinds of teacher features: which channels of the MS-SG image fill the three of the network
(mel and its differential; the scalogram alone)."""

ALL_BLOCKS = "vgg19-blocks"
"""Kind of the features that `ms-sg-vgg19` hears: of all blocks of VGG19."""

EIGHT_BITS = "vgg19-blocks-int8"
"""The same by the network in eight bits."""


def features(
    work: WorkFolder, data: MusicSet, kind: str, build: Callable[[], nn.Module]
) -> Job[list[Image]]:
    """Features by the front end `kind`, (L, d) float32 a clip, extracted where not kept yet.

    Parameters
    ----------
    build : callable
        Makes the network that the kind wants; asked only if something is missing.
    """
    model: nn.Module | None = None
    sequences: list[Image] = []
    for i, clip in enumerate(data.clips):
        if not work.path(kind, clip.clip_id).exists():
            model = model or build()
            image = work.load("ms-sg", clip.clip_id).astype(np.float16)
            image = image[list(CHANNELS.get(kind, (0, 1, 2)))]
            found = run_to_end(extract(model, [image]))
            work.save(kind, clip.clip_id, found[0])
        sequences.append(work.load(kind, clip.clip_id).astype(np.float32))
        yield Progress(i + 1, len(data.clips), clip.clip_id)
    return sequences
