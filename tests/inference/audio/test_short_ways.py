"""Quicker ways to the same numbers, beside the plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft, signal

from inference.audio.rhythm import _median3
from inference.audio.spectra import _power
from inference.audio.timbre import _contrast, _rolled_off
from inference.audio.tonal import _highest, _largest


@pytest.mark.parametrize(
    ("length", "hop", "samples"), [(512, 256, 200), (512, 256, 140_001), (4096, 2048, 9_000)]
)
def test_power_in_steps_is_that_of_one_transform(length: int, hop: int, samples: int) -> None:
    x = np.random.default_rng(1).normal(size=samples).astype(np.float32)
    padded = np.pad(x, length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    window = signal.get_window("hann", length).astype(np.float32)
    wanted = np.abs(fft.rfft(frames * window, axis=1)) ** 2
    np.testing.assert_allclose(_power(x, length, hop), wanted, rtol=1e-4, atol=1e-5)


def test_roll_off_by_blocks_is_that_of_a_running_sum() -> None:
    rng = np.random.default_rng(2)
    power = rng.exponential(size=(500, 257)).astype(np.float32) ** 4
    power[0] = 0.0
    power[1, 5:] = 0.0
    power[2, :-1] = 0.0
    total = power.sum(axis=1)
    rising = np.cumsum(power.astype(np.float64), axis=1)
    for part, bins in zip((0.85, 0.5), _rolled_off(power, total, (0.85, 0.5)), strict=True):
        wanted = np.argmax(rising >= part * total[:, None], axis=1)
        assert np.mean(bins == wanted) > 0.99  # rounding at a border
        assert np.abs(bins - wanted).max() <= 1


def test_the_largest_are_found_also_where_some_are_equal() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 200)).astype(np.float32)
    np.testing.assert_array_equal(_largest(x, 14), np.sort(np.argsort(x, axis=1)[:, -14:], axis=1))
    x[7] = np.round(x[7])
    found = _largest(x, 14)
    assert found.shape == (50, 14)
    assert np.sort(x[7, found[7]]).tolist() == np.sort(x[7])[-14:].tolist()


@pytest.mark.parametrize("bins", [200, 201])
def test_the_highest_peaks_are_those_of_a_whole_search(bins: int) -> None:
    x = np.random.default_rng(4).exponential(size=(50, bins + 2)).astype(np.float32)
    x[3] = 0.0
    x[4] = np.arange(bins + 2)  # without a peak
    x[5, :-40] = 0.5
    inner = x[:, 1:-1]
    peak = (inner > x[:, :-2]) & (inner >= x[:, 2:])
    place, height = _highest(inner, peak, 14)
    for row in range(50):
        there = np.flatnonzero(peak[row])
        wanted = np.sort(there[np.argsort(inner[row, there])[-14:]])
        found = height[row] > 0.0
        np.testing.assert_array_equal(place[row, found], wanted)
        np.testing.assert_array_equal(height[row, found], inner[row, wanted])
    assert (np.diff(place, axis=1) > 0).all()


def test_contrast_as_one_product_is_the_mean_peak_less_the_mean_valley() -> None:
    log = np.random.default_rng(5).normal(size=(60, 257)).astype(np.float32)
    found = _contrast(log)
    for column, (a, b) in enumerate([(0, 6), (6, 13), (13, 26), (26, 51), (51, 102), (102, 230)]):
        few = max(1, round(0.2 * (b - a)))
        ordered = np.sort(log[:, a:b], axis=1)
        wanted = ordered[:, -few:].mean(axis=1) - ordered[:, :few].mean(axis=1)
        np.testing.assert_allclose(found[:, column], wanted, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 17, 18, 19, 187])
@pytest.mark.parametrize(("distance", "axis"), [(1, 0), (9, 0), (1, 1), (3, 1)])
def test_medians_of_three_are_those_of_a_longer_picture(
    frames: int, distance: int, axis: int
) -> None:
    x = np.random.default_rng(6).normal(size=(frames, 96)).astype(np.float32)
    pad = [(0, 0), (0, 0)]
    pad[axis] = (distance, distance)
    y = np.pad(x, pad, mode="edge")
    shifted = [np.take(y, np.arange(x.shape[axis]) + k * distance, axis) for k in range(3)]
    np.testing.assert_array_equal(_median3(x, distance, axis), np.median(shifted, axis=0))
