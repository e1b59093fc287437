"""A listener's own map: how their answers differ from the common model, learned with restraint.

The common model puts a song at a pair of log-odds, x = (logit P(high valence),
logit P(high arousal)). The personal map moves it by d = W (x, 1), a turned,
stretched and shifted plane in six numbers, and tilts the four probabilities
accordingly: log p'(q) = log p(q) + s(q) . d / 2 + const, s(q) = (+-1, +-1).
W = 0 is the common model. W is the maximum a posteriori under a Gaussian prior
round 0 whose strength cross-validation chooses, so that few answers move little.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS

__all__ = [
    "LEAST_ANSWERS",
    "MARGIN",
    "Fit",
    "Outcome",
    "PairedTest",
    "PersonalMap",
    "fit_personal",
    "paired_test",
]

Array = NDArray[np.float64]

LEAST_ANSWERS = 8
"""Songs with an answer, below which nothing is learned."""

LEAST_IN_SECOND_MOOD = 2
"""Answers outside the most frequent mood, below which there is nothing to tell moods apart by."""

MARGIN = 0.02
"""How much worse than the common model a personal one may be, at the test's lower bound."""

_Z_95 = 1.6448536269514722  # one-sided 95 %
_STRENGTHS = (0.5, 2.0, 8.0, 32.0)
_FOLDS = 5
_INNER_FOLDS = 4
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
    """The listener's map of the plane.

    Parameters
    ----------
    weights : ndarray, shape (2, 3), float64
        Rows: valence, arousal. Columns: what the log-odds of valence and of
        arousal and a constant 1 add to that row's log-odds.

    Raises
    ------
    ValueError
        If the weights are not six finite numbers.
    """

    weights: Array

    def __post_init__(self) -> None:
        if self.weights.shape != (2, 3) or not np.isfinite(self.weights).all():
            raise ValueError("a personal map takes 2 x 3 finite numbers")

    def rate(self, probabilities: ArrayLike) -> Array:
        """The listener's probabilities from the common model's.

        Parameters
        ----------
        probabilities : array-like, shape (n, 4)

        Returns
        -------
        ndarray, shape (n, 4), float64
        """
        log_p, inputs = _design(probabilities)
        return _softmax(log_p + 0.5 * (inputs @ self.weights.T) @ _SIGNS.T)


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


@dataclass(frozen=True, eq=False)
class Fit:
    """What a training gave.

    Parameters
    ----------
    outcome : Outcome
    n : int
        Songs with an answer.
    map : PersonalMap or None
        None where nothing was learned.
    strength : float or None
        Of the prior; the larger, the nearer to the common model.
    test : PairedTest or None
        The one that decides; its folds, level and margin are fixed in this module.
    """

    outcome: Outcome
    n: int
    map: PersonalMap | None = None
    strength: float | None = None
    test: PairedTest | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


def fit_personal(probabilities: ArrayLike, answers: ArrayLike) -> Fit:
    """Learn the listener's map, and test it on answers that it has not seen.

    Parameters
    ----------
    probabilities : array-like, shape (n, 4)
        The common model's, one row a song.
    answers : array-like of int, shape (n,)
        Positions in `QUADRANTS`, one a song.

    Returns
    -------
    Fit
        `accepted` only if the strength is chosen by log loss in inner folds and
        the paired test in outer folds passes; every choice is made anew inside
        each outer fold. The map itself is fitted to all answers.
    """
    y = np.asarray(answers, np.int64)
    counts = np.bincount(y, minlength=len(QUADRANTS))
    if len(y) < LEAST_ANSWERS:
        return Fit(Outcome.TOO_FEW, len(y))
    if len(y) - counts.max() < LEAST_IN_SECOND_MOOD:
        return Fit(Outcome.ONE_MOOD, len(y))
    problem = _Problem(probabilities, y)
    everything = np.ones(len(y), bool)
    strength = problem.choose_strength(everything)
    if strength is None:
        return Fit(Outcome.NO_PATTERN, len(y))
    fitted = PersonalMap(problem.fit(everything[None], np.array([strength]))[0])
    test = problem.held_out()
    outcome = Outcome.ACCEPTED if test.passed else Outcome.NOT_PROVEN
    return Fit(outcome, len(y), fitted, strength, test)


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


class _Problem:
    """Songs and answers of one listener; many fits to parts of them at once."""

    def __init__(self, probabilities: ArrayLike, y: NDArray[np.int64]) -> None:
        self._log_p, self._inputs = _design(probabilities)
        self._y = y
        # How each of the six weights moves each of the four log-probabilities of each song.
        lever = 0.5 * _SIGNS[None, :, :, None] * self._inputs[:, None, None, :]
        self._lever = lever.reshape(len(y), len(QUADRANTS), 6)
        self._squares = np.einsum("nkp,nkq->nkpq", self._lever, self._lever).reshape(-1, 36)
        self._truth = np.eye(len(QUADRANTS))[y]

    def fit(self, use: NDArray[np.bool_], strengths: Array) -> Array:
        """Maximum a posteriori weights by Newton's method.

        Parameters
        ----------
        use : ndarray of bool, shape (b, n)
            The answers of each fit.
        strengths : ndarray, shape (b,)

        Returns
        -------
        ndarray, shape (b, 2, 3)
        """
        weight = use.astype(np.float64)
        count = len(weight)
        theta = np.zeros((count, 6))
        ridge = strengths[:, None, None] * np.eye(6)
        flat = self._lever.reshape(-1, 6)
        for _ in range(_STEPS):
            q = self._probabilities(theta)
            slope = ((q - self._truth) * weight[:, :, None]).reshape(count, -1) @ flat
            slope += strengths[:, None] * theta
            mean = np.einsum("bnk,nkp->bnp", q, self._lever) * np.sqrt(weight)[:, :, None]
            curve = ((q * weight[:, :, None]).reshape(count, -1) @ self._squares).reshape(-1, 6, 6)
            curve += ridge - np.swapaxes(mean, 1, 2) @ mean
            step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
            length = np.linalg.norm(step, axis=1, keepdims=True)
            theta -= step * np.minimum(1.0, _LONGEST_STEP / np.maximum(length, 1e-12))
            if float(length.max()) < 1e-8:
                break
        return theta.reshape(count, 2, 3)

    def choose_strength(self, among: NDArray[np.bool_]) -> float | None:
        """The prior's strength with the least log loss in folds of `among`; None: stay common."""
        folds = _folds(self._y, among, _INNER_FOLDS)
        use = np.stack([among & (folds != f) for f in range(_INNER_FOLDS)])
        grid = np.repeat(np.array(_STRENGTHS), _INNER_FOLDS)
        thetas = self.fit(np.tile(use, (len(_STRENGTHS), 1)), grid).reshape(-1, 6)
        loss = self._loss(thetas).reshape(len(_STRENGTHS), _INNER_FOLDS, -1)
        held_out = loss[:, folds[among], np.flatnonzero(among)]
        common = self._loss(np.zeros((1, 6)))[0][among]
        gains = common[None] - held_out
        best = int(np.argmax(gains.mean(axis=1)))
        return _STRENGTHS[best] if gains[best].mean() > 0.0 else None

    def held_out(self) -> PairedTest:
        """The paired test over outer folds."""
        everything = np.ones(len(self._y), bool)
        folds = _folds(self._y, everything, _FOLDS)
        said = self._log_p.argmax(axis=1)
        common_right = said == self._y
        for fold in range(_FOLDS):
            use = folds != fold
            strength = self.choose_strength(use)
            if strength is not None:
                theta = self.fit(use[None], np.array([strength])).reshape(1, 6)
                said[~use] = self._probabilities(theta)[0][~use].argmax(axis=1)
        return paired_test(common_right, said == self._y)

    def _probabilities(self, theta: Array) -> Array:
        """Shape (b, n, 4) for `theta` of shape (b, 6)."""
        return _softmax(self._log_p + np.einsum("nkp,bp->bnk", self._lever, theta))

    def _loss(self, theta: Array) -> Array:
        """-log of the answers' probabilities, shape (b, n)."""
        q = self._probabilities(theta)
        return -np.log(np.maximum(q[:, np.arange(len(self._y)), self._y], _LEAST_P))


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


def _softmax(logits: Array) -> Array:
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)


def _folds(y: NDArray[np.int64], among: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """A fold for each song, each answer spread over all folds; always the same draw."""
    shuffled = np.random.default_rng(0).permutation(len(y))
    at = shuffled[among[shuffled]]
    at = at[np.argsort(y[at], kind="stable")]
    folds = np.full(len(y), -1, np.int64)
    folds[at] = np.arange(len(at)) % count
    return folds
