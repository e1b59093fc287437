"""Wristbands over Bluetooth Low Energy: bleak's door. Every wait has a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)

from app.wristband.profiles.base import DeviceInfo, GattProfile, ProtocolError, plain_text
from app.wristband.radio import (
    OWN_RADIO,
    REASON_TEXT,
    USUAL_LIMITS,
    FoundDevice,
    Limits,
    Pin,
    Radio,
    RadioError,
    RawPacket,
)
from app.wristband.source import (
    Counters,
    Deliveries,
    Delivery,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.physio.signals import Channel

__all__ = ["BleSource", "FoundDevice", "Limits", "Pin", "Radio", "RadioError", "scan"]

log = logging.getLogger(__name__)

_UNAVAILABLE = {
    BleakBluetoothNotAvailableReason.POWERED_OFF: Reason.POWERED_OFF,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: Reason.DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: Reason.DENIED,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: Reason.DENIED,
}
_STABLE_S = 3.0


async def scan(
    timeout_s: float = 8.0,
    services: frozenset[str] = frozenset(),
    radio: Radio = OWN_RADIO,
) -> list[FoundDevice]:
    """Look around for `timeout_s`; the strongest signal first.

    Parameters
    ----------
    services : frozenset of str
        Only devices that advertise one of these; all if empty.

    Raises
    ------
    RadioError
        If Bluetooth cannot be used.
    """
    try:
        async with asyncio.timeout(timeout_s + 5.0):
            seen = await BleakScanner.discover(
                timeout=timeout_s, return_adv=True, **radio.scanner_options()
            )
    except Exception as error:
        raise _radio_error(error) from error
    found = [
        FoundDevice(
            device.address,
            plain_text(advert.local_name or device.name or ""),
            int(advert.rssi),
            frozenset(uuid.lower() for uuid in advert.service_uuids),
        )
        for device, advert in seen.values()
    ]
    wanted = [d for d in found if not services or d.services & services]
    return sorted(wanted, key=lambda d: -d.rssi_dbm)


def _radio_error(error: Exception) -> RadioError:
    """What an error of bleak or of the system below it means for people."""
    reason = Reason.NO_RADIO
    if isinstance(error, BleakBluetoothNotAvailableError):
        reason = _UNAVAILABLE.get(error.reason, Reason.NO_RADIO)
    elif "AccessDenied" in str(error) or isinstance(error, PermissionError):
        reason = Reason.DENIED
    elif "NotReady" in str(error):
        reason = Reason.POWERED_OFF
    message, _, remedy = REASON_TEXT[reason].partition(". ")
    log.info("bluetooth: %s (%r)", message, error)
    return RadioError(message, remedy, reason)


def _is_paired(device: Any) -> bool:
    """Whether the system says so of a device that a scan found (BlueZ does)."""
    details = getattr(device, "details", None)
    told = details.get("props", {}) if isinstance(details, dict) else {}
    return bool(told.get("Paired", False))


@dataclass(slots=True)
class _Link:
    """One connection, from its client to its end."""

    lost: asyncio.Event = field(default_factory=asyncio.Event)
    heard_at: float = 0.0
    over: bool = False


class BleSource:
    """A wristband as a `SignalSource`: scans, connects, checks, streams, comes back after a drop.

    Parameters
    ----------
    profile : GattProfile
        How the device speaks; a new one for each source.
    pin : Pin
        Which device it is.
    radio, limits : optional
    clock : callable
        The session's clock, in seconds, monotonic.
    on_status : callable, optional
        Told each change of `status`, on the loop's thread.
    on_packet : callable, optional
        Told each raw notification before it is read: the recorder.
    rng : random.Random, optional
        For the jitter of the back-off.
    pair : bool
        Ask the system to pair once connected, so that the link is encrypted.
        A band that cannot is listened to all the same; `link_verified` tells.
    """

    def __init__(
        self,
        profile: GattProfile,
        pin: Pin,
        *,
        radio: Radio = OWN_RADIO,
        limits: Limits = USUAL_LIMITS,
        clock: Callable[[], float] = time.monotonic,
        on_status: Callable[[SourceStatus], None] | None = None,
        on_packet: RawPacket | None = None,
        rng: random.Random | None = None,
        pair: bool = False,
    ) -> None:
        self._pair = pair
        self._paired = False
        self._profile = profile
        self._pin = pin
        self._radio = radio
        self._limits = limits
        self._clock = clock
        self._on_status = on_status
        self._on_packet = on_packet
        self._rng = rng or random.Random()
        self._name = profile.name
        self._device_info = DeviceInfo()
        self._status = SourceStatus(SourceState.STOPPED)
        self._deliveries = Deliveries()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reconnects = 0
        self._faults = 0
        self._streamed = False

    # -- SignalSource ---------------------------------------------------------

    @property
    def name(self) -> str:
        return self._name

    @property
    def provenance(self) -> Provenance:
        return Provenance.SIMULATED if self._radio.virtual else Provenance.REAL

    @property
    def channels(self) -> frozenset[Channel]:
        return self._profile.channels

    @property
    def status(self) -> SourceStatus:
        return self._status

    @property
    def counters(self) -> Counters:
        return self._profile.counters.add(
            dropped=self._deliveries.dropped, reconnects=self._reconnects, corrupt=self._faults
        )

    @property
    def device_info(self) -> DeviceInfo:
        """What the device said of itself; empty before it was connected."""
        return self._device_info

    @property
    def battery_percent(self) -> int | None:
        return self._profile.battery_percent

    @property
    def link_verified(self) -> bool:
        """Whether the link is paired; the panel says "unverified link" where not."""
        return self._paired

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="wristband")
        async for delivery in self._deliveries:
            yield delivery
        await self._task

    async def close(self) -> None:
        self._closing.set()
        if self._task is None:
            self._deliveries.close()
            return
        limit_s = 4 * self._limits.leave_s + 1.0
        _, late = await asyncio.wait({self._task}, timeout=limit_s)
        if late:
            log.warning("bluetooth: the link did not end in %.0f s and was given up", limit_s)
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)

    # -- the states ---------------------------------------------------------------

    async def _run(self) -> None:
        attempt = 0
        try:
            while not self._closing.is_set():
                begun = self._clock()
                reason, text = await self._attempt()
                if self._closing.is_set() or reason is Reason.PROTOCOL:
                    break
                attempt = 0 if self._clock() - begun > _STABLE_S and self._streamed else attempt
                attempt += 1
                final = reason is Reason.NOT_FOUND or attempt >= self._limits.first_attempts
                if not self._streamed and (final or reason is not Reason.LOST):
                    break
                if self._streamed:
                    self._set(SourceState.RECONNECTING, reason, text)
                pauses = self._limits.back_off_s
                pause_s = pauses[min(attempt, len(pauses)) - 1]
                await self._pause(pause_s * (1.0 - self._rng.random() / 3.0))
            else:
                reason, text = None, ""
            if self._closing.is_set():
                reason, text = None, ""
            self._set(SourceState.STOPPED, reason, text)
        except Exception:
            log.exception("bluetooth: the source failed")
            self._set(SourceState.STOPPED, Reason.PROTOCOL, "The band could not be read.")
        finally:
            self._deliveries.close()

    async def _attempt(self) -> tuple[Reason | None, str]:
        """Find, connect and stream once; returns why that ended."""
        try:
            if not self._streamed:
                self._set(SourceState.SCANNING)
            device = await self._find()
            if device is None:
                return Reason.NOT_FOUND, REASON_TEXT[Reason.NOT_FOUND]
            if not self._streamed:
                self._set(SourceState.CONNECTING)
            await self._connect_and_stream(device)
        except ProtocolError as error:
            return Reason.PROTOCOL, str(error)
        except RadioError as error:
            return error.reason, str(error)
        except (BleakError, OSError, TimeoutError, EOFError) as error:
            # Also "Service Discovery has not been performed yet": bleak's words for a broken link.
            log.info("bluetooth: the link broke (%r)", error)
        return Reason.LOST, REASON_TEXT[Reason.LOST]

    async def _find(self) -> Any:
        address = self._pin.address.lower()
        finding = asyncio.create_task(
            BleakScanner.find_device_by_filter(
                lambda device, advert: device.address.lower() == address,
                timeout=self._limits.scan_s,
                **self._radio.scanner_options(),
            )
        )
        try:
            return await self._unless_closing(finding, self._limits.scan_s + 5.0)
        except TimeoutError:
            return None
        except Exception as error:
            raise _radio_error(error) from error

    async def _connect_and_stream(self, device: Any) -> None:
        link = _Link()
        client = BleakClient(
            device,
            disconnected_callback=lambda _: link.lost.set(),
            timeout=self._limits.connect_s,
            **self._radio.client_options(),
        )
        try:
            connecting = asyncio.create_task(client.connect())
            await self._unless_closing(connecting, self._limits.connect_s + 5.0)
            if self._closing.is_set():
                return
            self._check(client)
            self._paired = _is_paired(device) or (self._pair and await self._do_pair(client))
            await self._begin(client, device, link)
            if self._streamed:
                self._reconnects += 1
            self._streamed = True
            self._set(SourceState.STREAMING)
            await self._until_over(link)
            if self._profile.fault is not None:
                raise self._profile.fault
        finally:
            link.over = True
            self._profile.link_lost()
            await self._leave(client)

    async def _do_pair(self, client: BleakClient) -> bool:
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await client.pair()
        except (BleakError, OSError, TimeoutError, NotImplementedError) as error:
            log.info("bluetooth: not paired (%r)", error)
            return False
        return True

    def _check(self, client: BleakClient) -> None:
        """Refuse a device that lacks a characteristic or a property of its profile."""
        for uuid, properties in self._profile.required.items():
            found = client.services.get_characteristic(uuid)
            if found is None:
                raise ProtocolError(
                    f"This device is no {self._profile.name}: {uuid[4:8]} is missing",
                    "Choose another device.",
                )
            missing = properties - set(found.properties)
            if missing:
                raise ProtocolError(
                    f"The device's {uuid[4:8]} does not offer: {', '.join(sorted(missing))}",
                    "Update its firmware.",
                )

    async def _begin(self, client: BleakClient, device: Any, link: _Link) -> None:
        limit_s = self._limits.command_s
        if self._profile.info is not None:
            async with asyncio.timeout(limit_s):
                told = await client.read_gatt_char(self._profile.info)
            info = self._profile.take_info(bytes(told))
            if self._pin.serial and info.serial != self._pin.serial:
                raise ProtocolError(
                    f"Another device ({info.serial or 'without a serial number'}) answers here",
                    "Choose it in the device list if it is yours.",
                )
            self._device_info = info
        self._name = plain_text(self._device_info.model or device.name or self._profile.name)
        link.heard_at = time.monotonic()
        for uuid in self._profile.notifying:
            async with asyncio.timeout(limit_s):
                # BlueZ delivers twice after a reconnect with its own StartNotify (bleak#2002).
                await client.start_notify(
                    uuid, self._listener(uuid, link), bluez={"use_start_notify": False}
                )
        for uuid, command in self._profile.start:
            async with asyncio.timeout(limit_s):
                await client.write_gatt_char(uuid, command, response=True)

    def _listener(self, uuid: str, link: _Link) -> Callable[[Any, bytearray], None]:
        def hear(_: Any, data: bytearray) -> None:
            if link.over:
                return  # of a client that was left
            arrival_s = self._clock()
            link.heard_at = time.monotonic()
            try:
                if self._on_packet is not None:
                    self._on_packet(uuid, bytes(data), arrival_s)
                for delivery in self._profile.feed(uuid, bytes(data), arrival_s):
                    self._deliveries.put(delivery)
                if self._profile.fault is not None:
                    link.lost.set()
            except Exception:
                # Whatever it is: the stream goes on.
                self._faults += 1
                if self._faults == 1:
                    log.exception("bluetooth: a packet could not be taken")

        return hear

    async def _until_over(self, link: _Link) -> None:
        """Return when the link broke or fell silent, or the source is closed."""
        stall_s = self._limits.stall_s
        while not (link.lost.is_set() or self._closing.is_set()):
            silent_s = time.monotonic() - link.heard_at
            if silent_s >= stall_s:
                log.info("bluetooth: silent for %.0f s, taken as broken", silent_s)
                return
            await self._first_of(link.lost.wait(), self._closing.wait(), limit_s=stall_s - silent_s)

    async def _leave(self, client: BleakClient) -> None:
        limit_s = self._limits.leave_s
        # Whatever a broken link raises here, we are leaving anyway.
        if client.is_connected:
            for uuid, command in self._profile.stop:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(limit_s):
                        await client.write_gatt_char(uuid, command, response=True)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(limit_s):
                await client.disconnect()

    # -- small parts ------------------------------------------------------------------

    def _set(self, state: SourceState, reason: Reason | None = None, text: str = "") -> None:
        status = SourceStatus(state, reason, text)
        if status != self._status:
            self._status = status
            if self._on_status is not None:
                self._on_status(status)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    async def _unless_closing(self, work: asyncio.Task[Any], limit_s: float) -> Any:
        """The result of `work`; None where the source is closed first.

        Raises
        ------
        TimeoutError
            If it takes longer than `limit_s`.
        """
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait(
                {work, closing}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            if work.done():
                return work.result()
            if closing.done():
                return None
            raise TimeoutError
        finally:
            closing.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work}, timeout=self._limits.leave_s)

    async def _first_of(self, *waits: Awaitable[Any], limit_s: float) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
