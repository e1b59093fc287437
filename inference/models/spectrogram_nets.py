"""Networks on mel-spectrograms alone: the two rivals of the paper's Table III."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["SpectrogramCNN", "SpectrogramNetConfig", "StackedCRNN"]


@dataclass(frozen=True)
class SpectrogramNetConfig:
    """Shape of the rivals.

    Parameters
    ----------
    widths : tuple of int
        Channels of the convolutions; each is followed by pooling.
    hidden : int
        GRU units a direction (StackedCRNN).
    dropout : float
    """

    widths: tuple[int, ...] = (16, 32, 64, 64)
    hidden: int = 32
    dropout: float = 0.3


def _block(width_in: int, width: int, pool: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(pool),
    )


class SpectrogramCNN(nn.Module):
    """A deep convolutional network on the mel-spectrogram ("Li et al." of Table III).

    Four blocks of convolution, batch norm, ReLU, 2x4 pooling (frequency x
    time), then mean over what is left and a dense layer. 60,660 parameters.

    Parameters
    ----------
    config : SpectrogramNetConfig, optional
    """

    def __init__(self, config: SpectrogramNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or SpectrogramNetConfig()
        widths = (1, *self.config.widths)
        self.blocks = nn.Sequential(
            *(_block(a, b, (2, 4 if i < 3 else 2)) for i, (a, b) in enumerate(_pairs(widths)))
        )
        self.dropout = nn.Dropout(self.config.dropout)
        self.output = nn.Linear(widths[-1], 4)

    def forward(self, images: Tensor) -> Tensor:
        """Log-mel images (B, 1, 64, t), t >= 128 -> log-probabilities (B, 4)."""
        pooled = self.blocks(images).mean(dim=(2, 3))
        return torch.log_softmax(self.output(self.dropout(pooled)), dim=1)


class StackedCRNN(nn.Module):
    """Stacked convolutional and recurrent layers on log-mel ("Malik et al." of Table III).

    Three convolutional blocks that pool frequency more than time, two
    bidirectional GRUs, the mean over time, a dense layer. 61,300 parameters.

    Parameters
    ----------
    config : SpectrogramNetConfig, optional

    References
    ----------
    Malik et al., Stacked convolutional and recurrent neural networks for
    music emotion recognition, SMC 2017.
    """

    def __init__(self, config: SpectrogramNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or SpectrogramNetConfig()
        widths = (1, *self.config.widths[:3])
        self.blocks = nn.Sequential(*(_block(a, b, (4, 2)) for a, b in _pairs(widths)))
        self.dropout = nn.Dropout(self.config.dropout)
        self.gru = nn.GRU(
            widths[-1],
            self.config.hidden,
            num_layers=2,
            batch_first=True,
            bidirectional=True,
            dropout=self.config.dropout,
        )
        self.output = nn.Linear(2 * self.config.hidden, 4)

    def forward(self, images: Tensor) -> Tensor:
        """Log-mel images (B, 1, 64, t), t >= 8 -> log-probabilities (B, 4)."""
        columns = self.blocks(images).mean(dim=2).transpose(1, 2)
        h, _ = self.gru(self.dropout(columns))
        return torch.log_softmax(self.output(self.dropout(h.mean(dim=1))), dim=1)


def _pairs(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(pairwise(widths))
