"""Clusters that lose no mood, and a selection that says why."""

import numpy as np
import pytest

from inference.emotion import Quadrant
from inference.errors import UndertoneError
from inference.labelling import (
    EmotionClusters,
    Reason,
    kept,
    kmeans,
    select,
    select_crosswise,
)


def listenings(n: int = 120, noise: float = 0.8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features around four centres, and the quadrant of each."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    centres = np.array([[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0], [-3.0, -3.0, 0]])
    return centres[y] + noise * rng.normal(size=(n, 3)), y


def test_kmeans_finds_the_obvious_clusters() -> None:
    x = np.concatenate([np.random.default_rng(0).normal(m, 0.1, (20, 2)) for m in (0.0, 5.0, 9.0)])
    centroids, nearest = kmeans(x, [[0.1, 0.1], [1.0, 1.0], [8.0, 8.0]])
    assert sorted(centroids[:, 0].round().tolist()) == [0.0, 5.0, 9.0]
    assert np.bincount(nearest).tolist() == [20, 20, 20]


def test_no_cluster_becomes_empty() -> None:
    x = np.array([[0.0], [0.1], [0.2], [10.0]])
    _, nearest = kmeans(x, [[0.1], [100.0], [200.0]])
    assert set(nearest) == {0, 1, 2}
    _, nearest = kmeans(np.zeros((5, 2)), np.zeros((4, 2)))
    assert set(nearest) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match="2 points"):
        kmeans([[0.0], [1.0]], [[0.0], [1.0], [2.0]])


@pytest.mark.parametrize("fit", [EmotionClusters.fit, EmotionClusters.fit_literal])
def test_features_match_the_cluster_of_their_mood(fit) -> None:
    x, y = listenings()
    clusters = fit(x, y)
    match = clusters.match(x)
    assert (match.quadrants == y).mean() > 0.9
    assert match.similarity.shape == (120, 4)
    assert ((match.similarity > 0) & (match.similarity <= 1)).all()
    assert set(clusters.quadrants) == {0, 1, 2, 3}


def test_scale_and_offset_of_the_features_do_not_matter() -> None:
    x, y = listenings()
    a = EmotionClusters.fit(x, y, seed=1).match(x)
    moved = x * [1.0, 100.0, 0.01] + 7.0
    b = EmotionClusters.fit(moved, y, seed=1).match(moved)
    np.testing.assert_allclose(a.similarity, b.similarity, atol=1e-9)


def test_a_mood_without_a_recording_is_named() -> None:
    x, y = listenings()
    with pytest.raises(UndertoneError, match="Calm"):
        EmotionClusters.fit(x[y != 2], y[y != 2])


def test_fewer_recordings_than_centroids_are_enough() -> None:
    x, y = listenings(4)
    assert len(EmotionClusters.fit(x, y, per_quadrant=3).centroids) == 4


def test_selection_keeps_agreement_and_says_why_not() -> None:
    x, y = listenings(noise=0.3)
    clusters = EmotionClusters.fit(x, y)
    said = y.copy()
    said[0] = 1  # the network heard another mood
    answers = y.copy()
    answers[1], said[1] = 3, 3  # answer and network agree, the signals do not
    decisions = select(clusters, x, said, answers)
    assert (decisions[0].kept, decisions[0].reason) == (False, Reason.PREDICTION)
    assert (decisions[1].kept, decisions[1].reason) == (False, Reason.CLUSTER)
    assert (decisions[2].kept, decisions[2].reason) == (True, Reason.AGREED)
    assert decisions[1].answer is Quadrant.LALV
    assert decisions[1].cluster is Quadrant.HALV
    assert len(kept(decisions)) == 118


def test_no_mood_is_left_without_targets() -> None:
    x, y = listenings(noise=0.3)
    clusters = EmotionClusters.fit(x, y)
    wrong = (y + 1) % 4
    decisions = select(clusters, x, wrong, y, at_least=7)
    assert np.bincount(y[kept(decisions)]).tolist() == [7, 7, 7, 7]
    assert {d.reason for d in decisions if d.kept} == {Reason.NEEDED}
    chosen = [d.similarity for d in decisions if d.kept and d.answer is Quadrant.HAHV]
    left = [d.similarity for d in decisions if not d.kept and d.answer is Quadrant.HAHV]
    assert min(chosen) >= max(left)


def test_selection_raises_the_purity_of_noisy_answers() -> None:
    x, y = listenings(600, noise=1.0, seed=3)
    rng = np.random.default_rng(4)
    answers = np.where(rng.random(600) < 0.2, rng.integers(0, 4, 600), y)
    clusters = EmotionClusters.fit(x, answers)
    decisions = select(clusters, x, y, answers)
    chosen = kept(decisions)
    assert (answers[chosen] == y[chosen]).mean() > (answers == y).mean() + 0.08
    assert len(chosen) > 300


def test_each_recording_is_judged_by_clusters_of_the_others() -> None:
    x, y = listenings(40, noise=0.6)
    wrong = y.copy()
    wrong[:4] = (wrong[:4] + 1) % 4
    decisions = select_crosswise(x, y, wrong)
    assert decisions is not None
    assert [d.kept for d in decisions[:4]] == [False] * 4
    assert {d.reason for d in decisions[:4]} == {Reason.PREDICTION}
    assert np.mean([d.kept for d in decisions[4:]]) > 0.9
    mistaken = select_crosswise(x, wrong, wrong)
    assert mistaken is not None
    assert {d.reason for d in mistaken[:4]} == {Reason.CLUSTER}


def test_moods_without_answers_borrow_clusters_or_nothing_is_decided() -> None:
    x, y = listenings(40, noise=0.6)
    mine = np.flatnonzero(y < 2)
    assert select_crosswise(x[mine], y[mine], y[mine]) is None
    decisions = select_crosswise(x[mine], y[mine], y[mine], borrowed=(x, y))
    assert decisions is not None
    assert np.mean([d.kept for d in decisions]) > 0.9


def test_a_mood_of_which_all_is_dropped_keeps_its_most_similar() -> None:
    x, y = listenings(40)
    decisions = select_crosswise(x, (y + 1) % 4, y, at_least=2)
    assert decisions is not None
    assert [sum(d.kept for d in decisions if d.answer.position == q) for q in range(4)] == [2] * 4
    assert {d.reason for d in decisions if d.kept} == {Reason.NEEDED}
