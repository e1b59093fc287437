"""Distilling VGG19's features into the student: no labels, gain-augmented images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss

from inference.audio.segments import SEGMENT_FRAMES, SEGMENT_HOP_FRAMES
from inference.job import Job, Progress
from inference.models.student import Student, StudentConfig
from inference.training.loops import Optimisation, batches, seeded

__all__ = ["Distillation", "change_gain", "distil"]

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Distillation:
    """How the student is trained.

    Parameters
    ----------
    network : StudentConfig
    optimisation : Optimisation
        An epoch passes over `share` of the segments, drawn anew.
    share : float
    gain_db : float
        Largest change of loudness, drawn uniformly a segment.
    """

    network: StudentConfig = field(default_factory=StudentConfig)
    optimisation: Optimisation = field(
        default_factory=lambda: Optimisation(epochs=8, batch=128, rate=4e-3, weight_decay=1e-3)
    )
    share: float = 0.5
    gain_db: float = 6.0


def change_gain(images: Tensor, gain_db: Tensor) -> Tensor:
    """What MS-SG images look like when the music is louder or softer.

    Power adds in the logarithm (down to the floor of the log-mel), the
    differential stays, the scalogram is ln(1 + 1e4 m) with m scaled.

    Parameters
    ----------
    images : Tensor, shape (N, 3, 64, 46), in [0, 1]
    gain_db : Tensor, shape (N,)
    """
    power = (10.0 ** (gain_db / 10.0))[:, None, None]
    mel = torch.exp(images[:, 0] * 17.5 - 11.5) - 1e-5
    mel = (torch.log(mel.clamp_min(0.0) * power + 1e-5) + 11.5) / 17.5
    wave = torch.log1p(torch.expm1(images[:, 2] * 8.5) * power.sqrt()) / 8.5
    return torch.stack([mel, images[:, 1], wave], dim=1).clamp(0.0, 1.0)


def distil(
    images: Sequence[NDArray[np.float16]],
    teacher: Sequence[Image],
    settings: Distillation,
    seed: int,
    *,
    checkpoint: Path | None = None,
) -> Job[Student]:
    """Train the student on the teacher's standardised features.

    Parameters
    ----------
    images : sequence of ndarray, each (3, 64, t), float16
        Training clips only.
    teacher : sequence of ndarray, each (L, 512)
        Features of their segments.
    settings : Distillation
    seed : int
    checkpoint : Path, optional
        State after each epoch; an interrupted run goes on from it.

    Yields
    ------
    Progress
        One an epoch; `item` is the mean loss (share of the teacher's
        variance that is not explained).
    """
    rng = seeded(seed)
    index = np.array(
        [(c, s) for c, features in enumerate(teacher) for s in range(len(features))], dtype=np.int64
    )
    whole = np.concatenate(list(teacher))
    mean, scale = whole.mean(axis=0), np.maximum(whole.std(axis=0), 1e-2)
    model = Student(settings.network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    o = settings.optimisation
    optimiser = torch.optim.AdamW(model.parameters(), lr=o.rate, weight_decay=o.weight_decay)
    drawn = max(2, round(settings.share * len(index)))
    steps = o.epochs * len(list(batches(drawn, o.batch, np.random.default_rng(0))))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, o.rate, total_steps=steps)
    first = _resume(checkpoint, model, optimiser, schedule)
    for epoch in range(first, o.epochs):
        model.train()
        rng = np.random.default_rng([seed, epoch])
        chosen = rng.choice(len(index), drawn, replace=False)
        losses = []
        for at in batches(drawn, o.batch, rng):
            pairs = index[chosen[at]]
            x = torch.from_numpy(_segments(images, pairs)).float()
            gain = torch.from_numpy(rng.uniform(-1, 1, len(pairs)).astype(np.float32))
            x = change_gain(x, gain * settings.gain_db)
            y = np.stack([teacher[c][s] for c, s in pairs])
            target = torch.from_numpy(((y - mean) / scale).astype(np.float32)).clamp(-6.0, 6.0)
            optimiser.zero_grad(set_to_none=True)
            loss = mse_loss(model(x.contiguous(memory_format=torch.channels_last)), target)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if checkpoint is not None:
            _save(checkpoint, epoch + 1, model, optimiser, schedule)
        yield Progress(epoch + 1, o.epochs, "distilling", float(np.mean(losses)))
    model.eval()
    return model


def _segments(
    images: Sequence[NDArray[np.float16]], pairs: NDArray[np.int64]
) -> NDArray[np.float16]:
    starts = pairs[:, 1] * SEGMENT_HOP_FRAMES
    return np.stack(
        [images[c][:, :, a : a + SEGMENT_FRAMES] for c, a in zip(pairs[:, 0], starts, strict=True)]
    )


def _save(path: Path, epoch: int, *parts: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    states = [p.state_dict() for p in parts]  # type: ignore[attr-defined]
    torch.save({"epoch": epoch, "states": states}, temporary)
    temporary.replace(path)


def _resume(path: Path | None, *parts: object) -> int:
    if path is None or not path.exists():
        return 0
    stored = torch.load(path, weights_only=True)
    for part, state in zip(parts, stored["states"], strict=True):
        part.load_state_dict(state)  # type: ignore[attr-defined]
    return int(stored["epoch"])
