"""Sets and intervals: they hold the truth as often as they say, and no oftener than they must."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.emotion import EmotionEstimate
from inference.training.calibration import (
    COVERAGE,
    conformal_share,
    coverage_figures,
    fit_calibration,
    interval_width,
    measured_coverage,
    tag_balance,
)
from inference.uncertainty import uncertainty

pytestmark = pytest.mark.training


def songs(
    count: int, seed: int = 0, peak: float = 0.6
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities that are what they say, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(4, peak), size=count)
    return p, np.array([rng.choice(4, p=row) for row in p])


def test_sets_of_new_songs_hold_the_truth_as_often_as_they_say() -> None:
    p, labels = songs(4000)
    calibration = fit_calibration(p[None, :2000], labels[:2000], np.ones(2000), temperature=1.0)
    held, sizes = [], []
    for row, label in zip(p[2000:], labels[2000:], strict=True):
        estimate = EmotionEstimate.from_probabilities(row, 0.5, "m", calibration.leeway)
        possible = uncertainty(estimate).possible
        held.append(label in [q.position for q in possible])
        sizes.append(len(possible))
        assert possible[0] is estimate.quadrant
    assert np.mean(held) == pytest.approx(COVERAGE, abs=0.03)
    assert 1.0 < np.mean(sizes) < 2.5
    assert conformal_share(p, labels) == pytest.approx(calibration.set_mass or 0.0, abs=0.03)


def test_intervals_of_new_songs_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(-0.98, 0.98, 4000)
    truth = np.where(rng.random(4000) < (1.0 + values) / 2.0, 0.7, -0.7)
    width = interval_width(values[:2000], truth[:2000])
    spread = np.sqrt(np.maximum(1.0 - values**2, 0.3))
    held = np.abs(truth - values)[2000:] <= (width * spread)[2000:]
    assert held.mean() == pytest.approx(COVERAGE, abs=0.03)


def test_the_balance_of_tags() -> None:
    balance = tag_balance(np.array([0, 1, 3, 2]), [1.0, 0.625, 0.25, 0.1])
    np.testing.assert_allclose(balance, [[1, 1], [-0.5, 0.5], [0, 0], [0, 0]], atol=1e-12)


def test_coverage_is_measured_on_artists_that_no_threshold_saw() -> None:
    p, labels = songs(1200, seed=3)
    groups = np.arange(1200) // 3
    found = measured_coverage(np.stack([p, p]), labels, np.ones(1200), groups)
    assert found.in_set.mean() == pytest.approx(COVERAGE, abs=0.03)
    assert found.valence.mean() == pytest.approx(COVERAGE, abs=0.03)
    assert found.arousal.mean() == pytest.approx(COVERAGE, abs=0.03)
    wrong = np.full_like(p, 0.01)
    wrong[:, 0] = 0.97
    always = measured_coverage(wrong[None], np.ones(1200, np.int64), np.ones(1200), groups)
    assert always.in_set.mean() >= COVERAGE
    assert always.size.min() >= 2.0


def test_the_figures_of_a_table_have_intervals_and_the_two_halves() -> None:
    p, labels = songs(600, seed=4)
    row = coverage_figures(p[None], labels, np.ones(600), np.arange(600) // 2)
    assert row["set_coverage_low"] <= row["set_coverage"] <= row["set_coverage_high"]
    assert row["confident_half_accuracy"] > row["other_half_accuracy"] + 0.1
    assert 1.0 <= row["set_size"] <= 4.0
