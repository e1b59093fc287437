"""Live sessions as the window drives them: states, estimates, recordings, ends in time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.sensor_controller import SensorController
from app.live import Reading, SessionEnd, SongNow
from app.live_sources import KnownBand, SourceChoice, SourceKind
from app.wristband.radio import FoundDevice, RadioError
from app.wristband.recorder import Kind, open_recording
from app.wristband.source import (
    Annotation,
    AnnotationKind,
    Counters,
    Delivery,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.emotion import EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk
from tests.gui.conftest import WAIT_MS, settle

pytestmark = pytest.mark.gui

FAST = SourceChoice(SourceKind.SIMULATED, speed=20.0)
SONG = SongNow(
    7,
    "hash",
    "A song",
    "Ana",
    "/music/a.mp3",
    60.0,
    EmotionEstimate((0.7, 0.1, 0.1, 0.1), 0.7, "m"),
)


class Sure:
    """A sensor model that has an opinion."""

    model_id = "sure"
    song_weight = 0.0

    def reads(self, channels: Any) -> bool:
        return True

    def classify(self, segments: Any) -> EmotionEstimate:
        return EmotionEstimate((0.1, 0.7, 0.1, 0.1), 0.7, self.model_id)


class Scripted:
    """A source that does what a test says: deliveries, waits, states, an error."""

    name = "Scripted"
    provenance = Provenance.REAL
    channels = frozenset(Channel)

    def __init__(self, *steps: Any) -> None:
        self._steps = steps
        self.status = SourceStatus(SourceState.STOPPED)
        self.counters = Counters()
        self._closed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        self.status = SourceStatus(SourceState.STREAMING)
        for step in self._steps:
            if self._closed.is_set():
                return
            if isinstance(step, SourceStatus):
                self.status = step
            elif isinstance(step, Counters):
                self.counters = step
            elif isinstance(step, Exception):
                raise step
            elif step is None:
                await self._closed.wait()
            else:
                yield step
            await asyncio.sleep(0)

    async def close(self) -> None:
        self._closed.set()


def chunks(seconds: float, t0_s: float = 0.0) -> Iterator[SignalChunk]:
    for k in range(round(seconds * 4)):
        for channel in Channel:
            yield SignalChunk.of(channel, np.ones(32) + 0.01 * k, 128.0, t0_s + k / 4)


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., SensorController]]:
    made: list[SensorController] = []

    def begin(*steps: Any, **options: Any) -> SensorController:
        if steps:

            async def opened(*_: Any) -> Scripted:
                return Scripted(*steps)

            options["open_source"] = opened
        controller = SensorController(tmp_path / "kept", options.pop("rater", Sure), **options)
        made.append(controller)
        return controller

    yield begin
    for controller in made:
        assert controller.shutdown() == []


def until(qtbot: QtBot, condition: Callable[[], Any]) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)


def end_of(qtbot: QtBot, controller: SensorController) -> SessionEnd:
    with qtbot.waitSignal(controller.session_stopped, timeout=WAIT_MS) as told:
        controller.stop()
    return told.args[0]


def test_a_simulated_session_shows_states_and_estimates(qtbot, make):
    controller = make()
    states: list[SourceState] = []
    controller.state_changed.connect(lambda status: states.append(status.state))
    with qtbot.waitSignal(controller.shown_changed, timeout=WAIT_MS) as told:
        controller.listen_to(FAST)
    reading = told.args[0]
    assert reading.shown is Quadrant.HALV
    assert reading.provenance is Provenance.SIMULATED
    assert reading.sensed.felt is not None
    assert reading.song is None
    assert states == [SourceState.CONNECTING, SourceState.STREAMING]
    end = end_of(qtbot, controller)
    assert end.asked
    assert end.counters.lost == 0
    assert end.recording is None
    assert controller.status.state is SourceState.STOPPED
    assert not controller.active


def test_the_song_is_the_prior_and_the_sensors_count_as_they_were_learned_to(qtbot, make):
    controller = make()
    controller.set_song(SONG, 12.0, playing=True)
    controller.listen_to(FAST)
    until(qtbot, lambda: controller.reading and controller.reading.estimate)
    reading = controller.reading
    assert reading.estimate.quadrant is Quadrant.HAHV  # weight 0: the song's own word stands
    assert reading.sensed.song == SONG.estimate
    assert reading.sensed.felt.quadrant is Quadrant.HALV
    assert reading.position_s >= 12.0
    controller.set_song(None, playing=False)
    until(qtbot, lambda: controller.reading.song is None and controller.reading.estimate)
    assert controller.reading.estimate.quadrant is Quadrant.HALV
    end_of(qtbot, controller)


def test_an_estimate_goes_with_the_song_that_it_was_made_of(qtbot, make):
    class Leaving(Sure):
        def classify(self, segments: Any) -> EmotionEstimate:
            controller.set_song(None, playing=False)  # while the estimate is being made
            return super().classify(segments)

    controller = make(rater=Leaving)
    readings: list[Reading] = []
    controller.estimate_changed.connect(readings.append)
    controller.set_song(SONG, 12.0, playing=True)
    controller.listen_to(FAST)
    until(qtbot, lambda: sum(r.estimate is not None for r in readings) > 1)
    first, second = [r for r in readings if r.estimate is not None][:2]
    assert first.song == SONG
    assert first.sensed.song == SONG.estimate
    assert second.song is None
    assert second.sensed.song is None
    end_of(qtbot, controller)


def test_a_recording_holds_signals_song_positions_notes_and_what_was_shown(qtbot, make, tmp_path):
    controller = make()
    controller.set_song(SONG, 3.0, playing=True)
    controller.listen_to(FAST, record=True)
    until(qtbot, lambda: controller.recording)
    controller.note("a chill", controller.now_s())
    controller.set_position(30.0, playing=False)
    until(qtbot, lambda: controller.reading and controller.reading.shown)
    end = end_of(qtbot, controller)
    assert end.fault == ""
    recording = open_recording(end.recording)
    assert recording.damage == ""
    assert end.recording.stat().st_mode & 0o077 == 0
    notes = [json.loads(r.payload) for r in recording.records if r.kind is Kind.ANNOTATION]
    song = next(n for n in notes if n["kind"] == "song")
    assert (song["text"], song["audio_hash"], song["playing"]) == ("A song", "hash", True)
    assert song["position_s"] >= 3.0
    assert any(n["kind"] == "note" and n["text"] == "a chill" for n in notes)
    assert any(n["kind"] == "position" and n["position_s"] == 30.0 for n in notes)
    assert any(n["kind"] == "felt" and n["sensors"] for n in notes)
    assert recording.meta["begun_at"] == pytest.approx(time.time(), abs=60)


def test_recording_can_be_switched_in_the_midst(qtbot, make):
    controller = make()
    controller.listen_to(FAST)
    until(qtbot, lambda: controller.info)
    for _ in range(2):
        controller.set_recording(True)
        until(qtbot, lambda: controller.recording)
        first = controller.recording
        controller.set_recording(False)
        until(qtbot, lambda: controller.recording is None)
    assert len(list(first.parent.iterdir())) == 2  # never over an old one
    end_of(qtbot, controller)


def test_a_recording_that_cannot_be_kept_is_said_and_the_signals_go_on(qtbot, make, tmp_path):
    (tmp_path / "kept").write_text("in the way")
    controller = make()
    with qtbot.waitSignal(controller.failed, timeout=WAIT_MS) as told:
        controller.listen_to(FAST, record=True)
    assert "recording" in str(told.args[0])
    until(qtbot, lambda: controller.reading and controller.reading.estimate)
    assert "recording" in end_of(qtbot, controller).fault


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UndertoneError("The file is no recording", "Choose another."), "no recording"),
        (RadioError("Bluetooth is off", "Switch it on.", Reason.POWERED_OFF), "Switch it on"),
        (ZeroDivisionError("x"), "ZeroDivisionError"),
    ],
)
def test_a_source_that_cannot_be_opened_gives_a_reason(qtbot, make, error, words):
    async def refuse(*_: Any) -> Scripted:
        raise error

    controller = make(open_source=refuse)
    with qtbot.waitSignal(controller.session_stopped, timeout=WAIT_MS) as told:
        controller.listen_to(FAST)
    assert words in told.args[0].status.text
    assert controller.status.text == told.args[0].status.text
    assert controller.status.reason == getattr(error, "reason", None)


def test_a_source_that_breaks_ends_with_a_reason_and_a_whole_recording(qtbot, make):
    controller = make(*chunks(3), RuntimeError("boom"))
    with qtbot.waitSignal(controller.session_stopped, timeout=WAIT_MS) as told:
        controller.listen_to(SourceChoice(SourceKind.LSL), record=True)
    end = told.args[0]
    assert "RuntimeError" in end.status.text
    assert open_recording(end.recording).damage == ""
    assert len(open_recording(end.recording).records) >= 24


def test_a_source_that_stalls_is_said_and_can_be_left(qtbot, make):
    controller = make(*chunks(1), None)
    controller.listen_to(SourceChoice(SourceKind.LSL))
    until(qtbot, lambda: controller.reading and controller.reading.sensed.reason == "no_signal")
    assert "no signal" in controller.reading.sensed.text
    begun = time.monotonic()
    end_of(qtbot, controller)
    assert time.monotonic() - begun < 2.0


def test_opening_that_takes_for_ever_can_be_left(qtbot, make):
    async def hang(*_: Any) -> Scripted:
        await asyncio.sleep(1000)
        raise AssertionError

    controller = make(open_source=hang)
    controller.listen_to(FAST)
    assert controller.status.state is SourceState.CONNECTING
    assert end_of(qtbot, controller).status.reason is None


def test_states_and_counters_are_passed_on(qtbot, make):
    lost = SourceStatus(SourceState.RECONNECTING, Reason.LOST, "The link to the band broke.")
    counted = Counters(packets=5, samples=40, lost=3, duplicate=2, reordered=1, corrupt=4)
    gap = Annotation(0.5, AnnotationKind.GAP, text="3 samples")
    controller = make(*chunks(0.5), lost, counted, gap, None)
    controller.listen_to(SourceChoice(SourceKind.BAND, KnownBand("aa")))
    until(qtbot, lambda: controller.status == lost and controller.vitals.counters == counted)
    assert [m.kind for m in controller.signals.look(10.0).marks] == ["gap"]
    end_of(qtbot, controller)


def test_another_source_takes_the_place_of_the_first(qtbot, make):
    controller = make()
    controller.listen_to(FAST)
    until(qtbot, lambda: controller.info)
    other = SourceChoice(SourceKind.SIMULATED, seed=5, speed=20.0)
    with qtbot.waitSignal(controller.session_started, timeout=WAIT_MS) as told:
        controller.listen_to(other)
    assert told.args[0].choice is other
    end_of(qtbot, controller)


def test_a_scan_lists_bands_or_says_why_not(qtbot, make):
    band = FoundDevice("AA", "Band", -50, frozenset())

    async def found(_: float) -> list[FoundDevice]:
        return [band]

    async def refused(_: float) -> list[FoundDevice]:
        raise RadioError("Bluetooth is switched off", "Switch it on.", Reason.POWERED_OFF)

    controller = make(scan=found)
    with qtbot.waitSignal(controller.bands_found, timeout=WAIT_MS) as told:
        controller.scan()
        assert controller.scanning
    assert told.args[0] == [band]
    assert not controller.scanning
    controller = make(scan=refused)
    with qtbot.waitSignal(controller.failed, timeout=WAIT_MS) as told:
        controller.scan()
    assert told.args[0].reason is Reason.POWERED_OFF


def test_closing_the_window_while_streaming_ends_in_time(qtbot, start):
    desktop: Desktop = start()
    controller = desktop.sensing.controller
    controller.listen_to(FAST, record=True)
    until(qtbot, lambda: controller.recording)
    folder = controller.recording
    begun = time.monotonic()
    assert desktop.close() == []
    assert time.monotonic() - begun < 2.0
    assert open_recording(folder).damage == ""


def test_the_player_tells_the_sensors_which_song_plays_and_where(qtbot, start, tagged):
    desktop: Desktop = start()
    ids = [int(i) for i in desktop.window.table.songs.ids]
    desktop.player.play_ids(ids[:1])
    until(qtbot, lambda: desktop.sensing.feed.song)
    song = desktop.sensing.feed.song
    assert song.track_id == ids[0]
    assert song.audio_hash
    assert song.estimate.model_id == "test-ear"
    settle(qtbot, desktop)
