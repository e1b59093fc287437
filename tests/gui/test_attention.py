"""Failed, changed, missing and unsure songs in one list, each with its reason and what helps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from tests.gui.conftest import WAIT_MS, settle, titles
from widgets.main_window import Page
from widgets.track_table.columns import column_index

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def offers(desktop: Desktop) -> dict[str, QPushButton]:
    """The buttons of the notice, by their words."""
    buttons = desktop.window.notice.findChildren(QPushButton)
    return {button.text(): button for button in buttons if not button.isHidden()}


def reasons(desktop: Desktop) -> dict[str, str]:
    model = desktop.window.table.songs
    column = column_index("error")
    return {model.song(row).title: model.index(row, column).data() for row in range(len(model.ids))}


@pytest.fixture
def troubled(tagged: Path, songs: Path) -> Path:
    """Of the eight songs one is gone, one turns out broken, one is unsure (see `tagged`)."""
    (songs / "4.mp3").unlink()
    (songs / "9.mp3").write_bytes(b"this is no music" * 200)
    return songs


def test_all_that_is_wrong_stands_in_one_list_with_its_reason_and_is_tried_again(
    qtbot: QtBot, start: Start, troubled: Path
) -> None:
    desktop = start()
    sidebar = desktop.window.sidebar
    qtbot.waitUntil(lambda: sidebar.count_of("attention") == 3, timeout=WAIT_MS)
    settle(qtbot, desktop)
    sidebar.choose("attention")
    settle(qtbot, desktop)
    told = reasons(desktop)
    assert told["Song 4"] == "The file is not where it was"
    assert told["Song 7"] == "Only 30 % sure"
    assert told["9"]
    assert not desktop.window.table.isColumnHidden(column_index("error"))
    assert "1 missing" in desktop.window.notice.text
    assert "1 could not be read" in desktop.window.notice.text
    good = (troubled / "0.mp3").read_bytes()
    (troubled / "9.mp3").write_bytes(good + b"\0")
    offers(desktop)["Try again"].click()
    qtbot.waitUntil(lambda: sidebar.count_of("failed") == 0, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert set(reasons(desktop)) == {"Song 4", "Song 7"}


def test_missing_songs_are_found_in_a_moved_folder(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved here"
    desktop = start()
    before = {track.title: track.id for track in desktop.library.tracks(desktop.library.search())}
    shutil.move(songs, moved)
    songs.mkdir()
    (songs / "note.txt").write_text("the disk is there, the music is not")
    for name in ("0.mp3",):
        shutil.copy(moved / name, songs / name)
    desktop.work.scan()
    sidebar = desktop.window.sidebar
    qtbot.waitUntil(lambda: sidebar.count_of("missing") == 7, timeout=WAIT_MS)
    settle(qtbot, desktop)
    sidebar.choose("missing")
    settle(qtbot, desktop)
    assert "Find a moved folder …" in offers(desktop)
    desktop.views.attention.relocate(moved)
    qtbot.waitUntil(lambda: sidebar.count_of("missing") == 0, timeout=WAIT_MS)
    settle(qtbot, desktop)
    after = {track.title: track for track in desktop.library.tracks(before.values())}
    assert after["Song 3"].path == moved / "3.mp3"
    assert {title: track.id for title, track in after.items()} == before


def test_the_missing_are_taken_out_on_wish_alone_and_come_back(
    qtbot: QtBot, start: Start, troubled: Path
) -> None:
    desktop = start()
    sidebar = desktop.window.sidebar
    qtbot.waitUntil(lambda: sidebar.count_of("missing") == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    sidebar.choose("missing")
    settle(qtbot, desktop)
    offers(desktop)["Take the missing out"].click()
    qtbot.waitUntil(lambda: desktop.window.page is Page.NO_MATCH, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert desktop.window.notice.text == ""
    desktop.window.actions_.undo.trigger()
    settle(qtbot, desktop)
    assert titles(desktop) == ["Song 4"]


def test_a_song_whose_file_changed_waits_to_be_listened_to_again(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    desktop.preferences.set("tagging", "after_scan", False)
    data = (songs / "6.mp3").read_bytes()
    (songs / "6.mp3").write_bytes((songs / "1.mp3").read_bytes() + data[len(data) // 2 :])
    desktop.work.scan()
    sidebar = desktop.window.sidebar
    qtbot.waitUntil(lambda: sidebar.count_of("stale") == 1, timeout=WAIT_MS)
    settle(qtbot, desktop)
    sidebar.choose("stale")
    settle(qtbot, desktop)
    assert list(reasons(desktop).values()) == ["The music in the file has changed since"]
    desktop.window.view_action_requested.emit()
    qtbot.waitUntil(lambda: sidebar.count_of("stale") == 0, timeout=WAIT_MS)
    settle(qtbot, desktop)
