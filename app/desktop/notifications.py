"""A notification when another song begins while the window is not in front."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from app.desktop.asyncio_thread import AsyncioThread
    from app.desktop.desktop import Desktop
    from widgets.player_bar import NowPlaying

__all__ = ["Notifications"]


class Notifications(QObject):
    """Tells songs through the desktop's own notifications, one in place of the last.

    Parameters
    ----------
    bus : Bus
        The session bus; used on the asyncio thread.
    """

    def __init__(
        self, desktop: Desktop, thread: AsyncioThread, bus: Any, desktop_entry: str
    ) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._thread = thread
        self._bus = bus
        self._entry = desktop_entry
        self._told: int | None = None
        self._number = 0
        self._lock = asyncio.Lock()
        if desktop.glue is not None:
            desktop.glue.described.connect(self._on_song)
        desktop.player.state_changed.connect(lambda _: self._on_song(self._now()))

    def _now(self) -> NowPlaying | None:
        return self._desktop.glue.now if self._desktop.glue is not None else None

    def _on_song(self, song: NowPlaying | None) -> None:
        desktop = self._desktop
        entry = desktop.player.entry
        if song is None or entry is None or desktop.player.state != "playing":
            return
        if song.id >= 0 and song.id != desktop.player.track_id:
            return  # of the song before
        if entry.key == self._told:
            return
        self._told = entry.key
        if desktop.preferences.settings.appearance.notifications and not self._in_front():
            text = " – ".join(part for part in (song.artist, song.album) if part)
            self._thread.submit(self._tell(song.title, text))

    def _in_front(self) -> bool:
        window = self._desktop.window
        return window.isVisible() and window.isActiveWindow()

    async def _tell(self, title: str, text: str) -> None:
        from app.desktop.bus import notify

        async with self._lock:
            self._number = await notify(
                self._bus, self._number, title, text, self._entry, self._entry
            )
