"""Tiny data sets in the layouts that the loaders read, synthesised: seconds of sound and signal."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

from inference.emotion import QUADRANTS

FS_HZ = 16000


def tune(quadrant: int, seed: int, duration_s: float) -> np.ndarray:
    """A tune whose brightness and density follow the quadrant: learnable, not music."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration_s * FS_HZ)) / FS_HZ
    loud = 0.4 if quadrant < 2 else 0.1
    root_hz = 220.0 * (1.0 + (quadrant % 2 == 0)) * rng.uniform(0.95, 1.05)
    beat = np.abs(np.sin(2 * np.pi * (3.0 if quadrant < 2 else 0.7) * t))
    chord = sum(np.sin(2 * np.pi * root_hz * r * t) for r in (1.0, 1.25, 1.5))
    noise = rng.normal(size=len(t)) * (0.1 if quadrant < 2 else 0.01)
    return (loud * (beat * chord / 3 + noise)).astype(np.float32)


def write_music4q(
    root: Path, *, clips: int = 16, artists: int = 8, duration_s: float = 3.0, seed: int = 0
) -> Path:
    """A music4q folder: balanced quadrants, two clips an artist by default."""
    (root / "audio").mkdir(parents=True)
    rows = []
    for i in range(clips):
        quadrant = i % 4
        soundfile.write(root / f"audio/{i:03d}.wav", tune(quadrant, seed + i, duration_s), FS_HZ)
        rows.append([f"{i:03d}", QUADRANTS[quadrant].value, f"artist{i % artists}", "0.75", "Pop"])
    _write(
        root / "labels.csv",
        [["clip", "quadrant", "artist_group", "tag_agreement", "genres"], *rows],
    )
    return root


def signals(
    quadrant: int, seed: int, duration_s: float, fs_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """GSR (microsiemens) and PPG whose level and rate follow the quadrant."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration_s * fs_hz)) / fs_hz
    gsr = np.exp(0.5 * (quadrant < 2) + 0.05 * np.cumsum(rng.normal(size=len(t))) / np.sqrt(fs_hz))
    rate_hz = 1.5 if quadrant % 2 == 0 else 1.0
    ppg = np.sin(2 * np.pi * rate_hz * t) ** 3 * 50.0 + rng.normal(size=len(t))
    return gsr, ppg


def write_hku956(
    root: Path, *, listeners: int = 4, songs: int = 8, duration_s: float = 15.0
) -> Path:
    """An HKU956 folder in its original layout."""
    ratings = [
        (
            "participant_id song_no song_id valence_rating valence "
            "arousal_rating arousal play_duration"
        ).split()
    ]
    for p in range(listeners):
        for order in range(songs):
            quadrant = (order + p) % 4
            folder = root / "1. physiological_signals" / f"hku{p:04d}"
            name = f"{order}_{1000 + order}.csv"
            for kind, fs_hz, which in (("EDA", 4.0, 0), ("BVP", 64.0, 1)):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                x = signals(quadrant, 100 * p + order, duration_s, fs_hz)[which]
                (folder / kind / name).write_text("\n".join(f"{v:.6f}" for v in x) + "\n")
            ratings.append(
                [
                    f"hku{p:04d}",
                    str(order),
                    str(1000 + order),
                    "5.0" if quadrant % 2 == 0 else "-5.0",
                    "x",
                    "4.0" if quadrant < 2 else "-4.0",
                    "x",
                    str(int(duration_s)),
                ]
            )
    _write(root / "3. AV_ratings.csv", ratings)
    return root


def write_recordings(root: Path, *, listeners: int = 2, songs: int = 4) -> Path:
    """A recordings folder with a manifest."""
    root.mkdir(parents=True, exist_ok=True)
    rows = [["listener", "song", "quadrant", "gsr", "ppg", "audio", "fs_hz"]]
    for p in range(listeners):
        for s in range(songs):
            gsr, ppg = signals(s % 4, 10 * p + s, 5.0, 128.0)
            for kind, x in (("gsr", gsr), ("ppg", ppg)):
                (root / f"{p}_{s}_{kind}.csv").write_text("\n".join(f"{v:.5f}" for v in x))
            rows.append(
                [
                    f"L{p}",
                    f"S{s}",
                    QUADRANTS[s % 4].value,
                    f"{p}_{s}_gsr.csv",
                    f"{p}_{s}_ppg.csv",
                    "",
                    "128",
                ]
            )
    _write(root / "manifest.csv", rows)
    return root


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
