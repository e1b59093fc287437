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
from inference.models.far_judge import FarJudge
from inference.models.regressor import MusicHead, RegressorConfig
from inference.pipelines.adaptation import Usual
from inference.pipelines.undertone import WINDOW_SEGMENTS, Reduction
from inference.training.music import Route, Targets, codes_to_imitate, softened

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

    @classmethod
    def joined(cls, parts: Sequence[Clips]) -> Clips:
        """All clips of several sets, one set behind the other."""
        return cls(
            np.concatenate([part.segments for part in parts]),
            np.concatenate([part.song for part in parts]),
            np.concatenate([part.labels for part in parts]),
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
    song_mean, song_scale = clips.song.mean(axis=0), clips.song.std(axis=0)
    song_scale = np.where(song_scale > _SMALLEST_DEVIATION, song_scale, np.inf)
    k, none = len(song_mean), np.zeros(0, np.float32)
    reduction = Reduction(
        segment_mean=mean,
        segment_scale=scale,
        components=components,
        song_mean=song_mean,
        song_scale=song_scale.astype(np.float32),
        row_mean=none,
        row_scale=none,
        music_weight=np.zeros(k, np.float32),
        music_bias=np.ones((), np.float32),
        far_row_mean=none,
        far_row_scale=none,
        far_song_mean=none,
        far_song_scale=none,
        moods=none,
    )
    near, rows = _usual(clips, reduction)
    far, _ = _usual(Clips.joined(others) if others else clips, reduction)
    spread = np.where(near.row_scale > _SMALLEST_DEVIATION, near.row_scale, np.inf)
    described = np.concatenate(
        [(rows - near.row_mean) / spread, reduction.song(clips.song)], axis=1
    )
    return replace(
        reduction,
        row_mean=near.row_mean,
        row_scale=near.row_scale,
        far_row_mean=far.row_mean,
        far_row_scale=far.row_scale,
        far_song_mean=far.song_mean,
        far_song_scale=far.song_scale,
        moods=_mood_directions(described, clips.labels),
    )


def _usual(clips: Clips, reduction: Reduction) -> tuple[Usual, Array]:
    """What is usual in clips, and their reduced segments averaged a song, (n, r)."""
    rows: Array = reduced(clips, reduction)[0].numpy().mean(axis=1)
    song_scale = clips.song.std(axis=0).astype(np.float32)
    return Usual(rows.mean(0), rows.std(0), clips.song.mean(0), song_scale), rows


def _mood_directions(described: Array, labels: NDArray[np.int64]) -> Array:
    """Orthonormal columns that span the differences of the quadrants' means, (r + k, 3)."""
    means = np.stack([described[labels == q].mean(axis=0) for q in np.unique(labels)])
    _, _, rows = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    directions: Array = np.ascontiguousarray(rows[:3].T, np.float32)
    return directions


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
    far : FarJudge, optional
        Judges what sounds unlike the clips that the members learned from.
    """

    def __init__(self, members: Sequence[MusicHead], far: FarJudge | None = None) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.far = far

    def forward(self, segments: Tensor, song: Tensor) -> Tensor:
        """Reduced segments (B, L, r) and song (B, k) to log-probabilities (B, 4)."""
        wide = song[:, None].expand(-1, segments.shape[1], -1)
        x = torch.cat([segments, wide], dim=2)
        said = [member(x).log_probabilities.exp() for member in self.members]
        near = torch.stack(said).mean(dim=0).log()
        if self.far is None:
            return near
        far, share = self.far(segments, song)
        return torch.log_softmax((1.0 - share) * near + far, dim=1)


def train_committee(
    clips: Clips,
    reduction: Reduction,
    settings: HeadSettings,
    seed: int,
    targets: Targets | None = None,
    varied: Sequence[Clips] = (),
) -> Committee:
    """Fit all members to training clips.

    Parameters
    ----------
    targets : Targets, optional
        Needed on the physiological route.
    varied : sequence of Clips
        The same clips, heard otherwise: each time that one is learned from, one of its versions
        is drawn.

    Returns
    -------
    Committee
        In evaluation mode.
    """
    members = []
    for number in range(settings.members):
        member_seed = 1000 * seed + number
        codes = codes_to_imitate(settings.route, settings.width, member_seed, targets)
        head = _train_member((clips, *varied), reduction, settings, member_seed, codes)
        members.append(_folded(head, reduction))
    return Committee(members).eval()


def _train_member(
    versions: Sequence[Clips],
    reduction: Reduction,
    settings: HeadSettings,
    seed: int,
    codes: Array | None,
) -> MusicHead:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.stack([_unfolded(clips, reduction) for clips in versions])
    head = MusicHead(
        RegressorConfig(x.shape[3], settings.hidden, settings.width, settings.dropout),
        replace(settings.classifier, width_in=settings.width),
    )
    trial = _Trial(head, x, versions[0].labels, settings, codes, rng)
    head.train()
    if codes is not None:
        trial.fit(head.regressor, settings.regress_epochs, classify=False)
    trial.fit(head, settings.epochs, classify=True)
    return head.eval()


def _unfolded(clips: Clips, reduction: Reduction) -> Tensor:
    """What a member reads while it learns, (n, 5, d + k)."""
    rows, song = reduced(clips, reduction)
    wide = rows @ torch.from_numpy(reduction.components).T
    return torch.cat([wide, song[:, None].expand(-1, wide.shape[1], -1)], dim=2)


@dataclass(frozen=True, eq=False)
class _Trial:
    """One member's data (versions, n, 5, d) and losses."""

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
        mixed = share * self._drawn(at) + (1.0 - share) * self._drawn(other)
        x = nn.functional.dropout(mixed[:, start : start + length], s.dropout_in)
        codes = self.head.regressor.standardised(x)
        loss = torch.zeros(())
        if self.wanted is not None:
            every = torch.from_numpy(self.wanted)[torch.from_numpy(self.labels)]
            wanted = share * every[at] + (1.0 - share) * every[other]
            weight = s.code_weight if classify else 1.0
            loss = loss + weight * mse_loss(codes.mean(dim=1), wanted)
        if classify:
            mine, others = (softened(self.labels[places], s.smoothing) for places in (at, other))
            label = share * mine + (1.0 - share) * others
            said = self.head.classifier(codes).log_probabilities
            loss = loss - (label * said).sum(dim=1).mean()
        return loss

    def _drawn(self, at: NDArray[np.int64]) -> Tensor:
        """Clips in one of their versions each: half of the time as they are."""
        version = np.zeros(len(at), np.int64)
        if len(self.x) > 1:
            version = self.rng.integers(0, 2, len(at)) * self.rng.integers(1, len(self.x), len(at))
        return self.x[version, at]


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
