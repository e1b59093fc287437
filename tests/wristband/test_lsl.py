"""LSL streams of real outlets on this machine: units, orders, rates, faults."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from app.wristband.lsl import Lane, LslError, LslSource, lanes_of
from app.wristband.source import Annotation, AnnotationKind, Delivery, Reason, SourceState
from inference.physio.signals import Channel, SignalChunk

LIMIT_S = 20.0


class TestLanes:
    @pytest.mark.parametrize(
        ("kind", "labels", "units", "expected"),
        [
            ("Physio", ["EDA", "BVP"], ["uS", ""], [("gsr", 0, "us"), ("ppg", 1, "")]),
            ("Physio", ["PPG_GRN", "x", "GSR"], [], [("gsr", 2, ""), ("ppg", 0, "")]),
            ("GSR", [], [], [("gsr", 0, "")]),
            ("ppg", [None], [None], [("ppg", 0, "")]),
            ("EEG", ["Cz", "Pz"], [], []),
        ],
    )
    def test_columns_are_found_by_label_or_type(
        self, kind: str, labels: list[Any], units: list[Any], expected: list[Any]
    ) -> None:
        lanes = lanes_of(kind, labels, units, max(1, len(labels)))
        assert [(lane.channel.value, lane.column, lane.unit) for lane in lanes] == expected

    @pytest.mark.parametrize(
        ("unit", "value"),
        [("microsiemens", 2.0), ("\u00b5S", 2.0), ("nS", 2000.0), ("S", 2e-6), ("kOhm", 500.0),
         ("\u2126", 500_000.0), (" uS ", 2.0)],
    )  # fmt: skip
    def test_units_are_converted(self, unit: str, value: float) -> None:
        (lane,) = lanes_of("x", ["gsr"], [unit], 1)
        assert lane.convert(np.array([value]))[0] == pytest.approx(2.0)

    def test_an_unknown_unit_is_refused(self) -> None:
        with pytest.raises(LslError, match="furlongs"):
            lanes_of("x", ["gsr"], ["furlongs"], 1)

    def test_what_makes_no_sense_becomes_none(self) -> None:
        values = Lane(Channel.GSR, 0, "ohm").convert(
            np.array([0.0, np.inf, np.nan, 1e6, -2e5, 100.0])
        )
        assert np.isnan(values[[0, 2, 4, 5]]).all()  # -5 and 10,000 uS are no skin's
        assert values[3] == 1.0


def test_without_pylsl_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)

    async def run() -> LslSource:
        source = LslSource()
        async for _ in source:
            pass
        return source

    status = asyncio.run(run()).status
    assert status.state is SourceState.STOPPED
    assert "undertone[lsl]" in status.text


@pytest.fixture
def outlet() -> Iterator[Callable[..., tuple[Any, str]]]:
    """`outlet(labels, units, fs_hz)`: a real stream, and the name that only it has."""
    pylsl = pytest.importorskip("pylsl")
    made = []

    def make(
        labels: list[str], units: list[str], fs_hz: float = 128.0, name: str = ""
    ) -> tuple[Any, str]:
        name = name or f"test-{uuid.uuid4().hex[:12]}"
        info = pylsl.StreamInfo(name, "Physio", len(labels), fs_hz, "float32", name)
        info.set_channel_labels(labels)
        info.set_channel_units(units)
        made.append(pylsl.StreamOutlet(info))
        return made[-1], name

    yield make
    made.clear()


async def take(source: LslSource, enough: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    out: list[Delivery] = []
    async with asyncio.timeout(LIMIT_S):
        async for delivery in source:
            out.append(delivery)
            if enough(out):
                await source.close()
    return out


def samples(out: list[Delivery], channel: Channel) -> np.ndarray:
    parts = [d.samples for d in out if isinstance(d, SignalChunk) and d.channel is channel]
    return np.concatenate(parts) if parts else np.zeros(0)


async def streaming(source: LslSource) -> None:
    async with asyncio.timeout(LIMIT_S):
        while source.status.state is not SourceState.STREAMING:
            await asyncio.sleep(0.02)


def test_both_signals_of_one_stream_arrive_in_our_units(outlet: Any) -> None:
    stream, name = outlet(["PPG", "GSR"], ["a.u.", "nS"])

    async def run() -> tuple[list[Delivery], LslSource]:
        source = LslSource(name, find_s=1.0)
        taking = asyncio.create_task(
            take(source, lambda out: len(samples(out, Channel.PPG)) >= 256)
        )
        await streaming(source)
        for k in range(256):
            stream.push_sample([float(k), 2000.0 + k])
        return await taking, source

    out, source = asyncio.run(run())
    np.testing.assert_array_equal(samples(out, Channel.PPG), np.arange(256))
    np.testing.assert_allclose(samples(out, Channel.GSR), 2.0 + 0.001 * np.arange(256), rtol=1e-5)
    assert source.channels == frozenset(Channel)
    assert source.name == name
    assert source.status.state is SourceState.STOPPED


def test_gaps_and_values_that_are_none_are_told_and_not_filled(outlet: Any) -> None:
    import pylsl

    stream, name = outlet(["GSR"], ["uS"], fs_hz=32.0)

    async def run() -> tuple[list[Delivery], LslSource]:
        source = LslSource(name, find_s=1.0)
        taking = asyncio.create_task(
            take(source, lambda out: len(samples(out, Channel.GSR)) >= 126)
        )
        await streaming(source)
        begun = pylsl.local_clock()
        for k in range(128 + 32):
            if not 64 <= k < 96:
                value = float("nan") if k in (10, 11) else 1.0 + k / 100
                stream.push_sample([value], begun + k / 32.0)
        return await taking, source

    out, source = asyncio.run(run())
    chunks = [d for d in out if isinstance(d, SignalChunk)]
    assert sum(c.lost for c in chunks) == pytest.approx(34, abs=2)
    assert source.counters.corrupt == 2
    assert any(isinstance(d, Annotation) and d.kind is AnnotationKind.GAP for d in out)


def test_two_streams_of_other_rates_are_counted_a_channel(outlet: Any) -> None:
    slow, name = outlet(["EDA"], ["S"], fs_hz=4.0)
    fast, _ = outlet(["x", "BVP"], ["", ""], fs_hz=64.0, name=name)

    async def run() -> tuple[list[Delivery], LslSource]:
        source = LslSource(name, find_s=3.0)

        def enough(out: list[Delivery]) -> bool:
            return len(samples(out, Channel.PPG)) >= 64 and len(samples(out, Channel.GSR)) >= 4

        taking = asyncio.create_task(take(source, enough))
        await streaming(source)
        for k in range(64):
            fast.push_sample([-1.0, float(k)])
            if k % 16 == 0:
                slow.push_sample([2e-6])
        return await taking, source

    out, source = asyncio.run(run())
    np.testing.assert_array_equal(samples(out, Channel.PPG), np.arange(64))
    np.testing.assert_allclose(samples(out, Channel.GSR), [2.0] * 4, rtol=1e-5)
    assert {d.fs_hz for d in out if isinstance(d, SignalChunk)} == {4.0, 64.0}
    assert (source.counters.samples, source.counters.lost) == (64, 0)


def test_a_stream_without_a_steady_rate_is_refused(outlet: Any) -> None:
    _, name = outlet(["GSR"], ["uS"], fs_hz=0.0)

    async def run() -> LslSource:
        source = LslSource(name, find_s=2.0)
        await take(source, lambda out: False)
        return source

    status = asyncio.run(run()).status
    assert (status.state, status.reason) == (SourceState.STOPPED, Reason.PROTOCOL)
    assert "steady rate" in status.text


def test_no_stream_is_not_found_in_time() -> None:
    pytest.importorskip("pylsl")

    async def run() -> LslSource:
        source = LslSource("nobody-has-this-name", find_s=0.5)
        await take(source, lambda out: False)
        return source

    status = asyncio.run(run()).status
    assert (status.state, status.reason) == (SourceState.STOPPED, Reason.NOT_FOUND)


def test_a_stream_that_falls_silent_is_lost_and_taken_up_again(outlet: Any) -> None:
    stream, name = outlet(["GSR"], ["uS"], fs_hz=32.0)

    async def run() -> LslSource:
        source = LslSource(name, find_s=1.0, stall_s=0.3)
        taking = asyncio.create_task(
            take(source, lambda out: source.counters.reconnects > 0 and len(out) > 2)
        )
        await streaming(source)
        stream.push_chunk([[1.0]] * 32)
        async with asyncio.timeout(LIMIT_S):
            while source.status.state is not SourceState.RECONNECTING:
                await asyncio.sleep(0.02)
        assert source.status.reason is Reason.LOST
        stream.push_chunk([[2.0]] * 32)
        await taking
        return source

    assert asyncio.run(run()).counters.reconnects == 1
