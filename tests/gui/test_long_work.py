"""Long work in one place, and held while it should wait: on battery, or while somebody is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from app.desktop.jobs import State, Task
from inference.job import Progress
from tests.gui.conftest import WAIT_MS, settle
from widgets.dialogs.long_work import LongWorkDialog

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


class Surroundings:
    battery: bool | None = False
    idle: bool | None = None


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings()


@pytest.fixture
def desktop(start: Start, tagged: Path, around: Surroundings) -> Desktop:
    desktop = start()
    assert desktop.conveniences is not None
    throttle = desktop.conveniences.throttle
    throttle._battery = lambda: around.battery
    throttle.ask_idle = lambda then: then(around.idle)
    return desktop


def begin(desktop: Desktop, go: threading.Event) -> Task:
    def job() -> Generator[Progress, None, str]:
        for number in range(1, 4):
            go.wait(10)
            yield Progress(number, 3, f"song {number}")
        return "done"

    return desktop.runner.start("Listening", lambda _: job(), pool="tagging")


def look(desktop: Desktop) -> None:
    assert desktop.conveniences is not None
    desktop.conveniences.throttle.look()


def test_work_waits_for_the_mains_and_then_goes_on(
    qtbot: QtBot, desktop: Desktop, around: Surroundings
) -> None:
    desktop.preferences.set("tagging", "not_on_battery", True)
    around.battery = True
    go = threading.Event()
    task = begin(desktop, go)
    qtbot.waitUntil(lambda: task.state is State.PAUSED, timeout=WAIT_MS)
    assert "mains" in task.held
    go.set()
    around.battery = False
    look(desktop)
    with qtbot.waitSignal(task.ended, timeout=WAIT_MS):
        pass
    assert task.state is State.FINISHED


def test_the_listeners_go_on_is_obeyed(
    qtbot: QtBot, desktop: Desktop, around: Surroundings
) -> None:
    desktop.preferences.set("tagging", "not_on_battery", True)
    around.battery = True
    go = threading.Event()
    task = begin(desktop, go)
    qtbot.waitUntil(lambda: task.state is State.PAUSED, timeout=WAIT_MS)
    task.resume()
    look(desktop)
    settled: list[bool] = []
    desktop.runner.call(lambda: True, settled.append)
    qtbot.waitUntil(lambda: bool(settled), timeout=WAIT_MS)
    assert task.state is State.RUNNING
    go.set()
    with qtbot.waitSignal(task.ended, timeout=WAIT_MS):
        pass


@pytest.mark.parametrize(("idle", "held"), [(False, True), (True, False), (None, False)])
def test_only_while_nobody_is_here_and_never_on_a_guess(
    qtbot: QtBot, desktop: Desktop, around: Surroundings, idle: bool | None, held: bool
) -> None:
    desktop.preferences.set("tagging", "only_when_idle", True)
    around.idle = idle
    go = threading.Event()
    task = begin(desktop, go)
    assert desktop.conveniences is not None
    with qtbot.waitSignal(desktop.conveniences.throttle.changed, timeout=WAIT_MS):
        pass
    qtbot.waitUntil(lambda: (task.state is State.PAUSED) is held, timeout=WAIT_MS)
    go.set()
    desktop.preferences.set("tagging", "only_when_idle", False)  # and it goes on
    if not task.state.over:
        with qtbot.waitSignal(task.ended, timeout=WAIT_MS):
            pass
    settle(qtbot, desktop)


def test_one_list_of_all_work(qtbot: QtBot, desktop: Desktop, around: Surroundings) -> None:
    go = threading.Event()
    first = begin(desktop, go)
    with qtbot.waitSignal(desktop.dialogs.opened, timeout=WAIT_MS) as opened:
        desktop.window.actions_.jobs.trigger()
    (dialog,) = opened.args
    assert isinstance(dialog, LongWorkDialog)
    assert [strip.accessibleName() for strip in dialog.strips.values()] == ["Listening"]
    second = begin(desktop, go)
    assert len(dialog.strips) == 2
    strip = list(dialog.strips.values())[1]
    QTest.mouseClick(strip.cancel, Qt.MouseButton.LeftButton)
    go.set()
    qtbot.waitUntil(lambda: first.state.over and second.state.over, timeout=WAIT_MS)
    assert dialog.strips == {}
    lines = [dialog.ended.item(row).text() for row in range(dialog.ended.count())]
    assert "cancelled" in lines[0]
    assert "done" in lines[1]
    QTest.keyClick(dialog.mains, Qt.Key.Key_Space)
    assert desktop.preferences.settings.tagging.not_on_battery
    dialog.accept()
    settle(qtbot, desktop)
