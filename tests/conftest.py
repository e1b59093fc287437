"""Fixtures that every test shares: a private home, real audio files, nothing left running."""

from __future__ import annotations

import gc
import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before anything imports Qt: tests never open a window on the developer's screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_ACCESSIBILITY", "0")
# One thread a test process: they run side by side, and threads that wait for each other spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests import audio_files

# Who starts the tests in the background hands them an ignored SIGINT, which children inherit;
# the tests of Ctrl-C need the signal as a terminal would give it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


GRACE_S = 2.0
"""How long work that was told to stop may take to end before it counts as left over."""


RESEARCH = {"torch", "librosa", "sklearn", "onnx"}
"""What the [train] extra brings; without it (TRAINING=0) its tests are skipped, not failed."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    report = yield
    if report.failed and _lacks_research(str(report.longrepr)):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, "Skipped: needs the [train] extra")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if report.failed and _lacks_research(str(call.excinfo and call.excinfo.value)):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1], "Skipped: needs the [train] extra")
    return report


def _lacks_research(text: str) -> bool:
    return any(
        f"No module named '{name}'" in text and importlib.util.find_spec(name) is None
        for name in RESEARCH
    )


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of this test's own; `undertone` stores everything in the returned folder.

    `HOME` and the XDG folders move too, so that no test can touch the user's files.
    """
    user = tmp_path_factory.mktemp("user")
    folder = user / "undertone"
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("UNDERTONE_HOME", str(folder))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(user / name.lower()))
    return folder


@pytest.fixture
def make_audio(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a small real audio file: see `tests.audio_files.write_audio`.

    The name is relative to `tmp_path` and its suffix chooses the format::

        path = make_audio("a/song.flac", duration_s=2.0, fs_hz=48000, artist="Ana")
    """

    def make(name: str | os.PathLike[str] = "song.mp3", **options: Any) -> Path:
        return audio_files.write_audio(tmp_path / name, **options)

    return make


@pytest.fixture
def tone_mp3(make_audio: Callable[..., Path]) -> Callable[..., Path]:
    """`tone_mp3(duration_s=3.0, name="tone.mp3", **options)`: a tagged MP3 of a steady tone."""

    def make(duration_s: float = 3.0, name: str = "tone.mp3", **options: Any) -> Path:
        return make_audio(name, duration_s=duration_s, **options)

    return make


@pytest.fixture
def music_folder(tmp_path: Path) -> Path:
    """A folder `music` with six tagged songs (MP3, FLAC, Ogg, WAV) in two album folders."""
    folder = tmp_path / "music"
    audio_files.write_album(folder / "First", artist="Ana Lima", album="First", suffix=".mp3")
    audio_files.write_album(folder / "Second", artist="Bo", album="Second", suffix=".flac", songs=1)
    audio_files.write_audio(folder / "Second" / "02.ogg", title="Ogg", artist="Bo", track_no=2)
    audio_files.write_audio(folder / "Second" / "03.wav", title="Wav", artist="Bo", track_no=3)
    return folder


@pytest.fixture(autouse=True)
def no_dangling_tasks(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process, a timer or a thread-pool job behind.

    Threads that belong to a fixture of wider scope are named in a marker:
    ``@pytest.mark.keeps_threads("undertone-writer")`` (prefixes of thread names).
    """
    threads_before = set(threading.enumerate())
    qt = _QtWatch(monkeypatch) if _uses_qt(request) else None
    yield
    kept = [prefix for mark in request.node.iter_markers("keeps_threads") for prefix in mark.args]
    left = [*_left_threads(threads_before, kept), *_left_processes()]
    if qt is not None:
        left += qt.left_over()
    if left:
        pytest.fail("the test left something running: " + "; ".join(left), pytrace=False)


def _left_threads(before: set[threading.Thread], kept: list[str]) -> list[str]:
    deadline = time.monotonic() + GRACE_S
    left = []
    for thread in set(threading.enumerate()) - before:
        # A dummy thread is a foreign one (libvlc's, Qt's) that once ran Python: not ours.
        if isinstance(thread, threading._DummyThread) or thread.name.startswith(tuple(kept)):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            left.append(f"thread {thread.name!r}")
    return left


def _left_processes() -> list[str]:
    left = []
    for process in multiprocessing.active_children():
        process.join(GRACE_S)
        if process.is_alive():
            left.append(f"process {process.name!r}")
    return left


def _uses_qt(request: pytest.FixtureRequest) -> bool:
    return "PySide6.QtCore" in sys.modules and "qapp" in request.fixturenames


class _QtWatch:
    """Remembers each QTimer, QThread and QThreadPool that Python code starts during one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from PySide6 import QtCore

        self._core = QtCore
        # Weak: what nobody else holds any more is deleted, and with that stopped.
        self._started: list[weakref.ref[Any]] = []
        self._single_shots: dict[int, str] = {}
        for owner, names in (
            (QtCore.QTimer, ("start",)),
            (QtCore.QThread, ("start",)),
            (QtCore.QThreadPool, ("start", "tryStart")),
        ):
            for name in names:
                self._watch(monkeypatch, owner, name)
        self._watch_single_shots(monkeypatch)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        original = getattr(owner, name)
        started = self._started

        def start(this: Any, *args: Any, **kwargs: Any) -> Any:
            if not any(this is other() for other in started):
                started.append(weakref.ref(this))
            return original(this, *args, **kwargs)

        monkeypatch.setattr(owner, name, start)

    def _watch_single_shots(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = self._core.QTimer.singleShot
        pending = self._single_shots

        def single_shot(msec: int, *args: Any) -> Any:
            *between, slot = args
            if not callable(slot):
                return original(msec, *args)
            number = len(pending)
            pending[number] = f"QTimer.singleShot({msec}, {getattr(slot, '__qualname__', slot)})"

            def fire() -> None:
                pending[number] = ""
                slot()

            return original(msec, *between, fire)

        monkeypatch.setattr(self._core.QTimer, "singleShot", staticmethod(single_shot))

    def left_over(self) -> list[str]:
        left = self._active()
        if left:
            gc.collect()
            app = self._core.QCoreApplication.instance()
            if app is not None:
                app.processEvents()
                app.sendPostedEvents(None, self._core.QEvent.Type.DeferredDelete.value)
            left = self._active()
        self._started.clear()
        return left

    def _active(self) -> list[str]:
        import shiboken6

        left = [text for text in self._single_shots.values() if text]
        for reference in self._started:
            thing = reference()
            if thing is None or not shiboken6.isValid(thing):
                continue
            name = thing.objectName() or type(thing).__qualname__
            if isinstance(thing, self._core.QTimer) and thing.isActive():
                left.append(f"active QTimer {name!r} every {thing.interval()} ms")
            elif isinstance(thing, self._core.QThread) and not thing.wait(int(GRACE_S * 1000)):
                left.append(f"QThread {name!r}")
            elif isinstance(thing, self._core.QThreadPool) and not thing.waitForDone(
                int(GRACE_S * 1000)
            ):
                left.append(f"QThreadPool {name!r} with {thing.activeThreadCount()} jobs")
        return left
