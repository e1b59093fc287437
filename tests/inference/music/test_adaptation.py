"""Getting used to a library undoes a shift that all its songs share, and little else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.packing import PackingError
from inference.pipelines.adaptation import FEWEST_SONGS, LibraryStatistics, Usual

R, K = 4, 6


def songs(
    count: int, shift: float = 0.0, seed: int = 0, front_end: str = "f"
) -> list[SongFeatures]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rows = rng.normal(size=R) + shift + 0.1 * rng.normal(size=(9, R))
        segments = np.column_stack([rows, np.ones(9)]).astype(np.float16)
        vector = (rng.normal(size=K) + shift).astype(np.float32)
        made.append(SongFeatures(front_end, 54.0, 6.0, segments, vector))
    return made


def trained() -> Usual:
    one = np.ones
    return Usual(
        np.zeros(R, np.float32), one(R, np.float32), np.zeros(K, np.float32), one(K, np.float32)
    )


def known(library: LibraryStatistics | None) -> LibraryStatistics:
    assert library is not None
    return library


def test_a_handful_of_songs_is_no_library() -> None:
    assert LibraryStatistics.of(songs(FEWEST_SONGS - 1)) is None
    assert LibraryStatistics.of(songs(FEWEST_SONGS)) is not None


def test_larger_libraries_count_for_more() -> None:
    small, large = (known(LibraryStatistics.of(songs(n))).share for n in (30, 300))
    assert 0.0 < small < large < 1.0


def test_a_shift_of_the_whole_library_is_mostly_undone() -> None:
    library = known(LibraryStatistics.of(songs(400, shift=2.0)))
    moved = np.stack([library.song(s.song, trained()) for s in songs(400, shift=2.0)])
    assert np.abs(moved.mean(axis=0)).max() < 1.0
    rows = np.stack(
        [library.rows(s.segments[:, :-1].astype(np.float32), trained()) for s in songs(50, 2.0)]
    )
    assert np.abs(rows.mean(axis=(0, 1))).max() < 1.2


def test_without_a_shift_hardly_anything_moves() -> None:
    library = known(LibraryStatistics.of(songs(400, seed=1)))
    vector = songs(1, seed=2)[0].song
    np.testing.assert_allclose(library.song(vector, trained()), vector, atol=0.25)


def test_what_training_never_saw_move_stays() -> None:
    usual = trained()
    still = Usual(usual.row_mean, usual.row_scale, usual.song_mean, np.full(K, np.inf, np.float32))
    library = known(LibraryStatistics.of(songs(40, shift=3.0)))
    vector = songs(1)[0].song
    np.testing.assert_array_equal(library.song(vector, still), vector)


def test_statistics_are_read_back() -> None:
    library = known(LibraryStatistics.of(songs(31)))
    again = LibraryStatistics.from_bytes(library.to_bytes())
    assert (again.front_end, again.songs) == ("f", 31)
    for one, other in zip(vars_of(again.usual), vars_of(library.usual), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(PackingError):
        LibraryStatistics.from_bytes(library.to_bytes()[:-8])


def vars_of(usual: Usual) -> list[NDArray[np.float32]]:
    return [usual.row_mean, usual.row_scale, usual.song_mean, usual.song_scale]


def test_features_of_two_front_ends_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        LibraryStatistics.of([*songs(30), *songs(1, front_end="other")])
