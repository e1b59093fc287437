"""The page "History": moods by day, the songs of a day, playing them again, deleting."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.history_view import by_day
from inference.emotion import Quadrant
from library_db.history import Play, PlayHistory
from library_db.library import Library
from tests.app.personal_library import fill
from tests.gui.conftest import WAIT_MS, settle

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]
TODAY = date(2026, 11, 25)
HAPPY, TENSE, CALM, SAD = Quadrant


def at(day: date, hour: int) -> float:
    return datetime(day.year, day.month, day.day, hour).timestamp()


@pytest.fixture
def ids(home: Path) -> list[int]:
    """A library, and plays of today, of yesterday and of long ago."""
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        ids = fill(library, 12)
    yesterday = TODAY - timedelta(days=1)
    with PlayHistory.open(home) as history:
        history.add(
            Play(ids[0], "audio0", at(TODAY - timedelta(days=200), 9), 100.0, HAPPY),
            Play(ids[1], "audio1", at(yesterday, 20), 1200.0, CALM, felt=SAD),
            Play(ids[2], "audio2", at(yesterday, 21), 600.0, HAPPY),
            Play(ids[3], "audio3", at(TODAY, 8), 300.0, CALM, felt=CALM),
            Play(999, "a song that is gone", at(TODAY, 9), 60.0),
        )
    return ids


def look(qtbot: QtBot, desktop: Desktop) -> Desktop:
    desktop.history_view.now = lambda: at(TODAY, 12)
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        desktop.window.sidebar.choose("history")
    settle(qtbot, desktop)
    return desktop


def songs(desktop: Desktop) -> list[str]:
    table = desktop.history_view.page.table
    return [table.text(row, 1) for row in range(len(table.keys))]


def test_days_are_summed_by_the_listeners_calendar() -> None:
    plays = [
        Play(1, "", at(TODAY, 0), 60.0, CALM),
        Play(1, "", at(TODAY, 23), 30.0, CALM, felt=SAD),
        Play(1, "", at(TODAY, 0) - 1, 10.0),
    ]
    before, today = by_day(plays)
    assert (before.date, dict(before.played_s)) == (TODAY - timedelta(days=1), {None: 10.0})
    assert (today.played_s, today.felt, today.total_s) == ({CALM: 90.0}, {SAD: 1}, 90.0)


def test_what_was_played_last_and_what_a_day_held(
    qtbot: QtBot, start: Start, ids: list[int]
) -> None:
    desktop = look(qtbot, start())
    page = desktop.history_view.page
    assert songs(desktop) == [
        "A song that is no longer in the library", "Song 3", "Song 2", "Song 1", "Song 0",
    ]  # fmt: skip
    chart = page.chart
    assert "30 min (Happy 10 min, Calm 20 min); felt: Sad 1" in chart.words_of(
        TODAY - timedelta(days=1)
    )
    place = chart.dates.index(TODAY - timedelta(days=1))
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(52 + 20 * place + 7, 60))
    assert songs(desktop) == ["Song 2", "Song 1"]
    assert [page.table.text(0, column) for column in (0, 2, 3, 4)] == [
        "21:00", "Happy", "–", "10:00",
    ]  # fmt: skip
    assert "30 min" in page._words.whole()
    assert page.table.text(1, 3) == "Sad"
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        page.all.click()
    assert len(songs(desktop)) == 5


def test_the_days_by_key_are_told_to_screen_readers(
    qtbot: QtBot, start: Start, ids: list[int]
) -> None:
    desktop = look(qtbot, start())
    desktop.window.activateWindow()
    chart = desktop.history_view.page.chart
    chart.setFocus()
    for key, day in (
        (Qt.Key.Key_Right, TODAY),
        (Qt.Key.Key_Left, TODAY - timedelta(days=1)),
        (Qt.Key.Key_Home, chart.dates[0]),
        (Qt.Key.Key_Left, chart.dates[0]),
        (Qt.Key.Key_End, TODAY),
    ):
        QTest.keyClick(chart, key)
        assert chart.chosen == day
    assert "5 min" in chart.accessibleDescription()
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.chosen is None
    settle(qtbot, desktop)
    QTest.keyClick(chart, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is desktop.history_view.page.table


def test_plays_are_played_again_and_deleted_with_undo(
    qtbot: QtBot, start: Start, ids: list[int], home: Path
) -> None:
    desktop = look(qtbot, start())
    page, played = desktop.history_view.page, []
    page.play_requested.disconnect()
    page.play_requested.connect(lambda chosen, first: played.append((chosen, first)))
    page.table.selectRow(2)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert played == [([ids[3], ids[2], ids[1], ids[0]], 1)], "what is gone is left out"
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        QTest.keyClick(page.table, Qt.Key.Key_Delete)
    assert "Song 2" not in songs(desktop)
    assert "1 play deleted" in desktop.window.toasts.toasts[-1].text
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        desktop.window.toasts.toasts[-1].action.click()
    assert "Song 2" in songs(desktop)
    settle(qtbot, desktop)


def test_what_is_heard_appears_and_the_off_switch_says_so(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        (first, *_) = fill(library, 3)
    desktop = start()
    desktop.window.sidebar.choose("history")
    settle(qtbot, desktop)
    page = desktop.history_view.page
    assert page._nothing.isVisible()
    assert not PlayHistory.exists(home)
    desktop.listening.now = desktop.history_view.now = lambda: time.time()
    with qtbot.waitSignal(desktop.history_view.shown, timeout=WAIT_MS):
        desktop.player.track_changed.emit(first)
        for second in range(41):
            desktop.player.position_changed.emit(float(second), 60.0)
        desktop.player.track_changed.emit(None)
    assert songs(desktop) == ["Song 0"]
    assert not page._nothing.isVisible()
    desktop.preferences.set("playback", "keep_history", False)
    settle(qtbot, desktop)
    assert page.switch_on.isVisible()
    page.switch_on.click()
    assert desktop.preferences.settings.playback.keep_history
    settle(qtbot, desktop)


def test_a_player_that_is_killed_has_kept_the_song_that_plays(
    qtbot: QtBot, start: Start, home: Path
) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with Library.open(home) as library:
        first, second, _ = fill(library, 3)
    desktop = start()

    def play(track_id: int, seconds: int) -> list[Play]:
        desktop.player.track_changed.emit(track_id)
        for position in range(seconds + 1):
            desktop.player.position_changed.emit(float(position), 240.0)
        settle(qtbot, desktop)
        with PlayHistory.open(home) as history:
            return history.between(0, 1e12)

    state = desktop.home.folder / "window.json"
    assert not state.exists()
    assert [(p.track_id, p.heard_s) for p in play(first, 60)] == [(first, 50.0)]
    assert state.exists(), "with it the queue"
    kept = play(second, 100)
    assert [(p.track_id, p.heard_s) for p in kept] == [(first, 60.0), (second, 80.0)]
    with PlayHistory.open(home) as history:
        history.remove([kept[-1].id])
    desktop.player.track_changed.emit(None)
    settle(qtbot, desktop)
    with PlayHistory.open(home) as history:
        assert [p.track_id for p in history.between(0, 1e12)] == [first], "deleted meanwhile"
