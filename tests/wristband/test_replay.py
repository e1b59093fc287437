"""Replay of E4 exports and HKU956 listenings, whole, broken and cut off, at any pace."""

from __future__ import annotations

import asyncio
import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.wristband.replay import ReplayError, ReplaySource
from app.wristband.source import Annotation, Delivery, Reason, SourceState
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk


class ManualClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def replay(path: Path, speed: float = float("inf")) -> tuple[ReplaySource, list[Delivery]]:
    clock = ManualClock()
    source = ReplaySource(path, speed=speed, clock=clock, sleep=clock.sleep)

    async def run() -> list[Delivery]:
        return [delivery async for delivery in source]

    return source, asyncio.run(run())


def joined(deliveries: list[Delivery], channel: Channel) -> np.ndarray:
    parts = [d.samples for d in deliveries if isinstance(d, SignalChunk) and d.channel is channel]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def listening(listener: Path, name: str = "0_123.csv", seconds: int = 10) -> Path:
    for kind, fs_hz, base in (("EDA", 4, 0.5), ("BVP", 64, -20.0)):
        folder = listener / kind
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{base + 0.01 * i:.6f}" for i in range(fs_hz * seconds)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return listener / "EDA" / name


def e4(folder: Path, seconds: int = 8, late_s: float = 0.0) -> Path:
    folder.mkdir(exist_ok=True)
    for name, fs_hz, start in (("EDA.csv", 4, 1.6e9), ("BVP.csv", 64, 1.6e9 + late_s)):
        lines = [f"{start:.6f}", f"{fs_hz:.6f}", *(str(0.25 * i) for i in range(fs_hz * seconds))]
        (folder / name).write_text("\n".join(lines))
    return folder


class TestListenings:
    @pytest.mark.parametrize("kind", ["EDA", "BVP"])
    def test_either_file_brings_both_signals(self, tmp_path: Path, kind: str) -> None:
        file = listening(tmp_path / "hku1")
        source, out = replay(file.parent.parent / kind / file.name)
        assert source.channels == frozenset(Channel)
        gsr, ppg = joined(out, Channel.GSR), joined(out, Channel.PPG)
        np.testing.assert_allclose(gsr, 0.5 + 0.01 * np.arange(40), rtol=1e-5)
        np.testing.assert_allclose(ppg, -20 + 0.01 * np.arange(640), atol=1e-4)
        assert {d.fs_hz for d in out if isinstance(d, SignalChunk)} == {4.0, 64.0}
        assert source.status.state is SourceState.STOPPED
        assert source.status.reason is Reason.FINISHED

    def test_a_listener_s_folder_brings_all_in_the_order_of_listening(self, tmp_path: Path) -> None:
        for name, seconds in (("10_1.csv", 2), ("2_5.csv", 3), ("0_9.csv", 4)):
            listening(tmp_path / "hku1", name, seconds)
        _, out = replay(tmp_path / "hku1")
        breaks = [i for i, d in enumerate(out) if isinstance(d, Annotation)]
        assert len(breaks) == 2
        assert len(joined(out[: breaks[0]], Channel.GSR)) == 16
        assert len(joined(out[breaks[1] :], Channel.GSR)) == 8
        times = [d.t0_s for d in out if isinstance(d, SignalChunk) and d.channel is Channel.PPG]
        assert times == sorted(times)

    def test_one_signal_alone_is_replayed_as_such(self, tmp_path: Path) -> None:
        file = listening(tmp_path / "hku1")
        (tmp_path / "hku1" / "BVP" / file.name).unlink()
        source, out = replay(file)
        assert source.channels == frozenset({Channel.GSR})
        assert len(joined(out, Channel.GSR)) == 40

    def test_values_that_are_none_are_missing_and_never_filled(self, tmp_path: Path) -> None:
        file = listening(tmp_path / "hku1")
        lines = file.read_text().split("\n")
        lines[10:16] = ["nan", "inf", "hello", "", "-5", "1e6"]
        file.write_text("\n".join(lines))
        source, out = replay(file)
        chunks = [d for d in out if isinstance(d, SignalChunk) and d.channel is Channel.GSR]
        assert sum(len(c.samples) for c in chunks) == 34
        assert sum(c.lost for c in chunks) == 6
        assert source.counters.lost == 6
        for before, after in itertools.pairwise(chunks):
            gap_s = after.t0_s - before.t0_s - before.duration_s
            assert gap_s == pytest.approx(after.lost / 4, abs=1e-6)

    def test_cut_off_anywhere_it_is_replayed_or_refused(self, tmp_path: Path) -> None:
        file = listening(tmp_path / "hku1", seconds=2)
        (tmp_path / "hku1" / "BVP" / file.name).unlink()
        data = file.read_bytes()
        for length in range(len(data)):
            file.write_bytes(data[:length])
            try:
                _, out = replay(file)
            except ReplayError:
                assert length < 2
            else:
                assert len(joined(out, Channel.GSR)) <= 8


class TestE4:
    def test_folder_and_zip_bring_the_same(self, tmp_path: Path) -> None:
        folder = e4(tmp_path / "export")
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
        _, first = replay(folder)
        _, second = replay(tmp_path / "export.zip")
        for channel in Channel:
            np.testing.assert_array_equal(joined(first, channel), joined(second, channel))
        assert len(joined(first, Channel.PPG)) == 512
        _, third = replay(folder / "EDA.csv")
        assert len(joined(third, Channel.PPG)) == 512

    def test_signals_that_began_apart_stay_apart(self, tmp_path: Path) -> None:
        _, out = replay(e4(tmp_path / "export", late_s=1.5))
        first = {
            channel: min(d.t0_s for d in out if isinstance(d, SignalChunk) and d.channel is channel)
            for channel in Channel
        }
        assert first[Channel.PPG] - first[Channel.GSR] == pytest.approx(1.5)

    @pytest.mark.parametrize("late_s", [1e6, -1e6])
    def test_signals_from_different_days_are_refused(self, tmp_path: Path, late_s: float) -> None:
        with pytest.raises(ReplayError, match="different days"):
            replay(e4(tmp_path / "export", late_s=late_s))


class TestPace:
    @pytest.mark.parametrize(("speed", "lasts_s"), [(1.0, 10.0), (4.0, 2.5)])
    def test_it_lasts_as_long_as_the_signals_did(
        self, tmp_path: Path, speed: float, lasts_s: float
    ) -> None:
        file = listening(tmp_path / "hku1")
        clock = ManualClock()
        source = ReplaySource(file, speed=speed, clock=clock, sleep=clock.sleep)

        async def run() -> None:
            async for delivery in source:
                assert isinstance(delivery, SignalChunk)
                end_s = delivery.t0_s - 1000.0 + delivery.duration_s
                assert end_s / speed <= clock.now_s - 1000.0 + 1e-6  # nothing from the future

        asyncio.run(run())
        assert clock.now_s - 1000.0 == pytest.approx(lasts_s)

    def test_closing_ends_it(self, tmp_path: Path) -> None:
        source = ReplaySource(listening(tmp_path / "hku1"), speed=float("inf"))

        async def run() -> int:
            count = 0
            async for _ in source:
                count += 1
                if count == 5:
                    await source.close()
            return count

        assert asyncio.run(run()) == 5
        assert source.status.state is SourceState.STOPPED
        assert source.status.reason is None


@pytest.mark.parametrize("kind", ["gone", "empty", "text", "folder", "zip", "binary"])
def test_what_cannot_be_replayed_is_refused_with_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / {"zip": "x.zip", "folder": "x"}.get(kind, "x.csv")
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("this is no signal\n" * 5)
    elif kind == "folder":
        path.mkdir()
    elif kind in ("zip", "binary"):
        path.write_bytes(bytes(range(256)))
    with pytest.raises(UndertoneError) as caught:
        replay(path)
    assert caught.value.message


def test_a_speed_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError):
        ReplaySource(listening(tmp_path / "hku1"), speed=0.0)


def test_it_begins_where_it_is_told_to_on_the_clock_of_the_recording(tmp_path: Path) -> None:
    async def run() -> list[SignalChunk]:
        source = ReplaySource(
            listening(tmp_path / "hku1"), speed=float("inf"), clock=lambda: 3.0, start_s=3.0
        )
        return [d async for d in source if isinstance(d, SignalChunk)]

    chunks = asyncio.run(run())
    assert min(c.t0_s for c in chunks) == pytest.approx(3.0, abs=0.3)
    assert all(c.t0_s >= 2.5 for c in chunks)


def test_a_clock_that_is_held_holds_it(tmp_path: Path) -> None:
    now = [0.0]
    waits = 0

    async def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits > 5:  # until then the clock stands
            now[0] += seconds
        await asyncio.sleep(0)

    async def run() -> float:
        source = ReplaySource(listening(tmp_path / "hku1"), clock=lambda: now[0], sleep=sleep)
        async for _ in source:
            return now[0]
        return -1.0

    assert asyncio.run(run()) > 0.0
    assert waits > 5
