"""A simulated listener as a source: GSR and PPG with known truth, at any pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.wristband.source import (
    Counters,
    Delivery,
    Provenance,
    Reason,
    SourceState,
    SourceStatus,
)
from inference.errors import UndertoneError
from inference.physio.signals import FS_HZ, Channel, SignalChunk

__all__ = ["Listener", "SimulatedSource", "band_generator", "band_samples"]

_CHUNK_S = 1.0 / 16.0
"""As often as the reference band notifies."""


class Listener(Protocol):
    """Somebody's signals, made up."""

    def next(self, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The next `n` samples of GSR (microsiemens) and PPG (arbitrary units)."""
        ...


class SimulatedSource:
    """A listener that nobody wears; labelled as simulated wherever its signals go.

    Parameters
    ----------
    listener : Listener
    fs_hz : float
        The rate at which the listener makes samples.
    seconds : float, optional
        Ends after so much signal; goes on for ever if left out.
    speed : float
        1 for real time; infinity for as fast as it is taken.
    clock, sleep : callable
        The session's clock (s) and how to wait; tests own both.
    name : str
        For people.

    Raises
    ------
    UndertoneError
        On a speed, a rate or a length that is none.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        fs_hz: float = FS_HZ,
        seconds: float | None = None,
        speed: float = 1.0,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], object] = asyncio.sleep,
        name: str = "Simulated listener",
    ) -> None:
        if not (speed > 0.0 and fs_hz > 0.0 and (seconds is None or seconds > 0.0)):
            raise UndertoneError(
                f"no simulation has speed {speed}, rate {fs_hz} Hz, length {seconds} s",
                "Use values above zero.",
            )
        self._listener = listener
        self._fs_hz = fs_hz
        self._seconds = seconds
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._name = name
        self._closed = False
        self._counters = Counters()
        self._status = SourceStatus(SourceState.STOPPED)

    @property
    def name(self) -> str:
        return self._name

    @property
    def provenance(self) -> Provenance:
        return Provenance.SIMULATED

    @property
    def channels(self) -> frozenset[Channel]:
        return frozenset(Channel)

    @property
    def status(self) -> SourceStatus:
        return self._status

    @property
    def counters(self) -> Counters:
        return self._counters

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        clock = self._clock or asyncio.get_running_loop().time
        begun_s = clock()
        self._status = SourceStatus(SourceState.STREAMING)
        step = max(1, round(_CHUNK_S * self._fs_hz))
        total = None if self._seconds is None else round(self._seconds * self._fs_hz)
        done = 0
        while not self._closed and (total is None or done < total):
            n = step if total is None else min(step, total - done)
            wait_s = (done + n) / self._fs_hz / self._speed - (clock() - begun_s)
            if wait_s > 0.0:
                waiting = self._sleep(wait_s)
                if asyncio.iscoroutine(waiting):
                    await waiting
            t0_s = begun_s + done / self._fs_hz
            done += n
            self._counters = self._counters.add(packets=1, samples=n)
            for channel, values in zip(
                (Channel.GSR, Channel.PPG), self._listener.next(n), strict=True
            ):
                yield SignalChunk(channel, t0_s, self._fs_hz, values, channel.unit)
        reason = None if self._closed else Reason.FINISHED
        self._status = SourceStatus(SourceState.STOPPED, reason)

    async def close(self) -> None:
        self._closed = True


def band_generator(
    listener: Listener,
) -> Callable[[int, int], tuple[NDArray[np.uint16], NDArray[np.uint32]]]:
    """What a virtual band asks for its samples: (first, count) -> GSR, PPG.

    The listener goes on while the band is not asked: what lies between
    two calls is made and left out.
    """
    made = 0

    def generate(first: int, count: int) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        nonlocal made
        while made < first:
            skipped = min(first - made, 4096)
            listener.next(skipped)
            made += skipped
        made += count
        return band_samples(*listener.next(count))

    return generate


def band_samples(
    gsr: NDArray[np.float32], ppg: NDArray[np.float32]
) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """A listener's samples in the integers of a band: for the virtual one.

    Parameters
    ----------
    gsr : ndarray, shape (n,), float32, microsiemens
    ppg : ndarray, shape (n,), float32, arbitrary units of about -40..40

    Returns
    -------
    gsr : ndarray, shape (n,), uint16, steps of 0.001 uS
    ppg : ndarray, shape (n,), uint32, below 2**24; zero lies in the middle
    """
    steps = np.clip(np.round(gsr * 1000.0), 0, 65535).astype(np.uint16)
    light = np.clip(np.round((1 << 23) + ppg * 100_000.0), 0, (1 << 24) - 1).astype(np.uint32)
    return steps, light
