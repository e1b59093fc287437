"""Folds that cannot leak: a fold whose training and test part share a group cannot be built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.errors import UndertoneError

__all__ = [
    "Fold",
    "Groups",
    "LeakError",
    "LeakyFold",
    "Protocol",
    "grouped_folds",
    "inner_folds",
    "make_folds",
    "paper_style_folds",
]

Indices = NDArray[np.int64]


class LeakError(UndertoneError):
    """Training and test data share something that they must not share."""


class Protocol(str, Enum):
    """What is unseen at test time.

    P0 is the paper's own: random folds over segments, which share recordings
    between training and test. It is never a result, only a demonstration.
    """

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def text(self) -> str:
        """What the protocol holds out, for tables."""
        return _PROTOCOL_TEXT[self]

    @property
    def leaky(self) -> bool:
        return self is Protocol.P0


_PROTOCOL_TEXT = {
    Protocol.P0: "random folds over segments (leaky)",
    Protocol.P1: "recordings unseen",
    Protocol.P2: "songs and artists unseen",
    Protocol.P3: "listener unseen",
    Protocol.P4: "listener and song unseen",
}


@dataclass(frozen=True)
class Groups:
    """Who and what each sample belongs to.

    Parameters
    ----------
    columns : mapping of str to array-like of shape (n,)
        Group labels a sample by kind: "recording", "song", "artist",
        "listener". All columns have the same length.

    Raises
    ------
    ValueError
        If there is no column, or their lengths differ.
    """

    columns: Mapping[str, NDArray[np.str_]]

    def __post_init__(self) -> None:
        columns = {k: np.asarray(v).astype(np.str_) for k, v in self.columns.items()}
        if not columns:
            raise ValueError("Groups needs at least one column")
        lengths = {k: len(v) for k, v in columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"group columns differ in length: {lengths}")
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, indices: ArrayLike) -> Groups:
        """The groups of a subset of the samples."""
        at = np.asarray(indices, dtype=np.int64)
        return Groups({k: v[at] for k, v in self.columns.items()})

    def only(self, *kinds: str) -> Groups:
        """The named columns alone.

        Raises
        ------
        UndertoneError
            If the data do not have one of them.
        """
        lacking = [k for k in kinds if k not in self.columns]
        if lacking:
            raise UndertoneError(
                f"the data do not name the {lacking[0]} of each sample",
                f"Choose a protocol that groups by one of: {', '.join(self.columns)}.",
            )
        return Groups({k: self.columns[k] for k in kinds})


def _indices(values: ArrayLike, n: int, name: str) -> Indices:
    array = np.asarray(values, dtype=np.int64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a non-empty list of sample numbers")
    if array.min() < 0 or array.max() >= n:
        raise ValueError(f"{name} holds sample numbers outside 0..{n - 1}")
    if len(np.unique(array)) != len(array):
        raise ValueError(f"{name} holds a sample twice")
    array.setflags(write=False)
    return array


@dataclass(frozen=True)
class Fold:
    """A split in which no group of any column is on both sides.

    Parameters
    ----------
    train, test : array-like of int
        Sample numbers.
    groups : Groups
        The groups that must not be shared, for **all** samples.

    Raises
    ------
    LeakError
        If a group (an artist, say) has samples on both sides, or a sample is
        on both.
    """

    train: Indices
    test: Indices
    groups: Groups = field(repr=False)

    def __post_init__(self) -> None:
        n = len(self.groups)
        object.__setattr__(self, "train", _indices(self.train, n, "train"))
        object.__setattr__(self, "test", _indices(self.test, n, "test"))
        both = np.intersect1d(self.train, self.test)
        if both.size:
            raise LeakError(f"sample {both[0]} is in training and test", "Split again.")
        for kind, labels in self.groups.columns.items():
            shared = np.intersect1d(labels[self.train], labels[self.test])
            if shared.size:
                raise LeakError(
                    f"{shared.size} {kind} group(s) are in training and test, {shared[0]!r} first",
                    f"Split by {kind}.",
                )


@dataclass(frozen=True)
class LeakyFold:
    """A split as in the paper: segments of one recording on both sides. For showing the leak."""

    train: Indices
    test: Indices


def grouped_folds(
    labels: ArrayLike, groups: Groups, *, n_folds: int, seed: int
) -> tuple[Fold, ...]:
    """Stratified folds over the groups of one column.

    Parameters
    ----------
    labels : array-like of int, shape (n,)
        Classes, balanced over the folds as far as the groups allow.
    groups : Groups
        Exactly one column.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Order in which groups of equal weight are dealt.

    Returns
    -------
    tuple of Fold
        Every sample is in exactly one test part.

    Raises
    ------
    UndertoneError
        If there are fewer groups than folds.
    """
    if len(groups.columns) != 1:
        raise ValueError("grouped_folds splits by one column; use make_folds for several")
    y = np.asarray(labels, dtype=np.int64)
    (kind, column), *_ = groups.columns.items()
    names, group_of = np.unique(column, return_inverse=True)
    if n_folds < 2 or len(names) < n_folds:
        raise UndertoneError(
            f"{len(names)} {kind} group(s) cannot make {n_folds} folds",
            "Use fewer folds (at least 2) or more data.",
        )
    fold_of = _deal(y, group_of, len(names), n_folds, np.random.default_rng(seed))[group_of]
    return tuple(
        Fold(np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k), groups)
        for k in range(n_folds)
    )


def _deal(
    y: Indices, group_of: Indices, n_groups: int, n_folds: int, rng: np.random.Generator
) -> Indices:
    """Deal groups to folds, largest first, each where the class counts stay most even."""
    _, classes = np.unique(y, return_inverse=True)
    counts = np.zeros((n_groups, classes.max() + 1))
    np.add.at(counts, (group_of, classes), 1.0)
    total = counts.sum(axis=0)
    order = rng.permutation(n_groups)
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    load = np.zeros((n_folds, counts.shape[1]))
    fold_of_group = np.zeros(n_groups, dtype=np.int64)
    for position, g in enumerate(order):
        empty = np.flatnonzero(load.sum(axis=1) == 0)
        left = n_groups - position
        candidates = empty if len(empty) >= left else np.arange(n_folds)
        trial = np.repeat(load[None], len(candidates), axis=0)
        trial[np.arange(len(candidates)), candidates] += counts[g]
        spread = (trial / total).std(axis=1).mean(axis=1)
        best = candidates[np.flatnonzero(spread <= spread.min() + 1e-12)]
        chosen = int(best[np.argmin(load[best].sum(axis=1))])
        load[chosen] += counts[g]
        fold_of_group[g] = chosen
    return fold_of_group


def make_folds(
    protocol: Protocol, labels: ArrayLike, groups: Groups, *, n_folds: int, seed: int
) -> tuple[Fold, ...]:
    """The folds of an honest protocol.

    Parameters
    ----------
    protocol : Protocol
        P1 to P4. P3 ignores `n_folds` where it is 0: one listener a fold.
    labels : array-like of int, shape (n,)
    groups : Groups
        Columns "recording" (P1), "artist" or "song" (P2), "listener" (P3),
        "listener" and "song" (P4).
    n_folds : int
        Folds; under P4, the number of listener parts (each is crossed with as
        many song parts, and pairs without a test sample are left out).
    seed : int

    Raises
    ------
    LeakError
        For P0, which is no honest protocol: use `paper_style_folds`.
    UndertoneError
        If the data lack the groups that the protocol needs.
    """
    if protocol is Protocol.P0:
        raise LeakError("P0 shares recordings between training and test", "Choose P1 to P4.")
    if protocol is Protocol.P4:
        return tuple(_crossed_folds(labels, groups.only("listener", "song"), n_folds, seed))
    if protocol is Protocol.P2:
        kind = "artist" if "artist" in groups.columns else "song"
    else:
        kind = {Protocol.P1: "recording", Protocol.P3: "listener"}[protocol]
    column = groups.only(kind)
    if protocol is Protocol.P3 and n_folds == 0:
        n_folds = len(np.unique(column.columns[kind]))
    return grouped_folds(labels, column, n_folds=n_folds, seed=seed)


def _crossed_folds(labels: ArrayLike, groups: Groups, n_folds: int, seed: int) -> Iterator[Fold]:
    by_listener = grouped_folds(labels, groups.only("listener"), n_folds=n_folds, seed=seed)
    by_song = grouped_folds(labels, groups.only("song"), n_folds=n_folds, seed=seed + 1)
    for a in by_listener:
        for b in by_song:
            test = np.intersect1d(a.test, b.test)
            train = np.intersect1d(a.train, b.train)
            if test.size and train.size:
                yield Fold(train, test, groups)


def inner_folds(fold: Fold, labels: ArrayLike, *, n_folds: int, seed: int) -> tuple[Fold, ...]:
    """Folds inside the training part of `fold`, for tuning and early stopping.

    They are grouped by every column of the outer fold's first kind, index the
    same samples, and never touch ``fold.test``.
    """
    kind = next(iter(fold.groups.columns))
    y = np.asarray(labels, dtype=np.int64)[fold.train]
    inside = grouped_folds(y, fold.groups.take(fold.train).only(kind), n_folds=n_folds, seed=seed)
    whole = fold.groups.only(kind)
    return tuple(Fold(fold.train[f.train], fold.train[f.test], whole) for f in inside)


def paper_style_folds(n_samples: int, *, n_folds: int, seed: int) -> tuple[LeakyFold, ...]:
    """Random folds over segments, as in the paper (P0): only beside a permuted-label control."""
    parts: Sequence[Indices] = np.array_split(
        np.random.default_rng(seed).permutation(n_samples), n_folds
    )
    return tuple(
        LeakyFold(np.sort(np.concatenate([p for j, p in enumerate(parts) if j != k])), np.sort(t))
        for k, t in enumerate(parts)
    )
