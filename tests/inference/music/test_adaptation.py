"""Getting used to a library undoes a shift that all its songs share, and little else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.features import SongFeatures
from inference.packing import PackingError
from inference.pipelines.adaptation import FEWEST_SONGS, Familiar, LibraryStatistics, Usual

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


def usual(middle: float = 0.0) -> Usual:
    one = np.ones
    row, song = np.full(R, middle, np.float32), np.full(K, middle, np.float32)
    return Usual(row, one(R, np.float32), song, one(K, np.float32))


def familiar(far: float = 3.0, moods: NDArray[np.float32] | None = None) -> Familiar:
    """Training songs about 0, about `far` by other instruments; moods differ in nothing."""
    none = np.zeros((R + K, 1), np.float32)
    return Familiar(usual(), usual(far), none if moods is None else moods)


def known(library: LibraryStatistics | None) -> LibraryStatistics:
    assert library is not None
    return library


def test_a_handful_of_songs_is_no_library() -> None:
    assert LibraryStatistics.of(songs(FEWEST_SONGS - 1)) is None
    assert LibraryStatistics.of(songs(FEWEST_SONGS)) is not None


def test_larger_libraries_count_for_more() -> None:
    small, large = (
        known(LibraryStatistics.of(songs(n, shift=2.0))).share(familiar()) for n in (30, 60)
    )
    assert 0.0 < small < large < 1.0
    assert known(LibraryStatistics.of(songs(200, shift=2.0))).share(familiar()) == 1.0


def test_another_kind_of_music_is_brought_to_where_the_model_knows_its_way() -> None:
    library = known(LibraryStatistics.of(songs(400, shift=-2.0)))
    move = library.towards(familiar(far=3.0))
    moved = np.stack([move.song(s.song) for s in songs(400, shift=-2.0)])
    np.testing.assert_allclose(moved.mean(axis=0), 3.0, atol=0.3)
    rows = [move.rows(s.segments[:, :-1].astype(np.float32)) for s in songs(50, -2.0)]
    np.testing.assert_allclose(np.mean(rows, axis=(0, 1)), 3.0, atol=0.6)


def test_a_library_of_the_usual_kind_stays_as_it_is() -> None:
    library = known(LibraryStatistics.of(songs(100, shift=0.3, seed=1)))
    move = library.towards(familiar())
    assert move.share == 0.0
    asked: list[NDArray[np.float32]] = []
    np.testing.assert_array_equal(move.blended(judge(asked), ROWS, SONG), HERE)
    assert len(asked) == 1


def judge(
    asked: list[NDArray[np.float32]],
) -> Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]:
    """Says one thing of `SONG`, another of a moved one; `asked` gets what it was asked about."""

    def said(_rows: NDArray[np.float32], song: NDArray[np.float32]) -> NDArray[np.float32]:
        asked.append(song)
        return HERE if np.array_equal(song, SONG) else MOVED

    return said


ROWS, SONG = np.zeros((9, R), np.float32), np.zeros(K, np.float32)
HERE, MOVED = np.array([[0.0, -4.0]], np.float32), np.array([[-4.0, 0.0]], np.float32)


def test_answers_are_blended_and_not_features() -> None:
    library = known(LibraryStatistics.of(songs(30, shift=-2.0)))
    move = library.towards(familiar(far=3.0))
    assert move.share == pytest.approx(0.75)
    moved = np.stack([move.song(s.song) for s in songs(400, shift=-2.0)])
    np.testing.assert_allclose(moved.mean(axis=0), 3.0, atol=0.6)  # all the way, from 30 songs on
    np.testing.assert_allclose(move.blended(judge([]), ROWS, SONG), [[-3.0, -1.0]])


def test_of_a_large_strange_library_only_moved_songs_are_judged() -> None:
    asked: list[NDArray[np.float32]] = []
    move = known(LibraryStatistics.of(songs(200, shift=-2.0))).towards(familiar())
    np.testing.assert_array_equal(move.blended(judge(asked), ROWS, SONG), MOVED)
    assert len(asked) == 1


def test_a_library_of_one_mood_is_no_other_kind_of_music() -> None:
    """Its songs are off only in the direction in which moods differ."""
    direction = np.full((R + K, 1), 1.0 / np.sqrt(R + K), np.float32)
    calm = known(LibraryStatistics.of(songs(100, shift=1.5)))
    assert calm.share(familiar(moods=direction)) == 0.0
    assert calm.share(familiar()) > 0.5
    assert calm.strangeness(familiar(moods=direction)) < 0.3 < calm.strangeness(familiar())


def test_chance_makes_no_small_library_strange() -> None:
    found = [
        known(LibraryStatistics.of(songs(30, seed=100 * i))).strangeness(familiar())
        for i in range(8)
    ]
    assert max(found) < 0.3


def test_what_training_never_saw_move_stays() -> None:
    still = np.full(K, np.inf, np.float32)
    at = Usual(np.zeros(R, np.float32), np.ones(R, np.float32), np.zeros(K, np.float32), still)
    never = Familiar(at, at, np.zeros((R + K, 1), np.float32))
    library = known(LibraryStatistics.of(songs(40, shift=3.0)))
    vector = songs(1)[0].song
    np.testing.assert_array_equal(library.towards(never).song(vector), vector)


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
