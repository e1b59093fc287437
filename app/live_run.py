"""One live session on the asyncio loop: opens its source, runs it, tells by a post function."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.keeper import Event, Keeper
from app.live import Place, Reading, SessionEnd, SessionInfo, Vitals, felt_values
from app.live_signals import LiveSignals
from app.live_sources import SourceChoice, open_source
from app.sensing import Ended, Watch, run_session
from app.session import Rater, Sensed
from app.wristband.source import Delivery, SignalSource, SourceState, SourceStatus
from inference.emotion import EmotionEstimate
from inference.errors import UndertoneError

__all__ = ["LiveRun", "OpenSource", "Post"]

log = logging.getLogger(__name__)

Post = Callable[[str, object], None]
"""Takes (kind, value), from the loop's thread: "status", "opened", "felt", "vitals", "ended"."""

OpenSource = Callable[
    [SourceChoice, Keeper | None, AsyncExitStack, Callable[[], float]], Awaitable[SignalSource]
]
_LOOK_S = 0.1
_FELT_EVERY_S = 10.0


@dataclass(eq=False)
class LiveRun:
    """A session from its start to its end. What is set here is read by the loop's thread.

    Parameters
    ----------
    choice : SourceChoice
    folder : Path
        Where recordings are kept.
    post : callable
    load_rater : callable
        Waits; called on a thread of its own. None where no model is installed.
    opening_events : callable
        What holds when a recording begins.
    clock : callable
        The session's clock, in seconds.
    """

    choice: SourceChoice
    folder: Path
    post: Post
    load_rater: Callable[[], Rater | None]
    opening_events: Callable[[], Iterable[Event]] = tuple
    open_source: OpenSource = open_source
    clock: Callable[[], float] = time.monotonic
    record: bool = False
    place: Place = field(default_factory=Place)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.signals = LiveSignals(self.choice.speed, self.clock)
        self.keeper = Keeper(
            self.folder, self.choice.kind.value, self.clock,
            on=self.record and self.choice.kind.recordable, opening=self.opening_events,
        )  # fmt: skip
        self._source: SignalSource | None = None
        self._rater: Rater | None = None
        self._vitals = Vitals()
        self._rated_in = self.place
        self._kept_felt: tuple[object, ...] = ()
        self._kept_felt_s = -1e9

    async def run(self) -> None:
        """Open the source and listen until it ends or `stop` is set; never raises."""
        ended: Ended | None = None
        status = SourceStatus(SourceState.STOPPED)
        try:
            async with AsyncExitStack() as stack:
                self.post("status", SourceStatus(SourceState.CONNECTING))
                source = await self._open(stack)
                if source is not None:
                    ended = await self._listen(source)
                    status = ended.status
        except UndertoneError as error:
            reason = getattr(error, "reason", None)
            status = SourceStatus(SourceState.STOPPED, reason, str(error))
        except Exception as error:
            log.exception("the live session failed")
            text = f"The session failed ({type(error).__name__}). The log says more."
            status = SourceStatus(SourceState.STOPPED, None, text)
        finally:
            self.keeper.close()
            self.signals.freeze()
        self.post("ended", self._end(status, ended))

    async def _open(self, stack: AsyncExitStack) -> SignalSource | None:
        """The source; None where the session was stopped meanwhile."""
        self._rater = await asyncio.to_thread(self.load_rater)
        opening = asyncio.ensure_future(
            self.open_source(self.choice, self.keeper, stack, self.clock)
        )
        while not opening.done():
            await asyncio.wait({opening}, timeout=_LOOK_S)
            if self.stop.is_set() and not opening.done():
                opening.cancel()
                await asyncio.wait({opening}, timeout=1.0)
                return None
        return opening.result()

    async def _listen(self, source: SignalSource) -> Ended:
        self._source = source
        self.keeper.meta.setdefault("name", source.name)
        self.keeper.meta["provenance"] = source.provenance.value
        rater = self._rater
        self.post(
            "opened",
            SessionInfo(
                self.choice, source.name, source.provenance,
                rater.song_weight if rater is not None else None,
                rater.model_id if rater is not None else "",
            ),
        )  # fmt: skip
        watch = Watch(
            self._sensed,
            lambda status: self.post("status", status),
            self.stop.is_set,
            self._delivery,
            self._look,
            self._song,
        )
        return await run_session(
            source, rater, watch, keeper=self.keeper, speed=self.choice.speed, clock=self.clock
        )

    # -- on the loop's thread ---------------------------------------------------------

    def _delivery(self, delivery: Delivery) -> None:
        self.signals.take(delivery)

    def _song(self) -> EmotionEstimate | None:
        """What the song says by itself that plays as an estimate is begun."""
        self._rated_in = place = self.place
        return place.song.estimate if place.song is not None else None

    def _sensed(self, sensed: Sensed, latency_s: float) -> None:
        source = self._source
        assert source is not None
        # The song may have changed meanwhile: an estimate goes with the song that it was made of.
        place = self._rated_in if sensed.estimate is not None else self.place
        now_s = self.clock()
        self._keep_felt(sensed, now_s)
        folder = self.keeper.folder if self.keeper.keeping else None
        felt = Reading(
            sensed, latency_s, source.provenance, place.song,
            place.position(now_s) if place.song is not None else None,
            folder.name if folder is not None else "",
        )  # fmt: skip
        self.post("felt", felt)

    def _keep_felt(self, sensed: Sensed, now_s: float) -> None:
        """What was shown goes into the recording where it changes, and now and then."""
        state = (sensed.shown, sensed.reason, self.keeper.folder)
        if state != self._kept_felt or now_s - self._kept_felt_s >= _FELT_EVERY_S:
            self._kept_felt, self._kept_felt_s = state, now_s
            self.keeper.note(now_s, "felt", sensed.text, **felt_values(sensed))

    def _look(self) -> None:
        vitals = self._measure()
        if vitals != self._vitals:
            self._vitals = vitals
            self.post("vitals", vitals)

    def _measure(self) -> Vitals:
        source, keeper = self._source, self.keeper
        assert source is not None
        # Only a band has these.
        more: Any = source
        info = getattr(more, "device_info", None)
        return Vitals(
            source.name,
            source.counters,
            source.channels,
            getattr(more, "battery_percent", None),
            getattr(more, "link_verified", None),
            "" if info is None else info.serial,
            keeper.folder if keeper.keeping else None,
            "" if keeper.fault is None else str(keeper.fault),
        )

    def _end(self, status: SourceStatus, ended: Ended | None) -> SessionEnd:
        fault = "" if self.keeper.fault is None else str(self.keeper.fault)
        end = SessionEnd(status, recording=self.keeper.folder, fault=fault)
        if ended is None:
            return replace(end, asked=self.stop.is_set())
        return replace(
            end,
            counters=ended.counters,
            dropped=ended.dropped,
            seconds=ended.seconds,
            asked=ended.asked,
        )
