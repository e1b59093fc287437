"""Recordings: byte for byte, private, never overwritten, whole after a kill -9 or a full disk."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.wristband import recorder as module
from app.wristband.profiles.undertone_band import SIGNALS, STATUS, BandPacket, encode_packet
from app.wristband.recorder import (
    FILE_NAME,
    Kind,
    Recorder,
    RecordingError,
    chunk_of,
    open_recording,
)
from app.wristband.replay import ReplaySource
from app.wristband.source import Annotation, AnnotationKind, Delivery, Provenance, Reason
from inference.physio.signals import Channel, SignalChunk

NOW = datetime(2026, 1, 2, 3, 4, 5)


def packet(i: int) -> bytes:
    k = np.arange(8 * i, 8 * i + 8)
    return encode_packet(
        BandPacket(i, round(62.5 * i), (500 + k).astype(np.uint16), (9000 + k).astype(np.uint32))
    )


def record(folder: Path, packets: int = 20, **meta: Any) -> Path:
    recorder = Recorder(folder, {"profile": "undertone-band", "name": "Test", **meta}, 100.0, NOW)
    for i in range(packets):
        recorder.packet(SIGNALS, packet(i), 100.1 + i / 16)
    recorder.packet(STATUS, bytes(6), 102.0)
    recorder.annotate(102.5, "song", "Two", track=7)
    recorder.close()
    assert recorder.fault is None
    return recorder.folder


def take(source: ReplaySource) -> list[Delivery]:
    async def run() -> list[Delivery]:
        return [delivery async for delivery in source]

    return asyncio.run(run())


class TestRecording:
    def test_packets_come_back_byte_for_byte_with_their_times(self, tmp_path: Path) -> None:
        read = open_recording(record(tmp_path))
        assert read.meta["name"] == "Test"
        assert read.damage == ""
        packets = list(read.packets())
        assert packets[:20] == [(SIGNALS, packet(i), 100.1 + i / 16) for i in range(20)]
        assert packets[20] == (STATUS, bytes(6), 102.0)
        noted = [r for r in read.records if r.kind is Kind.ANNOTATION]
        assert json.loads(noted[0].payload) == {"kind": "song", "text": "Two", "track": 7}

    def test_chunks_and_annotations_of_other_sources_are_kept(self, tmp_path: Path) -> None:
        recorder = Recorder(tmp_path, {}, 0.0)
        chunk = SignalChunk(Channel.PPG, 1.5, 64.0, np.array([1.0, 2.0], np.float32), "a.u.", 3)
        recorder.chunk(chunk)
        recorder.annotation(Annotation(2.0, AnnotationKind.CONTACT_LOST, Channel.GSR))
        recorder.close()
        kept, noted = open_recording(recorder.folder).records
        back = chunk_of(kept)
        assert back is not None
        assert (back.channel, back.t0_s, back.fs_hz, back.lost) == (Channel.PPG, 1.5, 64.0, 3)
        np.testing.assert_array_equal(back.samples, chunk.samples)
        assert json.loads(noted.payload)["kind"] == "contact_lost"

    def test_it_is_private(self, tmp_path: Path) -> None:
        folder = record(tmp_path / "recordings")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600

    def test_nothing_is_ever_overwritten(self, tmp_path: Path) -> None:
        folders = [record(tmp_path, packets=i) for i in range(1, 4)]
        assert len(set(folders)) == 3
        assert [len(list(open_recording(f).packets())) for f in folders] == [2, 3, 4]

    def test_a_killed_program_loses_nothing_that_it_had_taken(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from app.wristband.recorder import Recorder\n"
            "recorder = Recorder(Path(sys.argv[1]), {}, 0.0)\n"
            "i = 0\n"
            "while True:\n"
            "    recorder.packet('c', i.to_bytes(4, 'little') * 12, i / 16)\n"
            "    i += 1\n"
            "    print(i, flush=True)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            taken = 0
            while taken < 200:
                taken = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().split("\n")
            taken = max([taken, *(int(line) for line in rest[:-1] if line)])
        (folder,) = tmp_path.iterdir()
        read = open_recording(folder)
        packets = [data for _, data, _ in read.packets()]
        assert len(packets) >= taken
        assert packets == [i.to_bytes(4, "little") * 12 for i in range(len(packets))]
        assert read.damage == ""

    def test_cut_off_anywhere_it_reads_up_to_there(self, tmp_path: Path) -> None:
        file = record(tmp_path, packets=3) / FILE_NAME
        data = file.read_bytes()
        whole = list(open_recording(file).packets())
        counts = []
        for length in range(len(data)):
            file.write_bytes(data[:length])
            try:
                read = open_recording(file)
            except RecordingError:
                counts.append(-1)
                continue
            packets = list(read.packets())
            assert packets == whole[: len(packets)]
            counts.append(len(packets))
        assert counts == sorted(counts)
        assert counts[-1] == len(whole)

    def test_a_damaged_record_ends_the_reading_and_is_named(self, tmp_path: Path) -> None:
        file = record(tmp_path) / FILE_NAME
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        read = open_recording(file)
        assert "damaged" in read.damage
        assert 0 < len(list(read.packets())) < 21

    @pytest.mark.parametrize("data", [b"", b"something else", b"UTREC\x00\x01\n"])
    def test_what_is_no_recording_is_refused(self, tmp_path: Path, data: bytes) -> None:
        file = tmp_path / FILE_NAME
        file.write_bytes(data)
        with pytest.raises(RecordingError):
            open_recording(file)
        with pytest.raises(RecordingError):
            open_recording(tmp_path / "nowhere")

    def test_a_full_disk_stops_the_recording_and_leaves_it_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorder = Recorder(tmp_path, {}, 0.0)
        for i in range(5):
            recorder.packet("c", packet(i), float(i))
        real_write = os.write
        monkeypatch.setattr(
            module.os, "write", lambda fd, data: real_write(fd, data[: len(data) // 2])
        )
        recorder.packet("c", packet(5), 5.0)
        monkeypatch.undo()
        recorder.packet("c", packet(6), 6.0)
        assert recorder.fault is not None
        assert "space" in str(recorder.fault)
        recorder.close()
        read = open_recording(recorder.folder)
        assert [data for _, data, _ in read.packets()] == [packet(i) for i in range(5)]
        assert read.damage == ""

    def test_a_folder_that_takes_nothing_is_said(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        with pytest.raises(RecordingError) as caught:
            Recorder(file, {}, 0.0)
        assert caught.value.remedy

    def test_a_disk_that_is_full_from_the_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(fd: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(module.os, "write", full)
        with pytest.raises(RecordingError, match="No space"):
            Recorder(tmp_path, {}, 0.0)


class TestReplayOfRecordings:
    def test_the_same_chunks_come_out_as_from_the_band(self, tmp_path: Path) -> None:
        source = ReplaySource(record(tmp_path), speed=float("inf"))
        assert source.channels == frozenset(Channel)
        assert source.provenance is Provenance.REPLAY
        chunks = [d for d in take(source) if isinstance(d, SignalChunk)]
        ppg = np.concatenate([c.samples for c in chunks if c.channel is Channel.PPG])
        np.testing.assert_array_equal(ppg, 9000 + np.arange(160))
        assert source.status.reason is Reason.FINISHED
        assert (source.counters.packets, source.counters.lost) == (20, 0)

    def test_a_cut_recording_replays_and_says_what_is_missing(self, tmp_path: Path) -> None:
        file = record(tmp_path) / FILE_NAME
        file.write_bytes(file.read_bytes()[:-200])
        source = ReplaySource(file, speed=float("inf"))
        assert len(take(source)) > 10
        assert "half a record" in source.status.text
