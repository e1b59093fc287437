"""Fitting the judge of unusual sounds to clips as they are and by other instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from inference.emotion import QUADRANTS
from inference.models.far_judge import FarJudge, Machine
from inference.pipelines.undertone import Reduction
from inference.training.music_best_head import Clips, reduced

__all__ = ["FarSettings", "fit_far_judge"]

Array = NDArray[np.float32]


@dataclass(frozen=True)
class FarSettings:
    """What the judge reads, and how it is fitted.

    Parameters
    ----------
    arousal_segments : (start, stop)
        MSD_musicnn's penultimate layer in a segment's vector.
    arousal_song : (start, stop)
        MTT_musicnn's penultimate layer in the song's vector.
    valence_song : (start, stop)
        The descriptors of harmony and melody in the song's vector. Harmony is what of valence
        does not change with the instrument: what networks hear of it did not carry over.
    c, width : float
        Of the machines; the kernel's gamma is `width` over the number of inputs.
    slope : float
    gate_c : float
        Of the logistic regression that tells the plain clips from the others.
    gate_range : (low, high)
        See `FarJudge`: 93 of 100 plain clips whose artists it did not learn from stay below.
    least_share : float
        See `FarJudge`: a machine that reads harmony alone betters the committee's word on the
        valence of plain clips, too. The other one does not, and takes orchestras for calm.
    """

    arousal_segments: tuple[int, int] = (424, 624)
    arousal_song: tuple[int, int] = (264, 464)
    valence_song: tuple[int, int] = (101, 230)
    c: float = 2.0
    width: float = 0.5
    slope: float = 2.0
    gate_c: float = 1e-3
    gate_range: tuple[float, float] = (0.1, 0.3)
    least_share: float = 0.2


def fit_far_judge(
    plain: Clips, others: Sequence[Clips], reduction: Reduction, settings: FarSettings
) -> FarJudge:
    """Fit to the same clips as they are and by other instruments, in one order.

    Parameters
    ----------
    plain : Clips
    others : sequence of Clips
    reduction : Reduction
        Fitted on `plain`.
    settings : FarSettings
    """
    every = [plain, *others]
    read = [tuple(x.numpy() for x in reduced(clips, reduction)) for clips in every]
    unfold = reduction.components[slice(*settings.arousal_segments)].T
    arousal = [
        np.concatenate([rows.mean(axis=1) @ unfold, song[:, slice(*settings.arousal_song)]], axis=1)
        for rows, song in read
    ]
    valence = [song[:, slice(*settings.valence_song)] for _, song in read]
    quadrants = [QUADRANTS[label] for label in plain.labels]
    usual, strange = read[0][1], np.concatenate([song for _, song in read[1:]])
    gate = LogisticRegression(C=settings.gate_c, class_weight="balanced", max_iter=1000).fit(
        np.concatenate([usual, strange]), np.arange(len(usual) + len(strange)) >= len(usual)
    )
    return FarJudge(
        _machine(arousal, np.array([q.high_arousal for q in quadrants]), settings),
        _machine(valence, np.array([q.high_valence for q in quadrants]), settings),
        torch.from_numpy(np.ascontiguousarray(unfold)),
        settings.arousal_song,
        settings.valence_song,
        _tensor(gate.coef_[0]),
        float(gate.intercept_[0]),
        settings.gate_range,
        settings.least_share,
    )


def _machine(heard: Sequence[Array], high: NDArray[np.bool_], settings: FarSettings) -> Machine:
    """Fitted to all versions of the clips, each an array (n, d)."""
    scale = _carried(heard)
    x = (np.concatenate(heard) * scale).astype(np.float64)
    gamma = settings.width / x.shape[1]
    fitted = SVC(C=settings.c, gamma=gamma).fit(x, np.tile(high, len(heard)))
    return Machine(
        _tensor(scale),
        _tensor(fitted.support_vectors_),
        _tensor(fitted.dual_coef_[0]),
        float(fitted.intercept_[0]),
        gamma,
        settings.slope,
    )


def _carried(heard: Sequence[Array]) -> Array:
    """How far each input is the same by whatever instruments a clip is played, (d,).

    The correlation over the clips, as they are against each other version, averaged; 0 where it
    is negative. Brought to a mean square of 1, so that distances keep their size.
    """
    plain = heard[0] - heard[0].mean(axis=0)
    carried = np.zeros(plain.shape[1])
    for other in heard[1:]:
        centred = other - other.mean(axis=0)
        spread = np.sqrt(np.square(plain).sum(axis=0) * np.square(centred).sum(axis=0))
        carried += np.where(spread > 0.0, (plain * centred).sum(axis=0), 0.0) / (spread + 1e-12)
    carried = np.maximum(carried, 0.0)
    scaled: Array = (carried / np.sqrt(np.square(carried).mean() + 1e-12)).astype(np.float32)
    return scaled


def _tensor(x: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, np.float32))
