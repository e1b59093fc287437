"""Telling music from speech, noise, tones and other sounds that have no mood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from inference.pipelines.undertone import Reduction

__all__ = ["with_detector"]

Songs = NDArray[np.float32]

_MARGIN = 1.4
"""How much surer than even (log-odds) music has to be, since recorded speech and weather lie
further from the made-up sounds than these lie from each other."""


def with_detector(reduction: Reduction, songs: Songs, sounds: Songs) -> Reduction:
    """Teach it to tell the songs' music, shape (n, k), from sounds that are none, shape (m, k)."""
    x = np.concatenate([reduction.song(songs), reduction.song(sounds)])
    is_music = np.arange(len(x)) < len(songs)
    fitted = LogisticRegression(C=1e-2, class_weight="balanced", max_iter=3000).fit(x, is_music)
    return replace(
        reduction,
        music_weight=fitted.coef_[0].astype(np.float32),
        music_bias=(fitted.intercept_[0] - _MARGIN).astype(np.float32).reshape(()),
    )
