"""SIA-BGRU: segment vectors -> log-probabilities of the four quadrants (equations 9-14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from inference.models.attention import Attended, InnerAttention, PlainAttention

__all__ = ["Classified", "ClassifierConfig", "SegmentClassifier"]


@dataclass(frozen=True)
class ClassifierConfig:
    """Shape of SIA-BGRU.

    Parameters
    ----------
    width_in : int
        Width of a segment vector: 256 for fused GSR and PPG features.
    hidden : int
        GRU units a direction. The paper ties them to the number of segments,
        which would tie the net to one clip length.
    n_classes : int
    attention : "inner" or "plain"
        "plain" makes the HA baselines of the tables.
    dropout : float
        On the input and on r.
    """

    width_in: int = 256
    hidden: int = 64
    n_classes: int = 4
    attention: Literal["inner", "plain"] = "inner"
    dropout: float = 0.3


class Classified(NamedTuple):
    """What the classifier says.

    Parameters
    ----------
    log_probabilities : Tensor, shape (B, n_classes)
    sequence : Tensor, shape (B, 2 * hidden)
        r of equation 13.
    weights : Tensor, shape (B, L)
        Segment-level attention, equation 12.
    """

    log_probabilities: Tensor
    sequence: Tensor
    weights: Tensor


class SegmentClassifier(nn.Module):
    """Bidirectional GRU with segment-level inner attention.

    h_i = [GRU_f(s_i), GRU_b(s_i)]  (9), (10); r by inner attention over h
    (11)-(13); v = softmax(W_c r + b_c)  (14). 157,060 parameters with the
    defaults. Any number of segments L.

    Parameters
    ----------
    config : ClassifierConfig, optional
    """

    def __init__(self, config: ClassifierConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClassifierConfig()
        width = 2 * self.config.hidden
        self.dropout = nn.Dropout(self.config.dropout)
        self.gru = nn.GRU(
            self.config.width_in, self.config.hidden, batch_first=True, bidirectional=True
        )
        self.attention: nn.Module = (
            InnerAttention(width) if self.config.attention == "inner" else PlainAttention(width)
        )
        self.output = nn.Linear(width, self.config.n_classes)

    def forward(self, segments: Tensor) -> Classified:
        """Classify sequences of equal length: `segments` (B, L, width_in)."""
        h, _ = self.gru(self.dropout(segments))
        attended: Attended = self.attention(h)
        logits = self.output(self.dropout(attended.context))
        return Classified(torch.log_softmax(logits, dim=-1), attended.context, attended.weights)
