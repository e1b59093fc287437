"""How long it takes to learn a listener's own model, and whether music plays on meanwhile.

    python -m benchmarks.personal --out results

Ten thousand songs with stored features as the default model makes them, all of it on one core:
learning from 20 answers, learning with networks from 60, rating all songs on each rung. Then a
tone is played through libVLC into a PulseAudio null sink, recorded from its monitor, while
`undertone train personal` learns networks: holes in the tone are counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.paths import home as home_of
from app.personal import PersonalReport, rate_library, train
from app.personal_model import PersonalModel
from app.personal_models import PersonalModels
from app.personal_process import read_line, train_command
from app.playback.vlc_backend import VlcBackend
from benchmarks._results import Result, report
from benchmarks._sound_server import pulse, wait
from inference.audio.features import SongFeatures
from inference.catalog import find
from inference.emotion import QUADRANTS, EmotionEstimate
from inference.job import run_to_end
from inference.labelling.own import OwnHead, OwnParts
from inference.labelling.personal import PLANE, PersonalMap
from inference.labelling.songs import SongSpace, read_songs
from inference.pipelines.undertone import Reduction
from inference.training.personal import HeadTuner, on_one_core
from library_db.answers import Answer, AnswerStore
from library_db.library import EstimateRow, Library
from library_db.scan import ScanBatch

MODEL = "undertone-music"
FEW, MANY = 20, 60
SEGMENTS = 42  # as many as are stored of a long song
_TONE_HZ, _FS_HZ = 441.0, 44100
_HOLE_S = 0.005


def fill(library: Library, count: int) -> list[int]:
    """Enter and rate songs that are rows and features only; returns their ids."""
    rows = [
        {"path": os.fsencode(f"/music/{n:06}.mp3"), "audio_hash": f"audio{n}", "title": f"{n}",
         "size_bytes": 1, "mtime_ns": 1, "added_s": 1.0}
        for n in range(count)
    ]  # fmt: skip
    library.write_scan(ScanBatch(added=rows))
    ids = sorted(int(i) for i in library.search(""))
    model = find(MODEL)
    reduction = Reduction.load(model.files["reduction"])
    scale = np.where(np.isfinite(reduction.song_scale), reduction.song_scale, 0.0)
    rng = np.random.default_rng(0)
    common = rng.dirichlet(np.full(4, 0.8), size=count)
    for start in range(0, count, 500):
        some = []
        for track_id, p in zip(ids[start : start + 500], common[start : start + 500], strict=True):
            z = rng.normal(size=(SEGMENTS, reduction.components.shape[1]))
            segments = np.column_stack(
                [reduction.row_mean + reduction.row_scale * z, np.ones(SEGMENTS)]
            )
            song = reduction.song_mean + scale * rng.normal(size=len(scale))
            features = SongFeatures(
                model.card.front_end, 252.0, 6.0, segments.astype(np.float16),
                song.astype(np.float32),
            )  # fmt: skip
            estimate = EmotionEstimate.from_probabilities(p, float(p.max()), MODEL)
            some.append(
                EstimateRow(track_id, "common", estimate, features=features.to_bytes(),
                            front_end=model.card.front_end)
            )  # fmt: skip
        library.set_estimates(some)
    return ids


def answer(library: Library, track_id: int) -> Answer:
    """A listener for whom everything feels one mood further round the plane."""
    track, common = library.track(track_id), library.emotion(track_id).common
    assert track is not None
    assert common is not None
    further = {"HAHV": "HALV", "HALV": "LALV", "LALV": "LAHV", "LAHV": "HAHV"}
    felt = next(q for q in QUADRANTS if q.value == further[common.quadrant.value])
    return Answer(track_id, track.audio_hash, 1e9, 30.0, common.quadrant, common, felt)


def learning(
    library: Library, answers: AnswerStore, models: PersonalModels, ids: list[int]
) -> Iterator[Result]:
    """Learning from few answers, then with networks from more; nothing is rated."""
    answers.add(*(answer(library, i) for i in ids[:FEW]))
    for count in (FEW, MANY):
        answers.add(*(answer(library, i) for i in ids[len(answers.all()) : count]))
        start_s = time.perf_counter()
        job = train(library, answers, models, tune=lambda: HeadTuner, dry_run=True)
        found = run_to_end(job)
        seconds = time.perf_counter() - start_s
        target = 60.0 if count == FEW else 600.0
        detail = f"{found.outcome.lower()}, {found.rung}"
        yield Result(f"learning from {count} answers", seconds, "s", target, detail)


def rating(library: Library, models: PersonalModels, count: int) -> Iterator[Result]:
    """All songs rated by a version of each kind, and found up to date."""
    reader = read_songs(MODEL, None)
    flat = PersonalMap(np.array([[-0.5, 0.9, 0.4], [-0.9, -0.5, -0.4]]))
    model = PersonalModel(1, MODEL, flat, FEW, 1.0, 0.5, 0.7, 0.1, 0.0)
    dimensions = len(reader.musical(_first(library)))
    rng = np.random.default_rng(1)
    space = SongSpace(np.zeros(dimensions), 0.02 * rng.normal(size=(dimensions, 24)))
    wide = PersonalMap(np.hstack([flat.weights, 0.1 * rng.normal(size=(2, 24))]))
    assert wide.dimensions == wide.weights.shape[1] - PLANE
    head = OwnHead(reader.heads[0], reader.heads[1], 0.5)
    kinds = (
        replace(model, number=1),
        replace(model, number=2, map=wide, parts=OwnParts(reader.front_end, space), reader=reader),
        replace(model, number=3, map=wide, parts=OwnParts(reader.front_end, space, head),
                reader=reader),
    )  # fmt: skip
    for version in kinds:
        start_s = time.perf_counter()
        rated, _ = run_to_end(rate_library(library, version))
        seconds = time.perf_counter() - start_s
        assert rated == count
        yield Result(f"rating {count} songs, {version.kind}", seconds, "s", 20.0)
    start_s = time.perf_counter()
    run_to_end(rate_library(library, kinds[0]))
    run_to_end(rate_library(library, kinds[0]))
    yield Result("back to the first, and up to date", time.perf_counter() - start_s, "s", 20.0)


def _first(library: Library) -> SongFeatures:
    first = min(int(i) for i in library.search(""))
    data = library.features(first, find(MODEL).card.front_end)
    assert data is not None
    return SongFeatures.from_bytes(data)


# -- playing meanwhile -----------------------------------------------------------------


def playing(folder: Path) -> Iterator[Result]:
    """Holes in a tone that plays while a model is trained in a process of its own."""
    if shutil.which("pulseaudio") is None or shutil.which("parec") is None:
        print("skip: playing meanwhile needs pulseaudio and parec", file=sys.stderr)
        return
    tone, taken = folder / "tone.wav", folder / "monitor.raw"
    write_tone(tone, 900.0)
    with pulse(folder / "pulse") as environment:
        recorder = subprocess.Popen(
            ["parec", "--device=null.monitor", f"--rate={_FS_HZ}", "--channels=1",
             "--format=s16le", "--latency-msec=50", str(taken)],
            env=environment,
        )  # fmt: skip
        backend = VlcBackend(lambda _: None, ["--aout=pulse"])
        backend.load(tone)
        backend.play()
        wait(lambda: backend.position_s > 2.0)
        before = taken.stat().st_size // 2  # how it starts is no matter of the training
        began_s = time.perf_counter()
        last, threads = trained_aside(home_of(folder))
        seconds = time.perf_counter() - began_s
        time.sleep(1.0)
        backend.close()
        recorder.terminate()
        recorder.wait()
    assert last.songs == MANY, last.explanation
    holes, longest_s = holes_in(np.fromfile(taken, "<i2")[before:])
    detail = f"{seconds:.0f} s of training, {last.rung}; {threads} threads at most"
    yield Result("holes in the sound while training", float(holes), "", 0.0, detail)
    yield Result("the longest of them", 1e3 * longest_s, "ms", 0.0)


def trained_aside(home: object) -> tuple[PersonalReport, int]:
    """Train as the window does, kept to one core; returns the report and the threads seen."""
    command = train_command(home)  # type: ignore[arg-type]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    assert process.stdout is not None
    last = None
    threads = 1
    for line in process.stdout:
        found = read_line(line)
        last = found if isinstance(found, PersonalReport) else last
        threads = max(threads, sum(1 for _ in Path(f"/proc/{process.pid}/task").iterdir()))
    process.wait()
    assert last is not None
    return last, threads


def write_tone(path: Path, seconds: float) -> None:
    """A sine of 441 Hz that never ends in a sample of its own."""
    second = np.sin(2 * np.pi * _TONE_HZ * np.arange(_FS_HZ) / _FS_HZ)
    data = (second * 12000).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_FS_HZ)
        for _ in range(round(seconds)):
            file.writeframes(data)


def holes_in(samples: np.ndarray) -> tuple[int, float]:
    """Silences of 5 ms and more between the first and the last sound: count, longest in s."""
    step = round(_HOLE_S * _FS_HZ)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    loud = np.abs(blocks.astype(np.int32)).max(axis=1) > 1000
    sounding = np.flatnonzero(loud)
    if not len(sounding):
        raise ValueError("nothing was heard")
    between = loud[sounding[0] : sounding[-1] + 1]
    edges = np.flatnonzero(np.diff(np.concatenate([[1], between.astype(int), [1]])))
    lengths = edges[1::2] - edges[::2]
    return len(lengths), float(lengths.max()) * _HOLE_S if len(lengths) else 0.0


def measure(folder: Path, count: int) -> Iterator[Result]:
    """All figures."""
    on_one_core()
    with Library.open(folder) as library, AnswerStore.open(folder) as answers:
        models = PersonalModels(folder / "models")
        ids = fill(library, count)
        yield from learning(library, answers, models, ids)
        yield from rating(library, models, count)
    yield from playing(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--songs", type=int, default=10_000)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write personal.csv and .json there"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        about = {"songs": args.songs, "processor_cores": 1}
        return report("personal", measure(Path(name), args.songs), args.out, about=about)


if __name__ == "__main__":
    sys.exit(main())
