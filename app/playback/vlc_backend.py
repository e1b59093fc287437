"""libVLC as a playback back end.

libVLC calls back on its own threads and is not re-entrant (python-vlc#77), so a callback puts one
immutable signal into the inbox of this module's worker thread and returns. The worker makes all
calls into libVLC except `stop`, which waits for libVLC's input thread (for ever, if that one waits
for a dead network mount): each take has a player of its own, and a retired player is stopped and
released on a thread of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from app.playback import vlc_signals
from app.playback.backend import (
    DurationChanged,
    OutputMissing,
    OutputsFound,
    PlaybackEvent,
    PlaybackState,
    PositionJumped,
    Post,
    StateChanged,
)
from app.playback.loudness import amplitude, clamp_percent
from app.playback.mrl import file_fault, file_url
from app.playback.position import PositionEstimate
from app.playback.sound import LIMIT_DB, AudioOutput, Equaliser, EqualiserPreset
from app.playback.vlc_engine import NEUTRAL_PREAMP_DB, VlcEngine
from app.playback.vlc_outputs import outputs_of
from app.playback.vlc_signals import AUDIO, KINDS, Signal
from inference.errors import UndertoneError

__all__ = ["OPENING_LIMIT_S", "VlcBackend"]

log = logging.getLogger(__name__)

OPENING_LIMIT_S = 10.0
"""A file that gives no sound for so long counts as unplayable."""

_EARLY_S = 3.0
"""An end so long before the file's length is looked into; headers err by less."""


@dataclass(slots=True)
class _Take:
    """One player from its first sound to its end; used on the worker thread only."""

    number: int
    player: Any
    events: Any
    opened: bool = False
    heard: bool = False
    want_paused: bool = False
    seek_s: float | None = None
    deadline: float | None = None


class VlcBackend:
    """Plays files through libVLC 3.

    Parameters
    ----------
    post : callable
        Takes each event, on the worker thread.
    options : sequence of str
        More options for libVLC, such as ``--aout=dummy``.
    opening_limit_s : float
        How long a file may take until its first sound.
    engine : VlcEngine, optional
        A libVLC that was started before; released with this back end.

    Raises
    ------
    PlaybackUnavailableError
        If libVLC or its plugins are missing; the remedy names the packages.
    """

    def __init__(
        self,
        post: Post,
        options: Sequence[str] = (),
        opening_limit_s: float = OPENING_LIMIT_S,
        *,
        engine: VlcEngine | None = None,
    ) -> None:
        engine = engine or VlcEngine.start(options)
        self._vlc, self._instance, self._name = engine.vlc, engine.instance, engine.name
        self._presets = engine.presets
        self._post_event = post
        self._opening_limit_s = opening_limit_s

        self._lock = threading.Lock()  # guards what other threads read and write:
        self._load_id = 0
        self._state = PlaybackState.IDLE
        self._position = PositionEstimate()
        self._closed = False

        self._inbox: SimpleQueue[Callable[[], None] | Signal | None] = SimpleQueue()
        self._loaded_id = 0  # from here on: the worker thread's own
        self._path: Path | None = None
        self._start_s = 0.0
        self._take: _Take | None = None
        self._takes = 0
        self._percent = 100.0
        self._gain: tuple[float, float] = (0.0, 1.0)
        self._equaliser: Any = None
        self._output = ""
        self._missing_output = ""
        self._retiring: list[threading.Thread] = []
        self._worker = threading.Thread(target=self._work, name="vlc-worker", daemon=True)
        self._worker.start()

    # -- the protocol: any thread -------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def equaliser_presets(self) -> tuple[EqualiserPreset, ...]:
        return self._presets

    @property
    def state(self) -> PlaybackState:
        return self._state

    @property
    def position_s(self) -> float:
        with self._lock:
            return self._position.at(time.monotonic())

    @property
    def duration_s(self) -> float | None:
        return self._position.duration_s

    def load(self, path: Path, start_s: float = 0.0) -> int:
        with self._lock:
            self._load_id += 1
            load_id = self._load_id
        self._inbox.put(partial(self._do_load, load_id, path, max(start_s, 0.0)))
        return load_id

    def play(self) -> None:
        self._inbox.put(self._do_play)

    def pause(self) -> None:
        self._inbox.put(self._do_pause)

    def stop(self) -> None:
        self._inbox.put(self._do_stop)

    def seek(self, position_s: float) -> None:
        self._inbox.put(partial(self._do_seek, max(position_s, 0.0)))

    def set_volume(self, percent: float) -> None:
        self._inbox.put(partial(self._do_volume, clamp_percent(percent)))

    def set_gain(self, gain_db: float, peak: float = 1.0) -> None:
        self._inbox.put(partial(self._do_gain, (gain_db, peak)))

    def set_equaliser(self, equaliser: Equaliser | None) -> None:
        self._inbox.put(partial(self._do_equaliser, equaliser))

    def set_output(self, key: str) -> None:
        self._inbox.put(partial(self._do_output, key))

    def find_outputs(self) -> None:
        self._look_for_outputs_aside(lambda found: self._post(OutputsFound(found)))

    def close(self, timeout_s: float = 2.0) -> bool:
        until = time.monotonic() + timeout_s
        with self._lock:
            self._closed = True
        self._inbox.put(None)
        self._worker.join(timeout_s)
        for thread in self._retiring:
            thread.join(max(0.0, until - time.monotonic()))
        if self._worker.is_alive() or any(thread.is_alive() for thread in self._retiring):
            return False  # what still uses the instance keeps it
        if self._instance is not None:
            self._instance.release()
            self._instance = None
        return True

    # -- the worker thread ----------------------------------------------------

    def _work(self) -> None:
        while True:
            deadline = self._take.deadline if self._take is not None else None
            try:
                wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
                item = self._inbox.get(timeout=wait_s)
            except Empty:
                self._fail("It gave no sound for too long", "Check the disk or network it is on.")
                continue
            if item is None:
                self._retire()
                self._do_equaliser(None)
                return
            try:
                if isinstance(item, Signal):
                    self._on_signal(item)
                else:
                    item()
            except Exception:
                log.exception("playback: a command failed")
                self._fail("The player failed on it", "The log says more.")

    def _do_load(self, load_id: int, path: Path, start_s: float) -> None:
        self._retire()
        self._loaded_id, self._path, self._start_s = load_id, path, start_s
        with self._lock:
            self._position.reset(start_s)
        self._enter(PlaybackState.IDLE)

    def _do_play(self) -> None:
        take = self._take
        if take is None:
            if self._path is not None:
                self._begin(self._path)
            return
        take.want_paused = False
        if take.opened:
            take.player.set_pause(0)
        elif self._state is PlaybackState.PAUSED:
            self._enter(PlaybackState.OPENING)

    def _do_pause(self) -> None:
        take = self._take
        if take is None:
            return
        take.want_paused = True
        if take.opened:
            take.player.set_pause(1)
        else:
            self._enter(PlaybackState.PAUSED)

    def _do_stop(self) -> None:
        self._retire()
        self._start_s = 0.0
        with self._lock:
            self._position.hold(time.monotonic())
            self._position.jump(0.0, time.monotonic())
        if self._state is not PlaybackState.IDLE:
            self._enter(PlaybackState.IDLE)

    def _do_seek(self, position_s: float) -> None:
        if self._path is None:
            return
        now = time.monotonic()
        with self._lock:
            position_s = self._position.jump(position_s, now)
        take = self._take
        if take is None:
            self._start_s = position_s
        elif take.opened:
            take.player.set_time(round(position_s * 1000))
        else:
            take.seek_s = position_s
        self._post(PositionJumped(self._loaded_id, position_s))
        if self._state is PlaybackState.ENDED:
            self._enter(PlaybackState.IDLE)

    def _do_volume(self, percent: float) -> None:
        self._percent = percent
        self._apply_loudness()

    def _do_gain(self, gain: tuple[float, float]) -> None:
        self._gain = gain
        self._apply_loudness()

    def _do_equaliser(self, equaliser: Equaliser | None) -> None:
        old, self._equaliser = self._equaliser, None
        if equaliser is not None:
            self._equaliser = self._vlc.AudioEqualizer()
            self._equaliser.set_preamp(min(equaliser.preamp_db + NEUTRAL_PREAMP_DB, LIMIT_DB))
            for band, level_db in enumerate(equaliser.bands_db):
                self._equaliser.set_amp_at_index(level_db, band)
        if self._take is not None:
            self._take.player.set_equalizer(self._equaliser)
        if old is not None:
            old.release()

    def _do_output(self, key: str) -> None:
        self._output, self._missing_output = key, ""
        if self._take is not None:
            self._take.player.audio_output_device_set(None, key or None)

    def _apply_loudness(self) -> None:
        if self._take is not None:
            # libVLC's volume is the cubic root of the amplitude, in whole percent.
            factor = amplitude(self._percent, *self._gain)
            self._take.player.audio_set_volume(round(100.0 * factor ** (1.0 / 3.0)))

    def _begin(self, path: Path) -> None:
        """Start a new take of the loaded file."""
        self._takes += 1
        player = self._vlc.libvlc_media_player_new(self._instance)
        media = self._instance.media_new_location(file_url(path))
        if player is None or media is None:
            self._enter(PlaybackState.ERROR, "libVLC has no player left", "Restart Undertone.")
            return
        if self._start_s > 0.0:
            media.add_option(f":start-time={self._start_s:.3f}")
        player.set_media(media)
        media.release()  # the player holds it
        events = self._vlc.libvlc_media_player_event_manager(player)
        for kind in KINDS:
            events.event_attach(
                getattr(self._vlc.EventType, kind),
                vlc_signals.callback(self._inbox, self._takes, kind),
            )
        self._take = _Take(self._takes, player, events)
        self._take.deadline = time.monotonic() + self._opening_limit_s
        with self._lock:
            self._position.jump(self._start_s, time.monotonic())
        self._enter(PlaybackState.OPENING)
        self._apply_loudness()
        if self._equaliser is not None:
            player.set_equalizer(self._equaliser)
        if self._output and self._output != self._missing_output:
            player.audio_output_device_set(None, self._output)
        if player.play() != 0:
            self._explain_failure()
        elif self._output:
            self._look_for_outputs_aside(partial(self._check_output, self._takes, self._output))

    def _on_signal(self, signal: Signal) -> None:
        take = self._take
        if take is None or take.number != signal.take:
            return  # of a player that was retired meanwhile
        match signal.kind:
            case "MediaPlayerESAdded":
                take.heard = take.heard or signal.value == AUDIO
                self._go_on(take, signal.at)
            case "MediaPlayerPlaying":
                take.opened = True
                self._go_on(take, signal.at)
            case "MediaPlayerPaused":
                with self._lock:
                    self._position.hold(signal.at)
                self._enter(PlaybackState.PAUSED)
            case "MediaPlayerTimeChanged":
                with self._lock:
                    self._position.measured(signal.value / 1000.0, signal.at)
            case "MediaPlayerLengthChanged" if signal.value > 0:
                self._learn_duration(signal.value / 1000.0)
            case "MediaPlayerEndReached" if take.heard and self._ended_early(signal.at):
                self._explain_failure(or_else=self._end)
            case "MediaPlayerEndReached" if take.heard:
                self._end()
            case "MediaPlayerEndReached" | "MediaPlayerEncounteredError":
                self._explain_failure()

    def _go_on(self, take: _Take, at: float) -> None:
        """Sound is about to be heard, or heard again, once the file is open and has audio in it."""
        if not (take.opened and take.heard):
            return
        if take.deadline is not None:
            take.deadline = None
            self._apply_loudness()  # some outputs take a volume only now
            if take.seek_s is not None:
                take.player.set_time(round(take.seek_s * 1000))
        if take.want_paused:
            take.player.set_pause(1)
            return
        with self._lock:
            self._position.run(at)
        self._enter(PlaybackState.PLAYING)

    def _learn_duration(self, duration_s: float) -> None:
        if self._position.duration_s != duration_s:
            with self._lock:
                self._position.duration_s = duration_s
            self._post(DurationChanged(self._loaded_id, duration_s))

    def _end(self) -> None:
        self._retire()
        self._start_s = 0.0
        with self._lock:
            self._position.finish()
        self._enter(PlaybackState.ENDED)

    def _ended_early(self, at: float) -> bool:
        """A drive that was pulled out looks like the end of the song to libVLC."""
        with self._lock:
            duration_s, position_s = self._position.duration_s, self._position.at(at)
        return duration_s is not None and duration_s - position_s > _EARLY_S

    def _explain_failure(self, or_else: Callable[[], None] | None = None) -> None:
        """Fail with the reason, found on a thread of its own: asking for it may wait for a disk.

        Where nothing is the matter with the file, `or_else` is done, if given.
        """
        take, path = self._take, self._path
        if take is None or path is None:
            return

        def find_out() -> None:
            fault = file_fault(path)
            if fault is None and or_else is not None:
                self._inbox.put(partial(self._if_current, take.number, or_else))
                return
            fault = fault or UndertoneError(
                "There is no sound in it that can be played", "The file may be damaged."
            )
            self._inbox.put(partial(self._fail, fault.message, fault.remedy, take.number))

        threading.Thread(target=find_out, name="vlc-fault", daemon=True).start()

    def _if_current(self, take: int, then: Callable[[], None]) -> None:
        if self._take is not None and self._take.number == take:
            then()

    def _fail(self, reason: str, remedy: str, take: int | None = None) -> None:
        if take is not None and (self._take is None or self._take.number != take):
            return
        self._retire()
        with self._lock:
            self._position.hold(time.monotonic())
        self._enter(PlaybackState.ERROR, reason, remedy)

    def _retire(self) -> None:
        """Let the current player go: stopped and released on a thread of its own."""
        take, self._take = self._take, None
        self._retiring = [thread for thread in self._retiring if thread.is_alive()]
        if take is None:
            return
        kinds = [getattr(self._vlc.EventType, kind) for kind in KINDS]
        thread = threading.Thread(
            target=vlc_signals.release,
            args=(take.player, take.events, kinds),
            name="vlc-retire",
            daemon=True,
        )
        self._retiring.append(thread)
        thread.start()

    def _check_output(self, take: int, key: str, found: tuple[AudioOutput, ...]) -> None:
        """libVLC plays on in silence where the output that it was told is not there."""
        if len(found) > 1:  # some sound systems name none
            there = key in {output.key for output in found}
            self._inbox.put(partial(self._on_output_checked, take, key, there=there))

    def _on_output_checked(self, number: int, key: str, *, there: bool) -> None:
        take, path, was = self._take, self._path, self._missing_output
        if key != self._output or there == (was != key):
            return
        self._missing_output = "" if there else key
        if not there:
            self._post(OutputMissing(key))
        if take is None or take.number != number or path is None or take.want_paused:
            return
        with self._lock:
            self._start_s = self._position.at(time.monotonic())
        self._retire()
        self._begin(path)

    def _look_for_outputs_aside(self, then: Callable[[tuple[AudioOutput, ...]], None]) -> None:
        # On a thread of its own: it may wait for a sound server that does not answer.
        threading.Thread(
            target=self._look_for_outputs, args=(then,), name="vlc-outputs", daemon=True
        ).start()

    def _look_for_outputs(self, then: Callable[[tuple[AudioOutput, ...]], None]) -> None:
        with self._lock:
            if self._closed:
                return
            player = self._vlc.libvlc_media_player_new(self._instance)
        then(outputs_of(self._vlc, player))

    def _enter(self, state: PlaybackState, reason: str = "", remedy: str = "") -> None:
        if state is self._state and state not in (PlaybackState.IDLE, PlaybackState.ERROR):
            return
        with self._lock:
            self._state = state
        self._post(StateChanged(self._loaded_id, state, reason, remedy))

    def _post(self, event: PlaybackEvent) -> None:
        if not self._closed:
            self._post_event(event)
