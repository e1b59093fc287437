"""Tells the live sensors which song plays and where it is: the two on one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.sensor_controller import SensorController
from app.live import SongNow
from widgets.text import one_line

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["SongFeed"]

_TEXT_LIMIT = 200


class SongFeed(QObject):
    """From the player and the library to `SensorController.set_song` and `set_position`."""

    song_changed = Signal(object)  # SongNow or None

    def __init__(
        self,
        player: PlayerController,
        songs: LibraryController,
        sensors: SensorController,
        runner: JobRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._songs = songs
        self._sensors = sensors
        self._teller = Latest(runner)
        self.song: SongNow | None = None
        player.track_changed.connect(lambda _: self._ask())
        player.state_changed.connect(lambda _: self._move())
        player.jumped.connect(lambda _: self._move())
        songs.changed.connect(self._on_changed)
        self._ask()

    def _ask(self) -> None:
        track_id, path = self._player.track_id, self._player.path
        if track_id is None:
            name = one_line(path.name, _TEXT_LIMIT) if path is not None else ""
            song = None if path is None else SongNow(None, title=name, path=str(path))
            self._teller.call(lambda: song, self._tell)
            return
        library = self._songs.library
        self._teller.call(lambda: _look_up(library, track_id), self._tell)

    def _on_changed(self, ids: frozenset[int]) -> None:
        if self._player.track_id in ids:
            self._ask()  # its mood was found, or another model has spoken

    def _tell(self, song: SongNow | None) -> None:
        self.song = song
        playing = self._player.state == "playing"
        self._sensors.set_song(song, self._player.position_s, playing=playing)
        self.song_changed.emit(song)

    def _move(self) -> None:
        if self.song is not None:
            playing = self._player.state == "playing"
            self._sensors.set_position(self._player.position_s, playing=playing)


def _look_up(library: Library, track_id: int) -> SongNow | None:
    track = library.track(track_id)
    if track is None:
        return None
    return SongNow(
        track_id,
        track.audio_hash,
        one_line(track.title, _TEXT_LIMIT) or one_line(track.path.name, _TEXT_LIMIT),
        one_line(track.artist, _TEXT_LIMIT),
        str(track.path),
        track.duration_s,
        library.emotion(track_id).estimate,
    )
