"""Cross-validation in which a system sees the training part of a fold and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.errors import UndertoneError
from inference.evaluation.folds import Fold, LeakyFold
from inference.evaluation.intervals import bootstrap
from inference.evaluation.metrics import METRICS
from inference.job import Job, Progress

__all__ = ["OutOfFold", "Predictor", "Samples", "System", "cross_validate", "result_row"]

X = TypeVar("X")
X_contra = TypeVar("X_contra", contravariant=True)
Probabilities = NDArray[np.float64]


class Predictor(Protocol[X_contra]):
    """Something fitted: inputs (n of them) -> probabilities (n, k)."""

    def __call__(self, inputs: Sequence[X_contra]) -> Probabilities: ...


@dataclass(frozen=True)
class Samples(Generic[X]):
    """Inputs with their classes and the artist, listener or song that each belongs to.

    Parameters
    ----------
    inputs : sequence of length n
    labels : ndarray of int64, shape (n,)
    groups : ndarray of str, shape (n,)
        The column by which the fold was made: a system may split its
        training part by it again (early stopping, tuning).
    """

    inputs: Sequence[X]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]

    def __post_init__(self) -> None:
        if not len(self.inputs) == len(self.labels) == len(self.groups):
            raise ValueError("inputs, labels and groups differ in length")

    def take(self, indices: NDArray[np.int64]) -> Samples[X]:
        """A subset."""
        return Samples(
            [self.inputs[int(i)] for i in indices], self.labels[indices], self.groups[indices]
        )


System = Callable[[Samples[X], int], Predictor[X]]
"""Fit on the training samples with a seed, return the predictor. It is handed no test sample."""


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for samples by models that did not see them.

    Parameters
    ----------
    probabilities : ndarray, shape (s, n, k)
        One run a seed.
    tested : ndarray of bool, shape (n,)
        Samples that some fold tested (all, for complete protocols).
    """

    probabilities: NDArray[np.float64]
    tested: NDArray[np.bool_]


def cross_validate(
    system: System[X],
    samples: Samples[X],
    folds: Sequence[Fold] | Sequence[LeakyFold],
    *,
    seeds: Sequence[int],
    n_classes: int = 4,
    checkpoint: Path | None = None,
) -> Job[OutOfFold]:
    """Fit and test a system on every fold with every seed.

    Parameters
    ----------
    system : callable (Samples, seed) -> Predictor
    samples : Samples
    folds : sequence of Fold
        Where a sample is in several test parts (P4 never does that), the
        last one counts.
    seeds : sequence of int
    checkpoint : Path, optional
        An .npz file: finished folds are read from it and added to it, so an
        interrupted run goes on where it stopped. Its folds must be the same.

    Yields
    ------
    Progress
        One a finished fold.

    Returns
    -------
    OutOfFold

    Raises
    ------
    UndertoneError
        If the checkpoint was made with other folds or seeds.
    """
    n = len(samples.labels)
    out = np.zeros((len(seeds), n, n_classes))
    tested = np.zeros(n, dtype=bool)
    done = _Finished(checkpoint, folds, seeds, samples.labels)
    splits: list[Fold | LeakyFold] = list(folds)
    total = len(splits) * len(seeds)
    for s, seed in enumerate(seeds):
        for f, fold in enumerate(splits):
            p = done.get(s, f)
            if p is None:
                predictor = system(samples.take(fold.train), seed)
                p = predictor([samples.inputs[int(i)] for i in fold.test])
                done.put(s, f, p)
            out[s, fold.test] = p
            tested[fold.test] = True
            yield Progress(s * len(splits) + f + 1, total, f"seed {seed}, fold {f + 1}")
    return OutOfFold(out, tested)


class _Finished:
    """Predictions of finished folds in one .npz file, rewritten in one step."""

    def __init__(
        self,
        path: Path | None,
        folds: Sequence[Fold] | Sequence[LeakyFold],
        seeds: Sequence[int],
        labels: NDArray[np.int64],
    ) -> None:
        self._path = path
        self._store: dict[str, NDArray[np.float64]] = {}
        key = np.concatenate(
            [np.asarray(seeds, float), labels.astype(float)]
            + [np.append(f.test, -1.0) for f in folds]
        )
        if path is not None and path.exists():
            with np.load(path) as archive:
                self._store = {k: archive[k] for k in archive.files}
            if not np.array_equal(self._store.get("key", np.zeros(0)), key):
                raise UndertoneError(
                    f"{path} belongs to a run with other folds, seeds or labels",
                    "Delete it, or run without --resume.",
                )
        self._store["key"] = key

    def get(self, s: int, f: int) -> NDArray[np.float64] | None:
        return self._store.get(f"p_{s}_{f}")

    def put(self, s: int, f: int, p: NDArray[np.float64]) -> None:
        self._store[f"p_{s}_{f}"] = p
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".part.npz")
        np.savez(temporary, **self._store)  # type: ignore[arg-type]
        temporary.replace(self._path)


def result_row(
    system: str, samples: Samples[X], result: OutOfFold, *, n_draws: int = 1000
) -> dict[str, object]:
    """A row of a results table: every score as mean over seeds with its 95 % interval over groups.

    Also `accuracy_seed_sd`: standard deviation of the accuracy between seeds.
    """
    at = np.flatnonzero(result.tested)
    y, p, groups = samples.labels[at], result.probabilities[:, at], samples.groups[at]
    row: dict[str, object] = {"system": system, "n": len(at), "seeds": len(p)}
    for name, metric in METRICS.items():
        interval = bootstrap(metric, y, p, groups, n_draws=n_draws)
        row |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    row["accuracy_seed_sd"] = float(np.std([METRICS["accuracy"](y, run) for run in p]))
    return row
