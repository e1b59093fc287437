"""The first minutes, and what closing the window means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.guide import GuideDialog

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


def test_the_guide_is_offered_once_with_the_first_songs(
    qtbot: QtBot, start: Start, songs: Path
) -> None:
    desktop = start()
    offers: list[str] = []
    show = desktop.window.toasts.show_toast

    def heard(text: str, action: str = "", then: object = None) -> object:
        offers.append(action)
        return show(text, action, then)  # type: ignore[arg-type]

    desktop.window.toasts.show_toast = heard  # type: ignore[assignment, method-assign]
    assert desktop.work is not None
    desktop.work.add([songs])
    qtbot.waitUntil(lambda: "Getting started" in offers, timeout=WAIT_MS)
    settle(qtbot, desktop)
    assert offers.count("Getting started") == 1
    assert desktop.preferences.settings.window.seen_welcome
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.guide.trigger()
    assert isinstance(opened.args[0], GuideDialog)
    opened.args[0].accept()


@pytest.mark.parametrize("tray", [True, False])
def test_closing_plays_on_only_where_there_is_a_way_back(
    start: Start, tagged: Path, tray: bool
) -> None:
    desktop = start()
    window = desktop.window
    window.hides_on_close = lambda: tray
    closed: list[object] = []
    desktop.closed.connect(closed.append)
    event = QCloseEvent()
    QApplication.sendEvent(window, event)
    assert window.isVisible() is False
    assert bool(closed) is not tray
    if tray:
        assert not event.isAccepted()
        desktop.raise_window()
        assert window.isVisible()
        window.quit()
        assert closed == [[]]
