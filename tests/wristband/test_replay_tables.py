"""Replay of tables with times and of EDF+ and BDF+: what is exported comes back, gaps and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.wristband.export import export_csv
from app.wristband.export_edf import export_edf
from app.wristband.profiles.undertone_band import SIGNALS, BandPacket, encode_packet
from app.wristband.recorder import Recorder
from app.wristband.replay import ReplayError, ReplaySource
from inference.physio.signals import Channel, SignalChunk
from tests.wristband.test_replay import joined, replay

K = np.arange(320)
THERE = (K < 80) | (K >= 96)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    recorder = Recorder(tmp_path / "recordings", {"profile": "undertone-band"}, 50.0)
    for i in range(40):
        if i not in (10, 11):
            k = np.arange(8 * i, 8 * i + 8)
            values = (500 + k).astype(np.uint16), (9000 + k).astype(np.uint32)
            recorder.packet(
                SIGNALS, encode_packet(BandPacket(i, round(62.5 * i), *values)), 50.1 + i / 16
            )
    recorder.close()
    return recorder.folder


def table(file: Path, head: str, *rows: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([head, *rows]) + "\n")
    return file


def times(source: Path, channel: Channel) -> np.ndarray:
    _, out = replay(source)
    chunks = [d for d in out if isinstance(d, SignalChunk) and d.channel is channel]
    return np.concatenate([c.t0_s + np.arange(len(c.samples)) / c.fs_hz for c in chunks])


class TestOurExports:
    @pytest.mark.parametrize("kind", ["csv", "csv file", "edf", "bdf"])
    def test_every_sample_comes_back_at_its_time_and_the_gap_is_counted(
        self, recording: Path, tmp_path: Path, kind: str
    ) -> None:
        if kind.startswith("csv"):
            export_csv(recording, tmp_path / "out")
            path = tmp_path / "out" / ("ppg.csv" if kind == "csv file" else "")
        else:
            path = export_edf(recording, tmp_path / f"song.{kind}", kind)  # type: ignore[arg-type]
        source, out = replay(path)
        assert source.channels == frozenset(Channel)
        np.testing.assert_allclose(joined(out, Channel.PPG), (9000 + K)[THERE], atol=0.6)
        np.testing.assert_allclose(joined(out, Channel.GSR), (0.5 + K / 1000)[THERE], atol=6e-4)
        assert {d.fs_hz for d in out if isinstance(d, SignalChunk)} == {128.0}
        assert (source.counters.samples, source.counters.lost) == (304, 16)
        assert source.damage == ""
        steps = np.diff(times(path, Channel.PPG))
        assert steps[79] == pytest.approx(17 / 128, abs=1e-6)
        np.testing.assert_allclose(np.delete(steps, 79), 1 / 128, atol=1e-6)

    @pytest.mark.parametrize("kind", ["edf", "bdf"])
    def test_cut_off_anywhere_an_edf_file_is_refused_with_words(
        self, recording: Path, tmp_path: Path, kind: str
    ) -> None:
        file = export_edf(recording, tmp_path / f"song.{kind}", kind)  # type: ignore[arg-type]
        data = file.read_bytes()
        for length in (0, 1, 100, 255, 256, 700, len(data) // 2, len(data) - 1):
            file.write_bytes(data[:length])
            with pytest.raises(ReplayError) as told:
                ReplaySource(file)
            assert told.value.remedy


class TestTables:
    @pytest.mark.parametrize("fs_hz", [1.0, 4.0, 51.2, 64.0, 100.0, 256.0])
    def test_any_steady_rate_is_found_though_times_have_few_digits(
        self, tmp_path: Path, fs_hz: float
    ) -> None:
        n = round(20 * fs_hz)
        rows = [f"{i / fs_hz:.4f},{1 + i % 7}" for i in range(n)]
        source, out = replay(table(tmp_path / "x.csv", "t_s,gsr_uS", *rows))
        assert source.counters.samples == n
        assert source.counters.lost == 0
        found = [d.fs_hz for d in out if isinstance(d, SignalChunk)]
        np.testing.assert_allclose(found, fs_hz, rtol=2e-3)

    @pytest.mark.parametrize(
        ("head", "value", "expected"),
        [
            ("t_s,gsr_uS", 2.0, 2.0),
            ("EDA (uS),t_s", 2.0, 2.0),
            ("t_s,gsr_kohm", 500.0, 2.0),
            ("t_s,skin conductance [nS]", 2000.0, 2.0),
            ("t_s, EDA", 2.0, 2.0),
        ],
    )
    def test_columns_go_by_their_names_and_units_by_theirs(
        self, tmp_path: Path, head: str, value: float, expected: float
    ) -> None:
        late = head.endswith("t_s")
        rows = [f"{value},{i / 4}" if late else f"{i / 4},{value}" for i in range(9)]
        _, out = replay(table(tmp_path / "x.csv", head, *rows))
        np.testing.assert_allclose(joined(out, Channel.GSR), expected)

    def test_both_signals_of_one_table(self, tmp_path: Path) -> None:
        rows = [f"{i / 64},{i},{1 + i / 100}" for i in range(128)]
        source, out = replay(table(tmp_path / "x.csv", "t_s,bvp,eda_uS", *rows))
        assert source.channels == frozenset(Channel)
        np.testing.assert_array_equal(joined(out, Channel.PPG), np.arange(128))
        assert source.counters.samples == 128

    def test_what_is_no_number_is_lost_and_what_goes_back_in_time_is_left_out(
        self, tmp_path: Path
    ) -> None:
        rows = [f"{i / 4},{i}" for i in range(20)]
        rows[5] = "1.25,"
        rows[6] = "1.5,-3"  # no conductance is below zero
        rows.insert(9, "0.5,2")
        rows.insert(10, "never,2")
        source, out = replay(table(tmp_path / "x.csv", "t_s,gsr_uS", *rows))
        assert list(joined(out, Channel.GSR)) == [i for i in range(20) if i not in (5, 6)]
        assert (source.counters.lost, source.counters.reordered) == (2, 2)
        assert "2 rows" in source.damage
        assert "2 rows" in source.status.text

    @pytest.mark.parametrize(
        ("head", "told"),
        [
            ("t_s,temperature", "no column of skin conductance or pulse"),
            ("t_s,gsr_furlong", "unit"),
            ("time,gsr_uS", "nothing that can be replayed"),
            ("t_s", "no column"),
        ],
    )
    def test_wrong_columns_are_named(self, tmp_path: Path, head: str, told: str) -> None:
        with pytest.raises(ReplayError, match=told) as refused:
            ReplaySource(table(tmp_path / "x.csv", head, *(f"{i},1" for i in range(9))))
        assert refused.value.remedy

    @pytest.mark.parametrize("rate", [1e-3, 1e5])
    def test_a_rate_that_cannot_be_is_refused(self, tmp_path: Path, rate: float) -> None:
        rows = [f"{i / rate},1" for i in range(9)]
        with pytest.raises(ReplayError, match="rate"):
            ReplaySource(table(tmp_path / "x.csv", "t_s,gsr_uS", *rows))

    def test_cut_off_anywhere_it_is_replayed_or_refused(self, tmp_path: Path) -> None:
        file = table(tmp_path / "gsr.csv", "t_s,gsr_uS", *(f"{i / 4},{i}" for i in range(8)))
        data = file.read_bytes()
        heard = []
        for length in range(len(data)):
            file.write_bytes(data[:length])
            try:
                _, out = replay(file)
            except ReplayError:
                continue
            heard.append(len(joined(out, Channel.GSR)))
        assert heard == sorted(heard)
        assert heard[-1] == 8


@pytest.mark.parametrize(("folder", "told"), [("data", "several listeners"), ("hku", "nothing")])
def test_a_folder_of_something_else_says_what_to_give(
    tmp_path: Path, folder: str, told: str
) -> None:
    (tmp_path / "data" / "hku1" / "EDA").mkdir(parents=True)
    (tmp_path / "data" / "hku1" / "EDA" / "0_1.csv").write_text("1\n")
    (tmp_path / "hku").mkdir()
    with pytest.raises(ReplayError, match=told) as refused:
        ReplaySource(tmp_path / folder)
    assert refused.value.remedy


def test_samples_of_signals_with_other_rates_are_counted_a_channel(tmp_path: Path) -> None:
    for name, fs_hz in (("EDA", 4), ("BVP", 64)):
        (tmp_path / "hku1" / name).mkdir(parents=True)
        (tmp_path / "hku1" / name / "0_1.csv").write_text("1\n" * fs_hz * 10)
    source, _ = replay(tmp_path / "hku1" / "EDA")
    assert source.counters.samples == 640
