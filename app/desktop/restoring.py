"""Window and player as they were left, and kept for the next start, also after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject

from app.desktop.state import WindowState

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop

__all__ = ["Restoring"]


class Restoring(QObject):
    """Reads the state at the start; writes it at the end, and now and then while a song plays."""

    def __init__(self, file: Path, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._file = file
        self._desktop = desktop
        self.state = WindowState.load(file)
        self._fault = ""

    def restore_window(self) -> None:
        state, window = self.state, self._desktop.window
        geometry = state.geometry_bytes
        if not geometry or not window.restoreGeometry(QByteArray(geometry)):
            window.resize(1200, 780)
        window.table.restore(state.table)
        window.set_splitter_sizes(state.splitter)
        window.set_queue_shown(state.queue_shown)

    def restore_player(self) -> None:
        desktop, state = self._desktop, self.state
        playback = desktop.preferences.settings.playback
        resume = playback.resume
        desktop.player.restore(
            [Path(song) if isinstance(song, str) else song for song in state.queue]
            if resume
            else (),
            state.queue_index if resume else None,
            state.position_s,
            playback.volume,
            playback.shuffle,
            playback.repeat,
        )
        desktop.player.set_muted(playback.muted)

    def keep(self) -> None:
        """Take down how everything is now."""
        desktop = self._desktop
        window, player = desktop.window, desktop.player
        geometry = bytes(window.saveGeometry().data())
        if desktop.songs is None:  # the library never opened: what was kept stays kept
            self.state = self.state.with_geometry(geometry)
            return
        table = window.table.kept_state()
        self.state = WindowState(
            splitter=tuple(window.splitter_sizes()),
            columns=table.shown,
            widths=table.widths,
            sort=table.sort,
            descending=table.descending,
            queue_shown=window.queue.isVisible(),
            view=desktop.songs.view,
            queue=tuple(
                song if isinstance(song, int) else str(song) for song in player.queue_songs
            ),
            queue_index=player.queue_index,
            position_s=player.position_s,
        ).with_geometry(geometry)

    def save(self) -> None:
        self.state.save(self._file)

    def save_aside(self) -> None:
        """Take down how everything is now, and write it on a worker."""
        self.keep()
        state, file = self.state, self._file
        self._desktop.runner.call(lambda: state.save(file), self._on_saved, pool="io")

    def _on_saved(self, fault: str) -> None:
        """Say once that it does not work, and again only after it did."""
        if fault and not self._fault:
            said = self.tr(
                "The queue and the window's state cannot be kept for the next start ({reason}). "
                "Free some space, or make {folder} writable."
            )
            self._desktop.window.toasts.show_toast(
                said.format(reason=fault, folder=self._file.parent)
            )
        self._fault = fault
