"""Recordings as CSV tables: every sample once, gaps left open, nothing overwritten."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import numpy as np
import pytest

from app.wristband.export import export_csv
from app.wristband.profiles.heart_rate import MEASUREMENT
from app.wristband.profiles.undertone_band import SIGNALS, BandPacket, encode_packet
from app.wristband.recorder import Recorder, RecordingError


def packet(i: int) -> bytes:
    k = np.arange(8 * i, 8 * i + 8)
    return encode_packet(
        BandPacket(i, round(62.5 * i), (500 + k).astype(np.uint16), (9000 + k).astype(np.uint32))
    )


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    recorder = Recorder(tmp_path / "recordings", {"profile": "undertone-band"}, 50.0)
    for i in range(40):
        if i not in (10, 11):
            recorder.packet(SIGNALS, packet(i), 50.1 + i / 16)
    recorder.annotate(51.0, "note", 'a, "quoted"\nword', track=7)
    recorder.close()
    return recorder.folder


def test_all_samples_are_there_once_with_their_times(recording: Path, tmp_path: Path) -> None:
    files = export_csv(recording, tmp_path / "out")
    assert [f.name for f in files] == ["gsr.csv", "ppg.csv", "events.csv"]
    head, *ppg = rows(files[1])
    assert head == ["t_s", "ppg"]
    assert [float(value) for _, value in ppg] == [9000 + k for k in range(320) if not 80 <= k < 96]
    times = np.array([float(t) for t, _ in ppg])
    np.testing.assert_allclose(np.diff(times)[:79], 1 / 128, atol=0.002)
    assert np.diff(times)[79] == pytest.approx(17 / 128, abs=0.005)  # left open, not filled
    assert rows(files[0])[1][1] == "0.5"
    events = {row[1]: row for row in rows(files[2])[1:]}
    assert "16 samples" in events["gap"][3]
    assert events["note"][2:] == ['{"track": 7}', 'a, "quoted"\nword']


def test_files_are_private_and_never_overwritten(recording: Path, tmp_path: Path) -> None:
    files = export_csv(recording, tmp_path / "out")
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    before = [f.read_bytes() for f in files]
    with pytest.raises(RecordingError):
        export_csv(recording, tmp_path / "out")
    assert [f.read_bytes() for f in files] == before


def test_a_heart_rate_band_brings_its_rates(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, {"profile": "heart-rate"}, 0.0)
    for i in range(3):
        recorder.packet(MEASUREMENT, bytes((0, 70 + i)), float(i))
    recorder.close()
    (file,) = export_csv(recorder.folder, tmp_path / "out")
    assert rows(file) == [["t_s", "bpm"], ["0.0000", "70"], ["1.0000", "71"], ["2.0000", "72"]]
