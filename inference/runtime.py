"""Trained models at work: music files to emotion estimates. The one door to ONNX Runtime."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.audio.decode import decode_blocks
from inference.audio.errors import AudioError, Cancelled
from inference.audio.features import SongFeatures
from inference.catalog import Calibration, CatalogError, ModelCard, find
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.errors import UndertoneError
from inference.pipelines.base import (
    Adaptable,
    Network,
    Pipeline,
    WindowScores,
    build_pipeline,
)
from inference.timeline import Timeline
from inference.uncertainty import rounded, uncertainty

if TYPE_CHECKING:
    from inference.pipelines.adaptation import LibraryStatistics

__all__ = [
    "RESULT_SCHEMA",
    "AudioError",
    "Cancelled",
    "MusicClassifier",
    "MusicEstimate",
    "calibrated_confidence",
    "open_network",
]

RESULT_SCHEMA = 1
"""Version of `MusicEstimate.to_json`; raised when a field changes its meaning or goes."""

_TIMELINE_HOP_S = 1.0
_TIMELINE_LENGTH = 3600  # values at most; longer songs get wider steps
_ENOUGH_SOUND_S = 5.0
_BLOCK_S = 6.0  # short enough to stay in the processor's cache
_CHANCE = 1.0 / len(QUADRANTS)


@dataclass(frozen=True, eq=False)
class MusicEstimate:
    """What a model says of one song.

    Parameters
    ----------
    estimate : EmotionEstimate
    timeline : Timeline
    features : SongFeatures
        To be stored: `MusicClassifier.rate` gives the same estimate from them.
    duration_s : float
        Of the decoded audio, seconds.
    seconds : float
        What the work took.
    faults : int
        Broken packets that decoding skipped.
    """

    estimate: EmotionEstimate
    timeline: Timeline
    features: SongFeatures
    duration_s: float
    seconds: float
    faults: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``.

        Returns
        -------
        dict
            schema (1), model, duration_s, quadrant, probabilities {HAHV, HALV, LAHV, LALV},
            valence and arousal in -1..1, confidence in 0..1, possible (the quadrants of a 90 %
            set, most probable first), valence_interval and arousal_interval ([low, high], 90 %;
            null where the model's card does not say), timeline {start_s, hop_s,
            probabilities: rows in the order of the keys above}, faults, seconds.
        """
        estimate, mood = self.estimate, self.estimate.mood
        open_ = uncertainty(estimate)
        return {
            "schema": RESULT_SCHEMA,
            "model": estimate.model_id,
            "duration_s": round(self.duration_s, 3),
            "quadrant": estimate.quadrant.value,
            "probabilities": {
                quadrant.value: round(p, 6)
                for quadrant, p in zip(QUADRANTS, estimate.probabilities, strict=True)
            },
            "valence": round(mood.valence, 6),
            "arousal": round(mood.arousal, 6),
            "confidence": round(estimate.confidence, 6),
            "possible": [quadrant.value for quadrant in open_.possible] or None,
            "valence_interval": rounded(open_.valence),
            "arousal_interval": rounded(open_.arousal),
            "timeline": {
                "start_s": self.timeline.start_s,
                "hop_s": self.timeline.hop_s,
                "probabilities": [
                    [round(float(p), 4) for p in row] for row in self.timeline.probabilities
                ],
            },
            "faults": self.faults,
            "seconds": round(self.seconds, 4),
        }


class MusicClassifier:
    """Sensorless classification: a music file to a quadrant, with confidence and timeline.

    Examples
    --------
    >>> from inference.runtime import MusicClassifier
    >>> song = MusicClassifier.load().classify("song.mp3")  # doctest: +SKIP
    >>> song.estimate.quadrant.label, song.estimate.confidence  # doctest: +SKIP
    ('Happy', 0.81)
    """

    def __init__(self, card: ModelCard, pipeline: Pipeline) -> None:
        self.card = card
        self._pipeline = pipeline

    @classmethod
    def load(
        cls,
        model_id: str | None = None,
        *,
        models_dir: Path | None = None,
        threads: int = 1,
    ) -> MusicClassifier:
        """Verify and load a model.

        Parameters
        ----------
        model_id : str, optional
            Default: the preferred one of those that are installed.
        models_dir : Path, optional
            The user's own models, beside those that come with the program.
        threads : int
            Of the networks, in one call. One a process is best for many songs.

        Raises
        ------
        CatalogError
            If the model is not installed, or its files are damaged or foreign.
        """
        model = find(model_id, models_dir)
        if model.card.kind != "music":
            raise CatalogError(
                f"model {model.card.id} is for {model.card.kind}s, not for music",
                "Choose a music model.",
            )

        def networks(path: Path) -> Network:
            return open_network(path, threads=threads)

        return cls(model.card, build_pipeline(model.card, model.files, networks))

    @property
    def model_id(self) -> str:
        return self.card.id

    @property
    def front_end(self) -> str:
        """Identity of the features that `rate` accepts, as the card tells it."""
        return self.card.front_end

    def classify(
        self,
        path: str | os.PathLike[str],
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> MusicEstimate:
        """Decode, analyse and rate one file; memory does not grow with its length.

        Parameters
        ----------
        path : path-like
        cancelled : callable, optional
            Asked every few seconds of audio.

        Raises
        ------
        AudioError
            If the file cannot be read, holds no audio, or less than the model needs.
        Cancelled
        """
        begin = time.perf_counter()
        with decode_blocks(path, block_s=_BLOCK_S, cancelled=cancelled) as blocks:
            analysis = self._pipeline.analyse(blocks, cancelled)
            faults = blocks.faults
        features = replace(analysis.features, front_end=self.front_end)
        return MusicEstimate(
            # Not from analysis.scores: what `rate` will say later is to be the same.
            estimate=self._estimate(self._pipeline.rate(features), features.duration_s),
            timeline=self._timeline(analysis.scores, features.duration_s),
            features=features,
            duration_s=features.duration_s,
            seconds=time.perf_counter() - begin,
            faults=faults,
        )

    def adapted(self, statistics: LibraryStatistics | None) -> MusicClassifier:
        """The same model, used to a library: what is usual there counts as usual music.

        Parameters
        ----------
        statistics : LibraryStatistics or None
            ``LibraryStatistics.of(features)`` of at least 30 songs that this model has heard;
            None gives the model as it is.

        Raises
        ------
        UndertoneError
            If the model cannot get used to a library, or the statistics are of features that
            another model keeps.
        """
        if not isinstance(self._pipeline, Adaptable):
            raise UndertoneError(
                f"{self.model_id} cannot get used to a library",
                "Use undertone-music, or leave the adaptation out.",
            )
        if statistics is not None and statistics.front_end != self.front_end:
            raise UndertoneError(
                f"what is usual in {statistics.front_end!r} says nothing to {self.model_id}",
                "Learn it from features that this model has made.",
            )
        return MusicClassifier(self.card, self._pipeline.adapted(statistics))

    def rate(self, features: SongFeatures) -> MusicEstimate:
        """The estimate from stored features, without the file.

        Raises
        ------
        UndertoneError
            If the features come from another front end.
        """
        begin = time.perf_counter()
        if features.front_end != self.front_end:
            raise UndertoneError(
                f"features of {features.front_end!r} cannot be rated by {self.model_id}",
                "Tag the song again.",
            )
        scores = self._pipeline.rate(features)
        return MusicEstimate(
            estimate=self._estimate(scores, features.duration_s),
            timeline=self._timeline(scores, features.duration_s),
            features=features,
            duration_s=features.duration_s,
            seconds=time.perf_counter() - begin,
        )

    def _estimate(self, scores: WindowScores, duration_s: float) -> EmotionEstimate:
        """Average over the windows by their share of sound; silence says nothing."""
        weight = scores.weight.astype(np.float64)
        total = float(weight.sum())
        if total <= 0.0:
            return EmotionEstimate.from_probabilities(
                [_CHANCE] * 4, _CHANCE, self.model_id, self.card.calibration.leeway
            )
        mean = weight @ scores.log_probabilities.astype(np.float64) / total
        probabilities = _softmax(mean / self.card.calibration.temperature)
        confidence = calibrated_confidence(float(probabilities.max()), self.card.calibration)
        sound_s = total / len(weight) * duration_s
        trust = min(1.0, sound_s / _ENOUGH_SOUND_S)
        return EmotionEstimate.from_probabilities(
            [float(p) for p in _CHANCE + trust * (probabilities - _CHANCE)],
            _CHANCE + trust * (confidence - _CHANCE),
            self.model_id,
            self.card.calibration.leeway,
        )

    def _timeline(self, scores: WindowScores, duration_s: float) -> Timeline:
        """One value a second, between the centres of the windows."""
        temperature = self.card.calibration.temperature
        probabilities = _softmax(scores.log_probabilities.astype(np.float64) / temperature)
        probabilities = _CHANCE + scores.weight[:, None] * (probabilities - _CHANCE)
        hop_s = max(_TIMELINE_HOP_S, duration_s / _TIMELINE_LENGTH)
        times_s = np.arange(0.0, max(duration_s, hop_s), hop_s)
        centres_s = scores.start_s + scores.length_s / 2.0
        columns = [np.interp(times_s, centres_s, column) for column in probabilities.T]
        return Timeline(0.0, hop_s, np.stack(columns, axis=1).astype(np.float32))


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = exponents / exponents.sum(axis=-1, keepdims=True)
    return result


def calibrated_confidence(p: float, calibration: Calibration) -> float:
    """The largest probability as the share of the times when it is right, as the card maps it."""
    if not calibration.confidence:
        return p
    at, right = zip(*calibration.confidence, strict=True)
    return float(np.interp(p, at, right))


class _Session:
    """A network in ONNX Runtime; see `inference.pipelines.base.Network`."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime  # type: ignore[import-untyped, unused-ignore]  # 0.1 s: only when needed

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 4  # errors come as exceptions
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no public base
            raise CatalogError(
                f"{path.name} is not a network that can be loaded", "Install the model again."
            ) from error
        self._inputs = tuple(node.name for node in self._session.get_inputs())
        self._outputs = tuple(node.name for node in self._session.get_outputs())

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._outputs

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        values = self._session.run(None, {name: inputs[name] for name in self._inputs})
        return dict(zip(self._outputs, values, strict=True))


def open_network(path: Path, *, threads: int = 1) -> Network:
    """Load a verified .onnx file; external data is refused, since it would not be verified.

    Raises
    ------
    CatalogError
        If it is not a network, or one that needs more than this file.
    """
    return _Session(path, threads)
