"""The player on the desktop's media controls: media keys, panels, playerctl, by way of MPRIS."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.player_controller import PlayerController
from app.playback.mrl import file_url, path_of_url
from inference.errors import UndertoneError

__all__ = ["DESKTOP_ENTRY", "MediaControls", "SongTexts"]

log = logging.getLogger(__name__)

DESKTOP_ENTRY = "io.github.undertone.Undertone"

_LOOPS = {"off": "None", "one": "Track", "all": "Playlist"}
_STATUS = {"stopped": "Stopped", "loading": "Playing", "playing": "Playing", "paused": "Paused"}


class SongTexts(Protocol):
    """What is told of a song; a library's `Track` has it."""

    @property
    def title(self) -> str: ...
    @property
    def artist(self) -> str: ...
    @property
    def album(self) -> str: ...
    @property
    def album_artist(self) -> str: ...
    @property
    def genre(self) -> str: ...
    @property
    def track_no(self) -> int | None: ...
    @property
    def duration_s(self) -> float | None: ...


class MediaControls(QObject):
    """Shows the player on the session bus and does what the desktop asks.

    Parameters
    ----------
    player : PlayerController
    describe : callable
        Track id -> what to tell of it, or None; answers from memory.
    thread : AsyncioThread
        Where D-Bus is spoken.
    art_of : callable, optional
        Track id -> an image file of its cover, or None; answers from
        memory.
    desktop_entry : str
        Name of the desktop file, without ``.desktop``.

    Notes
    -----
    Without a session bus all this does nothing: one line in the log.
    """

    raise_requested = Signal()
    quit_requested = Signal()
    open_requested = Signal(object)
    """A Path to play. Where nobody is connected, it replaces the queue."""

    _asked = Signal(object)

    def __init__(
        self,
        player: PlayerController,
        describe: Callable[[int], SongTexts | None],
        thread: AsyncioThread,
        parent: QObject | None = None,
        *,
        art_of: Callable[[int], Path | None] | None = None,
        desktop_entry: str = DESKTOP_ENTRY,
    ) -> None:
        super().__init__(parent)
        self._player = player
        self._describe = describe
        self._art_of = art_of
        self._thread = thread
        self._desktop_entry = desktop_entry
        self._service: Any = None
        self._started: Future[bool] | None = None
        self._closed = False
        self._shown_length_s = 0.0
        # One message for all that changed in one turn of the event loop.
        self._refresh = QTimer(self)
        self._refresh.setObjectName("media-controls-refresh")
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self._show)
        self._asked.connect(self._on_request, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Appear on the bus, in a while."""
        try:
            from app.desktop.mpris import MprisService
        except ImportError:  # dbus-fast is for Linux
            log.info("no media keys and desktop controls: D-Bus is not there")
            return
        self._service = MprisService(self._ask, self._desktop_entry)
        player = self._player
        for signal in (
            player.state_changed,
            player.track_changed,
            player.queue_changed,
            player.volume_changed,
            player.muted_changed,
            player.shuffle_changed,
            player.repeat_changed,
        ):
            signal.connect(self._changed)
        player.position_changed.connect(self._on_position)
        player.jumped.connect(self._on_jump)
        self._show()
        self._started = self._thread.submit(self._service.start())

    @property
    def bus_name(self) -> str:
        """The name on the bus; empty while there is none."""
        return self._service.name if self._service is not None else ""

    def wait_started(self, timeout_s: float) -> bool:
        """Whether the bus was reached, waiting for it: for tests, not for the GUI thread."""
        return self._started is not None and self._started.result(timeout_s)

    def shutdown(self, timeout_s: float = 1.0) -> list[str]:
        """Leave the bus; returns the names of what did not end in time."""
        self._closed = True
        self._refresh.stop()
        if self._service is None:
            return []
        try:
            self._thread.submit(self._service.stop()).result(timeout_s)
        except (TimeoutError, RuntimeError):
            return ["media controls"]
        return []

    # -- to the desktop -----------------------------------------------------

    @Slot()
    def _changed(self, *_: object) -> None:
        if not self._closed:
            self._refresh.start()

    @Slot(float, float)
    def _on_position(self, position_s: float, duration_s: float) -> None:
        if duration_s != self._shown_length_s:
            self._changed()

    @Slot(float)
    def _on_jump(self, position_s: float) -> None:
        if not self._closed:
            self._thread.call(self._service.seeked, self._snapshot())

    @Slot()
    def _show(self) -> None:
        self._thread.call(self._service.show, self._snapshot())

    def _snapshot(self) -> Any:
        from app.desktop.mpris import NO_TRACK, Snapshot

        player, entry = self._player, self._player.entry
        has_song = entry is not None
        self._shown_length_s = player.duration_s
        song = self._song()
        length_s = player.duration_s or ((song.duration_s if song is not None else None) or 0.0)
        return Snapshot(
            status=_STATUS[player.state],
            loop=_LOOPS[player.repeat],
            shuffle=player.shuffle,
            volume=0.0 if player.muted else player.volume / 100.0,
            can_go_next=player.can_go_next,
            can_go_previous=has_song,
            can_play=has_song or bool(player.queue_entries),
            can_seek=has_song and length_s > 0.0,
            track=f"/org/undertone/track/{entry.key}" if entry is not None else NO_TRACK,
            length_s=length_s if has_song else 0.0,
            metadata=self._metadata(song),
            position_s=player.position_s,
            position_at=time.monotonic(),
        )

    def _song(self) -> SongTexts | None:
        track_id = self._player.track_id
        return self._describe(track_id) if track_id is not None else None

    def _metadata(self, song: SongTexts | None) -> dict[str, str | int | tuple[str, ...]]:
        path, track_id = self._player.path, self._player.track_id
        told: dict[str, str | int | tuple[str, ...]] = {}
        if path is not None:
            told["xesam:url"] = file_url(path)
            told["xesam:title"] = path.stem
        if song is None:
            return told
        for key, text in (("xesam:title", song.title), ("xesam:album", song.album)):
            if text:
                told[key] = text
        for key, text in (
            ("xesam:artist", song.artist),
            ("xesam:albumArtist", song.album_artist),
            ("xesam:genre", song.genre),
        ):
            if text:
                told[key] = (text,)
        if song.track_no is not None and 0 <= song.track_no < 2**31:
            told["xesam:trackNumber"] = song.track_no
        art = self._art_of(track_id) if self._art_of is not None and track_id is not None else None
        if art is not None:
            told["mpris:artUrl"] = file_url(art)
        return told

    # -- from the desktop ---------------------------------------------------

    def _ask(self, request: Any) -> None:
        """Take a request, on the asyncio thread."""
        if not self._closed:
            self._asked.emit(request)

    @Slot(object)
    def _on_request(self, request: Any) -> None:
        if self._closed:
            return
        player, value = self._player, request.value
        match request.name:
            case "Raise":
                self.raise_requested.emit()
            case "Quit":
                self.quit_requested.emit()
            case "Play":
                player.play()
            case "Pause":
                player.pause()
            case "PlayPause":
                player.toggle()
            case "Stop":
                player.stop()
            case "Next":
                self._skip(player.next)
            case "Previous":
                self._skip(player.previous)
            case "Position":
                player.seek(value)
            case "Shuffle":
                player.set_shuffle(value)
            case "LoopStatus":
                player.set_repeat({shown: mode for mode, shown in _LOOPS.items()}[value])
            case "Volume":
                player.set_volume(100.0 * value)
            case "OpenUri":
                self._open(value)

    def _skip(self, step: Callable[[], None]) -> None:
        """Another song; what is paused stays paused, as the specification asks."""
        silent = self._player.state in ("paused", "stopped")
        step()
        if silent:
            self._player.pause()

    def _open(self, url: str) -> None:
        try:
            path = path_of_url(url)
        except UndertoneError as error:
            log.info("media controls: %s", error)
            return
        if self.receivers("2open_requested(PyObject)"):
            self.open_requested.emit(path)
        else:
            self._player.play_paths([path])
