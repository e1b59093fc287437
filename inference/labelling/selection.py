"""Prompted labelling: which recordings become regression targets (the paper's steps 2 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from inference.emotion import QUADRANTS, Quadrant
from inference.labelling.clusters import EmotionClusters

__all__ = ["Decision", "Reason", "kept", "select"]


class Reason(str, Enum):
    """Why a recording was kept as a target, or not."""

    AGREED = "prediction and nearest cluster agree with the answer"
    NEEDED = "kept so that the mood has enough recordings"
    PREDICTION = "the network heard another mood than the listener"
    CLUSTER = "the signals lie nearer to another mood's cluster"


@dataclass(frozen=True)
class Decision:
    """What became of one recording; its answer is kept as a label in any case.

    Parameters
    ----------
    kept : bool
        Whether it enters the regression targets.
    reason : Reason
    answer, prediction, cluster : Quadrant
        The listener's, the network's, the nearest cluster's.
    similarity : float
        To the nearest cluster of the answer's quadrant, in (0, 1].
    """

    kept: bool
    reason: Reason
    answer: Quadrant
    prediction: Quadrant
    cluster: Quadrant
    similarity: float


def select(
    clusters: EmotionClusters,
    features: ArrayLike,
    predictions: ArrayLike,
    answers: ArrayLike,
    *,
    at_least: int = 5,
) -> tuple[Decision, ...]:
    """Decide on each recording.

    The strict rule keeps a recording where prediction = answer and nearest
    cluster = answer. A quadrant that would fall under `at_least` is filled up
    with its recordings most similar to its clusters, so that none is empty.

    Parameters
    ----------
    clusters : EmotionClusters
    features : array-like, shape (n, d)
        Recording-level features, as the clusters were fitted on.
    predictions, answers : array-like of int, shape (n,)
        Positions in `QUADRANTS`.
    at_least : int
        Recordings to keep a quadrant, as far as there are any.

    Returns
    -------
    tuple of Decision, one a recording
    """
    said = np.asarray(predictions, np.int64)
    answer = np.asarray(answers, np.int64)
    match = clusters.match(features)
    similarity = match.similarity[np.arange(len(answer)), answer]
    keep = (said == answer) & (match.quadrants == answer)
    filled = np.zeros_like(keep)
    for q in range(len(QUADRANTS)):
        lacking = at_least - int((keep & (answer == q)).sum())
        if lacking > 0:
            spare = np.flatnonzero(~keep & (answer == q))
            filled[spare[np.argsort(-similarity[spare], kind="stable")[:lacking]]] = True
    return tuple(
        Decision(
            kept=bool(keep[i] or filled[i]),
            reason=_reason(bool(keep[i]), bool(filled[i]), said[i] == answer[i]),
            answer=QUADRANTS[int(answer[i])],
            prediction=QUADRANTS[int(said[i])],
            cluster=QUADRANTS[int(match.quadrants[i])],
            similarity=float(similarity[i]),
        )
        for i in range(len(answer))
    )


def _reason(agreed: bool, filled: bool, predicted: bool) -> Reason:
    if agreed:
        return Reason.AGREED
    if filled:
        return Reason.NEEDED
    return Reason.CLUSTER if predicted else Reason.PREDICTION


def kept(decisions: Sequence[Decision]) -> list[int]:
    """Positions of the recordings that were kept."""
    return [i for i, d in enumerate(decisions) if d.kept]
