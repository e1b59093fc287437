"""A bleak backend over Bumble's virtual controllers: the whole Bluetooth stack without a radio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble.core import AdvertisingData, BaseBumbleError
from bumble.device import Advertisement, Device, Peer
from bumble.hci import Address

from app.wristband.radio import Radio

__all__ = ["virtual_radio"]

_MTU = 185
_RSSI_DBM = -50
_PROPERTIES = {
    0x02: "read",
    0x04: "write-without-response",
    0x08: "write",
    0x10: "notify",
    0x20: "indicate",
}


def virtual_radio(central: Device) -> Radio:
    """A `Radio` whose scanner and clients act as `central`, a powered-on Bumble device."""
    scanner = type("BumbleScanner", (_Scanner,), {"central": central})
    client = type("BumbleClient", (_Client,), {"central": central})
    return Radio(scanner, client)


def _uuid(uuid: Any) -> str:
    return str(uuid.to_hex_str("-")).lower() if len(uuid.uuid_bytes) == 16 else _long(uuid)


def _long(uuid: Any) -> str:
    return f"{int.from_bytes(uuid.uuid_bytes, 'little'):08x}-0000-1000-8000-00805f9b34fb"


class _Scanner(BaseBleakScanner):
    central: Device

    def __init__(
        self,
        detection_callback: Any = None,
        service_uuids: list[str] | None = None,
        scanning_mode: str = "active",
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        self.central.on("advertisement", self._on_advertisement)
        await self.central.start_scanning(filter_duplicates=False)

    async def stop(self) -> None:
        self.central.remove_listener("advertisement", self._on_advertisement)
        await self.central.stop_scanning()

    def _on_advertisement(self, seen: Advertisement) -> None:
        data = seen.data
        name = data.get(AdvertisingData.COMPLETE_LOCAL_NAME)
        uuids = []
        for kind in (
            AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
            AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
            AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        ):
            uuids += [_uuid(uuid) for uuid in data.get(kind) or ()]
        advert = AdvertisementData(
            str(name) if name else None, {}, {}, uuids, None, seen.rssi or _RSSI_DBM, ()
        )
        if self.is_allowed_uuid(uuids):
            address = str(seen.address).split("/")[0]
            device = self.create_or_update_device(
                address, address, advert.local_name, seen.address, advert
            )
            self.call_detection_callbacks(device, advert)


class _Client(BaseBleakClient):
    central: Device

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        self._callback: Callable[[], None] | None = options.get("disconnected_callback")
        super().__init__(
            address_or_ble_device,
            disconnected_callback=self._callback,
            timeout=options.get("timeout", 10.0),
        )
        self._target = (
            address_or_ble_device.details
            if isinstance(address_or_ble_device, BLEDevice)
            else Address(address_or_ble_device)
        )
        self._connection: Any = None
        self._peer: Any = None

    @property
    def name(self) -> str:
        return str(self.address)

    @property
    def mtu_size(self) -> int:
        return int(self._connection.att_mtu) if self._connection is not None else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_: Any) -> None:
        self._connection = await self._do(self.central.connect(self._target, timeout=self._timeout))
        self._connection.on("disconnection", self._on_disconnection)
        self._peer = Peer(self._connection)
        await self._do(self._peer.request_mtu(_MTU))
        if pair:
            await self.pair()
        await self._do(self._peer.discover_all())
        self.services = self._collect()

    async def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._do(connection.disconnect())

    async def pair(self, *_: Any, **__: Any) -> None:
        await self._do(self._need().pair())

    async def unpair(self) -> None:
        raise NotImplementedError("virtual devices are not remembered")

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_: Any) -> bytearray:
        self._need()
        return bytearray(await self._do(self._peer.read_value(characteristic.obj)))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_: Any) -> bytearray:
        self._need()
        return bytearray(await self._do(self._peer.read_value(descriptor.obj)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        self._need()
        await self._do(self._peer.write_value(characteristic.obj, bytes(data), response))

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        self._need()
        await self._do(self._peer.write_value(descriptor.obj, bytes(data), True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        self._need()
        await self._do(
            self._peer.subscribe(characteristic.obj, lambda data: callback(bytearray(data)))
        )

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._need()
        await self._do(self._peer.unsubscribe(characteristic.obj))

    def _collect(self) -> BleakGATTServiceCollection:
        services = BleakGATTServiceCollection()
        for service in self._peer.services:
            shown = BleakGATTService(service, service.handle, _uuid(service.uuid))
            services.add_service(shown)
            for characteristic in service.characteristics:
                flags = int(characteristic.properties)
                properties: Any = [name for bit, name in _PROPERTIES.items() if flags & bit]
                services.add_characteristic(
                    BleakGATTCharacteristic(
                        characteristic,
                        characteristic.handle,
                        _uuid(characteristic.uuid),
                        properties,
                        lambda: self.mtu_size - 3,
                        shown,
                    )
                )
        return services

    def _on_disconnection(self, *_: Any) -> None:
        if self._connection is not None:
            self._connection = None
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    def _need(self) -> Any:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    async def _do(self, work: Any) -> Any:
        """Await `work`, with Bumble's errors as bleak's."""
        try:
            return await work
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise BleakError("the link broke") from None  # Bumble cancels what was pending
        except BaseBumbleError as error:
            raise BleakError(str(error)) from error
