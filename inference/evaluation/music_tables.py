"""Table III, the controls of the thesis, eight bits: systems on music, artists held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.datasets import MusicSet
from inference.evaluation.baselines import FeatureSystem, MajoritySystem, image_statistics, svm
from inference.evaluation.controls import permute_labels
from inference.evaluation.crossval import OutOfFold, Samples, System, cross_validate, result_row
from inference.evaluation.folds import Fold, Groups, Protocol, make_folds
from inference.evaluation.intervals import bootstrap, bootstrap_difference
from inference.evaluation.metrics import METRICS
from inference.job import Job
from inference.models.spectrogram_nets import SpectrogramCNN, StackedCRNN
from inference.training.loops import Optimisation
from inference.training.music import HeadSystem, HeadTraining, Route, Targets
from inference.training.music_committee import CommitteeSystem, CommitteeTraining
from inference.training.music_data import ALL_BLOCKS, EIGHT_BITS, WorkFolder
from inference.training.music_systems import (
    ClipInput,
    FrozenFrontEnd,
    MusicSystem,
    StudentFrontEnd,
    clip_samples,
)
from inference.training.spectrogram_nets import SpectrogramSystem

__all__ = [
    "COMPARISONS",
    "TABLE_3_KINDS",
    "MusicSetup",
    "controls_systems",
    "differences",
    "int8_systems",
    "music_table",
    "table_3_systems",
]

Row = dict[str, object]


@dataclass(frozen=True)
class MusicSetup:
    """What the rows of a music table have in common.

    Parameters
    ----------
    data : MusicSet
    work : WorkFolder
        Holds images and VGG19 features of all clips.
    targets : Targets
    student : StudentFrontEnd
    n_folds : int
    seeds : sequence of int
    epochs : int, optional
        Cap on the epochs of all heads, for trying out.
    """

    data: MusicSet
    work: WorkFolder
    targets: Targets
    student: StudentFrontEnd
    n_folds: int = 5
    seeds: Sequence[int] = (0, 1, 2)
    epochs: int | None = None

    def folds(self, labels: NDArray[np.int64]) -> tuple[Fold, ...]:
        """Artist-grouped folds, the same for every row with these labels."""
        groups = Groups({"artist": self.data.groups})
        return make_folds(Protocol.P2, labels, groups, n_folds=self.n_folds, seed=0)

    def head(self, route: Route) -> HeadSystem:
        """A head by a route, all of one capacity."""
        training = HeadTraining(route=route)
        if self.epochs is not None:
            training = replace(
                training,
                regress=_capped(training.regress, self.epochs),
                classify=_capped(training.classify, self.epochs),
            )
        return HeadSystem(training, self.targets if route is Route.PHYSIOLOGICAL else None)


def _capped(settings: Optimisation, epochs: int) -> Optimisation:
    return replace(settings, epochs=min(epochs, settings.epochs))


@dataclass(frozen=True)
class Served:
    """A head trained behind one front end and tested behind another: fp32 and int8."""

    trained: MusicSystem
    served: FrozenFrontEnd

    def __call__(self, samples: Samples[ClipInput], seed: int) -> _ServedPredictor:
        return _ServedPredictor(self.served, self.trained(samples, seed).head)


@dataclass(frozen=True)
class _ServedPredictor:
    served: FrozenFrontEnd
    head: Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float64]]

    def __call__(self, inputs: Sequence[ClipInput]) -> NDArray[np.float64]:
        return self.head(self.served.fit(inputs)(inputs))


def _statistics(clip: ClipInput) -> NDArray[np.float64]:
    return image_statistics(clip.image())


def controls_systems(setup: MusicSetup) -> Mapping[str, System[ClipInput]]:
    """Rows of the controls table by name.

    The thesis itself at equal capacity: music -> physiological targets ->
    quadrant, against no targets ("direct"), against a random code a class;
    one head each, on VGG19's last block.
    """
    vgg = FrozenFrontEnd("vgg19")
    found: dict[str, System[ClipInput]] = {
        "majority": MajoritySystem[ClipInput](),
        "MS-SG statistics + SVM": FeatureSystem(_statistics, svm),
        "ms-sg-vgg19": MusicSystem(vgg, setup.head(Route.PHYSIOLOGICAL)),
        "ms-sg-vgg19, direct": MusicSystem(vgg, setup.head(Route.DIRECT)),
        "ms-sg-vgg19, random codes": MusicSystem(vgg, setup.head(Route.RANDOM)),
    }
    return found | {
        "ms-sg-student": MusicSystem(setup.student, setup.head(Route.PHYSIOLOGICAL)),
        "ms-sg-student, direct": MusicSystem(setup.student, setup.head(Route.DIRECT)),
        "ms-sg-student, random codes": MusicSystem(setup.student, setup.head(Route.RANDOM)),
        "ms-sg-vgg19, labels permuted": MusicSystem(vgg, setup.head(Route.PHYSIOLOGICAL)),
    }


def int8_systems(setup: MusicSetup) -> Mapping[str, System[ClipInput]]:
    """The shipped recipe behind the network that it learned from, and behind its 8-bit copy."""
    training = CommitteeTraining()
    if setup.epochs is not None:
        training = replace(
            training,
            regress=_capped(training.regress, setup.epochs),
            classify=_capped(training.classify, setup.epochs),
        )
    system = MusicSystem(FrozenFrontEnd(ALL_BLOCKS), CommitteeSystem(training, setup.targets))
    return {
        "ms-sg-vgg19": system,
        "ms-sg-vgg19, int8": Served(system, FrozenFrontEnd(EIGHT_BITS)),
    }


COMPARISONS = (
    ("ms-sg-vgg19", "ms-sg-vgg19, direct"),
    ("ms-sg-vgg19", "ms-sg-vgg19, random codes"),
    ("ms-sg-vgg19, int8", "ms-sg-vgg19"),
    ("ms-sg-student", "ms-sg-vgg19"),
    ("ms-sg-student", "ms-sg-student, direct"),
    ("ms-sg-student", "ms-sg-student, random codes"),
)
"""Pairs whose difference gets an interval."""


TABLE_3_KINDS = {
    "MS + MLP + SIA-BGRU": "vgg19-ms",
    "SG + MLP + SIA-BGRU": "vgg19-sg",
    "MS-SG + MLP + SIA-BGRU": "vgg19",
}
"""Rows of Table III that differ in the channels alone, with the kind of features they need."""


def table_3_systems(setup: MusicSetup) -> Mapping[str, System[ClipInput]]:
    """Rows of Table III by name, the two networks on mel-spectrograms first.

    The column is "common": targets from all listeners. The paper's row on the
    plain spectrum is left out; statistics of the image with an SVM stand for
    what needs no network.
    """
    rivals = Optimisation(epochs=20, batch=32, rate=3e-3, weight_decay=1e-2, smoothing=0.1)
    if setup.epochs is not None:
        rivals = _capped(rivals, setup.epochs)
    found: dict[str, System[ClipInput]] = {
        "majority": MajoritySystem[ClipInput](),
        "MS-SG statistics + SVM": FeatureSystem(_statistics, svm),
        "Li et al. (CNN)": SpectrogramSystem(SpectrogramCNN, rivals),
        "Malik et al. (CRNN)": SpectrogramSystem(StackedCRNN, rivals),
    }
    for name, kind in TABLE_3_KINDS.items():
        found[name] = MusicSystem(FrozenFrontEnd(kind), setup.head(Route.PHYSIOLOGICAL))
    return found


def music_table(
    setup: MusicSetup,
    systems: Mapping[str, System[ClipInput]],
    *,
    names: Sequence[str] = (),
    checkpoints: Path | None = None,
) -> Job[tuple[list[Row], dict[str, OutOfFold]]]:
    """Cross-validate the rows of a table of music; `names` picks some.

    A row whose name holds "permuted" gets labels permuted between clips.

    Returns
    -------
    rows : list of dict
    found : dict
        Out-of-fold predictions by row name, for `differences`.
    """
    data = setup.data
    rows: list[Row] = []
    found: dict[str, OutOfFold] = {}
    for name, system in systems.items():
        if names and name not in names:
            continue
        labels = data.labels
        if "permuted" in name:
            labels = permute_labels(labels, np.arange(len(labels)), seed=1)
        whole = clip_samples(data, setup.work)
        samples = Samples(whole.inputs, labels, whole.groups)
        file = None
        if checkpoints is not None:
            slug = "".join(c if c.isalnum() else "-" for c in name.lower())
            file = checkpoints / f"{slug}.npz"
        result = yield from cross_validate(
            system, samples, setup.folds(labels), seeds=setup.seeds, checkpoint=file
        )
        found[name] = result
        rows.append({"protocol": "P2", **result_row(name, samples, result)})
    return rows, found


def differences(data: MusicSet, found: Mapping[str, OutOfFold]) -> list[Row]:
    """Paired differences with 95 % intervals over artists, of the pairs that were run.

    Also how far the two agree: share of identical quadrants and mean
    absolute difference of the probabilities (the test of int8 against fp32).
    """
    rows: list[Row] = []
    for a, b in COMPARISONS:
        if a not in found or b not in found:
            continue
        p_a, p_b = found[a].probabilities, found[b].probabilities
        row: Row = {"system": a, "against": b}
        for name in ("accuracy", "arousal_accuracy", "valence_accuracy"):
            i = bootstrap_difference(METRICS[name], data.labels, p_a, p_b, data.groups)
            row |= {f"{name}_difference": i.value, f"{name}_low": i.low, f"{name}_high": i.high}
        both = np.concatenate([p_a, p_b], axis=2)
        for name, metric in _AGREEMENT.items():
            i = bootstrap(metric, data.labels, both, data.groups)
            row |= {name: i.value, f"{name}_low": i.low, f"{name}_high": i.high}
        rows.append(row)
    return rows


def _same_quadrant(_: ArrayLike, both: ArrayLike) -> float:
    a, b = np.split(np.asarray(both), 2, axis=1)
    return float((a.argmax(axis=1) == b.argmax(axis=1)).mean())


def _mean_dp(_: ArrayLike, both: ArrayLike) -> float:
    a, b = np.split(np.asarray(both), 2, axis=1)
    return float(np.abs(a - b).mean())


_AGREEMENT = {"same_quadrant": _same_quadrant, "mean_dp": _mean_dp}
"""Of two systems' probabilities side by side."""
