"""Between the queue and playlists: the queue kept as a playlist, files dropped into the queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.playlist_controller import PlaylistController
from app.playlists import gather
from library_db.playlists import Entry, OutsideFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widgets.queue_view import QueuePanel

__all__ = ["QueuePlaylists"]


class QueuePlaylists(QObject):
    """Leads what the queue's panel asks for."""

    def __init__(
        self,
        panel: QueuePanel,
        player: PlayerController,
        playlists: PlaylistController,
        songs: LibraryController,
        runner: JobRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._playlists = playlists
        self._songs = songs
        self._runner = runner
        panel.save_requested.connect(self.save)
        panel.files_requested.connect(
            lambda names, place: self.insert_files([Path(name) for name in names], place)
        )
        panel.list_requested.connect(self.insert_list)

    def save(self) -> None:
        """Keep the queue as a playlist, files from outside the library included."""
        entries: list[Entry] = []
        for entry in self._player.queue_entries:
            if entry.track_id is not None:
                entries.append(entry.track_id)
            elif entry.path is not None:
                entries.append(OutsideFile(entry.path))
        if entries:
            self._playlists.create(entries)

    def insert_list(self, key: str, place: int) -> None:
        """Queue the songs of a playlist, in its order."""

        def done(ids: NDArray[np.int64]) -> None:
            known = [int(i) for i in ids if i >= 0]
            if known:
                self._player.edits.insert(place, known)

        self._songs.songs_of(key, done)

    def insert_files(self, paths: list[Path], place: int) -> None:
        """Queue files, folders and playlist files; nothing of it is taken into the library."""
        library = self._songs.library

        def done(found: tuple[list[Entry], list[Path]]) -> None:
            songs = [
                (entry.path, None) if isinstance(entry, OutsideFile) else (None, entry)
                for entry in found[0]
            ]
            if songs:
                self._player.edits.insert_songs(place, songs)

        self._runner.call(lambda: gather(library, paths), done, self._songs.failed.emit, pool="io")
