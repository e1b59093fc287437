"""The output device: chosen, changed while it plays, taken away; on a real PulseAudio server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.playback.backend import OutputMissing, OutputsFound, PlaybackState
from app.playback.vlc_backend import VlcBackend
from tests.playback.conftest import Player

pytestmark = pytest.mark.skipif(
    shutil.which("pulseaudio") is None or shutil.which("pactl") is None,
    reason="needs pulseaudio and pactl",
)

Tone = Callable[..., Path]
LIMIT_S = 15.0


@pytest.fixture
def server(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A sound server with two sinks that lead nowhere, "one" being the default."""
    folder = tmp_path_factory.mktemp("p", numbered=True)
    address = folder / "native"
    monkeypatch.setenv("PULSE_SERVER", f"unix:{address}")
    environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    environment.pop("PULSE_SERVER")
    process = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
         f"--load=module-native-protocol-unix socket={address} auth-anonymous=1",
         "--load=module-null-sink sink_name=one", "--load=module-null-sink sink_name=two"],
        env=environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: address.exists() and "two" in pactl("list", "short", "sinks"))
        yield folder
    finally:
        process.terminate()
        process.wait(LIMIT_S)


@pytest.fixture
def heard(server: Path) -> Iterator[Player]:
    player = Player(lambda post: VlcBackend(post, ["--aout=pulse"]))
    yield player
    assert player.backend.close(timeout_s=5.0)


def pactl(*arguments: str) -> str:
    done = subprocess.run(
        ["pactl", *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return done.stdout


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sinks_in_use() -> list[str]:
    """The names of the sinks that something plays on."""
    names = {
        line.split("\t")[0]: line.split("\t")[1]
        for line in pactl("list", "short", "sinks").splitlines()
    }
    streams = pactl("list", "short", "sink-inputs").splitlines()
    return [names.get(line.split("\t")[1], "?") for line in streams]


def play(player: Player, path: Path) -> None:
    load_id = player.backend.load(path)
    player.backend.play()
    player.wait_state(PlaybackState.PLAYING, load_id)


def test_an_output_is_chosen_changed_and_missed(heard: Player, tone_mp3: Tone) -> None:
    path = tone_mp3(60.0)
    heard.backend.find_outputs()
    found = heard.wait(lambda event: isinstance(event, OutputsFound))
    assert isinstance(found, OutputsFound)
    assert [output.key for output in found.outputs] == ["", "one", "two"]
    play(heard, path)
    until(lambda: sinks_in_use() == ["one"])
    heard.backend.set_output("two")  # heard at once ...
    until(lambda: sinks_in_use() == ["two"])
    play(heard, path)  # ... and kept for the next song
    until(lambda: sinks_in_use() == ["two"])
    module = next(
        line.split("\t")[0]
        for line in pactl("list", "short", "modules").splitlines()
        if "sink_name=two" in line
    )
    pactl("unload-module", module)  # the headset is taken off
    play(heard, path)
    if OutputMissing("two") not in heard.events:  # it may come before or after the song plays
        missing = heard.wait(lambda event: isinstance(event, OutputMissing))
        assert missing == OutputMissing("two")
    until(lambda: sinks_in_use() == ["one"])  # and not silence, as libVLC would have it
    assert heard.backend.state in (PlaybackState.OPENING, PlaybackState.PLAYING)
    play(heard, path)  # told once
    until(lambda: sinks_in_use() == ["one"])
    pactl("load-module", "module-null-sink", "sink_name=two")
    play(heard, path)
    until(lambda: sinks_in_use() == ["two"])
    assert sum(isinstance(event, OutputMissing) for event in heard.events) == 1
