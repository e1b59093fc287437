"""The Undertone band GATT profile, version 1: packets of GSR and PPG with sequence, time and CRC.

The layout is in resources/band; this module has both directions, so that the virtual band and the
tests speak the same bytes as the reader.
"""

from __future__ import annotations

import binascii
import json
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.wristband.clock_fit import ClockFit, Unwrapper
from app.wristband.profiles.base import DeviceInfo, ProtocolError, RateGuard, plain_text
from app.wristband.source import Annotation, AnnotationKind, Counters, Delivery
from inference.physio.signals import Channel, SignalChunk

__all__ = [
    "CONTROL",
    "INFO",
    "MOST_SAMPLES",
    "SERVICE",
    "SIGNALS",
    "START",
    "STATUS",
    "STOP",
    "BandInfo",
    "BandPacket",
    "BandStatus",
    "PacketError",
    "UndertoneBand",
    "decode_packet",
    "decode_status",
    "encode_info",
    "encode_packet",
    "encode_status",
]

_BASE = "4b1d{:04x}-6f2e-5c0a-9d3e-7a51c0de0b0d"
SERVICE, INFO, SIGNALS, STATUS, CONTROL = (_BASE.format(i) for i in range(1, 6))
START, STOP = b"\x01", b"\x00"
VERSION = 1
MOST_SAMPLES = 16
FLAG_GSR_CONTACT, FLAG_PPG_CONTACT, FLAG_CLIPPING = 1, 2, 4

_HEADER = struct.Struct("<BBHIB")
_STATUS = struct.Struct("<BBI")
_GSR_STEP_US = 0.001
_LATE_S = 2.0
"""A packet from longer ago than this is from a clock that began anew, not a late one."""
_LEAP_S = 60.0
"""So is one from further ahead than this, while the link holds."""
_JITTER_S = 0.05
"""What the time stamps of consecutive packets may be off."""
_SEEN = 256
_INFO_LIMIT = 200


class PacketError(ValueError):
    """A packet that is damaged or against the protocol."""


@dataclass(frozen=True)
class BandPacket:
    """One `signals` notification.

    Parameters
    ----------
    sequence : int
        0..65535, wraps.
    time_ms : int
        Device time of the first sample, u32, wraps.
    gsr : ndarray, shape (n,), uint16
        Steps of 0.001 uS.
    ppg : ndarray, shape (n,), uint32
        24 bits.
    flags : int
        Bit 0 GSR contact, bit 1 PPG contact, bit 2 clipping.
    """

    sequence: int
    time_ms: int
    gsr: NDArray[np.uint16]
    ppg: NDArray[np.uint32]
    flags: int = FLAG_GSR_CONTACT | FLAG_PPG_CONTACT


def encode_packet(packet: BandPacket) -> bytes:
    """The bytes of a packet, as a band sends them.

    Raises
    ------
    PacketError
        If it has no sample or more than 16, or a value beyond its field.
    """
    n = len(packet.gsr)
    if n != len(packet.ppg) or not 1 <= n <= MOST_SAMPLES:
        raise PacketError(f"a packet has 1 to {MOST_SAMPLES} samples of each signal, not {n}")
    ppg = np.asarray(packet.ppg, dtype="<u4")
    if int(ppg.max()) >= 1 << 24:
        raise PacketError("a PPG sample has 24 bits")
    body = (
        _HEADER.pack(VERSION, packet.flags, packet.sequence % 65536, packet.time_ms % 2**32, n)
        + np.asarray(packet.gsr, dtype="<u2").tobytes()
        + ppg.view(np.uint8).reshape(n, 4)[:, :3].tobytes()
    )
    return body + struct.pack("<H", binascii.crc_hqx(body, 0xFFFF))


def decode_packet(data: bytes) -> BandPacket:
    """Read a packet, checking version, length, count and CRC-16/CCITT-FALSE.

    Raises
    ------
    PacketError
        If any of these is wrong.
    """
    if len(data) < _HEADER.size + 2:
        raise PacketError(f"{len(data)} bytes are no packet")
    version, flags, sequence, time_ms, n = _HEADER.unpack_from(data)
    if version != VERSION:
        raise PacketError(f"packet version {version}, known is {VERSION}")
    if not 1 <= n <= MOST_SAMPLES:
        raise PacketError(f"{n} samples in a packet")
    if len(data) != _HEADER.size + 5 * n + 2:
        raise PacketError(f"{len(data)} bytes for {n} samples")
    (crc,) = struct.unpack_from("<H", data, len(data) - 2)
    if binascii.crc_hqx(data[:-2], 0xFFFF) != crc:
        raise PacketError("the checksum is wrong")
    gsr = np.frombuffer(data, dtype="<u2", count=n, offset=_HEADER.size)
    raw = np.frombuffer(data, dtype=np.uint8, count=3 * n, offset=_HEADER.size + 2 * n)
    ppg = np.zeros((n, 4), np.uint8)
    ppg[:, :3] = raw.reshape(n, 3)
    return BandPacket(sequence, time_ms, gsr, ppg.view("<u4")[:, 0], flags)


@dataclass(frozen=True, slots=True)
class BandStatus:
    """One `status` notification: battery in percent, contacts, samples dropped in the device."""

    battery_percent: int
    contact: int
    dropped: int


def encode_status(status: BandStatus) -> bytes:
    """The bytes of a status, as a band sends them."""
    return _STATUS.pack(status.battery_percent, status.contact, status.dropped)


def decode_status(data: bytes) -> BandStatus:
    """Read a status.

    Raises
    ------
    PacketError
        If the length or the percentage is wrong.
    """
    if len(data) != _STATUS.size:
        raise PacketError(f"a status has {_STATUS.size} bytes, not {len(data)}")
    status = BandStatus(*_STATUS.unpack(data))
    if status.battery_percent > 100:
        raise PacketError(f"a battery at {status.battery_percent} %")
    return status


@dataclass(frozen=True, slots=True)
class BandInfo:
    """What the `info` characteristic holds."""

    device: DeviceInfo
    gsr_fs_hz: float
    ppg_fs_hz: float

    @classmethod
    def parse(cls, data: bytes) -> BandInfo:
        """Read the JSON of `info`.

        Raises
        ------
        ProtocolError
            If it is no such JSON or promises signals that we cannot take.
        """
        if len(data) > _INFO_LIMIT:
            raise ProtocolError(f"the band's description has {len(data)} bytes, allowed are 200")
        try:
            told = json.loads(data.decode("utf-8"))
        except (UnicodeDecodeError, ValueError):
            told = None
        if not isinstance(told, dict):
            raise ProtocolError("the band's description cannot be read", "Update its firmware.")
        rates = [told.get(f"{name}_fs_hz") for name in ("gsr", "ppg")]
        for rate in rates:
            if not isinstance(rate, (int, float)) or not 1.0 <= rate <= 2000.0:
                raise ProtocolError(f"the band promises a sampling rate of {plain_text(rate)} Hz")
        if rates[0] != rates[1]:
            raise ProtocolError("the band samples GSR and PPG at different rates")
        device = DeviceInfo(*(plain_text(told.get(k, "")) for k in ("model", "serial", "firmware")))
        return cls(device, float(rates[0] or 0), float(rates[1] or 0))


class UndertoneBand:
    """Reads a band's notifications; see `GattProfile`.

    Parameters
    ----------
    fs_hz : float
        Sampling rate until `take_info` tells the band's own.
    """

    name = "Undertone band"
    service = SERVICE
    required: Mapping[str, frozenset[str]] = {
        INFO: frozenset({"read"}),
        SIGNALS: frozenset({"notify"}),
        STATUS: frozenset({"notify"}),
        CONTROL: frozenset({"write"}),
    }
    notifying = (STATUS, SIGNALS)
    info: str | None = INFO
    start: tuple[tuple[str, bytes], ...] = ((CONTROL, START),)
    stop: tuple[tuple[str, bytes], ...] = ((CONTROL, STOP),)
    channels = frozenset({Channel.GSR, Channel.PPG})

    def __init__(self, fs_hz: float = 128.0) -> None:
        self._fs_hz = fs_hz
        self._rate = RateGuard(fs_hz)
        self._fault: ProtocolError | None = None
        self._counters = Counters()
        self._battery: int | None = None
        self._clock = ClockFit()
        self._sequence = Unwrapper(65536)
        self._time = Unwrapper(2**32)
        self._last_sequence: int | None = None
        self._next_ms = 0.0
        self._end_s = 0.0
        self._seen: deque[bytes] = deque(maxlen=_SEEN)
        self._flags = FLAG_GSR_CONTACT | FLAG_PPG_CONTACT
        self._after_break = False
        self._dropped_base: int | None = None

    @property
    def counters(self) -> Counters:
        return self._counters

    @property
    def fault(self) -> ProtocolError | None:
        return self._fault

    @property
    def battery_percent(self) -> int | None:
        return self._battery

    @property
    def fs_hz(self) -> float:
        return self._fs_hz

    def take_info(self, data: bytes) -> DeviceInfo:
        told = BandInfo.parse(data)
        if told.ppg_fs_hz != self._fs_hz:
            self._fs_hz = told.ppg_fs_hz
            self._rate = RateGuard(self._fs_hz)
            self._restart()
        return told.device

    def link_lost(self) -> None:
        self._after_break = True

    def feed(self, characteristic: str, data: bytes, arrival_s: float) -> list[Delivery]:
        try:
            if characteristic == STATUS:
                return self._take_status(decode_status(data))
            if characteristic == SIGNALS:
                return self._take_packet(bytes(data), arrival_s)
        except PacketError:
            self._count(corrupt=1)
        return []

    # -- status ---------------------------------------------------------------

    def _take_status(self, status: BandStatus) -> list[Delivery]:
        self._battery = status.battery_percent
        before = self._dropped_base
        self._dropped_base = status.dropped
        if before is not None and status.dropped > before:
            self._count(dropped_in_device=status.dropped - before)
        return []

    # -- signals ----------------------------------------------------------------

    def _take_packet(self, data: bytes, arrival_s: float) -> list[Delivery]:
        packet = decode_packet(data)
        if data in self._seen:  # the whole packet: a band that began anew repeats its numbers
            self._count(duplicate=1)
            return []
        if not self._rate.allow(len(packet.gsr), arrival_s):
            self._fault = ProtocolError(
                f"The band sends far more than its {self._fs_hz:.0f} samples a second",
                "Restart it, or update its firmware.",
            )
            self._count(dropped=1)
            return []
        notes: list[Delivery] = []
        sequence = self._sequence.unwrap(packet.sequence)
        time_ms = self._time.unwrap(packet.time_ms)
        lost = 0
        restarted = False
        if self._last_sequence is not None:
            step_s = (time_ms - self._next_ms) / 1000.0
            ahead = sequence - self._last_sequence
            if step_s < -_LATE_S or (step_s > _LEAP_S and not self._after_break):
                restarted = True
                notes.append(Annotation(arrival_s, AnnotationKind.CLOCK_RESET))
                self._restart()
                sequence, time_ms = packet.sequence, packet.time_ms
            elif ahead <= 0 and not (self._after_break and step_s >= 0.0):
                self._count(reordered=1)
                return []
            elif not (ahead == 1 and abs(step_s) < _JITTER_S):
                lost = self._missing(step_s * self._fs_hz, (ahead - 1) * len(packet.gsr))
        n = len(packet.gsr)
        self._seen.append(data)
        self._last_sequence = sequence
        self._sequence.take(sequence)
        self._time.take(time_ms)
        self._next_ms = time_ms + 1000.0 * n / self._fs_hz
        self._clock.add(self._next_ms / 1000.0, arrival_s)
        t0_s = self._clock.to_host(time_ms / 1000.0)
        if restarted:  # only the host's clock knows how long it was away
            lost = max(0, round((t0_s - self._end_s) * self._fs_hz))
        self._end_s = t0_s + n / self._fs_hz
        self._count(packets=1, samples=n, lost=lost)
        if self._after_break:
            self._after_break = False
            notes.append(Annotation(t0_s, AnnotationKind.RECONNECTED))
        if lost:
            text = f"{lost} samples are missing before this"
            notes.append(Annotation(t0_s, AnnotationKind.GAP, text=text))
        notes += self._flag_changes(packet.flags, t0_s)
        gsr = packet.gsr.astype(np.float32) * np.float32(_GSR_STEP_US)
        for channel, values in ((Channel.GSR, gsr), (Channel.PPG, packet.ppg.astype(np.float32))):
            notes.append(SignalChunk(channel, t0_s, self._fs_hz, values, channel.unit, lost))
        return notes

    def _missing(self, by_time: float, by_sequence: int) -> int:
        """Samples that a gap lacks: packets are exact where the coarse time stamps agree."""
        if abs(by_time - by_sequence) <= 1.0 + 0.002 * self._fs_hz:
            return by_sequence
        return max(0, round(by_time))

    def _flag_changes(self, flags: int, t_s: float) -> list[Delivery]:
        before, self._flags = self._flags, flags
        notes: list[Delivery] = []
        for bit, channel in ((FLAG_GSR_CONTACT, Channel.GSR), (FLAG_PPG_CONTACT, Channel.PPG)):
            if (before ^ flags) & bit:
                kind = AnnotationKind.CONTACT_BACK if flags & bit else AnnotationKind.CONTACT_LOST
                notes.append(Annotation(t_s, kind, channel))
        if flags & ~before & FLAG_CLIPPING:
            notes.append(Annotation(t_s, AnnotationKind.CLIPPING))
        return notes

    def _restart(self) -> None:
        self._clock.reset()
        self._sequence.reset()
        self._time.reset()
        self._last_sequence = None
        self._seen.clear()

    def _count(self, **more: int) -> None:
        self._counters = self._counters.add(**more)


def encode_info(*, model: str, serial: str, firmware: str, fs_hz: float) -> bytes:
    """The JSON of `info`, as a band gives it."""
    told = {
        "model": model,
        "serial": serial,
        "firmware": firmware,
        "gsr_fs_hz": fs_hz,
        "ppg_fs_hz": fs_hz,
        "units": "0.001uS,24bit",
    }
    return json.dumps(told, separators=(",", ":")).encode()
