"""`undertone play` and `undertone control`: against a small player on the real local socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import remote
from app.cli.dispatch import main

Tone = Callable[..., Path]


class FakePlayer:
    """Listens where the player of a home listens, and records what it is told."""

    def __init__(self, home: Path, answer: bytes = b'{"ok": true}\n') -> None:
        self.told: list[dict[str, Any]] = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(remote.address(home))
        self._socket.listen(4)
        self._thread = threading.Thread(target=self._serve, name="fake-player")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection, connection.makefile("rb") as lines:
                line = lines.readline()
                if not line:
                    return
                message = remote.decode(line)
                if message is not None:
                    self.told.append(message)
                connection.sendall(self._answer)

    def close(self, home: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(remote.address(home))
        self._thread.join(5.0)
        self._socket.close()


@pytest.fixture
def start(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., FakePlayer]]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    players: list[FakePlayer] = []

    def begin(answer: bytes = b'{"ok": true}\n') -> FakePlayer:
        players.append(FakePlayer(home, answer))
        return players[-1]

    yield begin
    for player in players:
        player.close(home)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """What the window was opened with."""
    seen: list[list[Path]] = []
    monkeypatch.setattr(
        "app.cli.window.open_window", lambda home, paths=(): seen.append(list(paths)) or 0
    )
    return seen


@pytest.mark.parametrize("action", ["play-pause", "next", "previous", "stop"])
def test_control_tells_the_running_player(start: Callable[..., FakePlayer], action: str) -> None:
    player = start()
    assert main(["control", action]) == 0
    assert player.told == [{"command": action}]


def test_control_without_a_player_says_so(
    start: Callable[..., FakePlayer], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["control", "next"]) == 1
    assert "no player is running" in capsys.readouterr().err


def test_control_passes_on_what_the_player_could_not_do(
    start: Callable[..., FakePlayer], capsys: pytest.CaptureFixture[str]
) -> None:
    start(b'{"ok": false, "error": "the queue is empty"}\n')
    assert main(["control", "next"]) == 1
    assert "the queue is empty" in capsys.readouterr().err


def test_an_unknown_action_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["control", "explode"]) == 2
    assert "explode" in capsys.readouterr().err


def test_a_player_of_another_home_is_left_alone(
    start: Callable[..., FakePlayer], tmp_path: Path
) -> None:
    player = start()
    assert main(["--home", str(tmp_path / "other"), "control", "stop"]) == 1
    assert player.told == []


def test_control_starts_without_qt_and_library(home: Path) -> None:
    code = (
        "import sys; from app.cli.dispatch import main; main(['control', 'next']);"
        "print([m for m in ('PySide6', 'numpy', 'vlc', 'tinydb', 'rich') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


def test_play_sends_absolute_paths(
    start: Callable[..., FakePlayer],
    tone_mp3: Tone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    player = start()
    odd = tone_mp3(0.2, "a.mp3").rename(tmp_path / os.fsdecode(b"\xff odd.mp3"))
    tone_mp3(0.2, "album/2.mp3")
    tone_mp3(0.2, "album/1.mp3")
    (tmp_path / "album" / "notes.txt").write_text("no song")
    monkeypatch.chdir(tmp_path)
    assert main(["play", odd.name, "album"]) == 0
    (told,) = player.told
    assert told["command"] == "open"
    assert told["play"] is True
    assert [Path(p) for p in told["paths"]] == [
        odd, tmp_path / "album" / "1.mp3", tmp_path / "album" / "2.mp3"
    ]  # fmt: skip


def test_play_names_what_is_not_there_and_plays_the_rest(
    start: Callable[..., FakePlayer],
    tone_mp3: Tone,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    player = start()
    song = tone_mp3(0.2)
    (tmp_path / "empty").mkdir()
    assert main(["play", str(tmp_path / "gone.mp3"), str(song), str(tmp_path / "empty")]) == 1
    shown = capsys.readouterr().err
    assert "gone.mp3: there is no such file" in shown
    assert "empty: there is no song" in shown
    assert [Path(p) for p in player.told[0]["paths"]] == [song]


def test_play_of_nothing_that_exists_tells_the_player_nothing(
    start: Callable[..., FakePlayer], tmp_path: Path
) -> None:
    player = start()
    assert main(["play", str(tmp_path / "gone.mp3")]) == 1
    assert player.told == []


def test_play_without_a_file_shows_the_player(start: Callable[..., FakePlayer]) -> None:
    player = start()
    assert main(["play"]) == 0
    assert player.told[0]["paths"] == []


def test_play_opens_a_player_where_none_runs(
    start: Callable[..., FakePlayer], opened: list[list[Path]], tone_mp3: Tone
) -> None:
    song = tone_mp3(0.2)
    assert main(["play", str(song)]) == 0
    assert opened == [[song]]


def test_a_dead_socket_counts_as_no_player(
    start: Callable[..., FakePlayer], home: Path, opened: list[list[Path]]
) -> None:
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(remote.address(home))
    dead.close()
    assert main(["play"]) == 0
    assert opened == [[]]
    Path(remote.address(home)).unlink()
