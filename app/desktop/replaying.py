"""Replays a recorded session beside the songs that were playing: both on one clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.sensor_controller import SensorController
from app.live_sources import SourceChoice, SourceKind
from app.recordings import RecordedSession, SongSpan
from app.replay_clock import ReplayClock
from app.wristband.source import SourceState, SourceStatus

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["Replaying"]

_TICK_MS = 100
_PATIENCE_S = 4.0
"""A song that has not begun to sound by then is replayed without."""
_APART_S = 1.0
"""Between the song and where the recording says that it was: then it was moved."""
_OWN_S = 1.5


@dataclass
class _Kept:
    """What the player had before."""

    songs: list[int | Path]
    index: int | None
    position_s: float


class Replaying(QObject):
    """Leads the player through the songs of a recording, and the replay by the player.

    Pausing the song holds the replay, seeking in it goes to the same place
    of the recording, and `seek` moves both. Stretches without a song run
    by themselves; so does all, where a song is not in the library any more.
    """

    began = Signal(object)  # RecordedSession
    moved = Signal(float)  # seconds of the recording
    ended = Signal()
    said = Signal(str)

    def __init__(
        self,
        controller: SensorController,
        player: PlayerController,
        songs: LibraryController,
        runner: JobRunner,
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._player = player
        self._songs = songs
        self._runner = runner
        self._now = now
        self.session: RecordedSession | None = None
        """What is replayed; None where nothing is."""
        self._clock = ReplayClock(0.0, now)
        self._tracks: list[int | None] = []
        self._span: SongSpan | None = None
        self._kept: _Kept | None = None
        self._waits_until = 0.0
        self._own_until = 0.0
        self._choice: SourceChoice | None = None
        self._timer = QTimer(self)
        self._timer.setObjectName("replaying")
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)
        controller.state_changed.connect(self._on_source)
        controller.session_stopped.connect(self._on_stopped)
        player.state_changed.connect(self._on_player)
        player.position_changed.connect(lambda position_s, _: self._on_position(position_s))
        player.jumped.connect(self._on_jumped)

    # -- controls ------------------------------------------------------------------------

    def begin(self, session: RecordedSession, start_s: float = 0.0) -> None:
        """Replay a recording from `start_s` on."""
        library = self._songs.library
        spans = session.songs
        self._runner.call(
            lambda: [_find(library, span) for span in spans],
            lambda found: self._begin(session, found, start_s),
        )

    def seek(self, t_s: float) -> None:
        """Go to another place of the recording, with the song."""
        if self.session is not None:
            self._span = None
            self._start_source(min(max(t_s, 0.0), self.session.duration_s))

    @property
    def position_s(self) -> float:
        """Where the replay is, in seconds of the recording."""
        return self._clock()

    def tick(self) -> None:
        """Bring the player to where the recording is."""
        session = self.session
        if session is None:
            return
        t_s = self._clock()
        self.moved.emit(t_s)
        if not self._clock.running:
            if self._waits_until and self._now() >= self._waits_until:
                self._waits_until = 0.0
                self._clock.run()  # the song does not come: the signals go on without it
            return
        span = session.song_at(t_s)
        if span is not self._span:
            self._leave_song(span)
            self._span = span
        if span is not None:
            self._follow(span, t_s)

    # -- inner workings ----------------------------------------------------------------------

    def _begin(self, session: RecordedSession, tracks: list[int | None], start_s: float) -> None:
        if self.session is None:
            player = self._player
            self._kept = _Kept(player.queue_songs, player.queue_index, player.position_s)
        self.session, self._tracks, self._span = session, tracks, None
        missing = sum(track is None for track in tracks)
        if missing:
            self.said.emit(
                self.tr("{n} of {all} songs of this recording are not in the library").format(
                    n=missing, all=len(tracks)
                )
            )
        self._player.stop()
        self.began.emit(session)
        self._start_source(start_s)

    def _start_source(self, start_s: float) -> None:
        assert self.session is not None
        self._timer.stop()
        self._waits_until = 0.0
        if self._player.state in ("playing", "loading"):
            self._player.pause()
        self._clock = ReplayClock(start_s, self._now)
        self._choice = SourceChoice(
            SourceKind.REPLAY, path=Path(self.session.path), start_s=start_s
        )
        self._controller.listen_to(self._choice, clock=self._clock)

    def _on_source(self, status: SourceStatus) -> None:
        """The signals begin: so does the clock, which stood until now."""
        ours = self.session is not None and self._controller.choice is self._choice
        if ours and status.state is SourceState.STREAMING:
            self._clock.run()
            self._timer.start()

    def _on_stopped(self, _: object) -> None:
        if self.session is None or self._controller.following is self._choice:
            return  # another place of the same recording is about to begin
        self._finish()

    def _finish(self) -> None:
        self._timer.stop()
        self.session, self._span = None, None
        kept, self._kept = self._kept, None
        player = self._player
        if kept is not None and any(track is not None for track in self._tracks):
            player.stop()
            player.restore(
                kept.songs, kept.index, kept.position_s,
                player.volume, player.shuffle, player.repeat,
            )  # fmt: skip
        self.ended.emit()

    def _leave_song(self, following: SongSpan | None) -> None:
        if self._span is not None and following is None and self._player.state == "playing":
            self._player.pause()

    def _follow(self, span: SongSpan, t_s: float) -> None:
        track = self._track_of(span)
        if track is None:
            return
        anchor = span.at(t_s)
        playing = self._player.state == "playing"
        if self._player.track_id != track or (anchor.playing and not playing):
            if anchor.playing:
                self._play(track)
            return
        if not anchor.playing and playing:
            self._own()
            self._player.pause()
        elif anchor.playing and abs(self._player.position_s - anchor.position_s) > _APART_S:
            self._own()
            self._player.seek(anchor.position_s)

    def _play(self, track: int) -> None:
        """Have the song sound; the clock stands until it does."""
        self._own()
        self._clock.hold()
        self._waits_until = self._now() + _PATIENCE_S
        known = [t for t in self._tracks if t is not None]
        if self._player.queue_ids != known:
            self._player.play_ids(known, known.index(track))
        elif self._player.track_id != track:
            self._player.jump(known.index(track))
        else:
            self._player.play()

    def _on_player(self, state: str) -> None:
        if self.session is None or self._span is None:
            return
        if state == "playing" and self._sounds():
            anchor = self._span.at(self._clock())
            if abs(self._player.position_s - anchor.position_s) > 0.2 and anchor.playing:
                self._own()
                self._player.seek(anchor.position_s)
            self._waits_until = 0.0
            self._clock.run()
        elif state == "paused" and self._sounds() and self._now() > self._own_until:
            self._clock.hold()  # the listener paused: the replay waits

    def _on_position(self, position_s: float) -> None:
        """The song that sounds is the master of the clock."""
        span = self._span
        if span is None or self._player.state != "playing" or not self._sounds():
            return
        if self._now() <= self._own_until:
            return
        anchor = span.at(self._clock())
        if anchor.playing and abs(position_s - anchor.position_s) <= _APART_S:
            self._clock.measured(anchor.t_s + position_s - anchor.position_s)

    def _on_jumped(self, position_s: float) -> None:
        span = self._span
        if span is None or self._now() <= self._own_until or not self._sounds():
            return
        t_s = span.time_of(position_s, self._clock())
        if t_s is not None:
            self.seek(t_s)

    def _sounds(self) -> bool:
        return self._span is not None and self._player.track_id == self._track_of(self._span)

    def _track_of(self, span: SongSpan) -> int | None:
        assert self.session is not None
        return self._tracks[self.session.songs.index(span)]

    def _own(self) -> None:
        """What the player does now was asked by this, not by the listener."""
        self._own_until = self._now() + _OWN_S


def _find(library: Library, span: SongSpan) -> int | None:
    """The song of a recording in the library, by its audio; the id alone proves nothing."""
    found = library.files_with(span.audio_hash) if span.audio_hash else []
    ids = [file.id for file in found if not file.missing and not file.hidden]
    if span.track_id in ids:
        return span.track_id
    if ids:
        return ids[0]
    track = library.by_path(Path(span.path)) if span.path and not span.audio_hash else None
    return None if track is None else track.id
