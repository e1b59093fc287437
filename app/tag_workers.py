"""What classifies the songs of a run: processes of their own, or the calling thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from app.song_task import Classified, Classifier, Refused, SongTask, load_song_worker
from app.workers import Finished

__all__ = ["InProcess", "Workers", "load_worker"]


class Workers(Protocol):
    """What classifies: a `WorkerPool`, or the calling thread."""

    @property
    def room(self) -> int: ...
    @property
    def busy(self) -> int: ...
    def submit(self, item: SongTask, *, limit_s: float) -> None: ...
    def wait(self, timeout_s: float) -> list[Finished[SongTask, Classified | Refused]]: ...
    def close(self) -> None: ...


class InProcess:
    """Classifies in the calling thread, one song at a `wait`."""

    def __init__(self, work: Callable[[SongTask], Classified | Refused]) -> None:
        self._work = work
        self._item: SongTask | None = None

    @property
    def room(self) -> int:
        return 1 - self.busy

    @property
    def busy(self) -> int:
        return int(self._item is not None)

    def submit(self, item: SongTask, *, limit_s: float) -> None:
        self._item = item

    def wait(self, timeout_s: float) -> list[Finished[SongTask, Classified | Refused]]:
        item, self._item = self._item, None
        return [] if item is None else [Finished(item, self._work(item))]

    def close(self) -> None:
        self._item = None


def load_worker(
    load: Callable[[], Classifier], niceness: int
) -> Callable[[SongTask], Classified | Refused]:
    """What a worker process does first: step back, load; returns what it does with each song."""
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    return load_song_worker(load)
