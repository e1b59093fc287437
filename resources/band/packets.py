"""Packets of the Undertone band GATT profile, version 1: pure code, for MicroPython and CPython.

Nothing here touches hardware; the program's tests run this very file under both interpreters and
compare its bytes with what the reader (app/wristband/profiles/undertone_band.py) expects.
"""

import json
import struct
from array import array

VERSION = 1
MOST_SAMPLES = 16
GSR_CONTACT, PPG_CONTACT, CLIPPING = 1, 2, 4

_HEADER = "<BBHIB"
_HEADER_BYTES = 9
_CRC_BYTES = 2
_ATT_BYTES = 3
_U32 = 0xFFFFFFFF
_SLACK_MS = 50


def _crc_table():
    table = array("H")
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return table


_CRC = _crc_table()


def crc16(data):
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, nothing reflected."""
    crc = 0xFFFF
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ _CRC[(crc >> 8) ^ byte]
    return crc


def samples_for(mtu):
    """Samples a packet that fit into an ATT MTU: 1 with the default of 23, 8 from 54 on."""
    room = (mtu - _ATT_BYTES - _HEADER_BYTES - _CRC_BYTES) // 5
    return max(1, min(8, room))


def encode_packet(sequence, time_ms, gsr, ppg, flags):
    """The bytes of one `signals` notification.

    sequence counts packets and wraps at 2^16; time_ms is the device's time of the first sample and
    wraps at 2^32; gsr holds steps of 0.001 uS (16 bits), ppg light units (24 bits), both as many.
    """
    n = len(gsr)
    if n != len(ppg) or not 1 <= n <= MOST_SAMPLES:
        raise ValueError("a packet has 1 to 16 samples of each signal")
    data = bytearray(_HEADER_BYTES + 5 * n + _CRC_BYTES)
    struct.pack_into(_HEADER, data, 0, VERSION, flags, sequence & 0xFFFF, time_ms & _U32, n)
    at = _HEADER_BYTES
    for value in gsr:
        struct.pack_into("<H", data, at, value)
        at += 2
    for value in ppg:
        if not 0 <= value < 1 << 24:
            raise ValueError("a PPG sample has 24 bits")
        data[at] = value & 0xFF
        data[at + 1] = (value >> 8) & 0xFF
        data[at + 2] = value >> 16
        at += 3
    struct.pack_into("<H", data, at, crc16(memoryview(data)[:at]))
    return bytes(data)


def encode_status(battery_percent, contact, dropped):
    """The bytes of one `status` notification: battery, contact bits, samples dropped in here."""
    return struct.pack("<BBI", max(0, min(100, battery_percent)), contact, dropped & _U32)


def encode_info(model, serial, firmware, fs_hz):
    """The JSON that the `info` characteristic holds, 200 bytes at most."""
    told = {
        "model": model,
        "serial": serial,
        "firmware": firmware,
        "gsr_fs_hz": fs_hz,
        "ppg_fs_hz": fs_hz,
        "units": "0.001uS,24bit",
    }
    data = json.dumps(told).encode()
    if len(data) > 200:
        raise ValueError("the description is longer than 200 bytes")
    return data


def to_steps(conductance_us):
    """Conductance in uS as steps of 0.001 uS that fit 16 bits: what is beyond stays at the end."""
    return max(0, min(0xFFFF, int(conductance_us * 1000.0 + 0.5)))


def behind_resistor(measured_us, series_ohm):
    """Conductance of the skin, uS, where `measured_us` is that of skin and resistor in series."""
    rest = 1.0 - 1e-6 * measured_us * series_ohm
    return measured_us / rest if rest > 1e-3 else 1000.0


def fit_line(volts, conductance_us):
    """Gain (uS a volt) and offset (uS) of the front end, from readings of known resistors.

    Least squares; two readings or more, at different voltages.
    """
    n = len(volts)
    mean_v, mean_g = sum(volts) / n, sum(conductance_us) / n
    spread = sum((v - mean_v) ** 2 for v in volts)
    if n < 2 or spread < 1e-9:
        raise ValueError("two different resistors are needed")
    gain = sum((v - mean_v) * (g - mean_g) for v, g in zip(volts, conductance_us)) / spread
    return gain, mean_g - gain * mean_v


class DeviceClock:
    """Milliseconds since power-on that wrap at 2^32, from ticks that wrap earlier.

    MicroPython's ticks_ms() wraps at 2^30 on most ports. Ask at least once a period.
    """

    def __init__(self, period=1 << 30):
        self._mask = period - 1
        self._last = None
        self._ms = 0

    def at(self, ticks):
        """The time that belongs to `ticks`, which never go back."""
        if self._last is not None:
            self._ms = (self._ms + ((ticks - self._last) & self._mask)) & _U32
        self._last = ticks
        return self._ms


class SampleRing:
    """Samples between the timer, which must not wait or allocate, and the radio, which may.

    One side only calls `put`, the other only `take`. What finds no room is dropped and counted.
    """

    def __init__(self, size=256):
        self._size = size
        self._gsr = array("H", bytes(2 * size))
        self._ppg = array("I", bytes(4 * size))
        self._ms = array("I", bytes(4 * size))
        self._put = 0
        self._taken = 0
        self.dropped = 0

    def __len__(self):
        return self._put - self._taken

    def put(self, ms, gsr, ppg):
        """Keep one sample of both signals, measured at `ms`."""
        if self._put - self._taken >= self._size:
            self.dropped += 1
            return
        at = self._put % self._size
        self._gsr[at] = gsr
        self._ppg[at] = ppg
        self._ms[at] = ms
        self._put += 1

    def unbroken(self, n, slack_ms):
        """How many of the oldest n samples follow each other within `slack_ms`."""
        n = min(n, len(self))
        for i in range(1, n):
            before = self._ms[(self._taken + i - 1) % self._size]
            if (self._ms[(self._taken + i) % self._size] - before) & _U32 > slack_ms:
                return i
        return n

    def take(self, n):
        """The oldest n samples: (time of the first, GSR, PPG). There must be as many."""
        at = [(self._taken + i) % self._size for i in range(n)]
        taken = self._ms[at[0]], [self._gsr[i] for i in at], [self._ppg[i] for i in at]
        self._taken += n
        return taken

    def clear(self):
        """Forget what waits; it was never meant to be sent."""
        self._taken = self._put


class Packetiser:
    """Samples in, packets out, with sequence and flags.

    A packet never spans a gap: where samples were dropped the next one begins with the first
    sample after it, and its time says how much is missing.
    """

    def __init__(self, ring, contact_us=0.02, dark=5000, ceiling=(1 << 18) - 1):
        self._ring = ring
        self._contact = int(contact_us * 1000)
        self._dark = dark
        self._ceiling = ceiling
        self.samples = 1
        self.sequence = 0
        self.contact = 0

    def next(self):
        """The next packet, or None while there are not enough samples."""
        if len(self._ring) < self.samples:
            return None
        ms, gsr, ppg = self._ring.take(self._ring.unbroken(self.samples, _SLACK_MS))
        data = encode_packet(self.sequence, ms, gsr, ppg, self._flags(gsr, ppg))
        self.sequence = (self.sequence + 1) & 0xFFFF
        return data

    def _flags(self, gsr, ppg):
        flags = 0
        if max(gsr) >= self._contact:
            flags |= GSR_CONTACT
        # PPG is sent upside down (more blood is more): without skin hardly any light comes back,
        # and the value rests near the ceiling.
        if min(ppg) <= self._ceiling - self._dark:
            flags |= PPG_CONTACT
        if max(gsr) == 0xFFFF or min(ppg) == 0:
            flags |= CLIPPING
        self.contact = flags & (GSR_CONTACT | PPG_CONTACT)
        return flags
