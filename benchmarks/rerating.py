"""Measures `undertone tag` after an update of the model: songs rated again without decoding.

    python -m benchmarks.rerating                  # 10,000 songs, two workers
    python -m benchmarks.rerating --songs 1000 --jobs 1

One song of three minutes is analysed; the library then holds its features for every song, on
files that hold no audio, so that nothing could be decoded. Clock seconds of the whole run: scan,
worker start, learning what is usual in the library (without it: --no-adapt), rating, writing;
and the processor's seconds. Results: results/rerating.csv.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from app.tagging import TagOptions, music_model, tag
from benchmarks._results import write
from benchmarks.music import encode, synthetic_music
from inference.job import run_to_end
from inference.runtime import MusicClassifier
from library_db.adaptation import is_adapted
from library_db.files import ScanBatch
from library_db.library import EstimateRow, Library


def fill(library: Library, folder: Path, songs: int, model_id: str | None) -> str:
    """Songs that an older revision has classified; returns the model's id."""
    classifier = MusicClassifier.load(model_id)
    found = classifier.classify(encode(folder / "song.mp3", synthetic_music(180.0), "libmp3lame"))
    music = folder / "music"
    music.mkdir()
    added = []
    for number in range(songs):
        path = music / f"{number:05d}.mp3"
        path.write_bytes(b"x")
        state = path.stat()
        added.append(
            {
                "path": os.fsencode(path),
                "title": f"Song {number}",
                "artist": f"Artist {number % 97}",
                "audio_hash": f"{number:x}",
                "size_bytes": state.st_size,
                "mtime_ns": state.st_mtime_ns,
                "added_s": 1.0,
                "duration_s": found.duration_s,
                "scan_error": None,
            }
        )
    ids = library.write_scan(ScanBatch(added=added)).added
    timeline, features = found.timeline.to_bytes(), found.features.to_bytes()
    library.set_estimates(
        [
            EstimateRow(
                i,
                "common",
                found.estimate,
                timeline,
                features,
                classifier.front_end,
                revision="older",
            )
            for i in ids
        ]
    )
    return classifier.model_id


def processor_s() -> float:
    """Processor seconds of this process and its workers, which a busy machine does not add to."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--model", help="default: the catalogue's best")
    parser.add_argument("--no-adapt", action="store_true", help="the model as it is")
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch) / "home") as library:
        folder = Path(scratch)
        model_id = fill(library, folder, arguments.songs, arguments.model)
        model = replace(music_model(model_id), revision="newer")
        begin, busy = time.perf_counter(), processor_s()
        options = TagOptions(jobs=arguments.jobs, adapt=not arguments.no_adapt)
        report = run_to_end(tag(library, [folder / "music"], options, model=model))
        seconds, busy = time.perf_counter() - begin, processor_s() - busy
        used = sum(is_adapted(track.common_model) for track in library.tracks(library.search("")))
        if (report.done, report.failed) != (arguments.songs, ()):
            raise SystemExit(f"{report.done} of {arguments.songs} songs were rated")
    row = {
        "model": model_id,
        "songs": arguments.songs,
        "jobs": arguments.jobs,
        "adapted_songs": used,
        "seconds": round(seconds, 2),
        "processor_seconds": round(busy, 2),
        "ms_a_song": round(seconds * 1000 / arguments.songs, 3),
    }
    print("  ".join(f"{key}={value}" for key, value in row.items()))
    write(arguments.out, "rerating", [row])


if __name__ == "__main__":
    main()
