"""What all trainings share: seeds, one-cycle Adam, balanced classes, clipped gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["Optimisation", "batches", "class_weights", "fit", "seeded"]


@dataclass(frozen=True)
class Optimisation:
    """How a network is fitted (paper-spec item 11).

    Parameters
    ----------
    epochs, batch : int
    rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
        Of AdamW.
    clip : float
        Largest norm of the gradient.
    smoothing : float
        Of the labels.
    """

    epochs: int = 24
    batch: int = 32
    rate: float = 3e-3
    weight_decay: float = 1e-4
    clip: float = 1.0
    smoothing: float = 0.0


def seeded(seed: int) -> np.random.Generator:
    """Seed torch and return NumPy's generator of the same seed."""
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def class_weights(labels: NDArray[np.int64], n_classes: int = 4) -> Tensor:
    """Inverse frequencies with mean 1 over samples; classes that do not occur weigh 0."""
    counts = np.bincount(labels, minlength=n_classes).astype(np.float64)
    weights = np.where(counts > 0, len(labels) / np.maximum(counts, 1) / (counts > 0).sum(), 0.0)
    return torch.from_numpy(weights).float()


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """A random order of n samples in batches; a last batch of one sample joins the one before.

    Batch normalisation cannot work on a single sample.
    """
    order = rng.permutation(n)
    edges = [*range(0, n, size), n]
    if len(edges) > 2 and edges[-1] - edges[-2] < 2:
        edges.pop(-2)
    for a, b in pairwise(edges):
        yield order[a:b]


def fit(
    module: nn.Module,
    n: int,
    loss_of: Callable[[NDArray[np.int64]], Tensor],
    settings: Optimisation,
    rng: np.random.Generator,
    *,
    after_epoch: Callable[[int, float], bool] | None = None,
) -> None:
    """Fit a module's trainable parameters, leaving it in evaluation mode.

    Parameters
    ----------
    module : nn.Module
    n : int
        Number of training samples.
    loss_of : callable (sample numbers) -> scalar Tensor
    settings : Optimisation
    rng : numpy Generator
        Order of the samples.
    after_epoch : callable (epoch, mean loss) -> bool, optional
        True stops the training: for early stopping and for cancelling. It
        may switch the module to evaluation mode; training goes on in
        training mode.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * len(list(batches(n, settings.batch, np.random.default_rng(0))))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=steps)
    for epoch in range(settings.epochs):
        module.train()
        losses = []
        for at in batches(n, settings.batch, rng):
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of(at)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, settings.clip)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if after_epoch is not None and after_epoch(epoch, float(np.mean(losses))):
            break
    module.eval()
