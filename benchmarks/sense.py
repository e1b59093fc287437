"""Measures the live session: latency, processor time and memory of `undertone sense`.

    python -m benchmarks.sense                       # a minute in real time, an hour at 20x
    python -m benchmarks.sense --hour 0 --out /tmp   # the minute alone

The figures are of the clock, so the machine should be quiet. Results: results/sense.{csv,json}.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._results import Result, report

ALLOWED_P99_MS, ALLOWED_CPU, ALLOWED_GROWTH_MB = 100.0, 0.25, 10.0
HOP_S = 0.35


def minute(folder: Path) -> list[Result]:
    """`undertone sense --source simulated --seconds 60` as a process of its own."""
    file = folder / "minute.jsonl"
    command = [sys.executable, "-m", "app", "--home", str(folder), "sense"]
    begun = time.monotonic()
    process = subprocess.Popen(
        [*command, "--source", "simulated", "--seconds", "60", "--jsonl", str(file)],
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    steps = np.diff([r["t_s"] for r in rows])
    spoken = [r for r in rows if r["quadrant"] is not None]
    latency = [r["latency_ms"] for r in rows]
    p99 = float(np.percentile(latency, 99))
    return [
        Result("first estimate after", spoken[0]["t_s"], "s", 10.4),
        Result("longest step between estimates", float(steps.max()), "s", HOP_S + 0.01),
        Result("last sample to estimate, median", float(np.median(latency)), "ms", ALLOWED_P99_MS),
        Result("last sample to estimate, p99", p99, "ms", ALLOWED_P99_MS),
        Result("estimates dropped", float(rows[-1]["dropped"]), "", 0.0),
        Result("share of a core", (used.ru_utime + used.ru_stime) / seconds, "", ALLOWED_CPU),
    ]


def hour(folder: Path, seconds: float) -> list[Result]:
    """Resident memory of a long session at 20 times real time, after its first fifth."""
    command = [sys.executable, "-m", "app", "--home", str(folder), "sense"]
    process = subprocess.Popen(
        [*command, "--source", "simulated", "--speed", "20", "--seconds", f"{seconds:.0f}"],
        stderr=subprocess.DEVNULL,
    )
    sizes: list[tuple[float, float]] = []
    begun = time.monotonic()
    while process.poll() is None:
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()
        if len(pages) > 1 and int(pages[1]):
            size_mb = int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            sizes.append((time.monotonic() - begun, size_mb))
        time.sleep(0.5)
    steady = [size for at_s, size in sizes if at_s > 0.2 * seconds / 20]
    growth = max(steady) - steady[0]
    return [Result("growth of memory in a long session", growth, "MB", ALLOWED_GROWTH_MB)]


def measure(hour_s: float) -> Iterator[Result]:
    """All figures; without the long session for 0 s."""
    with tempfile.TemporaryDirectory() as scratch:
        yield from minute(Path(scratch))
        if hour_s > 0:
            yield from hour(Path(scratch), hour_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--hour", type=float, default=3600.0, help="signal of the long session, s")
    args = parser.parse_args()
    return report("sense", measure(args.hour), args.out)


if __name__ == "__main__":
    raise SystemExit(main())
