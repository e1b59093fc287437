"""Measures the way from a music file to its mood: stage by stage, beside decoding alone.

    python -m benchmarks.music                          # all, about two minutes
    python -m benchmarks.music stages --model ms-sg-student
    python -m benchmarks.music stages --file song.mp3   # a file of your own

One thread, model loaded, CPU seconds (memory: the clock's). Rounds of all stages alternate, so
that a busy moment of the machine meets them all; the median round counts. Results:
results/music_<part>.csv and .json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks._results import write as write_rows
from inference.audio.decode import decode_blocks
from inference.audio.scalogram import scalogram
from inference.audio.spectrogram import delta, log_mel
from inference.catalog import find, installed
from inference.pipelines.base import Network, build_pipeline
from inference.runtime import MusicClassifier, open_network

FS_HZ = 44100
Row = dict[str, Any]


def synthetic_music(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Chords with decay, a bass and noise drums, stereo: shape (n, 2), at 44.1 kHz."""
    rng = np.random.default_rng(seed)
    beat = FS_HZ // 2
    t = np.arange(beat) / FS_HZ
    beats = []
    for _ in range(int(np.ceil(seconds * 2))):
        roots = 110.0 * 2 ** (rng.choice([0, 3, 5, 7, 10], 3) / 12 + rng.integers(0, 3, 3))
        tones = sum(np.sin(2 * np.pi * f * h * t) / h for f in roots for h in range(1, 6)) * np.exp(
            -2 * t
        )
        drum = rng.standard_normal(beat) * np.exp(-25 * t)
        mono = 0.06 * tones + 0.15 * drum
        beats.append(np.stack([mono, 0.8 * np.roll(mono, 40)], axis=1))
    return np.concatenate(beats)[: round(seconds * FS_HZ)].astype(np.float32)


def encode(path: Path, samples: NDArray[np.float32], codec: str, bit_rate: int = 192000) -> Path:
    """Write stereo samples at 44.1 kHz with one of FFmpeg's encoders, or libsndfile's Vorbis."""
    if codec == "libvorbis":
        with soundfile.SoundFile(path, "w", FS_HZ, 2, "VORBIS", format="OGG") as file:
            for start in range(0, len(samples), 1 << 16):
                file.write(samples[start : start + (1 << 16)])
        return path
    rate = 48000 if codec == "libopus" else FS_HZ
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="stereo")
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler(
            stream.codec_context.format, "stereo", rate, stream.codec_context.frame_size or 1024
        )
        for start in range(0, len(samples), 1 << 16):
            part = np.ascontiguousarray(samples[start : start + (1 << 16)].T)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate = FS_HZ
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def timed(work: Callable[[], object]) -> float:
    """CPU seconds of one thread's work: on a quiet machine the same as the clock's."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def medians(stages: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each stage; the stages take turns, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in stages}
    for turn in range(rounds + 1):
        for name, work in stages.items():
            seconds = timed(work)
            if turn:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


# ---------------------------------------------------------------- decoders


def with_pyav(path: Path) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            for _ in stream.decode(packet):
                pass


def with_soundfile(path: Path) -> None:
    with soundfile.SoundFile(path) as file:
        while len(file.read(65536, dtype="float32")):
            pass


def measure_decoders(folder: Path, rounds: int, seconds: float = 180.0) -> list[Row]:
    """PyAV, libsndfile and our door on the same three minutes in each format."""
    music = synthetic_music(seconds)
    formats = {
        "mp3": "libmp3lame",
        "flac": "flac",
        "ogg": "libvorbis",
        "opus": "libopus",
        "m4a": "aac",
        "wav": "pcm_s16le",
    }
    rows = []
    for suffix, codec in formats.items():
        path = encode(folder / f"music.{suffix}", music, codec)
        stages: dict[str, Callable[[], object]] = {
            "pyav": lambda path=path: with_pyav(path),
            "decode_blocks": lambda path=path: sum(b.size for b in decode_blocks(path)),
        }
        if suffix != "m4a":  # libsndfile does not read it
            stages["soundfile"] = lambda path=path: with_soundfile(path)
        found = medians(stages, rounds)
        rows.append(
            {
                "format": suffix,
                "audio_s": seconds,
                "pyav_s": found["pyav"],
                "soundfile_s": found.get("soundfile"),
                "decode_blocks_s": found["decode_blocks"],
            }
        )
    return rows


# ---------------------------------------------------------------- stages


class Stopwatch:
    """Adds up the time spent inside networks and inside the decoder, for any pipeline."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def network(self, path: Path) -> Network:
        return _Timed(path.name, open_network(path), self)

    def blocks(self, source: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        iterator = iter(source)
        while True:
            begin = time.process_time()
            block = next(iterator, None)
            self.add("decode, mix, resample", time.process_time() - begin)
            if block is None:
                return
            yield block


class _Timed:
    def __init__(self, name: str, network: Network, watch: Stopwatch) -> None:
        self._name, self._network, self._watch = f"network {name}", network, watch

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._network.outputs

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        begin = time.process_time()
        outputs = self._network(inputs)
        self._watch.add(self._name, time.process_time() - begin)
        return outputs


def measure_stages(path: Path, model_id: str, models_dir: Path | None, rounds: int) -> list[Row]:
    """Where the time of one song goes, and the whole as a multiple of decoding alone."""
    model = find(model_id, models_dir)
    watches: list[Stopwatch] = []
    watch = Stopwatch()
    pipeline = build_pipeline(model.card, model.files, lambda p: watch.network(p))
    classifier = MusicClassifier.load(model_id, models_dir=models_dir)
    audio = np.concatenate(list(decode_blocks(path)))

    def inside() -> None:
        watch.seconds.clear()
        begin = time.process_time()
        pipeline.rate(pipeline.analyse(watch.blocks(decode_blocks(path))).features)
        whole = time.process_time() - begin
        watch.seconds["features, windows"] = whole - sum(watch.seconds.values())
        copy = Stopwatch()
        copy.seconds = dict(watch.seconds)
        watches.append(copy)

    stages: dict[str, Callable[[], object]] = {
        "decoding alone": lambda: with_pyav(path),
        "decoding to 16 kHz mono": lambda: sum(b.size for b in decode_blocks(path)),
        "classify": lambda: classifier.classify(path),
        "inside": inside,
    }
    if model.card.pipeline == "ms-sg":
        image = log_mel(audio)
        stages |= {
            "log-mel": lambda: log_mel(audio),
            "differential": lambda: delta(image),
            "scalogram": lambda: scalogram(audio),
        }
    found = medians(stages, rounds)
    del found["inside"]
    for name in watches[0].seconds:
        found[f"inside: {name}"] = statistics.median(w.seconds[name] for w in watches[1:])
    alone = found["decoding alone"]
    return [
        {
            "model": model_id,
            "audio_s": round(audio.size / 16000, 1),
            "stage": name,
            "seconds": seconds,
            "times_decoding_alone": seconds / alone,
        }
        for name, seconds in found.items()
    ]


# ---------------------------------------------------------------- memory, re-rating


def measure_memory(folder: Path, model_id: str, models_dir: Path | None) -> list[Row]:
    """Peak resident memory of a fresh process that classifies one song, by its length."""
    rows = []
    for minutes in (3, 180):
        path = folder / f"{minutes}.mp3"
        one = encode(folder / "minute.mp3", synthetic_music(60.0), "libmp3lame").read_bytes()
        path.write_bytes(one * minutes)
        result = subprocess.run(
            [sys.executable, "-m", "benchmarks.music", "one", "--file", str(path)]
            + ["--model", model_id]
            + (["--models-dir", str(models_dir)] if models_dir else []),
            check=True,
            capture_output=True,
            text=True,
        )
        rows.append({"model": model_id, **json.loads(result.stdout)})
        path.unlink()
    return rows


def one(path: Path, model_id: str, models_dir: Path | None) -> None:
    result = MusicClassifier.load(model_id, models_dir=models_dir).classify(path)
    # Not ru_maxrss, which keeps the parent's peak over fork and exec.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(
        json.dumps(
            {
                "audio_s": round(result.duration_s, 1),
                "seconds": result.seconds,
                "peak_mb": round(peak, 1),
                "features_bytes": len(result.features.to_bytes()),
                "timeline_bytes": len(result.timeline.to_bytes()),
            }
        )
    )


def measure_rating(path: Path, model_id: str, models_dir: Path | None) -> list[Row]:
    """Estimates from stored features, as many as a library has."""
    classifier = MusicClassifier.load(model_id, models_dir=models_dir)
    features = classifier.classify(path).features
    songs = 1000
    seconds = timed(lambda: [classifier.rate(features) for _ in range(songs)])
    return [
        {"model": model_id, "songs": songs, "seconds": seconds, "ms_a_song": seconds * 1000 / songs}
    ]


# ---------------------------------------------------------------- results


def write(folder: Path, part: str, rows: list[Row]) -> None:
    rows = [
        {key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()} for row in rows
    ]
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))
    write_rows(folder, f"music_{part}", rows, module="music")


_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PARTS = ("decoders", "stages", "memory", "rating")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--file", type=Path, help="not three minutes and 40 s of made music")
    parser.add_argument("--model", action="append", help="default: all music models")
    parser.add_argument("--models-dir", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    models_dir: Path | None = arguments.models_dir
    models = arguments.model or [c.id for c in installed(models_dir) if c.kind == "music"]
    if parts == ["one"]:
        one(arguments.file, models[0], models_dir)
        return
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        song = arguments.file or encode(folder / "s.mp3", synthetic_music(180.0), "libmp3lame")
        clips = (
            []
            if arguments.file
            else [encode(folder / "c.mp3", synthetic_music(40.0), "libmp3lame")]
        )
        for part in parts:
            rows: list[Row] = []
            if part == "decoders":
                rows = measure_decoders(folder, arguments.rounds)
            for model_id in models if part != "decoders" else []:
                if part == "stages":
                    for path in (song, *clips):
                        rows += measure_stages(path, model_id, models_dir, arguments.rounds)
                elif part == "memory":
                    rows += measure_memory(folder, model_id, models_dir)
                else:
                    rows += measure_rating(song, model_id, models_dir)
            if rows:
                print(f"--- {part}")
                write(arguments.out, part, rows)


if __name__ == "__main__":
    if not _ONE_THREAD.items() <= os.environ.items():
        # NumPy's BLAS reads these when it is loaded; its own threads would spin beside ours.
        command = [sys.executable, "-m", "benchmarks.music", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **_ONE_THREAD})
    main()
