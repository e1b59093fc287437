"""Measures the wristband side: a virtual band over the whole Bluetooth stack, drops, recording.

    python -m benchmarks.wristband                 # all, about twelve minutes
    python -m benchmarks.wristband --minutes 1 --out /tmp

The radio is virtual (Bumble), everything above it is what a real band meets. The figures are of
the clock, so the machine should be quiet. Results: results/wristband.csv and wristband.json.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.wristband.ble import BleSource
from app.wristband.bumble_backend import virtual_radio
from app.wristband.profiles.undertone_band import UndertoneBand
from app.wristband.radio import Limits, Pin
from app.wristband.recorder import Recorder, open_recording
from app.wristband.simulated import band_generator
from app.wristband.source import SourceState
from app.wristband.virtual_band import BAND_ADDRESS, Faults, VirtualBand, virtual_pair
from benchmarks._results import Result, report
from inference.physio.simulate import SimulatedListener

DROPS = 20


async def _drain(source: BleSource) -> None:
    async for _ in source:
        pass


async def _stopped(source: BleSource, taking: asyncio.Task[None], *devices: object) -> None:
    await source.close()
    await taking
    for device in devices:
        await device.stop() if isinstance(device, VirtualBand) else await device.power_off()  # type: ignore[attr-defined]


async def stream(minutes: float, folder: Path) -> list[Result]:
    """Minutes of packets: all must come, once, and be in the recording byte for byte."""
    band = VirtualBand(band_generator(SimulatedListener("real", seed=0)))
    central = await virtual_pair(band)
    recorder = Recorder(folder, {"profile": "undertone-band"}, time.monotonic())
    kept: list[bytes] = []

    def keep(characteristic: str, data: bytes, t_s: float) -> None:
        kept.append(data)
        recorder.packet(characteristic, data, t_s)

    source = BleSource(
        UndertoneBand(), Pin(BAND_ADDRESS), radio=virtual_radio(central), on_packet=keep
    )
    begun_s, begun_cpu_s = time.monotonic(), time.process_time()
    taking = asyncio.create_task(_drain(source))
    await asyncio.sleep(minutes * 60.0)
    counters = source.counters
    cpu = (time.process_time() - begun_cpu_s) / (time.monotonic() - begun_s)
    await _stopped(source, taking, band, central)
    recorder.close()
    replayed = [data for _, data, _ in open_recording(recorder.folder).packets()]
    expected = minutes * 60.0 * 16
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Result("samples lost", counters.lost, "samples", 0),
        Result("packets duplicated", counters.duplicate, "packets", 0),
        Result("packets corrupt", counters.corrupt, "packets", 0),
        Result("packets short of 16 a second", expected - counters.packets, "packets", 48),
        Result("recording differs from what came", float(replayed != kept), "yes = 1", 0),
        Result("processor, band and client together", cpu, "of a core", 0.25),
        Result("largest resident memory", memory_mib, "MiB", 300),
    ]


async def faults() -> list[Result]:
    """Lost, damaged and doubled packets: the counters must say exactly what was done."""
    band = VirtualBand(faults=Faults(lose=0.03, corrupt=0.03, duplicate=0.03), fs_hz=1024.0)
    central = await virtual_pair(band)
    source = BleSource(UndertoneBand(), Pin(BAND_ADDRESS), radio=virtual_radio(central))
    taking = asyncio.create_task(_drain(source))
    await asyncio.sleep(20.0)
    band.faults = Faults()
    await asyncio.sleep(0.5)
    seen = source.counters
    wrong = (
        abs(seen.lost - 8 * (band.lost + band.corrupted))
        + abs(seen.corrupt - band.corrupted)
        + abs(seen.duplicate - band.duplicated)
    )
    await _stopped(source, taking, band, central)
    return [Result("injected faults that were miscounted", wrong, "counts", 0)]


async def drops() -> list[Result]:
    """Forced disconnects: the time from the drop to the next packet that is taken."""
    band = VirtualBand()
    central = await virtual_pair(band)
    source = BleSource(
        UndertoneBand(), Pin(BAND_ADDRESS), radio=virtual_radio(central), limits=Limits()
    )
    taking = asyncio.create_task(_drain(source))
    away_s: list[float] = []
    while len(away_s) < DROPS:
        while source.status.state is not SourceState.STREAMING or source.counters.packets < 1:
            await asyncio.sleep(0.02)
        await asyncio.sleep(4.0)  # a link that held resets the back-off
        begun_s, taken = time.monotonic(), source.counters.packets
        await band.drop_link()
        await asyncio.sleep(0.1)
        while source.counters.packets <= taken + 1:
            await asyncio.sleep(0.01)
        away_s.append(time.monotonic() - begun_s)
    reconnects = source.counters.reconnects
    await _stopped(source, taking, band, central)
    return [
        Result("disconnects not recovered", DROPS - reconnects, f"of {DROPS}", 0),
        Result("disconnect to next packet, median", statistics.median(away_s), "s", 2.0),
        Result("disconnect to next packet, longest", max(away_s), "s", 5.0),
    ]


def measure(minutes: float) -> Iterator[Result]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        for part in (stream(minutes, Path(folder)), faults(), drops()):
            yield from asyncio.run(part)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the stream")
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args()
    return report("wristband", measure(args.minutes), args.out)


if __name__ == "__main__":
    sys.exit(main())
