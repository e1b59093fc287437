"""A virtual band through bleak's public API: a real Bluetooth stack without the radio."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bumble")
from bumble.gatt import Characteristic

from app.wristband.ble import BleSource, Limits, Pin, Radio, RadioError, scan
from app.wristband.bumble_backend import virtual_radio
from app.wristband.profiles import undertone_band as profile
from app.wristband.profiles.undertone_band import UndertoneBand
from app.wristband.source import (
    Annotation,
    AnnotationKind,
    Delivery,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from app.wristband.virtual_band import BAND_ADDRESS, Faults, VirtualBand, virtual_pair
from inference.physio.signals import Channel, SignalChunk

QUICK = Limits(
    scan_s=1.0, connect_s=5.0, command_s=2.0, stall_s=0.5, leave_s=0.5, back_off_s=(0.02, 0.05)
)
LIMIT_S = 30.0


class Bench:
    """A band, a source on it, and what came of it."""

    def __init__(self, band: VirtualBand, radio: Radio, **options: Any) -> None:
        self.band = band
        self.statuses: list[SourceStatus] = []
        self.packets: list[tuple[str, bytes, float]] = []
        self.deliveries: list[Delivery] = []
        options = {"pin": Pin(BAND_ADDRESS), "limits": QUICK, **options}
        self.source = BleSource(
            UndertoneBand(),
            options.pop("pin"),
            radio=radio,
            on_status=self.statuses.append,
            on_packet=lambda *packet: self.packets.append(packet),
            **options,
        )
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async for delivery in self.source:
            self.deliveries.append(delivery)
            self._news.set()
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._news.clear()
                await asyncio.wait_for(self._news.wait(), LIMIT_S)

    async def until_stopped(self) -> SourceStatus:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.shield(self._task)
        return self.source.status

    async def close(self) -> None:
        await self.source.close()
        await self.until_stopped()

    def samples(self, channel: Channel) -> int:
        return sum(len(c.samples) for c in self.chunks(channel))

    def chunks(self, channel: Channel) -> list[SignalChunk]:
        return [d for d in self.deliveries if isinstance(d, SignalChunk) and d.channel is channel]

    def states(self) -> list[SourceState]:
        return [status.state for status in self.statuses]

    def annotated(self, kind: AnnotationKind) -> int:
        return sum(isinstance(d, Annotation) and d.kind is kind for d in self.deliveries)


def with_band(
    test: Callable[[Bench], Coroutine[Any, Any, None]],
    band: VirtualBand | None = None,
    **options: Any,
) -> None:
    """Run `test` on a switched-on band; everything is closed again afterwards."""
    made = band

    async def run() -> None:
        band = made or VirtualBand()
        central = await virtual_pair(band)
        bench = Bench(band, virtual_radio(central), **options)
        try:
            await test(bench)
        finally:
            await bench.close()
            await band.stop()
            await central.power_off()

    asyncio.run(run())


def test_a_scan_lists_the_band() -> None:
    async def run() -> None:
        band = VirtualBand(name="Und\x1b[1m")
        central = await virtual_pair(band)
        radio = virtual_radio(central)
        (found,) = await scan(0.3, radio=radio)
        assert found.address == BAND_ADDRESS
        assert found.name.isprintable()
        assert profile.SERVICE in found.services
        assert found.rssi_dbm < 0
        assert await scan(0.2, frozenset({"0000180d-0000-1000-8000-00805f9b34fb"}), radio) == []
        await band.stop()
        await central.power_off()

    asyncio.run(run())


def test_a_band_streams_for_twenty_seconds_without_loss_or_duplicates() -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.samples(Channel.PPG) >= 20 * 128)
        assert bench.states() == [
            SourceState.SCANNING, SourceState.CONNECTING, SourceState.STREAMING,
        ]  # fmt: skip
        counters = bench.source.counters
        assert (counters.lost, counters.duplicate, counters.corrupt, counters.dropped) == (
            0, 0, 0, 0,
        )  # fmt: skip
        assert bench.source.name == "Undertone virtual band"
        assert bench.source.device_info.serial == "VIRTUAL-1"
        assert bench.source.battery_percent == 90
        assert bench.source.provenance is Provenance.SIMULATED
        assert bench.source.channels == frozenset(Channel)
        starts = [chunk.t0_s for chunk in bench.chunks(Channel.GSR)]
        np.testing.assert_allclose(np.diff(starts), 8 / 128, atol=0.03)
        assert len(bench.packets) >= 320
        await bench.close()
        assert bench.source.status == SourceStatus(SourceState.STOPPED)
        assert not bench.band.streaming  # it was told to stop

    with_band(test)


def test_injected_faults_are_counted_exactly() -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.source.counters.packets >= 400)
        bench.band.faults = Faults()  # the last packets come through, so that all loss shows
        taken = bench.source.counters.packets
        await bench.until(lambda: bench.source.counters.packets >= taken + 4)
        counters, band = bench.source.counters, bench.band
        assert counters.corrupt == band.corrupted > 0
        assert counters.duplicate == band.duplicated > 0
        assert counters.lost == 8 * (band.lost + band.corrupted)
        assert counters.reordered == counters.dropped == 0

    faulty = VirtualBand(
        faults=Faults(lose=0.05, corrupt=0.05, duplicate=0.05), fs_hz=1024.0, seed=3
    )
    with_band(test, faulty)


def test_forced_disconnects_are_recovered_and_the_gaps_told() -> None:
    async def test(bench: Bench) -> None:
        away: list[float] = []
        loop = asyncio.get_running_loop()
        for i in range(5):
            await bench.until(lambda: bench.source.status.state is SourceState.STREAMING)
            taken = bench.source.counters.packets
            await bench.until(lambda taken=taken: bench.source.counters.packets >= taken + 4)
            begun, taken = loop.time(), bench.source.counters.packets
            await bench.band.drop_link()
            await bench.until(
                lambda i=i, taken=taken: (
                    bench.source.counters.packets > taken
                    and bench.source.counters.reconnects == i + 1
                )
            )
            away.append(loop.time() - begun)
        assert statistics.median(away) <= 2.0
        assert bench.annotated(AnnotationKind.RECONNECTED) == 5
        assert bench.source.counters.duplicate == 0
        lost = [s for s in bench.statuses if s.state is SourceState.RECONNECTING]
        assert {s.reason for s in lost} == {Reason.LOST}
        # What is missing is told where it is missing, by the band's clock.
        found = bench.chunks(Channel.PPG)
        span_s = found[-1].t0_s + found[-1].duration_s - found[0].t0_s
        told = sum(len(c.samples) + c.lost for c in found) - found[0].lost
        assert told == pytest.approx(span_s * 128, abs=16)

    with_band(test)


def test_a_band_that_falls_silent_is_taken_as_lost_and_comes_back() -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.source.counters.packets >= 3)
        bench.band.stalled = True
        await asyncio.wait_for(_state(bench, SourceState.RECONNECTING), LIMIT_S)
        bench.band.stalled = False
        taken = bench.source.counters.packets
        await bench.until(lambda: bench.source.counters.packets > taken + 2)
        assert bench.source.counters.reconnects >= 1

    with_band(test)


async def _state(bench: Bench, state: SourceState) -> None:
    while state not in bench.states():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({profile.STATUS: None}, "missing"),
        ({profile.CONTROL: None}, "missing"),
        ({profile.SIGNALS: Characteristic.Properties.READ}, "notify"),
    ],
)
def test_a_band_that_lacks_something_is_refused(changed: dict[str, Any], text: str) -> None:
    async def test(bench: Bench) -> None:
        status = await bench.until_stopped()
        assert (status.state, status.reason) == (SourceState.STOPPED, Reason.PROTOCOL)
        assert text in status.text
        assert bench.deliveries == []

    with_band(test, VirtualBand(changed=changed))


def test_a_band_that_changes_its_characteristics_is_not_taken_up_again() -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.source.counters.packets >= 4)
        bench.band.change({profile.STATUS: None})
        await bench.band.drop_link()
        status = await bench.until_stopped()
        assert (status.state, status.reason) == (SourceState.STOPPED, Reason.PROTOCOL)
        assert "missing" in status.text
        assert bench.samples(Channel.PPG) == bench.source.counters.samples  # all that came is kept

    with_band(test)


def test_another_band_at_the_same_address_is_not_taken_unasked() -> None:
    async def test(bench: Bench) -> None:
        status = await bench.until_stopped()
        assert (status.state, status.reason) == (SourceState.STOPPED, Reason.PROTOCOL)
        assert "SOMEONE-ELSE" in status.text
        assert bench.packets == []

    with_band(test, VirtualBand(serial="SOMEONE-ELSE"), pin=Pin(BAND_ADDRESS, "VIRTUAL-1"))


def test_a_band_that_is_not_there_is_not_found_in_time() -> None:
    async def test(bench: Bench) -> None:
        status = await bench.until_stopped()
        assert (status.state, status.reason) == (SourceState.STOPPED, Reason.NOT_FOUND)
        assert "Switch it on" in status.text

    limits = Limits(scan_s=0.2, first_attempts=1)
    with_band(test, pin=Pin("00:11:22:33:44:55"), limits=limits)


def test_nonsense_does_not_stop_the_stream() -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.source.counters.packets >= 2)
        for data in (b"", b"\0", b"\x01" * 11, bytes(180), b"\xff" * 51):
            await bench.band.send(data)
        taken = bench.source.counters.packets
        await bench.until(lambda: bench.source.counters.packets > taken + 3)
        assert bench.source.counters.corrupt == 5
        assert bench.source.status.state is SourceState.STREAMING

    with_band(test)


def test_a_band_that_floods_is_stopped_with_the_reason() -> None:
    async def test(bench: Bench) -> None:
        status = await bench.until_stopped()
        assert (status.state, status.reason) == (SourceState.STOPPED, Reason.PROTOCOL)
        assert "more than its 128 samples" in status.text
        assert bench.samples(Channel.PPG) < 40 * 128
        assert bench.source.counters.dropped >= 1

    with_band(test, VirtualBand(speed=10.0))


def test_an_exception_in_a_recorder_does_not_stop_the_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        band = VirtualBand()
        central = await virtual_pair(band)

        def full_disk(*packet: object) -> None:
            raise OSError("no space left on device")

        source = BleSource(
            UndertoneBand(), Pin(BAND_ADDRESS), radio=virtual_radio(central), limits=QUICK,
            on_packet=full_disk,
        )  # fmt: skip
        taking = asyncio.create_task(_drain(source))
        async with asyncio.timeout(LIMIT_S):
            while source.counters.corrupt < 5:
                await asyncio.sleep(0.01)
        assert source.status.state is SourceState.STREAMING
        await source.close()
        await taking
        await band.stop()
        await central.power_off()

    asyncio.run(run())
    assert len([r for r in caplog.records if "could not be taken" in r.message]) == 1


async def _drain(source: BleSource) -> None:
    async for _ in source:
        pass


def test_without_a_radio_it_is_said_and_nothing_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own Bluetooth, where its service cannot be reached."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/at/all")

    async def run() -> SourceStatus:
        with pytest.raises(RadioError) as caught:
            await scan(0.2)
        assert caught.value.reason in (Reason.NO_RADIO, Reason.DENIED)
        assert caught.value.remedy
        source = BleSource(UndertoneBand(), Pin(BAND_ADDRESS), limits=QUICK)
        await asyncio.wait_for(_drain(source), LIMIT_S)
        return source.status

    status = asyncio.run(run())
    assert (status.state, status.reason) == (SourceState.STOPPED, Reason.NO_RADIO)
    assert "Bluetooth" in status.text


@pytest.mark.parametrize("when", ["before", "scanning", "streaming"])
def test_closing_is_quick_in_any_state(when: str) -> None:
    async def test(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        if when == "streaming":
            await bench.until(lambda: bench.source.counters.packets >= 2)
        elif when == "scanning":
            await asyncio.wait_for(_state(bench, SourceState.SCANNING), LIMIT_S)
        begun = loop.time()
        await bench.close()
        assert loop.time() - begun < 2.0
        assert bench.source.status == SourceStatus(SourceState.STOPPED)

    pin = Pin("00:11:22:33:44:55") if when == "scanning" else Pin(BAND_ADDRESS)
    with_band(test, pin=pin, limits=Limits(scan_s=20.0))


@pytest.mark.parametrize("pair", [True, False])
def test_the_link_is_verified_only_where_it_was_paired(pair: bool) -> None:
    async def test(bench: Bench) -> None:
        await bench.until(lambda: bench.source.counters.packets >= 2)
        assert bench.source.link_verified is pair

    with_band(test, pair=pair)
