"""What every GATT profile tells the Bluetooth side, and what it makes of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.wristband.source import Counters, Delivery
from inference.errors import UndertoneError
from inference.physio.signals import Channel

__all__ = ["DeviceInfo", "GattProfile", "ProtocolError", "plain_text"]

_NAME_LIMIT = 60


class ProtocolError(UndertoneError):
    """The device does not speak as its profile says."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself: untrusted, shown as plain text."""

    model: str = ""
    serial: str = ""
    firmware: str = ""


class GattProfile(Protocol):
    """One device's way of speaking over GATT.

    A profile is fed whatever comes and never raises on it: what is wrong
    is counted and left out.
    """

    @property
    def name(self) -> str: ...

    @property
    def service(self) -> str:
        """UUID that the device advertises."""
        ...

    @property
    def required(self) -> Mapping[str, frozenset[str]]:
        """Characteristics that must be there, with the properties that each must have."""
        ...

    @property
    def notifying(self) -> tuple[str, ...]:
        """Characteristics to subscribe to, in order."""
        ...

    @property
    def info(self) -> str | None:
        """Characteristic to read before streaming."""
        ...

    @property
    def start(self) -> tuple[tuple[str, bytes], ...]:
        """(characteristic, bytes) to write once subscribed."""
        ...

    @property
    def stop(self) -> tuple[tuple[str, bytes], ...]:
        """(characteristic, bytes) to write before leaving."""
        ...

    @property
    def channels(self) -> frozenset[Channel]: ...

    @property
    def counters(self) -> Counters: ...

    @property
    def battery_percent(self) -> int | None: ...

    def take_info(self, data: bytes) -> DeviceInfo:
        """Read what `info` holds.

        Raises
        ------
        ProtocolError
            If the device does not deliver what this profile needs.
        """
        ...

    def feed(self, characteristic: str, data: bytes, arrival_s: float) -> list[Delivery]:
        """What a notification that arrived at `arrival_s` (session clock) brings."""
        ...

    def link_lost(self) -> None:
        """The link broke: what follows comes after a gap."""
        ...


def plain_text(text: object, limit: int = _NAME_LIMIT) -> str:
    """`text` of a device as one short line of printable characters."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(shown.split())[:limit]
