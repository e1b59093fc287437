"""Live sensors in the window, on real widgets: sources, panel, consent, recordings, bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.live_sources import SourceChoice, SourceKind
from app.recordings import read_session
from app.wristband.radio import REASON_TEXT, FoundDevice, RadioError
from app.wristband.recorder import FILE_NAME, Recorder
from app.wristband.source import (
    Counters,
    HeartRate,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.physio.signals import Channel, SignalChunk
from tests.gui.conftest import WAIT_MS, settle
from tests.gui.test_sensor_controller import Scripted, Sure, chunks, until

pytestmark = pytest.mark.gui

FAST = SourceChoice(SourceKind.SIMULATED, speed=20.0)
BAND = FoundDevice("AA:01", "Band", -50, frozenset({"x"}))
SHIFT = Qt.KeyboardModifier.ShiftModifier
OTHER = FoundDevice("AA:02", "Band", -70, frozenset({"x"}))


@pytest.fixture
def desktop(start: Callable[..., Desktop]) -> Desktop:
    """The program without songs."""
    desktop = start()
    desktop.sensing.controller._load_rater = Sure
    return desktop


@pytest.fixture
def with_songs(tagged: Path, desktop: Desktop) -> Desktop:
    return desktop


def open_page(qtbot: QtBot, desktop: Desktop) -> Any:
    desktop.window.actions_.sensors.trigger()
    until(qtbot, desktop.sensing.page.isVisible)
    settle(qtbot, desktop)
    return desktop.sensing.page


def script(desktop: Desktop, *steps: Any, **attributes: Any) -> None:
    """Whatever is connected to next does `steps`."""

    async def opened(*_: Any) -> Scripted:
        source = Scripted(*steps)
        for name, value in attributes.items():
            setattr(source, name, value)
        return source

    desktop.sensing.controller._open_source = opened


def keys_of(page: Any) -> list[str]:
    return [page.sources.item(i).data(Qt.ItemDataRole.UserRole + 1).key
            for i in range(page.sources.count())]  # fmt: skip


def test_without_anything_the_panel_explains_and_offers(qtbot, desktop):
    window = desktop.window
    assert not window.sensors.isVisible()
    QTest.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier | SHIFT)
    assert window.sensors.isVisible()
    assert window.sensors.simulate.isVisible()
    window.sensors.choose.click()
    assert desktop.sensing.page.isVisible()
    assert keys_of(desktop.sensing.page) == ["simulated", "virtual", "lsl", "file", "folder"]
    assert desktop.sensing.page.none_yet.isVisible()
    settle(qtbot, desktop)


def test_a_session_is_seen_while_one_browses(qtbot, with_songs):
    desktop = with_songs
    window, panel = desktop.window, desktop.window.sensors
    desktop.sensing.view.listen_to(FAST)
    assert panel.isVisible()
    until(qtbot, lambda: desktop.sensing.controller.reading and panel.plane.trail)
    until(qtbot, lambda: panel.plot is not None and panel.plot.frames > 2)
    assert window.table.isVisible()  # beside, not in the place of
    assert panel.origin.text() == "SIMULATED"
    assert panel.state.text() == "Receiving signals"
    assert "Tense 70 %" in panel.rows.accessibleDescription()
    assert "contact: good" in panel.lights.accessibleDescription()
    assert panel.rate.text().endswith("bpm")
    until(qtbot, lambda: "0 lost, 0 duplicate" in panel.counters.text())
    assert "together is what the sensors say" in panel.weight.text()
    assert len(panel.plot.shown("pulse")[0]) > 100
    panel.disconnect.click()
    until(qtbot, lambda: not desktop.sensing.controller.active)
    assert not panel.plot.drawing
    assert panel.choose.isVisible()


def test_music_sensors_and_both_are_told_apart_with_the_weight_in_words(qtbot, with_songs):
    desktop = with_songs
    ids = [int(i) for i in desktop.window.table.songs.ids]
    desktop.player.play_ids(ids[:1])
    desktop.player.pause()  # it lasts a second
    until(qtbot, lambda: desktop.sensing.feed.song)
    desktop.sensing.view.listen_to(FAST)
    panel = desktop.window.sensors
    until(qtbot, lambda: desktop.sensing.controller.reading
          and desktop.sensing.controller.reading.estimate)  # fmt: skip
    said = panel.rows.accessibleDescription()
    assert "Sensors alone: Tense 70 %" in said
    assert "Song alone: Happy 70 %" in said
    assert "Together: Happy 70 %" in said
    assert "weight of the sensors beside a song: 0" in panel.weight.text()
    desktop.player.stop()


def test_the_first_recording_asks_for_consent_and_the_list_shows_it(qtbot, desktop):
    page = open_page(qtbot, desktop)
    panel, controller = desktop.window.sensors, desktop.sensing.controller
    desktop.sensing.view.listen_to(FAST)
    until(qtbot, lambda: controller.info)
    panel.record.click()
    assert panel.consent.isVisible()
    assert controller.recording is None
    assert not panel.record.isChecked()
    panel.consent_yes.click()
    until(qtbot, lambda: controller.recording)
    assert desktop.preferences.settings.listening.consent == "given"
    assert panel.record.isChecked()
    assert controller.recording.name in panel.recording.text()
    desktop.window.actions_.sensor_note.trigger()
    QTest.keyClicks(panel.words, "a chill")
    QTest.keyClick(panel.words, Qt.Key.Key_Return)
    folder = controller.recording
    until(qtbot, lambda: controller.reading and controller.reading.shown)
    panel.record.click()
    until(qtbot, lambda: controller.recording is None)
    until(qtbot, lambda: page.recordings.rowCount() == 1)
    assert page.recordings.item(0, 2).text() == "Simulated listener (simulated)"
    assert [m.text for m in read_session(folder).moments if m.is_note] == ["a chill"]
    panel.record.click()  # no second question
    until(qtbot, lambda: controller.recording)
    assert not panel.consent.isVisible()


def test_refused_consent_records_nothing(qtbot, desktop):
    desktop.sensing.view.listen_to(FAST)
    until(qtbot, lambda: desktop.sensing.controller.info)
    panel = desktop.window.sensors
    panel.record.click()
    panel._consented(False)
    until(qtbot, lambda: desktop.sensing.controller.reading)
    assert desktop.sensing.controller.recording is None
    assert not desktop.home.recordings_dir.exists()


def test_every_session_is_recorded_where_that_is_wanted(qtbot, desktop):
    desktop.preferences.set("listening", "record", True)
    desktop.sensing.view.listen_to(FAST)
    until(qtbot, lambda: desktop.sensing.controller.reading)
    assert desktop.sensing.controller.recording is None  # not before consent
    desktop.preferences.set("listening", "consent", "given")
    desktop.sensing.view.listen_to(FAST)
    until(qtbot, lambda: desktop.sensing.controller.recording)


def test_a_recording_is_deleted_for_good_after_a_question(qtbot, desktop):
    folder = desktop.home.recordings_dir
    recorder = Recorder(folder, {"source": "band", "name": "B"}, 0.0)
    recorder.chunk(SignalChunk.of(Channel.GSR, np.ones(8), 128.0))
    recorder.close()
    page = open_page(qtbot, desktop)
    until(qtbot, lambda: page.recordings.rowCount() == 1)
    page.recordings.setFocus()
    QTest.keyClick(page.recordings, Qt.Key.Key_Delete)
    assert page.question.isVisible()
    page._no.click()
    assert recorder.folder.exists()
    QTest.keyClick(page.recordings, Qt.Key.Key_Delete)
    page._yes.click()
    until(qtbot, lambda: not recorder.folder.exists())
    until(qtbot, lambda: page.none_yet.isVisible())


def test_a_recording_is_exported_and_nothing_is_overwritten(qtbot, desktop, tmp_path):
    recorder = Recorder(desktop.home.recordings_dir, {"source": "band"}, 0.0)
    for k in range(8):
        for channel in Channel:
            recorder.chunk(SignalChunk.of(channel, np.arange(128.0), 128.0, float(k)))
    recorder.close()
    page, recordings = open_page(qtbot, desktop), desktop.sensing.recordings
    until(qtbot, lambda: page.recordings.rowCount() == 1)
    refused: list[str] = []
    recordings.failed.connect(lambda error: refused.append(str(error)))
    for kind, _ in page.export_kinds:
        recordings.export_to(page.chosen_recording, kind, tmp_path)
    until(qtbot, lambda: desktop.runner.idle)
    name = recorder.folder.name
    assert {path.name for path in tmp_path.iterdir()} == {name, f"{name}.edf", f"{name}.bdf"}
    assert refused == []
    for kind, _ in page.export_kinds:
        recordings.export_to(page.chosen_recording, kind, tmp_path)
    until(qtbot, lambda: len(refused) == 3)


# -- bands -------------------------------------------------------------------------


def scan_finds(desktop: Desktop, *found: FoundDevice) -> None:
    async def scan(_: float) -> list[FoundDevice]:
        return list(found)

    desktop.sensing.controller._scan = scan


def refusal(error: RadioError) -> Callable[[float], Any]:
    async def scan(_: float) -> list[FoundDevice]:
        raise error

    return scan


def look(qtbot: QtBot, desktop: Desktop) -> None:
    with qtbot.waitSignal(desktop.sensing.controller.scanning_changed, timeout=WAIT_MS):
        desktop.sensing.page.look.click()
    until(qtbot, lambda: not desktop.sensing.controller.scanning)


def test_a_band_is_found_chosen_pinned_replaced_and_forgotten(qtbot, desktop):
    page, sources = open_page(qtbot, desktop), desktop.sensing.sources
    scan_finds(desktop, BAND, OTHER)
    look(qtbot, desktop)
    assert keys_of(page)[:2] == ["band:AA:01", "band:AA:02"]
    script(desktop, *chunks(1), None, device_info=type("Info", (), {"serial": "S1"})())
    page.choose_source("band:AA:01")
    page.connect_.click()
    until(qtbot, lambda: sources.known and sources.known.serial == "S1")
    assert page.chosen_source.is_known
    page.choose_source("band:AA:02")
    assert "another address" in page.chosen_source.note
    page.connect_.click()
    assert page.question.isVisible()  # no other band takes its place unasked
    assert "AA:02" in page._question.text()
    page._no.click()
    assert sources.known.address == "AA:01"
    page.connect_.click()
    page._yes.click()
    assert sources.known.address == "AA:02"
    until(qtbot, lambda: desktop.sensing.controller.choice.band.address == "AA:02")
    page.choose_source("band:AA:02")
    page.forget.click()
    page._yes.click()
    assert sources.known is None


def test_a_pinned_band_is_listed_without_a_scan_and_hostile_names_are_plain_text(qtbot, desktop):
    desktop.preferences.set(
        "listening", "device", '{"address":"AA:09","name":"<b>X</b>","serial":"S","services":[]}'
    )
    page = open_page(qtbot, desktop)
    desktop.sensing.sources._show()
    assert keys_of(page)[0] == "band:AA:09"
    row = page.sources.item(0).data(Qt.ItemDataRole.UserRole + 1)
    assert row.name == "<b>X</b>"
    assert "serial S" in row.detail
    assert not page.grab().isNull()
    desktop.preferences.set("listening", "device", "{nonsense")
    desktop.sensing.sources._show()
    assert keys_of(page)[0] == "simulated"


def test_a_scan_that_cannot_be_says_why_and_what_helps(qtbot, desktop):
    page = open_page(qtbot, desktop)
    for reason in (Reason.NO_RADIO, Reason.POWERED_OFF, Reason.DENIED):
        message, _, remedy = REASON_TEXT[reason].partition(". ")

        desktop.sensing.controller._scan = refusal(RadioError(message, remedy, reason))
        look(qtbot, desktop)
        assert message in page.state.text()
        assert remedy.split(".")[0] in page.state.text()


def test_no_band_near_offers_other_ways(qtbot, desktop):
    page = open_page(qtbot, desktop)
    scan_finds(desktop)
    look(qtbot, desktop)
    assert "simulated listener" in page.state.text()


def test_each_reason_of_a_source_is_on_the_screen(qtbot, desktop):
    page, panel = open_page(qtbot, desktop), desktop.window.sensors
    for reason in (*REASON_TEXT, Reason.PROTOCOL):
        text = REASON_TEXT.get(reason, "The band sends far more than its 128 samples a second.")
        script(desktop, *chunks(0.5), SourceStatus(SourceState.STOPPED, reason, text))
        with qtbot.waitSignal(desktop.sensing.controller.session_stopped, timeout=WAIT_MS):
            desktop.sensing.view.listen_to(SourceChoice(SourceKind.LSL))
        assert panel.reason.text() == text
        assert panel.reason.isVisible()
        assert text in page.state.text()


def test_a_link_that_breaks_and_comes_back_is_counted_on_the_screen(qtbot, desktop):
    lost = SourceStatus(SourceState.RECONNECTING, Reason.LOST, REASON_TEXT[Reason.LOST])
    counted = Counters(
        packets=9, samples=72, lost=8, duplicate=2, reordered=1, corrupt=3, dropped=4,
        dropped_in_device=5, reconnects=6,
    )  # fmt: skip
    script(desktop, *chunks(0.5), lost, counted, None)
    desktop.sensing.view.listen_to(SourceChoice(SourceKind.LSL))
    panel = desktop.window.sensors
    until(qtbot, lambda: panel.state.text() == "Connecting again …")
    until(qtbot, lambda: "8 lost" in panel.counters.text())
    for words in ("72 samples", "2 duplicate", "1 reordered", "3 corrupt", "5 dropped in the",
                  "4 dropped, not taken", "6 reconnections"):  # fmt: skip
        assert words in panel.counters.text()


def test_a_flood_does_not_hold_the_window_up(qtbot, desktop):
    script(desktop, *chunks(300), None)  # five minutes at once
    desktop.sensing.view.listen_to(SourceChoice(SourceKind.LSL))
    until(qtbot, lambda: desktop.sensing.controller.reading)
    signals = desktop.sensing.controller.signals
    until(qtbot, lambda: signals.look(1e9).traces)
    assert max(len(t) for t, _ in signals.look(1e9).traces.values()) <= 64 * 128


def test_a_heart_rate_strap_shows_the_rate_and_says_that_it_tells_no_emotion(qtbot, desktop):
    beats = [HeartRate(float(k), 66) for k in range(3)]
    script(desktop, *beats, None, channels=frozenset(), provenance=Provenance.REAL)
    desktop.sensing.view.listen_to(SourceChoice(SourceKind.LSL))
    panel = desktop.window.sensors
    until(qtbot, lambda: panel.rate.text() == "66 bpm")
    assert "heart rate only" in panel.why.text()
    assert panel.origin.text() == "Real signals"


def test_a_truncated_recording_replays_up_to_the_damage_and_says_so(qtbot, desktop, tmp_path):
    recorder = Recorder(tmp_path / "r", {"source": "simulated", "name": "S"}, 0.0)
    for chunk in chunks(1):
        recorder.chunk(chunk)
    recorder.close()
    data = recorder.path.read_bytes()
    panel, controller = desktop.window.sensors, desktop.sensing.controller
    for share in (0.0, 0.02, 0.5, 0.97):
        recorder.path.write_bytes(data[: round(share * len(data))])
        with qtbot.waitSignal(controller.session_stopped, timeout=WAIT_MS) as told:
            desktop.sensing.sources.replay(recorder.folder)
        assert panel.reason.text()
        assert panel.reason.isVisible()
    assert told.args[0].status.reason is Reason.FINISHED
    assert panel.origin.text().startswith("REPLAY")


def test_a_replay_of_nothing_says_what_can_be_replayed(qtbot, desktop, tmp_path):
    file = tmp_path / FILE_NAME
    file.write_bytes(b"nonsense")
    with qtbot.waitSignal(desktop.sensing.controller.session_stopped, timeout=WAIT_MS):
        desktop.sensing.sources.replay(file)
    assert "no recording" in desktop.window.sensors.reason.text()


@pytest.mark.bluetooth
def test_the_virtual_band_streams_through_bleak(qtbot, desktop):
    pytest.importorskip("bumble")
    page = open_page(qtbot, desktop)
    page.choose_source("virtual")
    page.connect_.click()
    panel, controller = desktop.window.sensors, desktop.sensing.controller
    until(qtbot, lambda: controller.vitals.counters.samples > 200)
    assert controller.vitals.battery_percent == 90
    until(qtbot, lambda: panel.link.text() == "unverified link")
    assert panel.origin.text() == "SIMULATED"
    assert controller.vitals.counters.lost == 0
    with qtbot.waitSignal(controller.session_stopped, timeout=3000):
        panel.disconnect.click()


def test_less_movement_reaches_the_plots(qtbot, desktop):
    desktop.sensing.view.listen_to(FAST)
    panel = desktop.window.sensors
    until(qtbot, lambda: panel.plot is not None)
    desktop.preferences.set("appearance", "reduced_motion", True)
    assert panel.plot._timer.interval() >= 500


def test_the_panel_is_reached_by_f6_and_everything_has_a_name(qtbot, desktop):
    from PySide6.QtWidgets import QAbstractButton, QLineEdit

    page, panel = open_page(qtbot, desktop), desktop.window.sensors
    desktop.sensing.view.show_panel(True)
    for _ in range(6):
        QTest.keyClick(desktop.window, Qt.Key.Key_F6)
        if panel.isAncestorOf(desktop.window.focusWidget()):
            break
    assert panel.isAncestorOf(desktop.window.focusWidget())
    for widget in (page, panel):
        for child in [*widget.findChildren(QAbstractButton), *widget.findChildren(QLineEdit)]:
            if child.objectName().startswith("qt_"):
                continue
            assert child.accessibleName(), child


def test_no_thread_is_started_before_it_is_needed(desktop):
    assert desktop.sensing.controller._thread is None
