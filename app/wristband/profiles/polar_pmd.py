"""Polar Verity Sense and OH1 by the Polar Measurement Data service: PPG at 55 Hz, no GSR.

Frames as in Polar's published description of the service: type u8, u64 LE nanoseconds since
2000-01-01 of the last sample, frame type u8; type 0x80 holds reference samples (s24) and packed
deltas, type 0 plain s24 samples. The contact flag cannot be trusted and is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.wristband.clock_fit import ClockFit
from app.wristband.profiles.base import DeviceInfo, ProtocolError, RateGuard
from app.wristband.source import Annotation, AnnotationKind, Counters, Delivery
from inference.physio.signals import Channel, SignalChunk

__all__ = ["CONTROL", "DATA", "SERVICE", "PolarPmd", "decode_frame", "encode_frame"]

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
FS_HZ = 55.0

_PPG = 0x01
_COMPRESSED = 0x80
_CHANNELS = 4  # three lights and the ambient
_HEADER = struct.Struct("<BQB")
_START_PPG = bytes(
    # start, PPG; rate: one u16, 55 Hz; resolution: one u16, 22 bit; channels: one u8, 4
    (0x02, 0x01, 0x00, 0x01, 0x37, 0x00, 0x01, 0x01, 0x16, 0x00, 0x04, 0x01, 0x04)
)
_STOP_PPG = bytes((0x03, 0x01))
_MOST_SAMPLES = 1024
_MOST_BITS = 32
_LATE_S = 2.0

Frame = tuple[int, NDArray[np.int32]]


def decode_frame(data: bytes) -> Frame:
    """Read a PPG frame.

    Returns
    -------
    time_ns : int
        Of the last sample, device clock.
    samples : ndarray, shape (n, 4), int32
        Three lights and the ambient.

    Raises
    ------
    ValueError
        If it is no PPG frame, of an unknown type, or cut short.
    """
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes are no frame")
    kind, time_ns, frame_type = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if kind != _PPG or frame_type & ~_COMPRESSED:
        raise ValueError(f"measurement {kind}, frame type {frame_type:#x}: not plain PPG")
    if frame_type & _COMPRESSED:
        return time_ns, _decompress(body)
    if not body or len(body) % (3 * _CHANNELS):
        raise ValueError("a sample is cut short")
    return time_ns, _s24(body).reshape(-1, _CHANNELS)


def _s24(data: bytes) -> NDArray[np.int32]:
    raw = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
    value = raw[:, 0] | raw[:, 1] << 8 | raw[:, 2] << 16
    signed: NDArray[np.int32] = np.where(value & 0x800000, value - 0x1000000, value)
    return signed.astype(np.int32)


def _decompress(body: bytes) -> NDArray[np.int32]:
    reference = 3 * _CHANNELS
    if len(body) < reference:
        raise ValueError("the reference sample is cut short")
    rows = [_s24(body[:reference]).reshape(1, _CHANNELS).astype(np.int64)]
    total, offset = 1, reference
    while offset < len(body):
        if offset + 2 > len(body):
            raise ValueError("a block's head is cut short")
        bits, count = body[offset], body[offset + 1]
        length = (bits * count * _CHANNELS + 7) // 8
        block = body[offset + 2 : offset + 2 + length]
        total += count
        if not 1 <= bits <= _MOST_BITS or len(block) < length or total > _MOST_SAMPLES:
            raise ValueError(f"a block of {count} deltas of {bits} bits in {len(block)} bytes")
        flags = np.unpackbits(np.frombuffer(block, np.uint8), bitorder="little")
        fields = flags[: bits * count * _CHANNELS].reshape(count, _CHANNELS, bits).astype(np.int64)
        weights = np.left_shift(np.int64(1), np.arange(bits, dtype=np.int64))
        weights[-1] = -weights[-1]  # two's complement
        rows.append(rows[-1][-1] + np.cumsum(fields @ weights, axis=0))
        offset += 2 + length
    samples = np.concatenate(rows)
    if np.abs(samples).max() >= 1 << 31:
        raise ValueError("the deltas run beyond 32 bits")
    return samples.astype(np.int32)


def encode_frame(time_ns: int, samples: NDArray[np.int32], bits: int = 16) -> bytes:
    """A compressed frame as a Verity Sense sends it: for virtual bands.

    Raises
    ------
    ValueError
        If a delta does not fit into `bits`.
    """
    first, deltas = samples[0], samples[1:].astype(np.int64) - samples[:-1]
    if deltas.size and not (-(1 << bits - 1) <= deltas.min() and deltas.max() < 1 << bits - 1):
        raise ValueError(f"a delta does not fit into {bits} bits")
    out = _HEADER.pack(_PPG, time_ns, _COMPRESSED)
    out += b"".join(int(v).to_bytes(3, "little", signed=True) for v in first)
    for start in range(0, len(deltas), 255):
        block = deltas[start : start + 255]
        fields = (block.reshape(-1, 1) >> np.arange(bits)) & 1
        packed = np.packbits(fields.astype(np.uint8).ravel(), bitorder="little").tobytes()
        out += bytes((bits, len(block))) + packed
    return out


class PolarPmd:
    """Reads a Polar optical band; see `GattProfile`.

    Notes
    -----
    The PPG channel is the mean of the three lights less the ambient light.
    """

    name = "Polar optical band"
    service = SERVICE
    required: Mapping[str, frozenset[str]] = {
        CONTROL: frozenset({"write"}),
        DATA: frozenset({"notify"}),
    }
    notifying = (CONTROL, DATA)
    info: str | None = None
    start: tuple[tuple[str, bytes], ...] = ((CONTROL, _START_PPG),)
    stop: tuple[tuple[str, bytes], ...] = ((CONTROL, _STOP_PPG),)
    channels = frozenset({Channel.PPG})
    battery_percent: int | None = None

    def __init__(self) -> None:
        self._counters = Counters()
        self._rate = RateGuard(FS_HZ)
        self._fault: ProtocolError | None = None
        self._clock = ClockFit()
        self._base_ns: int | None = None
        self._end_s = 0.0
        self._last_ns = -1
        self._after_break = False

    @property
    def counters(self) -> Counters:
        return self._counters

    @property
    def fault(self) -> ProtocolError | None:
        return self._fault

    def take_info(self, data: bytes) -> DeviceInfo:
        return DeviceInfo()

    def link_lost(self) -> None:
        self._after_break = True

    def feed(self, characteristic: str, data: bytes, arrival_s: float) -> list[Delivery]:
        if characteristic != DATA:
            return []
        try:
            time_ns, samples = decode_frame(data)
        except ValueError:
            self._counters = self._counters.add(corrupt=1)
            return []
        return self._take(time_ns, samples, arrival_s)

    def _take(self, time_ns: int, samples: NDArray[np.int32], arrival_s: float) -> list[Delivery]:
        notes: list[Delivery] = []
        n = len(samples)
        if not self._rate.allow(n, arrival_s):
            self._fault = ProtocolError(
                f"The band sends far more than {FS_HZ:.0f} samples a second", "Restart it."
            )
            self._counters = self._counters.add(dropped=1)
            return []
        if self._base_ns is None:
            self._base_ns = time_ns
        if time_ns == self._last_ns:
            self._counters = self._counters.add(duplicate=1)
            return []
        end_s = (time_ns - self._base_ns) / 1e9
        start_s = end_s - (n - 1) / FS_HZ
        lost = 0
        if self._last_ns >= 0:
            step_s = start_s - self._end_s
            if end_s <= self._end_s - _LATE_S:  # the band's clock was set
                notes.append(Annotation(arrival_s, AnnotationKind.CLOCK_RESET))
                self._clock.reset()
                self._base_ns, end_s = time_ns, 0.0
                start_s = -(n - 1) / FS_HZ
            elif time_ns < self._last_ns:
                self._counters = self._counters.add(reordered=1)
                return []
            else:
                lost = max(0, round(step_s * FS_HZ))
        self._last_ns, self._end_s = time_ns, end_s + 1.0 / FS_HZ
        self._clock.add(end_s, arrival_s)
        t0_s = self._clock.to_host(start_s)
        self._counters = self._counters.add(packets=1, samples=n, lost=lost)
        if self._after_break:
            self._after_break = False
            notes.append(Annotation(t0_s, AnnotationKind.RECONNECTED))
        if lost:
            text = f"{lost} samples are missing before this"
            notes.append(Annotation(t0_s, AnnotationKind.GAP, text=text))
        light = samples[:, :3].mean(axis=1) - samples[:, 3]
        notes.append(
            SignalChunk(Channel.PPG, t0_s, FS_HZ, light.astype(np.float32), Channel.PPG.unit, lost)
        )
        return notes
