"""The search field offers ways to go on, by key alone, and points at mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from tests.gui.conftest import WAIT_MS, settle, titles
from widgets.search_field import SearchField

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def typing(qtbot: QtBot, desktop: Desktop, text: str) -> SearchField:
    """Type into the field, and wait for what is offered."""
    search: SearchField = desktop.window.search
    desktop.window.activateWindow()
    search.line.setFocus()
    qtbot.waitUntil(search.line.hasFocus, timeout=WAIT_MS)
    QTest.keyClicks(search.line, text)
    qtbot.waitUntil(lambda: bool(search.popup.suggestions), timeout=WAIT_MS)
    return search


def test_a_query_is_put_together_by_tab(qtbot: QtBot, start: Start, tagged: Path) -> None:
    desktop = start()
    search = typing(qtbot, desktop, "mo")
    assert [s.shown for s in search.popup.suggestions] == ["mood:", "mood%:"]
    QTest.keyClick(search.line, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: len(search.popup.suggestions) == 5, timeout=WAIT_MS)
    for _ in range(3):
        QTest.keyClick(search.line, Qt.Key.Key_Down)
    assert search.line.accessibleDescription().startswith("calm")
    QTest.keyClick(search.line, Qt.Key.Key_Return)
    settle(qtbot, desktop)
    assert search.query() == "mood:calm "
    assert sorted(titles(desktop)) == ["Song 4", "Song 5"]
    assert search.line.hasFocus()
    typing(qtbot, desktop, "ana")
    assert [(s.kind, s.songs) for s in search.popup.suggestions] == [("artist", 4)]
    QTest.keyClick(search.line, Qt.Key.Key_Tab)
    settle(qtbot, desktop)
    assert search.query() == "mood:calm artist:Ana "
    assert titles(desktop) == ["Song 5"]


def test_escape_closes_the_list_first_and_return_goes_to_the_songs(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    search = typing(qtbot, desktop, "a")  # begins a field, and finds Ana's songs
    QTest.keyClick(search.line, Qt.Key.Key_Escape)
    assert search.popup.suggestions == []
    assert search.query() == "a"
    QTest.keyClick(search.line, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(search.popup.suggestions), timeout=WAIT_MS)
    QTest.keyClick(search.line, Qt.Key.Key_Return)  # nothing is chosen: on to the songs
    assert search.popup.suggestions == []
    assert desktop.window.table.hasFocus()
    settle(qtbot, desktop)


def test_a_mistake_is_underlined_while_suggestions_help(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    search = typing(qtbot, desktop, "year:199x mood:h")
    qtbot.waitUntil(lambda: bool(search.error), timeout=WAIT_MS)
    assert "year:199x mood:h"[slice(*search.marked)] == "199x"
    QTest.keyClick(search.line, Qt.Key.Key_Down)
    assert search.error  # choosing a suggestion does not hide what is wrong
    search.set_query("")
    settle(qtbot, desktop)
    assert search.error == ""
