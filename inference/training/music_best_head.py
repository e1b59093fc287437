"""Training the head of undertone-music: the paper's route on musicnn and descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from inference.models.classifier import ClassifierConfig
from inference.models.regressor import MusicHead, RegressorConfig
from inference.pipelines.undertone import WINDOW_SEGMENTS, Reduction
from inference.training.music import Route, Targets

__all__ = ["Clips", "Committee", "HeadSettings", "fit_reduction", "reduced", "train_committee"]

Array = NDArray[np.float32]

_SMALLEST_DEVIATION = 1e-5


@dataclass(frozen=True, eq=False)
class Clips:
    """What the pipeline hears in labelled clips.

    Parameters
    ----------
    segments : ndarray, shape (n, 5, d), float32
        The first 30 s in steps of 6 s; a shorter clip is repeated.
    song : ndarray, shape (n, k), float32
    labels : ndarray of int64, shape (n,)
        Position in `QUADRANTS`.
    """

    segments: Array
    song: Array
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, segments: Sequence[Array], song: Sequence[Array], labels: Sequence[int]) -> Clips:
        """From clips of any length."""
        rows = np.arange(WINDOW_SEGMENTS)
        return cls(
            np.stack([s[rows % len(s)] for s in segments]).astype(np.float32),
            np.stack(song).astype(np.float32),
            np.asarray(labels, np.int64),
        )

    def take(self, at: NDArray[np.int64]) -> Clips:
        return Clips(self.segments[at], self.song[at], self.labels[at])

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class HeadSettings:
    """How a committee is trained; the figures were chosen on artist-grouped folds of music4q.

    Parameters
    ----------
    route : Route
    members : int
        Heads of different random starts whose probabilities are averaged.
    hidden : int
        Of the regressor; the codes have `width`.
    regress_epochs, epochs : int
        On the codes alone, then on quadrants and codes together.
    rate, weight_decay : float
        Of AdamW, peak of the one-cycle schedule.
    dropout_in, dropout : float
        Of the musical features, and of the hidden layer.
    mixup : float
        Parameter of the Beta distribution (Zhang et al., ICLR 2018).
    smoothing : float
        Of the labels.
    code_weight : float
        Of the codes' squared error beside the cross-entropy, so that codes stay codes.
    others_share : float
        How often a clip is shown as it was heard otherwise (by another instrument).
    rank : int
        Principal components of the segments that are stored.
    """

    route: Route = Route.PHYSIOLOGICAL
    members: int = 5
    hidden: int = 128
    width: int = 256
    regress_epochs: int = 8
    epochs: int = 8
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 3e-2
    dropout_in: float = 0.5
    dropout: float = 0.5
    mixup: float = 0.3
    smoothing: float = 0.1
    code_weight: float = 1.0
    others_share: float = 0.35
    rank: int = 160
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)


def fit_reduction(clips: Clips, rank: int, others: Sequence[Clips] = ()) -> Reduction:
    """Standardisation and principal directions (uncentred, of standardised segments).

    The directions are of `others`, the clips as they were heard otherwise, too. Everything counts
    as music until a detector is fitted.
    """
    flat = clips.segments.reshape(-1, clips.segments.shape[2])
    mean, scale = flat.mean(axis=0), flat.std(axis=0)
    # what never moves says nothing: an infinite scale turns it into zeros
    scale = np.where(scale > _SMALLEST_DEVIATION, scale, np.inf).astype(np.float32)
    z, *more = (
        np.clip((c.segments.reshape(-1, len(mean)) - mean) / scale, -5.0, 5.0).astype(np.float64)
        for c in (clips, *others)
    )
    _, vectors = np.linalg.eigh(sum((m.T @ m for m in more), z.T @ z))
    components = np.ascontiguousarray(vectors[:, ::-1][:, :rank].astype(np.float32))
    rows = (z.astype(np.float32) @ components).reshape(len(clips), -1, rank).mean(axis=1)
    song_mean, song_scale = clips.song.mean(axis=0), clips.song.std(axis=0)
    song_scale = np.where(song_scale > _SMALLEST_DEVIATION, song_scale, np.inf)
    return Reduction(
        mean,
        scale,
        components,
        song_mean,
        song_scale.astype(np.float32),
        rows.mean(axis=0),
        rows.std(axis=0),
        np.zeros(len(song_mean), np.float32),
        np.ones((), np.float32),
    )


def reduced(clips: Clips, reduction: Reduction) -> tuple[Tensor, Tensor]:
    """Reduced segments (n, 5, r) and standardised song means (n, k), as the head gets them.

    Segments go through half precision, as when they are stored.
    """
    n, length, d = clips.segments.shape
    stored = reduction.segments(clips.segments.reshape(-1, d)).astype(np.float16)
    rows = stored.astype(np.float32).reshape(n, length, -1)
    return torch.from_numpy(rows), torch.from_numpy(reduction.song(clips.song))


class Committee(nn.Module):
    """Several heads that read the same features; their probabilities are averaged.

    Parameters
    ----------
    members : sequence of MusicHead
        `width_in` is r + k: reduced segments beside the song's means.
    """

    def __init__(self, members: Sequence[MusicHead]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, segments: Tensor, song: Tensor) -> Tensor:
        """Reduced segments (B, L, r) and song (B, k) to log-probabilities (B, 4)."""
        song = song[:, None].expand(-1, segments.shape[1], -1)
        x = torch.cat([segments, song], dim=2)
        said = [member(x).log_probabilities.exp() for member in self.members]
        return torch.stack(said).mean(dim=0).log()


def train_committee(
    clips: Clips,
    reduction: Reduction,
    settings: HeadSettings,
    seed: int,
    targets: Targets | None = None,
    others: Sequence[Clips] = (),
) -> Committee:
    """Fit all members to training clips.

    Parameters
    ----------
    targets : Targets, optional
        Needed on the physiological route.
    others : sequence of Clips
        The same clips heard otherwise, in the same order.

    Returns
    -------
    Committee
        In evaluation mode.
    """
    members = []
    for number in range(settings.members):
        member_seed = 1000 * seed + number
        codes = _codes(settings, member_seed, targets)
        head = _train_member([clips, *others], reduction, settings, member_seed, codes)
        members.append(_folded(head, reduction))
    return Committee(members).eval()


def _codes(settings: HeadSettings, seed: int, targets: Targets | None) -> Array | None:
    """The code to imitate for each quadrant, (4, width), z-scored over the quadrants."""
    if settings.route is Route.DIRECT:
        return None
    if settings.route is Route.RANDOM:
        targets = Targets.random(settings.width, seed)
    if targets is None:
        raise ValueError("the physiological route needs targets")
    # Squared error to a random recording of the class has its minimum at the class's mean: the
    # mean asks for the same with less noise (and is the common model's target, item 14).
    means = np.stack([targets.codes[targets.labels == q].mean(axis=0) for q in range(4)])
    means = means - means.mean(axis=0)
    codes: Array = (means / np.maximum(means.std(axis=0), 1e-3)).astype(np.float32)
    return codes


def _train_member(
    heard: Sequence[Clips],
    reduction: Reduction,
    settings: HeadSettings,
    seed: int,
    codes: Array | None,
) -> MusicHead:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.stack([_whole(clips, reduction) for clips in heard])
    width_in = x.shape[3]
    head = MusicHead(
        RegressorConfig(width_in, settings.hidden, settings.width, settings.dropout),
        replace(settings.classifier, width_in=settings.width),
    )
    trial = _Trial(head, x, heard[0].labels, settings, codes, rng)
    head.train()
    if codes is not None:
        trial.fit(head.regressor, settings.regress_epochs, classify=False)
    trial.fit(head, settings.epochs, classify=True)
    return head.eval()


def _whole(clips: Clips, reduction: Reduction) -> Tensor:
    """What a member learns from, (n, 5, d + k): segments back from their components, and songs."""
    rows, song = reduced(clips, reduction)
    wide = rows @ torch.from_numpy(reduction.components).T
    return torch.cat([wide, song[:, None].expand(-1, wide.shape[1], -1)], dim=2)


@dataclass(frozen=True, eq=False)
class _Trial:
    """One member's data and losses; `x` is (ways of hearing, n, 5, d + k)."""

    head: MusicHead
    x: Tensor
    labels: NDArray[np.int64]
    settings: HeadSettings
    wanted: Array | None
    rng: np.random.Generator

    def fit(self, module: nn.Module, epochs: int, *, classify: bool) -> None:
        s = self.settings
        steps = epochs * -(-len(self.labels) // s.batch)
        optimiser = torch.optim.AdamW(module.parameters(), lr=s.rate, weight_decay=s.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, s.rate, total_steps=steps)
        for at in self._batches(epochs):
            loss = self._loss(at, classify=classify)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()

    def _batches(self, epochs: int) -> Iterator[NDArray[np.int64]]:
        for _ in range(epochs):
            order = self.rng.permutation(len(self.labels))
            for start in range(0, len(order), self.settings.batch):
                yield order[start : start + self.settings.batch]

    def _loss(self, at: NDArray[np.int64], *, classify: bool) -> Tensor:
        s = self.settings
        share = float(self.rng.beta(s.mixup, s.mixup)) if s.mixup else 1.0
        other = at[self.rng.permutation(len(at))]
        length = int(self.rng.integers(2, self.x.shape[2] + 1))
        start = int(self.rng.integers(0, self.x.shape[2] - length + 1))
        way = self._ways(len(at))
        mixed = share * self.x[way, at] + (1.0 - share) * self.x[way, other]
        x = nn.functional.dropout(mixed[:, start : start + length], s.dropout_in)
        codes = self.head.regressor.standardised(x)
        loss = torch.zeros(())
        if self.wanted is not None:
            every = torch.from_numpy(self.wanted)[torch.from_numpy(self.labels)]
            wanted = share * every[at] + (1.0 - share) * every[other]
            weight = s.code_weight if classify else 1.0
            loss = loss + weight * mse_loss(codes.mean(dim=1), wanted)
        if classify:
            label = share * self._soft(at) + (1.0 - share) * self._soft(other)
            said = self.head.classifier(codes).log_probabilities
            loss = loss - (label * said).sum(dim=1).mean()
        return loss

    def _ways(self, count: int) -> NDArray[np.int64]:
        """In which way each clip of a batch is heard, 0 as it is."""
        others = len(self.x) - 1
        if not others:
            return np.zeros(count, np.int64)
        otherwise = self.rng.random(count) < self.settings.others_share
        return np.where(otherwise, self.rng.integers(1, others + 1, count), 0)

    def _soft(self, at: NDArray[np.int64]) -> Tensor:
        hard = torch.eye(4)[torch.from_numpy(self.labels[at])]
        return hard * (1.0 - self.settings.smoothing) + self.settings.smoothing / 4.0


def _folded(head: MusicHead, reduction: Reduction) -> MusicHead:
    """The same head for reduced segments: the way back from components joins its first layer."""
    regressor = head.regressor
    components = torch.from_numpy(reduction.components)
    d, rank = components.shape
    weight = regressor.hidden.weight.detach()
    folded = torch.cat([weight[:, :d] @ components, weight[:, d:]], dim=1)
    config = RegressorConfig(
        rank + weight.shape[1] - d, weight.shape[0], regressor.config.width, 0.0
    )
    result = MusicHead(config, head.classifier.config)
    result.classifier.load_state_dict(head.classifier.state_dict())
    result.regressor.output.load_state_dict(regressor.output.state_dict())
    with torch.no_grad():
        result.regressor.hidden.weight.copy_(folded)
        result.regressor.hidden.bias.copy_(regressor.hidden.bias)
    return result.eval()
