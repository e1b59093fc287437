"""Measures the views of the library at 100,000 tracks: opening, searching in them, playlists.

    python -m benchmarks.views --out results             # about two minutes

Runs offscreen (`QT_QPA_PLATFORM=offscreen`, 1280 x 800). The machine should be
quiet. Results go to `results/views.csv` and `views.json`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks._results import Result, report
from benchmarks.library import TRACKS, make_library
from benchmarks.window import Running
from library_db.browse import FolderTree

BOUND_MS = 50.0
REPEATS = 7
LOST = 50_000


def median_ms(act: Callable[[], object], back: Callable[[], object] = lambda: None) -> float:
    """The median time of several runs, after one that warms up; `back` is not counted."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - began))
        back()
    return float(np.median(times[1:]))


def measure_views(running: Running) -> Iterator[Result]:
    """From choosing a view in the sidebar to its tiles painted."""
    window, views = running.desktop.window, running.desktop.views
    assert views is not None

    def home() -> None:
        window.sidebar.choose("all")
        running.settle()

    for key, page in views.browse.pages.items():

        def show(key: str = key, page: object = page) -> None:
            views.browse._stale.add(key)  # as after a change: grouped anew
            page.model.show(())  # type: ignore[attr-defined]
            window.sidebar.choose(key)
            running.until(lambda: len(page.model.groups) > 0)  # type: ignore[attr-defined]
            page.view.viewport().repaint()  # type: ignore[attr-defined]

        value = median_ms(show, home)
        detail = f"{len(page.model.groups)} tiles, grouped anew, painted without covers"
        yield Result(f"open_{key}", value, "ms", BOUND_MS, detail)

    folders = views.browse.folders

    def show_folders() -> None:
        views.browse._stale.add("folders")
        folders.model.show(FolderTree([], [], [], [], [], []))
        window.sidebar.choose("folders")
        running.until(lambda: len(folders.model.tree.tops) > 0)
        folders.view.viewport().repaint()

    value = median_ms(show_folders, home)
    detail = f"{len(folders.model.tree.paths)} folders, shown as the page unfolds them at first"
    yield Result("open_folders", value, "ms", BOUND_MS, detail)
    yield from _measure_albums(running)
    home()


def _measure_albums(running: Running) -> Iterator[Result]:
    window, views = running.desktop.window, running.desktop.views
    assert views is not None
    page = views.browse.pages["albums"]
    window.sidebar.choose("albums")
    running.settle()

    def open_album() -> None:
        page.opened.emit(page.model.groups[100].key)
        running.until(lambda: len(window.table.songs.ids) == 12)
        window.table.viewport().repaint()

    def back() -> None:
        window.back_requested.emit()
        running.settle()
        window.table.show_ids(np.empty(0, np.int64))

    yield Result("open_an_album", median_ms(open_album, back), "ms", BOUND_MS, "its 12 songs")
    window.sidebar.choose("albums")
    running.settle()
    bar, frames = page.view.verticalScrollBar(), []
    for step in range(200):
        began = time.perf_counter()
        bar.setValue(bar.value() + 37)
        page.view.viewport().repaint()
        frames.append(1000 * (time.perf_counter() - began))
        if step % 20 == 0:
            running.app.processEvents()
    detail = f"{len(frames)} steps through {len(page.model.groups)} tiles"
    yield Result("scroll_albums_p95", float(np.percentile(frames, 95)), "ms", 16, detail)
    running.settle()


def measure_completion(running: Running) -> Iterator[Result]:
    from library_db.completion import suggest

    songs = running.desktop.songs
    assert songs is not None
    times = []
    for word in ("golden", "artist:the g", "mood:ca", "album:go", "genre:"):
        for end in range(1, len(word) + 1):
            began = time.perf_counter()
            suggest(songs.library.index, word[:end], end)
            times.append(1000 * (time.perf_counter() - began))
    detail = f"p95 of {len(times)} keys, looked up on a pool"
    yield Result("completion_a_key_p95", float(np.percentile(times, 95)), "ms", BOUND_MS, detail)


def measure_playlists(running: Running) -> Iterator[Result]:
    """Opening playlists and adding to one, in the window."""
    from app.desktop.playlist_controller import key_of
    from library_db.playlists import OutsideFile, Playlist, Rule

    desktop, window = running.desktop, running.desktop.window
    songs, views = desktop.songs, desktop.views
    assert songs is not None
    assert views is not None
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    circle = tuple((0.5 * float(np.cos(t)), 0.5 * float(np.sin(t))) for t in turn)
    ids = songs.library.index.ids[::100].tolist()
    lost = tuple(OutsideFile(Path(f"/gone/album {n // 12}/{n:05}.mp3")) for n in range(LOST))
    playlists = songs.library.playlists
    plain = playlists.put(Playlist("Plain", tuple(ids)))
    smart = playlists.put(Playlist("Smart", rule=Rule("year:>1980", circle)))
    missing = playlists.put(Playlist("Missing", lost))
    views.playlists.refresh()
    running.until(lambda: len(views.playlists.infos) == 3)
    running.settle()

    def open_list(number: int) -> Callable[[], None]:
        def act() -> None:
            window.table.show_ids(np.empty(0, np.int64))
            window.sidebar.choose(key_of(number))
            running.until(lambda: len(window.table.songs.ids) > 0)
            window.table.viewport().repaint()

        return act

    def home() -> None:
        window.sidebar.choose("all")
        running.settle()

    detail = f"{len(ids)} songs, shown and painted"
    yield Result("open_playlist", median_ms(open_list(plain), home), "ms", BOUND_MS, detail)
    detail = "a query and a part of the plane of 120 corners"
    yield Result("open_smart_playlist", median_ms(open_list(smart), home), "ms", BOUND_MS, detail)
    detail = f"{LOST} files that are not there, each looked for on the disk"
    yield Result("open_missing_playlist", median_ms(open_list(missing), home), "ms", 1000, detail)

    def add() -> None:
        before = playlists.revision(plain)
        views.playlists.add(plain, ids[:10])
        running.until(lambda: playlists.revision(plain) != before)

    detail = "10 songs added to 1,000, on the disk"
    yield Result("add_to_playlist", median_ms(add, running.settle), "ms", BOUND_MS, detail)


def measure() -> Iterator[Result]:
    """All figures."""
    folder = Path(tempfile.mkdtemp(prefix="undertone-bench-"))
    try:
        print(f"making {TRACKS} tracks ...", flush=True)
        home = folder / "home"
        make_library(home)
        (home / "settings.toml").write_text("[library]\nscan_at_start = false\n", encoding="utf-8")
        running = Running(home)
        running.settle()
        yield from measure_views(running)
        yield from measure_completion(running)
        yield from measure_playlists(running)
        running.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    from PySide6 import __version__

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="folder for views.csv and views.json")
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_ACCESSIBILITY", "0")
    about = {"tracks": TRACKS, "pyside": __version__, "numpy": np.__version__}
    return report("views", measure(), args.out, about=about)


if __name__ == "__main__":
    sys.exit(main())
