"""The player outside its window: media keys and desktop controls, the notification area."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QIcon

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.desktop import Desktop
from app.desktop.media_controls import DESKTOP_ENTRY, MediaControls
from app.desktop.notifications import Notifications
from app.desktop.shutdown import Stage
from app.desktop.tray import Tray

__all__ = ["Outside"]


class Outside(QObject):
    """Begins when the library is open, and ends before everything else."""

    _idle_answer = Signal(object, object)
    _calm_answer = Signal(bool)

    def __init__(self, desktop: Desktop, icon: QIcon) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._thread = AsyncioThread()
        self._buses: list[Any] = []
        self._controls = MediaControls(desktop.player, desktop.book.track_of, self._thread, self)
        self._controls.raise_requested.connect(desktop.raise_window)
        self._controls.quit_requested.connect(desktop.window.quit)
        self._controls.open_requested.connect(lambda path: desktop.open_paths([path]))
        self._controls.start()
        self._tray = Tray(desktop.player, icon, self._title, self)
        self._tray.toggle_window_requested.connect(self._toggle_window)
        self._tray.quit_requested.connect(desktop.window.quit)
        if desktop.glue is not None:
            desktop.glue.described.connect(lambda _: self._tray.refresh())
        self._tray.show()
        desktop.window.hides_on_close = self._hides_on_close
        self._speak_on_buses()
        desktop.end_first(Stage("desktop controls", self._end, 0.5))

    def _speak_on_buses(self) -> None:
        """Notifications, whether anybody is at the computer, and whether less is to move."""
        try:
            from app.desktop.bus import Bus, is_idle, wants_less_motion
        except ImportError:  # dbus-fast is for Linux
            return
        session, system = Bus(), Bus(system=True)
        self._buses = [session, system]
        self._notifications = Notifications(self._desktop, self._thread, session, DESKTOP_ENTRY)
        self._idle_answer.connect(self._on_idle, Qt.ConnectionType.QueuedConnection)

        async def ask(then: Callable[[bool | None], None]) -> None:
            self._idle_answer.emit(then, await is_idle(session, system))

        async def ask_for_calm() -> None:
            self._calm_answer.emit(await wants_less_motion(session))

        self._calm_answer.connect(self._on_calm, Qt.ConnectionType.QueuedConnection)
        self._begin(ask_for_calm())
        if self._desktop.conveniences is not None:
            self._desktop.conveniences.throttle.ask_idle = lambda then: self._begin(ask(then))

    def _on_idle(self, then: Callable[[bool | None], None], idle: bool | None) -> None:
        then(idle)

    def _on_calm(self, calm: bool) -> None:
        self._desktop.theme.set_calm(calm, "desktop")

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(RuntimeError):  # the thread is closed
            self._thread.submit(work)

    def _title(self) -> str:
        song = self._desktop.glue.now if self._desktop.glue is not None else None
        if song is None:
            return ""
        return f"{song.artist} – {song.title}" if song.artist else song.title

    def _toggle_window(self) -> None:
        window = self._desktop.window
        if window.isVisible() and window.isActiveWindow():
            # Wayland lets no program bring a minimised window back.
            window.hide()
        else:
            self._desktop.raise_window()

    def _hides_on_close(self) -> bool:
        appearance = self._desktop.preferences.settings.appearance
        return appearance.close_to_tray and self._tray.available

    def _end(self, limit_s: float) -> list[str]:
        self._tray.shutdown()
        for bus in self._buses:
            self._begin(bus.close())
        stuck = self._controls.shutdown(limit_s / 2)
        if not self._thread.close(limit_s / 2):
            stuck = [*stuck, "the D-Bus thread"]
        return stuck
