"""Recordings as EDF+ and BDF+: read back by pyEDFlib, sample for sample, with units and gaps."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyedflib
import pytest

from app.cli.dispatch import main
from app.wristband.export_edf import export_edf
from app.wristband.profiles.heart_rate import MEASUREMENT
from app.wristband.profiles.undertone_band import SIGNALS, BandPacket, encode_packet
from app.wristband.recorder import Recorder, RecordingError
from inference.physio.signals import Channel, SignalChunk

NOW = datetime(2026, 5, 4, 3, 2, 1)
K = np.arange(320)
GONE = (K >= 80) & (K < 96)


def packet(i: int, ppg: int) -> bytes:
    k = np.arange(8 * i, 8 * i + 8)
    return encode_packet(
        BandPacket(
            i, round(62.5 * i), (500 + k).astype(np.uint16), (ppg + 200 * k).astype(np.uint32)
        )
    )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    meta = {"profile": "undertone-band", "name": "Bänd 1"}
    recorder = Recorder(tmp_path / "recordings", meta, 50.0, NOW)
    for i in range(40):
        if i not in (10, 11):
            recorder.packet(SIGNALS, packet(i, 150_000), 50.1 + i / 16)
    recorder.annotate(51.0, "note", "the quick brown fox jumps over the lazy dog: déjà vu", track=7)
    recorder.close()
    return recorder.folder


class Read:
    """An EDF file as another program sees it."""

    def __init__(self, file: Path) -> None:
        with pyedflib.EdfReader(str(file)) as reader:
            self.headers: list[dict[str, Any]] = reader.getSignalHeaders()
            self.labels = reader.getSignalLabels()
            self.signals = [reader.readSignal(i) for i in range(reader.signals_in_file)]
            self.begun = reader.getStartdatetime()
            self.annotations = list(zip(*reader.readAnnotations(), strict=True))
            self.kind = reader.filetype


@pytest.mark.parametrize("kind", ["edf", "bdf"])
def test_samples_come_back_with_units_and_gaps_stay_gaps(
    recording: Path, tmp_path: Path, kind: Any
) -> None:
    read = Read(export_edf(recording, tmp_path / f"out.{kind}", kind))
    assert read.labels == ["GSR", "PPG"]
    assert [h["dimension"] for h in read.headers] == ["uS", ""]
    assert [h["sample_frequency"] for h in read.headers] == [128.0, 128.0]
    assert read.begun == NOW
    gsr, ppg = (x[: len(K)] for x in read.signals)
    np.testing.assert_allclose(gsr[~GONE], (500 + K[~GONE]) / 1000, atol=2e-7)
    # 64,000 units fit into 16 bits step by step.
    np.testing.assert_allclose(ppg[~GONE], 150_000 + 200 * K[~GONE], atol=1e-3)
    assert (gsr[GONE] < 0.0).all()  # what no sensor gives
    assert (ppg[GONE] < ppg[~GONE].min()).all()
    told = {str(text): (float(t), float(d)) for t, d, text in read.annotations}
    assert told["missing: 16 of GSR"] == pytest.approx((80 / 128, 16 / 128), abs=1e-3)
    assert told["missing: 16 of PPG"] == pytest.approx((80 / 128, 16 / 128), abs=1e-3)
    assert told["end of the recording"][0] == pytest.approx(2.5, abs=1e-3)
    note = "".join(str(text) for t, _, text in read.annotations if abs(t - 0.9) < 0.02)
    assert 'note {"track": 7}' in note
    assert "lazy dog: déjà vu" in note


def test_a_pulse_beyond_16_bits_is_exact_in_24(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, {}, 0.0, NOW)
    values = np.linspace(0, 16_000_000, 256).round().astype(np.float32)
    recorder.chunk(SignalChunk.of(Channel.PPG, values, 64.0))
    recorder.close()
    (exact,) = Read(export_edf(recorder.folder, tmp_path / "a.bdf", "bdf")).signals
    np.testing.assert_allclose(exact, values, atol=1e-3)
    (rounded,) = Read(export_edf(recorder.folder, tmp_path / "a.edf")).signals
    np.testing.assert_allclose(rounded, values, atol=16e6 / 65533)


def test_other_rates_ranges_and_starts(tmp_path: Path) -> None:
    """As an E4 replay brings them: 4 and 64 Hz, a pulse about zero, one signal later."""
    recorder = Recorder(tmp_path, {}, 0.0, NOW)
    gsr = np.linspace(0.123456, 0.2, 40, dtype=np.float32)
    ppg = np.random.default_rng(0).normal(0, 80, 640).astype(np.float32)
    recorder.chunk(SignalChunk.of(Channel.GSR, gsr, 4.0, 0.0))
    recorder.chunk(SignalChunk.of(Channel.PPG, ppg[:320], 64.0, 2.0))
    recorder.chunk(SignalChunk(Channel.PPG, 8.0, 64.0, ppg[320:], "a.u.", 64))
    recorder.close()
    read = Read(export_edf(recorder.folder, tmp_path / "a.edf"))
    np.testing.assert_allclose(read.signals[0][:40], gsr, atol=2e-6)
    at = np.concatenate([np.arange(128, 448), np.arange(512, 832)])
    np.testing.assert_allclose(read.signals[1][at], ppg, atol=0.01)
    assert sorted(str(t) for _, _, t in read.annotations)[1:] == [
        "missing: 128 of PPG",
        "missing: 64 of PPG",
    ]


def test_a_heart_rate_band_brings_a_rate_a_second(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, {"profile": "heart-rate"}, 0.0, NOW)
    for i in range(4):
        recorder.packet(MEASUREMENT, bytes((0, 70 + i)), 10.0 + i)
    recorder.close()
    read = Read(export_edf(recorder.folder, tmp_path / "a.edf"))
    assert (read.labels, read.headers[0]["dimension"]) == (["HR"], "bpm")
    np.testing.assert_allclose(read.signals[0], [70, 71, 72, 73], atol=0.01)


def test_the_file_is_private_and_never_overwritten(recording: Path, tmp_path: Path) -> None:
    file = export_edf(recording, tmp_path / "deep" / "a.edf")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(RecordingError):
        export_edf(recording, file)
    assert file.read_bytes() == before


def test_a_recording_without_signals_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, {}, 0.0, NOW)
    recorder.annotate(1.0, "note", "alone")
    recorder.close()
    with pytest.raises(RecordingError, match="no signal"):
        export_edf(recorder.folder, tmp_path / "a.edf")
    assert not (tmp_path / "a.edf").exists()


def test_the_command_exports_by_the_ending_or_the_format(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["recordings", "export", str(recording), "-o"]
    assert main([*base, str(tmp_path / "a.edf")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a.edf'}\n"
    assert main([*base, str(tmp_path / "b"), "--format", "bdf"]) == 0
    assert Read(tmp_path / "b").kind == pyedflib.FILETYPE_BDFPLUS
    assert main([*base, str(tmp_path / "tables"), "--format", "csv"]) == 0
    assert (tmp_path / "tables" / "gsr.csv").is_file()
    assert main([*base, str(tmp_path / "a.edf")]) == 1  # never overwritten
    assert main([*base, str(tmp_path / "c.mat")]) == 2
    assert main(["recordings", "export", str(tmp_path), "-o", str(tmp_path / "d.edf")]) == 1


def test_thousands_of_events_are_kept(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, {}, 0.0, NOW)
    recorder.chunk(SignalChunk.of(Channel.GSR, np.full(40, 0.5), 4.0))
    for i in range(300):
        recorder.annotate(10.0 * i / 300, "note", f"number {i}")
    recorder.close()
    read = Read(export_edf(recorder.folder, tmp_path / "a.edf"))
    assert len({str(t) for _, _, t in read.annotations if "number" in str(t)}) == 300
