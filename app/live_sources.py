"""What a live session can listen to, and how each source is opened."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from app.keeper import Keeper
from app.wristband.radio import OWN_RADIO, FoundDevice, Radio
from app.wristband.source import SignalSource
from inference.errors import UndertoneError

__all__ = ["KnownBand", "SourceChoice", "SourceKind", "open_source", "scan_bands"]

_VIRTUAL_SCAN_S = 1.0


class SourceKind(str, Enum):
    """Where signals can come from."""

    BAND = "band"
    VIRTUAL = "virtual"
    LSL = "lsl"
    SIMULATED = "simulated"
    REPLAY = "replay"

    @property
    def recordable(self) -> bool:
        """A replay is a recording already."""
        return self is not SourceKind.REPLAY


@dataclass(frozen=True, slots=True)
class KnownBand:
    """The band that the listener chose; no other one takes its place unasked.

    Parameters
    ----------
    services : tuple of str
        What it advertised: which profile reads it.
    serial : str
        As it said when it was connected first; empty while it has not been.
    """

    address: str
    name: str = ""
    serial: str = ""
    services: tuple[str, ...] = ()

    @classmethod
    def of(cls, device: FoundDevice) -> KnownBand:
        return cls(device.address, device.name, "", tuple(sorted(device.services)))

    @classmethod
    def from_text(cls, text: str) -> KnownBand | None:
        """Read what `to_text` wrote; None where it is nothing of the kind."""
        try:
            told = json.loads(text)
            services = tuple(str(s) for s in told.pop("services", ()))
            return cls(services=services, **{k: str(v) for k, v in told.items()})
        except (ValueError, TypeError, AttributeError):
            return None

    def to_text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def device(self) -> FoundDevice:
        """As if a scan had just seen it."""
        return FoundDevice(self.address, self.name, 0, frozenset(self.services))


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What to listen to.

    Parameters
    ----------
    kind : SourceKind
    band : KnownBand, optional
        With BAND.
    pair : bool
        With BAND: ask the system to pair, so that the link is encrypted.
    stream : str
        With LSL: name or id of the stream; empty takes the first that fits.
    path : Path, optional
        With REPLAY.
    start_s : float
        With REPLAY: where to begin.
    preset, seed
        With SIMULATED and VIRTUAL: the listener; the usual one has a skin that answers.
    speed : float
        With SIMULATED and REPLAY.
    """

    kind: SourceKind
    band: KnownBand | None = None
    pair: bool = False
    stream: str = ""
    path: Path | None = None
    start_s: float = 0.0
    preset: str = "demo"
    seed: int = 21
    speed: float = 1.0


async def open_source(
    choice: SourceChoice,
    keeper: Keeper | None,
    stack: AsyncExitStack,
    clock: Callable[[], float] = time.monotonic,
) -> SignalSource:
    """The source that was chosen, not begun yet; what it needs ends with `stack`.

    Raises
    ------
    UndertoneError
        If it cannot be opened: the text says why and what helps.
    """
    from app.sensing import DemoListener

    if choice.kind is SourceKind.SIMULATED:
        from app.wristband.simulated import SimulatedSource

        listener = DemoListener(choice.preset, choice.seed)
        return SimulatedSource(listener, speed=choice.speed, clock=clock)
    if choice.kind is SourceKind.REPLAY:
        return await _replay(choice, clock)
    if choice.kind is SourceKind.LSL:
        from app.wristband.lsl import LslSource

        return LslSource(choice.stream, clock=clock)
    return await _band(choice, keeper, stack, clock)


async def _replay(choice: SourceChoice, clock: Callable[[], float]) -> SignalSource:
    import asyncio

    from app.wristband.replay import ReplayError, ReplaySource

    path = choice.path
    if path is None or not await asyncio.to_thread(path.exists):
        raise ReplayError(f"there is no {path}", "Choose a file or folder that exists.")
    # Reading hours of signal takes its time: not on the loop, which others share.
    return await asyncio.to_thread(
        lambda: ReplaySource(path, speed=choice.speed, clock=clock, start_s=choice.start_s)
    )


async def _band(
    choice: SourceChoice,
    keeper: Keeper | None,
    stack: AsyncExitStack,
    clock: Callable[[], float],
) -> SignalSource:
    from app.sensing import DemoListener, band_source, choose_device, virtual_band

    radio: Radio = OWN_RADIO
    if choice.kind is SourceKind.VIRTUAL:
        listener = DemoListener(choice.preset, choice.seed)
        radio = await stack.enter_async_context(virtual_band(listener))
        device = await choose_device(radio, None, scan_s=_VIRTUAL_SCAN_S)
        serial = ""
    elif choice.band is None:
        raise UndertoneError("no band was chosen", "Look for bands, and choose yours.")
    else:
        device, serial = choice.band.device, choice.band.serial
    return band_source(device, radio, keeper=keeper, clock=clock, serial=serial, pair=choice.pair)


async def scan_bands(seconds: float = 8.0) -> list[FoundDevice]:
    """The bands near that we can read, the strongest signal first.

    Raises
    ------
    RadioError
        If Bluetooth cannot be used; `reason` says why.
    """
    from app.sensing import band_services
    from app.wristband.ble import scan

    found: list[Any] = await scan(seconds, band_services())
    return found
