"""Between the live session and its panel: what is told becomes what is seen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.jobs import JobRunner
from app.desktop.preferences import Preferences
from app.desktop.sensor_controller import SensorController
from app.desktop.sensor_texts import (
    counters_text,
    link_text,
    mark_text,
    origin_text,
    quality_rows,
    reason_text,
    state_text,
    weight_explained,
    weight_text,
    why_text,
)
from app.live import Reading, SessionEnd, SessionInfo, Vitals
from app.live_sources import SourceChoice, SourceKind
from app.prompts import Consent
from app.wristband.source import Provenance, SourceStatus
from widgets.main_window import MainWindow
from widgets.sensors.panel import SourceLabel
from widgets.sensors.plane import FeltNow
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.live_signals import LiveSignals
    from widgets.signal_plot import Frame

__all__ = ["SensorView"]

_LEAST_SPAN = {"level": 0.2, "phasic": 0.1, "pulse": 1.0}


class SensorView(QObject):
    """Shows the session in the panel, and does what the panel asks for."""

    def __init__(
        self,
        controller: SensorController,
        window: MainWindow,
        theme: Theme,
        preferences: Preferences,
        runner: JobRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._window = window
        self._panel = window.sensors
        self._theme = theme
        self._preferences = preferences
        self._runner = runner
        self._info: SessionInfo | None = None
        self._signals: LiveSignals | None = None
        self._loading = False
        self._note_s: float | None = None
        self.replayed: Provenance | None = None
        """What the recording that is replayed was of."""
        self._connect()

    def show_panel(self, shown: bool) -> None:
        self._panel.setVisible(shown)

    def listen_to(self, choice: SourceChoice) -> None:
        """Begin a session, recorded where the listener wants all of them to be."""
        wanted = self._preferences.settings.listening
        record = wanted.record and wanted.consent == Consent.GIVEN.value
        self._controller.listen_to(choice, record=record and choice.kind.recordable)

    def simulate(self) -> None:
        """Listen to the simulated listener."""
        preset = self._preferences.settings.listening.listener
        self.listen_to(SourceChoice(SourceKind.SIMULATED, preset=preset))

    # inner workings

    def _connect(self) -> None:
        controller, panel, actions = self._controller, self._panel, self._window.actions_
        controller.session_opening.connect(self._begin)
        controller.state_changed.connect(self._on_state)
        controller.session_started.connect(self._on_started)
        controller.session_stopped.connect(self._on_stopped)
        controller.estimate_changed.connect(self._on_reading)
        controller.vitals_changed.connect(self._on_vitals)
        controller.recording_changed.connect(lambda _: self._show_recording())
        panel.disconnect_requested.connect(self._leave)
        panel.record_requested.connect(self._on_record)
        panel.consent_answered.connect(self._on_consent)
        panel.note_begun.connect(self._on_note_begun)
        panel.noted.connect(self._on_noted)
        panel.close_requested.connect(lambda: self.show_panel(False))
        panel.simulation_requested.connect(self.simulate)
        actions.sensor_panel.triggered.connect(lambda: self.show_panel(not panel.isVisible()))
        actions.sensor_note.triggered.connect(self._note)

    def _on_state(self, status: SourceStatus) -> None:
        running = self._controller.active
        self._panel.show_state(state_text(status), reason_text(status), running=running)

    def _begin(self, choice: SourceChoice) -> None:
        """A session is being opened: show the panel, empty."""
        panel = self._panel
        self._info = None
        self._signals = None
        name = choice.band.name or choice.band.address if choice.band is not None else ""
        panel.show_source(SourceLabel(name, ""))
        panel.plane.clear()
        panel.show_felt(FeltNow(), "")
        panel.show_vitals(self.tr("– bpm"), "")
        panel.lights.show_quality([])
        panel.show_counters("")
        panel.show_live(True)
        self._show_recording()
        self.show_panel(True)
        self._load_plot()

    def _load_plot(self) -> None:
        """The plotting library is loaded beside the window, once somebody needs it."""
        if self._panel.plot is not None or self._loading:
            self._watch_signals()
            return
        self._loading = True
        self._runner.call(
            lambda: importlib.import_module("widgets.signal_plot"), self._make_plot, pool="io"
        )

    def _make_plot(self, module: object) -> None:
        from widgets.signal_plot import SignalPlot, TraceStyle

        styles = [
            TraceStyle("level", self.tr("Skin conductance"), "\u00b5S", _LEAST_SPAN["level"]),
            TraceStyle("phasic", self.tr("Responses"), "\u00b5S", _LEAST_SPAN["phasic"]),
            TraceStyle("pulse", self.tr("Pulse, 0.5 to 8 Hz"), "a.u.", _LEAST_SPAN["pulse"]),
        ]
        plot = SignalPlot(self._theme, styles)
        plot.feed = self._frame
        self._panel.set_plot(plot)
        self._loading = False
        self._watch_signals()

    def _watch_signals(self) -> None:
        plot = self._panel.plot
        if plot is not None:
            self._signals = self._controller.signals or self._signals
            plot.set_live(self._controller.active)

    def _frame(self, seconds: float) -> Frame | None:
        from widgets.signal_plot import Frame

        live = self._controller.signals
        self._signals = live if self._controller.active else self._signals
        glimpse = self._signals.look(2.0 * seconds) if self._signals is not None else None
        if glimpse is None:
            return None
        traces = {name.value: points for name, points in glimpse.traces.items()}
        marks = [(mark.t_s, mark_text(mark)) for mark in glimpse.marks]
        return Frame(glimpse.edge_s, glimpse.begun_s, traces, marks)

    def _on_started(self, info: SessionInfo) -> None:
        self._info = info
        self._show_source()
        self._watch_signals()

    def _show_source(self) -> None:
        info, vitals = self._info, self._controller.vitals
        if info is not None:
            replay = info.provenance is Provenance.REPLAY
            origin = origin_text(info.provenance, self.replayed if replay else None)
            name = vitals.name or info.name
            self._panel.show_source(SourceLabel(name, origin, link_text(info, vitals)))

    def _on_stopped(self, end: SessionEnd) -> None:
        self._panel.consent.hide()
        self._panel.show_state(state_text(end.status), reason_text(end.status), running=False)
        if end.asked and end.status.reason is None and not self._controller.following:
            self._panel.show_live(False)
        if self._panel.plot is not None:
            self._panel.plot.set_live(False)
        if end.recording is not None and not end.fault:
            said = self.tr("The session was recorded: see Recordings on the page Sensors")
            self._window.toasts.show_toast(said)

    def _on_reading(self, reading: Reading) -> None:
        sensed, panel = reading.sensed, self._panel
        if not panel.isVisible():
            return
        together = sensed.estimate if sensed.reason is None else None
        song = sensed.song
        now = FeltNow(sensed.t_s, together, sensed.felt, song, why_text(sensed))
        beside = song is not None
        panel.show_felt(
            now,
            weight_text(self._info, beside_song=beside),
            weight_explained(self._info, beside_song=beside),
        )
        rate = sensed.heart_rate_bpm
        battery = self._controller.vitals.battery_percent
        panel.show_vitals(
            self.tr("{n} bpm").format(n=round(rate)) if rate else self.tr("– bpm"),
            "" if battery is None else self.tr("Battery {n} %").format(n=battery),
        )
        panel.lights.show_quality(quality_rows(self._controller.vitals, sensed))

    def _on_vitals(self, vitals: Vitals) -> None:
        if not self._panel.isVisible():
            return
        reading = self._controller.reading
        late = reading.sensed.dropped if reading is not None else 0
        self._panel.show_counters(counters_text(vitals, late))
        self._show_source()

    def _leave(self) -> None:
        if self._controller.active:
            self._controller.stop()
        else:
            self._panel.show_live(False)

    # recording

    def _on_record(self, on: bool) -> None:
        self._show_recording()  # the button shows what is, not what is asked for
        if on and self._preferences.settings.listening.consent != Consent.GIVEN.value:
            self._panel.ask_consent()
        else:
            self._controller.set_recording(on)

    def _on_consent(self, given: bool) -> None:
        said = Consent.GIVEN if given else Consent.REFUSED
        self._preferences.set("listening", "consent", said.value)
        if given:
            self._controller.set_recording(True)

    def _show_recording(self) -> None:
        folder, choice = self._controller.recording, self._controller.choice
        words = "" if folder is None else self.tr("Recording {name}").format(name=folder.name)
        possible = choice is None or choice.kind.recordable
        self._panel.show_recording(words, on=folder is not None, possible=possible)

    # notes

    def _note(self) -> None:
        if self._controller.active:
            self.show_panel(True)
            self._panel.begin_note()

    def _on_note_begun(self) -> None:
        self._note_s = self._controller.now_s()

    def _on_noted(self, text: str) -> None:
        self._controller.note(text, self._note_s)
        if self._controller.recording is None:
            said = self.tr("Noted in the plot only: nothing is being recorded")
            self._window.toasts.show_toast(said)
