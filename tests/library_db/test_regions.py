"""Parts of the plane and the smart playlists that ask for them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from library_db.index import LibraryIndex
from library_db.library import Library
from library_db.playlists import Rule
from library_db.query import QueryError
from library_db.regions import inside
from library_db.smart import songs_of
from tests.library_db.helpers import make_tracks, rate

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)


@pytest.mark.parametrize("turned", [False, True], ids=["clockwise", "anticlockwise"])
def test_points_in_a_square(turned: bool) -> None:
    x = np.array([0.5, 1.5, 0.5, -0.1, np.nan], np.float32)
    y = np.array([0.5, 0.5, 1.5, 0.5, 0.5], np.float32)
    corners = SQUARE[::-1] if turned else SQUARE
    assert inside(x, y, corners).tolist() == [True, False, False, False, False]


def test_a_dent_is_outside_and_a_double_loop_is_inside() -> None:
    dented = np.array([(0, 0), (2, 0), (2, 2), (1, 0.5), (0, 2)], float)
    assert inside(np.array([1.0, 0.2]), np.array([1.5, 1.0]), dented).tolist() == [False, True]
    twice = np.concatenate([SQUARE, SQUARE])
    assert inside(np.array([0.5]), np.array([0.5]), twice).tolist() == [True]


def test_against_the_angle_sum_on_random_outlines() -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(-1, 1, (9, 2))
    x, y = rng.uniform(-1.2, 1.2, (2, 500))
    angles = np.arctan2(corners[:, 1, None] - y, corners[:, 0, None] - x)
    turns = np.diff(np.concatenate([angles, angles[:1]]), axis=0)
    winding = ((turns + np.pi) % (2 * np.pi) - np.pi).sum(axis=0)
    assert inside(x, y, corners).tolist() == (np.abs(winding) > np.pi).tolist()


def test_a_line_or_nothing_holds_nothing() -> None:
    x = y = np.array([0.0])
    assert not inside(x, y, np.empty((0, 2))).any()
    assert not inside(x, y, SQUARE[:2]).any()


def test_many_points_and_corners_take_little_time() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (2, 100_000)).astype(np.float32)
    turn = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    circle = 0.8 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    began = time.process_time()
    chosen = inside(x, y, circle)
    assert time.process_time() - began < 0.5  # some 15 ms on a quiet machine
    assert abs(int(chosen.sum()) - int((np.hypot(x, y) < 0.8).sum())) < 50


def test_a_smart_playlist_asks_its_question_now(library: Library) -> None:
    ids = make_tracks(library, 10)
    rule = Rule("artist:a", ((0, -1), (1, -1), (1, 0), (0, 0)), "title", descending=True)
    assert songs_of(library.index, rule).tolist() == []
    rate(library, *ids[:4])  # calm: valence 0.4, arousal -0.4
    assert songs_of(library.index, rule).tolist() == ids[3::-1]
    assert songs_of(library.index, rule, also="title:2", sort="path").tolist() == [ids[2]]
    assert songs_of(library.index, Rule(sort="no such column")).tolist() != []
    with pytest.raises(QueryError):
        songs_of(library.index, Rule("year:nonsense"))
    assert LibraryIndex().within(rule.region).tolist() == []
