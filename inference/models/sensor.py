"""The sensor network in one piece: images of GSR and PPG -> segment vectors -> quadrant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from inference.models.classifier import ClassifierConfig, SegmentClassifier
from inference.models.encoder import EncoderConfig, SensorEncoder

__all__ = ["Sensed", "SensorConfig", "SensorNet"]


@dataclass(frozen=True)
class SensorConfig:
    """Shape of SSIA-CBGRU + SIA-BGRU.

    Parameters
    ----------
    encoders : tuple of EncoderConfig
        GSR (33 rows) and PPG (32 rows) by default; one of them for a band
        with one signal.
    hidden : int
        GRU units a direction of the classifier.
    attention : "inner" or "plain"
        Of the classifier.
    dropout : float
        Of the classifier.
    """

    encoders: tuple[EncoderConfig, ...] = field(
        default_factory=lambda: (EncoderConfig(rows=33), EncoderConfig(rows=32))
    )
    hidden: int = 64
    attention: Literal["inner", "plain"] = "inner"
    dropout: float = 0.3


class Sensed(NamedTuple):
    """What the signals say.

    Parameters
    ----------
    log_probabilities : Tensor, shape (B, 4)
    segments : Tensor, shape (B, L, width)
        Fused segment vectors: the targets of the regressor.
    attended : Tensor, shape (B, D)
        r of equation 13.
    """

    log_probabilities: Tensor
    segments: Tensor
    attended: Tensor


class SensorNet(nn.Module):
    """SSIA-CBGRU encoders and the SIA-BGRU classifier, with row statistics of the training data.

    451,428 parameters with the defaults.

    Parameters
    ----------
    config : SensorConfig, optional
    """

    def __init__(self, config: SensorConfig | None = None) -> None:
        super().__init__()
        self.config = config or SensorConfig()
        for i, encoder in enumerate(self.config.encoders):
            self.register_buffer(f"mean_{i}", torch.zeros(encoder.rows, 1))
            self.register_buffer(f"scale_{i}", torch.ones(encoder.rows, 1))
        self.encoder = SensorEncoder(self.config.encoders)
        self.classifier = SegmentClassifier(
            ClassifierConfig(
                width_in=self.encoder.width,
                hidden=self.config.hidden,
                attention=self.config.attention,
                dropout=self.config.dropout,
            )
        )

    def fit_rows(self, index: int, mean: Tensor, scale: Tensor) -> None:
        """Take the row statistics (rows,) of signal `index` from training data."""
        self.get_buffer(f"mean_{index}").copy_(mean[:, None])
        self.get_buffer(f"scale_{index}").copy_(scale[:, None].clamp_min(1e-4))

    def encode(self, *images: Tensor) -> Tensor:
        """Images, one a signal, (B, L, rows, 64) -> fused segment vectors (B, L, width)."""
        normal = [
            (x - self.get_buffer(f"mean_{i}")) / self.get_buffer(f"scale_{i}")
            for i, x in enumerate(images)
        ]
        segments: Tensor = self.encoder(*normal)
        return segments

    def forward(self, *images: Tensor) -> Sensed:
        """Classify sequences of segments: one (B, L, rows, 64) a signal."""
        segments = self.encode(*images)
        said = self.classifier(segments)
        return Sensed(said.log_probabilities, segments, said.sequence)
