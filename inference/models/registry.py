"""Every network of ours by name, so that each gets the same tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from inference.models.classifier import ClassifierConfig, SegmentClassifier
from inference.models.encoder import EncoderConfig, SegmentEncoder
from inference.models.regressor import MusicHead, Regressor
from inference.models.sensor import SensorConfig, SensorNet
from inference.models.spectrogram_nets import SpectrogramCNN, StackedCRNN
from inference.models.student import Student
from inference.models.vgg19 import VGG19Base

__all__ = ["NETWORKS", "Network"]


@dataclass(frozen=True)
class Network:
    """A network with its defaults.

    Parameters
    ----------
    build : callable
        Makes it with random weights.
    inputs : tuple of shapes
        Without the batch axis; -1 stands for the number of segments.
    parameters : int
        Trainable ones.
    """

    build: Callable[[], nn.Module]
    inputs: tuple[tuple[int, ...], ...]
    parameters: int


def _gsr_only() -> nn.Module:
    return SensorNet(SensorConfig(encoders=(EncoderConfig(rows=33),)))


def _ppg_only() -> nn.Module:
    return SensorNet(SensorConfig(encoders=(EncoderConfig(rows=32),)))


NETWORKS: dict[str, Network] = {
    "ssia-cbgru-ppg": Network(lambda: SegmentEncoder(EncoderConfig(32)), ((-1, 32, 64),), 145136),
    "ha-cbgru-ppg": Network(
        lambda: SegmentEncoder(EncoderConfig(32, attention="plain")), ((-1, 32, 64),), 128880
    ),
    "sia-bgru": Network(SegmentClassifier, ((-1, 256),), 157060),
    "ha-bgru": Network(
        lambda: SegmentClassifier(ClassifierConfig(attention="plain")), ((-1, 256),), 140804
    ),
    "regressor": Network(Regressor, ((-1, 512),), 393984),
    "music-head": Network(MusicHead, ((-1, 512),), 551044),
    "sensor": Network(SensorNet, ((-1, 33, 64), (-1, 32, 64)), 451428),
    "sensor-gsr": Network(_gsr_only, ((-1, 33, 64),), 257140),
    "sensor-ppg": Network(_ppg_only, ((-1, 32, 64),), 253044),
    "spectrogram-cnn": Network(SpectrogramCNN, ((1, 64, 128),), 60660),
    "stacked-crnn": Network(StackedCRNN, ((1, 64, 128),), 61300),
    "student": Network(Student, ((3, 64, 46),), 640992),
    "vgg19": Network(VGG19Base, ((3, 64, 46),), 20024396),
}
"""Name -> network. The registry is what the tests of the networks run over."""
