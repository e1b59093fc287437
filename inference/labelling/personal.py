"""A listener's own map: how their answers differ from the common model, learned with restraint.

The common model puts a song at a pair of log-odds, x = (logit P(high valence),
logit P(high arousal)). The personal map moves it by d = W (x, 1, z): a turned,
stretched and shifted plane in six numbers, and, where there are answers enough
to learn it, more for places z in the space of musical features. It tilts the
four probabilities accordingly: log p'(q) = log p(q) + s(q) . d / 2 + const,
s(q) = (+-1, +-1). W = 0 is the common model. W is the maximum a posteriori
under Gaussian priors round 0 whose strength cross-validation chooses, so that
few answers move little (`inference.labelling.ladder`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS

__all__ = [
    "LEAST_ANSWERS",
    "LEAST_IN_SECOND_MOOD",
    "MARGIN",
    "MapProblem",
    "Outcome",
    "PairedTest",
    "PersonalMap",
    "paired_test",
    "softmax",
]

Array = NDArray[np.float64]

LEAST_ANSWERS = 8
"""Songs with an answer, below which nothing is learned."""

LEAST_IN_SECOND_MOOD = 2
"""Answers outside the most frequent mood, below which there is nothing to tell moods apart by."""

MARGIN = 0.02
"""How much worse than the common model a personal one may be, at the test's lower bound."""

PLANE = 3
"""Inputs of the map that every song has: two log-odds and 1."""

_Z_95 = 1.6448536269514722  # one-sided 95 %
_LOGIT_LIMIT = 3.0  # a song that the common model is sure of pulls no harder than one at 95 %
_LEAST_P = 1e-4
_STEPS = 20
_LONGEST_STEP = 2.0
_SIGNS = np.array(
    [[1.0 if q.high_valence else -1.0, 1.0 if q.high_arousal else -1.0] for q in QUADRANTS]
)


class Outcome(str, Enum):
    """What became of a training, as a sentence for the listener."""

    ACCEPTED = "on held-out answers the personal model is no worse than the common one"
    TOO_FEW = "there are too few songs with an answer"
    ONE_MOOD = "nearly all answers name the same mood, so there is nothing to tell moods apart by"
    NO_PATTERN = "the answers show no steady difference from the common model"
    NOT_PROVEN = "on held-out answers it is not yet sure that the personal model is no worse"


@dataclass(frozen=True, eq=False)
class PersonalMap:
    """The listener's map.

    Parameters
    ----------
    weights : ndarray, shape (2, 3 + m), float64
        Rows: valence, arousal. Columns: what the log-odds of valence and of
        arousal, a constant 1 and the place of the song add to that row's log-odds.

    Raises
    ------
    ValueError
        If the weights are not such finite numbers.
    """

    weights: Array

    def __post_init__(self) -> None:
        rows, columns = self.weights.shape if self.weights.ndim == 2 else (0, 0)
        if rows != 2 or columns < PLANE or not np.isfinite(self.weights).all():
            raise ValueError("a personal map takes 2 x 3 finite numbers or more")

    @property
    def dimensions(self) -> int:
        """Of the places that it looks at; 0: the plane alone."""
        return int(self.weights.shape[1]) - PLANE

    def rate(self, probabilities: ArrayLike, places: ArrayLike | None = None) -> Array:
        """The listener's probabilities from the common model's.

        Parameters
        ----------
        probabilities : array-like, shape (n, 4)
        places : array-like, shape (n, m), optional
            0, the middle of the library, where they are not known.

        Returns
        -------
        ndarray, shape (n, 4), float64
        """
        log_p, inputs = _design(probabilities)
        d = inputs @ self.weights[:, :PLANE].T
        if self.dimensions and places is not None:
            d = d + np.asarray(places, np.float64) @ self.weights[:, PLANE:].T
        return softmax(log_p + 0.5 * d @ _SIGNS.T)


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Both models on the same held-out answers.

    Parameters
    ----------
    common, personal : float
        Share of held-out answers that each names.
    lower : float
        One-sided 95 % lower bound of the difference personal - common.
    """

    common: float
    personal: float
    lower: float

    @property
    def passed(self) -> bool:
        return self.lower > -MARGIN


def paired_test(common_right: ArrayLike, personal_right: ArrayLike) -> PairedTest:
    """Compare two models on the same answers.

    Notes
    -----
    The bound is Bonett and Price's for a difference of paired proportions
    (J. Educ. Behav. Stat. 37, 2012): one answer is added to each kind of
    disagreement, so that few answers without any disagreement prove nothing.
    """
    common, personal = np.asarray(common_right, bool), np.asarray(personal_right, bool)
    won = (int((personal & ~common).sum()) + 1) / (len(common) + 2)
    lost = (int((common & ~personal).sum()) + 1) / (len(common) + 2)
    difference = won - lost
    spread = np.sqrt((won + lost - difference**2) / (len(common) + 2))
    return PairedTest(
        float(common.mean()), float(personal.mean()), float(difference - _Z_95 * spread)
    )


class MapProblem:
    """Songs and answers of one listener; many fits to parts of them at once.

    Parameters
    ----------
    probabilities : array-like, shape (n, 4)
        The common model's.
    y : ndarray of int64, shape (n,)
        Positions in `QUADRANTS`.
    places : array-like, shape (n, m), optional
    """

    def __init__(
        self,
        probabilities: ArrayLike,
        y: NDArray[np.int64],
        places: ArrayLike | None = None,
    ) -> None:
        self.log_p, inputs = _design(probabilities)
        if places is not None:
            inputs = np.column_stack([inputs, np.asarray(places, np.float64)])
        self.y = y
        self.dimensions = inputs.shape[1] - PLANE
        self._size = 2 * inputs.shape[1]
        # How each of the weights moves each of the four log-probabilities of each song.
        lever = 0.5 * _SIGNS[None, :, :, None] * inputs[:, None, None, :]
        self._lever = lever.reshape(len(y), len(QUADRANTS), self._size)
        self._truth = np.eye(len(QUADRANTS))[y]

    def prior(self, plane: float, places: float) -> Array:
        """Strength of the prior on each weight, flat; an infinite one keeps a weight at 0."""
        one = np.r_[np.full(PLANE, plane), np.full(self.dimensions, min(places, 1e9))]
        return np.tile(one, 2)

    def fit(self, use: NDArray[np.bool_], priors: Array) -> Array:
        """Maximum a posteriori weights by Newton's method.

        Parameters
        ----------
        use : ndarray of bool, shape (b, n)
            The answers of each fit.
        priors : ndarray, shape (b, p)

        Returns
        -------
        ndarray, shape (b, p)
            Flat weights.
        """
        weight = use.astype(np.float64)
        count, size = len(weight), self._size
        theta = np.zeros((count, size))
        ridge = priors[:, :, None] * np.eye(size)
        flat = self._lever.reshape(-1, size)
        for _ in range(_STEPS):
            q = self.probabilities(theta)
            slope = ((q - self._truth) * weight[:, :, None]).reshape(count, -1) @ flat
            slope += priors * theta
            mean = np.einsum("bnk,nkp->bnp", q, self._lever) * np.sqrt(weight)[:, :, None]
            root = np.sqrt(q * weight[:, :, None]).reshape(count, -1)
            curve = np.stack([(flat * r[:, None]).T @ (flat * r[:, None]) for r in root])
            curve += ridge - np.swapaxes(mean, 1, 2) @ mean
            step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
            length = np.linalg.norm(step, axis=1, keepdims=True)
            theta -= step * np.minimum(1.0, _LONGEST_STEP / np.maximum(length, 1e-12))
            if float(length.max()) < 1e-8:
                break
        return theta

    def scores(self, theta: Array) -> Array:
        """Log-probabilities but for a constant, shape (b, n, 4), for weights (b, p)."""
        return np.asarray(self.log_p + np.einsum("nkp,bp->bnk", self._lever, theta))

    def probabilities(self, theta: Array) -> Array:
        """Shape (b, n, 4) for weights of shape (b, p)."""
        return softmax(self.scores(theta))

    def loss(self, scores: Array) -> Array:
        """-log of the answers' probabilities, shape (b, n), of scores (b, n, 4)."""
        q = softmax(scores)
        return -np.log(np.maximum(q[:, np.arange(len(self.y)), self.y], _LEAST_P))

    def map(self, theta: Array) -> PersonalMap:
        """The map of one fit's flat weights (p,), without places where those are all 0."""
        weights = theta.reshape(2, -1)
        if self.dimensions and float(np.abs(weights[:, PLANE:]).max()) < 1e-6:
            weights = weights[:, :PLANE]
        return PersonalMap(weights.copy())


def _design(probabilities: ArrayLike) -> tuple[Array, Array]:
    """Log-probabilities (n, 4) and the map's inputs (n, 3): two log-odds and 1."""
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or p.shape[1] != len(QUADRANTS) or not np.isfinite(p).all() or (p < 0).any():
        raise ValueError("expected probabilities of shape (n, 4)")
    p = np.maximum(p, _LEAST_P)
    p = p / p.sum(axis=1, keepdims=True)
    high = p @ (_SIGNS > 0).astype(np.float64)
    odds = np.clip(np.log(high / (1.0 - high)), -_LOGIT_LIMIT, _LOGIT_LIMIT)
    return np.log(p), np.column_stack([odds, np.ones(len(p))])


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)
