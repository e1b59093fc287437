"""What every way from audio to quadrants has in common, and the register of them by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.catalog import CatalogError, ModelCard

if TYPE_CHECKING:
    from inference.pipelines.adaptation import LibraryStatistics

__all__ = [
    "PIPELINES",
    "Adaptable",
    "Analysis",
    "Network",
    "Networks",
    "Pipeline",
    "WindowScores",
    "build_pipeline",
]

PIPELINES: dict[str, str] = {
    "ms-sg": "inference.pipelines.ms_sg:build",
    "undertone": "inference.pipelines.undertone:build",
}
"""Name in a model card -> ``module:function``; the function makes a `Pipeline`."""


class Network(Protocol):
    """A loaded network: arrays by input name in, arrays by output name out."""

    @property
    def outputs(self) -> tuple[str, ...]: ...

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]: ...


Networks = Callable[[Path], Network]
"""Loads a verified .onnx file."""


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What the classifier says of each window of a song.

    Parameters
    ----------
    start_s : ndarray, shape (w,), float64
        Start of each window, rising, seconds.
    length_s : float
        Of a window, seconds.
    log_probabilities : ndarray, shape (w, 4), float32
        In the order of `inference.emotion.QUADRANTS`.
    weight : ndarray, shape (w,), float32
        Share of the window that is sound, 0..1.
    """

    start_s: NDArray[np.float64]
    length_s: float
    log_probabilities: NDArray[np.float32]
    weight: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is kept of a song, and its scores in full resolution (for the timeline)."""

    features: SongFeatures
    scores: WindowScores


class Pipeline(Protocol):
    """From audio to window scores; `rate` must need nothing but stored features."""

    @property
    def front_end(self) -> str:
        """Identity of the features, written into them and compared before they are used."""
        ...

    def analyse(
        self,
        blocks: Iterable[NDArray[np.float32]],
        cancelled: Callable[[], bool] | None = None,
    ) -> Analysis:
        """Analyse one song.

        Parameters
        ----------
        blocks : iterable of ndarray, shape (n,), float32
            Mono audio at 16 kHz.
        cancelled : callable, optional

        Raises
        ------
        AudioError
            If the audio is too short.
        Cancelled
        """
        ...

    def rate(self, features: SongFeatures) -> WindowScores:
        """Scores from stored features of this front end."""
        ...


@runtime_checkable
class Adaptable(Protocol):
    """A pipeline that can get used to a library."""

    def adapted(self, library: LibraryStatistics | None) -> Pipeline:
        """The same pipeline, for which what is usual in `library` is usual music."""
        ...


def build_pipeline(card: ModelCard, files: Mapping[str, Path], networks: Networks) -> Pipeline:
    """The pipeline that a card names.

    Raises
    ------
    CatalogError
        If this program does not know it, or the model lacks one of the files that it needs.
    """
    if card.pipeline not in PIPELINES:
        raise CatalogError(
            f"model {card.id} needs {card.pipeline!r}, which this version of Undertone lacks",
            "Update Undertone, or choose another model.",
        )
    module, _, function = PIPELINES[card.pipeline].partition(":")
    build = getattr(importlib.import_module(module), function)
    try:
        pipeline: Pipeline = build(card, files, networks)
    except KeyError as error:
        raise CatalogError(
            f"model {card.id} lacks {error.args[0]!r}", "Install the model again."
        ) from error
    return pipeline
