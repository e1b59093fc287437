"""A recording beside its songs: player and signals on one clock, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Signal
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.player_controller import PlayerController
from app.desktop.replaying import Replaying
from app.live_sources import SourceChoice, SourceKind
from app.playback.clock import VirtualClock
from app.playback.null_backend import NullBackend
from app.recordings import Anchor, RecordedSession, SongSpan, read_session
from app.replay_clock import ReplayClock
from app.wristband.source import Provenance, SourceState, SourceStatus
from tests.gui.conftest import settle
from tests.gui.test_sensor_controller import Sure, until

pytestmark = pytest.mark.gui

STREAMING = SourceStatus(SourceState.STREAMING)


def span(start_s: float, end_s: float, track: int, *anchors: Anchor) -> SongSpan:
    return SongSpan(start_s, end_s, f"Song {track}", "", track, f"hash{track}", "", anchors)


SESSION = RecordedSession(
    Path("/r/one"), datetime(2026, 1, 1), 60.0, "Band", Provenance.REAL,
    songs=(
        span(5.0, 30.0, 1, Anchor(5.0, 40.0, True), Anchor(15.0, 50.0, False),
             Anchor(20.0, 50.0, True)),
        span(30.0, 50.0, 2, Anchor(30.0, 0.0, True), Anchor(40.0, 70.0, True)),
    ),
)  # fmt: skip


class FakeController(QObject):
    state_changed = Signal(object)
    session_stopped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.choice: SourceChoice | None = None
        self.following: SourceChoice | None = None
        self.clock: Callable[[], float] | None = None
        self.begun: list[float] = []

    def listen_to(self, choice: SourceChoice, *, clock: Callable[[], float]) -> None:
        self.begun.append(choice.start_s)
        self.choice, self.clock = choice, clock


class Bench:
    """A replay in virtual time over songs of 100 s; song 9 is not in the library."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        for i in range(4):
            (folder / f"{i}.mp3").write_bytes(b"x")
        self.player = PlayerController(
            lambda post: NullBackend(post, self.clock, lambda _: 100.0),
            lambda i: folder / f"{i}.mp3",
        )
        self.controller = FakeController()
        library = SimpleNamespace(files_with=self._files, by_path=lambda _: None)
        self.replaying = Replaying(
            self.controller, self.player, SimpleNamespace(library=library),
            SimpleNamespace(call=lambda fn, then: then(fn())), now=self.clock.now,
        )  # fmt: skip

    def _files(self, audio_hash: str) -> list[Any]:
        track = int(audio_hash.removeprefix("hash"))
        return [] if track == 9 else [SimpleNamespace(id=track, missing=None, hidden=None)]

    def stream(self) -> None:
        self.controller.state_changed.emit(STREAMING)
        self.run(0.0)

    def run(self, seconds: float) -> None:
        """Let time pass: ticks of the replay and of the player's position."""
        for _ in range(max(1, round(seconds / 0.1))):
            self.clock.advance(min(0.1, seconds))
            QCoreApplication.processEvents()
            self.player._tell_position()
            self.replaying.tick()
            QCoreApplication.processEvents()

    @property
    def at_s(self) -> float:
        return self.replaying.position_s


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.replaying._timer.stop()
    bench.player.shutdown()


def test_song_and_signals_move_together(bench):
    bench.replaying.begin(SESSION)
    bench.run(1.0)
    assert bench.at_s == 0.0  # the clock stands until the signals come
    assert bench.player.state == "stopped"
    bench.stream()
    bench.run(4.0)
    assert bench.player.state == "stopped"
    bench.run(3.0)
    assert bench.player.track_id == 1
    assert bench.player.state == "playing"
    assert bench.player.position_s == pytest.approx(40.0 + bench.at_s - 5.0, abs=0.15)
    assert bench.controller.clock() == bench.at_s


def test_pauses_and_jumps_of_the_recording_are_followed(bench):
    bench.replaying.begin(SESSION)
    bench.stream()
    bench.run(17.0)
    assert bench.player.state == "paused"
    bench.run(5.0)
    assert bench.player.state == "playing"
    assert bench.player.position_s == pytest.approx(50.0 + bench.at_s - 20.0, abs=0.2)
    bench.run(12.0)
    assert bench.player.track_id == 2
    bench.run(9.0)
    assert bench.player.position_s == pytest.approx(70.0 + bench.at_s - 40.0, abs=0.2)
    bench.run(9.0)
    assert bench.player.state == "paused"  # nothing was playing at the end


def test_pausing_the_song_holds_the_replay(bench):
    bench.replaying.begin(SESSION)
    bench.stream()
    bench.run(9.0)
    bench.player.pause()
    bench.run(0.2)
    held = bench.at_s
    bench.run(5.0)
    assert bench.at_s == held
    bench.player.play()
    bench.run(2.0)
    assert bench.at_s == pytest.approx(held + 2.0, abs=0.3)


def test_seeking_in_the_song_goes_to_that_place_of_the_recording(bench):
    bench.replaying.begin(SESSION)
    bench.stream()
    bench.run(9.0)
    bench.player.seek(46.0)
    bench.run(0.2)
    assert bench.controller.begun == [0.0, pytest.approx(11.0)]
    assert bench.at_s == pytest.approx(11.0)
    bench.stream()
    bench.run(2.0)
    assert bench.player.position_s == pytest.approx(40.0 + bench.at_s - 5.0, abs=0.3)


def test_seeking_in_the_recording_moves_the_song(bench):
    bench.replaying.begin(SESSION)
    bench.stream()
    bench.run(2.0)
    bench.replaying.seek(35.0)
    bench.stream()
    bench.run(2.0)
    assert bench.player.track_id == 2
    assert bench.player.position_s == pytest.approx(bench.at_s - 30.0, abs=0.3)


def test_a_song_that_is_gone_is_said_and_the_signals_go_on(bench):
    said: list[str] = []
    bench.replaying.said.connect(said.append)
    gone = RecordedSession(
        Path("/r/two"), datetime(2026, 1, 1), 20.0, "B", Provenance.REAL,
        songs=(span(1.0, 20.0, 9, Anchor(1.0, 0.0, True)),),
    )  # fmt: skip
    bench.replaying.begin(gone)
    bench.stream()
    bench.run(6.0)
    assert bench.at_s == pytest.approx(6.0, abs=0.3)
    assert bench.player.state == "stopped"
    assert "1 of 1" in said[0]


def test_the_queue_from_before_comes_back(bench):
    bench.player.play_ids([3, 0], 0)
    bench.run(12.0)
    bench.replaying.begin(SESSION)
    bench.stream()
    bench.run(8.0)
    assert bench.player.queue_ids == [1, 2]
    ended: list[bool] = []
    bench.replaying.ended.connect(lambda: ended.append(True))
    bench.controller.choice = None
    bench.controller.session_stopped.emit(None)
    assert ended == [True]
    assert bench.player.queue_ids == [3, 0]
    assert bench.player.state == "paused"
    assert bench.player.position_s == pytest.approx(12.0, abs=0.3)


def test_the_clock_of_a_replay():
    now = [0.0]
    clock = ReplayClock(7.0, lambda: now[0])
    now[0] = 5.0
    assert clock() == 7.0
    clock.run()
    now[0] = 8.0
    assert clock() == 10.0
    assert clock.measured(10.1)  # taken up little by little
    assert 10.0 <= clock() < 10.1
    assert clock.measured(12.0)  # far ahead: at once
    assert clock() == pytest.approx(12.0)
    assert not clock.measured(9.0)  # never backwards
    assert clock() >= 12.0
    clock.hold()
    now[0] = 99.0
    assert clock() == pytest.approx(12.0)


def test_a_session_is_recorded_and_replayed_beside_its_song(
    qtbot: QtBot, start: Callable[..., Desktop], tagged: Path
) -> None:
    desktop = start()
    controller, replaying = desktop.sensing.controller, desktop.sensing.replaying
    controller._load_rater = Sure
    controller.listen_to(SourceChoice(SourceKind.SIMULATED), record=True)
    until(qtbot, lambda: controller.recording)
    folder = controller.recording
    ids = [int(i) for i in desktop.window.table.songs.ids]
    desktop.player.play_ids(ids[:1])  # it lasts a second
    until(qtbot, lambda: desktop.player.track_id is None)
    controller.stop()
    until(qtbot, lambda: not controller.active)
    settle(qtbot, desktop)
    session = read_session(folder)
    assert len(session.songs) == 1
    started: list[float] = []
    desktop.player.state_changed.connect(
        lambda state: started.append(replaying.position_s) if state == "playing" else None
    )
    replaying.begin(session)
    until(qtbot, lambda: desktop.window.sensors.bar.isVisible())
    with qtbot.waitSignal(replaying.ended, timeout=15_000):
        pass
    assert started
    assert started[0] == pytest.approx(session.songs[0].start_s, abs=0.6)
    assert not desktop.window.sensors.bar.isVisible()
    settle(qtbot, desktop)
