"""Live sensors as the window sees them: one session at a time, told by signals on the GUI thread.

For those who want to know what is felt while a song plays: connect `shown_changed` (the steady
state changed) or `estimate_changed` (every 0.35 s); each brings a `Reading` with the estimate, the
sensors' and the song's own part of it, song, position and the recording's name.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.desktop.asyncio_thread import AsyncioThread
from app.keeper import Event
from app.live import (
    Mark,
    Place,
    Reading,
    SessionEnd,
    SessionInfo,
    SongNow,
    Vitals,
    song_values,
)
from app.live_sources import SourceChoice, open_source, scan_bands
from app.wristband.radio import FoundDevice
from app.wristband.source import SourceState, SourceStatus
from inference.emotion import Quadrant
from inference.errors import UndertoneError

if TYPE_CHECKING:  # what draws in scipy is loaded with the first session, off this thread
    from app.live_run import LiveRun, OpenSource
    from app.live_signals import LiveSignals
    from app.session import Rater

__all__ = ["SensorController"]

_log = logging.getLogger(__name__)

_POSITION_EVERY_MS = 5000
_SCAN_S = 6.0


@dataclass(eq=False)
class _Session:
    """One session from the asking to its end; `run` is there once its code is loaded."""

    choice: SourceChoice
    record: bool
    clock: Callable[[], float]
    stop: threading.Event = field(default_factory=threading.Event)
    run: LiveRun | None = None


class SensorController(QObject):
    """Starts, watches and ends live sessions. All calls are made on the GUI thread; none waits.

    Parameters
    ----------
    recordings : Path
        Where sessions are recorded.
    load_rater : callable
        The sensor model, or None where none is installed; called off the GUI thread.
    open_source, scan : callable, optional
        How sources are opened and bands are looked for; tests have their own.
    """

    session_opening = Signal(object)  # SourceChoice
    state_changed = Signal(object)  # SourceStatus
    session_started = Signal(object)  # SessionInfo
    session_stopped = Signal(object)  # SessionEnd
    estimate_changed = Signal(object)  # Reading
    shown_changed = Signal(object)  # Reading: its `shown` is another quadrant than before, not None
    vitals_changed = Signal(object)  # Vitals
    recording_changed = Signal(object)  # Path, or None where nothing is recorded
    noted = Signal(object)  # Mark
    bands_found = Signal(list)  # FoundDevice, the strongest first
    scanning_changed = Signal(bool)
    failed = Signal(object)  # UndertoneError: a scan or a recording

    _posted = Signal(object, str, object)

    def __init__(
        self,
        recordings: Path,
        load_rater: Callable[[], Rater | None],
        parent: QObject | None = None,
        *,
        open_source: OpenSource = open_source,
        scan: Callable[[float], Awaitable[list[FoundDevice]]] = scan_bands,
    ) -> None:
        super().__init__(parent)
        self._recordings = recordings
        self._load_rater = load_rater
        self._open_source = open_source
        self._scan = scan
        self._thread: AsyncioThread | None = None
        self._session: _Session | None = None
        self._ending: Future[None] | None = None
        self._next: _Session | None = None
        self._scanning = False
        self._closed = False
        self._place = Place()
        self.status = SourceStatus(SourceState.STOPPED)
        self.info: SessionInfo | None = None
        """The session that runs; None where none does."""
        self.reading: Reading | None = None
        """What was shown last in this session."""
        self.vitals = Vitals()
        self._shown: Quadrant | None = None
        self._beat = QTimer(self)
        self._beat.setObjectName("sensor-position")
        self._beat.setInterval(_POSITION_EVERY_MS)
        self._beat.timeout.connect(self._keep_position)
        # Queued: these come from the loop's thread.
        self._posted.connect(self._on_posted, Qt.ConnectionType.QueuedConnection)

    # -- what is going on ---------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether a session runs, is being opened or is about to end."""
        return self._session is not None

    @property
    def choice(self) -> SourceChoice | None:
        """What is listened to."""
        return self._session.choice if self._session is not None else None

    @property
    def following(self) -> SourceChoice | None:
        """What is listened to as soon as this session has ended."""
        return self._next.choice if self._next is not None else None

    @property
    def _run(self) -> LiveRun | None:
        return self._session.run if self._session is not None else None

    @property
    def signals(self) -> LiveSignals | None:
        """The last seconds of the session's signals; safe to look at from this thread."""
        return self._run.signals if self._run is not None else None

    @property
    def recording(self) -> Path | None:
        """The recording that is being made."""
        return self.vitals.recording

    @property
    def scanning(self) -> bool:
        return self._scanning

    # -- controls --------------------------------------------------------------------------

    def listen_to(
        self,
        choice: SourceChoice,
        *,
        record: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a session; one that runs is ended first."""
        if self._closed:
            return
        session = _Session(choice, record, clock)
        if self._session is not None:
            self._next = session
            self._session.stop.set()
        else:
            self._begin(session)

    def stop(self) -> None:
        """End the session; `session_stopped` tells when that is done."""
        self._next = None
        if self._session is not None:
            self._session.stop.set()

    def scan(self) -> None:
        """Look for bands; `bands_found` or `failed` answers within seconds."""
        if self._scanning or self._closed:
            return
        self._set_scanning(True)
        self._loop().submit(self._do_scan())

    def set_recording(self, on: bool) -> None:
        """Keep what comes from now on, or end the recording."""
        session = self._session
        if session is None or not session.choice.kind.recordable:
            return
        session.record = on  # for one that is only being opened
        if session.run is not None:
            self._loop().call(session.run.keeper.begin if on else session.run.keeper.end)

    def note(self, text: str, at_s: float | None = None) -> None:
        """Keep a note of the listener: in the recording, if one is made, and in the plots.

        Parameters
        ----------
        at_s : float, optional
            When it was meant, on the session's clock (`now_s`); now if left out.
        """
        run = self._run
        if run is None:
            return
        mark = Mark(run.clock() if at_s is None else at_s, "note", text)
        run.signals.mark(mark)
        self._loop().call(run.keeper.note, mark.t_s, mark.kind, mark.text)
        self.noted.emit(mark)

    def now_s(self) -> float:
        """The session's clock."""
        return self._session.clock() if self._session is not None else time.monotonic()

    # -- the song beside it --------------------------------------------------------------

    def set_song(
        self, song: SongNow | None, position_s: float = 0.0, playing: bool = False
    ) -> None:
        """Another song is the current one (or none)."""
        self._place = Place(song, position_s, self.now_s(), playing)
        self._place_changed("song")

    def set_position(self, position_s: float, *, playing: bool) -> None:
        """The song goes on elsewhere, was paused or goes on."""
        self._place = replace(
            self._place, position_s=position_s, at_s=self.now_s(), playing=playing
        )
        self._place_changed("position")

    # -- ending ----------------------------------------------------------------------------

    def shutdown(self, timeout_s: float = 1.0) -> list[str]:
        """End what runs; returns the names of what did not end in time."""
        self._closed = True
        self._beat.stop()
        self.stop()
        ends_s = time.monotonic() + timeout_s
        if self._ending is not None:
            try:
                self._ending.result(max(timeout_s - 0.3, 0.1))
            except Exception as error:
                _log.warning("the session did not end by itself (%r)", error)
        if self._thread is not None and not self._thread.close(max(ends_s - time.monotonic(), 0.2)):
            return [self.tr("the sensors")]
        return []

    # -- inner workings ----------------------------------------------------------------------

    def _loop(self) -> AsyncioThread:
        if self._thread is None:
            self._thread = AsyncioThread("sensors")
        return self._thread

    def _begin(self, session: _Session) -> None:
        self.reading, self.info, self._shown, self.vitals = None, None, None, Vitals()
        self._place = replace(
            self._place,
            position_s=self._place.position(time.monotonic()),
            at_s=session.clock(),
        )
        self._session = session
        self._beat.start()
        self.session_opening.emit(session.choice)
        self._on_status(SourceStatus(SourceState.CONNECTING))
        self._ending = self._loop().submit(self._live(session))

    async def _live(self, session: _Session) -> None:
        """On the loop: load what is needed, and run."""
        try:
            module = await asyncio.to_thread(importlib.import_module, "app.live_run")
        except Exception as error:
            _log.exception("live sensor mode cannot be loaded")
            text = self.tr("Live sensor mode cannot be loaded ({error}).").format(error=error)
            end = SessionEnd(SourceStatus(SourceState.STOPPED, None, text))
            self._posted.emit(session, "ended", end)
            return
        session.run = run = module.LiveRun(
            session.choice,
            self._recordings,
            lambda kind, value: self._posted.emit(session, kind, value),
            self._load_rater,
            self._opening_events,
            self._open_source,
            session.clock,
            session.record,
            self._place,
            session.stop,
        )
        await run.run()

    def _opening_events(self) -> list[Event]:
        """Called on the loop's thread when a recording begins."""
        place, session = self._place, self._session
        if place.song is None or session is None:
            return []
        position_s = place.position(session.clock())
        return [
            ("song", place.song.title, song_values(place.song, position_s, playing=place.playing))
        ]

    def _place_changed(self, kind: str) -> None:
        run, place = self._run, self._place
        if run is None:
            return
        run.place = place
        keep = run.keeper.note
        if kind == "song" and place.song is not None:
            values = song_values(place.song, place.position_s, playing=place.playing)
            self._loop().call(_keep, keep, place.at_s, "song", place.song.title, values)
        else:
            playing = place.playing and place.song is not None
            values = {"position_s": round(place.position_s, 3), "playing": playing}
            kind = "position" if place.song is not None else "silence"
            self._loop().call(_keep, keep, place.at_s, kind, "", values)

    @Slot()
    def _keep_position(self) -> None:
        """Now and then, so that a recording that ends by a crash knows where the song was."""
        if self._place.playing:
            now_s = self.now_s()
            self._place = replace(self._place, position_s=self._place.position(now_s), at_s=now_s)
            self._place_changed("position")

    async def _do_scan(self) -> None:
        try:
            found = await self._scan(_SCAN_S)
            self._posted.emit(None, "bands", found)
        except UndertoneError as error:
            self._posted.emit(None, "scan failed", error)
        except Exception as error:
            _log.exception("the scan failed")
            self._posted.emit(None, "scan failed", error)

    def _set_scanning(self, scanning: bool) -> None:
        self._scanning = scanning
        self.scanning_changed.emit(scanning)

    @Slot(object, str, object)
    def _on_posted(self, session: _Session | None, kind: str, value: object) -> None:
        if self._closed or (session is not None and session is not self._session):
            return
        if kind == "status":
            self._on_status(value)  # type: ignore[arg-type]
        elif kind == "opened":
            self.info = value  # type: ignore[assignment]
            self.session_started.emit(value)
        elif kind == "felt":
            self._on_felt(value)  # type: ignore[arg-type]
        elif kind == "vitals":
            self._on_vitals(value)  # type: ignore[arg-type]
        elif kind == "ended":
            self._on_ended(value)  # type: ignore[arg-type]
        elif kind == "bands":
            self._set_scanning(False)
            self.bands_found.emit(value)
        else:
            self._set_scanning(False)
            self.failed.emit(value)

    def _on_status(self, status: SourceStatus) -> None:
        if status != self.status:
            self.status = status
            self.state_changed.emit(status)

    def _on_felt(self, reading: Reading) -> None:
        self.reading = reading
        self.estimate_changed.emit(reading)
        if reading.shown is not None and reading.shown is not self._shown:
            self._shown = reading.shown
            self.shown_changed.emit(reading)

    def _on_vitals(self, vitals: Vitals) -> None:
        before, self.vitals = self.vitals, vitals
        self.vitals_changed.emit(vitals)
        if vitals.recording != before.recording:
            self.recording_changed.emit(vitals.recording)
        if vitals.fault and vitals.fault != before.fault:
            self.failed.emit(UndertoneError(vitals.fault))

    def _on_ended(self, end: SessionEnd) -> None:
        self._beat.stop()
        self._place = replace(
            self._place, position_s=self._place.position(self.now_s()), at_s=time.monotonic()
        )
        recorded = self.vitals.recording is not None
        self._session, self._ending, self.info = None, None, None
        self.vitals = replace(self.vitals, recording=None)
        self._on_status(end.status)
        self.session_stopped.emit(end)
        if recorded:
            self.recording_changed.emit(None)
        if self._next is not None:
            following, self._next = self._next, None
            self._begin(following)


def _keep(
    note: Callable[..., None], t_s: float, kind: str, text: str, values: dict[str, object]
) -> None:
    note(t_s, kind, text, **values)
