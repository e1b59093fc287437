"""Prompted labelling: which recordings become regression targets (the paper's steps 2 to 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS, Quadrant
from inference.labelling.clusters import EmotionClusters

__all__ = ["Decision", "Reason", "decide", "kept", "nearness", "select", "select_crosswise"]

_FOLDS = 5
_LEAST_OWN = 3
_WORDS_A_CENTROID = 8
_MOST_CENTROIDS = 3


class Reason(str, Enum):
    """Why a recording was kept as a target, or not."""

    AGREED = "prediction and nearest cluster agree"
    NEEDED = "its mood has too few others"
    PREDICTION = "another mood was predicted"
    CLUSTER = "nearer to another mood's cluster"
    LATER = "a later word on the same song counts in its place"
    GONE = "the song is gone, and nothing that the present model said of it was kept"
    UNRATED = "the present model has not rated the song"
    NO_FEATURES = "nothing is stored of the song that could be compared"
    NO_CLUSTERS = "there are too few songs of each mood to form clusters from"
    SIGNALS = "the signals of the session were too bad"


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
    match = clusters.match(features)
    said, answer = np.asarray(predictions, np.int64), np.asarray(answers, np.int64)
    return decide(match.similarity, said, answer, at_least)


def decide(
    near: NDArray[np.float64],
    said: NDArray[np.int64],
    answer: NDArray[np.int64],
    at_least: int = 2,
) -> tuple[Decision, ...]:
    """Decisions by the similarity to each quadrant's nearest cluster, (n, 4): the strict rule."""
    similarity = near[np.arange(len(answer)), answer]
    nearest = near.argmax(axis=1)
    keep = (said == answer) & (nearest == answer)
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
            cluster=QUADRANTS[int(nearest[i])],
            similarity=float(similarity[i]),
        )
        for i in range(len(answer))
    )


def select_crosswise(
    features: ArrayLike,
    predictions: ArrayLike,
    answers: ArrayLike,
    *,
    borrowed: tuple[ArrayLike, ArrayLike] | None = None,
    at_least: int = 2,
) -> tuple[Decision, ...] | None:
    """Decide on each recording by clusters of the others, where recordings are few.

    A centroid that was made of a recording would always find it near: each fifth of the
    recordings is compared with clusters of the rest, as many a quadrant as the rest allows.

    Parameters
    ----------
    features : array-like, shape (n, d)
    predictions, answers : array-like of int, shape (n,)
    borrowed : pair of array-like, shapes (m, d) and (m,), optional
        Features and quadrants of other recordings, for quadrants in which there are fewer than
        three answers: of the common model, say.
    at_least : int
        As in `select`, of all recordings together.

    Returns
    -------
    tuple of Decision, one a recording, or None
        None where a quadrant has nothing to form a cluster from.
    """
    near = nearness(features, answers, borrowed)
    if near is None:
        return None
    said, answer = np.asarray(predictions, np.int64), np.asarray(answers, np.int64)
    return decide(near, said, answer, at_least)


def nearness(
    features: ArrayLike,
    answers: ArrayLike,
    borrowed: tuple[ArrayLike, ArrayLike] | None = None,
) -> NDArray[np.float64] | None:
    """Similarity of each recording to each quadrant's nearest cluster of the others.

    Returns
    -------
    ndarray, shape (n, 4), in (0, 1], or None
        See `select_crosswise`.
    """
    x, y = np.asarray(features, np.float64), np.asarray(answers, np.int64)
    spare, of = np.empty((0, x.shape[-1])), np.empty(0, np.int64)
    if borrowed is not None:
        spare, of = np.asarray(borrowed[0], np.float64), np.asarray(borrowed[1], np.int64)
    order = np.random.default_rng(0).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    folds = np.empty(len(y), np.int64)
    folds[order] = np.arange(len(y)) % _FOLDS
    near = np.empty((len(y), len(QUADRANTS)))
    for fold in range(_FOLDS):
        rest = folds != fold
        lacks = np.bincount(y[rest], minlength=len(QUADRANTS)) < _LEAST_OWN
        pool = np.concatenate([x[rest], spare[lacks[of]]])
        labels = np.concatenate([y[rest], of[lacks[of]]])
        counts = np.bincount(labels, minlength=len(QUADRANTS))
        if counts.min() == 0:
            return None
        count = min(max(int(counts.min()) // _WORDS_A_CENTROID, 1), _MOST_CENTROIDS)
        clusters = EmotionClusters.fit(pool, labels, per_quadrant=count)
        near[~rest] = clusters.match(x[~rest]).similarity
    return near


def _reason(agreed: bool, filled: bool, predicted: bool) -> Reason:
    if agreed:
        return Reason.AGREED
    if filled:
        return Reason.NEEDED
    return Reason.CLUSTER if predicted else Reason.PREDICTION


def kept(decisions: Sequence[Decision]) -> list[int]:
    """Positions of the recordings that were kept."""
    return [i for i, d in enumerate(decisions) if d.kept]
