"""The player controller on the GUI thread: in virtual time, and once with the real libVLC."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtCore")
from PySide6.QtCore import QCoreApplication

from app.desktop.player_controller import PlayerController
from app.playback.clock import VirtualClock
from app.playback.null_backend import NullBackend
from app.playback.vlc_backend import VlcBackend
from inference.errors import UndertoneError

DURATION_S = 100.0
Tone = Callable[..., Path]


class Session:
    """A controller in virtual time over ten songs, with a record of what it said.

    Song i is `<i>.mp3`; those in `bad` cannot be played, those in `lost`
    are not in the library any more.
    """

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.folder = folder
        self.bad: set[int] = set()
        self.lost: set[int] = set()
        self.said: list[tuple[Any, ...]] = []
        self.backend: NullBackend | None = None
        for i in range(10):
            (folder / f"{i}.mp3").write_bytes(b"x")
        self.player = PlayerController(
            self._make, self._path_of, gain_of=lambda i: (-float(i), 1.0), rng=random.Random(1)
        )
        for name in (
            "state_changed", "track_changed", "volume_changed", "muted_changed",
            "shuffle_changed", "repeat_changed", "failed", "gave_up", "jumped",
        ):  # fmt: skip
            getattr(self.player, name).connect(
                lambda *values, name=name: self.said.append((name, *values))
            )

    def _make(self, post: Any) -> NullBackend:
        self.backend = NullBackend(post, self.clock, self._duration_of)
        return self.backend

    def _duration_of(self, path: Path) -> float:
        if int(path.stem) in self.bad:
            raise UndertoneError("There is no sound in it")
        return DURATION_S

    def _path_of(self, track_id: int) -> Path | None:
        return None if track_id in self.lost else self.folder / f"{track_id}.mp3"

    def run(self, seconds: float = 0.1) -> None:
        """Let virtual time pass and the event loop do what falls due."""
        for _ in range(60):  # a song that fails costs a turn or two
            QCoreApplication.processEvents()
        self.clock.advance(seconds)
        for _ in range(60):
            QCoreApplication.processEvents()
        self.clock.advance(0.02)
        QCoreApplication.processEvents()

    def heard(self, name: str) -> list[Any]:
        return [values[0] if len(values) == 1 else values for n, *values in self.said if n == name]


@pytest.fixture
def session(qapp: object, tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    assert session.player.shutdown() == []
    session.player.deleteLater()


class TestQueue:
    def test_songs_follow_each_other_to_the_end_and_begin_anew(self, session: Session) -> None:
        session.player.play_ids([3, 4])
        session.run()
        assert session.player.state == "playing"
        assert session.player.queue_index == 0
        session.run(DURATION_S)
        assert session.player.track_id == 4
        session.run(DURATION_S)
        assert session.heard("track_changed") == [3, 4, None]
        assert session.player.state == "stopped"
        session.player.play()
        session.run()
        assert session.player.track_id == 3

    def test_it_starts_where_it_is_told_to(self, session: Session) -> None:
        session.player.play_ids([1, 2, 3], start=2)
        session.run()
        assert (session.player.track_id, session.player.queue_index) == (3, 2)
        session.player.jump(0)
        session.run()
        assert session.player.track_id == 1
        session.player.jump(17)
        session.run()
        assert session.player.track_id == 1

    def test_files_from_outside_the_library_are_played_too(self, session: Session) -> None:
        session.player.play_paths([session.folder / "5.mp3"])
        session.run()
        assert session.player.state == "playing"
        assert session.player.track_id is None
        assert session.player.path == session.folder / "5.mp3"
        assert session.player.queue_ids == [None]

    def test_next_and_previous(self, session: Session) -> None:
        session.player.play_ids([1, 2, 3])
        session.run()
        session.player.next()
        session.run(1.0)
        assert session.player.track_id == 2
        session.player.previous()
        session.run(10.0)
        assert session.player.track_id == 1
        session.player.next()
        session.run(10.0)
        session.player.previous()  # late in the song: to its start
        session.run()
        assert session.player.track_id == 2
        assert session.player.position_s < 1.0

    def test_the_queue_can_be_changed_while_it_plays(self, session: Session) -> None:
        player = session.player
        player.play_ids([1, 2])
        session.run()
        player.enqueue([3])
        player.play_next([4])
        player.insert(0, [5])
        assert player.queue_ids == [5, 1, 4, 2, 3]
        assert player.queue_index == 1
        player.move(4, 0)
        player.remove([1, 2])
        assert player.queue_ids == [3, 4, 2]
        assert player.track_id == 1  # removed, and played to its end
        session.run(DURATION_S)
        assert player.track_id == 4
        player.clear()
        assert player.queue_ids == []
        session.run(DURATION_S)
        assert player.state == "stopped"

    def test_modes_are_told_once(self, session: Session) -> None:
        session.player.set_repeat("one")
        session.player.set_repeat("one")
        session.player.set_shuffle(True)
        assert session.heard("repeat_changed") == ["one"]
        assert session.heard("shuffle_changed") == [True]
        session.player.set_shuffle(False)
        session.player.play_ids([1, 2])
        session.run(0.1)
        session.run(DURATION_S)
        assert session.player.track_id == 1


class TestControls:
    def test_pause_toggle_stop(self, session: Session) -> None:
        player = session.player
        player.play_ids([1])
        session.run(2.0)
        player.toggle()
        session.run(5.0)
        assert player.state == "paused"
        assert player.position_s == pytest.approx(2.0, abs=0.2)
        player.toggle()
        session.run(1.0)
        assert player.state == "playing"
        player.stop()
        session.run()
        assert player.state == "stopped"
        assert player.position_s == 0.0
        assert player.track_id == 1
        player.play()
        session.run()
        assert session.heard("state_changed") == [
            "loading", "playing", "paused", "playing", "stopped", "loading", "playing",
        ]  # fmt: skip

    def test_the_controls_of_an_empty_player_do_nothing(self, session: Session) -> None:
        player = session.player
        for control in (player.play, player.pause, player.toggle, player.next, player.previous,
                        player.stop, player.clear):  # fmt: skip
            control()
        player.seek(5.0)
        player.play_ids([])
        session.run()
        assert session.said == []
        assert player.state == "stopped"
        assert (player.position_s, player.duration_s) == (0.0, 0.0)

    def test_seek_is_told_as_a_jump(self, session: Session) -> None:
        session.player.play_ids([1])
        session.run()
        session.player.seek(42.0)
        session.run(1.0)
        assert session.heard("jumped") == [42.0]
        assert session.player.position_s == pytest.approx(43.0, abs=0.2)

    def test_volume_and_mute(self, session: Session) -> None:
        player, backend = session.player, session.backend
        assert backend is not None
        player.set_volume(50)
        assert backend.amplitude == pytest.approx(0.125)
        player.set_muted(True)
        assert backend.amplitude == 0.0
        assert player.volume == 50
        player.set_volume(400)
        assert (player.volume, player.muted) == (100, False)
        assert session.heard("volume_changed") == [50, 100]
        assert session.heard("muted_changed") == [True, False]

    def test_replay_gain_is_the_song_s_own(self, session: Session) -> None:
        assert session.backend is not None
        session.player.play_ids([6])
        session.run()
        assert session.backend.amplitude == pytest.approx(10 ** (-6 / 20))
        session.player.play_paths([session.folder / "6.mp3"])
        session.run()
        assert session.backend.amplitude == 1.0

    def test_the_position_is_told_while_playing_only(self, session: Session, qtbot: Any) -> None:
        told: list[float] = []
        session.player.position_changed.connect(lambda position, duration: told.append(position))
        session.player.play_ids([1])
        session.run()
        told.clear()
        with qtbot.waitSignal(session.player.position_changed, timeout=2000) as waiting:
            pass
        assert waiting.args[1] == DURATION_S
        session.player.pause()
        session.run()
        assert not session.player.findChild(type(session.player._timer)).isActive()


class TestFaults:
    def test_unplayable_songs_are_named_and_skipped(self, session: Session) -> None:
        session.bad, session.lost = {2}, {3}
        session.player.play_ids([1, 2, 3, 4])
        session.run()
        session.run(DURATION_S)
        session.run()
        assert session.player.track_id == 4
        assert session.player.state == "playing"
        (first, second) = session.heard("failed")
        assert first == [session.folder / "2.mp3", "There is no sound in it"]
        assert second[0] is None
        assert "library" in second[1]

    def test_a_file_deleted_while_queued_is_skipped(self, session: Session) -> None:
        session.player.play_ids([1, 2, 3])
        session.run()
        (session.folder / "2.mp3").unlink()
        session.run(DURATION_S)
        session.run()
        assert session.player.track_id == 3
        assert "no longer there" in session.heard("failed")[0][1]

    @pytest.mark.parametrize("kind", ["bad", "lost"])
    @pytest.mark.parametrize("repeat", ["off", "all", "one"])
    def test_it_stops_when_nothing_can_be_played(
        self, session: Session, kind: str, repeat: str
    ) -> None:
        setattr(session, kind, set(range(10)))
        session.player.set_repeat(repeat)
        session.player.play_ids(list(range(10)) * 5000)
        session.run()
        assert session.player.state == "stopped"
        failed = session.heard("failed")
        assert len(failed) == 5
        assert session.heard("gave_up") == [5]

    def test_a_drive_that_was_pulled_out_loses_no_place(self, session: Session) -> None:
        session.player.play_ids(list(range(1, 9)), 2)
        session.run()
        session.run(DURATION_S / 2)
        away = session.folder.rename(session.folder.with_name("away"))
        session.player.seek(DURATION_S / 4)
        session.player.next()  # from here on nothing can be read
        session.run()
        assert session.player.state == "stopped"
        assert len(session.heard("failed")) == 5
        assert session.heard("gave_up") == [5]
        assert session.player.queue_ids == list(range(1, 9))
        assert session.player.track_id == 4
        away.rename(session.folder)
        session.player.play()
        session.run()
        assert (session.player.state, session.player.track_id) == ("playing", 4)

    def test_the_count_begins_anew_with_each_song_that_plays(self, session: Session) -> None:
        session.bad = {1, 2, 3, 4, 6, 7, 8, 9}
        session.player.play_ids([1, 2, 3, 4, 5, 6, 7, 8, 9])
        session.run()
        assert session.player.track_id == 5
        session.run(DURATION_S)
        session.run()
        assert session.player.state == "stopped"
        assert len(session.heard("failed")) == 8

    def test_one_bad_song_ends_quietly(self, session: Session) -> None:
        session.bad = {1}
        session.player.play_ids([1])
        session.run()
        assert session.player.state == "stopped"
        assert len(session.heard("failed")) == 1


class TestRestoring:
    def test_it_is_paused_where_it_was(self, session: Session) -> None:
        player = session.player
        player.restore([1, 2, 3], 1, 30.0, volume=40, shuffle=True, repeat="all")
        session.run(5.0)
        assert player.state == "paused"
        assert (player.track_id, player.queue_index, player.volume) == (2, 1, 40)
        assert (player.shuffle, player.repeat) == (True, "all")
        assert player.position_s == pytest.approx(30.0)
        assert session.heard("state_changed") == ["paused"]
        player.toggle()
        session.run(1.0)
        assert player.state == "playing"
        assert player.position_s == pytest.approx(31.0, abs=0.2)

    @pytest.mark.parametrize("index", [None, -1, 99])
    def test_senseless_values_are_passed_over(self, session: Session, index: int | None) -> None:
        session.player.restore([1, 2], index, -5.0, volume=-3, repeat="sometimes")
        session.run()
        assert session.player.state == "stopped"
        assert session.player.repeat == "off"
        session.player.play()
        session.run()
        assert session.player.track_id == 1

    def test_a_lost_song_is_no_error_until_it_is_played(self, session: Session) -> None:
        session.lost = {2}
        session.player.restore([1, 2, 3], 1)
        session.run()
        assert session.heard("failed") == []
        session.player.play()
        session.run()
        assert session.player.track_id == 3


def test_with_the_real_libvlc(qapp: object, qtbot: Any, tone_mp3: Tone, tmp_path: Path) -> None:
    """Two songs with a broken one between them, then a clean end within the time limit."""
    bad = tmp_path / "bad.mp3"
    bad.write_text("only words")
    paths = {1: tone_mp3(1.3, "a.mp3"), 2: bad, 3: tone_mp3(1.5, "b.mp3")}
    player = PlayerController(lambda post: VlcBackend(post, ["--aout=dummy"]), paths.get)
    tracks: list[object] = []
    failures: list[tuple[Path, str]] = []
    player.track_changed.connect(tracks.append)
    player.failed.connect(lambda path, reason: failures.append((path, reason)))
    try:
        player.play_ids([1, 2, 3])
        qtbot.waitUntil(lambda: player.state == "playing", timeout=10_000)
        qtbot.waitUntil(lambda: tracks[-1] == 3 and player.state == "playing", timeout=10_000)
        qtbot.waitUntil(lambda: player.state == "stopped", timeout=10_000)
        assert tracks == [1, 2, 3, None]
        assert [path for path, _ in failures] == [bad]
        assert "no sound" in failures[0][1]
    finally:
        assert player.shutdown(2.0) == []
        player.deleteLater()
