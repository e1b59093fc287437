"""What the library's tests share: quick files, whole scans, estimates."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.emotion import EmotionEstimate
from inference.job import run_to_end
from library_db.library import EstimateRow, Library
from library_db.scan import ScanReport, scan
from tests.audio_files import write_audio

_frequencies = itertools.count(200)


def song(path: Path, *, title: str = "Song", artist: str = "Artist", **tags: object) -> Path:
    """A short MP3 whose audio no other one has."""
    return write_audio(
        path, duration_s=0.3, fs_hz=16000, channels=1, frequency_hz=float(next(_frequencies)),
        title=title, artist=artist, **tags,
    )  # fmt: skip


def scanned(library: Library, *paths: Path) -> ScanReport:
    return run_to_end(scan(library, paths))


def estimate(*probabilities: float, model_id: str = "m1") -> EmotionEstimate:
    chosen = probabilities or (0.1, 0.2, 0.6, 0.1)
    return EmotionEstimate.from_probabilities(chosen, max(chosen) / sum(chosen), model_id)


def rate(library: Library, *ids: int, model_id: str = "m1") -> None:
    library.set_estimates(
        [
            EstimateRow(i, "common", estimate(model_id=model_id), b"timeline", b"features", "fe")
            for i in ids
        ]
    )


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Nobody may read `path` meanwhile; as root, who may read all, the caller should skip."""
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(mode)


def is_root() -> bool:
    return os.geteuid() == 0


def make_tracks(library: Library, count: int) -> list[int]:
    """Tracks without files, straight into the database; returns their ids."""
    from library_db.files import ScanBatch

    batch = ScanBatch(
        added=[
            {"path": f"/music/{i:05d}.mp3".encode(), "title": f"Song {i}", "artist": f"A {i % 7}",
             "audio_hash": f"h{i}", "size_bytes": 1000, "mtime_ns": i, "added_s": float(i),
             "scan_error": None}
            for i in range(count)
        ]
    )  # fmt: skip
    return list(library.write_scan(batch).added)
