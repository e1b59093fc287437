"""Training the music head: regressor on selected targets, SIA-BGRU on what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss, nll_loss

from inference.audio.segments import WINDOW_SEGMENTS, window_starts
from inference.evaluation.crossval import Samples
from inference.models.classifier import ClassifierConfig
from inference.models.regressor import MusicCommittee, MusicHead, RegressorConfig
from inference.training.loops import Optimisation, class_weights, fit, seeded

__all__ = [
    "HeadPredictor",
    "HeadSystem",
    "HeadTraining",
    "Route",
    "Targets",
    "codes_to_imitate",
    "predict_music",
    "random_crops",
    "softened",
    "train_head",
]

Sequences = Sequence[NDArray[np.float32]]
Probabilities = NDArray[np.float64]


class Route(str, Enum):
    """Where the codes between music and quadrant come from, at equal capacity."""

    PHYSIOLOGICAL = "physiological"
    DIRECT = "direct"
    RANDOM = "random"


@dataclass(frozen=True)
class Targets:
    """Selected physiological features (step 5): what the regressor imitates.

    Parameters
    ----------
    codes : ndarray, shape (m, d), float32
        Recording-level means of the encoder's segment vectors.
    labels : ndarray of int64, shape (m,)
        The listener's answers.
    classifier : mapping of str to Tensor, optional
        State of the SIA-BGRU that was trained with the encoder: where the
        fine-tuning starts.
    """

    codes: NDArray[np.float32]
    labels: NDArray[np.int64]
    classifier: Mapping[str, Tensor] | None = None

    @classmethod
    def random(cls, width: int, seed: int, n_classes: int = 4) -> Targets:
        """A random code a class: the control that says what the physiology adds."""
        rng = np.random.default_rng(seed)
        return cls(rng.normal(size=(n_classes, width)).astype(np.float32), np.arange(n_classes))

    def member(self, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """A random recording of the same class for each label (label-matched pairing)."""
        return np.array([rng.choice(np.flatnonzero(self.labels == y)) for y in labels])

    def quadrant_codes(self) -> NDArray[np.float32]:
        """The mean code of each quadrant, z-scored over the quadrants, (4, d).

        Squared error to a random recording of a class has its minimum at the class's mean: the
        mean asks for the same with less noise (and is the common model's target, item 14).
        """
        means = np.stack([self.codes[self.labels == q].mean(axis=0) for q in range(4)])
        means = means - means.mean(axis=0)
        codes: NDArray[np.float32] = means / np.maximum(means.std(axis=0), 1e-3)
        return codes.astype(np.float32)


def codes_to_imitate(
    route: Route, width: int, seed: int, targets: Targets | None
) -> NDArray[np.float32] | None:
    """The code of each quadrant that a member of a committee imitates; None on the direct route.

    Returns
    -------
    ndarray, shape (4, width), optional
        See `Targets.quadrant_codes`; of the member's own random codes on that route.

    Raises
    ------
    ValueError
        If the physiological route has no targets.
    """
    if route is Route.DIRECT:
        return None
    if route is Route.RANDOM:
        targets = Targets.random(width, seed)
    if targets is None:
        raise ValueError("the physiological route needs targets")
    return targets.quadrant_codes()


def softened(labels: NDArray[np.int64], smoothing: float) -> Tensor:
    """Labels as probabilities, shape (n, 4), a share of each spread over all quadrants."""
    return torch.eye(4)[torch.from_numpy(labels)] * (1.0 - smoothing) + smoothing / 4.0


@dataclass(frozen=True)
class HeadTraining:
    """How the head is trained.

    Parameters
    ----------
    route : Route
    regressor, classifier : configs
    regress : Optimisation
        Of the regressor on the targets (or of everything, on the direct route).
    classify : Optimisation
        Of the SIA-BGRU on the regressed features of the training fold.
    regress_crop : int
        Segments of a clip in a step of the regressor, whose loss is on their
        mean.
    crop : int
        Segments of a training sequence of the SIA-BGRU; equal lengths, since
        padding would corrupt the backward GRU.
    """

    route: Route = Route.PHYSIOLOGICAL
    regressor: RegressorConfig = field(default_factory=RegressorConfig)
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    regress: Optimisation = field(
        default_factory=lambda: Optimisation(epochs=10, batch=32, rate=2e-3, weight_decay=1e-2)
    )
    classify: Optimisation = field(
        default_factory=lambda: Optimisation(
            epochs=10, batch=32, rate=2e-3, weight_decay=1e-2, smoothing=0.1
        )
    )
    regress_crop: int = 12
    crop: int = 28


def _crop(sequence: NDArray[np.float32], length: int, start: int) -> NDArray[np.float32]:
    """`length` segments from `start` on; a sequence that is too short is repeated."""
    if len(sequence) < length:
        repeats = -(-length // len(sequence))
        sequence = np.concatenate([sequence] * repeats)
    start = min(start, len(sequence) - length)
    return sequence[start : start + length]


def random_crops(
    sequences: Sequences, at: NDArray[np.int64], length: int, rng: np.random.Generator
) -> Tensor:
    """`length` consecutive segments of each of the sequences `at`, (b, length, d)."""
    crops = [
        _crop(sequences[i], length, int(rng.integers(0, max(1, len(sequences[i]) - length + 1))))
        for i in at
    ]
    return torch.from_numpy(np.stack(crops))


def train_head(
    samples: Samples[NDArray[np.float32]],
    settings: HeadTraining,
    seed: int,
    targets: Targets | None = None,
) -> MusicHead:
    """Fit a head to training clips.

    Parameters
    ----------
    samples : Samples of ndarray (L, width_in)
        Features of training clips.
    settings : HeadTraining
    seed : int
    targets : Targets, optional
        Needed on the physiological route.

    Returns
    -------
    MusicHead
        In evaluation mode, temperature 1.
    """
    rng = seeded(seed)
    head = MusicHead(settings.regressor, settings.classifier)
    head.regressor.fit_scale(torch.from_numpy(np.concatenate(list(samples.inputs))))
    if settings.route is Route.DIRECT:
        _fit_classifier(head, samples, settings, settings.regress, rng)
        return head.eval()
    if settings.route is Route.RANDOM:
        targets = Targets.random(settings.regressor.width, seed)
    if targets is None:
        raise ValueError("the physiological route needs targets")
    _fit_regressor(head, samples, targets, settings, rng)
    if targets.classifier is not None:
        head.classifier.load_state_dict(dict(targets.classifier))
    head.regressor.requires_grad_(False)
    _fit_classifier(head, samples, settings, settings.classify, rng)
    head.regressor.requires_grad_(True)
    return head.eval()


def _fit_regressor(
    head: MusicHead,
    samples: Samples[NDArray[np.float32]],
    targets: Targets,
    settings: HeadTraining,
    rng: np.random.Generator,
) -> None:
    """Mean of a clip's codes -> codes of a random kept recording of the same class."""
    codes = torch.from_numpy(targets.codes)
    head.regressor.code_mean.copy_(codes.mean(dim=0))
    head.regressor.code_scale.copy_(codes.std(dim=0).clamp_min(1e-3))
    normal = (codes - head.regressor.code_mean) / head.regressor.code_scale

    def loss_of(at: NDArray[np.int64]) -> Tensor:
        x = random_crops(samples.inputs, at, settings.regress_crop, rng)
        wanted = normal[torch.from_numpy(targets.member(samples.labels[at], rng))]
        return mse_loss(head.regressor.standardised(x).mean(dim=1), wanted)

    fit(head.regressor, len(samples.labels), loss_of, settings.regress, rng)


def _fit_classifier(
    head: MusicHead,
    samples: Samples[NDArray[np.float32]],
    settings: HeadTraining,
    optimisation: Optimisation,
    rng: np.random.Generator,
) -> None:
    weights = class_weights(samples.labels)
    labels = torch.from_numpy(samples.labels)
    eps = optimisation.smoothing

    def loss_of(at: NDArray[np.int64]) -> Tensor:
        said = head(random_crops(samples.inputs, at, settings.crop, rng)).log_probabilities
        hard = nll_loss(said, labels[torch.from_numpy(at)], weight=weights)
        loss: Tensor = (1.0 - eps) * hard - eps * said.mean()
        return loss

    fit(head, len(samples.labels), loss_of, optimisation, rng)


def predict_music(head: MusicHead | MusicCommittee, sequences: Sequences) -> Probabilities:
    """Probabilities of clips or songs, shape (n, 4), as the tagger makes them.

    30 s windows (84 segments) every 14 segments, averaged log-probabilities.
    """
    head.eval()
    return np.stack([_song(head, s) for s in sequences])


def _song(head: MusicHead | MusicCommittee, sequence: NDArray[np.float32]) -> Probabilities:
    starts = window_starts(len(sequence))
    length = min(WINDOW_SEGMENTS, len(sequence))
    windows = np.stack([sequence[a : a + length] for a in starts])
    with torch.inference_mode():
        mean = head(torch.from_numpy(windows)).log_probabilities.mean(dim=0)
        p: Probabilities = torch.softmax(mean, dim=0).numpy().astype(np.float64)
    return p


@dataclass(frozen=True)
class HeadSystem:
    """The head as a system for `cross_validate`."""

    settings: HeadTraining
    targets: Targets | None = None

    def __call__(self, samples: Samples[NDArray[np.float32]], seed: int) -> HeadPredictor:
        return HeadPredictor(train_head(samples, self.settings, seed, self.targets))


@dataclass(frozen=True)
class HeadPredictor:
    """A fitted head as predictor."""

    head: MusicHead | MusicCommittee

    def __call__(self, inputs: Sequences) -> Probabilities:
        return predict_music(self.head, inputs)
