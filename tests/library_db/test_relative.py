"""Moods within the library: percentiles, quadrants about the medians, and that they keep up."""

from __future__ import annotations

import time

import numpy as np
import pytest

from inference.emotion import QUADRANTS, Quadrant
from library_db.files import ScanBatch
from library_db.library import EstimateRow, Library
from library_db.playlists import Playlist, Rule
from library_db.relative import percentiles, quadrants_about_median
from library_db.smart import songs_of
from tests.library_db.helpers import estimate

CALM = [(0.1, 0.0, 0.6 + step / 100, 0.3 - step / 100) for step in range(0, 20, 2)]
"""Ten songs that are all calm, each more pleasant and more gentle than the one before."""


def _calm_library(library: Library) -> list[int]:
    batch = ScanBatch(
        added=[
            {"path": f"/m/{i}.mp3".encode(), "title": f"t{i}", "size_bytes": 1, "added_s": 1.0}
            for i in range(len(CALM) + 1)
        ]
    )
    ids = list(library.write_scan(batch).added)
    library.set_estimates(
        [
            EstimateRow(i, "common", estimate(happy - k / 200, tense, calm + k / 200, sad))
            for k, (i, (happy, tense, calm, sad)) in enumerate(zip(ids, CALM, strict=False))
        ]
    )
    return ids


def test_a_percentile_is_the_share_of_songs_below() -> None:
    values = np.array([0.3, np.nan, -1.0, 0.3, 0.9], np.float32)
    np.testing.assert_allclose(percentiles(values), [50.0, np.nan, 12.5, 50.0, 87.5])
    assert np.isnan(percentiles(np.array([np.nan], np.float32))).all()
    assert len(percentiles(np.empty(0, np.float32))) == 0


def test_the_middle_counts_as_high_as_zero_does() -> None:
    at = np.array([49.9, 50.0, np.nan], np.float32)
    assert quadrants_about_median(at, at).tolist() == [3, 0, -1]
    assert [QUADRANTS[q] for q in quadrants_about_median(at[:2], at[1::-1]).tolist()] == [
        Quadrant.HALV,
        Quadrant.LAHV,
    ]


def test_a_library_of_calm_songs_alone_spreads_out(library: Library) -> None:
    ids = _calm_library(library)
    assert library.counts()[Quadrant.LAHV] == len(CALM)
    relative = library.counts(relative=True)
    assert relative[None] == 1
    assert relative[Quadrant.HALV] == relative[Quadrant.LAHV] == 5
    assert library.search("mood%:calm", sort="valence").tolist() == ids[5:10]
    assert library.search("valence%:>80").tolist() == ids[8:10]
    places = library.index.relative_of(ids)
    assert ids[-1] not in places
    assert (places[ids[0]].valence, places[ids[0]].quadrant) == (5.0, Quadrant.HALV)
    moods = library.index.columns(relative=True)
    assert moods.valence[9] == pytest.approx(0.9)
    assert moods.quadrant.tolist() == library.index.read(lambda c: c.relative_quadrant).tolist()


def test_percentiles_follow_corrections_and_removals(library: Library) -> None:
    ids = _calm_library(library)
    assert library.index.relative_of(ids[:1])[ids[0]].valence == 5.0
    library.correct(ids[0], Quadrant.HAHV)
    assert library.index.relative_of(ids[:1])[ids[0]].arousal == 95.0
    library.forget(ids[1:6])
    assert library.index.relative_of(ids[6:7])[ids[6]].valence == 30.0
    assert set(library.index.relative_of(ids)) == {ids[0], *ids[6:10]}


def test_a_drawn_part_of_the_relative_plane_is_kept_as_one(library: Library) -> None:
    ids = _calm_library(library)
    half = ((0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0))
    made = library.playlists.put(Playlist("Pleasanter half", rule=Rule("", half, relative=True)))
    kept = library.playlists.get(made).rule
    assert kept is not None
    assert kept.relative
    assert sorted(songs_of(library.index, kept).tolist()) == ids[5:10]
    absolute = Rule("", half)
    assert sorted(songs_of(library.index, absolute).tolist()) == ids[:10]


def test_100_000_songs_are_ranked_once() -> None:
    values = np.random.default_rng(1).normal(0.0, 0.3, 100_000).astype(np.float32)
    begin = time.process_time()
    found = percentiles(values)
    assert time.process_time() - begin < 0.5  # 0.01 s on a quiet machine
    assert found.mean() == pytest.approx(50.0, abs=0.01)
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(values, kind="stable"))
