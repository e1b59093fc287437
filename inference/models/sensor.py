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
    decimation : int
        Columns that are averaged to one before the encoder: 4 makes images of
        32 x 16 from native ones (paper-spec item 3), 1 keeps all 64 columns.
    scales : tuple of int
        Windows that end together, in lengths of the shortest: (1,) reads 0.5 s,
        (1, 8, 24) also the 4 s and 12 s up to there, each with encoders of its
        own and averaged to as many columns. A segment is as long as the longest.
    features : int
        Length of a vector of named features beside the scalograms, joined to r
        before the last layer; 0 for none.
    """

    encoders: tuple[EncoderConfig, ...] = field(
        default_factory=lambda: (EncoderConfig(rows=33), EncoderConfig(rows=32))
    )
    hidden: int = 64
    attention: Literal["inner", "plain"] = "inner"
    dropout: float = 0.3
    decimation: int = 4
    scales: tuple[int, ...] = (1,)
    features: int = 0


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
        self.encoder = SensorEncoder(
            tuple(e for e in self.config.encoders for _ in self.config.scales)
        )
        self.classifier = SegmentClassifier(
            ClassifierConfig(
                width_in=self.encoder.width,
                hidden=self.config.hidden,
                attention=self.config.attention,
                dropout=self.config.dropout,
            )
        )
        if self.config.features:
            self.register_buffer("feature_mean", torch.zeros(self.config.features))
            self.register_buffer("feature_scale", torch.ones(self.config.features))
            # Part of W_c: the features' columns of the last layer over [r, features].
            self.beside = nn.Linear(self.config.features, 4, bias=False)

    def fit_rows(self, index: int, mean: Tensor, scale: Tensor) -> None:
        """Take the row statistics (rows,) of signal `index` from training data."""
        self.get_buffer(f"mean_{index}").copy_(mean[:, None])
        self.get_buffer(f"scale_{index}").copy_(scale[:, None].clamp_min(1e-4))

    def fit_features(self, mean: Tensor, scale: Tensor) -> None:
        """Take mean and deviation (features,) of the named features from training data."""
        self.get_buffer("feature_mean").copy_(mean)
        self.get_buffer("feature_scale").copy_(scale.clamp_min(1e-6))

    def encode(self, *images: Tensor) -> Tensor:
        """Images, one a signal, (B, L, rows, columns) -> fused segment vectors (B, L, width)."""
        looks = []
        for i, x in enumerate(images):
            x = (x - self.get_buffer(f"mean_{i}")) / self.get_buffer(f"scale_{i}")
            shortest = x.shape[-1] // max(self.config.scales)
            for k in self.config.scales:
                averaged = k * self.config.decimation
                window = x[..., x.shape[-1] - k * shortest :]
                if averaged > 1:
                    window = window.reshape(*window.shape[:-1], -1, averaged).mean(-1)
                looks.append(window)
        segments: Tensor = self.encoder(*looks)
        return segments

    def forward(self, *inputs: Tensor) -> Sensed:
        """Classify sequences of segments.

        Parameters
        ----------
        *inputs : Tensor
            One (B, L, rows, columns) a signal; with `features`, their vectors
            (B, features) last.
        """
        images = inputs[: len(self.config.encoders)]
        segments = self.encode(*images)
        said = self.classifier(segments)
        log_p = said.log_probabilities
        if self.config.features:
            normal = (inputs[-1] - self.get_buffer("feature_mean")) / self.get_buffer(
                "feature_scale"
            )
            log_p = torch.log_softmax(log_p + self.beside(normal.clamp(-5.0, 5.0)), dim=-1)
        return Sensed(log_p, segments, said.sequence)
