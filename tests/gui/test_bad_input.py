"""What can go wrong while music plays, in the real window on the real libVLC (without sound)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.paths import home as home_at
from app.playback.vlc_backend import VlcBackend
from app.settings import Settings
from tests.app.ear_model import ear_model
from tests.gui.conftest import WAIT_MS, settle

pytestmark = pytest.mark.gui

Open = Callable[[], Desktop]


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication, home: Path, tagged: Path) -> Iterator[Open]:
    """The program on a tagged library, playing through libVLC."""
    begun: list[Desktop] = []

    def begin() -> Desktop:
        desktop = Desktop(
            qapp,
            home_at(home).prepare(),
            lambda post: VlcBackend(post, ["--aout=dummy"]),
            model=ear_model(),
            tag_jobs=0,
        )
        begun.append(desktop)
        desktop.preferences.set("library", "watch", False)
        with qtbot.waitSignal(desktop.opened, timeout=WAIT_MS):
            desktop.start()
        settle(qtbot, desktop)
        return desktop

    yield begin
    for desktop in begun:
        assert desktop.close() == []
        desktop.window.close()
        desktop.window.deleteLater()
        desktop.deleteLater()
    qapp.processEvents()


def said(desktop: Desktop) -> str:
    return " | ".join(toast.text for toast in desktop.window.toasts.toasts)


def play_all(qtbot: QtBot, desktop: Desktop) -> None:
    """Enter on the first song of the table."""
    table = desktop.window.table
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, 0))
    QTest.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.player.state == "playing", timeout=WAIT_MS)


def test_a_file_deleted_and_one_that_cannot_be_played_are_named_and_passed(
    qtbot: QtBot, open_window: Open, songs: Path
) -> None:
    desktop = open_window()
    play_all(qtbot, desktop)
    player = desktop.player
    paths = [desktop.book.path_of(track_id or 0) for track_id in player.queue_ids]
    assert paths[1] is not None
    assert paths[2] is not None
    paths[1].unlink()
    paths[2].write_text("no music at all")
    player.next()
    fourth = player.queue_ids[3]
    qtbot.waitUntil(
        lambda: player.track_id == fourth and player.state == "playing", timeout=WAIT_MS
    )
    reasons = {Path(problem.path): problem.reason for problem in desktop.problems.problems}
    assert "no longer there" in reasons[paths[1]]
    assert "no sound in it" in reasons[paths[2]]
    assert "cannot be played" in said(desktop)
    assert len(player.queue_ids) == 8  # they stay in the queue: they may come back
    settle(qtbot, desktop)


def test_a_folder_pulled_out_stops_at_its_place_and_goes_on_when_it_is_back(
    qtbot: QtBot, open_window: Open, songs: Path
) -> None:
    desktop = open_window()
    play_all(qtbot, desktop)
    player = desktop.player
    before = player.queue_ids
    away = songs.rename(songs.with_name("away"))
    player.next()
    qtbot.waitUntil(lambda: player.state == "stopped", timeout=WAIT_MS)
    (toast,) = desktop.window.toasts.toasts  # one note, not one for each song
    assert "Is the drive connected?" in toast.text
    assert len(desktop.problems.problems) == 5
    assert player.queue_ids == before
    assert player.track_id == before[1]
    assert desktop.library is not None
    assert len(desktop.library.search("")) == 8  # nothing is forgotten
    away.rename(songs)
    QTest.keyClick(desktop.window.table, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: player.state == "playing", timeout=WAIT_MS)
    assert player.track_id == before[1]
    settle(qtbot, desktop)


def test_a_full_disk_is_told_playing_goes_on_and_nothing_old_is_lost(
    qtbot: QtBot, open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = open_window()
    desktop.preferences.set("playback", "volume", 60)
    desktop.preferences.save_now()
    desktop.player.set_repeat("all")
    play_all(qtbot, desktop)
    desktop._restoring.save_aside()
    settle(qtbot, desktop)
    kept = (desktop.home.folder / "window.json").read_bytes()

    def no_space(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        for module in ("app.settings", "app.desktop.state"):
            full.setattr(f"{module}.tempfile.mkstemp", no_space)
        desktop.preferences.set("playback", "volume", 30)
        qtbot.waitUntil(lambda: "settings cannot be saved" in said(desktop), timeout=WAIT_MS)
        assert "Free some space" in said(desktop)
        for _ in range(2):
            desktop._restoring.save_aside()
            settle(qtbot, desktop)
        assert said(desktop).count("cannot be kept for the next start") == 1
    assert desktop.player.state in ("playing", "loading")
    assert (desktop.home.folder / "window.json").read_bytes() == kept
    assert Settings.load(desktop.home.settings_file).playback.volume == 60
    desktop.close()  # there is space again
    assert Settings.load(desktop.home.settings_file).playback.volume == 30


def test_without_a_session_bus_all_is_as_ever(
    qtbot: QtBot, qapp: QApplication, open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.desktop.outside import Outside

    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    desktop = open_window()
    Outside(desktop, qapp.windowIcon())
    play_all(qtbot, desktop)
    settle(qtbot, desktop)
    assert said(desktop) == ""
    assert desktop.close() == []
