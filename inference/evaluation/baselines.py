"""Baselines without deep networks, for music and for signals, as systems for `cross_validate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from inference.evaluation.controls import majority_probabilities
from inference.evaluation.crossval import Samples

__all__ = [
    "FeatureSystem",
    "MajoritySystem",
    "extra_trees",
    "forest",
    "image_statistics",
    "psd_features",
    "svm",
]

X = TypeVar("X")
Vector = NDArray[np.float64]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class MajoritySystem(Generic[X]):
    """Says the class counts of the training part, whatever it is shown."""

    def __call__(self, samples: Samples[X], seed: int) -> _Majority[X]:
        return _Majority(samples.labels)


@dataclass(frozen=True)
class _Majority(Generic[X]):
    labels: NDArray[np.int64]

    def __call__(self, inputs: Sequence[X]) -> Probabilities:
        return majority_probabilities(self.labels, len(inputs))


@dataclass(frozen=True)
class FeatureSystem(Generic[X]):
    """A vector a sample, and a scikit-learn classifier fitted on the training part.

    Parameters
    ----------
    describe : callable
        Input -> features, shape (d,). It must know nothing of other samples.
    build : callable (seed) -> classifier with predict_proba
    """

    describe: Callable[[X], Vector]
    build: Callable[[int], Any]

    def __call__(self, samples: Samples[X], seed: int) -> _FeaturePredictor[X]:
        x = np.stack([self.describe(i) for i in samples.inputs])
        return _FeaturePredictor(self.describe, self.build(seed).fit(x, samples.labels))


@dataclass(frozen=True)
class _FeaturePredictor(Generic[X]):
    describe: Callable[[X], Vector]
    model: Any

    def __call__(self, inputs: Sequence[X]) -> Probabilities:
        p = np.zeros((len(inputs), 4))
        p[:, self.model.classes_] = self.model.predict_proba(
            np.stack([self.describe(i) for i in inputs])
        )
        return p


class _SoftMargin:
    """An SVM whose one-against-one votes make the probabilities: no inner folds, no leak."""

    def __init__(self, c: float, seed: int) -> None:
        svc = SVC(C=c, gamma="scale", class_weight="balanced", decision_function_shape="ovr")
        self._model = make_pipeline(StandardScaler(), svc)
        self.classes_: NDArray[np.int64] = np.zeros(0, np.int64)

    def fit(self, x: Vector, y: NDArray[np.int64]) -> _SoftMargin:
        self._model.fit(x, y)
        self.classes_ = self._model.classes_
        return self

    def predict_proba(self, x: Vector) -> Probabilities:
        margins = np.asarray(self._model.decision_function(x), np.float64)
        if margins.ndim == 1:
            margins = np.stack([-margins, margins], axis=1)
        e = np.exp(margins - margins.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))


def svm(seed: int, *, c: float = 3.0) -> Any:
    """RBF support vector machine on standardised features."""
    return _SoftMargin(c, seed)


def forest(seed: int) -> Any:
    """Random forest of 300 trees."""
    return RandomForestClassifier(
        300, min_samples_leaf=3, class_weight="balanced", random_state=seed, n_jobs=1
    )


def extra_trees(seed: int) -> Any:
    """100 extremely randomised trees: quick on many segments."""
    return ExtraTreesClassifier(
        100, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=1
    )


def image_statistics(image: NDArray[np.float16]) -> Vector:
    """Statistics of an MS-SG image (3, 64, t): shape (640,).

    Mean, deviation, 10th and 90th percentile of each mel and scalogram row,
    deviation of each row of the differential, and how strongly each fourth
    mel row is modulated at 0.5-1, 1-2, 2-4 and 4-8 Hz (rhythm).
    """
    x = np.asarray(image, np.float64)
    parts = []
    for channel in (x[0], x[2]):
        parts += [channel.mean(axis=1), channel.std(axis=1)]
        parts += list(np.percentile(channel, [10, 90], axis=1))
    parts.append(x[1].std(axis=1))
    rows = x[0][::4] - x[0][::4].mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(rows, axis=1)) / rows.shape[1]
    f_hz = np.fft.rfftfreq(rows.shape[1], 175 / 16000)
    for low, high in ((0.5, 1), (1, 2), (2, 4), (4, 8)):
        band = spectrum[:, (f_hz >= low) & (f_hz < high)]
        parts.append(np.log(np.sqrt((band**2).sum(axis=1)) + 1e-6))
    return np.concatenate(parts)


def psd_features(gsr: Vector, ppg: Vector, fs_hz: float = 128.0) -> Vector:
    """Log power in 12 bands of GSR (0.05-4 Hz) and 16 of PPG (0.5-16 Hz): shape (28,).

    References
    ----------
    Udovicic et al., MMHealth 2017, for power spectra and an SVM.
    """
    found = []
    for x, low, high, bands in ((gsr, 0.05, 4.0, 12), (ppg, 0.5, 16.0, 16)):
        f_hz, power = signal.welch(x, fs_hz, nperseg=min(len(x), round(20 * fs_hz)))
        edges = np.geomspace(low, high, bands + 1)
        at = np.searchsorted(f_hz, edges)
        found += [np.log(power[a : max(b, a + 1)].mean() + 1e-12) for a, b in pairwise(at)]
    return np.array(found, np.float64)
