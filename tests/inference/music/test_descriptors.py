"""Rhythm, harmony and timbre say of simple sounds what anyone would hear in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.cells import Windows, fine_means, joined, windowed
from inference.audio.descriptors import describe, descriptor_count
from inference.audio.rhythm import RhythmCells, percussive_share, rhythm_cells, tempo_bpm
from inference.audio.spectra import CELL_FRAMES, FS_HZ, Level, Spectra
from inference.audio.timbre import timbre_cells
from inference.audio.tonal import best_key, tonal_cells, tonal_features

Array = NDArray[np.float32]
C, D, E, F, G, A, B = 0, 2, 4, 5, 7, 9, 11


def seconds(duration_s: float) -> NDArray[np.float64]:
    return np.arange(round(duration_s * FS_HZ)) / FS_HZ


def tone(hz: float, duration_s: float, partials: int = 6) -> Array:
    t = seconds(duration_s)
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, partials + 1))
    edge = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.01)
    return np.asarray(wave * edge, np.float32)


def chord(notes: list[int], duration_s: float, lowest_hz: float = 261.63) -> Array:
    return np.asarray(sum(tone(lowest_hz * 2 ** (n / 12), duration_s) for n in notes), np.float32)


def clicks(bpm: float, duration_s: float) -> Array:
    x = np.zeros(round(duration_s * FS_HZ), np.float32)
    burst = np.random.default_rng(0).normal(size=400) * np.exp(-np.arange(400) / 80)
    for at in np.arange(0.1, duration_s - 0.1, 60.0 / bpm):
        start = round(at * FS_HZ)
        x[start : start + 400] += burst
    return x


def brought_to_level(x: Array) -> Spectra:
    return Spectra.of(x * np.float32(Level().heard(x).gain))


def whole(cells: RhythmCells) -> RhythmCells:
    n = len(cells.onset)
    return windowed(cells, Windows.over(n, n, 1))


def noise(duration_s: float, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(size=round(duration_s * FS_HZ)).astype(np.float32)


@pytest.mark.parametrize("bpm", [75.0, 100.0, 126.0])
def test_tempo_of_a_click_track(bpm: float) -> None:
    cells = rhythm_cells(brought_to_level(clicks(bpm, 18.0)))
    assert tempo_bpm(whole(cells))[0] == pytest.approx(bpm, rel=0.05)


def test_onsets_are_counted() -> None:
    peaks = whole(rhythm_cells(brought_to_level(clicks(120.0, 18.0)))).peaks[0, 4, 0]
    assert peaks * 62.5 == pytest.approx(2.0, abs=0.2)


def test_clicks_are_drums_and_chords_are_not() -> None:
    def drums(x: Array) -> float:
        power, drum = whole(rhythm_cells(brought_to_level(x))).split[0, 4, :2]
        return float(drum / power)

    assert drums(clicks(120.0, 6.0)) > 0.85
    assert drums(chord([C, E, G], 6.0)) < 0.45
    share = percussive_share(brought_to_level(noise(6.0)).mel)
    assert 0.0 <= share.min() <= share.max() <= 1.0


@pytest.mark.parametrize(
    ("progression", "key"),
    [
        ([[C, E, G], [F, A, 12], [G, B, 14], [C, E, G]], 0),
        ([[A, 12, 16], [D, F, A], [E, 8, B], [A, 12, 16]], 12 + 9),
        ([[7, 11, 14], [0, 4, 7], [2, 6, 9], [7, 11, 14]], 7),
    ],
    ids=["C major", "A minor", "G major"],
)
def test_key_of_a_cadence(progression: list[list[int]], key: int) -> None:
    x = np.concatenate([chord(notes, 1.6) for notes in progression])
    cells = tonal_cells(brought_to_level(x))
    window = windowed(cells, Windows.over(len(cells.chroma), len(cells.chroma), 1))
    assert best_key(window)[0] == key


def test_minor_and_major_chords_are_told_apart() -> None:
    major, minor = (tonal_cells(brought_to_level(chord([C, third, G], 6.2))) for third in (4, 3))
    assert major.chords[:, 0, 0].mean() > 0.9  # share of major triads
    assert minor.chords[:, 1, 0].mean() > 0.9


def test_transposing_hardly_changes_the_harmony() -> None:
    progression = [[C, E, G], [A, 12, 16], [F, A, 12], [G, B, 14]]
    low, high = (
        np.concatenate([chord([n + up for n in notes], 1.6) for notes in progression])
        for up in (0, 2)
    )
    one, other = (
        tonal_features(windowed(c, Windows.over(len(c.chroma), len(c.chroma), 1)))[0]
        for c in (tonal_cells(brought_to_level(x)) for x in (low, high))
    )
    mode = slice(0, 1)  # best major less best minor key
    assert one[mode] == pytest.approx(other[mode], abs=0.05)
    assert np.corrcoef(one, other)[0, 1] > 0.98


def test_a_minor_second_is_rougher_than_a_fifth() -> None:
    rough, smooth = (
        tonal_cells(brought_to_level(chord([C, up], 6.2))).sound[:, 0].mean() for up in (1, 7)
    )
    assert rough > 1.5 * smooth


def test_bright_noise_has_the_higher_centroid_and_tones_the_higher_contrast() -> None:
    hiss = np.diff(noise(6.2)).astype(np.float32)
    hum = np.cumsum(noise(6.2)).astype(np.float32)
    hum -= np.convolve(hum, np.ones(801) / 801, mode="same").astype(np.float32)
    bright, dark = (timbre_cells(brought_to_level(x)).shape[:, 0, 0].mean() for x in (hiss, hum))
    assert bright > dark + 1.0  # octaves
    clear, blurred = (
        timbre_cells(brought_to_level(x)).contrast[:, 2:4, 0].mean()
        for x in (chord([C, E, G], 6.2), noise(6.2))
    )
    assert clear > blurred + 0.5


def busy_music() -> Array:
    progression = [[C, E, G], [A, 12, 16], [F, A, 12], [G, B, 14]]
    tones = np.concatenate([chord(notes, 1.6) for notes in progression])
    return np.asarray(0.1 * tones + 0.5 * clicks(120.0, 6.4)[: len(tones)], np.float32)


@pytest.mark.parametrize("gain_db", [-12.0, -6.0, 6.0])
def test_descriptors_do_not_hear_the_volume(gain_db: float) -> None:
    x = busy_music()
    changed = x * np.float32(10 ** (gain_db / 20))
    np.testing.assert_allclose(
        describe(brought_to_level(x)), describe(brought_to_level(changed)), atol=2e-2
    )


def test_silence_and_the_shortest_sound_are_described() -> None:
    silence = describe(Spectra.of(np.zeros(CELL_FRAMES * 256, np.float32)))
    assert silence.shape == (descriptor_count(),)
    assert np.isfinite(silence).all()
    assert np.isfinite(describe(brought_to_level(busy_music()[: CELL_FRAMES * 256]))).all()


def test_level_ignores_pauses() -> None:
    music = busy_music()
    paused = np.concatenate([music, np.zeros_like(music)])
    assert Level().heard(paused).gain == pytest.approx(Level().heard(music).gain, rel=0.02)
    assert Level().gain == 1.0


class _One(NamedTuple):
    values: Array


def test_window_means_are_means_of_frames() -> None:
    frames = np.random.default_rng(1).normal(size=(5 * CELL_FRAMES + 7, 3)).astype(np.float32)
    cells = fine_means(frames)
    assert len(cells) == 5
    window = windowed(_One(cells), Windows(np.array([1]), np.array([4]))).values
    direct = frames[CELL_FRAMES : 4 * CELL_FRAMES].mean(axis=0)
    np.testing.assert_allclose(window[0], direct, atol=1e-5)


def test_cells_of_parts_join() -> None:
    one, two = (rhythm_cells(brought_to_level(clicks(b, 7.0))) for b in (90.0, 140.0))
    both = joined([one, two])
    assert len(both.onset) == len(one.onset) + len(two.onset)
    np.testing.assert_array_equal(both.pulse[len(one.pulse) :], two.pulse)


def test_the_last_window_ends_with_the_song() -> None:
    windows = Windows.over(13, 10, 10)
    assert windows.start.tolist() == [0, 3]
    assert windows.stop.tolist() == [10, 13]
    assert Windows.over(4, 10, 10).stop.tolist() == [4]
