"""MPRIS on a real session bus of the test's own, asked from outside by dbus-fast and dbus-send."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

if not sys.platform.startswith("linux") or shutil.which("dbus-daemon") is None:
    pytest.skip("needs a D-Bus daemon", allow_module_level=True)
pytest.importorskip("PySide6.QtCore")
from PySide6.QtCore import QCoreApplication

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.media_controls import MediaControls
from app.desktop.mpris import NO_TRACK, OBJECT_PATH
from app.desktop.player_controller import PlayerController
from app.playback.clock import RealClock
from app.playback.null_backend import NullBackend

NAME = "org.mpris.MediaPlayer2.undertone"
PLAYER = "org.mpris.MediaPlayer2.Player"
ROOT = "org.mpris.MediaPlayer2"
LIMIT_S = 10.0

SONGS = {
    1: SimpleNamespace(
        title="Caf\u00e9 \udcff\0!", artist="Ana", album="First", album_artist="Various",
        genre="Folk", track_no=3, duration_s=200.0,
    ),
    2: SimpleNamespace(
        title="Two", artist="", album="", album_artist="", genre="", track_no=None, duration_s=None
    ),
}  # fmt: skip


@contextmanager
def session_bus(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A session bus of our own: its address and its process."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(
        [*command, f"--address=unix:dir={folder}"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    try:
        yield daemon.stdout.readline().strip(), daemon
    finally:
        daemon.terminate()
        daemon.wait(LIMIT_S)
        daemon.stdout.close()


@pytest.fixture
def bus_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    with session_bus(tmp_path) as (address, _):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def thread() -> Iterator[AsyncioThread]:
    thread = AsyncioThread()
    yield thread
    assert thread.close(LIMIT_S)


class Desktop:
    """Another program on the bus: calls the player, reads it, and hears its signals."""

    def __init__(self, thread: AsyncioThread) -> None:
        self._thread = thread
        self.signals: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._bus: Any = None
        self._do(self._connect())

    async def _connect(self) -> None:
        from dbus_fast.aio import MessageBus
        from dbus_fast.constants import MessageType

        self._bus = await MessageBus().connect()

        def hear(message: Any) -> None:
            if message.message_type is MessageType.SIGNAL and message.path == OBJECT_PATH:
                body = message.body
                if message.member == "PropertiesChanged":
                    body = {name: variant.value for name, variant in body[1].items()}
                self.signals.put((message.member, body))

        self._bus.add_message_handler(hear)
        await self._call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
            "s", [f"type='signal',path='{OBJECT_PATH}'"],
        )  # fmt: skip

    def _do(self, work: Any) -> Any:
        """Wait for `work` on the loop while the GUI thread goes on."""
        future = self._thread.submit(work)
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(0.01):
            QCoreApplication.processEvents()
        return future.result()

    async def _call(
        self, name: str, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> Any:
        from dbus_fast import Message

        message = Message(name, path, interface, member, signature=signature, body=body)
        return await asyncio.wait_for(self._bus.call(message), LIMIT_S)

    def call(self, member: str, signature: str = "", *body: Any, interface: str = PLAYER) -> Any:
        reply = self._do(self._call(NAME, OBJECT_PATH, interface, member, signature, list(body)))
        if reply.error_name:
            raise RuntimeError(f"{reply.error_name}: {reply.body}")
        return reply.body

    def get(self, name: str, interface: str = PLAYER) -> Any:
        return self.call("Get", "ss", interface, name, interface="org.freedesktop.DBus.Properties")[
            0
        ].value

    def set(self, name: str, signature: str, value: Any) -> None:
        from dbus_fast import Variant

        self.call(
            "Set", "ssv", PLAYER, name, Variant(signature, value),
            interface="org.freedesktop.DBus.Properties",
        )  # fmt: skip

    def hear(self, wanted: Callable[[str, Any], bool]) -> Any:
        """The body of the next signal that is `wanted`."""
        heard = []
        for _ in range(int(LIMIT_S / 0.01)):
            QCoreApplication.processEvents()
            try:
                member, body = self.signals.get(timeout=0.01)
            except Empty:
                continue
            heard.append((member, body))
            if wanted(member, body):
                return body
        raise AssertionError(f"not heard; but: {heard}")

    def hear_property(self, name: str, value: Any) -> None:
        self.hear(lambda member, body: member == "PropertiesChanged" and body.get(name) == value)

    def close(self) -> None:
        async def disconnect() -> None:
            self._bus.disconnect()
            await self._bus.wait_for_disconnect()

        self._do(disconnect())


@pytest.fixture
def player(qapp: object, tmp_path: Path) -> Iterator[PlayerController]:
    for i in SONGS:
        (tmp_path / f"{i}.mp3").write_bytes(b"x")
    player = PlayerController(
        lambda post: NullBackend(post, RealClock(), lambda path: 200.0),
        lambda track_id: tmp_path / f"{track_id}.mp3",
    )
    yield player
    assert player.shutdown() == []
    player.deleteLater()


@pytest.fixture
def controls(
    bus_address: str, player: PlayerController, thread: AsyncioThread
) -> Iterator[MediaControls]:
    controls = MediaControls(player, SONGS.get, thread)
    controls.start()
    assert controls.wait_started(LIMIT_S)
    assert controls.bus_name == NAME
    yield controls
    assert controls.shutdown() == []
    controls.deleteLater()


@pytest.fixture
def desktop(controls: MediaControls, thread: AsyncioThread) -> Iterator[Desktop]:
    desktop = Desktop(thread)
    yield desktop
    desktop.close()


def test_the_root_tells_who_it_is(desktop: Desktop, controls: MediaControls, qtbot: Any) -> None:
    assert desktop.get("Identity", ROOT) == "Undertone"
    assert desktop.get("DesktopEntry", ROOT).endswith("Undertone")
    assert "audio/mpeg" in desktop.get("SupportedMimeTypes", ROOT)
    with qtbot.waitSignal(controls.raise_requested, timeout=5000):
        desktop.call("Raise", interface=ROOT)
    with qtbot.waitSignal(controls.quit_requested, timeout=5000):
        desktop.call("Quit", interface=ROOT)


def test_an_idle_player_is_stopped_and_offers_nothing(desktop: Desktop) -> None:
    assert desktop.get("PlaybackStatus") == "Stopped"
    assert desktop.get("Metadata")["mpris:trackid"].value == NO_TRACK
    assert not desktop.get("CanPlay")
    assert not desktop.get("CanGoNext")
    assert desktop.get("Position") == 0
    for member in ("Play", "Pause", "PlayPause", "Stop", "Next", "Previous"):
        desktop.call(member)
    desktop.call("Seek", "x", 1_000_000)
    assert desktop.get("PlaybackStatus") == "Stopped"


def test_what_plays_is_told_with_its_tags(desktop: Desktop, player: PlayerController) -> None:
    player.play_ids([1, 2])
    desktop.hear_property("PlaybackStatus", "Playing")
    told = {name: variant.value for name, variant in desktop.get("Metadata").items()}
    assert told["xesam:title"] == "Caf\u00e9 ? !"  # what D-Bus forbids is gone
    assert told["xesam:artist"] == ["Ana"]
    assert told["xesam:albumArtist"] == ["Various"]
    assert told["xesam:trackNumber"] == 3
    assert told["mpris:length"] == 200_000_000
    assert told["xesam:url"].startswith("file:///")
    assert desktop.get("CanGoNext")
    desktop.call("Next")
    desktop.hear(
        lambda member, body: (
            member == "PropertiesChanged"
            and "Metadata" in body
            and body["Metadata"]["xesam:title"].value == "Two"
        )
    )
    assert desktop.get("PlaybackStatus") == "Playing"
    second = desktop.get("Metadata")
    assert "xesam:artist" not in second
    assert second["mpris:trackid"].value != told["mpris:trackid"]


def test_play_pause_stop(desktop: Desktop, player: PlayerController, qtbot: Any) -> None:
    player.play_ids([1, 2])
    desktop.hear_property("PlaybackStatus", "Playing")
    desktop.call("PlayPause")
    desktop.hear_property("PlaybackStatus", "Paused")
    assert player.state == "paused"
    desktop.call("Next")  # paused stays paused
    desktop.hear(lambda member, body: "Metadata" in body)
    qtbot.waitUntil(lambda: player.state == "paused", timeout=5000)
    assert desktop.get("PlaybackStatus") == "Paused"
    assert player.track_id == 2
    desktop.call("Play")
    desktop.hear_property("PlaybackStatus", "Playing")
    desktop.call("Stop")
    desktop.hear_property("PlaybackStatus", "Stopped")


def test_seek_and_position(desktop: Desktop, player: PlayerController) -> None:
    player.play_ids([1, 2])
    desktop.hear_property("PlaybackStatus", "Playing")
    track = desktop.get("Metadata")["mpris:trackid"].value
    desktop.call("SetPosition", "ox", track, 50_000_000)
    assert desktop.hear(lambda member, body: member == "Seeked")[0] == pytest.approx(50e6, abs=1e6)
    assert desktop.get("Position") == pytest.approx(50e6, abs=2e6)
    desktop.call("Seek", "x", -20_000_000)
    assert desktop.hear(lambda member, body: member == "Seeked")[0] == pytest.approx(30e6, abs=3e6)
    desktop.call("SetPosition", "ox", "/some/other/song", 90_000_000)
    desktop.call("SetPosition", "ox", track, 900_000_000)
    desktop.call("SetPosition", "ox", track, -1)
    assert desktop.get("Position") == pytest.approx(30e6, abs=4e6)
    desktop.call("Seek", "x", 900_000_000)  # beyond the end: the next song
    desktop.hear(lambda member, body: member == "PropertiesChanged" and "Metadata" in body)
    assert player.track_id == 2


def test_volume_loop_and_shuffle(desktop: Desktop, player: PlayerController) -> None:
    desktop.set("Volume", "d", 0.4)
    desktop.hear_property("Volume", 0.4)
    assert player.volume == 40
    desktop.set("Volume", "d", -3.0)
    desktop.hear_property("Volume", 0.0)
    desktop.set("LoopStatus", "s", "Track")
    desktop.hear_property("LoopStatus", "Track")
    assert player.repeat == "one"
    with pytest.raises(RuntimeError, match="InvalidArgs"):
        desktop.set("LoopStatus", "s", "Sometimes")
    desktop.set("Shuffle", "b", True)
    desktop.hear_property("Shuffle", True)
    assert player.shuffle
    player.set_muted(True)
    player.set_repeat("off")
    desktop.hear_property("LoopStatus", "None")
    assert desktop.get("Volume") == 0.0
    assert desktop.get("Rate") == 1.0


def test_open_a_uri(
    desktop: Desktop, player: PlayerController, controls: MediaControls, qtbot: Any, tmp_path: Path
) -> None:
    desktop.call("OpenUri", "s", (tmp_path / "2.mp3").as_uri())
    desktop.hear_property("PlaybackStatus", "Playing")
    assert player.path == tmp_path / "2.mp3"
    with pytest.raises(RuntimeError, match="NotSupported"):
        desktop.call("OpenUri", "s", "https://example.org/song.mp3")
    with qtbot.waitSignal(controls.open_requested, timeout=5000) as opened:
        desktop.call("OpenUri", "s", (tmp_path / "1.mp3").as_uri())
    assert opened.args == [tmp_path / "1.mp3"]


def test_dbus_send_sees_it_too(controls: MediaControls, player: PlayerController) -> None:
    command = [
        "dbus-send", "--session", "--print-reply", f"--dest={NAME}", OBJECT_PATH,
        "org.freedesktop.DBus.Properties.GetAll", f"string:{PLAYER}",
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert '"PlaybackStatus"' in answer.stdout
    assert '"Stopped"' in answer.stdout


def test_a_second_player_takes_another_name(
    controls: MediaControls, player: PlayerController, thread: AsyncioThread
) -> None:
    second = MediaControls(player, SONGS.get, thread)
    second.start()
    assert second.wait_started(LIMIT_S)
    assert second.bus_name.startswith(f"{NAME}.instance")
    assert second.shutdown() == []
    second.deleteLater()


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "", "nonsense"])
def test_without_a_bus_it_is_quiet(
    player: PlayerController,
    thread: AsyncioThread,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.delenv("DISPLAY", raising=False)
    controls = MediaControls(player, SONGS.get, thread)
    with caplog.at_level(logging.INFO):
        controls.start()
        assert not controls.wait_started(LIMIT_S)
        player.play_ids([1])
        QCoreApplication.processEvents()
        assert controls.shutdown() == []
    assert [r.getMessage()[:50] for r in caplog.records if "desktop controls" in r.getMessage()]
    assert len(caplog.records) == 1
    controls.deleteLater()


def test_a_bus_that_goes_away_does_no_harm(
    player: PlayerController,
    thread: AsyncioThread,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    qtbot: Any,
) -> None:
    with session_bus(tmp_path) as (address, daemon):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        controls = MediaControls(player, SONGS.get, thread)
        controls.start()
        assert controls.wait_started(LIMIT_S)
        daemon.kill()
        daemon.wait(LIMIT_S)
    player.play_ids([1])
    qtbot.waitUntil(lambda: player.state == "playing", timeout=5000)
    qtbot.waitUntil(lambda: (player.set_volume(50), controls.bus_name == "")[1], timeout=5000)
    assert controls.shutdown() == []
    controls.deleteLater()
