"""Training the head of `ms-sg-vgg19`: several regressors and SIA-BGRUs, held back while they learn.

The recipe is that of the default model (`music_best_head`) for segments of half a second: input
dropout, mixup, the mean code of a quadrant as target, codes and quadrants learned together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import dropout, mse_loss

from inference.evaluation.crossval import Samples
from inference.models.classifier import ClassifierConfig
from inference.models.regressor import MusicCommittee, MusicHead, RegressorConfig
from inference.training.loops import Optimisation, fit, seeded
from inference.training.music import (
    HeadPredictor,
    Route,
    Targets,
    codes_to_imitate,
    random_crops,
    softened,
)

__all__ = ["CommitteeSystem", "CommitteeTraining", "train_committee_head"]

_REGRESS = Optimisation(epochs=8, batch=64, rate=1e-3, weight_decay=3e-2)
_CLASSIFY = replace(_REGRESS, smoothing=0.1)


@dataclass(frozen=True)
class CommitteeTraining:
    """How the committee is trained.

    Parameters
    ----------
    route : Route
    members : int
        Heads of different random starts, whose logits are averaged.
    regressor, classifier : configs
        Of a member. Channels that are nearly always silent are not blown up (`least_scale`), nor
        does a single one decide (`limit`): what eight bits round is mostly theirs. Together the
        members' attended vectors are as wide as the 128 of one large head.
    regress, classify : Optimisation
        On the codes alone, then on quadrants and codes together.
    crop : int
        Segments of a training sequence.
    dropout_in : float
        Of the standardised musical features.
    mixup : float
        Parameter of the Beta distribution (Zhang et al., ICLR 2018).
    code_weight : float
        Of the codes' squared error beside the cross-entropy, so that codes stay codes.
    """

    route: Route = Route.PHYSIOLOGICAL
    members: int = 4
    regressor: RegressorConfig = field(
        default_factory=lambda: RegressorConfig(
            width_in=1472, hidden=128, dropout=0.5, least_scale=0.05, limit=5.0
        )
    )
    classifier: ClassifierConfig = field(default_factory=lambda: ClassifierConfig(hidden=16))
    regress: Optimisation = _REGRESS
    classify: Optimisation = _CLASSIFY
    crop: int = 20
    dropout_in: float = 0.5
    mixup: float = 0.3
    code_weight: float = 1.0


def train_committee_head(
    samples: Samples[NDArray[np.float32]],
    settings: CommitteeTraining,
    seed: int,
    targets: Targets | None = None,
) -> MusicCommittee:
    """Fit a committee to training clips.

    Parameters
    ----------
    samples : Samples of ndarray (L, d)
        Features of training clips.
    settings : CommitteeTraining
    seed : int
    targets : Targets, optional
        Needed on the physiological route.

    Returns
    -------
    MusicCommittee
        In evaluation mode, temperature 1. Its codes are z-scored over the quadrants.
    """
    numbers = [1000 * seed + number for number in range(settings.members)]
    return MusicCommittee([_member(samples, settings, n, targets) for n in numbers]).eval()


def _member(
    samples: Samples[NDArray[np.float32]],
    settings: CommitteeTraining,
    seed: int,
    targets: Targets | None,
) -> MusicHead:
    rng = seeded(seed)
    config = replace(settings.regressor, width_in=samples.inputs[0].shape[1])
    head = MusicHead(config, settings.classifier)
    head.regressor.fit_scale(torch.from_numpy(np.concatenate(list(samples.inputs))))
    codes = codes_to_imitate(settings.route, config.width, seed, targets)
    wanted = None if codes is None else torch.from_numpy(codes[samples.labels])
    trial = _Trial(head, samples, settings, wanted, rng)
    if wanted is not None:
        trial.fit(head.regressor, settings.regress, classify=False)
    trial.fit(head, settings.classify, classify=True)
    return head.eval()


@dataclass(frozen=True, eq=False)
class _Trial:
    """One member's data and losses."""

    head: MusicHead
    samples: Samples[NDArray[np.float32]]
    settings: CommitteeTraining
    wanted: Tensor | None
    rng: np.random.Generator

    def fit(self, module: nn.Module, optimisation: Optimisation, *, classify: bool) -> None:
        n = len(self.samples.labels)
        weight = self.settings.code_weight if classify else 1.0

        def loss_of(at: NDArray[np.int64]) -> Tensor:
            share = float(self.rng.beta(self.settings.mixup, self.settings.mixup))
            other = self.rng.permutation(len(at))
            x = random_crops(self.samples.inputs, at, self.settings.crop, self.rng)
            x = _mixed(self.head.regressor.scaled(x), share, other)
            codes = self.head.regressor.imitated(dropout(x, self.settings.dropout_in))
            loss = torch.zeros(())
            if self.wanted is not None:
                wanted = _mixed(self.wanted[torch.from_numpy(at)], share, other)
                loss = loss + weight * mse_loss(codes.mean(dim=1), wanted)
            if classify:
                labels = softened(self.samples.labels[at], optimisation.smoothing)
                labels = _mixed(labels, share, other)
                said = self.head.classifier(codes).log_probabilities
                loss = loss - (labels * said).sum(dim=1).mean()
            return loss

        fit(module, n, loss_of, optimisation, self.rng)


def _mixed(rows: Tensor, share: float, other: NDArray[np.int64]) -> Tensor:
    """Each row mixed with another one of its batch."""
    return share * rows + (1.0 - share) * rows[torch.from_numpy(other)]


@dataclass(frozen=True)
class CommitteeSystem:
    """The committee as a system for `cross_validate`."""

    settings: CommitteeTraining
    targets: Targets | None = None

    def __call__(self, samples: Samples[NDArray[np.float32]], seed: int) -> HeadPredictor:
        return HeadPredictor(train_committee_head(samples, self.settings, seed, self.targets))
