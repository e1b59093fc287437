"""A small real classifier for tests of tagging: it listens to the spectrum, with no model file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.audio.decode import decode_blocks
from inference.audio.errors import AudioError, Cancelled
from inference.audio.features import SongFeatures
from inference.emotion import EmotionEstimate
from inference.pipelines.adaptation import LibraryStatistics
from inference.timeline import Timeline
from tests.app.ear_model import EAR, FRONT_END

__all__ = ["Ear"]


@dataclass(frozen=True)
class Heard:
    estimate: EmotionEstimate
    timeline: Timeline
    features: SongFeatures
    duration_s: float
    seconds: float


class Ear:
    """Probabilities from level and brightness. Some file names make it fail as decoders do.

    ``hang*``: never returns; ``segfault*``, ``killed*``: the process dies; ``bug*``: an
    exception that nobody expected; ``slow*``: takes 0.3 s; ``nice*``: names its process's niceness.
    """

    model_id = EAR

    def __init__(self, revision: str = "", statistics: bytes | None = None) -> None:
        self.revision = revision
        self.usual = None
        if statistics is not None:
            self.usual = LibraryStatistics.from_bytes(statistics).usual.song_mean

    def classify(self, path: Path, *, cancelled: Callable[[], bool] | None = None) -> Heard:
        _misbehave(path.name)
        if cancelled is not None and cancelled():
            raise Cancelled
        blocks = list(decode_blocks(path))
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        duration_s = len(samples) / 16000
        if duration_s < 0.5:
            raise AudioError(f"only {duration_s:.1f} s long", "Songs need at least 0.5 s")
        power = np.abs(np.fft.rfft(samples[: 16000 * 30])) ** 2
        bands = [float(band.sum()) + 1e-3 for band in np.array_split(np.log1p(power), 4)]
        estimate = EmotionEstimate.from_probabilities(bands, max(bands) / sum(bands), EAR)
        row = np.asarray(estimate.probabilities, np.float32)
        if self.usual is not None:
            estimate = self._used_to_it(row)
        return Heard(
            estimate,
            Timeline(0.0, 1.0, np.tile(row, (max(1, int(duration_s)), 1))),
            SongFeatures(FRONT_END, duration_s, 1.0, np.zeros((1, 4), np.float16), row),
            duration_s,
            0.0,
        )

    def rate(self, features: SongFeatures) -> Heard:
        """From what `classify` kept: another revision hears everything the other way round."""
        row = features.song[::-1] if self.revision == "2" else features.song
        estimate = EmotionEstimate.from_probabilities([float(p) for p in row], 0.5, EAR)
        if self.usual is not None:
            estimate = self._used_to_it(features.song)
        timeline = Timeline(0.0, 1.0, np.tile(row, (2, 1)))
        return Heard(estimate, timeline, features, features.duration_s, 0.0)

    def _used_to_it(self, row: NDArray[np.float32]) -> EmotionEstimate:
        """What is usual counts as even."""
        assert self.usual is not None
        even = np.maximum(0.25 + row - self.usual, 1e-3)
        return EmotionEstimate.from_probabilities([float(p) for p in even], 0.5, EAR)


def _misbehave(name: str) -> None:
    if name.startswith("hang"):
        signal.pause()
    elif name.startswith("segfault"):
        os.kill(os.getpid(), signal.SIGSEGV)
    elif name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    elif name.startswith("bug"):
        raise RuntimeError("nobody expected this")
    elif name.startswith("nice"):
        raise AudioError(f"niceness {os.nice(0)}")
    elif name.startswith("slow"):
        time.sleep(0.3)
