"""From selected words to the targets of the regression: true pairs and label-matched pairs alike.

A word on a song is compared in the space of the listener's own signals where a band was worn, else
in that of the music's regressed features. Targets are codes of the kept songs: of each mood their
mean; a song heard with a band is pulled to the mixture of moods that its signals lie among, one
heard without a band to that of the kept sessions of its mood (paper-spec, items 12 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.emotion import QUADRANTS
from inference.labelling.selection import Decision, decide, nearness

__all__ = ["Paired", "Pairing"]

Array = NDArray[np.float64]
Use = NDArray[np.bool_]

_LEAST_SESSIONS = 8
_OWN_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Paired:
    """What became of each word, and what the regression is to imitate.

    Parameters
    ----------
    decisions : tuple of Decision or None
        One a word; None where it could not be compared or was not in use.
    by_signals : ndarray of bool, shape (n,)
        Whose decision compares signals.
    kept : ndarray of bool, shape (n,)
    targets : ndarray, shape (n, c)
        Codes to imitate; meaningless where `kept` is false.
    """

    decisions: tuple[Decision | None, ...]
    by_signals: Use
    kept: Use
    targets: Array


@dataclass(frozen=True, eq=False)
class Pairing:
    """Everything that is known of the words; `of` decides with a part of them.

    Parameters
    ----------
    answers, predictions : ndarray of int64, shape (n,)
        Positions in `QUADRANTS`: the listener's word, and what was said before it.
    music : ndarray, shape (n, c)
        Regressed physiological features of the songs; NaN rows where nothing is stored.
    signals : ndarray, shape (n, s), optional
        Features of the listener's own signals during the songs; NaN rows where no band was worn
        or the signals were bad.
    borrowed : pair of ndarray, shapes (m, c) and (m,), optional
        Music of the library with the common model's quadrants, for moods with few answers.
    barred : ndarray of bool, shape (n,), optional
        Words whose session had bad signals: they stay labels and enter no targets.
    select : bool
        False keeps every word that has music: what the selection is compared with.
    """

    answers: NDArray[np.int64]
    predictions: NDArray[np.int64]
    music: Array
    signals: Array | None = None
    borrowed: tuple[Array, NDArray[np.int64]] | None = None
    barred: Use | None = None
    select: bool = True

    def of(self, use: Use) -> Paired:
        """Decide and pair with the words in `use` alone."""
        n = len(self.answers)
        decisions: list[Decision | None] = [None] * n
        weights = np.eye(len(QUADRANTS))[self.answers]
        if self.barred is not None:
            use = use & ~self.barred
        heard = use & np.isfinite(self.music).all(axis=1)
        worn = np.zeros(n, bool)
        if self.signals is not None:
            worn = use & np.isfinite(self.signals).all(axis=1)
        by_signals = np.zeros(n, bool)
        if self.signals is not None and self._enough(worn):
            near = self._judged(decisions, worn, self.signals, None)
            if near is not None:
                by_signals = worn
                own = near / near.sum(axis=1, keepdims=True)
                weights[worn] = (1.0 - _OWN_SHARE) * weights[worn] + _OWN_SHARE * own
        rest = heard & ~by_signals
        if rest.any():
            self._judged(decisions, rest, self.music, self.borrowed)
        kept = np.array([d is not None and d.kept for d in decisions], bool) & heard
        if not self.select:
            kept = heard.copy()
        return Paired(
            tuple(decisions), by_signals, kept, self._targets(kept, by_signals & kept, weights)
        )

    def _enough(self, worn: Use) -> bool:
        counts = np.bincount(self.answers[worn], minlength=len(QUADRANTS))
        return bool(worn.sum() >= _LEAST_SESSIONS and counts.min() >= 2)

    def _judged(
        self,
        decisions: list[Decision | None],
        at: Use,
        features: Array,
        borrowed: tuple[Array, NDArray[np.int64]] | None,
    ) -> Array | None:
        """Enter the decisions on the words `at`; returns their similarity to each quadrant."""
        near = nearness(features[at], self.answers[at], borrowed)
        if near is None:
            return None
        found = decide(near, self.predictions[at], self.answers[at])
        for i, decision in zip(np.flatnonzero(at), found, strict=True):
            decisions[int(i)] = decision
        return near

    def _targets(self, kept: Use, sessions: Use, weights: Array) -> Array:
        means = np.zeros((len(QUADRANTS), self.music.shape[1]))
        known = np.zeros(len(QUADRANTS))
        for q in range(len(QUADRANTS)):
            mine = kept & (self.answers == q)
            if mine.any():
                means[q], known[q] = self.music[mine].mean(axis=0), 1.0
            paired = sessions & (self.answers == q)
            if paired.any():  # label-matched: as the kept sessions of the same mood
                weights[mine & ~paired] = weights[paired].mean(axis=0)
        weights = weights * known
        targets: Array = weights @ means / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        return targets
