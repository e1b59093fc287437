"""Heads of the default model as they are tested: fitted on some artists, asked about others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.evaluation.folds import Fold, Groups, Protocol, make_folds
from inference.job import Job, Progress
from inference.pipelines.adaptation import LibraryStatistics, Usual
from inference.pipelines.undertone import Reduction
from inference.training.music import Targets
from inference.training.music_best_far import FarSettings, fit_far_judge
from inference.training.music_best_head import (
    Clips,
    Committee,
    HeadSettings,
    fit_reduction,
    reduced,
    train_committee,
)

__all__ = ["BestRecipe", "FittedHead", "Material", "cross_validated", "fold_heads", "library_of"]

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_METHOD = 2  # raised when heads are fitted otherwise from the same recipe


@dataclass(frozen=True)
class BestRecipe:
    """What is trained and how it is tested.

    Parameters
    ----------
    head : HeadSettings
    far : FarSettings
        Of the judge of unusual sounds.
    n_folds : int
    seeds : tuple of int
        Each deals the artists into other folds and starts other networks.
    """

    head: HeadSettings = field(default_factory=HeadSettings)
    far: FarSettings = field(default_factory=FarSettings)
    n_folds: int = 5
    seeds: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True, eq=False)
class Material:
    """Labelled clips, as they are and by other instruments.

    Parameters
    ----------
    plain : Clips
    revoiced : tuple of Clips
        In the same order. Without them nothing is fitted for unusual sounds.
    varied : tuple of Clips
        As they may be heard otherwise, in the same order: what the committee learns from, too.
    """

    plain: Clips
    revoiced: tuple[Clips, ...] = ()
    varied: tuple[Clips, ...] = ()

    def take(self, at: Places) -> Material:
        return self._each(lambda clips: clips.take(at))

    def labelled(self, labels: Places) -> Material:
        """The same clips under other labels."""
        return self._each(lambda clips: replace(clips, labels=labels))

    @property
    def songs(self) -> NDArray[np.float32]:
        """Song vectors of all that is music whatever plays it, (m, k)."""
        return np.concatenate([clips.song for clips in (self.plain, *self.revoiced)])

    def _each(self, change: Callable[[Clips], Clips]) -> Material:
        return Material(
            change(self.plain), tuple(map(change, self.revoiced)), tuple(map(change, self.varied))
        )


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A committee with the reduction that it reads through."""

    reduction: Reduction
    committee: Committee

    @classmethod
    def of(
        cls, material: Material, recipe: BestRecipe, seed: int, targets: Targets | None
    ) -> FittedHead:
        """Fit both to training clips."""
        plain, others = material.plain, material.revoiced
        reduction = fit_reduction(plain, recipe.head.rank, others)
        committee = train_committee(plain, reduction, recipe.head, seed, targets, material.varied)
        if others:
            committee.far = fit_far_judge(plain, others, reduction, recipe.far)
        return cls(reduction, committee.eval())

    def said(self, clips: Clips, library: LibraryStatistics | None = None) -> Floats:
        """Probabilities of clips, shape (n, 4), used to `library` where there is one."""

        def judge(rows: Array, song: Array) -> Array:
            vectors = torch.from_numpy(self.reduction.song(song))
            with torch.inference_mode():
                said: Array = self.committee(torch.from_numpy(rows), vectors).numpy()
            return said

        rows = reduced(clips, self.reduction)[0].numpy()
        if library is None:
            said = judge(rows, clips.song)
        else:
            said = library.towards(self.reduction.familiar).blended(judge, rows, clips.song)
        odds = np.exp(said.astype(np.float64))
        probabilities: Floats = odds / odds.sum(axis=1, keepdims=True)
        return probabilities


def library_of(clips: Clips, reduction: Reduction) -> LibraryStatistics:
    """What is usual in clips, as `LibraryStatistics.of` learns it from stored features."""
    rows, _ = reduced(clips, reduction)
    means = rows.numpy().mean(axis=1)
    usual = Usual(means.mean(0), means.std(0), clips.song.mean(0), clips.song.std(0))
    return LibraryStatistics("", len(clips), usual)


def fold_heads(
    material: Material,
    artists: Sequence[str],
    recipe: BestRecipe,
    targets: Targets | None,
    seed: int,
) -> Iterator[tuple[Fold, FittedHead]]:
    """Artist-grouped folds of one seed, with the head that was fitted on the training part."""
    for fold in _dealt(material, artists, recipe, seed):
        yield fold, FittedHead.of(material.take(fold.train), recipe, seed, targets)


def cross_validated(
    material: Material,
    artists: Sequence[str],
    recipe: BestRecipe,
    targets: Targets | None,
    work: Path | None = None,
) -> Job[Floats]:
    """Out-of-fold probabilities, shape (seeds, n, 4); everything is fitted inside the fold.

    With a work folder, finished folds are kept there: a run that was stopped goes on, and the
    same folds are not fitted twice.
    """
    found = np.zeros((len(recipe.seeds), len(material.plain), 4))
    done, total = 0, len(recipe.seeds) * recipe.n_folds
    key = _digest(material, artists, recipe, targets)
    for row, seed in enumerate(recipe.seeds):
        for number, fold in enumerate(_dealt(material, artists, recipe, seed)):
            kept = None if work is None else work / f"folds-{key}" / f"{seed}-{number}.npy"
            if kept is not None and kept.exists():
                found[row, fold.test] = np.load(kept)
            else:
                head = FittedHead.of(material.take(fold.train), recipe, seed, targets)
                found[row, fold.test] = head.said(material.plain.take(fold.test))
                if kept is not None:
                    _keep(found[row, fold.test], kept)
            done += 1
            yield Progress(done, total, f"fold {done} of {total}")
    return found


def _dealt(
    material: Material, artists: Sequence[str], recipe: BestRecipe, seed: int
) -> Sequence[Fold]:
    groups = Groups({"artist": np.asarray(artists)})
    labels = material.plain.labels
    return make_folds(Protocol.P2, labels, groups, n_folds=recipe.n_folds, seed=seed)


def _keep(probabilities: Floats, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, probabilities)
    part.replace(path)


def _digest(
    material: Material, artists: Sequence[str], recipe: BestRecipe, targets: Targets | None
) -> str:
    """Of all that a fold's outcome follows from, but for its number and seed."""
    shared = replace(recipe, seeds=())
    found = hashlib.sha256(repr((_METHOD, shared, list(artists))).encode())
    clips = (material.plain, *material.revoiced, *material.varied)
    arrays = [a for c in clips for a in (c.segments, c.song, c.labels)]
    arrays += [] if targets is None else [targets.codes, targets.labels]
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:12]
