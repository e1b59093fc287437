"""Recordings of a simulated listener who hears songs, written as the program writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.wristband.recorder import Recorder
from inference.emotion import Quadrant
from inference.physio.signals import FS_HZ, Channel, SignalChunk
from inference.physio.simulate import SimulatedListener

BEGAN_S = 1.7e9
CLOCK_S = 500.0
"""The session's clock when the recording began: any number."""


def record(
    folder: Path,
    songs: Sequence[tuple[str, int | None, Quadrant]],
    *,
    song_s: float = 24.0,
    preset: float = 6.0,
    seed: int = 0,
    bad: Sequence[int] = (),
    channels: Sequence[Channel] = tuple(Channel),
) -> Path:
    """Songs (audio hash, track id, what is felt) one after another; those in `bad` without skin."""
    person = SimulatedListener(preset, seed=seed)
    meta = {"source": "simulated", "begun_at": BEGAN_S}
    recorder = Recorder(folder, meta, CLOCK_S)
    now_s, step_s = CLOCK_S, 0.5
    for number, (audio, track_id, felt) in enumerate(songs):
        recorder.annotate(
            now_s, "song", f"Song {number}", track_id=track_id, audio_hash=audio,
            path=f"/music/{number}.mp3", playing=True, position_s=0.0,
        )  # fmt: skip
        person.song(felt, seed=number)
        for _ in range(round(song_s / step_s)):
            gsr, ppg = person.next(round(step_s * FS_HZ))
            if number in bad:
                gsr, ppg = np.zeros_like(gsr), np.zeros_like(ppg)
            for channel, values in ((Channel.GSR, gsr), (Channel.PPG, ppg)):
                if channel in channels:
                    recorder.chunk(SignalChunk(channel, now_s, FS_HZ, values, channel.unit))
            now_s += step_s
    recorder.annotate(now_s, "silence")
    recorder.close()
    return recorder.folder
