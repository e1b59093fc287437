"""Plain types of the Bluetooth side: which radio, which device, how long, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.wristband.source import Reason
from inference.errors import UndertoneError

__all__ = [
    "OWN_RADIO",
    "REASON_TEXT",
    "USUAL_LIMITS",
    "FoundDevice",
    "Limits",
    "Pin",
    "Radio",
    "RadioError",
    "RawPacket",
]

RawPacket = Callable[[str, bytes, float], None]
"""Takes (characteristic, bytes, arrival in s): what a recorder keeps."""

REASON_TEXT = {
    Reason.NO_RADIO: "There is no Bluetooth adapter. Plug one in, or start the Bluetooth service.",
    Reason.POWERED_OFF: "Bluetooth is switched off. Switch it on.",
    Reason.DENIED: "Undertone may not use Bluetooth. Allow it in the system's settings.",
    Reason.NOT_FOUND: "The band was not found. Switch it on and bring it near.",
    Reason.LOST: "The link to the band broke.",
}


class RadioError(UndertoneError):
    """Bluetooth cannot be used, or not with this device; `reason` says which."""

    def __init__(self, message: str, remedy: str = "", reason: Reason = Reason.NO_RADIO) -> None:
        super().__init__(message, remedy)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Radio:
    """Which Bluetooth: the machine's own, or bleak backends over a virtual link.

    Parameters
    ----------
    scanner, client : type or None
        bleak backend types; None for the platform's.
    """

    scanner: Any = None
    client: Any = None

    @property
    def virtual(self) -> bool:
        return self.client is not None

    def scanner_options(self) -> dict[str, Any]:
        return {} if self.scanner is None else {"backend": self.scanner}

    def client_options(self) -> dict[str, Any]:
        return {} if self.client is None else {"backend": self.client}


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that a scan saw.

    Parameters
    ----------
    address : str
        On macOS an identifier that only this machine uses.
    name : str
        What it calls itself: untrusted, one short line of plain text.
    rssi_dbm : int
    services : frozenset of str
        UUIDs that it advertises.
    """

    address: str
    name: str
    rssi_dbm: int
    services: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pin:
    """The device that was chosen: no other one takes its place unasked.

    Parameters
    ----------
    serial : str
        As its `info` said when it was chosen; empty accepts any.
    """

    address: str
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each step may take, in seconds.

    Parameters
    ----------
    stall_s : float
        A link that is silent for so long counts as broken.
    back_off_s : tuple of float
        Pauses before one attempt after another; the last one stays. Each
        is shortened by a random third at most.
    """

    scan_s: float = 10.0
    connect_s: float = 15.0
    command_s: float = 5.0
    stall_s: float = 5.0
    leave_s: float = 1.0
    back_off_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    first_attempts: int = 3


OWN_RADIO = Radio()
"""The machine's own."""
USUAL_LIMITS = Limits()
