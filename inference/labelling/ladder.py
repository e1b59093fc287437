"""How much of a model becomes the listener's own: three rungs, climbed with the number of answers.

1. the plane: six numbers that turn, stretch and shift valence and arousal;
2. the last layer: the same and a few directions of the stored musical features;
3. the networks: regressor and SIA-BGRU fine-tuned from the common model's weights, upon 2 or 1.

A higher rung is taken only if inner cross-validation finds it better with 95 % certainty, and what
was chosen is tested on outer folds in which all of it is chosen anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.emotion import QUADRANTS
from inference.job import Job, Progress, run_to_end
from inference.labelling.personal import (
    LEAST_ANSWERS,
    LEAST_IN_SECOND_MOOD,
    MapProblem,
    Outcome,
    PairedTest,
    PersonalMap,
    paired_test,
)
from inference.pipelines.head import Head

__all__ = [
    "LEAST_FOR",
    "LEAST_SESSIONS",
    "Fit",
    "NetworkTuner",
    "Rung",
    "Tuner",
    "climb",
    "fit_personal",
]

Array = NDArray[np.float64]
Use = NDArray[np.bool_]


class Rung(str, Enum):
    """How much of a model is the listener's own."""

    MAP = "map"
    FEATURES = "features"
    NETWORK = "network"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS = {
    Rung.MAP: "your map of valence and arousal",
    Rung.FEATURES: "your map, with features of the songs",
    Rung.NETWORK: "your map, with networks of your own",
}

LEAST_FOR = {Rung.MAP: LEAST_ANSWERS, Rung.FEATURES: 20, Rung.NETWORK: 40}
"""Songs with an answer, below which a rung is not tried."""

LEAST_SESSIONS = {Rung.MAP: 40, Rung.FEATURES: 40, Rung.NETWORK: 10**9}
"""The same for words with a band: on simulated listeners a layer from 20 sessions with a fifth of
the answers wrong fell below the common one by up to 7 points (results/README.md)."""

_PLANE_PRIORS = (0.5, 2.0, 8.0, 32.0)
_PLACE_PRIORS = (2.0, 8.0, 32.0)
_SHARES = (0.25, 0.5, 1.0)
"""Of the networks' change that may be taken: shrunken towards the common model."""
_FOLDS = 5
_INNER_FOLDS = 4
_NETWORK_FOLDS = 2
_Z_95 = 1.6448536269514722


class Tuner(Protocol):
    """Fine-tunes networks for a listener, from the common model's weights."""

    def __call__(self, use: Use, offset: Array) -> Array:
        """Fit to the answers in `use` and say what changes.

        Parameters
        ----------
        use : ndarray of bool, shape (n,)
        offset : ndarray, shape (n, 4)
            Log-probabilities that the change is added to, but for a constant.

        Returns
        -------
        ndarray, shape (n, 4)
            Change of the log-probabilities of all n songs.
        """
        ...


class NetworkTuner(Tuner, Protocol):
    """A tuner that can be asked for the network itself."""

    def network(self, use: Use, offset: Array) -> Head:
        """The network behind the change that `__call__` tells, the same for the same input."""
        ...


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
        Of the prior on the plane; the larger, the nearer to the common model.
    test : PairedTest or None
        The one that decides; its folds, level and margin are fixed in these modules.
    rung : Rung
    share : float
        Of the networks' change that is taken; 0 below the third rung.
    """

    outcome: Outcome
    n: int
    map: PersonalMap | None = None
    strength: float | None = None
    test: PairedTest | None = None
    rung: Rung = Rung.MAP
    share: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


def fit_personal(
    probabilities: ArrayLike, answers: ArrayLike, places: ArrayLike | None = None
) -> Fit:
    """Learn the first two rungs at once: as `climb` without networks."""
    return run_to_end(climb(probabilities, answers, places))


def climb(
    probabilities: ArrayLike,
    answers: ArrayLike,
    places: ArrayLike | None = None,
    tuner: Tuner | None = None,
    memory: MutableMapping[str, Array] | None = None,
    least_for: dict[Rung, int] | None = None,
    trusted: Use | None = None,
) -> Job[Fit]:
    """Learn a listener's model, and test it on answers that it has not seen.

    Parameters
    ----------
    probabilities : array-like, shape (n, 4)
        The common model's, one row a song.
    answers : array-like of int, shape (n,)
        Positions in `QUADRANTS`, one a song.
    places : array-like, shape (n, m), optional
        Of the songs in the space of musical features: the second rung.
    tuner : Tuner, optional
        The third rung.
    memory : mutable mapping, optional
        Keeps what the tuner said, by a name for the answers of each fit: with one that outlives
        the process, an interrupted training goes on from there.
    least_for : dict, optional
        In place of `LEAST_FOR`.
    trusted : ndarray of bool, shape (n,), optional
        Answers to learn from; choices and the test count all of them.

    Returns
    -------
    Fit
        `accepted` only if the paired test in outer folds passes; every choice is made anew
        inside each outer fold. The map itself is fitted to all answers.
    """
    y = np.asarray(answers, np.int64)
    counts = np.bincount(y, minlength=len(QUADRANTS))
    least = least_for or LEAST_FOR
    if len(y) < least[Rung.MAP]:
        return Fit(Outcome.TOO_FEW, len(y))
    if len(y) - counts.max() < LEAST_IN_SECOND_MOOD:
        return Fit(Outcome.ONE_MOOD, len(y))
    near = places if places is not None and len(y) >= least[Rung.FEATURES] else None
    deep = tuner if len(y) >= least[Rung.NETWORK] else None
    everything = np.ones(len(y), bool)
    ladder = _Ladder(
        MapProblem(probabilities, y, near),
        deep,
        {} if memory is None else memory,
        everything if trusted is None else trusted,
    )
    chosen = yield from ladder.choose(everything)
    if chosen is None:
        return Fit(Outcome.NO_PATTERN, len(y))
    theta, _ = yield from ladder.apply(chosen, everything)
    test = yield from ladder.held_out()
    return Fit(
        Outcome.ACCEPTED if test.passed else Outcome.NOT_PROVEN,
        len(y),
        ladder.problem.map(theta),
        chosen.plane,
        test,
        chosen.rung,
        chosen.share,
    )


@dataclass(frozen=True)
class _Choice:
    """A rung with its strengths; an infinite `places` is the plane alone."""

    plane: float
    places: float = np.inf
    share: float = 0.0

    @property
    def rung(self) -> Rung:
        if self.share:
            return Rung.NETWORK
        return Rung.MAP if np.isinf(self.places) else Rung.FEATURES


class _Ladder:
    """Fits, choices and the test for one listener."""

    def __init__(
        self,
        problem: MapProblem,
        tuner: Tuner | None,
        memory: MutableMapping[str, Array],
        trusted: Use,
    ) -> None:
        self.problem = problem
        self._trusted = trusted
        self._tuner = tuner
        self._memory = memory
        self._tuned = 0
        # choose and apply on all, then in each outer fold
        self._fits = (1 + _FOLDS) * (_NETWORK_FOLDS + 1) if tuner is not None else 0

    def choose(self, among: Use) -> Job[_Choice | None]:
        """The rung and strengths with the least log loss in folds of `among`; None: stay common."""
        problem = self.problem
        common = problem.loss(problem.log_p[None])[0][among]
        best: _Choice | None = None
        loss = common
        for rung in self._grids():
            found, lost = self._best(rung, among)
            gain = loss - lost
            # The first rung has only to be better; a higher one by more than chance does.
            if gain.mean() > (0.0 if best is None else _chance(gain)):
                best, loss = found, lost
        if best is not None and self._tuner is not None:
            best = yield from self._with_networks(best, loss, among)
        return best

    def _grids(self) -> Iterator[Sequence[_Choice]]:
        yield [_Choice(plane) for plane in _PLANE_PRIORS]
        if self.problem.dimensions:
            yield [_Choice(a, b) for a in _PLANE_PRIORS for b in _PLACE_PRIORS]

    def _best(self, grid: Sequence[_Choice], among: Use) -> tuple[_Choice, Array]:
        """The best of a grid, and what it loses on each held-out answer of `among`."""
        problem = self.problem
        folds = _folds(problem.y, among, _INNER_FOLDS)
        use = np.stack([among & (folds != f) for f in range(_INNER_FOLDS)])
        priors = np.stack([problem.prior(c.plane, c.places) for c in grid])
        taught = np.tile(use & self._trusted, (len(grid), 1))
        thetas = problem.fit(taught, np.repeat(priors, len(use), axis=0))
        loss = problem.loss(problem.scores(thetas)).reshape(len(grid), len(use), -1)
        held_out = loss[:, folds[among], np.flatnonzero(among)]
        best = int(held_out.mean(axis=1).argmin())
        return grid[best], held_out[best]

    def _with_networks(self, below: _Choice, loss: Array, among: Use) -> Job[_Choice]:
        """`below`, or the networks upon it where they gain more than chance does."""
        problem = self.problem
        folds = _folds(problem.y, among, _NETWORK_FOLDS)
        lost = np.empty((len(_SHARES), len(problem.y)))
        base = np.empty(len(problem.y))
        for fold in range(_NETWORK_FOLDS):
            use, out = among & (folds != fold), folds == fold
            theta = self._theta(below, use)
            scores = problem.scores(theta[None])[0]
            change = yield from self._change(use & self._trusted, scores)
            for i, share in enumerate(_SHARES):
                lost[i, out] = problem.loss((scores + share * change)[None])[0][out]
            base[out] = problem.loss(scores[None])[0][out]
        gains = (base - lost)[:, among]
        best = int(gains.mean(axis=1).argmax())
        share = _SHARES[best] if gains[best].mean() > _chance(gains[best]) else 0.0
        return _Choice(below.plane, below.places, share)

    def apply(self, choice: _Choice, use: Use) -> Job[tuple[Array, Array]]:
        """Fit to `use`: flat weights, and log-probabilities of all songs but for a constant."""
        theta = self._theta(choice, use)
        scores = self.problem.scores(theta[None])[0]
        if choice.share:
            change = yield from self._change(use & self._trusted, scores)
            scores = scores + choice.share * change
        return theta, scores

    def held_out(self) -> Job[PairedTest]:
        """The paired test over outer folds."""
        y = self.problem.y
        folds = _folds(y, np.ones(len(y), bool), _FOLDS)
        said = self.problem.log_p.argmax(axis=1)
        common_right = said == y
        for fold in range(_FOLDS):
            use = folds != fold
            chosen = yield from self.choose(use)
            if chosen is not None:
                _, scores = yield from self.apply(chosen, use)
                said[~use] = scores[~use].argmax(axis=1)
        return paired_test(common_right, said == y)

    def _theta(self, choice: _Choice, use: Use) -> Array:
        prior = self.problem.prior(choice.plane, choice.places)
        theta: Array = self.problem.fit((use & self._trusted)[None], prior[None])[0]
        return theta

    def _change(self, use: Use, scores: Array) -> Job[Array]:
        """What the tuner changes, from memory where it has been asked before."""
        assert self._tuner is not None
        asked = np.packbits(use).tobytes() + np.round(scores, 6).tobytes()
        name = hashlib.sha256(asked).hexdigest()
        change = self._memory.get(name)
        if change is None:
            change = self._tuner(use, scores)
            self._memory[name] = change
        self._tuned += 1
        yield Progress(self._tuned, max(self._fits, self._tuned), "trying networks of your own")
        return change


def _chance(gain: Array) -> float:
    """What a mean gain has to exceed, so that it is above 0 with 95 % certainty (one-sided)."""
    return _Z_95 * float(gain.std(ddof=1)) / float(np.sqrt(len(gain)))


def _folds(y: NDArray[np.int64], among: Use, count: int) -> NDArray[np.int64]:
    """A fold for each song, each answer spread over all folds; always the same draw."""
    shuffled = np.random.default_rng(0).permutation(len(y))
    at = shuffled[among[shuffled]]
    at = at[np.argsort(y[at], kind="stable")]
    folds = np.full(len(y), -1, np.int64)
    folds[at] = np.arange(len(at)) % count
    return folds
