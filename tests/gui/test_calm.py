"""Less movement: by the setting or the desktop's wish, nothing moves that need not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QProgressBar, QStyle, QWidget
from pytestqt.qtbot import QtBot

from app.desktop.desktop import Desktop
from tests.gui.conftest import settle
from widgets.feedback_prompt import _Countdown
from widgets.job_strip import JobStrip
from widgets.signal_plot import SignalPlot, TraceStyle
from widgets.theme import Mode, Theme

pytestmark = pytest.mark.gui

Start = Callable[..., Desktop]


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    yield (theme := Theme(qapp, Mode.LIGHT))
    theme.set_calm(False)


def animation_ms(widget: QWidget) -> int:
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    return widget.style().styleHint(hint, None, widget)


def test_the_setting_stills_the_style_at_once_and_at_the_next_start(
    qtbot: QtBot, start: Start, tagged: Path
) -> None:
    desktop = start()
    bar = QProgressBar(desktop.window)
    assert animation_ms(bar) > 0
    desktop.preferences.set("appearance", "reduced_motion", True)
    assert animation_ms(bar) == 0
    settle(qtbot, desktop)
    desktop.close()
    desktop = start()
    assert desktop.theme.calm
    assert animation_ms(desktop.window.table) == 0
    desktop.preferences.set("appearance", "reduced_motion", False)
    assert animation_ms(desktop.window.table) > 0
    settle(qtbot, desktop)


def test_the_desktops_wish_counts_like_the_listeners(theme: Theme) -> None:
    told: list[bool] = []
    theme.calm_changed.connect(told.append)
    theme.set_calm(True, "desktop")
    theme.set_calm(True)
    theme.set_calm(False, "desktop")
    assert theme.calm
    theme.set_calm(False)
    assert told == [True, False]


def test_work_without_an_end_in_sight_runs_no_bar_to_and_fro(qtbot: QtBot, theme: Theme) -> None:
    strip = JobStrip(theme, "Looking for music")
    qtbot.addWidget(strip)
    assert (strip.bar.minimum(), strip.bar.maximum()) == (0, 0)  # Qt's sign for "runs"
    theme.set_calm(True)
    assert strip.bar.maximum() == 1
    strip.show_progress(3, 0, "a song", None)
    assert strip.bar.maximum() == 1
    strip.show_progress(3, 10, "a song", None)
    assert (strip.bar.value(), strip.bar.maximum()) == (3, 10)


def test_live_signals_are_drawn_less_often(qtbot: QtBot, theme: Theme) -> None:
    plot = SignalPlot(theme, [TraceStyle("pulse", "Pulse", "a.u.", 1.0)])
    qtbot.addWidget(plot)
    quick = plot._timer.interval()
    theme.set_calm(True)
    assert plot._timer.interval() >= 4 * quick


def test_the_time_left_shrinks_in_steps(qtbot: QtBot, theme: Theme) -> None:
    line = _Countdown(theme)
    qtbot.addWidget(line)
    theme.set_calm(True)
    shown = []
    for left in range(20, -1, -1):
        line.show_share(left / 20)
        shown.append(line._share)
    assert sorted(set(shown)) == [0.0, 0.25, 0.5, 0.75, 1.0]
