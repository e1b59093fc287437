"""What every GATT profile tells the Bluetooth side, and what it makes of notifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.wristband.source import Counters, Delivery
from inference.errors import UndertoneError
from inference.physio.signals import Channel

__all__ = ["DeviceInfo", "GattProfile", "ProtocolError", "RateGuard", "plain_text"]

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

    @property
    def fault(self) -> ProtocolError | None:
        """Why the device cannot be listened to any longer; None while it can."""
        ...

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


class RateGuard:
    """Notices a device that sends far more than it promised.

    Parameters
    ----------
    fs_hz : float
        What it promised.

    Notes
    -----
    A token bucket: half as much again as promised may come for ever, and
    20 s of it at once (a radio that was held up delivers in a burst).
    """

    _BURST_S = 20.0
    _EXCESS = 1.5

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._tokens = self._BURST_S * fs_hz
        self._at_s: float | None = None

    def allow(self, samples: int, arrival_s: float) -> bool:
        """Whether `samples` that arrive now are within the promise."""
        passed_s = 0.0 if self._at_s is None else max(0.0, arrival_s - self._at_s)
        self._at_s = arrival_s
        refilled = self._tokens + passed_s * self._fs_hz * self._EXCESS
        self._tokens = min(refilled, self._BURST_S * self._fs_hz)
        if self._tokens < samples:
            return False
        self._tokens -= samples
        return True


def plain_text(text: object, limit: int = _NAME_LIMIT) -> str:
    """`text` of a device as one short line of printable characters."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(shown.split())[:limit]
