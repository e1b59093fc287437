"""The Bluetooth Heart Rate Service (0x180D): rate and beat intervals, for display and HRV only."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from app.wristband.profiles.base import DeviceInfo, ProtocolError
from app.wristband.source import Counters, Delivery, HeartRate
from inference.physio.signals import Channel

__all__ = ["MEASUREMENT", "SERVICE", "HeartRateProfile", "decode_heart_rate"]

SERVICE = "0000180d-0000-1000-8000-00805f9b34fb"
MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"

_WIDE, _CONTACT, _CONTACT_KNOWN, _ENERGY, _INTERVALS = 0x01, 0x02, 0x04, 0x08, 0x10


def decode_heart_rate(data: bytes, arrival_s: float) -> HeartRate:
    """Read a Heart Rate Measurement by its flags byte.

    Notes
    -----
    Heart Rate Service 1.0, section 3.1: bit 0 rate in 16 bits; bit 2 the
    contact in bit 1 is known; bit 3 energy in 16 bits; bit 4 RR intervals,
    16 bits little-endian in 1/1024 s, the oldest first.

    Raises
    ------
    ValueError
        If it is shorter than the flags say, or has an odd end.
    """
    if not data:
        raise ValueError("an empty measurement")
    flags, offset = data[0], 1
    try:
        (bpm,) = struct.unpack_from("<H" if flags & _WIDE else "<B", data, offset)
    except struct.error:
        raise ValueError("a measurement without a rate") from None
    offset += 2 if flags & _WIDE else 1
    if flags & _ENERGY:
        offset += 2
    rest = data[offset:] if len(data) >= offset else None
    if rest is None or len(rest) % 2 or (rest and not flags & _INTERVALS):
        raise ValueError(f"{len(data)} bytes do not fit the flags {flags:#04x}")
    intervals = struct.unpack(f"<{len(rest) // 2}H", rest)
    contact = bool(flags & _CONTACT) if flags & _CONTACT_KNOWN else None
    return HeartRate(arrival_s, bpm, tuple(rr / 1024.0 for rr in intervals), contact)


class HeartRateProfile:
    """Reads any heart rate band; see `GattProfile`. It has no signal and gives no emotion."""

    name = "Heart rate band"
    service = SERVICE
    required: Mapping[str, frozenset[str]] = {MEASUREMENT: frozenset({"notify"})}
    notifying = (MEASUREMENT,)
    info: str | None = None
    start: tuple[tuple[str, bytes], ...] = ()
    stop: tuple[tuple[str, bytes], ...] = ()
    channels: frozenset[Channel] = frozenset()
    battery_percent: int | None = None
    fault: ProtocolError | None = None

    def __init__(self) -> None:
        self._counters = Counters()

    @property
    def counters(self) -> Counters:
        return self._counters

    def take_info(self, data: bytes) -> DeviceInfo:
        return DeviceInfo()

    def link_lost(self) -> None:
        return None

    def feed(self, characteristic: str, data: bytes, arrival_s: float) -> list[Delivery]:
        try:
            measured = decode_heart_rate(data, arrival_s)
        except ValueError:
            self._counters = self._counters.add(corrupt=1)
            return []
        self._counters = self._counters.add(packets=1)
        return [measured]
