"""A back end without sound, in injected time: for machines without libVLC, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.playback.backend import (
    DurationChanged,
    OutputsFound,
    PlaybackEvent,
    PlaybackState,
    PositionJumped,
    Post,
    StateChanged,
)
from app.playback.clock import Cancel, Clock, RealClock
from app.playback.loudness import amplitude, clamp_percent
from app.playback.mrl import file_fault
from app.playback.sound import AudioOutput, Equaliser, EqualiserPreset
from inference.errors import UndertoneError

__all__ = ["NullBackend"]

_OPENING_S = 0.01


def _probe_duration(path: Path) -> float:
    """Length of an audio file in seconds, by its header."""
    from inference.audio.decode import probe

    return probe(path).duration_s or 0.0


class NullBackend:
    """Goes through files in time, as a player does, and makes no sound.

    Parameters
    ----------
    post : callable
        Takes each event; called with the back end's lock held.
    clock : Clock, optional
        What time it is; the machine's clock if left out.
    duration_of : callable, optional
        Path -> seconds; raises UndertoneError for a file that cannot be
        played. Reads the file's header if left out.
    """

    def __init__(
        self,
        post: Post,
        clock: Clock | None = None,
        duration_of: Callable[[Path], float] = _probe_duration,
    ) -> None:
        self._post_event = post
        self._clock: Clock = clock or RealClock()
        self._duration_of = duration_of
        self._lock = threading.RLock()
        self._closed = False
        self._load_id = 0
        self._path: Path | None = None
        self._state = PlaybackState.IDLE
        self._duration_s: float | None = None
        self._base_s = 0.0
        self._base_at = 0.0
        self._cancel_timer: Cancel | None = None
        self._percent = 100.0
        self._gain: tuple[float, float] = (0.0, 1.0)

    @property
    def name(self) -> str:
        return "silent"

    @property
    def equaliser_presets(self) -> tuple[EqualiserPreset, ...]:
        return ()

    @property
    def state(self) -> PlaybackState:
        return self._state

    @property
    def position_s(self) -> float:
        with self._lock:
            position_s = self._base_s
            if self._state is PlaybackState.PLAYING:
                position_s += self._clock.now() - self._base_at
            return min(position_s, self._duration_s or position_s)

    @property
    def duration_s(self) -> float | None:
        return self._duration_s

    @property
    def amplitude(self) -> float:
        """The factor that would be on the samples."""
        return amplitude(self._percent, *self._gain)

    def load(self, path: Path, start_s: float = 0.0) -> int:
        with self._lock:
            self._cancel()
            self._load_id += 1
            self._path = path
            self._duration_s = None
            self._base_s = max(start_s, 0.0)
            self._enter(PlaybackState.IDLE)
            return self._load_id

    def play(self) -> None:
        with self._lock:
            if self._path is None or self._closed:
                return
            if self._state is PlaybackState.PAUSED:
                self._run()
            elif self._state not in (PlaybackState.PLAYING, PlaybackState.OPENING):
                self._open(self._path)

    def pause(self) -> None:
        with self._lock:
            if self._state in (PlaybackState.PLAYING, PlaybackState.OPENING):
                self._hold()
                self._enter(PlaybackState.PAUSED)

    def stop(self) -> None:
        with self._lock:
            self._cancel()
            self._base_s = 0.0
            if self._state is not PlaybackState.IDLE:
                self._enter(PlaybackState.IDLE)

    def seek(self, position_s: float) -> None:
        with self._lock:
            if self._path is None:
                return
            running = self._state is PlaybackState.PLAYING
            self._hold()
            position_s = max(position_s, 0.0)
            self._base_s = min(position_s, self._duration_s or position_s)
            self._post(PositionJumped(self._load_id, self._base_s))
            if running:
                self._count_down()
            elif self._state is PlaybackState.ENDED:
                self._enter(PlaybackState.IDLE)

    def set_volume(self, percent: float) -> None:
        self._percent = clamp_percent(percent)

    def set_gain(self, gain_db: float, peak: float = 1.0) -> None:
        self._gain = (gain_db, peak)

    def set_equaliser(self, equaliser: Equaliser | None) -> None:
        """Nothing is heard, so nothing is shaped."""

    def set_output(self, key: str) -> None:
        """There is one output, and it is silent."""

    def find_outputs(self) -> None:
        self._post(OutputsFound((AudioOutput("", ""),)))

    def close(self, timeout_s: float = 2.0) -> bool:
        with self._lock:
            self._closed = True
            self._cancel()
            self._state = PlaybackState.IDLE
        return True

    def _open(self, path: Path) -> None:
        if self._state is PlaybackState.ENDED:
            self._base_s = 0.0
        self._enter(PlaybackState.OPENING)
        try:
            fault = file_fault(path)
            if fault is not None:
                raise fault
            self._duration_s = self._duration_of(path)
        except UndertoneError as error:
            self._enter(PlaybackState.ERROR, error.message, error.remedy)
            return
        self._base_s = min(self._base_s, self._duration_s)
        self._post(DurationChanged(self._load_id, self._duration_s))
        load_id = self._load_id
        self._cancel_timer = self._clock.call_later(_OPENING_S, lambda: self._opened(load_id))

    def _opened(self, load_id: int) -> None:
        with self._lock:
            if load_id == self._load_id and self._state is PlaybackState.OPENING:
                self._run()

    def _run(self) -> None:
        self._enter(PlaybackState.PLAYING)
        self._count_down()

    def _count_down(self) -> None:
        self._base_at = self._clock.now()
        left_s = (self._duration_s or 0.0) - self._base_s
        load_id = self._load_id
        self._cancel_timer = self._clock.call_later(left_s, lambda: self._ended(load_id))

    def _ended(self, load_id: int) -> None:
        with self._lock:
            if load_id == self._load_id and self._state is PlaybackState.PLAYING:
                self._base_s = self._duration_s or 0.0
                self._enter(PlaybackState.ENDED)

    def _hold(self) -> None:
        """Freeze the position where it is now."""
        self._base_s = self.position_s
        self._base_at = self._clock.now()
        self._cancel()

    def _cancel(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _enter(self, state: PlaybackState, reason: str = "", remedy: str = "") -> None:
        self._state = state
        self._post(StateChanged(self._load_id, state, reason, remedy))

    def _post(self, event: PlaybackEvent) -> None:
        if not self._closed:
            self._post_event(event)
