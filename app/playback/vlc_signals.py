"""What libVLC's callbacks see, and how it leaves their threads: one put, and return."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

__all__ = ["AUDIO", "KINDS", "Signal", "callback", "release"]

KINDS = (
    "MediaPlayerPlaying",
    "MediaPlayerPaused",
    "MediaPlayerEndReached",
    "MediaPlayerEncounteredError",
    "MediaPlayerTimeChanged",
    "MediaPlayerLengthChanged",
    "MediaPlayerESAdded",
)
AUDIO = 0
"""libvlc_track_audio."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a libVLC callback saw: which player, which event, its value, and when."""

    take: int
    kind: str
    value: int
    at: float


def callback(inbox: SimpleQueue[Any], take: int, kind: str) -> Callable[[Any], None]:
    """What libVLC calls, on its own thread: one put, no call back into libVLC."""
    put, now = inbox.put, time.monotonic
    if kind == "MediaPlayerESAdded":
        # python-vlc names no field for the track type, the first int of the event's union
        return lambda event: put(Signal(take, kind, event.u.new_status, now()))
    return lambda event: put(Signal(take, kind, event.u.new_time, now()))


def release(player: Any, events: Any, kinds: Sequence[Any]) -> None:
    """Stop a player and let it go; may wait for libVLC's input thread, even for ever."""
    player.stop()
    for kind in kinds:
        events.event_detach(kind)
    player.release()
