"""The program as it is started: one window a home, steered from outside, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.remote import send

pytestmark = pytest.mark.gui

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def player(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m app` on this test's home, answering."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--home", str(home)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "DBUS_SESSION_BUS_ADDRESS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: send(home, {"command": "open", "paths": []}) == {"ok": True}, process)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    pause = threading.Event()
    ends_s = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends_s, "the player does not answer"
        pause.wait(0.05)


def test_a_second_start_is_answered_by_the_first_and_ends(
    player: subprocess.Popen[str], home: Path, songs: Path
) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "app", "--home", str(home), "play", str(songs / "1.mp3")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (second.returncode, second.stdout) == (0, "")
    assert player.poll() is None


def test_a_signal_ends_it_in_order_within_two_seconds(
    player: subprocess.Popen[str], home: Path
) -> None:
    begun = time.monotonic()
    player.send_signal(signal.SIGTERM)
    _, errors = player.communicate(timeout=20)
    assert time.monotonic() - begun < 3.0  # two, and the interpreter's own end
    assert player.returncode == 0
    assert "did not stop" not in errors
    assert "Traceback" not in errors
    assert (home / "window.json").exists()
    assert send(home, {"command": "next"}) is None
