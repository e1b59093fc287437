"""Calls to other programs on D-Bus: is anybody there, less movement, a notification. No Qt.

Runs on the asyncio thread; every call has a time limit, and no answer is an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

__all__ = ["IDLE_AFTER_S", "Bus", "is_idle", "notify", "wants_less_motion"]

log = logging.getLogger(__name__)

IDLE_AFTER_S = 120.0
_LIMIT_S = 3.0


class Bus:
    """A connection that is made when it is needed.

    Parameters
    ----------
    system : bool
        The system bus instead of the session's.
    """

    def __init__(self, *, system: bool = False) -> None:
        self._type = BusType.SYSTEM if system else BusType.SESSION
        self._bus: MessageBus | None = None

    async def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
    ) -> list[Any] | None:
        """The answer's values; None without a bus, without a receiver, or after an error."""
        message = Message(
            destination=destination, path=path, interface=interface, member=member,
            signature=signature, body=list(body),
        )  # fmt: skip
        try:
            async with asyncio.timeout(_LIMIT_S):
                bus = await self._connected()
                reply = await bus.call(message)
        except Exception as error:
            # Whatever is the matter with the bus, the player goes on without it.
            log.debug("no answer from %s: %r", destination, error)
            return None
        if reply is None or reply.message_type is not MessageType.METHOD_RETURN:
            return None
        return list(reply.body)

    async def property(self, destination: str, path: str, interface: str, name: str) -> Any:
        """A property's value, or None."""
        found = await self.call(
            destination, path, "org.freedesktop.DBus.Properties", "Get", "ss", [interface, name]
        )
        value = found[0] if found else None
        return value.value if isinstance(value, Variant) else value

    async def close(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None and bus.connected:
            bus.disconnect()

    async def _connected(self) -> MessageBus:
        if self._bus is None or not self._bus.connected:
            self._bus = await MessageBus(bus_type=self._type).connect()
        return self._bus


async def is_idle(session: Bus, system: Bus) -> bool | None:
    """Whether nobody has touched keyboard and mouse for two minutes.

    Asked of GNOME's idle monitor, the screen saver and logind, in this order.

    Returns
    -------
    bool or None
        None where none of them says so.
    """
    found = await session.call(
        "org.gnome.Mutter.IdleMonitor",
        "/org/gnome/Mutter/IdleMonitor/Core",
        "org.gnome.Mutter.IdleMonitor",
        "GetIdletime",
    )
    if found and isinstance(found[0], int):
        return found[0] >= 1000 * IDLE_AFTER_S
    saver = "org.freedesktop.ScreenSaver"
    active = await session.call(saver, f"/{saver.replace('.', '/')}", saver, "GetActive")
    if active and active[0] is True:
        return True
    hint = await system.property(
        "org.freedesktop.login1",
        "/org/freedesktop/login1/session/auto",
        "org.freedesktop.login1.Session",
        "IdleHint",
    )
    if isinstance(hint, bool):
        return hint
    return None if active is None else False


async def wants_less_motion(session: Bus) -> bool:
    """Whether the desktop is set to less movement, as its settings portal says.

    Asked for the common key `reduced-motion`, then for GNOME's switch of animations.
    """
    asked = (
        ("org.freedesktop.appearance", "reduced-motion", 1),
        ("org.gnome.desktop.interface", "enable-animations", False),
    )
    for namespace, key, meaning in asked:
        found = await session.call(
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
            "Read",
            "ss",
            [namespace, key],
        )
        value = found[0] if found else None
        while isinstance(value, Variant):  # `Read` wraps the value twice
            value = value.value
        if value is not None:
            return bool(value == meaning)
    return False


async def notify(
    session: Bus, replaces: int, title: str, text: str, icon: str, desktop_entry: str
) -> int:
    """Show a notification in place of the last one (`replaces`; 0: a new one).

    Returns
    -------
    int
        Its number; 0 where nobody shows notifications.
    """
    name = "org.freedesktop.Notifications"
    hints = {
        "desktop-entry": Variant("s", desktop_entry),
        "transient": Variant("b", True),
        "urgency": Variant("y", 0),
    }
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    found = await session.call(
        name,
        f"/{name.replace('.', '/')}",
        name,
        "Notify",
        "susssasa{sv}i",
        ["Undertone", replaces, icon, title, escaped, [], hints, -1],
    )
    return int(found[0]) if found and isinstance(found[0], int) else 0
