"""The player as the window sees it: a queue, a back end, and signals on the GUI thread."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.desktop.error_texts import error_text
from app.desktop.play_modes import Grouping, PlayModes
from app.desktop.queue_edits import QueueEdits
from app.playback.backend import (
    DurationChanged,
    OutputMissing,
    OutputsFound,
    PlaybackBackend,
    PlaybackEvent,
    PlaybackState,
    PositionJumped,
    Post,
    StateChanged,
)
from app.playback.queue import PlayQueue, QueueEntry, Repeat, Song
from inference.errors import UndertoneError

__all__ = ["FAILURE_LIMIT", "PlayerController"]

log = logging.getLogger(__name__)

FAILURE_LIMIT = 5
"""So many songs in a row that cannot be played end the playing: the folder is probably gone."""

_TICK_MS = 250
_RESTART_S = 3.0
"""`previous` later in a song than this goes to its start first."""


class PlayerController(QObject):
    """Plays a queue of songs. All calls are made on the GUI thread, and none of them waits.

    Parameters
    ----------
    make_backend : callable
        Given the function that takes the events, returns the back end,
        such as ``lambda post: open_backend(post)[0]``.
    path_of : callable
        Track id -> path, or None where the library has no such track;
        answers from memory.
    gain_of : callable, optional
        Track id -> (ReplayGain in dB, peak sample); none if left out.
    failure_limit : int
        After so many unplayable songs in a row it stops.
    groups_of : callable, optional
        ("album" or "mood", entries) -> the group of each, for shuffle; from
        memory.
    rng : random.Random, optional
        Where shuffle gets its chance from.

    Notes
    -----
    The states are "stopped", "loading" (sound is about to begin),
    "playing" and "paused". A song that cannot be played is named by
    `failed` and skipped.
    """

    state_changed = Signal(str)
    track_changed = Signal(object)
    """The track id (int), or None: no song, or one from outside the library (see `path`)."""
    position_changed = Signal(float, float)
    """Position and length in seconds, four times a second while playing; length 0 if unknown."""
    jumped = Signal(float)
    """The position in seconds, where it did not come about by playing on."""
    volume_changed = Signal(int)
    muted_changed = Signal(bool)
    shuffle_changed = Signal(bool)
    shuffle_by_changed = Signal(str)
    repeat_changed = Signal(str)
    queue_changed = Signal()
    failed = Signal(object, str)
    """The path (or None) and why it cannot be played; the next song has been started already."""

    gave_up = Signal(int)
    """So many songs in a row have failed: it stands at the first of them, stopped."""

    outputs_found = Signal(object)
    """The answer to `sound.find_outputs`: a tuple of AudioOutput, the system's default first."""

    output_missing = Signal(str)
    """The key of the chosen output, which is not there: the system's default plays."""

    _posted = Signal(object)

    def __init__(
        self,
        make_backend: Callable[[Post], PlaybackBackend],
        path_of: Callable[[int], Path | None],
        parent: QObject | None = None,
        *,
        gain_of: Callable[[int], tuple[float, float]] | None = None,
        failure_limit: int = FAILURE_LIMIT,
        groups_of: Grouping | None = None,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(parent)
        self._path_of = path_of
        self._gain_of = gain_of
        self._failure_limit = failure_limit
        self._queue = PlayQueue(rng)
        self.edits = edits = QueueEdits(self._queue, self)
        edits.changed.connect(self.queue_changed)
        self.enqueue, self.play_next, self.insert = edits.enqueue, edits.play_next, edits.insert
        self.move, self.remove, self.clear = edits.move, edits.remove, edits.clear
        self.modes = modes = PlayModes(self._queue, groups_of, self)
        for name in ("volume", "muted", "shuffle", "shuffle_by", "repeat"):
            getattr(modes, f"{name}_changed").connect(getattr(self, f"{name}_changed"))
        self.set_volume, self.set_muted = modes.set_volume, modes.set_muted
        self.set_shuffle, self.set_shuffle_by = modes.set_shuffle, modes.set_shuffle_by
        self.set_repeat = modes.set_repeat
        self._entry: QueueEntry | None = None
        self._path: Path | None = None
        self._load_id = 0
        self._start_s: float | None = None  # until the back end has taken up the song
        self._state = "stopped"
        self._wants_sound = False
        self._failures = 0
        self._first_failed: tuple[QueueEntry | None, float] = None, 0.0
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setObjectName("player-position")
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tell_position)
        # Queued, so that an event is never handled within the call that caused it.
        self._posted.connect(self._on_event, Qt.ConnectionType.QueuedConnection)
        self._backend = make_backend(self._post)
        modes.loudness_changed.connect(self._backend.set_volume)

    # -- what is going on -------------------------------------------------------

    @property
    def state(self) -> str:
        return self._state

    @property
    def track_id(self) -> int | None:
        """The library id of the song that plays, or is to be played on."""
        return self._entry.track_id if self._entry is not None else None

    @property
    def entry(self) -> QueueEntry | None:
        """The queue's entry of that song, also if it was removed from the queue meanwhile."""
        return self._entry

    @property
    def path(self) -> Path | None:
        """The file of that song."""
        return self._path

    @property
    def position_s(self) -> float:
        if self._start_s is not None:
            return self._start_s
        return self._backend.position_s if self._entry is not None else 0.0

    @property
    def duration_s(self) -> float:
        """Length of that song in seconds; 0 while it is unknown."""
        if self._entry is None or self._start_s is not None:
            return 0.0
        return self._backend.duration_s or 0.0

    @property
    def volume(self) -> int:
        return self.modes.volume

    @property
    def muted(self) -> bool:
        return self.modes.muted

    @property
    def shuffle(self) -> bool:
        return self._queue.shuffle

    @property
    def repeat(self) -> str:
        return self._queue.repeat.value

    @property
    def queue_entries(self) -> tuple[QueueEntry, ...]:
        return self._queue.entries

    @property
    def queue_ids(self) -> list[int | None]:
        """The track ids in the order of the queue; None for a file from outside the library."""
        return [entry.track_id for entry in self._queue]

    @property
    def queue_songs(self) -> list[int | Path]:
        """Track ids, and paths of files from outside the library: what `restore` takes."""
        return [
            (entry.path or Path()).absolute() if entry.track_id is None else entry.track_id
            for entry in self._queue
        ]

    @property
    def queue_index(self) -> int | None:
        return self._queue.current_index

    @property
    def can_go_next(self) -> bool:
        return self._queue.peek() is not None or self._queue.repeat is Repeat.ONE

    @property
    def backend_name(self) -> str:
        return self._backend.name

    @property
    def sound(self) -> PlaybackBackend:
        """The back end, for equaliser and outputs."""
        return self._backend

    # -- the queue ----------------------------------------------------------------

    def play_ids(self, ids: Iterable[int], start: int = 0) -> None:
        """Replace the queue with these tracks and play from the place `start`."""
        self._replace([(None, track_id) for track_id in ids], start)

    def play_paths(self, paths: Iterable[Path], start: int = 0) -> None:
        """Replace the queue with these files, in the library or not, and play."""
        self._replace([(path, None) for path in paths], start)

    # -- the controls ----------------------------------------------------------------

    @Slot()
    def play(self) -> None:
        if self._state in ("playing", "loading"):
            return
        self._failures = 0
        if self._entry is not None and self._load_id:
            self._wants_sound = True
            self._backend.play()
            return
        entry = self._queue.current or self._queue.next()
        if entry is not None:
            self._start(entry)

    @Slot()
    def pause(self) -> None:
        if self._state in ("playing", "loading"):
            self._backend.pause()

    @Slot()
    def toggle(self) -> None:
        if self._state in ("playing", "loading"):
            self.pause()
        else:
            self.play()

    @Slot()
    def stop(self) -> None:
        self._wants_sound = False
        self._backend.stop()
        self._set_state("stopped")

    @Slot()
    def next(self) -> None:
        """Play the next song; at the end of the queue nothing happens."""
        self._failures = 0
        entry = self._queue.next()
        if entry is not None:
            self._start(entry)

    @Slot()
    def previous(self) -> None:
        """Go to the start of the song, or, from its first seconds, to the song before."""
        self._failures = 0
        if self._entry is not None and self.position_s > _RESTART_S:
            self.seek(0.0)
            return
        entry = self._queue.previous()
        if entry is not None:
            self._start(entry)
        elif self._entry is not None:
            self.seek(0.0)

    def jump(self, index: int) -> None:
        """Play the song at `index` of the queue; a place that is not there is no error."""
        if 0 <= index < len(self._queue):
            self._failures = 0
            self._start(self._queue.jump(index))

    @Slot(float)
    def seek(self, position_s: float) -> None:
        if self._entry is not None:
            self._backend.seek(max(0.0, position_s))

    def refresh_gain(self) -> None:
        """Ask anew how loud the song is to be: it is another one, or set otherwise."""
        gain = (0.0, 1.0)
        if self._gain_of is not None and self.track_id is not None:
            gain = self._gain_of(self.track_id)
        self._backend.set_gain(*gain)

    # -- from one start to the next -----------------------------------------------------

    def restore(
        self,
        songs: Sequence[int | Path],
        index: int | None = None,
        position_s: float = 0.0,
        volume: int = 100,
        shuffle: bool = False,
        repeat: str = "off",
    ) -> None:
        """Take up the last session: paused where it was, nothing sounding.

        `songs` are track ids, and files from outside the library. Values that make no sense any
        more are passed over.
        """
        self.set_volume(volume)
        if repeat in {mode.value for mode in Repeat}:
            self.set_repeat(repeat)
        known = index if index is not None and 0 <= index < len(songs) else None
        self._queue.replace(
            ((song, None) if isinstance(song, Path) else (None, song) for song in songs), known
        )
        self.set_shuffle(shuffle)
        self.queue_changed.emit()
        entry = self._queue.current
        path = self._locate(entry) if entry is not None else None
        if entry is not None and path is not None:
            self._load(entry, path, position_s)
            self._wants_sound = False
            self._set_state("paused")
            self.position_changed.emit(position_s, 0.0)

    def shutdown(self, timeout_s: float = 2.0) -> list[str]:
        """Stop and let go of the sound system; returns the names of what did not end in time."""
        self._closed = True
        self._timer.stop()
        return [] if self._backend.close(timeout_s) else [self._backend.name]

    # -- inside ---------------------------------------------------------------------------

    def _replace(self, songs: list[Song], start: int) -> None:
        self._failures = 0
        self.edits.replace(songs, start if 0 <= start < len(songs) else None)
        entry = self._queue.current or self._queue.next()
        if entry is not None:
            self._start(entry)

    def _start(self, entry: QueueEntry) -> None:
        path = self._locate(entry)
        if path is None:
            self._entry, self._path, self._load_id, self._start_s = entry, None, 0, 0.0
            self._backend.stop()
            self._announce()
            self._skip(None, self.tr("It is no longer in the library"))
            return
        self._load(entry, path)
        self._wants_sound = True
        self._set_state("loading")
        self._backend.play()

    def _locate(self, entry: QueueEntry) -> Path | None:
        if entry.track_id is not None:
            return self._path_of(entry.track_id) or entry.path
        return entry.path

    def _load(self, entry: QueueEntry, path: Path, start_s: float = 0.0) -> None:
        self._entry, self._path, self._start_s = entry, path, max(start_s, 0.0)
        self._load_id = self._backend.load(path, start_s)
        self.refresh_gain()
        self._announce()

    def _announce(self) -> None:
        self.track_changed.emit(self.track_id)
        self.queue_changed.emit()

    def _post(self, event: PlaybackEvent) -> None:
        """Take an event on any thread."""
        if not self._closed:
            self._posted.emit(event)

    @Slot(object)
    def _on_event(self, event: PlaybackEvent) -> None:
        if self._closed:
            return
        if isinstance(event, OutputsFound):
            self.outputs_found.emit(event.outputs)
            return
        if isinstance(event, OutputMissing):
            self.output_missing.emit(event.key)
            return
        if event.load_id != self._load_id:
            return
        self._start_s = None
        match event:
            case StateChanged():
                self._on_state(event)
            case DurationChanged():
                self._tell_position()
            case PositionJumped():
                self.jumped.emit(event.position_s)
                self._tell_position()

    def _on_state(self, event: StateChanged) -> None:
        match event.state:
            case PlaybackState.OPENING if self._wants_sound:
                self._set_state("loading")
            case PlaybackState.PLAYING if self._wants_sound:
                self._failures = 0
                self._set_state("playing")
                self._tell_position()
            case PlaybackState.PAUSED if self._wants_sound:
                self._set_state("paused")
                self._tell_position()
            case PlaybackState.IDLE:
                self._tell_position()
            case PlaybackState.ENDED:
                self._go_on()
            case PlaybackState.ERROR:
                self._skip(self._path, error_text(UndertoneError(event.reason, event.remedy)))

    def _go_on(self) -> None:
        """The song has ended: play what follows, or stop before the start of the queue."""
        entry = self._queue.advance()
        if entry is not None:
            self._start(entry)
        else:
            self._finish()

    def _skip(self, path: Path | None, reason: str) -> None:
        """The song cannot be played: say so, and play another one unless that goes on and on."""
        if not self._failures:
            self._first_failed = self._entry, self.position_s
        self._failures += 1
        if self._failures >= self._failure_limit:
            self._give_up(path, reason)
            return
        self.failed.emit(path, reason)
        entry = self._queue.next()
        if entry is None:
            self._finish()
        else:
            # Through the event loop: a queue of missing songs is no deep recursion.
            QTimer.singleShot(0, self, lambda: self._start_if_current(entry))

    def _give_up(self, path: Path | None, reason: str) -> None:
        """Stop where the trouble began, so that Play goes on there once the songs are back."""
        log.warning("playback: stopped after %d unplayable songs in a row", self._failures)
        self._wants_sound = False
        self._set_state("stopped")
        entry, position_s = self._first_failed
        place = self._queue.index_of(entry.key) if entry is not None else None
        if entry is not None and place is not None:
            self._queue.jump(place)
            if (first := self._locate(entry)) is not None:
                self._load(entry, first, position_s)
            else:
                self._load_id = 0
        self.failed.emit(path, reason)
        self.gave_up.emit(self._failures)

    def _start_if_current(self, entry: QueueEntry) -> None:
        if not self._closed and self._queue.current is entry and self._failures:
            self._start(entry)

    def _finish(self) -> None:
        self._queue.rewind()
        self._wants_sound = False
        self._entry, self._path, self._load_id, self._start_s = None, None, 0, 0.0
        self._backend.stop()
        self._set_state("stopped")
        self._announce()
        self._tell_position()

    def _set_state(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        if state == "playing":
            self._timer.start()
        else:
            self._timer.stop()
        self.state_changed.emit(state)

    def _tell_position(self) -> None:
        self.position_changed.emit(self.position_s, self.duration_s)
