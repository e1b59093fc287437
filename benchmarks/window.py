"""Measures the window on 100,000 tracks: start, search, panning the plane, stalls, memory.

    python -m benchmarks.window --out results            # about two minutes
    python -m benchmarks.window --only plane             # some, printed only

Runs offscreen (`QT_QPA_PLATFORM=offscreen`, 1280 x 800). The machine should be
quiet. Results go to `results/window.csv` and `window.json`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._results import Result, report
from benchmarks.library import TRACKS, make_library
from library_db.index_file import INDEX_FILE

FRAMES = 600


class Running:
    """The program on a home, as a listener starts it, without a screen; sound goes nowhere."""

    def __init__(self, folder: Path) -> None:
        from PySide6.QtWidgets import QApplication

        from app.desktop.main import make_desktop
        from app.paths import home

        (folder / "window.json").unlink(missing_ok=True)
        self.app = QApplication.instance() or QApplication(sys.argv[:1])
        self.desktop = make_desktop(self.app, home(folder).prepare(), ("--aout=dummy",))  # type: ignore[arg-type]
        self.desktop.window.resize(1280, 800)
        self.desktop.start([])
        self.until(lambda: len(self.desktop.window.table.songs.ids) > 0)
        self.until(self.filled)

    def filled(self) -> bool:
        """Whether every row in sight shows its song."""
        songs = self.desktop.window.table.songs
        return all(songs.song(row) is not None for row in range(min(15, len(songs.ids))))

    def until(self, done: Callable[[], bool], limit_s: float = 60.0) -> None:
        ends_s = time.perf_counter() + limit_s
        while not done():
            self.app.processEvents()
            if time.perf_counter() > ends_s:
                raise TimeoutError
            time.sleep(0.0005)

    def settle(self) -> None:
        songs = self.desktop.songs
        assert songs is not None
        self.until(lambda: self.desktop.runner.idle and not songs.restless)

    def close(self) -> None:
        self.desktop.close()
        self.desktop.window.close()


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start_once(folder: Path) -> None:
    """Prints seconds to a usable window, seconds to close, and MiB; run in a fresh process."""
    running = Running(folder)
    usable_s = time.perf_counter() - float(os.environ["UNDERTONE_BENCH_BEGAN"])
    running.settle()
    running.desktop.window.sidebar.choose("plane")
    running.until(lambda: len(running.desktop.window.plane.canvas.points) > 0)
    running.desktop.window.plane.canvas.repaint()
    running.desktop.window.sidebar.choose("all")
    running.settle()
    mib = _resident_mib()
    began = time.perf_counter()
    running.close()
    print(usable_s, time.perf_counter() - began, mib)


def measure_start(folder: Path) -> Iterator[Result]:
    program = f"from benchmarks.window import start_once; start_once({str(folder)!r})".replace(
        repr(str(folder)), f"__import__('pathlib').Path({str(folder)!r})"
    )

    def start() -> list[float]:
        # perf_counter counts from the same moment in all processes of a machine (CLOCK_MONOTONIC).
        env = {**os.environ, "UNDERTONE_BENCH_BEGAN": repr(time.perf_counter())}
        out = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=env
        ).stdout.split()
        return [float(value) for value in out]

    first = []
    for _ in range(3):
        (folder / INDEX_FILE).unlink(missing_ok=True)
        first.append(start())
    runs = [start() for _ in range(5)]
    first_s, first_close_s, _ = np.median(first, axis=0)
    start_s, close_s, mib = np.median(runs, axis=0)
    detail = "median of 5 processes, from exec to rows in sight"
    yield Result("start_to_usable_window", start_s, "s", 2.0, detail)
    yield Result("close", close_s, "s", 2.0, "median of 5, saved and ended")
    yield Result("resident_memory", mib, "MiB", 500, "after the list and the plane were shown")
    detail = "the same without the kept index, as after a first scan; median of 3"
    yield Result("first_start_to_usable_window", first_s, "s", 2.0, detail)
    yield Result("first_close", first_close_s, "s", 2.0, "median of 3; keeps the index")


def measure_search(folder: Path) -> Iterator[Result]:
    running = Running(folder)
    songs, table = running.desktop.songs, running.desktop.window.table
    assert songs is not None
    running.settle()
    times: list[float] = []
    for word in ("love", "mood:calm", "artist:golden", "year:1990-1999", "conf:<0.5"):
        for end in range(1, len(word) + 1):
            shown: list[object] = []
            connection = songs.found.connect(lambda *_: shown.append(1))  # noqa: B023
            refused = songs.query_refused.connect(lambda *_: shown.append(1))  # noqa: B023
            began = time.perf_counter()
            songs.set_text(word[:end])
            running.until(lambda: bool(shown))  # noqa: B023
            table.viewport().repaint()
            times.append(1000 * (time.perf_counter() - began))
            songs.found.disconnect(connection)
            songs.query_refused.disconnect(refused)
            running.settle()
    detail = (
        f"p95 of {len(times)} keys, from asking to the list painted, without the pause of typing"
    )
    yield Result("search_a_key_p95", float(np.percentile(times, 95)), "ms", 50, detail)
    running.close()


def measure_plane(folder: Path) -> Iterator[Result]:
    running = Running(folder)
    window = running.desktop.window
    window.sidebar.choose("plane")
    canvas = window.plane.canvas
    running.until(lambda: len(canvas.points) > 0)
    running.settle()
    for zoom in (1.0, 3.0, 12.0):
        canvas.fit()
        canvas.zoom(zoom)
        canvas.repaint()
        frames = []
        for k in range(FRAMES):
            began = time.perf_counter()
            canvas.pan(6 if k // 60 % 2 else -6, 2 if k % 2 else -3)
            canvas.repaint()
            running.app.processEvents()
            frames.append(time.perf_counter() - began)
        rate = FRAMES / sum(frames)
        worst = 1000 * max(frames)
        detail = f"{len(canvas.points)} points, {canvas.width()}x{canvas.height()}"
        yield Result(f"pan_zoom_{zoom:g}", rate, "frames/s", 50, detail, at_least=True)
        yield Result(f"pan_zoom_{zoom:g}_worst_frame", worst, "ms", 50, detail)
    running.close()


def measure_stalls(folder: Path) -> Iterator[Result]:
    """How late a 5 ms timer comes while songs are tagged and one plays."""
    from PySide6.QtCore import QTimer

    from app.demo import make_demo_library

    music = folder.parent / "music"
    songs = make_demo_library(music)
    running = Running(folder)
    running.settle()
    desktop = running.desktop
    assert desktop.work is not None
    gaps: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(1000 * (now - last[0]) - 5.0)
        last[0] = now

    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(tick)
    desktop.player.set_repeat("all")
    desktop.player.play_paths(songs)
    desktop.work.add([music])
    last[0] = time.perf_counter()
    timer.start()
    tagged = desktop.window.sidebar
    before = tagged.count_of("all")
    running.until(lambda: tagged.count_of("all") >= before + len(songs), 300)
    running.until(lambda: not desktop.runner.tasks, 300)
    timer.stop()
    detail = f"{len(songs)} songs tagged, {len(gaps)} ticks, libVLC playing into a dummy output"
    yield Result("stall_p999", float(np.percentile(gaps, 99.9)), "ms", 50, detail)
    yield Result("stall_max", max(gaps), "ms", 150, detail)
    running.close()


_PARTS: dict[str, Callable[[Path], Iterator[Result]]] = {
    "start": measure_start,
    "search": measure_search,
    "plane": measure_plane,
    "stalls": measure_stalls,
}


def measure(names: list[str]) -> Iterator[Result]:
    """The figures of these parts."""
    folder = Path(tempfile.mkdtemp(prefix="undertone-bench-"))
    try:
        print(f"making {TRACKS} tracks ...", flush=True)
        home = folder / "home"
        make_library(home)
        (home / "settings.toml").write_text("[library]\nscan_at_start = false\n", encoding="utf-8")
        for name in names:
            yield from _PARTS[name](home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    from PySide6 import __version__

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="folder for window.csv and window.json")
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), default=list(_PARTS))
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_ACCESSIBILITY", "0")
    about = {"tracks": TRACKS, "pyside": __version__, "numpy": np.__version__}
    return report("window", measure(args.only), args.out, about=about)


if __name__ == "__main__":
    sys.exit(main())
