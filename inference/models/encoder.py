"""SSIA-CBGRU: scalogram segments of one signal -> segment vectors (equations 1-8)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from inference.models.attention import Attended, InnerAttention, PlainAttention

__all__ = ["EncodedSegments", "EncoderConfig", "SegmentEncoder", "SensorEncoder"]

Attention = Literal["inner", "plain"]


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of SSIA-CBGRU for one signal.

    Parameters
    ----------
    rows : int
        Rows of the image: wavelet scales, and the level row where there is one.
    channels : tuple of int
        Filters of the convolutions (the paper: 16 and 32, 3x3 each); none
        makes the HA-BGRU of the tables, whose GRU reads 64 samples.
    dense : int
        Width of the fully connected layer, applied per time step: a flat one
        would destroy the sequence that the GRU reads.
    hidden : int
        GRU units a direction.
    attention : "inner" or "plain"
        "plain" makes the HA-CBGRU of the tables.
    cell : "gru" or "lstm"
        "lstm" makes the IA-BLSTM of the tables.
    dropout : float
        Before the GRU and on its output.
    """

    rows: int
    channels: tuple[int, ...] = (16, 32)
    dense: int = 128
    hidden: int = 64
    attention: Attention = "inner"
    cell: Literal["gru", "lstm"] = "gru"
    dropout: float = 0.3

    @property
    def width(self) -> int:
        """Width of a segment vector."""
        return 2 * self.hidden


class EncodedSegments(NamedTuple):
    """Segment vectors.

    Parameters
    ----------
    segments : Tensor, shape (B, L, D)
        s_1..s_L of equation 8.
    weights : Tensor, shape (B, L, T)
        Sample-level attention, equation 7.
    """

    segments: Tensor
    weights: Tensor


def _convolution(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        # The largest of four, then ReLU: the same as ReLU first, at a quarter of its cost.
        nn.MaxPool2d(2, ceil_mode=True),
        nn.ReLU(inplace=True),
    )


class SegmentEncoder(nn.Module):
    """Scalogram sample-level inner attention CBGRU, for one signal.

    Per segment: conv 16 @ 3x3 and conv 32 @ 3x3, each with batch norm, ReLU
    and 2x2 max-pooling; a dense layer per time step; a bidirectional GRU
    over the T remaining time steps (1)-(5); inner attention (6)-(8).
    With 32 rows and 64 columns: 32 x 64 -> 16 x 32 -> 8 x 16, so T = 16.
    145,136 parameters with the defaults and 32 rows.

    Parameters
    ----------
    config : EncoderConfig
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        widths = (1, *config.channels)
        self.convolutions = nn.Sequential(*(_convolution(a, b) for a, b in pairwise(widths)))
        rows = math.ceil(config.rows / 2 ** len(config.channels))
        self.dense = nn.Linear(widths[-1] * rows, config.dense)
        self.dropout = nn.Dropout(config.dropout)
        cell = nn.GRU if config.cell == "gru" else nn.LSTM
        self.gru = cell(config.dense, config.hidden, batch_first=True, bidirectional=True)
        self.attention: nn.Module = (
            InnerAttention(config.width)
            if config.attention == "inner"
            else PlainAttention(config.width)
        )

    def forward(self, images: Tensor) -> EncodedSegments:
        """Encode segments, each by itself.

        Parameters
        ----------
        images : Tensor, shape (B, L, rows, samples), float32
            Normalised scalograms of L segments.

        Returns
        -------
        EncodedSegments
            Vectors (B, L, 2 * hidden).
        """
        b, n_segments = images.shape[:2]
        x = self.convolutions(images.flatten(0, 1).unsqueeze(1))  # (B L, 32, rows/4, T)
        x = torch.relu(self.dense(x.permute(0, 3, 1, 2).flatten(2)))  # (B L, T, dense)
        h, _ = self.gru(self.dropout(x))
        attended: Attended = self.attention(self.dropout(h))
        return EncodedSegments(
            attended.context.reshape(b, n_segments, -1),
            attended.weights.reshape(b, n_segments, -1),
        )


class SensorEncoder(nn.Module):
    """One `SegmentEncoder` a signal, concatenated: the fused features of the regression targets.

    Parameters
    ----------
    configs : tuple of EncoderConfig
        In the order of the inputs: GSR and PPG, or one of them for a band
        that has one signal.
    """

    def __init__(self, configs: tuple[EncoderConfig, ...]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(SegmentEncoder(c) for c in configs)
        self.width = sum(c.width for c in configs)

    def forward(self, *images: Tensor) -> Tensor:
        """`images` one a signal, each (B, L, rows, samples) -> fused vectors (B, L, width)."""
        return torch.cat(
            [encode(x).segments for encode, x in zip(self.encoders, images, strict=True)], dim=-1
        )
