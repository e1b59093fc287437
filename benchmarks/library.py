"""Measures the library at 100,000 tracks: opening, writing, searching, scanning, memory.

    python -m benchmarks.library --out results            # all, about four minutes
    python -m benchmarks.library --only open search       # some, printed only

The machine should be quiet. Scans read from a warm cache: each is done once
before it is measured. Results go to `results/library.csv` and `library.json`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._results import Result, report
from inference.emotion import EmotionEstimate, Quadrant
from inference.job import run_to_end
from library_db.database import Durability
from library_db.emotion_layers import TrackEmotion
from library_db.library import EstimateRow, Library
from library_db.rows import effective_fields, estimate_document
from library_db.scan import scan
from library_db.storage import Document

TRACKS = 100_000
_WORDS = tuple(
    "love night river fire golden winter dance shadow light heart road silver morning rain blue "  # noqa: SIM905
    "ghost summer wild ocean stone paper mirror broken velvet thunder garden hollow crystal "
    "Straße Señor café Björk déjà naïve Ænima Übermut".split()
)


def make_library(folder: Path, tracks: int = TRACKS, seed: int = 0) -> None:
    """A library database of `tracks` tagged tracks by some 8,000 artists, none of which exists."""
    rng = random.Random(seed)

    def phrase(least: int, most: int) -> str:
        return " ".join(rng.choice(_WORDS) for _ in range(rng.randint(least, most))).title()

    artists = [f"{'The ' if i % 5 == 0 else ''}{phrase(1, 3)} {i}" for i in range(tracks // 12 + 1)]
    with Library.open(folder) as library, library.store.commit(Durability.BULK) as revision:
        documents, estimates = [], []
        for i in range(tracks):
            artist = artists[i // 12]
            album = f"{artists[i // 12].split()[0]} {phrase(1, 2)}" if i % 12 == 0 else album  # noqa: F821
            weights = [rng.random() ** 2 + 0.01 for _ in range(4)]
            estimate = EmotionEstimate.from_probabilities(
                weights, max(weights) / sum(weights), "undertone-music"
            )
            document = {
                "path": f"/music/{artist}/{album}/{i % 12 + 1:02d} {phrase(2, 4)}.mp3".encode(),
                "audio_hash": f"{rng.getrandbits(24):x}-{rng.getrandbits(128):032x}",
                "payload_hash": f"{rng.getrandbits(24):x}-{rng.getrandbits(160):040x}",
                "title": phrase(1, 4), "artist": artist, "album": album, "genre": phrase(1, 1),
                "year": rng.randint(1955, 2026), "track_no": i % 12 + 1,
                "duration_s": rng.uniform(90, 420), "fs_hz": 44100, "channels": 2,
                "bitrate_kbps": rng.choice((128, 192, 256, 320)), "format": "MP3", "has_cover": 1,
                "mtime_ns": 1_700_000_000_000_000_000 + i, "size_bytes": 4_000_000 + i,
                "added_s": 1.7e9 + i, "common_model": "undertone-music", "rev": revision,
                **effective_fields(TrackEmotion(common=estimate)),
            }  # fmt: skip
            documents.append(Document(document, i + 1))
            estimates.append(Document(estimate_document(estimate), i + 1))
        library.store.tracks.insert_multiple(documents)
        library.store.common.insert_multiple(estimates)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure_open(folder: Path) -> Iterator[Result]:
    """A fresh process each time: imports, integrity check, index, first sorted list."""
    program = (
        "import sys, time, resource; started = time.perf_counter()\n"
        "from pathlib import Path; from library_db.library import Library\n"
        "library = Library.open(Path(sys.argv[1])); first = len(library.search(''))\n"
        "seconds = time.perf_counter() - started; cpu = time.process_time()\n"
        "for sort in ('title', 'album', 'mood', 'year'): library.search('', sort=sort)\n"
        "library.search('love mood:calm'); library.search('path:love')\n"
        "rss = int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize()\n"
        "print(seconds, rss, first, cpu); library.close()\n"
    )
    runs = []
    for _ in range(5):
        out = subprocess.run(
            [sys.executable, "-c", program, str(folder)], check=True, capture_output=True, text=True
        ).stdout.split()
        runs.append((float(out[0]), int(out[1]), int(out[2]), float(out[3])))
    assert all(count == TRACKS for _, _, count, _ in runs)
    seconds = float(np.median([run[0] for run in runs]))
    cpu = float(np.median([run[3] for run in runs]))
    yield Result(
        "open_to_usable_index", seconds, "s", 1.5,
        f"median of 5 processes, with imports and check; {cpu:.2f} s of CPU with the interpreter",
    )  # fmt: skip
    memory = max(run[1] for run in runs) / 2**20
    yield Result("resident_memory", memory, "MiB", 300, "after sorting by 5 keys, without window")


def measure_writes(folder: Path) -> Iterator[Result]:
    with Library.open(folder) as library:
        library.search("")
        ids = random.Random(1).sample(range(1, TRACKS + 1), 200)
        times = [timed(lambda i=i: library.correct(i, Quadrant.LAHV)) for i in ids]  # type: ignore[misc]
        p95 = 1000 * float(np.percentile(times, 95))
        yield Result("correction_durable_p95", p95, "ms", 20, "200 corrections, synchronous=FULL")
        estimate = EmotionEstimate((0.1, 0.2, 0.3, 0.4), 0.4, "bench")
        blob, timeline = os.urandom(16_000), os.urandom(1_000)
        runs = []
        for k in range(5):
            rows = [
                EstimateRow(i, "common", estimate, timeline, blob, "bench", "ab" * 20)
                for i in range(1 + 1000 * k, 1001 + 1000 * k)
            ]
            runs.append(timed(lambda rows=rows: library.set_estimates(rows)))  # type: ignore[misc]
        yield Result(
            "write_1000_results", float(np.median(runs)), "s", 0.5, "with 16 kB features each"
        )


def measure_search(folder: Path) -> Iterator[Result]:
    queries = (
        "", "l", "love", "love night", "mood:calm year:1990-1999 -rain", "artist:golden",
        'artist:"the ocean" OR album:velvet', "valence:>0.3 conf:<0.5", "path:music/the", "cafe",
    )  # fmt: skip
    with Library.open(folder) as library:
        worst, where = 0.0, ""
        for sort in ("artist", "title", "mood", "year", "path"):
            library.search("", sort=sort)
            for query in queries:
                for descending in (False, True):
                    run = lambda: library.search(query, sort=sort, descending=descending)  # noqa: B023, E731
                    run()
                    seconds = float(np.median([timed(run) for _ in range(5)]))
                    if seconds > worst:
                        worst, where = seconds, f"worst: {query!r} by {sort}"
        yield Result("query_and_sort", 1000 * worst, "ms", 50, where)
        fresh = []
        for i in range(1, 11):
            library.correct(i, Quadrant.LALV)
            fresh.append(timed(lambda: library.search("love", sort="valence")))
        yield Result(
            "query_and_sort_after_a_correction", 1000 * float(np.median(fresh)), "ms", 50, ""
        )


def measure_rescan(folder: Path) -> Iterator[Result]:
    """50,000 files, hard links to some real ones; none changed since the last scan."""
    music = folder / "many"
    model = _real_mp3(folder / "model.mp3", 0.2, seed=0)
    for i in range(50_000):
        album = music / f"artist {i // 100:03d}" / f"album {i // 10 % 10}"
        if i % 10 == 0:
            album.mkdir(parents=True, exist_ok=True)
        os.link(model, album / f"{i % 10:02d} song.mp3")
    with Library.open(folder / "home") as library:
        first = timed(lambda: run_to_end(scan(library, [music])))
        times = []
        for _ in range(3):
            report = None
            started = time.perf_counter()
            report = run_to_end(scan(library, [music]))
            times.append(time.perf_counter() - started)
            assert report.unchanged == 50_000, report
        yield Result(
            "rescan_50000_unchanged", float(np.median(times)), "s", 3.0,
            f"first scan of the same small files {first:.1f} s",
        )  # fmt: skip


def measure_cold_scan(folder: Path) -> Iterator[Result]:
    """Real MP3s of at least 4 MB with tags and a cover, different audio each, read before."""
    from library_db.tags import write_basic_tags

    music = folder / "large"
    music.mkdir()
    one = _real_mp3(folder / "one.mp3", 30.0, seed=1).read_bytes()
    cover = os.urandom(60_000)
    copies = -(-4_200_000 // len(one))
    for i in range(300):
        path = music / f"{i:03d}.mp3"
        # MP3 frames may be joined; another start makes another audio.
        path.write_bytes(one[417 * (i % 50) :] + one * (copies - 1) + one[: 417 * i])
        write_basic_tags(
            path, title=f"Song {i}", artist=f"Artist {i // 10}", album=f"Album {i // 10}",
            genre="Test", year=1990 + i % 30, track_no=i % 10 + 1, cover_png=cover,
        )  # fmt: skip
        assert path.stat().st_size >= 4_000_000
        path.read_bytes()
    rates = []
    for run in range(3):
        with Library.open(folder / f"cold{run}") as library:
            report = run_to_end(scan(library, [music]))
            assert report.added == 300, report
            rates.append(300 / report.seconds)
    rate = float(np.median(rates))
    detail = "300 MP3s of 4 MB, warm cache"
    yield Result("cold_scan_large_mp3", rate, "files/s", 150, detail, at_least=True)


def _real_mp3(path: Path, duration_s: float, seed: int) -> Path:
    import soundfile

    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (round(44100 * duration_s), 2))
    soundfile.write(path, noise.astype(np.float32), 44100, format="MP3", subtype="MPEG_LAYER_III")
    return path


_PARTS: dict[str, Callable[[Path], Iterator[Result]]] = {
    "open": measure_open,
    "writes": measure_writes,
    "search": measure_search,
    "rescan": measure_rescan,
    "cold": measure_cold_scan,
}


def measure(names: list[str]) -> Iterator[Result]:
    """The figures of these parts."""
    folder = Path(tempfile.mkdtemp(prefix="undertone-bench-"))
    try:
        if {"open", "writes", "search"} & set(names):
            print(f"making {TRACKS} tracks ...", flush=True)
            make_library(folder / "library")
        for name in names:
            work = folder / name
            if name in ("open", "writes", "search"):
                work = folder / "library"
            else:
                work.mkdir()
            yield from _PARTS[name](work)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="folder for library.csv and library.json")
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), default=list(_PARTS))
    args = parser.parse_args()
    about = {"tracks": TRACKS, "sqlite": sqlite3.sqlite_version, "numpy": np.__version__}
    return report("library", measure(args.only), args.out, about=about)


if __name__ == "__main__":
    sys.exit(main())
