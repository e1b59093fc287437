"""Quadrants, mood points and estimates: the rules that every floor relies on."""

from __future__ import annotations

import json
import pickle

import pytest

from inference.emotion import QUADRANTS, EmotionEstimate, MoodPoint, Quadrant


def test_the_order_of_probabilities_is_fixed():
    assert [q.value for q in QUADRANTS] == ["HAHV", "HALV", "LAHV", "LALV"]
    assert [q.position for q in QUADRANTS] == [0, 1, 2, 3]
    assert [q.label for q in QUADRANTS] == ["Happy", "Tense", "Calm", "Sad"]


def test_a_quadrant_is_stored_as_its_name():
    assert json.loads(json.dumps(Quadrant.LAHV)) == "LAHV"
    assert Quadrant("LAHV") is Quadrant.LAHV


@pytest.mark.parametrize(
    ("valence", "arousal", "expected"),
    [
        (0.2, 0.3, Quadrant.HAHV),
        (-0.2, 0.3, Quadrant.HALV),
        (0.2, -0.3, Quadrant.LAHV),
        (-0.2, -0.3, Quadrant.LALV),
        (0.0, 0.0, Quadrant.HAHV),
        (0.0, -1e-9, Quadrant.LAHV),
        (-1e-9, 0.0, Quadrant.HALV),
        (-0.0, -0.0, Quadrant.HAHV),
    ],
)
def test_zero_counts_as_high(valence, arousal, expected):
    assert Quadrant.of(MoodPoint(valence, arousal)) is expected


@pytest.mark.parametrize("quadrant", QUADRANTS)
def test_the_centre_lies_in_its_own_quadrant(quadrant):
    assert Quadrant.of(quadrant.centre) is quadrant


@pytest.mark.parametrize("value", [1.001, -1.001, float("nan"), float("inf")])
@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_a_mood_point_refuses_what_is_off_the_plane(axis, value):
    with pytest.raises(ValueError, match=axis):
        MoodPoint(**{"valence": 0.0, "arousal": 0.0, axis: value})


@pytest.mark.parametrize(
    "probabilities",
    [
        (0.5, 0.5, 0.5, 0.5),
        (1.2, -0.2, 0.0, 0.0),
        (float("nan"), 0.5, 0.5, 0.0),
        (0.5, 0.5),
    ],
)
def test_an_estimate_refuses_what_is_no_distribution(probabilities):
    with pytest.raises(ValueError, match="probabilities"):
        EmotionEstimate(probabilities, 0.5, "model")


def test_an_estimate_refuses_a_confidence_that_is_no_probability():
    with pytest.raises(ValueError, match="confidence"):
        EmotionEstimate((0.25, 0.25, 0.25, 0.25), 1.5, "model")


def test_weights_are_normalised():
    estimate = EmotionEstimate.from_probabilities([2, 1, 1, 0], 0.7, "model")
    assert estimate.probabilities == (0.5, 0.25, 0.25, 0.0)
    assert estimate.confidence == 0.7


@pytest.mark.parametrize(
    "weights", [[0, 0, 0, 0], [float("nan"), 1, 1, 1], [float("inf"), 1, 1, 1]]
)
def test_weights_without_a_finite_sum_are_refused(weights):
    with pytest.raises(ValueError, match="normalise"):
        EmotionEstimate.from_probabilities(weights, 0.5, "model")


def test_the_mood_follows_from_the_probabilities():
    estimate = EmotionEstimate((0.4, 0.3, 0.2, 0.1), 0.6, "model")
    assert estimate.quadrant is Quadrant.HAHV
    assert estimate.mood.valence == pytest.approx(2 * (0.4 + 0.2) - 1)
    assert estimate.mood.arousal == pytest.approx(2 * (0.4 + 0.3) - 1)


def test_the_point_may_lie_in_another_quadrant_than_the_most_probable_one():
    estimate = EmotionEstimate((0.40, 0.0, 0.30, 0.30), 0.4, "model")
    assert estimate.quadrant is Quadrant.HAHV
    assert Quadrant.of(estimate.mood) is Quadrant.LAHV


@pytest.mark.parametrize("quadrant", QUADRANTS)
def test_certainty_reaches_the_corner_and_not_beyond(quadrant):
    weights = [1.0 if q is quadrant else 0.0 for q in QUADRANTS]
    mood = EmotionEstimate.from_probabilities(weights, 1.0, "model").mood
    assert abs(mood.valence) == 1.0
    assert abs(mood.arousal) == 1.0
    assert Quadrant.of(mood) is quadrant


def test_on_a_tie_the_first_quadrant_is_taken():
    assert EmotionEstimate((0.1, 0.4, 0.4, 0.1), 0.4, "model").quadrant is Quadrant.HALV


def test_estimates_cross_process_borders_and_do_not_change():
    estimate = EmotionEstimate((0.4, 0.3, 0.2, 0.1), 0.6, "model")
    assert pickle.loads(pickle.dumps(estimate)) == estimate
    with pytest.raises(AttributeError):
        estimate.confidence = 0.1
