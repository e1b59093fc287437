"""The simulated source: pace, length, units, and its way through a virtual band."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from app.wristband.simulated import SimulatedSource, band_generator, band_samples
from app.wristband.source import Delivery, Provenance, Reason, SourceState
from inference.emotion import Quadrant
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk
from inference.physio.simulate import SimulatedListener


class Counting:
    """A listener whose k-th sample is k in both signals."""

    def __init__(self) -> None:
        self.made = 0

    def next(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        k = np.arange(self.made, self.made + n, dtype=np.float32)
        self.made += n
        return k, -k


def run(source: SimulatedSource, stop_after: int | None = None) -> list[Delivery]:
    async def take() -> list[Delivery]:
        out: list[Delivery] = []
        async for delivery in source:
            out.append(delivery)
            if len(out) == stop_after:
                await source.close()
        return out

    return asyncio.run(take())


@pytest.mark.parametrize("seconds", [0.01, 1.0, 2.34])
def test_it_delivers_exactly_what_was_asked_for(seconds: float) -> None:
    source = SimulatedSource(Counting(), seconds=seconds, speed=float("inf"))
    out = [d for d in run(source) if isinstance(d, SignalChunk)]
    for channel, sign in ((Channel.GSR, 1), (Channel.PPG, -1)):
        chunks = [c for c in out if c.channel is channel]
        values = np.concatenate([c.samples for c in chunks])
        np.testing.assert_array_equal(values, sign * np.arange(round(seconds * 128)))
        for before, after in itertools.pairwise(chunks):
            assert after.t0_s == pytest.approx(before.t0_s + before.duration_s)
    assert source.provenance is Provenance.SIMULATED
    assert source.status.state is SourceState.STOPPED
    assert source.status.reason is Reason.FINISHED
    assert source.counters.samples == round(seconds * 128)


@pytest.mark.parametrize(("speed", "lasts_s"), [(1.0, 5.0), (20.0, 0.25)])
def test_its_pace_does_not_drift(speed: float, lasts_s: float) -> None:
    now = [50.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds + 0.001  # every sleep is a little late

    source = SimulatedSource(
        Counting(), seconds=5.0, speed=speed, clock=lambda: now[0], sleep=sleep
    )
    run(source)
    assert now[0] - 50.0 == pytest.approx(lasts_s, abs=0.1)


def test_closing_ends_it() -> None:
    source = SimulatedSource(Counting(), speed=float("inf"))
    assert 6 <= len(run(source, stop_after=6)) <= 8
    assert source.status.state is SourceState.STOPPED
    assert source.status.reason is None


@pytest.mark.parametrize("options", [{"speed": 0.0}, {"fs_hz": -1.0}, {"seconds": 0.0}])
def test_senseless_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UndertoneError):
        SimulatedSource(Counting(), **options)  # type: ignore[arg-type]


def test_a_band_s_integers_keep_the_signal_and_its_limits() -> None:
    gsr, ppg = band_samples(
        np.array([-1.0, 0.5, 2.0004, 99.0], np.float32), np.array([-199, -1, 0, 199], np.float32)
    )
    assert gsr.tolist() == [0, 500, 2000, 65535]
    assert ppg.tolist() == [0, (1 << 23) - 100_000, 1 << 23, (1 << 24) - 1]


def test_the_simulated_listener_is_a_source_with_both_signals() -> None:
    listener = SimulatedListener("demo", seed=1)
    listener.song(Quadrant.HAHV, seed=2)
    out = run(SimulatedSource(listener, seconds=30.0, speed=float("inf")))
    chunks = [d for d in out if isinstance(d, SignalChunk)]
    gsr = np.concatenate([c.samples for c in chunks if c.channel is Channel.GSR])
    ppg = np.concatenate([c.samples for c in chunks if c.channel is Channel.PPG])
    assert len(gsr) == len(ppg) == 30 * 128
    assert gsr.min() > 0.0
    assert ppg.std() > 0.0


def test_a_band_worn_by_a_listener_goes_on_while_nobody_asks() -> None:
    whole = band_generator(Counting())
    gsr, _ = whole(0, 40)
    gaps = band_generator(Counting())
    parts = [gaps(0, 8)[0], gaps(24, 16)[0]]
    np.testing.assert_array_equal(parts[0], gsr[:8])
    np.testing.assert_array_equal(parts[1], gsr[24:40])
