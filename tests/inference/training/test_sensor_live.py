"""The weight of sensors beside a song: zero where they know nothing, more where they do."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
from inference.evaluation import Groups, Protocol, make_folds
from inference.evaluation.sensor_figures import song_consensus
from inference.training.sensor_live import fit_fusion

LISTENERS = np.repeat([f"l{i}" for i in range(12)], 20)
SONGS = np.tile([f"s{i}" for i in range(20)], 12)


def case(seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = np.where(
        rng.random(len(SONGS)) < 0.6,
        np.tile(np.arange(20) % 4, 12),
        rng.integers(0, 4, len(SONGS)),
    ).astype(np.int64)
    folds = make_folds(Protocol.P3, labels, Groups({"listener": LISTENERS}), n_folds=3, seed=0)
    return labels, folds, rng


def test_the_consensus_never_counts_the_listeners_own_fold():
    labels, folds, _ = case()
    before, known = song_consensus(labels, SONGS, folds)
    assert known.all()
    np.testing.assert_allclose(before.sum(axis=1), 1.0)
    changed = labels.copy()
    changed[folds[0].test] = (changed[folds[0].test] + 1) % 4
    after, _ = song_consensus(changed, SONGS, folds)
    np.testing.assert_array_equal(after[folds[0].test], before[folds[0].test])
    assert not np.array_equal(after[folds[1].test], before[folds[1].test])


def test_sensors_that_know_nothing_weigh_nothing():
    weights = []
    for seed in range(6):
        labels, folds, rng = case(seed)
        prior, known = song_consensus(labels, SONGS, folds)
        felt = rng.dirichlet([8.0] * 4, len(labels))
        weights.append(fit_fusion(prior, felt, labels, known, folds).weight)
    assert np.median(weights) == 0.0
    assert max(weights) < 0.5


def test_sensors_that_know_something_weigh_something_and_help():
    labels, folds, rng = case()
    prior, known = song_consensus(labels, SONGS, folds)
    felt = rng.dirichlet([4.0] * 4, len(labels))
    felt[np.arange(len(labels)), labels] += 0.3
    felt /= felt.sum(axis=1, keepdims=True)
    fusion = fit_fusion(prior, felt, labels, known, folds)
    assert fusion.weight > 0.5
    at = np.arange(len(labels))
    assert np.log(fusion.probabilities[at, labels]).mean() > np.log(prior[at, labels]).mean()


def test_songs_that_nobody_else_heard_are_left_out():
    labels, folds, rng = case()
    own = np.array([f"{a}-{b}" for a, b in zip(LISTENERS, SONGS, strict=True)])
    prior, known = song_consensus(labels, own, folds)
    assert not known.any()
    felt = rng.dirichlet([4.0] * 4, len(labels))
    assert fit_fusion(prior, felt, labels, known, folds).weight == 0.0
