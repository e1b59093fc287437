"""Training Table III's rivals on log-mel crops, as systems for `cross_validate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from inference.evaluation.crossval import Samples
from inference.training.loops import Optimisation, class_weights, fit, seeded
from inference.training.music_systems import ClipInput

__all__ = ["SpectrogramSystem"]


@dataclass(frozen=True)
class SpectrogramSystem:
    """A network on the static mel channel, trained on random crops.

    Parameters
    ----------
    build : callable
        Makes the network.
    optimisation : Optimisation
    crop : int
        Frames of a training crop and of the windows at test time, which are
        averaged.
    """

    build: Callable[[], nn.Module]
    optimisation: Optimisation
    crop: int = 768

    def __call__(self, samples: Samples[ClipInput], seed: int) -> _SpectrogramPredictor:
        rng = seeded(seed)
        net = self.build()
        images = [_mel(c) for c in samples.inputs]
        weights, labels = class_weights(samples.labels), torch.from_numpy(samples.labels)
        eps = self.optimisation.smoothing

        def loss_of(at: NDArray[np.int64]) -> Tensor:
            crops = []
            for i in at:
                spare = max(1, images[i].shape[1] - self.crop + 1)
                crops.append(_window(images[i], int(rng.integers(0, spare)), self.crop))
            said = net(torch.from_numpy(np.stack(crops))[:, None])
            hard = nll_loss(said, labels[torch.from_numpy(at)], weight=weights)
            loss: Tensor = (1.0 - eps) * hard - eps * said.mean()
            return loss

        fit(net, len(labels), loss_of, self.optimisation, rng)
        return _SpectrogramPredictor(net, self.crop)


@dataclass(frozen=True)
class _SpectrogramPredictor:
    net: nn.Module
    crop: int

    def __call__(self, inputs: Sequence[ClipInput]) -> NDArray[np.float64]:
        return np.stack([self._song(_mel(c)) for c in inputs])

    def _song(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        starts = range(0, max(1, image.shape[1] - self.crop + 1), max(1, self.crop // 2))
        windows = np.stack([_window(image, a, self.crop) for a in starts])
        with torch.inference_mode():
            mean = self.net(torch.from_numpy(windows)[:, None]).mean(dim=0)
            p: NDArray[np.float64] = torch.softmax(mean, dim=0).numpy().astype(np.float64)
        return p


def _mel(clip: ClipInput) -> NDArray[np.float32]:
    return np.asarray((clip.image()[0].astype(np.float32) - 0.45) / 0.2, dtype=np.float32)


def _window(image: NDArray[np.float32], start: int, length: int) -> NDArray[np.float32]:
    """`length` frames from `start`; what is too short is repeated."""
    if image.shape[1] < length:
        image = np.tile(image, (1, -(-length // image.shape[1])))
    return image[:, start : start + length]
