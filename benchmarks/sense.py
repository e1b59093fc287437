"""Measures the live session: latency, processor time and memory of `undertone sense`.

    python -m benchmarks.sense                       # a minute in real time, an hour at 20x
    python -m benchmarks.sense --hour 0 --out /tmp   # the minute alone

The figures are of the clock, so the machine should be quiet. Results: results/sense.{csv,json}.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ALLOWED_P99_MS, ALLOWED_CPU, ALLOWED_GROWTH_MB = 100.0, 0.25, 10.0
HOP_S = 0.35


def minute(folder: Path) -> list[tuple[str, float, str, float]]:
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
    return [
        ("first estimate after", spoken[0]["t_s"], "s", 10.4),
        ("longest step between estimates", float(steps.max()), "s", HOP_S + 0.01),
        ("last sample to estimate, median", float(np.median(latency)), "ms", ALLOWED_P99_MS),
        ("last sample to estimate, p99", float(np.percentile(latency, 99)), "ms", ALLOWED_P99_MS),
        ("estimates dropped", float(rows[-1]["dropped"]), "", 0.0),
        ("share of a core", (used.ru_utime + used.ru_stime) / seconds, "", ALLOWED_CPU),
    ]


def hour(folder: Path, seconds: float) -> list[tuple[str, float, str, float]]:
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
    return [("growth of memory in a long session", growth, "MB", ALLOWED_GROWTH_MB)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--hour", type=float, default=3600.0, help="signal of the long session, s")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = minute(Path(scratch))
        if args.hour > 0:
            found += hour(Path(scratch), args.hour)
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "sense.csv").open("w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(["figure", "value", "unit", "allowed", "passed"])
        for name, value, unit, allowed in found:
            table.writerow([name, round(value, 4), unit, allowed, value <= allowed])
            print(f"{name}: {value:.3f} {unit} (allowed {allowed:g})")
    about = {
        "command": f"python -m benchmarks.sense --hour {args.hour:g}",
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 2),
    }
    (args.out / "sense.json").write_text(json.dumps(about, indent=2) + "\n")
    return 0 if all(value <= allowed for _, value, _, allowed in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
