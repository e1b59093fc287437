"""Measures the silence that libVLC 3 leaves between two songs, as it is heard.

    python -m benchmarks.gaps                  # 20 changes of song in each format
    python -m benchmarks.gaps --songs 5 --out results

Songs of four seconds of a tone follow each other in the player itself (queue, back end, libVLC)
into a PulseAudio null sink, whose monitor is recorded. A gap lasts from the last sound of one song
to the first of the next, so the padding of an encoder is in it, as it is for the listener.
Results: results/gaps.csv; needs pulseaudio and parec.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from app.playback.backend import PlaybackEvent, PlaybackState, StateChanged
from app.playback.queue import PlayQueue
from app.playback.vlc_backend import VlcBackend
from benchmarks._results import Result, report
from benchmarks._sound_server import pulse, wait
from benchmarks.music import encode

FS_HZ = 44100
TONE_HZ = 441.0
SONG_S = 4.0
FORMATS = {"flac": "flac", "mp3": "libmp3lame", "ogg": "libvorbis", "m4a": "aac"}
TARGET_MS = 150.0
"""What libVLC 3 was seen to need; more would be a fault of ours."""

_STEP_S = 0.001
_SILENT = 300.0


def song(path: Path, codec: str) -> Path:
    """Four seconds of a tone at a third of full scale; FLAC by FFmpeg as well."""
    tone = 0.35 * np.sin(2 * np.pi * TONE_HZ * np.arange(round(SONG_S * FS_HZ)) / FS_HZ)
    samples = np.stack([tone, tone], axis=1).astype(np.float32)
    if codec == "flac":
        import soundfile

        soundfile.write(path, samples, FS_HZ)
        return path
    return encode(path, samples, codec)


def play_through(path: Path, songs: int) -> None:
    """Play the same song so many times, as the player does: the next one at the end of each."""
    events: SimpleQueue[PlaybackEvent] = SimpleQueue()
    backend = VlcBackend(events.put, ["--aout=pulse"])
    queue = PlayQueue()
    queue.append([(path, None)] * songs)
    try:
        entry = queue.next()
        while entry is not None and entry.path is not None:
            load_id = backend.load(entry.path)
            backend.play()
            _await_end(events, load_id)
            entry = queue.advance()
    finally:
        backend.close()


def gaps_s(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Lengths of the silences between the first and the last sound, in seconds, shape (n,)."""
    step = round(_STEP_S * FS_HZ)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    sounds = np.abs(blocks.astype(np.float64)).max(axis=1) > _SILENT
    edges = np.flatnonzero(np.diff(sounds.astype(np.int8)))
    if not len(edges):
        return np.zeros(0)
    edges = edges[1 if sounds[edges[0] + 1] else 0 :]  # begin where a sound ends
    pairs = edges[: len(edges) // 2 * 2].reshape(-1, 2)
    return np.diff(pairs, axis=1)[:, 0] * _STEP_S


def measure(folder: Path, songs: int) -> Iterator[Result]:
    """Each format's median and longest gap."""
    with pulse(folder / "pulse") as environment:
        for suffix, codec in FORMATS.items():
            path = song(folder / f"song.{suffix}", codec)
            taken = folder / f"{suffix}.raw"
            recorder = subprocess.Popen(
                ["parec", "--device=null.monitor", f"--rate={FS_HZ}", "--channels=1",
                 "--format=s16le", "--latency-msec=50", str(taken)],
                env=environment,
            )  # fmt: skip
            wait(taken.exists)
            play_through(path, songs + 1)
            time.sleep(0.5)
            recorder.terminate()
            recorder.wait()
            found = (
                1e3 * gaps_s(np.fromfile(taken, "<i2"))[-songs:]
            )  # without the server's own start
            detail = f"{len(found)} of {songs} changes; {found.min():.0f} to {found.max():.0f} ms"
            name = f"{suffix}: silence between two songs"
            yield Result(f"{name}, median", float(np.median(found)), "ms", TARGET_MS, detail)
            yield Result(f"{name}, longest", float(found.max()), "ms", 2 * TARGET_MS)


def _await_end(events: SimpleQueue[PlaybackEvent], load_id: int) -> None:
    until = time.monotonic() + SONG_S + 10.0
    while time.monotonic() < until:
        try:
            event = events.get(timeout=1.0)
        except Empty:
            continue
        if isinstance(event, StateChanged) and event.load_id == load_id:
            if event.state is PlaybackState.ENDED:
                return
            if event.state is PlaybackState.ERROR:
                raise RuntimeError(event.reason)
    raise TimeoutError("a song did not end")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=20, help="changes of song in each format")
    parser.add_argument("--out", type=Path, help="folder for gaps.csv and gaps.json")
    options = parser.parse_args()
    if shutil.which("pulseaudio") is None or shutil.which("parec") is None:
        print("skip: the gaps need pulseaudio and parec", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return report("gaps", measure(Path(folder), options.songs), options.out)


if __name__ == "__main__":
    sys.exit(main())
