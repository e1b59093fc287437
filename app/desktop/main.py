"""Starts the player: one instance a home, the window, the event loop, the end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.desktop.instance import InstanceServer
from app.desktop.responsive import favour_the_window, spare_what_is_loaded
from app.paths import Home
from app.playback.backend import PlaybackBackend, Post
from app.playback.choose import open_backend
from app.playback.vlc_engine import EngineStart
from app.remote import send

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop
    from library_db.library import Library

__all__ = ["main", "make_desktop"]

_log = logging.getLogger(__name__)

DESKTOP_ID = "io.github.undertone.Undertone"

_LATER_MS = 200
"""Media keys and the tray come once the songs are in sight."""


def main(home: Home, paths: Sequence[Path] = ()) -> int:
    """Open the player on `paths`, or hand them to the one that runs already.

    Returns
    -------
    int
        The exit code: 0.
    """
    home.prepare()
    app = _make_application()
    desktops: list[Desktop] = []
    server = InstanceServer(
        home.folder, lambda message: desktops[0].handle(message) if desktops else {"ok": True}
    )
    if not server.listen():
        message = {"command": "open", "paths": [str(path.absolute()) for path in paths]}
        if send(home.folder, message) is not None:
            return 0
        _log.warning("a player of this home runs and does not answer; opening another window")
    desktop = make_desktop(app, home)
    desktops.append(desktop)
    waker = _quit_on_signals(desktop)
    desktop.closed.connect(lambda _: app.quit())
    desktop.start([path.absolute() for path in paths])
    app.exec()
    waker.stop()
    stuck = desktop.close() or desktop.stuck
    server.close()
    if stuck:
        print(f"undertone: did not stop in time: {', '.join(stuck)}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)  # a thread that hangs would keep the process for ever; all is saved
    return 0


def _make_application() -> QApplication:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("undertone")
    app.setApplicationDisplayName("Undertone")
    app.setDesktopFileName(DESKTOP_ID)
    app.setQuitOnLastWindowClosed(False)  # a hidden window plays on; `closed` ends the program
    icon = files("resources").joinpath("icons", "undertone.svg")
    if icon.is_file():
        app.setWindowIcon(QIcon(str(icon)))
    _install_translation(app)
    return app


def make_desktop(app: QApplication, home: Home, sound: Sequence[str] = ()) -> Desktop:
    """The window; library and libVLC are opened meanwhile, on threads of their own.

    Parameters
    ----------
    sound : sequence of str
        More options for libVLC.
    """
    favour_the_window()
    engine = EngineStart(sound)
    opening = _open_library(home.library_dir)
    from app.desktop.desktop import Desktop

    faults: list[Exception] = []

    def make_backend(post: Post) -> PlaybackBackend:
        backend, fault = open_backend(post, started=engine)
        if fault is not None:
            faults.append(fault)
        return backend

    desktop = Desktop(app, home, make_backend, open_library=opening.result)
    for fault in faults:
        desktop.tell_error(fault)
    desktop.opened.connect(lambda: QTimer.singleShot(_LATER_MS, desktop, load_outside))

    def load_outside() -> None:
        # Half a hundred modules: loaded aside, or they would hold up the first clicks.
        desktop.runner.call(lambda: import_module("app.desktop.outside"), go_outside, pool="io")

    def go_outside(outside: ModuleType) -> None:
        outside.Outside(desktop, app.windowIcon())
        spare_what_is_loaded()

    return desktop


def _open_library(folder: Path) -> Future[Library]:
    """Begin to open the library, before the window's modules are loaded."""
    opening: Future[Library] = Future()

    def work() -> None:
        try:
            from library_db.library import Library

            opening.set_result(Library.open(folder))
        except BaseException as error:
            opening.set_exception(error)

    Thread(target=work, name="library-open", daemon=True).start()
    return opening


def _install_translation(app: QApplication, own_folder: Path | None = None) -> None:
    own_folder = own_folder or Path(str(files("resources").joinpath("translations")))
    qt = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if qt.load(QLocale(), "qtbase", "_", folder):
        app.installTranslator(qt)
    own = QTranslator(app)
    if own.load(QLocale(), "undertone", "_", str(own_folder)):
        app.installTranslator(own)


def _quit_on_signals(desktop: Desktop) -> QTimer:
    """End in order on Ctrl-C and at the session end; Python must run now and then to see it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: desktop.window.quit())
    timer = QTimer(desktop)
    timer.timeout.connect(lambda: None)
    timer.start(200)
    return timer
