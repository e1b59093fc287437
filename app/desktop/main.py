"""Starts the player: one instance a home, the window, the event loop, the end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTimer, QTranslator
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.desktop.desktop import Desktop
from app.desktop.instance import InstanceServer
from app.desktop.outside import Outside
from app.paths import Home
from app.playback.backend import PlaybackBackend, Post
from app.playback.choose import open_backend
from app.remote import send
from widgets.icons import icon_file

__all__ = ["main"]

_log = logging.getLogger(__name__)

DESKTOP_ID = "io.github.undertone.Undertone"


def main(home: Home, paths: Sequence[Path] = ()) -> int:
    """Open the player on `paths`, or hand them to the one that runs already.

    Returns
    -------
    int
        The exit code: 0.
    """
    home.prepare()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("undertone")
    app.setApplicationDisplayName("Undertone")
    app.setDesktopFileName(DESKTOP_ID)
    if Path(icon_file("undertone")).exists():
        app.setWindowIcon(QIcon(icon_file("undertone")))
    _install_translation(app)
    faults: list[Exception] = []
    desktops: list[Desktop] = []
    server = InstanceServer(
        home.folder, lambda message: desktops[0].handle(message) if desktops else {"ok": True}
    )
    if not server.listen():
        message = {"command": "open", "paths": [str(path.absolute()) for path in paths]}
        if send(home.folder, message) is not None:
            return 0
        _log.warning("a player of this home runs and does not answer; opening another window")

    def make_backend(post: Post) -> PlaybackBackend:
        backend, fault = open_backend(post)
        if fault is not None:
            faults.append(fault)
        return backend

    desktop = Desktop(app, home, make_backend)
    desktops.append(desktop)
    desktop.opened.connect(lambda: Outside(desktop, app.windowIcon()))
    for fault in faults:
        desktop.tell_error(fault)
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


def _install_translation(app: QApplication) -> None:
    qt = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if qt.load(QLocale(), "qtbase", "_", folder):
        app.installTranslator(qt)
    own = QTranslator(app)
    if own.load(QLocale(), "undertone", "_", str(Path(icon_file("x")).parents[1] / "translations")):
        app.installTranslator(own)


def _quit_on_signals(desktop: Desktop) -> QTimer:
    """End in order on Ctrl-C and at the session end; Python must run now and then to see it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: desktop.window.close())
    timer = QTimer(desktop)
    timer.timeout.connect(lambda: None)
    timer.start(200)
    return timer
