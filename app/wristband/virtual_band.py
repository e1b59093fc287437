"""A wristband without hardware: an Undertone band on a virtual link, with faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink
from numpy.typing import NDArray

from app.wristband.profiles import undertone_band as profile
from app.wristband.profiles.undertone_band import BandPacket, BandStatus

__all__ = ["BAND_ADDRESS", "Faults", "VirtualBand", "power_on", "virtual_pair"]

BAND_ADDRESS = "F0:F1:F2:F3:F4:F5"
_ADVERTISING_MS = 100.0
_CENTRAL_ADDRESS = "C0:C1:C2:C3:C4:C5"

Generator = Callable[[int, int], tuple[NDArray[np.uint16], NDArray[np.uint32]]]
"""(first sample, count) -> GSR in 0.001 uS and PPG in 24 bits, from a listener."""


def resting(first: int, count: int, fs_hz: float = 128.0) -> tuple[NDArray[Any], NDArray[Any]]:
    """A plain resting signal: 2 uS with a slow wave, and a pulse of 72 beats a minute."""
    t = np.arange(first, first + count) / fs_hz
    gsr = np.round(2000 + 100 * np.sin(2 * np.pi * t / 20)).astype(np.uint16)
    beat = np.exp(-((((t * 1.2) % 1.0) - 0.3) ** 2) / 0.01)
    return gsr, np.round(500_000 + 40_000 * beat).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities, a packet each, of what can go wrong on the way."""

    lose: float = 0.0
    corrupt: float = 0.0
    duplicate: float = 0.0


async def power_on(link: LocalLink, address: str, name: str) -> Device:
    """A Bumble device on `link`, ready to advertise or to scan."""
    controller = Controller(name, link=link, public_address=address)
    host = Host(controller, AsyncPipeSink(controller))
    device = Device(name=name, address=Address(address), host=host)
    await device.power_on()
    return device


class VirtualBand:
    """An Undertone band that advertises, connects and streams over a virtual link.

    Parameters
    ----------
    generator : callable
        The listener's signals.
    samples : int
        Samples a packet.
    faults : Faults
    speed : float
        1 for real time; higher sends faster than the rate that it promises.
    required : dict, optional
        Characteristics to leave out or to change, for tests: UUID -> None
        or Bumble properties.
    """

    def __init__(
        self,
        generator: Generator = resting,
        *,
        fs_hz: float = 128.0,
        samples: int = 8,
        name: str = "Undertone",
        serial: str = "VIRTUAL-1",
        faults: Faults = Faults(),
        speed: float = 1.0,
        seed: int = 0,
        changed: dict[str, Any] | None = None,
    ) -> None:
        self._generator = generator
        self._fs_hz = fs_hz
        self._samples = samples
        self._name = name
        self._serial = serial
        self.faults = faults
        self._speed = speed
        self._rng = random.Random(seed)
        self._changed = changed or {}
        self._device: Any = None
        self._signals: Any = None
        self._status: Any = None
        self._running: asyncio.Task[None] | None = None
        self._index = 0
        self._begun: float | None = None
        self._again: asyncio.Task[None] | None = None
        self._off = False
        self.stalled = False
        """Set to stay connected and send nothing."""
        self.sent = 0
        """Packets that were made; `lost`, `corrupted`, `duplicated` say what became of them."""
        self.lost = 0
        self.corrupted = 0
        self.duplicated = 0

    async def start(self, link: LocalLink) -> None:
        """Switch on: advertise on `link`."""
        self._device = await power_on(link, BAND_ADDRESS, self._name)
        self._offer()
        self._device.on("connection", self._on_connection)
        await self._advertise()

    def change(self, changed: dict[str, Any]) -> None:
        """Offer other characteristics, to whoever connects next: UUID -> None or properties."""
        self._changed = changed
        server = self._device.gatt_server
        for kept in (server.attributes, server.attributes_by_handle, server.services):
            kept.clear()
        self._offer()

    def _offer(self) -> None:
        properties = Characteristic.Properties
        info = profile.encode_info(
            model="Undertone virtual band", serial=self._serial, firmware="1", fs_hz=self._fs_hz
        )
        wanted = {
            profile.INFO: (properties.READ, info),
            profile.SIGNALS: (properties.NOTIFY, b""),
            profile.STATUS: (properties.NOTIFY, b""),
            profile.CONTROL: (properties.WRITE, CharacteristicValue(write=self._on_control)),
        }
        made = {}
        for uuid, (offers, value) in wanted.items():
            if uuid in self._changed and self._changed[uuid] is None:
                continue
            permissions = Characteristic.READABLE | Characteristic.WRITEABLE
            made[uuid] = Characteristic(
                UUID(uuid), self._changed.get(uuid, offers), permissions, value
            )
        self._signals, self._status = made.get(profile.SIGNALS), made.get(profile.STATUS)
        self._device.add_service(Service(UUID(profile.SERVICE), list(made.values())))

    async def stop(self) -> None:
        """Switch off: break the link and stop advertising."""
        self._off = True
        await self._stop_streaming()
        for connection in list(self._device.connections.values()):
            with contextlib.suppress(Exception):
                await connection.disconnect()
        if self._again is not None:
            await asyncio.wait({self._again}, timeout=1.0)
        with contextlib.suppress(Exception):
            await self._device.stop_advertising()
        with contextlib.suppress(Exception):
            await self._device.power_off()

    async def drop_link(self) -> None:
        """Break the link from the band's side; it advertises again at once."""
        for connection in list(self._device.connections.values()):
            await connection.disconnect()

    @property
    def streaming(self) -> bool:
        return self._running is not None

    async def send(self, data: bytes) -> None:
        """Send any bytes as a `signals` notification."""
        await self._device.notify_subscribers(self._signals, data)

    async def send_status(self, battery_percent: int, dropped: int = 0) -> None:
        """Send a `status` notification."""
        status = profile.encode_status(BandStatus(battery_percent, 3, dropped))
        await self._device.notify_subscribers(self._status, status)

    async def _advertise(self) -> None:
        data = AdvertisingData(
            [
                (AdvertisingData.FLAGS, bytes([0x06])),
                (
                    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                    bytes(UUID(profile.SERVICE)),
                ),
                # 31 bytes in all: what is left for the name is eight
                (AdvertisingData.COMPLETE_LOCAL_NAME, self._name.encode()[:8]),
            ]
        )
        await self._device.start_advertising(
            auto_restart=False,
            advertising_data=bytes(data),
            advertising_interval_min=_ADVERTISING_MS,
            advertising_interval_max=_ADVERTISING_MS,
        )

    def _on_connection(self, connection: Any) -> None:
        connection.on("disconnection", self._on_disconnection)

    def _on_disconnection(self, *_: Any) -> None:
        loop = asyncio.get_running_loop()
        self._again = loop.create_task(self._after_disconnection())

    async def _after_disconnection(self) -> None:
        await self._stop_streaming()
        if not self._off:
            with contextlib.suppress(Exception):
                await self._advertise()

    def _on_control(self, _: Any, value: bytes) -> None:
        if value == profile.START and self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._stream())
        elif value == profile.STOP and self._running is not None:
            self._running.cancel()
            self._running = None

    async def _stop_streaming(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait({running}, timeout=1.0)

    async def _stream(self) -> None:
        """Send at the pace of the sampling, as a band's timer does."""
        loop = asyncio.get_running_loop()
        period_s = self._samples / self._fs_hz
        if self._begun is None:
            self._begun = loop.time()
        # The band samples on while it is stalled or not connected: its clock does not stop.
        self._index = max(self._index, int((loop.time() - self._begun) * self._speed / period_s))
        await self.send_status(90)
        while True:
            due = self._begun + (self._index + 1) * period_s / self._speed
            await asyncio.sleep(max(0.0, due - loop.time()))
            index, self._index = self._index, self._index + 1
            if not self.stalled:
                await self._send_packet(index)

    async def _send_packet(self, index: int) -> None:
        start = index * self._samples
        gsr, ppg = self._generator(start, self._samples)
        data = profile.encode_packet(
            BandPacket(index % 65536, round(1000.0 * start / self._fs_hz), gsr, ppg)
        )
        self.sent += 1
        fate = self._rng.random()
        faults = self.faults
        if fate < faults.lose:
            self.lost += 1
            return
        if fate < faults.lose + faults.corrupt:
            self.corrupted += 1
            damaged = bytearray(data)
            damaged[self._rng.randrange(len(damaged))] ^= 1 << self._rng.randrange(8)
            data = bytes(damaged)
        await self.send(data)
        if (
            faults.lose + faults.corrupt
            <= fate
            < sum((faults.lose, faults.corrupt, faults.duplicate))
        ):
            self.duplicated += 1
            await self.send(data)


async def virtual_pair(band: VirtualBand) -> Device:
    """Switch `band` on and return the central device on the same link."""
    link = LocalLink()  # type: ignore[no-untyped-call]
    central = await power_on(link, _CENTRAL_ADDRESS, "Undertone")
    await band.start(link)
    return central
