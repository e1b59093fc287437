"""A library whose songs are rows: rated by a common model, and a listener who hears otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from inference.labelling.personal import PersonalMap
from library_db.answers import Answer
from library_db.library import EstimateRow, Library
from library_db.scan import ScanBatch

BASE = "common-model"
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
