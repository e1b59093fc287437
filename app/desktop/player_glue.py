"""Between the player and the views: bar, queue, mark in the table, cover and mood of the song."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from app.desktop.covers import load_cover
from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.queue_edits import QUEUE_LIMIT
from app.desktop.replay_gain import replay_gain
from inference.errors import UndertoneError
from inference.timeline import Timeline
from widgets.main_window import MainWindow
from widgets.mood_timeline import MoodCurve
from widgets.player_bar import NowPlaying
from widgets.queue_view import QueueItem
from widgets.text import one_line

if TYPE_CHECKING:
    from app.playback.queue import QueueEntry
    from app.settings import Playback
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["PlayerGlue", "TrackBook"]

_AHEAD = 40
_BOOK_LIMIT = 2000
_OUTSIDE = -1
_COVER_SIDE = 128


class TrackBook:
    """Tracks about to be played, from memory; one that was not seen coming is looked up."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}
        self.library: Library | None = None

    def track_of(self, track_id: int) -> Track | None:
        known = self._tracks.get(track_id)
        if known is None and self.library is not None:
            known = self.library.track(track_id)
            if known is not None:
                self.learn([known])
        return known

    def path_of(self, track_id: int) -> Path | None:
        track = self.track_of(track_id)
        return None if track is None else track.path

    def gain_of(self, track_id: int, playback: Playback) -> tuple[float, float]:
        """Gain in dB and the peak (unknown: 1) of a song, as the settings ask for."""
        track = self.track_of(track_id) if playback.replay_gain != "off" else None
        return (0.0, 1.0) if track is None else replay_gain(track, playback)

    def learn(self, tracks: Sequence[Track]) -> None:
        if len(self._tracks) > _BOOK_LIMIT:
            self._tracks.clear()
        self._tracks.update((track.id, track) for track in tracks)

    def forget(self, ids: frozenset[int]) -> None:
        for track_id in ids:
            self._tracks.pop(track_id, None)

    def unknown(self, ids: Sequence[int]) -> list[int]:
        return [track_id for track_id in ids if track_id not in self._tracks]


class PlayerGlue(QObject):
    """Keeps the views and the player in step."""

    described = Signal(object)  # NowPlaying or None: the tray and MPRIS want it too

    def __init__(
        self,
        player: PlayerController,
        songs: LibraryController,
        window: MainWindow,
        runner: JobRunner,
        book: TrackBook,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._songs = songs
        self._window = window
        self._runner = runner
        self._book = book
        self._teller = Latest(runner)
        self._painter = Latest(runner, pool="io")
        self._pather = Latest(runner)
        self.now: NowPlaying | None = None
        self._entries: tuple[QueueEntry, ...] = ()
        self._items: tuple[QueueItem, ...] = ()
        self._connect()
        self._show_all()

    def play_from(self, row: int) -> None:
        """Play the songs of the table from `row` on; with shuffle, a draw of all of them."""
        self.play_among([int(i) for i in self._window.table.songs.ids], row)

    def play_among(self, ids: Sequence[int], start: int) -> None:
        """Replace the queue by `ids`, at most so many as anyone hears, and play `start`."""
        if start < len(ids) and min(ids, default=0) < 0:  # files that the library does not know
            start = sum(i >= 0 for i in ids[:start])
            ids = [i for i in ids if i >= 0]
            start = min(start, max(len(ids) - 1, 0))
        if not ids:
            return
        if len(ids) > QUEUE_LIMIT:
            chosen = ids[start]
            if self._player.shuffle:
                rest = random.sample(ids, QUEUE_LIMIT - 1)
                ids = [chosen, *(i for i in rest if i != chosen)]
                start = 0
            else:
                first = max(0, min(start - 100, len(ids) - QUEUE_LIMIT))
                ids, start = ids[first : first + QUEUE_LIMIT], start - first
        self._player.play_ids(ids, start)

    def correct_current(self, label: object) -> None:
        """Set the mood of the song that plays."""
        if self._player.track_id is not None:
            self._songs.correct([self._player.track_id], label)  # type: ignore[arg-type]

    def locate(self) -> None:
        """Show the song that plays in the table."""
        track_id = self._player.track_id
        if track_id is None:
            return
        if self._window.table.reveal(track_id):
            self._window.table.setFocus(Qt.FocusReason.OtherFocusReason)

    # inner workings

    def _connect(self) -> None:
        player, bar, queue = self._player, self._window.player_bar, self._window.queue
        bar.toggle_requested.connect(player.toggle)
        bar.next_requested.connect(player.next)
        bar.previous_requested.connect(player.previous)
        bar.seek_requested.connect(player.seek)
        bar.volume_requested.connect(player.set_volume)
        bar.mute_requested.connect(player.set_muted)
        bar.shuffle_requested.connect(player.set_shuffle)
        bar.repeat_requested.connect(player.set_repeat)
        player.state_changed.connect(bar.show_state)
        player.position_changed.connect(self._on_position)
        player.volume_changed.connect(lambda _: self._show_volume())
        player.muted_changed.connect(lambda _: self._show_volume())
        player.shuffle_changed.connect(bar.show_shuffle)
        player.repeat_changed.connect(bar.show_repeat)
        player.track_changed.connect(lambda _: self._describe())
        player.queue_changed.connect(self._show_queue)
        queue.jump_requested.connect(player.jump)
        queue.remove_requested.connect(player.remove)
        queue.move_requested.connect(player.move)
        queue.insert_requested.connect(lambda ids, place: player.insert(place, ids))
        queue.clear_requested.connect(player.clear)
        self._songs.changed.connect(self._on_changed)
        self._connect_actions()

    def _connect_actions(self) -> None:
        player, actions, table = self._player, self._window.actions_, self._window.table
        table.activated_row.connect(self.play_from)
        actions.next.triggered.connect(player.next)
        actions.previous.triggered.connect(player.previous)
        actions.forward.triggered.connect(lambda: player.seek(player.position_s + 10))
        actions.backward.triggered.connect(lambda: player.seek(player.position_s - 10))
        actions.louder.triggered.connect(lambda: player.set_volume(player.volume + 5))
        actions.softer.triggered.connect(lambda: player.set_volume(player.volume - 5))
        actions.mute.triggered.connect(lambda: player.set_muted(not player.muted))
        actions.shuffle.triggered.connect(lambda: player.set_shuffle(not player.shuffle))
        actions.repeat.triggered.connect(self._window.player_bar.cycle_repeat)
        actions.locate.triggered.connect(self.locate)
        for label, action in actions.current_moods.items():
            action.triggered.connect(lambda _=False, to=label: self.correct_current(to))
        self._window.toggle_requested.connect(player.toggle)

    def _show_all(self) -> None:
        bar = self._window.player_bar
        bar.show_state(self._player.state)
        bar.show_shuffle(self._player.shuffle)
        bar.show_repeat(self._player.repeat)
        self._show_volume()
        self._show_queue()
        self._describe()

    def _show_volume(self) -> None:
        self._window.player_bar.show_volume(self._player.volume, muted=self._player.muted)

    def _on_position(self, position_s: float, duration_s: float) -> None:
        known = duration_s or (self.now.duration_s if self.now else None)
        self._window.player_bar.show_position(position_s, known)

    def _show_queue(self) -> None:
        entries = self._player.queue_entries
        place = self._player.queue_index
        if entries != self._entries:
            self._entries = entries
            self._items = tuple(
                QueueItem(entry.track_id, "" if entry.path is None else one_line(entry.path.name))
                for entry in entries
            )
        self._window.queue.show_queue(self._items, place)
        first = place or 0
        near = [e.track_id for e in entries[max(first - _AHEAD, 0) : first + _AHEAD]]
        unknown = self._book.unknown([i for i in near if i is not None])
        if unknown:
            library = self._songs.library
            self._pather.call(
                lambda: library.tracks(unknown),
                self._book.learn,
            )

    def _on_changed(self, ids: frozenset[int]) -> None:
        self._book.forget(ids)
        if self._player.track_id in ids:
            self._describe()

    def _describe(self) -> None:
        """Show the current song, as soon as it has been looked up."""
        track_id = self._player.track_id
        self._window.table.songs.set_playing(track_id)
        if track_id is None:
            path = self._player.path
            self._teller.call(
                lambda: None if path is None else _from_file(path),
                lambda song: self._show_song(song, None),
            )
            return
        library = self._songs.library
        self._teller.call(
            lambda: _look_up(library, track_id), lambda found: self._show_song(*found)
        )

    def _show_song(self, song: NowPlaying | None, curve: MoodCurve | None) -> None:
        another = song is None or self.now is None or song.id != self.now.id
        self.now = song
        bar = self._window.player_bar
        bar.show_song(song, curve)
        bar.show_position(
            self._player.position_s,
            self._player.duration_s or (song.duration_s if song else None),
        )
        self._window.setWindowTitle(
            f"{song.title} – {song.artist}"
            if song and song.artist
            else song.title
            if song
            else "Undertone"
        )
        self.described.emit(song)
        if song is not None and song.id >= 0 and another:
            library, track_id = self._songs.library, song.id
            self._painter.call(
                lambda: (track_id, load_cover(library, track_id, _COVER_SIDE)), self._show_cover
            )

    def _show_cover(self, found: tuple[int, QImage | None]) -> None:
        track_id, image = found
        if self.now is not None and self.now.id == track_id:
            self._window.player_bar.cover.show_image(image)


def _look_up(library: Library, track_id: int) -> tuple[NowPlaying | None, MoodCurve | None]:
    track = library.track(track_id)
    if track is None:
        return None, None
    emotion = library.emotion(track_id)
    chosen = emotion.effective
    song = NowPlaying(
        id=track_id,
        title=one_line(track.title) or one_line(track.path.name),
        artist=one_line(track.artist),
        album=one_line(track.album),
        duration_s=track.duration_s,
        quadrant=chosen.quadrant if chosen else None,
        corrected=emotion.source == "user",
        open=emotion.open,
    )
    return song, _curve(library.timeline(track_id))


def _from_file(path: Path) -> NowPlaying:
    """A song from outside the library, as its own tags tell it."""
    from library_db.tags import read_tags  # here, so that the window starts without mutagen

    try:
        tags = read_tags(path)
    except UndertoneError:
        return NowPlaying(_OUTSIDE, one_line(path.name))
    return NowPlaying(
        _OUTSIDE,
        one_line(tags.title) or one_line(path.name),
        one_line(tags.artist),
        one_line(tags.album),
        tags.duration_s,
    )


def _curve(data: bytes | None) -> MoodCurve | None:
    if data is None:
        return None
    try:
        timeline = Timeline.from_bytes(data)
    except UndertoneError:
        return None  # the song plays all the same; tagging it again mends it
    return MoodCurve(timeline.start_s, timeline.hop_s, timeline.probabilities)
