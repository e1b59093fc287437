"""What was played since the start, for the panel beside the queue."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.desktop.player_controller import PlayerController
from app.playback.queue import QueueEntry, Song
from widgets.queue_list import QueueItem
from widgets.queue_view import QueuePanel
from widgets.text import one_line

__all__ = ["PlayedSongs"]

_MOST = 500


class PlayedSongs(QObject):
    """Takes down each song as it begins to sound; plays one again on wish.

    It lasts as long as the window: what is kept over days is on the page *History*.
    """

    def __init__(
        self, player: PlayerController, panel: QueuePanel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._panel = panel
        self._songs: list[Song] = []  # the newest first
        self._last: QueueEntry | None = None
        player.state_changed.connect(self._on_state)
        panel.played.again_requested.connect(self.play_again)

    def play_again(self, row: int) -> None:
        """Play the song now, before what is queued next."""
        if 0 <= row < len(self._songs):
            place = self._player.queue_index
            place = len(self._player.queue_ids) if place is None else place + 1
            self._player.edits.insert_songs(place, [self._songs[row]])
            self._player.jump(place)

    def _on_state(self, state: str) -> None:
        entry = self._player.entry
        if state != "playing" or entry is None or entry is self._last:
            return
        self._last = entry
        path = entry.path or self._player.path
        self._songs.insert(0, (entry.path, entry.track_id))
        del self._songs[_MOST:]
        name = one_line(path.name) if path is not None else ""
        shown = (QueueItem(entry.track_id, name), *self._panel.played.songs.items)
        self._panel.show_played(shown[:_MOST])
