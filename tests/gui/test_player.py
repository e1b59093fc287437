"""The player bar and the queue on the real player with the silent back end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from tests.gui.conftest import WAIT_MS, settle

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


@pytest.fixture
def playing(qtbot: QtBot, start: Start, tagged: Path) -> Desktop:
    """The program, playing the first of its songs, on repeat."""
    desktop = start()
    desktop.player.set_repeat("all")
    desktop.window.table.setFocus()
    QTest.keyClick(desktop.window.table, Qt.Key.Key_Home)
    QTest.keyClick(desktop.window.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.player.state == "playing", timeout=WAIT_MS)
    settle(qtbot, desktop)
    return desktop


def test_enter_plays_the_list_from_that_song(playing: Desktop) -> None:
    ids = [int(i) for i in playing.window.table.songs.ids]
    assert playing.player.queue_ids == ids
    assert playing.player.track_id in ids[:3]
    assert playing.window.table.songs.playing == playing.player.track_id


def test_the_bar_shows_song_mood_and_timeline(qtbot: QtBot, playing: Desktop) -> None:
    playing.player.pause()
    bar = playing.window.player_bar
    qtbot.waitUntil(
        lambda: bar.song is not None and bar.song.id == playing.player.track_id, timeout=WAIT_MS
    )
    row = playing.rows.peek(playing.player.track_id)
    assert bar.title.whole() == row.title
    assert bar.song.quadrant is row.quadrant
    assert bar.seek_bar.curve is not None


def test_space_pauses_from_the_table_but_types_in_the_search(
    qtbot: QtBot, playing: Desktop
) -> None:
    QTest.keyClick(playing.window.table, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: playing.player.state == "paused", timeout=WAIT_MS)
    playing.window.search.line.setFocus()
    QTest.keyClick(playing.window.search.line, Qt.Key.Key_Space)
    assert playing.player.state == "paused"
    assert playing.window.search.line.text() == " "


def test_the_seek_bar_asks_once_and_by_key(qtbot: QtBot, playing: Desktop) -> None:
    playing.player.pause()
    bar = playing.window.player_bar.seek_bar
    asked: list[float] = []
    bar.seek_requested.connect(asked.append)
    middle = bar.rect().center()
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(bar, middle)
    assert asked == []
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=middle)
    assert len(asked) == 1
    assert asked[0] == pytest.approx(bar.maximum() / 2000, rel=0.1)
    QTest.keyClick(bar, Qt.Key.Key_Home)
    assert asked[-1] == 0.0


def test_volume_mute_shuffle_and_repeat_follow_the_player(playing: Desktop) -> None:
    bar, player = playing.window.player_bar, playing.player
    QTest.mouseClick(bar.mute, Qt.MouseButton.LeftButton)
    assert player.muted
    assert bar.mute.accessibleName() == "Unmute"
    player.set_volume(20)
    assert not bar.mute.isChecked()
    QTest.mouseClick(bar.shuffle, Qt.MouseButton.LeftButton)
    assert player.shuffle
    before = player.repeat
    QTest.mouseClick(bar.repeat, Qt.MouseButton.LeftButton)
    assert player.repeat != before
    assert bar.repeat.isChecked() == (player.repeat != "off")


def test_the_queue_moves_removes_and_jumps(qtbot: QtBot, playing: Desktop) -> None:
    player, panel = playing.player, playing.window.queue
    playing.window.set_queue_shown(True)
    player.pause()
    ids = list(player.queue_ids)
    panel.view.setFocus()
    panel.view.setCurrentIndex(panel.model.index(5))
    QTest.keyClick(panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    moved = list(player.queue_ids)
    assert moved[4] == ids[5]
    panel.view.setCurrentIndex(panel.model.index(6))
    QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    assert player.queue_ids == moved[:6] + moved[7:]
    panel.view.setCurrentIndex(panel.model.index(2))
    QTest.keyClick(panel.view, Qt.Key.Key_Return)
    assert player.queue_index == 2


def test_a_song_that_cannot_be_played_is_named_and_skipped(
    qtbot: QtBot, start: Start, tagged: Path, songs: Path
) -> None:
    desktop = start()
    gone = desktop.window.table.songs.id_at(0)
    desktop.library.track(gone).path.unlink()
    desktop.glue.play_from(0)
    qtbot.waitUntil(
        lambda: desktop.player.state == "playing" and desktop.player.track_id != gone,
        timeout=WAIT_MS,
    )
    assert any("cannot be played" in toast.text for toast in desktop.window.toasts.toasts)
    assert len(desktop.problems.problems) == 1


def test_correcting_the_song_that_plays_by_key(qtbot: QtBot, playing: Desktop) -> None:
    playing.player.pause()
    track_id = playing.player.track_id
    playing.window.actions_.current_moods[None].trigger()
    playing.window.actions_.current_moods[next(iter(playing.window.actions_.moods))].trigger()
    qtbot.waitUntil(lambda: playing.library.emotion(track_id).source == "user", timeout=WAIT_MS)
    settle(playing_bot := qtbot, playing)
    playing_bot.waitUntil(lambda: playing.window.player_bar.song.corrected, timeout=WAIT_MS)
