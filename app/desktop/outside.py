"""The player outside its window: media keys and desktop controls, the notification area."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QIcon

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.desktop import Desktop
from app.desktop.media_controls import MediaControls
from app.desktop.shutdown import Stage
from app.desktop.tray import Tray

__all__ = ["Outside"]


class Outside(QObject):
    """Begins when the library is open, and ends before everything else."""

    def __init__(self, desktop: Desktop, icon: QIcon) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._thread = AsyncioThread()
        self._controls = MediaControls(desktop.player, desktop.book.track_of, self._thread, self)
        self._controls.raise_requested.connect(desktop.raise_window)
        self._controls.quit_requested.connect(desktop.window.close)
        self._controls.open_requested.connect(lambda path: desktop.open_paths([path]))
        self._controls.start()
        self._tray = Tray(desktop.player, icon, self._title, self)
        self._tray.toggle_window_requested.connect(self._toggle_window)
        self._tray.quit_requested.connect(desktop.window.close)
        if desktop.glue is not None:
            desktop.glue.described.connect(lambda _: self._tray.refresh())
        self._tray.show()
        desktop.end_first(Stage("desktop controls", self._end, 0.5))

    def _title(self) -> str:
        song = self._desktop.glue.now if self._desktop.glue is not None else None
        if song is None:
            return ""
        return f"{song.artist} – {song.title}" if song.artist else song.title

    def _toggle_window(self) -> None:
        window = self._desktop.window
        if window.isVisible() and window.isActiveWindow():
            window.showMinimized()
        else:
            self._desktop.raise_window()

    def _end(self, limit_s: float) -> list[str]:
        self._tray.shutdown()
        stuck = self._controls.shutdown(limit_s / 2)
        if not self._thread.close(limit_s / 2):
            stuck = [*stuck, "the D-Bus thread"]
        return stuck
