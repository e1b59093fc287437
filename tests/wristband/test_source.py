"""Bounded delivery, and the fit of a device's clock to the host's."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest

from app.wristband.clock_fit import ClockFit, Unwrapper
from app.wristband.source import Annotation, AnnotationKind, Counters, Deliveries, Delivery
from inference.physio.signals import Channel, SignalChunk


def chunk(i: int, n: int = 8) -> SignalChunk:
    return SignalChunk.of(Channel.PPG, np.full(n, i), 128.0, t0_s=i * n / 128.0)


async def take(deliveries: Deliveries) -> list[Delivery]:
    return [delivery async for delivery in deliveries]


class TestDeliveries:
    def test_all_is_delivered_in_order_until_closed(self) -> None:
        async def run() -> list[Delivery]:
            deliveries = Deliveries()
            taker = asyncio.create_task(take(deliveries))
            for i in range(10):
                deliveries.put(chunk(i))
                if i % 3 == 0:
                    await asyncio.sleep(0)
            deliveries.close()
            deliveries.put(chunk(99))
            return await taker

        values = [d.samples[0] for d in asyncio.run(run()) if isinstance(d, SignalChunk)]
        assert values == list(range(10))

    def test_a_slow_taker_costs_the_oldest_and_is_told_how_much(self) -> None:
        async def run() -> tuple[list[Delivery], Deliveries]:
            deliveries = Deliveries(limit=4)
            deliveries.put(Annotation(0.0, AnnotationKind.GAP))
            for i in range(10):
                deliveries.put(chunk(i))
                assert len(deliveries) <= 4
            deliveries.close()
            return await take(deliveries), deliveries

        taken, deliveries = asyncio.run(run())
        assert deliveries.dropped == 7
        assert [d.samples[0] for d in taken if isinstance(d, SignalChunk)] == [6, 7, 8, 9]
        assert [d.lost for d in taken if isinstance(d, SignalChunk)] == [48, 0, 0, 0]


def test_counters_add_by_name() -> None:
    counters = Counters(packets=2).add(packets=1, lost=5)
    assert (counters.packets, counters.lost, counters.corrupt) == (3, 5, 0)


class TestClockFit:
    @pytest.mark.parametrize("skew_ppm", [-80.0, 0.0, 50.0])
    def test_bursty_arrivals_do_not_move_the_clock(self, skew_ppm: float) -> None:
        rng = random.Random(0)
        fit = ClockFit()
        errors = []
        for i in range(16 * 300):
            device_s = i / 16.0
            true_s = 1000.0 + device_s * (1 + skew_ppm * 1e-6)
            delay_s = 0.01 + rng.expovariate(1 / 0.03) + (0.4 if rng.random() < 0.05 else 0.0)
            fit.add(device_s, true_s + delay_s)
            errors.append(fit.to_host(device_s) - true_s)
        assert abs(fit.skew - skew_ppm * 1e-6) < 60e-6
        assert max(abs(e - 0.01) for e in errors[160:]) < 0.03

    def test_it_begins_anew_when_told(self) -> None:
        fit = ClockFit()
        fit.add(5.0, 100.0)
        fit.reset()
        fit.add(0.0, 200.0)
        assert fit.to_host(1.0) == pytest.approx(201.0)


def test_a_wrapping_counter_is_followed_both_ways() -> None:
    unwrapper = Unwrapper(256)
    whole = 250
    for value in (250, 255, 3, 200, 100, 99):
        seen = unwrapper.unwrap(value)
        unwrapper.take(seen)
        assert seen % 256 == value
        assert abs(seen - whole) <= 128
        whole = seen
    assert whole == 99
