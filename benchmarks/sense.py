"""Measures the live session: latency, processor time and memory, headless and in the window.

    python -m benchmarks.sense                       # two minutes in real time, two hours at 20x
    python -m benchmarks.sense --hour 0 --out /tmp   # the minutes alone

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
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._results import Result, report
from inference.physio.signals import FS_HZ
from inference.physio.simulate import SimulatedListener

ALLOWED_P99_MS, ALLOWED_CPU, ALLOWED_GROWTH_MB = 100.0, 0.25, 10.0
ALLOWED_CPU_WINDOW, ALLOWED_STALL_MS = 0.50, 50.0
HOP_S = 0.35


def minute(folder: Path) -> list[Result]:
    """`undertone sense --source simulated --seconds 60` as a process of its own."""
    file = folder / "minute.jsonl"
    command = [sys.executable, "-m", "app", "--home", str(folder), "sense"]
    begun = time.monotonic()
    process = subprocess.Popen(
        [*command, "--source", "simulated", "--seconds", "60", "--jsonl", str(file)],
        stderr=subprocess.DEVNULL,
        preexec_fn=_on_one_core,
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


def _on_one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def long_recording(folder: Path, seconds: float) -> Path:
    """A table of a simulated listener, `seconds` long, to be replayed."""
    gsr, ppg = SimulatedListener("demo", seed=21).next(round(seconds * FS_HZ))
    table = folder / "long.csv"
    columns = np.column_stack([np.arange(len(gsr)) / FS_HZ, gsr, ppg])
    np.savetxt(table, columns, "%.5f", ",", header="t_s,gsr_uS,ppg", comments="")
    return table


def hour(folder: Path, seconds: float) -> list[Result]:
    """Resident memory of a long replay at 20 times real time, after its first fifth."""
    file, table = folder / "hour.jsonl", long_recording(folder, seconds)
    command = [sys.executable, "-m", "app", "--home", str(folder), "sense", "--source", "replay"]
    process = subprocess.Popen(
        [*command, "--file", str(table), "--speed", "20", "--jsonl", str(file)],
        stderr=subprocess.DEVNULL,
    )
    growth = _growth_mb(process, seconds / 20, file)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    told = len(rows) + rows[-1]["dropped"]
    detail = f"{seconds:.0f} s of signal at 20 times real time"
    return [
        Result("replay: growth of memory, second half", growth, "MB", ALLOWED_GROWTH_MB, detail),
        Result("replay: hops neither told nor counted", seconds / HOP_S - told, "", 3.0, detail),
    ]


def _growth_mb(process: subprocess.Popen[bytes], seconds: float, begun: Path) -> float:
    """What the memory of a process grows by in its second half, by medians of its two quarters.

    The clock begins when `begun` is written. In the first half the allocator
    finds its size; single readings swing by some 20 MB with what is drawn and
    rated at that moment.
    """
    sizes: list[tuple[float, float]] = []
    begun_s = np.inf
    while process.poll() is None:
        if begun_s == np.inf and begun.exists() and begun.stat().st_size:
            begun_s = time.monotonic()
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()
        if len(pages) > 1 and int(pages[1]):
            size_mb = int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            sizes.append((time.monotonic() - begun_s, size_mb))
        time.sleep(0.5)
    quarters: list[list[float]] = [[], [], [], []]
    for at_s, size_mb in sizes:
        if at_s >= 0.0:
            quarters[min(3, int(4.0 * at_s / seconds))].append(size_mb)
    return float(np.median(quarters[3]) - np.median(quarters[2]))


def window_minute(folder: Path, seconds: float = 60.0) -> list[Result]:
    """The window with the panel open on the simulated listener at 128 Hz, offscreen."""
    told = json.loads(_window(folder, seconds, 1.0).communicate()[0].splitlines()[-1])
    detail = f"{told['seconds']:.0f} s with the panel open, drawn offscreen"
    return [
        Result("window: share of a core", told["cpu"], "", ALLOWED_CPU_WINDOW, detail),
        Result("window: frames of the plots", told["frames"], "1/s", 25.0, detail, at_least=True),
        Result("window: longest stall", told["stall_ms"], "ms", ALLOWED_STALL_MS, detail),
        Result("window: estimate, p99", told["p99_ms"], "ms", ALLOWED_P99_MS, detail),
        Result("window: samples lost", float(told["lost"]), "", 0.0, detail),
    ]


def window_hour(folder: Path, seconds: float) -> list[Result]:
    """Memory of the window while it replays at 20 times real time."""
    table = long_recording(folder, seconds + 60.0)
    (folder / "begun").unlink(missing_ok=True)
    process = _window(folder, seconds / 20, 20.0, table)
    growth = _growth_mb(process, seconds / 20, folder / "begun")
    process.communicate()
    return [
        Result("window: growth of memory in a replay, second half", growth, "MB", ALLOWED_GROWTH_MB)
    ]


def _window(
    folder: Path, seconds: float, speed: float, replayed: Path | None = None
) -> subprocess.Popen[bytes]:
    file = str(replayed or "")
    program = (
        f"from benchmarks.sense import panel; panel({str(folder)!r}, {seconds}, {speed}, {file!r})"
    )
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_ACCESSIBILITY": "0"}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    )


def panel(folder: str, seconds: float, speed: float, replayed: str = "") -> None:
    """Run in a process of its own: the window with a session, its figures as JSON on stdout.

    Counting begins after the first estimate, when everything is loaded.
    """
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.desktop.desktop import Desktop
    from app.live_sources import SourceChoice, SourceKind
    from app.paths import home
    from app.playback.null_backend import NullBackend

    app = QApplication.instance() or QApplication(sys.argv[:1])
    desktop = Desktop(app, home(folder).prepare(), NullBackend)  # type: ignore[arg-type]
    desktop.window.resize(1280, 800)
    desktop.start([])

    def until(done: Callable[[], object]) -> None:
        while not done():
            app.processEvents()
            time.sleep(0.001)

    until(lambda: desktop.sensing is not None)
    assert desktop.sensing is not None
    controller = desktop.sensing.controller
    latency: list[float] = []
    choice = SourceChoice(SourceKind.SIMULATED, speed=speed)
    if replayed:
        choice = SourceChoice(SourceKind.REPLAY, path=Path(replayed), speed=speed)
    controller.listen_to(choice)
    until(lambda: controller.reading is not None and controller.reading.estimate is not None)
    controller.estimate_changed.connect(lambda reading: latency.append(reading.latency_s))
    plot = desktop.window.sensors.plot
    assert plot is not None
    (Path(folder) / "begun").write_text("yes")
    last, gaps = [time.perf_counter()], [0.0]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(1000.0 * (now - last[0]) - 10.0)
        last[0] = now

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(tick)
    timer.start()
    frames, cpu, begun = plot.frames, time.process_time(), time.monotonic()
    QTimer.singleShot(round(1000 * seconds), app.quit)
    app.exec()
    passed = time.monotonic() - begun
    told = {
        "seconds": passed,
        "cpu": (time.process_time() - cpu) / passed,
        "frames": (plot.frames - frames) / passed,
        "stall_ms": max(gaps),
        "p99_ms": 1000.0 * float(np.percentile(latency, 99)),
        "lost": controller.vitals.counters.lost,
    }
    timer.stop()
    desktop.close()
    print(json.dumps(told), flush=True)


def measure(hour_s: float) -> Iterator[Result]:
    """All figures; without the long session for 0 s."""
    with tempfile.TemporaryDirectory() as scratch:
        yield from minute(Path(scratch))
        yield from window_minute(Path(scratch))
        if hour_s > 0:
            yield from hour(Path(scratch), hour_s)
            yield from window_hour(Path(scratch), hour_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--hour", type=float, default=3600.0, help="signal of the long session, s")
    args = parser.parse_args()
    return report("sense", measure(args.hour), args.out)


if __name__ == "__main__":
    raise SystemExit(main())
