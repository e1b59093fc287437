"""The MLP that imitates a listener: musical features -> physiological features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from inference.models.classifier import ClassifierConfig, SegmentClassifier

__all__ = ["Felt", "MusicHead", "Regressor", "RegressorConfig"]


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
    """

    width_in: int = 512
    hidden: int = 512
    width: int = 256
    dropout: float = 0.2


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
        self.feature_scale.copy_(features.std(dim=0).clamp_min(1e-3))

    def standardised(self, features: Tensor) -> Tensor:
        """Regress: `features` (B, L, width_in) -> codes (B, L, width), z-scored."""
        x = (features - self.feature_mean) / self.feature_scale
        codes: Tensor = self.output(self.dropout(torch.relu(self.hidden(x))))
        return codes

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

    def forward(self, features: Tensor) -> Felt:
        """Classify windows of equal length: `features` (B, L, width_in)."""
        codes = self.regressor(features)
        said = self.classifier(codes)
        calibrated = torch.log_softmax(said.log_probabilities / self.temperature, dim=-1)
        return Felt(calibrated, codes, said.sequence)
