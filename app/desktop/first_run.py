"""The first minutes: once the first songs are there, what can be done with them is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop

__all__ = ["FirstRun"]


class FirstRun(QObject):
    """Offers the guide when a library gets its first songs, and opens it when asked for."""

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        desktop.window.actions_.guide.triggered.connect(self.show)
        library, settings = desktop.library, desktop.preferences.settings
        if library is not None and not len(library.index) and not settings.window.seen_welcome:
            assert desktop.songs is not None
            desktop.songs.counted.connect(self._on_counted)

    def show(self) -> None:
        """Open the guide."""
        from widgets.dialogs.guide import GuideDialog

        desktop = self._desktop
        desktop.preferences.set("window", "seen_welcome", True)
        desktop.dialogs.show(GuideDialog(desktop.theme, desktop.window))

    def _on_counted(self, counts: dict[str, int]) -> None:
        desktop = self._desktop
        if not counts.get("all"):
            return
        assert desktop.songs is not None
        desktop.songs.counted.disconnect(self._on_counted)
        desktop.preferences.set("window", "seen_welcome", True)
        desktop.window.toasts.show_toast(
            self.tr("Your music is here; moods follow song by song."),
            self.tr("Getting started"),
            self.show,
        )
