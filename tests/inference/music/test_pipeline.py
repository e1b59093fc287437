"""The default pipeline, on stand-in networks: what it keeps of a song and how it rates that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.descriptors import describe, descriptor_count
from inference.audio.errors import AudioError, Cancelled
from inference.audio.excerpts import CELL_SAMPLES, EXCERPT_SAMPLES, Listener
from inference.audio.features import MAX_BYTES, SongFeatures
from inference.audio.spectra import FS_HZ, FineSpectra, Level, Spectra
from inference.pipelines.undertone import Extractor, Reduction, UndertonePipeline

Array = NDArray[np.float32]
CHANNELS, PENULTIMATE, TAGS, RANK = 6, 4, 2, 5
SONG = PENULTIMATE + TAGS


class Msd:
    """Says the mean of the mel frames of each cell."""

    outputs = ("pooled", "penultimate", "tags")

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        mel = inputs["mel"]
        assert mel.shape == (1870, 96)
        mean = mel.reshape(10, 187, 96).mean(axis=(1, 2))[:, None]
        return {
            "pooled": np.repeat(mean, CHANNELS, axis=1),
            "penultimate": np.repeat(mean, PENULTIMATE, axis=1),
            "tags": np.repeat(mean, TAGS, axis=1),
        }


class Mtt:
    outputs = ("penultimate", "tags")

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        mean = inputs["mel"].mean()
        return {
            "penultimate": np.full((1, PENULTIMATE), mean, np.float32),
            "tags": np.full((1, TAGS), mean, np.float32),
        }


class Head:
    """Louder segments are happier."""

    outputs = ("log_probabilities",)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        loud = inputs["segments"][:, :, 0].mean(axis=1)
        logits = np.stack([loud, -loud, 0 * loud, 0 * loud], axis=1)
        return {"log_probabilities": logits - np.log(np.exp(logits).sum(1, keepdims=True))}


def pipeline() -> UndertonePipeline:
    width = CHANNELS + PENULTIMATE + TAGS
    song = descriptor_count() + SONG
    reduction = Reduction(
        np.ones(width, np.float32),
        np.ones(width, np.float32),
        np.eye(width, RANK, dtype=np.float32),
        np.zeros(song, np.float32),
        np.ones(song, np.float32),
        np.zeros(RANK, np.float32),
        np.ones(RANK, np.float32),
        np.zeros(song, np.float32),
        np.ones((), np.float32),
        np.zeros(RANK, np.float32),
        np.ones(RANK, np.float32),
        np.zeros(song, np.float32),
        np.ones(song, np.float32),
        np.zeros((RANK + song, 1), np.float32),
    )
    return UndertonePipeline("test", Extractor(Msd(), Mtt()), reduction, Head())


def music(duration_s: float, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.normal(size=round(duration_s * FS_HZ))).astype(np.float32)


def blocks(x: Array, size: int = 7 * FS_HZ) -> Iterator[Array]:
    for start in range(0, len(x), size):
        yield x[start : start + size]


def test_rating_what_was_kept_says_what_the_analysis_said() -> None:
    made = pipeline()
    analysis = made.analyse(blocks(music(50.0)))
    kept = SongFeatures.from_bytes(analysis.features.to_bytes())
    again = made.rate(kept)
    np.testing.assert_array_equal(again.log_probabilities, analysis.scores.log_probabilities)
    np.testing.assert_allclose(again.start_s, analysis.scores.start_s, rtol=1e-6)
    assert analysis.features.duration_s == pytest.approx(50.0, abs=0.1)
    assert kept.segments.shape[1] == RANK + 1


@pytest.mark.parametrize("duration_s", [1.0, 4.0, 29.0, 31.0, 200.0])
def test_songs_of_any_length_are_rated(duration_s: float) -> None:
    scores = pipeline().analyse(blocks(music(duration_s))).scores
    assert np.isfinite(scores.log_probabilities).all()
    np.testing.assert_allclose(np.exp(scores.log_probabilities).sum(axis=1), 1.0, rtol=1e-5)
    assert scores.start_s[-1] < max(duration_s, 0.1)
    assert (np.diff(scores.start_s) > 0).all()


def test_re_rating_a_long_song_takes_few_windows() -> None:
    made = pipeline()
    analysis = made.analyse(blocks(music(240.0)))
    rated = made.rate(analysis.features)
    assert len(rated.start_s) <= 8 < len(analysis.scores.start_s)
    assert rated.start_s[-1] <= analysis.scores.start_s[-1]


def test_how_blocks_are_cut_makes_no_difference() -> None:
    x = music(40.0)
    one, other = (pipeline().analyse(blocks(x, size)).features for size in (len(x), 6400 * 3))
    np.testing.assert_allclose(one.segments, other.segments, atol=2e-3)
    np.testing.assert_allclose(one.song, other.song, atol=2e-3)


def test_volume_makes_no_difference() -> None:
    x = music(40.0)
    one, other = (pipeline().analyse(blocks(x * np.float32(g))).features for g in (1.0, 0.25))
    np.testing.assert_allclose(one.segments, other.segments, atol=2e-3)
    np.testing.assert_allclose(one.song, other.song, atol=2e-2)


def test_the_windows_follow_the_music() -> None:
    x = music(120.0)
    x[: 60 * FS_HZ] *= 0.05
    scores = pipeline().analyse(blocks(x)).scores
    quiet, loud = scores.log_probabilities[0, 0], scores.log_probabilities[-1, 0]
    assert loud > quiet + 0.2


def test_silence_weighs_nothing() -> None:
    x = music(60.0)
    x[30 * FS_HZ :] = 0.0
    weight = pipeline().analyse(blocks(x)).scores.weight
    assert weight[0] == pytest.approx(1.0)
    assert weight[-1] == pytest.approx(0.0, abs=0.05)


def test_long_songs_stay_small() -> None:
    listener = Listener()
    for _ in range(40):
        listener.hear(np.ones(EXCERPT_SAMPLES, np.float32))
    excerpts = listener.excerpts()
    assert 8 <= len(excerpts) <= 16
    assert excerpts[0].start_s == 0.0
    assert excerpts[-1].start_s > 0.85 * listener.duration_s
    steps = np.diff([e.start_s for e in excerpts])
    np.testing.assert_allclose(steps, steps[0])
    kept = pipeline().analyse(blocks(music(500.0))).features
    assert len(kept.segments) <= 42
    with_real_widths = 2 * 42 * 161 + 4 * 514 + 100
    assert with_real_widths <= MAX_BYTES


class Remembering(Mtt):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Array] = []

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.asked.append(inputs["mel"].copy())
        return super().__call__(inputs)


@pytest.mark.parametrize(("seconds", "tagged"), [(4.0, 1), (13.0, 2), (30.0, 5), (65.0, 5)])
def test_the_second_network_hears_whole_cells_all_over_the_song(
    seconds: float, tagged: int
) -> None:
    x = music(seconds)
    mtt = Remembering()
    Extractor(Msd(), mtt)([x])
    mel = FineSpectra.of(x * np.float32(Level().heard(x).gain)).mel
    assert len(mtt.asked) == tagged
    assert all(patch.shape == (187, 96) for patch in mtt.asked)
    places = [int(np.abs(mel[:, None] - p[93]).sum(axis=2).argmin()) / len(mel) for p in mtt.asked]
    assert places == sorted(places)
    assert np.diff([0.0, *places, 1.0]).max() <= max(0.3, 6.5 / seconds)


def test_a_song_of_one_excerpt_is_described_whole_and_of_longer_ones_the_middles() -> None:
    x = music(130.0)  # four excerpts, and 10 s
    gain = np.float32(Level().heard(x).gain)
    count = descriptor_count()
    one = x[:EXCERPT_SAMPLES]
    whole = describe(Spectra.of(one * np.float32(Level().heard(one).gain)))
    np.testing.assert_allclose(Extractor(Msd(), Mtt())([one]).song[:count], whole, rtol=1e-5)
    said = Extractor(Msd(), Mtt())([x]).song[:count]
    parts = []
    for number in (0, 1, 3, 4):
        start = number * EXCERPT_SAMPLES
        inner = slice(start + 2 * CELL_SAMPLES, start + 8 * CELL_SAMPLES)
        parts.append(describe(Spectra.of((x * gain)[inner if number < 4 else slice(start, None)])))
    wanted = np.average(parts, axis=0, weights=[6, 6, 6, 3])
    # Frames at the cuts hear what lies outside.
    assert np.median(np.abs(said - wanted) / (np.abs(wanted) + 0.1)) < 0.01


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(AudioError, match=r"0\.20 s of sound"):
        pipeline().analyse(blocks(music(0.2)))
    with pytest.raises(AudioError):
        pipeline().analyse(iter(()))


def test_cancelling_stops_between_blocks() -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        pipeline().analyse(blocks(music(60.0)), lambda: next(asked))
