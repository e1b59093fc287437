"""Calls to others on a real session bus: who shows notifications, who knows of idleness."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

if not sys.platform.startswith("linux") or shutil.which("dbus-daemon") is None:
    pytest.skip("needs a D-Bus daemon", allow_module_level=True)
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from app.desktop.asyncio_thread import AsyncioThread
from app.desktop.bus import Bus, is_idle, notify, wants_less_motion
from tests.playback.test_mpris import LIMIT_S, bus_address, thread

__all__ = ["bus_address", "thread"]

NOTIFICATIONS = "org.freedesktop.Notifications"
IDLE_MONITOR = "org.gnome.Mutter.IdleMonitor"
SAVER = "org.freedesktop.ScreenSaver"


class Service:
    """Another program on the bus that answers one method and remembers what it was asked."""

    def __init__(self, thread: AsyncioThread, name: str, member: str, answer: tuple[str, Any]):
        self.asked: list[list[Any]] = []
        self._thread = thread
        self._member, self._answer = member, answer
        self._bus: Any = None
        thread.submit(self._begin(name)).result(LIMIT_S)

    async def _begin(self, name: str) -> None:
        self._bus = await MessageBus().connect()
        await self._bus.request_name(name)

        def reply(message: Message) -> Message | None:
            if message.message_type is MessageType.METHOD_CALL and message.member == self._member:
                self.asked.append(message.body)
                return Message.new_method_return(message, self._answer[0], [self._answer[1]])
            return None

        self._bus.add_message_handler(reply)

    def close(self) -> None:
        async def end() -> None:
            self._bus.disconnect()

        self._thread.submit(end()).result(LIMIT_S)


@pytest.fixture
def session(bus_address: str, thread: AsyncioThread) -> Iterator[Bus]:
    bus = Bus()
    yield bus
    thread.submit(bus.close()).result(LIMIT_S)


def test_a_song_is_notified_in_place_of_the_last(session: Bus, thread: AsyncioThread) -> None:
    shown = Service(thread, NOTIFICATIONS, "Notify", ("u", 7))
    first = thread.submit(notify(session, 0, "One <b>", "Ana & Bo <i>", "icon", "entry"))
    assert first.result(LIMIT_S) == 7
    assert thread.submit(notify(session, 7, "Two", "", "icon", "entry")).result(LIMIT_S) == 7
    app, replaced, icon, title, text, actions, hints, _ = shown.asked[0]
    assert (app, replaced, icon, title) == ("Undertone", 0, "icon", "One <b>")
    assert text == "Ana &amp; Bo &lt;i&gt;"  # a body may hold markup, a title may not
    assert actions == []
    assert hints["desktop-entry"].value == "entry"
    assert shown.asked[1][1] == 7
    shown.close()


def test_nobody_to_notify_is_no_fault(session: Bus, thread: AsyncioThread) -> None:
    assert thread.submit(notify(session, 0, "One", "", "", "")).result(LIMIT_S) == 0


def test_no_bus_is_no_fault(thread: AsyncioThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    idle = is_idle(Bus(), Bus(system=True))
    assert thread.submit(idle).result(LIMIT_S) is None


@pytest.mark.parametrize(
    ("name", "member", "answer", "expected"),
    [
        (IDLE_MONITOR, "GetIdletime", ("t", 119_000), False),
        (IDLE_MONITOR, "GetIdletime", ("t", 121_000), True),
        (SAVER, "GetActive", ("b", True), True),
        (SAVER, "GetActive", ("b", False), False),
    ],
)
def test_who_tells_of_idleness(
    session: Bus,
    thread: AsyncioThread,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    member: str,
    answer: tuple[str, Any],
    expected: bool,
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    service = Service(thread, name, member, answer)
    idle = is_idle(session, Bus(system=True))
    assert thread.submit(idle).result(LIMIT_S) is expected
    service.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(("v", Variant("v", Variant("u", 1))), True), (("v", Variant("v", Variant("u", 0))), False)],
)
def test_the_desktop_tells_of_less_movement(
    session: Bus, thread: AsyncioThread, answer: tuple[str, Any], expected: bool
) -> None:
    portal = Service(thread, "org.freedesktop.portal.Desktop", "Read", answer)
    assert thread.submit(wants_less_motion(session)).result(LIMIT_S) is expected
    assert portal.asked == [["org.freedesktop.appearance", "reduced-motion"]]
    portal.close()


def test_a_desktop_that_tells_nothing_moves_as_it_did(session: Bus, thread: AsyncioThread) -> None:
    assert thread.submit(wants_less_motion(session)).result(LIMIT_S) is False
