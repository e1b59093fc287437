"""Heads of the default model as they are tested: fitted on some artists, asked about others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

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

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


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
    revoiced : Clips, optional
        In the same order. Without them nothing is fitted for unusual sounds.
    """

    plain: Clips
    revoiced: Clips | None = None

    def take(self, at: Places) -> Material:
        other = None if self.revoiced is None else self.revoiced.take(at)
        return Material(self.plain.take(at), other)

    def labelled(self, labels: Places) -> Material:
        """The same clips under other labels."""
        other = None if self.revoiced is None else replace(self.revoiced, labels=labels)
        return Material(replace(self.plain, labels=labels), other)


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
        plain, other = material.plain, material.revoiced
        reduction = fit_reduction(plain, recipe.head.rank, () if other is None else (other,))
        committee = train_committee(plain, reduction, recipe.head, seed, targets)
        if other is not None:
            committee.far = fit_far_judge(plain, other, reduction, recipe.far)
        return cls(reduction, committee.eval())

    def said(self, clips: Clips, library: LibraryStatistics | None = None) -> Floats:
        """Probabilities of clips, shape (n, 4), used to `library` where there is one."""
        rows, song = reduced(clips, self.reduction)
        if library is not None:
            move = library.towards(self.reduction.familiar)
            rows = torch.from_numpy(move.rows(rows.numpy()))
            song = torch.from_numpy(self.reduction.song(move.song(clips.song)))
        with torch.inference_mode():
            probabilities: Floats = self.committee(rows, song).exp().numpy().astype(np.float64)
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
    labels = material.plain.labels
    groups = Groups({"artist": np.asarray(artists)})
    for fold in make_folds(Protocol.P2, labels, groups, n_folds=recipe.n_folds, seed=seed):
        yield fold, FittedHead.of(material.take(fold.train), recipe, seed, targets)


def cross_validated(
    material: Material, artists: Sequence[str], recipe: BestRecipe, targets: Targets | None
) -> Job[Floats]:
    """Out-of-fold probabilities, shape (seeds, n, 4); everything is fitted inside the fold."""
    found = np.zeros((len(recipe.seeds), len(material.plain), 4))
    done, total = 0, len(recipe.seeds) * recipe.n_folds
    for row, seed in enumerate(recipe.seeds):
        for fold, head in fold_heads(material, artists, recipe, targets, seed):
            found[row, fold.test] = head.said(material.plain.take(fold.test))
            done += 1
            yield Progress(done, total, f"fold {done} of {total}")
    return found
