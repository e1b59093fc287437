"""Runs a live session over a source: feeds the session, keeps a recording, ends in time."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.keeper import Keeper
from app.session import Rater, Sensed, Session, SessionConfig
from app.wristband.source import (
    Counters,
    Delivery,
    Provenance,
    SignalSource,
    SourceState,
    SourceStatus,
)
from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.physio.signals import Channel, SignalChunk
from inference.physio.simulate import SimulatedListener

if TYPE_CHECKING:
    from app.wristband.radio import FoundDevice, Radio

__all__ = [
    "DemoListener",
    "Ended",
    "SeveralDevices",
    "Watch",
    "band_services",
    "band_source",
    "choose_device",
    "provenance_text",
    "run_session",
    "virtual_band",
]

_LOOK_S = 0.1
_PATIENCE_S = 60.0
_SONG_S = 45.0


class SeveralDevices(UndertoneError):
    """More than one band is near, and none was chosen."""


class DemoListener:
    """A simulated listener who hears one song after another, each of another quadrant.

    Parameters
    ----------
    preset : "real" or "demo"
    seed : int
    mood : Quadrant, optional
        One song for ever, in place of a change every 45 s.
    """

    def __init__(self, preset: Any, seed: int, mood: Quadrant | None = None) -> None:
        self._listener = SimulatedListener(preset, seed)
        self._mood = mood
        self._rng = np.random.default_rng([seed, 3])
        self._left = 0
        self._songs = 0

    @property
    def truth(self) -> Quadrant | None:
        """What the listener feels now."""
        return self._listener.truth

    def next(self, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The next `n` samples of GSR (microsiemens) and PPG (arbitrary units)."""
        if self._left <= 0:
            mood = self._mood or QUADRANTS[int(self._rng.integers(len(QUADRANTS)))]
            self._listener.song(mood, seed=self._songs)
            self._songs += 1
            self._left = round(_SONG_S * self._listener.fs_hz)
        self._left -= n
        return self._listener.next(n)


@dataclass
class Watch:
    """Whoever looks on: each may be left out.

    Parameters
    ----------
    sensed : callable (Sensed, latency in s)
    status : callable (SourceStatus)
    stop : callable
        Asked ten times a second whether to end.
    delivery : callable (Delivery)
        Told everything that comes, before it is made sense of.
    look : callable
        Called ten times a second.
    song : callable, optional
        Asked before each estimate what the song that plays says by itself.
    """

    sensed: Callable[[Sensed, float], None] = field(default=lambda _, __: None)
    status: Callable[[SourceStatus], None] = field(default=lambda _: None)
    stop: Callable[[], bool] = field(default=lambda: False)
    delivery: Callable[[Delivery], None] = field(default=lambda _: None)
    look: Callable[[], None] = field(default=lambda: None)
    song: Callable[[], EmotionEstimate | None] | None = None


@dataclass(frozen=True)
class Ended:
    """How a session went.

    Parameters
    ----------
    status : SourceStatus
        Why the source stopped; without a reason where it was asked to.
    counters : Counters
    dropped : int
        Estimates that were left out as too late.
    asked : bool
        Whether the session was ended from outside (`Watch.stop` or the time limit).
    seconds : float
    """

    status: SourceStatus
    counters: Counters
    dropped: int
    asked: bool
    seconds: float


async def run_session(
    source: SignalSource,
    rater: Rater | None,
    watch: Watch,
    *,
    prior: EmotionEstimate | None = None,
    keeper: Keeper | None = None,
    seconds: float | None = None,
    speed: float = 1.0,
    config: SessionConfig | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Ended:
    """Listen to `source` until it ends, `seconds` are over, or `watch.stop` says so.

    Estimates are made on another thread, so that what arrives meanwhile is
    stamped in time; the source's own bounded queue holds it.

    Parameters
    ----------
    speed : float
        Of the source's time against the clock. Infinity: nothing is ever
        late, each hop is estimated.
    """
    begun_s = clock()
    session: Session | None = None
    busy = False
    over = asked = False
    first_at_s: float | None = None

    def tell(sensed: Sensed | None) -> None:
        if sensed is not None and session is not None:
            late_s = session.latency_s(clock()) if math.isfinite(speed) else 0.0
            watch.sensed(sensed, late_s)

    def too_long() -> bool:
        """By the clock: a silent source must end, too; finding and connecting take their time."""
        if seconds is None or not math.isfinite(speed):
            return False
        if first_at_s is None:
            return clock() - begun_s >= seconds + _PATIENCE_S
        return (clock() - first_at_s) * speed >= seconds + _LOOK_S

    async def look() -> None:
        try:
            await look_on()
        except Exception:
            await source.close()  # nobody listens any more
            raise

    async def look_on() -> None:
        nonlocal asked
        before: SourceStatus | None = None
        while not over:
            status = source.status
            if status != before:
                watch.status(status)
                before = status
            watch.look()
            if not asked and (watch.stop() or too_long()):
                asked = True
                await source.close()
            if not busy and session is not None and math.isfinite(speed):
                tell(session.tick(clock()))
            await asyncio.sleep(_LOOK_S)

    looking = asyncio.create_task(look(), name="session-look")
    deliveries: AsyncIterator[Delivery] = aiter(source)
    first_s: float | None = None
    heard_to_s: dict[Channel, float] = {}
    try:
        async for delivery in deliveries:
            if keeper is not None:
                keeper.delivery(delivery)
            watch.delivery(delivery)
            if session is None:
                first_at_s = clock()
                session = Session(source.channels, rater, prior=prior, speed=speed, config=config)
            if isinstance(delivery, SignalChunk):
                first_s = delivery.t0_s if first_s is None else first_s
                heard_to_s[delivery.channel] = delivery.t0_s + delivery.duration_s - first_s
            if session.take(delivery, clock()):
                if watch.song is not None:
                    session.prior = watch.song()
                busy = True
                try:
                    if math.isfinite(speed):
                        sensed = await asyncio.to_thread(session.estimate, clock())
                    else:
                        sensed = session.estimate(clock())
                        await asyncio.sleep(0)
                finally:
                    busy = False
                tell(sensed)
            heard_s = min((heard_to_s.get(c, 0.0) for c in source.channels), default=0.0)
            if asked or watch.stop() or (seconds is not None and heard_s >= seconds - 1e-6):
                asked = True
                break
    finally:
        over = True
        closing = getattr(deliveries, "aclose", None)
        await source.close()
        if closing is not None:
            with contextlib.suppress(RuntimeError):
                await closing()
        if keeper is not None:
            keeper.close()
        looking.cancel()
        await asyncio.wait({looking})
    if not looking.cancelled():
        failed = looking.exception()
        if failed is not None:
            raise failed
    status = source.status
    if asked:
        status = SourceStatus(SourceState.STOPPED)
    watch.status(status)
    dropped = session.dropped if session is not None else 0
    return Ended(status, source.counters, dropped, asked, clock() - begun_s)


# -- bands ---------------------------------------------------------------------


async def choose_device(radio: Radio, address: str | None, *, scan_s: float = 8.0) -> FoundDevice:
    """The device with that address, or the only one near that we can read.

    Raises
    ------
    UndertoneError
        Where there is none, or Bluetooth cannot be used.
    SeveralDevices
        Where a choice is needed; the text lists them.
    """
    from app.wristband.ble import scan
    from app.wristband.radio import REASON_TEXT, RadioError
    from app.wristband.source import Reason

    found = await scan(scan_s, band_services() if address is None else frozenset(), radio)
    if address is not None:
        found = [d for d in found if d.address.lower() == address.lower()]
    if not found:
        message, _, remedy = REASON_TEXT[Reason.NOT_FOUND].partition(". ")
        raise RadioError(message, remedy, Reason.NOT_FOUND)
    if len(found) > 1:
        listed = ", ".join(f"{d.address} ({d.name or 'no name'}, {d.rssi_dbm} dBm)" for d in found)
        raise SeveralDevices(f"several bands are near: {listed}", "Choose one with --device ADDR.")
    return found[0]


def band_source(
    device: FoundDevice,
    radio: Radio,
    *,
    keeper: Keeper | None = None,
    clock: Callable[[], float] = time.monotonic,
    serial: str = "",
    pair: bool = False,
) -> SignalSource:
    """The source of a device that was found, with the profile that it advertises.

    Parameters
    ----------
    serial : str
        What the device must say that its serial number is; empty accepts any.
    pair : bool
        Ask the system to pair.
    """
    from app.wristband.ble import BleSource
    from app.wristband.radio import Pin

    profiles = _profiles()
    name, make = next(
        (profiles[s] for s in profiles if s in device.services), next(iter(profiles.values()))
    )
    profile = make()
    on_packet = None
    if keeper is not None:
        keeper.meta.update(name=device.name, profile=name, address=device.address)
        read_info = profile.take_info

        def take_info(data: bytes) -> Any:
            # A replay needs to know what the band said of its rates.
            keeper.meta["info"] = data.decode("utf-8", "replace")
            return read_info(data)

        profile.take_info = take_info
        on_packet = keeper.packet
    pin = Pin(device.address, serial)
    return BleSource(profile, pin, radio=radio, clock=clock, on_packet=on_packet, pair=pair)


def band_services() -> frozenset[str]:
    """What a device advertises that we can read."""
    return frozenset(_profiles())


def _profiles() -> dict[str, tuple[str, Any]]:
    """Advertised service -> (name in recordings, profile), the best to read first."""
    from app.wristband.replay import PROFILES

    return {make().service.lower(): (name, make) for name, make in PROFILES.items()}


@contextlib.asynccontextmanager
async def virtual_band(listener: DemoListener) -> AsyncIterator[Radio]:
    """A band without hardware, switched on, and the radio that reaches it.

    Raises
    ------
    UndertoneError
        If Bumble is not installed.
    """
    try:
        from app.wristband.bumble_backend import virtual_radio
        from app.wristband.virtual_band import VirtualBand, virtual_pair
    except ModuleNotFoundError as error:
        raise UndertoneError(
            f"the virtual band needs {error.name}, which is not installed",
            "Install it: pip install 'undertone[virtual]'.",
        ) from error
    from app.wristband.simulated import band_generator

    band = VirtualBand(band_generator(listener))
    central = await virtual_pair(band)
    try:
        yield virtual_radio(central)
    finally:
        await band.stop()
        with contextlib.suppress(Exception):
            await central.power_off()


def provenance_text(provenance: Provenance) -> str:
    """What people read beside the signals."""
    return {"real": "real signals", "replay": "a replay", "simulated": "SIMULATED signals"}[
        provenance.value
    ]
