"""The band: samples at 128 Hz by a timer, packets over Bluetooth Low Energy.

Nothing is sent or measured until a central writes 01 to `control`; 00 or a broken link ends it.
"""

import asyncio
import time

import bluetooth
import packets
from micropython import const

FS_HZ = 128
FIRMWARE = "1.0"

_CONNECTED, _DISCONNECTED, _WRITTEN, _MTU = const(1), const(2), const(3), const(21)
_READ, _WRITE, _NOTIFY = const(0x0002), const(0x0008), const(0x0010)
_ADVERTISING_US = const(250_000)
_STATUS_MS = const(10_000)
_LOOK_MS = const(4)


def _uuid(number):
    return bluetooth.UUID(f"4b1d{number:04x}-6f2e-5c0a-9d3e-7a51c0de0b0d")


def advertisement(service, name):
    """(advertising data, scan response): flags and service in 31 bytes, the name in the answer."""
    uuid = bytes(service)
    flags = b"\x02\x01\x06"
    told = name.encode()[:29]
    return (
        flags + bytes((len(uuid) + 1, 0x07)) + uuid,
        bytes((len(told) + 1, 0x09)) + told,
    )


class Band:
    """The GATT service around a `tick` that a timer calls 128 times a second.

    ble: bluetooth.BLE(). gsr, ppg: objects with read(): uS, and 18-bit light. battery: a callable
    that gives percent. ticks: time.ticks_ms or the like.
    """

    def __init__(self, ble, gsr, ppg, serial, name="Undertone", battery=lambda: 100, ticks=None):
        self._ble = ble
        self._gsr = gsr
        self._ppg = ppg
        self._battery = battery
        self._ticks = ticks or time.ticks_ms
        self._clock = packets.DeviceClock()
        self._ring = packets.SampleRing()
        self._packets = packets.Packetiser(self._ring)
        self._link = None
        self._told_ms = None
        self._told_contact = -1
        self._unsent = 0
        self.streaming = False
        self.faults = 0
        ble.active(True)
        ble.config(gap_name=name, mtu=128)
        ble.irq(self._irq)
        self._register(serial)
        self._service = _uuid(1)
        self._name = name
        self._advertise()

    def _register(self, serial):
        characteristics = tuple(
            (_uuid(i), flags) for i, flags in ((2, _READ), (3, _NOTIFY), (4, _NOTIFY), (5, _WRITE))
        )
        services = ((_uuid(1), characteristics),)
        ((info, self._signals, self._status, self._control),) = self._ble.gatts_register_services(
            services
        )
        told = packets.encode_info("Undertone reference band", serial, FIRMWARE, FS_HZ)
        self._ble.gatts_set_buffer(info, len(told))
        self._ble.gatts_write(info, told)

    def _advertise(self):
        data, answer = advertisement(self._service, self._name)
        self._ble.gap_advertise(_ADVERTISING_US, adv_data=data, resp_data=answer)

    def _irq(self, event, data):
        if event == _CONNECTED:
            self._link = data[0]
            self._packets.samples = 1  # the default MTU holds one
        elif event == _DISCONNECTED:
            self._link = None
            self._stop()
            self._advertise()
        elif event == _MTU:
            self._packets.samples = packets.samples_for(data[1])
        elif event == _WRITTEN and data[1] == self._control:
            order = self._ble.gatts_read(self._control)
            if order == b"\x01":
                self._start()
            elif order == b"\x00":
                self._stop()

    def _start(self):
        self._ring.clear()
        self._told_ms = None
        self.streaming = True

    def _stop(self):
        self.streaming = False

    @property
    def dropped(self):
        """Samples that were measured, or were to be, and never sent."""
        return self._ring.dropped + self._unsent

    def tick(self, _=None):
        """Measure once; the timer calls it. A sensor that fails costs this sample, no more."""
        ms = self._clock.at(self._ticks())
        if not self.streaming:
            return
        try:
            gsr, ppg = packets.to_steps(self._gsr.read()), self._ppg.read()
        except OSError:
            self.faults += 1
            self._unsent += 1
            return
        self._ring.put(ms, gsr, ppg)

    def send(self):
        """Send what waits; True if something was sent."""
        if self._link is None or not self.streaming:
            return False
        data = self._packets.next()
        if data is not None:
            try:
                self._ble.gatts_notify(self._link, self._signals, data)
            except OSError:  # the radio's buffers are full: the reader sees the gap by the time
                self._unsent += (len(data) - 11) // 5
        self._send_status()
        return data is not None

    def _send_status(self):
        now, contact = self._ticks(), self._packets.contact
        due = self._told_ms is None or time.ticks_diff(now, self._told_ms) >= _STATUS_MS
        if not due and contact == self._told_contact:
            return
        self._told_ms, self._told_contact = now, contact
        status = packets.encode_status(self._battery(), contact, self.dropped)
        try:
            self._ble.gatts_notify(self._link, self._status, status)
        except OSError:
            self._told_ms = None  # again with the next packet

    async def run(self):
        """Send for ever."""
        while True:
            while self.send():
                pass
            await asyncio.sleep_ms(_LOOK_MS)
