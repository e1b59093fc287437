"""Measures whether tagging 1,000 songs in one run lets memory grow, in the worker or beside it.

    python -m benchmarks.growth                                # 1,000 made songs of 40 s
    python -m benchmarks.growth --music ~/Music --seconds 0    # one's own MP3s, whole
    python -m benchmarks.growth --songs 60 --seconds 10        # quick

Each song is a different one: an MP3 with some frames less at its beginning, made without encoding
it anew, so that nothing is recognised as a copy. Memory is what Linux calls resident, read at
each commit; growth is the median of the run's last tenth less that of its second. With 30 songs
what is usual in the library is learned, and the songs are rated anew at the end; that belongs to
the run. Results: results/growth.csv and .json, with the course of the memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from app.tagging import TagOptions, TagReport, tag
from benchmarks._results import Result, report
from benchmarks.music import encode, synthetic_music
from library_db.changes import ChangeSet
from library_db.library import Library

_SOURCES = 8
_FRAME_S = 0.026
_STEP_FRAMES = 7


@dataclass(frozen=True)
class Sample:
    """Resident memory after so many songs, MB; `worker_peak` is the process's own maximum."""

    songs: int
    worker: float
    worker_peak: float
    beside: float


def cut_copy(source: Path, target: Path, skip: int, seconds: float) -> None:
    """Copy an MP3 without its first frames, at most so long; nothing is encoded anew."""
    with av.open(str(source)) as reader, av.open(str(target), "w", format="mp3") as writer:
        stream = reader.streams.audio[0]
        out = writer.add_stream_from_template(stream)
        most = skip + round(seconds / _FRAME_S) if seconds else sys.maxsize
        for number, packet in enumerate(reader.demux(stream)):
            if packet.dts is None or number < skip:
                continue
            if number >= most:
                break
            packet.stream = out
            writer.mux(packet)


def make_songs(folder: Path, music: Path | None, songs: int, seconds: float) -> Path:
    """A folder with so many different MP3s."""
    if music is None:
        length_s = (seconds or 40.0) + _STEP_FRAMES * _FRAME_S * (songs // _SOURCES + 1)
        sources = [
            encode(folder / f"source{seed}.mp3", synthetic_music(length_s, seed), "libmp3lame")
            for seed in range(min(_SOURCES, songs))
        ]
    else:
        sources = sorted(music.rglob("*.mp3"))
        if not sources:
            raise SystemExit(f"there is no MP3 in {music}")
    made = folder / "music"
    made.mkdir()
    for number in range(songs):
        turn, which = divmod(number, len(sources))
        cut_copy(sources[which], made / f"{number:04d}.mp3", turn * _STEP_FRAMES, seconds)
    return made


def resident_mb(pid: int | str, field: str = "VmRSS") -> float:
    """What /proc says of a process's memory, MB; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = status.partition(f"{field}:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


def run(home: Path, music: Path, model_id: str | None) -> tuple[list[Sample], TagReport]:
    """Tag everything with one worker; the memory after each commit while it listens."""
    samples: list[Sample] = []
    listening, heard = 0, 0
    with Library.open(home) as library:
        job = tag(library, [music], TagOptions(model_id=model_id, jobs=1))
        while True:
            try:
                step = next(job)
            except StopIteration as stop:
                return samples, stop.value
            workers = [child.pid for child in multiprocessing.active_children() if child.pid]
            listening = listening or sum(workers[:1])
            if isinstance(step.item, ChangeSet) and listening in workers:  # songs were committed
                heard += len(step.item.touched)
                peak, beside = resident_mb(listening, "VmHWM"), resident_mb("self")
                samples.append(Sample(heard, resident_mb(listening), peak, beside))


def figures(samples: list[Sample], tagged: TagReport) -> Iterator[Result]:
    """Growth and peaks of one run."""
    tenth = max(len(samples) // 10, 1)
    detail = f"{tagged.done} songs, one worker, {tagged.seconds:.0f} s"
    for name, field in (("worker", "worker"), ("program beside it", "beside")):
        values = [getattr(sample, field) for sample in samples]
        early = statistics.median(values[tenth : 2 * tenth])
        late = statistics.median(values[-tenth:])
        said = f"{early:.0f} -> {late:.0f} MB; {detail}"
        yield Result(f"growth of the {name}", late - early, "MB", 15.0, said)
    yield Result("peak of the worker", max(s.worker_peak for s in samples), "MB", 300.0, detail)
    yield Result("songs that failed", len(tagged.failed), "songs", 0, detail)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--music", type=Path, help="a folder with MP3s (default: made ones)")
    parser.add_argument("--songs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=40.0, help="of each song; 0: all of it")
    parser.add_argument("--model", help="default: the catalogue's best")
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        songs = make_songs(folder, arguments.music, arguments.songs, arguments.seconds)
        samples, tagged = run(folder / "home", songs, arguments.model)
    course = samples[:: max(len(samples) // 50, 1)]
    about = {
        "course": [
            {"songs": s.songs, "worker_mb": round(s.worker, 1), "beside_mb": round(s.beside, 1)}
            for s in course
        ]
    }
    return report("growth", figures(samples, tagged), arguments.out, about=about)


if __name__ == "__main__":
    sys.exit(main())
