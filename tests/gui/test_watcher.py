"""A song that is put into a music folder is there a moment later, and gone when it is taken out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.desktop import watcher
from app.desktop.desktop import Desktop
from app.watching import WatchNote, WatchTrouble
from tests.audio_files import write_audio
from tests.gui.conftest import WAIT_MS, settle, titles

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_QUIET_MS", 50)


def test_a_new_song_is_noticed(qtbot: QtBot, start: Start, tagged: Path, songs: Path) -> None:
    desktop = start()
    conveniences = desktop.conveniences
    assert conveniences is not None
    qtbot.waitUntil(lambda: conveniences.watcher.folders == [songs], timeout=WAIT_MS)
    number = [0]

    def noticed() -> bool:
        # The watch needs a moment to begin; a song more each time does no harm.
        number[0] += 1
        if number[0] % 50 == 1:
            write_audio(
                songs / f"new{number[0]}.mp3",
                duration_s=1.0,
                frequency_hz=900.0 + number[0],
                title="New",
            )
        return "New" in titles(desktop)

    qtbot.waitUntil(noticed, timeout=WAIT_MS)
    settle(qtbot, desktop)
    new = [path for path in songs.iterdir() if path.name.startswith("new")]
    for path in new:
        path.unlink()
    qtbot.waitUntil(lambda: desktop.window.sidebar.count_of("missing") == len(new), timeout=WAIT_MS)
    settle(qtbot, desktop)


def test_the_switch_ends_the_watch(qtbot: QtBot, start: Start, tagged: Path, songs: Path) -> None:
    desktop = start()
    conveniences = desktop.conveniences
    assert conveniences is not None
    qtbot.waitUntil(lambda: conveniences.watcher.folders == [songs], timeout=WAIT_MS)
    desktop.preferences.set("library", "watch", False)
    assert conveniences.watcher.folders == []
    desktop.preferences.set("library", "watch", True)
    qtbot.waitUntil(lambda: conveniences.watcher.folders == [songs], timeout=WAIT_MS)


def test_what_cannot_be_watched_is_explained(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    conveniences = desktop.conveniences
    assert conveniences is not None
    for trouble in (WatchTrouble.LIMIT, WatchTrouble.NETWORK):
        conveniences.watcher._on_noted(WatchNote(songs, trouble))
    said = [toast.text for toast in desktop.window.toasts.toasts]
    assert "fs.inotify.max_user_watches=524288" in said[0]
    assert "network drive" in said[1]
    desktop.window.toasts.clear()
    conveniences.watcher._on_noted(WatchNote(songs, WatchTrouble.NETWORK))
    assert desktop.window.toasts.toasts == []  # told once for good
