"""A library whose songs are rows: rated by a common model, and a listener who hears otherwise."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np

from inference.audio.features import SongFeatures
from inference.catalog import find
from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from inference.labelling.personal import PersonalMap
from inference.pipelines.undertone import Reduction
from library_db.answers import Answer
from library_db.library import EstimateRow, Library
from library_db.scan import ScanBatch

BASE = "common-model"
SHIPPED = "undertone-music"
LISTENER = PersonalMap(np.array([[-0.5, 0.9, 0.4], [-0.9, -0.5, -0.4]]))


def fill(library: Library, count: int = 120, seed: int = 0) -> list[int]:
    """Enter and rate `count` songs; returns their ids."""
    rows = [
        {"path": os.fsencode(f"/music/{n:04}.mp3"), "audio_hash": f"audio{n}", "title": f"Song {n}",
         "size_bytes": 1000, "mtime_ns": 1, "added_s": 1.0}
        for n in range(count)
    ]  # fmt: skip
    library.write_scan(ScanBatch(added=rows))
    ids = sorted(int(i) for i in library.search(""))
    common = np.random.default_rng(seed).dirichlet(np.full(4, 0.8), size=count)
    library.set_estimates(
        [
            EstimateRow(i, "common", EmotionEstimate.from_probabilities(p, p.max(), BASE))
            for i, p in zip(ids, common, strict=True)
        ]
    )
    return ids


def heard_by_listener(library: Library, track_id: int) -> Quadrant:
    common = library.emotion(track_id).common
    assert common is not None
    return QUADRANTS[int(LISTENER.rate([common.probabilities])[0].argmax())]


def answer_on(library: Library, track_id: int, word: Quadrant, at_s: float = 1e9) -> Answer:
    track, common = library.track(track_id), library.emotion(track_id).common
    assert track is not None
    assert common is not None
    return Answer(track_id, track.audio_hash, at_s, 30.0, common.quadrant, common, word)


def folder_text(folder: Path) -> bytes:
    """All bytes of all files below `folder`."""
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@functools.cache
def front_end() -> str:
    """Of the shipped model, whose stored features `fill_with_features` imitates."""
    return find(SHIPPED).card.front_end


def fill_with_features(library: Library, count: int = 120, seed: int = 0) -> list[int]:
    """As `fill`, rated by the shipped model, with stored features; returns the ids."""
    rows = [
        {"path": os.fsencode(f"/music/{n:04}.mp3"), "audio_hash": f"audio{n}", "title": f"Song {n}",
         "size_bytes": 1000, "mtime_ns": 1, "added_s": 1.0}
        for n in range(count)
    ]  # fmt: skip
    library.write_scan(ScanBatch(added=rows))
    ids = sorted(int(i) for i in library.search(""))
    rng = np.random.default_rng(seed)
    reduction = Reduction.load(find(SHIPPED).files["reduction"])
    scale = np.where(np.isfinite(reduction.song_scale), reduction.song_scale, 0.0)
    kind = rng.normal(size=(4, len(scale)))
    estimates = []
    for track_id, p in zip(ids, rng.dirichlet(np.full(4, 0.8), size=count), strict=True):
        z = rng.normal(size=(6, reduction.components.shape[1]))
        segments = np.column_stack([reduction.row_mean + reduction.row_scale * z, np.ones(6)])
        song = reduction.song_mean + scale * (p @ kind + 0.5 * rng.normal(size=len(scale)))
        features = SongFeatures(
            front_end(), 36.0, 6.0, segments.astype(np.float16), song.astype(np.float32)
        )
        estimate = EmotionEstimate.from_probabilities(p, float(p.max()), SHIPPED)
        estimates.append(
            EstimateRow(
                track_id, "common", estimate, features=features.to_bytes(), front_end=front_end()
            )
        )
    library.set_estimates(estimates)
    return ids
