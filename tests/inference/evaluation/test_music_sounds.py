"""Rows of the detector's table, on made-up songs: kinds are held out, figures say what is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.datasets import MusicSet
from inference.datasets.base import DatasetInfo, MusicClip
from inference.emotion import QUADRANTS
from inference.evaluation.music_sounds import sound_rows
from inference.training.music_best_folds import Material
from inference.training.music_best_head import Clips
from inference.training.music_best_sounds import kind_of

pytestmark = pytest.mark.training

N, K = 80, 9


def songs(off: float, seed: int) -> Clips:
    x = np.random.default_rng(seed).normal(size=(N, K)).astype(np.float32)
    x[:, 3:] += np.float32(off)
    return Clips(np.zeros((N, 5, 4), np.float32) + x[:, None, :4], x, np.arange(N) % 4)


def rows(off: float) -> dict[tuple[str, str], tuple[float, float, float]]:
    clips = tuple(
        MusicClip(str(i), Path("x"), QUADRANTS[i % 4], str(i // 4), 1.0, "") for i in range(N)
    )
    data = MusicSet(DatasetInfo("m", "M", "", "", ""), Path("m"), clips)
    sounds = songs(off, 3).song[:36]
    return {
        (str(r["condition"]), str(r["measure"])): (r["low"], r["value"], r["high"])  # type: ignore[misc]
        for r in sound_rows(data, Material(songs(0.0, 1), (songs(0.0, 2),)), sounds)
    }


def test_what_differs_is_told_apart_and_every_kind_has_its_rows() -> None:
    found = rows(off=6.0)
    assert found["music, artists held out", "taken for music"][1] > 0.95
    kinds = {kind_of(i) for i in range(36)}
    assert len(kinds) == 9
    for kind in kinds:
        assert found[f"{kind}, this kind held out", "taken for music"][1] < 0.2
    assert all(low <= value <= high for low, value, high in found.values())


def test_what_does_not_differ_is_not_told_apart() -> None:
    music = rows(off=0.0)["music, artists held out", "taken for music"][1]
    assert music < 0.7
