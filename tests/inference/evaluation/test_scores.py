"""Scores against values worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from inference.evaluation import METRICS, bootstrap, bootstrap_difference, score
from inference.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    confusion,
    expected_calibration_error,
    macro_f1,
)


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), 200)
    return rng.choice(4, 200, p=[0.5, 0.3, 0.1, 0.1]), p


def test_scores_agree_with_scikit_learn() -> None:
    y, p = random_case()
    said = p.argmax(axis=1)
    assert accuracy(y, p) == pytest.approx(oracle.accuracy_score(y, said))
    assert balanced_accuracy(y, p) == pytest.approx(oracle.balanced_accuracy_score(y, said))
    assert macro_f1(y, p) == pytest.approx(oracle.f1_score(y, said, average="macro"))
    assert np.array_equal(confusion(y, p), oracle.confusion_matrix(y, said))


def test_axes_come_from_summed_probabilities_not_from_the_argmax() -> None:
    p = np.array([[0.30, 0.05, 0.35, 0.30]])  # argmax LAHV; P(HA) = 0.35, P(HV) = 0.65
    scores = score([0], p)
    assert scores.accuracy == 0.0
    assert scores.arousal_accuracy == 0.0
    assert scores.valence_accuracy == 1.0


def test_calibration_error_of_known_cases() -> None:
    sure = np.tile([1.0, 0.0, 0.0, 0.0], (10, 1))
    assert expected_calibration_error(np.zeros(10, int), sure) == 0.0
    assert expected_calibration_error(np.array([0] * 6 + [1] * 4), sure) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0], [[0.5, 0.5, 0.0, np.nan]]),
        ([4], [[0.25] * 4]),
        ([0, 1], [[0.25] * 4]),
        ([], np.zeros((0, 4))),
    ],
)
def test_bad_predictions_are_refused(y: list[int], p: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"probabilities|labels"):
        score(y, p)


def test_the_interval_is_wider_when_samples_come_in_groups() -> None:
    y, p = random_case(1)
    alone = bootstrap(METRICS["accuracy"], y, p, np.arange(200), n_draws=400)
    paired = bootstrap(
        METRICS["accuracy"],
        np.repeat(y[:20], 10),
        np.repeat(p[:20], 10, axis=0),
        np.repeat(np.arange(20), 10),
        n_draws=400,
    )
    assert alone.low < alone.value < alone.high
    assert paired.high - paired.low > 2 * (alone.high - alone.low)


def test_several_seeds_are_averaged() -> None:
    y = np.array([0, 1, 2, 3] * 5)
    right = np.eye(4)[y]
    wrong = np.eye(4)[(y + 1) % 4]
    interval = bootstrap(METRICS["accuracy"], y, np.stack([right, wrong]), np.arange(20))
    assert interval.value == 0.5


def test_a_paired_difference_excludes_zero_only_where_there_is_one() -> None:
    y, p = random_case(2)
    better = np.where(np.arange(200)[:, None] % 3 == 0, np.eye(4)[y], p)
    groups = np.arange(200)
    assert bootstrap_difference(METRICS["accuracy"], y, better, p, groups).low > 0
    assert 0.0 in bootstrap_difference(METRICS["accuracy"], y, p, p, groups)
