"""Drifting from one mood to another: a way across the plane, no song twice, nobody in a row."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from app.drift import drift, heart_of
from inference.emotion import Quadrant
from library_db.index import MoodColumns


def songs(count: int = 2000, seed: int = 1, artists: int = 50) -> MoodColumns:
    rng = np.random.default_rng(seed)
    valence, arousal = rng.uniform(-1, 1, (2, count)).astype(np.float32)
    order = [Quadrant.HAHV, Quadrant.HALV, Quadrant.LAHV, Quadrant.LALV]
    places = [q.position for q in order]
    which = np.where(arousal >= 0, np.where(valence >= 0, 0, 1), np.where(valence >= 0, 2, 3))
    return MoodColumns(
        ids=np.arange(1, count + 1),
        quadrant=np.array(places, np.int8)[which],
        valence=valence,
        arousal=arousal,
        confidence=rng.uniform(0.3, 1, count).astype(np.float32),
        duration_s=rng.uniform(150, 260, count).astype(np.float32),
        artist=rng.integers(0, artists, count).astype(np.int32),
        there=np.ones(count, np.bool_),
    )


def test_it_goes_straight_from_one_heart_to_the_other_in_the_time_given() -> None:
    columns = songs()
    ids = drift(columns, Quadrant.HALV, Quadrant.LAHV, 3600.0, random.Random(3))
    rows = np.array(ids) - 1
    assert len(set(ids)) == len(ids)
    assert 3600.0 <= columns.duration_s[rows].sum() < 3600.0 + 260.0
    for rows_of, quadrant in ((rows[:2], Quadrant.HALV), (rows[-2:], Quadrant.LAHV)):
        heart = heart_of(columns, quadrant)
        away = np.hypot(columns.valence[rows_of] - heart.valence,
                        columns.arousal[rows_of] - heart.arousal)  # fmt: skip
        assert away.max() < 0.35
    # On the way every step is on the line, near enough.
    assert np.corrcoef(np.arange(len(rows)), columns.valence[rows])[0, 1] > 0.9
    assert np.corrcoef(np.arange(len(rows)), columns.arousal[rows])[0, 1] < -0.9


def test_staying_in_a_mood_stays_there() -> None:
    columns = songs()
    ids = drift(columns, Quadrant.LAHV, Quadrant.LAHV, 3600.0, random.Random(0))
    assert set(columns.quadrant[np.array(ids) - 1]) == {Quadrant.LAHV.position}
    again = drift(columns, Quadrant.LAHV, Quadrant.LAHV, 3600.0, random.Random(1))
    assert set(again) != set(ids)


def test_no_artist_twice_in_a_row() -> None:
    columns = songs()
    artists = columns.artist[
        np.array(drift(columns, Quadrant.LALV, Quadrant.HAHV, 7200.0, random.Random(5))) - 1
    ]
    assert all(one != other for one, other in pairwise(artists.tolist()))


def test_missing_and_untagged_songs_are_left_out() -> None:
    columns = songs(40)
    columns.there[:20] = False
    columns.quadrant[20:30] = -1
    assert set(drift(columns, Quadrant.HAHV, Quadrant.LALV, 1e6)) == set(range(31, 41))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_small_libraries_give_what_they_have(count: int) -> None:
    assert len(drift(songs(count), Quadrant.HAHV, Quadrant.LAHV, 36_000.0)) == count
