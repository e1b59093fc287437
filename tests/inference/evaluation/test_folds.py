"""Folds: no group on both sides, whatever is asked for."""

import numpy as np
import pytest

from inference.errors import UndertoneError
from inference.evaluation import (
    Fold,
    Groups,
    LeakError,
    Protocol,
    grouped_folds,
    inner_folds,
    make_folds,
    paper_style_folds,
)


def some_groups(n: int = 120, seed: int = 0) -> tuple[np.ndarray, Groups]:
    rng = np.random.default_rng(seed)
    song = rng.integers(0, 30, n)
    return song % 4, Groups(
        {
            "recording": np.arange(n).astype(str),
            "song": song.astype(str),
            "artist": (song // 2).astype(str),
            "listener": rng.integers(0, 8, n).astype(str),
        }
    )


def test_a_fold_that_shares_an_artist_cannot_be_built() -> None:
    artists = Groups({"artist": np.array(["a", "a", "b", "c"])})
    with pytest.raises(LeakError, match=r"1 artist group.*'a'.*Split by artist"):
        Fold(np.array([0, 2]), np.array([1, 3]), artists)
    assert Fold(np.array([0, 1]), np.array([2, 3]), artists).test.tolist() == [2, 3]


def test_a_fold_that_shares_one_of_two_kinds_of_group_cannot_be_built() -> None:
    groups = Groups({"listener": np.array(["x", "y"]), "song": np.array(["s", "s"])})
    with pytest.raises(LeakError, match="song"):
        Fold(np.array([0]), np.array([1]), groups)


def test_a_sample_on_both_sides_is_refused() -> None:
    groups = Groups({"recording": np.array(["0", "1", "2"])})
    with pytest.raises(LeakError, match="sample 1"):
        Fold(np.array([0, 1]), np.array([1, 2]), groups)


@pytest.mark.parametrize(
    ("train", "test"), [([], [0]), ([0], []), ([0, 9], [1]), ([0, 0], [1]), ([-1], [0])]
)
def test_nonsensical_parts_are_refused(train: list[int], test: list[int]) -> None:
    groups = Groups({"recording": np.array(["0", "1", "2"])})
    with pytest.raises(ValueError, match=r"train|test"):
        Fold(np.array(train, dtype=int), np.array(test, dtype=int), groups)


def test_the_parts_of_a_fold_cannot_be_changed_afterwards() -> None:
    fold = Fold(np.array([0]), np.array([1]), Groups({"song": np.array(["s", "t"])}))
    with pytest.raises(ValueError, match="read-only"):
        fold.train[0] = 1


@pytest.mark.parametrize("protocol", [Protocol.P1, Protocol.P2, Protocol.P3])
def test_every_sample_is_tested_once_and_repeatably(protocol: Protocol) -> None:
    y, groups = some_groups()
    folds = make_folds(protocol, y, groups, n_folds=5, seed=3)
    tested = np.sort(np.concatenate([f.test for f in folds]))
    assert tested.tolist() == list(range(len(y)))
    again = make_folds(protocol, y, groups, n_folds=5, seed=3)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(folds, again, strict=True))


def test_p2_holds_out_artists_where_they_are_known() -> None:
    y, groups = some_groups()
    for fold in make_folds(Protocol.P2, y, groups, n_folds=5, seed=0):
        artist = groups.columns["artist"]
        assert not set(artist[fold.train]) & set(artist[fold.test])


def test_p3_without_a_number_of_folds_leaves_one_listener_out() -> None:
    y, groups = some_groups()
    folds = make_folds(Protocol.P3, y, groups, n_folds=0, seed=0)
    assert len(folds) == 8
    assert all(len(set(groups.columns["listener"][f.test])) == 1 for f in folds)


def test_p4_holds_out_listener_and_song_at_once() -> None:
    y, groups = some_groups()
    folds = make_folds(Protocol.P4, y, groups, n_folds=3, seed=0)
    for fold in folds:
        for kind in ("listener", "song"):
            column = groups.columns[kind]
            assert not set(column[fold.train]) & set(column[fold.test])
    tested = np.concatenate([f.test for f in folds])
    assert len(np.unique(tested)) == len(tested) == len(y)


def test_classes_are_spread_evenly() -> None:
    y, groups = some_groups(400, seed=1)
    for fold in grouped_folds(y, groups.only("song"), n_folds=5, seed=0):
        share = np.bincount(y[fold.test], minlength=4) / len(fold.test)
        assert np.all(np.abs(share - 0.25) < 0.12)
        assert 50 <= len(fold.test) <= 110


def test_inner_folds_never_touch_the_outer_test_part() -> None:
    y, groups = some_groups()
    outer = make_folds(Protocol.P2, y, groups, n_folds=5, seed=0)[1]
    for inner in inner_folds(outer, y, n_folds=3, seed=1):
        assert not set(inner.train) & set(outer.test)
        assert not set(inner.test) & set(outer.test)
        assert set(inner.train) | set(inner.test) == set(outer.train)


def test_the_papers_folds_are_another_type_and_no_protocol() -> None:
    y, groups = some_groups()
    with pytest.raises(LeakError, match="P0"):
        make_folds(Protocol.P0, y, groups, n_folds=5, seed=0)
    folds = paper_style_folds(20, n_folds=4, seed=0)
    assert not isinstance(folds[0], Fold)
    assert sorted(np.concatenate([f.test for f in folds])) == list(range(20))


def test_too_few_groups_say_what_to_do() -> None:
    with pytest.raises(UndertoneError, match=r"2 song group.*fewer folds"):
        grouped_folds([0, 1], Groups({"song": np.array(["a", "b"])}), n_folds=5, seed=0)


def test_a_missing_kind_of_group_says_what_there_is() -> None:
    y, groups = some_groups()
    with pytest.raises(UndertoneError, match=r"listener.*song"):
        make_folds(Protocol.P3, y, groups.only("song"), n_folds=2, seed=0)


def test_fewer_groups_than_would_fill_folds_leave_none_empty() -> None:
    y = np.array([0, 0, 0, 1, 1])
    groups = Groups({"song": np.array(["a", "a", "a", "b", "c"])})
    assert all(len(f.test) for f in grouped_folds(y, groups, n_folds=3, seed=0))
