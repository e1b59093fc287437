"""MPRIS2 on the session bus (media keys, desktop panels, playerctl): dbus-fast's only door, no Qt.

Runs on the asyncio thread. What is shown comes in as immutable snapshots; what the desktop asks
for goes out as immutable requests. Specification: https://specifications.freedesktop.org/mpris/.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from dbus_fast import DBusError, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusDict,
    DBusDouble,
    DBusInt64,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.constants import NameFlag, PropertyAccess
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

__all__ = ["NO_TRACK", "OBJECT_PATH", "MprisService", "Request", "Snapshot"]

log = logging.getLogger(__name__)

BUS_NAME = "org.mpris.MediaPlayer2.undertone"
OBJECT_PATH = "/org/mpris/MediaPlayer2"
NO_TRACK = "/org/mpris/MediaPlayer2/TrackList/NoTrack"
_CONNECT_LIMIT_S = 5.0
_TEXT_LIMIT = 1000
_MIME_TYPES = (
    "audio/mpeg", "audio/flac", "audio/x-flac", "audio/ogg", "audio/x-vorbis+ogg", "audio/opus",
    "audio/x-opus+ogg", "audio/mp4", "audio/x-m4a", "audio/aac", "audio/wav", "audio/x-wav",
)  # fmt: skip

DBusStrList = Annotated[list[str], DBusSignature("as")]


@dataclass(frozen=True, slots=True)
class Request:
    """What the desktop asks for: a method's or property's name, and its value where it has one."""

    name: str
    value: float | str | bool | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that MPRIS shows of the player, at one moment.

    Parameters
    ----------
    status : {"Stopped", "Playing", "Paused"}
    loop : {"None", "Track", "Playlist"}
    volume : float
        0 to 1.
    track : str
        Object path that names the place in the queue; `NO_TRACK` if none.
    length_s : float
        0 if unknown.
    metadata : mapping of str to str, int or tuple of str
        The xesam and mpris fields besides track id and length.
    position_s, position_at : float
        The position, and the time (monotonic clock) at which it was there.
    """

    status: str = "Stopped"
    loop: str = "None"
    shuffle: bool = False
    volume: float = 1.0
    can_go_next: bool = False
    can_go_previous: bool = False
    can_play: bool = False
    can_seek: bool = False
    track: str = NO_TRACK
    length_s: float = 0.0
    metadata: Mapping[str, str | int | tuple[str, ...]] = field(default_factory=dict)
    position_s: float = 0.0
    position_at: float = 0.0

    def position_now_us(self, now: float) -> int:
        """The position in microseconds at the monotonic time `now`."""
        position_s = self.position_s
        if self.status == "Playing":
            position_s += max(0.0, now - self.position_at)
        if self.length_s > 0.0:
            position_s = min(position_s, self.length_s)
        return round(position_s * 1e6)

    def dbus_metadata(self) -> dict[str, Variant]:
        """The `Metadata` property, of texts that no bus refuses."""
        shown: dict[str, Variant] = {"mpris:trackid": Variant("o", self.track)}
        if self.length_s > 0.0:
            shown["mpris:length"] = Variant("x", round(self.length_s * 1e6))
        for key, value in self.metadata.items():
            if isinstance(value, int):
                shown[key] = Variant("i", value)
            elif isinstance(value, str):
                shown[key] = Variant("s", _plain(value))
            else:
                shown[key] = Variant("as", [_plain(text) for text in value])
        return shown


def _plain(text: str) -> str:
    """`text` without what D-Bus forbids: a NUL or a surrogate would end the connection."""
    whole = text[:_TEXT_LIMIT].replace("\0", " ")
    return whole.encode("utf-8", "replace").decode("utf-8")


# dbus-fast takes a method's signature from its annotations, where "no result" is none at all.


class _Root(ServiceInterface):
    def __init__(self, desktop_entry: str, ask: Callable[[Request], None]) -> None:
        super().__init__("org.mpris.MediaPlayer2")
        self._desktop_entry = desktop_entry
        self._ask = ask

    @dbus_method()
    def Raise(self):
        self._ask(Request("Raise"))

    @dbus_method()
    def Quit(self):
        self._ask(Request("Quit"))

    @dbus_property(access=PropertyAccess.READ)
    def CanQuit(self) -> DBusBool:
        return True

    @dbus_property(access=PropertyAccess.READ)
    def CanRaise(self) -> DBusBool:
        return True

    @dbus_property(access=PropertyAccess.READ)
    def HasTrackList(self) -> DBusBool:
        return False

    @dbus_property(access=PropertyAccess.READ)
    def Identity(self) -> DBusStr:
        return "Undertone"

    @dbus_property(access=PropertyAccess.READ)
    def DesktopEntry(self) -> DBusStr:
        return self._desktop_entry

    @dbus_property(access=PropertyAccess.READ)
    def SupportedUriSchemes(self) -> DBusStrList:
        return ["file"]

    @dbus_property(access=PropertyAccess.READ)
    def SupportedMimeTypes(self) -> DBusStrList:
        return list(_MIME_TYPES)


class _Player(ServiceInterface):
    def __init__(self, ask: Callable[[Request], None]) -> None:
        super().__init__("org.mpris.MediaPlayer2.Player")
        self._ask = ask
        self.shown = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Take a new snapshot, and tell the bus what changed."""
        before, self.shown = self.shown, snapshot
        changed = {
            name
            for name, source in _CHANGES.items()
            if any(getattr(before, one) != getattr(snapshot, one) for one in source)
        }
        if changed:
            self.emit_properties_changed({name: getattr(self, name) for name in changed})

    @dbus_method()
    def Next(self):
        self._ask(Request("Next"))

    @dbus_method()
    def Previous(self):
        self._ask(Request("Previous"))

    @dbus_method()
    def Pause(self):
        self._ask(Request("Pause"))

    @dbus_method()
    def PlayPause(self):
        self._ask(Request("PlayPause"))

    @dbus_method()
    def Stop(self):
        self._ask(Request("Stop"))

    @dbus_method()
    def Play(self):
        self._ask(Request("Play"))

    @dbus_method()
    def Seek(self, Offset: DBusInt64):  # noqa: N803
        shown = self.shown
        target_us = shown.position_now_us(time.monotonic()) + Offset
        if not shown.can_seek:
            return
        if shown.length_s > 0.0 and target_us > shown.length_s * 1e6:
            self._ask(Request("Next"))
        else:
            self._ask(Request("Position", max(target_us, 0) / 1e6))

    @dbus_method()
    def SetPosition(self, TrackId: DBusObjectPath, Position: DBusInt64):  # noqa: N803
        shown = self.shown
        stale = TrackId != shown.track or not shown.can_seek
        if stale or Position < 0 or (0 < shown.length_s * 1e6 < Position):
            return  # as the specification asks
        self._ask(Request("Position", Position / 1e6))

    @dbus_method()
    def OpenUri(self, Uri: DBusStr):  # noqa: N803
        if not Uri.startswith("file:"):
            raise DBusError(
                "org.freedesktop.DBus.Error.NotSupported", "Undertone plays local files only"
            )
        self._ask(Request("OpenUri", Uri))

    @dbus_signal()
    def Seeked(self, position_us: int) -> DBusInt64:
        return position_us

    @dbus_property(access=PropertyAccess.READ)
    def PlaybackStatus(self) -> DBusStr:
        return self.shown.status

    @dbus_property()
    def LoopStatus(self) -> DBusStr:
        return self.shown.loop

    @LoopStatus.setter
    def LoopStatus(self, value: DBusStr) -> None:
        if value not in ("None", "Track", "Playlist"):
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", "None, Track or Playlist")
        self._ask(Request("LoopStatus", value))

    @dbus_property()
    def Rate(self) -> DBusDouble:
        return 1.0

    @Rate.setter
    def Rate(self, value: DBusDouble) -> None:
        if value == 0.0:  # as the specification asks; all other rates are out of range
            self._ask(Request("Pause"))

    @dbus_property()
    def Shuffle(self) -> DBusBool:
        return self.shown.shuffle

    @Shuffle.setter
    def Shuffle(self, value: DBusBool) -> None:
        self._ask(Request("Shuffle", bool(value)))

    @dbus_property(access=PropertyAccess.READ)
    def Metadata(self) -> DBusDict:
        return self.shown.dbus_metadata()

    @dbus_property()
    def Volume(self) -> DBusDouble:
        return self.shown.volume

    @Volume.setter
    def Volume(self, value: DBusDouble) -> None:
        self._ask(Request("Volume", float(value)))

    @dbus_property(access=PropertyAccess.READ)
    def Position(self) -> DBusInt64:
        return self.shown.position_now_us(time.monotonic())

    @dbus_property(access=PropertyAccess.READ)
    def MinimumRate(self) -> DBusDouble:
        return 1.0

    @dbus_property(access=PropertyAccess.READ)
    def MaximumRate(self) -> DBusDouble:
        return 1.0

    @dbus_property(access=PropertyAccess.READ)
    def CanGoNext(self) -> DBusBool:
        return self.shown.can_go_next

    @dbus_property(access=PropertyAccess.READ)
    def CanGoPrevious(self) -> DBusBool:
        return self.shown.can_go_previous

    @dbus_property(access=PropertyAccess.READ)
    def CanPlay(self) -> DBusBool:
        return self.shown.can_play

    @dbus_property(access=PropertyAccess.READ)
    def CanPause(self) -> DBusBool:
        return self.shown.can_play

    @dbus_property(access=PropertyAccess.READ)
    def CanSeek(self) -> DBusBool:
        return self.shown.can_seek

    @dbus_property(access=PropertyAccess.READ)
    def CanControl(self) -> DBusBool:
        return True


_CHANGES: dict[str, tuple[str, ...]] = {
    "PlaybackStatus": ("status",),
    "LoopStatus": ("loop",),
    "Shuffle": ("shuffle",),
    "Volume": ("volume",),
    "Metadata": ("track", "length_s", "metadata"),
    "CanGoNext": ("can_go_next",),
    "CanGoPrevious": ("can_go_previous",),
    "CanPlay": ("can_play",),
    "CanPause": ("can_play",),
    "CanSeek": ("can_seek",),
}
"""Property -> what of the snapshot it is made from; Position changes without a signal."""
assert {one for source in _CHANGES.values() for one in source} <= {
    one.name for one in fields(Snapshot)
}


class MprisService:
    """The player on the session bus. All methods run on the asyncio loop's thread.

    Parameters
    ----------
    ask : callable
        Takes each `Request`, on the loop's thread, and returns at once.
    desktop_entry : str
        Name of the desktop file, without ``.desktop``.
    """

    def __init__(self, ask: Callable[[Request], None], desktop_entry: str) -> None:
        self._root = _Root(desktop_entry, ask)
        self._player = _Player(ask)
        self._bus: Any = None
        self._watch: asyncio.Task[None] | None = None
        self.name = ""
        """The bus name that was obtained; empty while there is none."""

    async def start(self) -> bool:
        """Appear on the bus; False, with one line in the log, where there is no bus."""
        bus = None
        try:
            bus = MessageBus(auth_timeout=_CONNECT_LIMIT_S)
            await bus.connect()
            bus.export(OBJECT_PATH, self._root)
            bus.export(OBJECT_PATH, self._player)
            name = BUS_NAME
            reply = await bus.request_name(name, NameFlag.DO_NOT_QUEUE)
            if reply is not RequestNameReply.PRIMARY_OWNER:  # a player with another home
                name = f"{BUS_NAME}.instance{os.getpid()}"
                await bus.request_name(name, NameFlag.DO_NOT_QUEUE)
        except Exception as error:
            # Whatever is the matter with the bus: the player plays without media keys.
            log.info("no media keys and desktop controls: no session bus (%s)", error)
            if bus is not None and bus.connected:
                bus.disconnect()
            return False
        self._bus, self.name = bus, name
        self._watch = asyncio.get_running_loop().create_task(self._watch_bus(bus))
        return True

    def show(self, snapshot: Snapshot) -> None:
        """Show this from now on, and signal what changed."""
        if self._bus is not None:
            self._player.show(snapshot)
        else:
            self._player.shown = snapshot

    def seeked(self, snapshot: Snapshot) -> None:
        """Show `snapshot`, whose position did not come about by playing on."""
        self.show(snapshot)
        if self._bus is not None:
            self._player.Seeked(snapshot.position_now_us(time.monotonic()))

    async def stop(self) -> None:
        """Leave the bus."""
        bus, self._bus, self.name = self._bus, None, ""
        if bus is not None:
            bus.disconnect()
        if self._watch is not None:
            await self._watch

    async def _watch_bus(self, bus: Any) -> None:
        try:
            await bus.wait_for_disconnect()
        except Exception as error:
            log.info("no media keys and desktop controls: the session bus is gone (%r)", error)
        self._bus, self.name = None, ""
