"""The listener's own map: restrained with few answers, explained where it is not taken."""

from __future__ import annotations

import numpy as np
import pytest

from inference.labelling.ladder import Rung, climb, fit_personal
from inference.labelling.personal import (
    LEAST_ANSWERS,
    MARGIN,
    Outcome,
    PersonalMap,
    paired_test,
)

TURNED = PersonalMap(np.array([[-0.5, 0.9, 0.4], [-0.9, -0.5, -0.4]]))


def songs(count: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(4, 0.8), size=count)


def test_the_map_without_weights_is_the_common_model():
    p = songs()
    assert np.allclose(PersonalMap(np.zeros((2, 3))).rate(p), p, atol=1e-3)


def test_a_map_moves_the_axis_that_it_names():
    p = songs()
    q = PersonalMap(np.array([[0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])).rate(p)
    assert (q[:, [0, 2]].sum(axis=1) > p[:, [0, 2]].sum(axis=1)).all()
    assert np.allclose(q.sum(axis=1), 1.0)


def test_a_listener_who_differs_is_learned_from_forty_answers():
    p = songs()
    y = TURNED.rate(p).argmax(axis=1)
    fit = fit_personal(p[:40], y[:40])
    assert fit.accepted
    common = (p[40:].argmax(axis=1) == y[40:]).mean()
    mine = (fit.map.rate(p[40:]).argmax(axis=1) == y[40:]).mean()
    assert mine > common + 0.2


def test_a_listener_who_agrees_keeps_the_common_model():
    p = songs()
    fit = fit_personal(p[:60], p[:60].argmax(axis=1))
    if fit.accepted:
        assert (fit.map.rate(p).argmax(axis=1) == p.argmax(axis=1)).mean() > 0.98
    else:
        assert fit.outcome in (Outcome.NO_PATTERN, Outcome.NOT_PROVEN)


def test_answers_at_random_are_hardly_ever_accepted():
    rng = np.random.default_rng(1)
    p = songs()
    accepted = 0
    for _ in range(40):
        at = rng.permutation(len(p))[:40]
        accepted += fit_personal(p[at], rng.integers(0, 4, 40)).accepted
    assert accepted <= 6, accepted


@pytest.mark.parametrize("count", [0, 1, 3, LEAST_ANSWERS - 1])
def test_too_few_answers_are_explained(count):
    p = songs(count)
    fit = fit_personal(p.reshape(-1, 4), np.zeros(count, int))
    assert (fit.outcome, fit.map, fit.n) == (Outcome.TOO_FEW, None, count)


def test_answers_of_one_mood_are_explained():
    p = songs(30)
    y = np.full(30, 2)
    y[0] = 1
    assert fit_personal(p, y).outcome is Outcome.ONE_MOOD


def test_the_same_answers_give_the_same_model():
    p = songs(50)
    y = TURNED.rate(p).argmax(axis=1)
    assert np.array_equal(fit_personal(p, y).map.weights, fit_personal(p, y).map.weights)


def test_certain_probabilities_do_no_harm():
    p = np.eye(4)[np.arange(40) % 4]
    fit = fit_personal(p, (np.arange(40) + 1) % 4)
    assert fit.map is None or np.isfinite(fit.map.rate(p)).all()


def test_no_disagreement_among_few_answers_proves_nothing():
    right = np.ones(10, bool)
    test = paired_test(right, right)
    assert not test.passed
    assert test.lower < -MARGIN


def test_the_bound_rises_with_what_is_won():
    common = np.zeros(40, bool)
    bounds = []
    for won in (2, 6, 12):
        personal = common.copy()
        personal[:won] = True
        bounds.append(paired_test(common, personal).lower)
    assert bounds == sorted(bounds)
    assert bounds[-1] > 0


@pytest.mark.parametrize("bad", [np.ones((3, 3)), np.full((3, 4), np.nan), -np.ones((3, 4))])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="probabilities"):
        PersonalMap(np.zeros((2, 3))).rate(bad)
    with pytest.raises(ValueError, match="2 x 3"):
        PersonalMap(np.full((2, 3), np.inf))


def places_of(count: int = 400, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 8)) * 0.7


def test_the_second_rung_is_climbed_where_features_of_the_songs_explain_the_answers():
    p, z = songs(), places_of()
    taste = PersonalMap(np.hstack([np.zeros((2, 3)), np.zeros((2, 8))]))
    taste.weights[0, 3] = taste.weights[1, 4] = 5.0
    y = taste.rate(p, z).argmax(axis=1)
    fit = fit_personal(p[:120], y[:120], z[:120])
    assert (fit.accepted, fit.rung) == (True, Rung.FEATURES)
    flat = fit_personal(p[:120], y[:120])
    right = (fit.map.rate(p[120:], z[120:]).argmax(axis=1) == y[120:]).mean()
    assert right > (p[120:].argmax(axis=1) == y[120:]).mean() + 0.1
    assert flat.map is None or right > (flat.map.rate(p[120:]).argmax(axis=1) == y[120:]).mean()


def test_features_that_say_nothing_are_left_out():
    p, z = songs(), places_of()
    y = TURNED.rate(p).argmax(axis=1)
    fit = fit_personal(p[:60], y[:60], z[:60])
    assert (fit.rung, fit.map.dimensions) == (Rung.MAP, 0)
    few = fit_personal(p[:19], y[:19], z[:19])
    assert few.rung is Rung.MAP, "below twenty answers the second rung is not tried"


class Oracle:
    """A tuner that knows the truth, or knows nothing; counts how often it is asked."""

    def __init__(self, change: np.ndarray) -> None:
        self.change = change
        self.asked = 0

    def __call__(self, use: np.ndarray, offset: np.ndarray) -> np.ndarray:
        self.asked += 1
        return self.change


def climbed(p: np.ndarray, y: np.ndarray, tuner: Oracle, memory: dict | None = None):
    job = climb(p, y, None, tuner, memory)
    steps = []
    while True:
        try:
            steps.append(next(job))
        except StopIteration as stop:
            return stop.value, steps


def test_the_third_rung_is_climbed_only_where_networks_help_on_held_out_answers():
    p = songs(80)
    y = TURNED.rate(p).argmax(axis=1)
    y[::3] = (y[::3] + 1) % 4
    helps, steps = climbed(p, y, Oracle(4.0 * np.eye(4)[y]))
    assert (helps.rung, helps.accepted) == (Rung.NETWORK, True)
    assert helps.share > 0
    assert [s.done for s in steps] == list(range(1, len(steps) + 1))
    assert all(s.done <= s.total for s in steps)
    noise = np.random.default_rng(0).normal(size=(80, 4)) * 3.0
    assert climbed(p, y, Oracle(noise))[0].rung is Rung.MAP


def test_an_interrupted_climb_goes_on_from_its_memory():
    p = songs(60)
    y = TURNED.rate(p).argmax(axis=1)
    tuner, memory = Oracle(np.eye(4)[y]), {}
    whole, _ = climbed(p, y, tuner, memory)
    asked = tuner.asked
    assert asked > 10
    del memory[next(iter(memory))]
    again, _ = climbed(p, y, tuner, memory)
    assert tuner.asked == asked + 1
    assert np.array_equal(again.map.weights, whole.map.weights)
    assert again.share == whole.share


def test_below_forty_answers_no_network_is_tried():
    p = songs(39)
    tuner = Oracle(np.zeros((39, 4)))
    climbed(p, TURNED.rate(p).argmax(axis=1), tuner)
    assert tuner.asked == 0
