"""Targets from selected words: by the music, by one's own signals, or by the mood alone."""

from __future__ import annotations

import numpy as np

from inference.labelling.pairing import Pairing

CENTRES = np.array([[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0], [-3.0, -3.0, 0]])


def words(n: int = 48, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    return CENTRES[y] + 0.5 * rng.normal(size=(n, 3)), y


def all_of(n: int) -> np.ndarray:
    return np.ones(n, bool)


def test_targets_are_the_means_of_the_kept_songs_of_each_mood() -> None:
    music, y = words()
    wrong = y.copy()
    wrong[:3] = (wrong[:3] + 1) % 4
    paired = Pairing(wrong, y, music).of(all_of(48))
    assert not paired.kept[:3].any()
    for q in range(4):
        mine = paired.kept & (wrong == q)
        np.testing.assert_allclose(paired.targets[mine], music[mine].mean(axis=0)[None].repeat(
            mine.sum(), axis=0))  # fmt: skip


def test_without_the_selection_every_word_is_kept() -> None:
    music, y = words()
    paired = Pairing((y + 1) % 4, y, music, select=False).of(all_of(48))
    assert paired.kept.all()


def test_words_out_of_use_have_no_part() -> None:
    music, y = words()
    use = np.arange(48) < 40
    paired = Pairing(y, y, music).of(use)
    assert not paired.kept[40:].any()
    assert [d is None for d in paired.decisions] == [False] * 40 + [True] * 8
    moved = music.copy()
    moved[40:] = 1e3
    again = Pairing(y, y, moved).of(use)
    np.testing.assert_array_equal(again.targets[:40], paired.targets[:40])


def test_where_a_band_was_worn_the_signals_decide_and_pull_the_targets() -> None:
    music, y = words()
    signals = np.full((48, 3), np.nan)
    felt = (y[:24] + (np.arange(24) < 2)) % 4  # two listenings felt otherwise
    signals[:24] = CENTRES[felt] + 0.3 * np.random.default_rng(1).normal(size=(24, 3))
    paired = Pairing(y, y, music, signals).of(all_of(48))
    assert paired.by_signals.tolist() == [True] * 24 + [False] * 24
    assert not paired.kept[:2].any()
    assert paired.kept[2:].mean() > 0.8
    worn = np.flatnonzero(paired.kept[:24])
    assert len({tuple(t) for t in paired.targets[worn].round(6)}) == len(worn), "pairs of their own"
    unworn = 24 + np.flatnonzero(paired.kept[24:])
    for q in range(4):  # label-matched: one target a mood
        of_mood = paired.targets[unworn[y[unworn] == q]]
        np.testing.assert_allclose(of_mood, of_mood[:1].repeat(len(of_mood), axis=0))


def test_few_sessions_are_compared_by_their_music() -> None:
    music, y = words()
    signals = np.full((48, 3), np.nan)
    signals[:5] = CENTRES[y[:5]]
    assert not Pairing(y, y, music, signals).of(all_of(48)).by_signals.any()


def test_bad_sessions_enter_no_targets() -> None:
    music, y = words()
    barred = np.arange(48) < 6
    paired = Pairing(y, y, music, barred=barred).of(all_of(48))
    assert not paired.kept[:6].any()
    assert all(d is None for d in paired.decisions[:6])


def test_songs_of_which_nothing_is_stored_are_not_decided_on() -> None:
    music, y = words()
    music[:4] = np.nan
    paired = Pairing(y, y, music).of(all_of(48))
    assert all(d is None for d in paired.decisions[:4])
    assert np.isfinite(paired.targets[paired.kept]).all()
