"""The notification area's menu and the asyncio thread: small parts of the desktop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets")
from PySide6.QtGui import QIcon

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.player_controller import PlayerController
from app.desktop.tray import Tray
from app.playback.clock import VirtualClock
from app.playback.null_backend import NullBackend


@pytest.fixture
def player(qapp: object, tmp_path: Path) -> Iterator[PlayerController]:
    clock = VirtualClock()
    for i in (1, 2):
        (tmp_path / f"{i}.mp3").write_bytes(b"x")
    player = PlayerController(
        lambda post: NullBackend(post, clock, lambda path: 100.0),
        lambda track_id: tmp_path / f"{track_id}.mp3",
    )
    yield player
    player.shutdown()
    player.deleteLater()


def entry(tray: Tray, text: str) -> Any:
    return next(action for action in tray.menu.actions() if action.text() == text)


class TestTray:
    def test_the_menu_steers_the_player(self, player: PlayerController, qtbot: Any) -> None:
        tray = Tray(player, QIcon(), lambda: "Ana & Bo - Song" if player.entry else "")
        try:
            assert not entry(tray, "Play").isEnabled()
            assert entry(tray, "Nothing is playing")
            player.play_ids([1, 2])
            assert entry(tray, "Pause").isEnabled()
            assert entry(tray, "Ana && Bo - Song")
            entry(tray, "Next").trigger()
            assert player.track_id == 2
            assert not entry(tray, "Next").isEnabled()
            with qtbot.waitSignal(tray.toggle_window_requested, timeout=1000):
                entry(tray, "Show or hide Undertone").trigger()
            with qtbot.waitSignal(tray.quit_requested, timeout=1000):
                entry(tray, "Quit").trigger()
        finally:
            tray.shutdown()
            tray.deleteLater()

    def test_without_a_notification_area_it_says_so(self, player: PlayerController) -> None:
        tray = Tray(player, QIcon(), lambda: "x" * 500)
        try:
            assert tray.show() is tray.available
        finally:
            tray.shutdown()
            tray.deleteLater()


class TestAsyncioThread:
    def test_results_and_errors_come_back(self) -> None:
        thread = AsyncioThread()

        async def divide(a: float, b: float) -> float:
            return a / b

        assert thread.submit(divide(6, 3)).result(5.0) == 2.0
        with pytest.raises(ZeroDivisionError):
            thread.submit(divide(1, 0)).result(5.0)
        assert thread.close()

    def test_closing_cancels_what_runs_and_refuses_more(self) -> None:
        thread = AsyncioThread()
        begun, ended = threading.Event(), threading.Event()

        async def forever() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        future = thread.submit(forever())
        assert begun.wait(5.0)
        assert thread.close()
        assert ended.is_set()
        assert future.cancelled()
        thread.call(print)
        with pytest.raises(RuntimeError):
            thread.submit(forever())
        assert thread.close()

    def test_a_loop_that_does_not_end_is_reported(self) -> None:
        thread = AsyncioThread()
        gate, begun = threading.Event(), threading.Event()

        def block() -> None:
            begun.set()
            gate.wait(30.0)

        thread.call(block)
        assert begun.wait(5.0)
        assert not thread.close(0.05)
        gate.set()
        assert thread.close(5.0)
