"""More like this: by stored features where there are any, else by the plane."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.similar import similar, vector_of
from inference.audio.features import SongFeatures
from inference.emotion import EmotionEstimate
from library_db.library import EstimateRow, Library
from tests.library_db.helpers import make_tracks


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


def features(value: float, front_end: str = "fe") -> bytes:
    rng = np.random.default_rng(1)
    segments = rng.normal(size=(6, 3)).astype(np.float16)
    song = np.array([value, -value, 1.0], np.float32)
    return SongFeatures(front_end, 60.0, 10.0, segments, song).to_bytes()


def heard(library: Library, values: dict[int, bytes | None]) -> None:
    """Songs step by step from Happy towards Calm on the plane, with stored features or none."""
    rows = []
    for place, (track_id, data) in enumerate(values.items()):
        share = 0.1 * place
        estimate = EmotionEstimate.from_probabilities(
            (0.9 - share, 0.05, 0.0 + share, 0.05), 0.7, "m"
        )
        rows.append(EstimateRow(track_id, "common", estimate, front_end="fe", features=data))
    library.set_estimates(rows)


def test_neighbours_in_sound_come_before_neighbours_on_the_plane(library: Library) -> None:
    a, b, c, d, e = make_tracks(library, 5)
    heard(
        library, {a: features(0.0), b: features(5.0), c: features(1.0), d: None, e: features(0.2)}
    )
    assert similar(library, a, 10) == [a, e, c, b, d]
    assert similar(library, a, 2) == [a, e]


def test_a_song_without_features_has_its_neighbours_on_the_plane(library: Library) -> None:
    a, b, c = make_tracks(library, 3)
    heard(library, {a: None, b: features(9.0), c: features(0.0)})
    assert similar(library, a, 10) == [a, b, c]


def test_damaged_or_foreign_features_do_no_harm(library: Library) -> None:
    a, b, c, d = make_tracks(library, 4)
    heard(library, {a: features(0.0), b: b"damaged", c: features(1.0), d: features(0.0)})
    other = SongFeatures("fe", 1.0, 1.0, np.zeros((1, 2), np.float16), np.zeros(1, np.float32))
    estimate = library.emotion(d).common
    assert estimate is not None
    library.set_estimates(
        [EstimateRow(d, "common", estimate, front_end="fe", features=other.to_bytes())]
    )
    assert similar(library, a, 10) == [a, c, b, d]


def test_a_song_without_a_mood_has_no_neighbours(library: Library) -> None:
    a, b = make_tracks(library, 2)
    heard(library, {b: features(0.0)})
    assert similar(library, a, 10) == []


def test_the_vector_says_mean_and_spread() -> None:
    segments = np.array([[0, 2], [2, 2]], np.float16)
    song = SongFeatures("fe", 1.0, 1.0, segments, np.array([7.0], np.float32))
    assert vector_of(song).tolist() == [1.0, 2.0, 1.0, 0.0, 7.0]
    empty = SongFeatures("fe", 1.0, 1.0, segments[:0], np.array([7.0], np.float32))
    assert vector_of(empty).tolist() == [0.0, 0.0, 0.0, 0.0, 7.0]
