"""The MLP that imitates a listener: musical features -> physiological features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from inference.models.classifier import ClassifierConfig, SegmentClassifier

__all__ = ["Felt", "MusicCommittee", "MusicHead", "Regressor", "RegressorConfig"]


@dataclass(frozen=True)
class RegressorConfig:
    """Shape of the regressor: one hidden layer, as in the paper.

    Parameters
    ----------
    width_in : int
        Musical features a segment.
    hidden : int
    width : int
        Physiological features a segment (fused GSR and PPG).
    dropout : float
        On the hidden layer.
    least_scale : float
        Smallest standard deviation that features are divided by.
    limit : float, optional
        Standardised features are clipped to it, either way.
    """

    width_in: int = 512
    hidden: int = 512
    width: int = 256
    dropout: float = 0.2
    least_scale: float = 1e-3
    limit: float | None = None


class Regressor(nn.Module):
    """width_in -> hidden, ReLU, dropout -> width, per segment, on standardised features.

    It is fitted to z-scored targets and answers in the encoder's own units.
    393,984 parameters with the defaults; mean and scale of the training
    features and of the targets are buffers.

    Parameters
    ----------
    config : RegressorConfig, optional
    """

    feature_mean: Tensor
    feature_scale: Tensor
    code_mean: Tensor
    code_scale: Tensor

    def __init__(self, config: RegressorConfig | None = None) -> None:
        super().__init__()
        self.config = config or RegressorConfig()
        self.register_buffer("feature_mean", torch.zeros(self.config.width_in))
        self.register_buffer("feature_scale", torch.ones(self.config.width_in))
        self.register_buffer("code_mean", torch.zeros(self.config.width))
        self.register_buffer("code_scale", torch.ones(self.config.width))
        self.hidden = nn.Linear(self.config.width_in, self.config.hidden)
        self.dropout = nn.Dropout(self.config.dropout)
        self.output = nn.Linear(self.config.hidden, self.config.width)

    def fit_scale(self, features: Tensor) -> None:
        """Take mean and standard deviation from training features, shape (n, width_in)."""
        self.feature_mean.copy_(features.mean(dim=0))
        self.feature_scale.copy_(features.std(dim=0).clamp_min(self.config.least_scale))

    def scaled(self, features: Tensor) -> Tensor:
        """`features` standardised and, where there is a limit, clipped."""
        x = (features - self.feature_mean) / self.feature_scale
        limit = self.config.limit
        return x if limit is None else x.clamp(-limit, limit)

    def imitated(self, scaled: Tensor) -> Tensor:
        """Standardised features (B, L, width_in) -> codes (B, L, width), z-scored."""
        codes: Tensor = self.output(self.dropout(torch.relu(self.hidden(scaled))))
        return codes

    def standardised(self, features: Tensor) -> Tensor:
        """Regress: `features` (B, L, width_in) -> codes (B, L, width), z-scored."""
        return self.imitated(self.scaled(features))

    def forward(self, features: Tensor) -> Tensor:
        """Regress: `features` (B, L, width_in) -> codes (B, L, width), in the encoder's units."""
        return self.standardised(features) * self.code_scale + self.code_mean


class Felt(NamedTuple):
    """What music is said to feel like.

    Parameters
    ----------
    log_probabilities : Tensor, shape (B, 4)
        In the order of `QUADRANTS`, at the calibrated temperature.
    codes : Tensor, shape (B, L, width)
        Regressed physiological features.
    attended : Tensor, shape (B, D)
        r of equation 13: what a window is remembered by.
    """

    log_probabilities: Tensor
    codes: Tensor
    attended: Tensor


class MusicHead(nn.Module):
    """Regressor and SIA-BGRU in a row: the part of a music model behind its front end.

    Parameters
    ----------
    regressor : RegressorConfig, optional
    classifier : ClassifierConfig, optional
        Its `width_in` must be the regressor's `width`.

    Attributes
    ----------
    temperature : Tensor, shape ()
        Divides the log-probabilities; 1 until calibrated on out-of-fold
        predictions (Guo et al., ICML 2017).
    """

    temperature: Tensor

    def __init__(
        self,
        regressor: RegressorConfig | None = None,
        classifier: ClassifierConfig | None = None,
    ) -> None:
        super().__init__()
        self.regressor = Regressor(regressor)
        self.classifier = SegmentClassifier(classifier)
        if self.regressor.config.width != self.classifier.config.width_in:
            raise ValueError("the classifier must read what the regressor writes")
        self.register_buffer("temperature", torch.ones(()))

    @property
    def width_in(self) -> int:
        """Musical features a segment."""
        return self.regressor.config.width_in

    def forward(self, features: Tensor) -> Felt:
        """Classify windows of equal length: `features` (B, L, width_in)."""
        codes = self.regressor(features)
        said = self.classifier(codes)
        calibrated = torch.log_softmax(said.log_probabilities / self.temperature, dim=-1)
        return Felt(calibrated, codes, said.sequence)

    def rating(self) -> tuple[Tensor, Tensor]:
        """Weight (4, k) and bias (4,) of the last layer, temperature divided in."""
        layer = self.classifier.output
        return layer.weight / self.temperature, layer.bias / self.temperature


class MusicCommittee(nn.Module):
    """Heads that learned apart and speak as one: the mean of their logits.

    Parameters
    ----------
    members : sequence of MusicHead
        Of one shape, temperature 1.

    Attributes
    ----------
    temperature : Tensor, shape ()
        As of `MusicHead`.
    """

    temperature: Tensor

    def __init__(self, members: Sequence[MusicHead]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.width_in = members[0].regressor.config.width_in
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, features: Tensor) -> Felt:
        """Classify windows of equal length: `features` (B, L, width_in).

        `codes` are the members' mean, `attended` their vectors side by side.
        """
        said = [member(features) for member in self.members]
        mean = torch.stack([s.log_probabilities for s in said]).mean(dim=0)
        calibrated = torch.log_softmax(mean / self.temperature, dim=-1)
        codes = torch.stack([s.codes for s in said]).mean(dim=0)
        return Felt(calibrated, codes, torch.cat([s.attended for s in said], dim=-1))

    def rating(self) -> tuple[Tensor, Tensor]:
        """Weight (4, k) and bias (4,) of the last layers, temperature divided in."""
        heads = [m for m in self.members if isinstance(m, MusicHead)]
        weights, biases = zip(*(head.rating() for head in heads), strict=True)
        count = len(heads) * self.temperature
        return torch.cat(weights, dim=1) / count, torch.stack(biases).sum(dim=0) / count
