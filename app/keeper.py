"""Keeps a recording of a live session, from when it is asked to until it is told to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from app.wristband.recorder import Recorder
from app.wristband.source import Annotation, Delivery
from inference.errors import UndertoneError
from inference.physio.signals import SignalChunk

__all__ = ["Event", "Keeper"]

Event = tuple[str, str, Mapping[str, Any]]
"""Kind, text, and what else is to be kept of it: JSON values."""


class Keeper:
    """Keeps a recording once there is something to keep: no empty folder where nothing came.

    All calls but `check` are made on the thread that takes the deliveries.

    Parameters
    ----------
    folder : Path
        Where recordings lie.
    source : str
        What was listened to.
    clock : callable
        The session's clock, in seconds.
    on : bool
        Whether it keeps from the start.
    opening : callable, optional
        What holds when a recording begins, as (kind, text, values): its first events.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        clock: Callable[[], float],
        *,
        on: bool = True,
        opening: Callable[[], Iterable[Event]] = tuple,
    ) -> None:
        self._folder = folder
        self._source = source
        self._clock = clock
        self._on = on
        self._packets = False
        self._recorder: Recorder | None = None
        self._opening = opening
        self._kept: Path | None = None
        self._failed: UndertoneError | None = None
        self.meta: dict[str, Any] = {}
        """What is known of the device by then: name, profile, info."""

    @property
    def on(self) -> bool:
        """Whether what comes is kept."""
        return self._on

    @property
    def folder(self) -> Path | None:
        """Of the recording that is being made, or was made last; None where there is none."""
        return self._recorder.folder if self._recorder is not None else self._kept

    @property
    def keeping(self) -> bool:
        """Whether a recording is being made."""
        return self._recorder is not None and self.fault is None

    @property
    def fault(self) -> UndertoneError | None:
        """Why nothing is kept any more."""
        if self._recorder is not None and self._recorder.fault is not None:
            return self._recorder.fault
        return self._failed

    def check(self) -> None:
        """Find out now, not in the middle, that nothing can be written.

        Raises
        ------
        UndertoneError
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UndertoneError(
                f"The recording cannot be kept in {self._folder} ({error.strerror})",
                "Choose another folder with --record DIR.",
            ) from error
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise UndertoneError(
                f"The folder {self._folder} is not writable", "Choose another with --record DIR."
            )

    def begin(self) -> None:
        """Keep what comes from now on, in a recording of its own."""
        self._on, self._failed = True, None

    def end(self) -> None:
        """Keep nothing more and put the recording on the disk."""
        self._on = False
        self.close()

    def packet(self, characteristic: str, data: bytes, arrival_s: float) -> None:
        """Keep a notification as it came: `BleSource`'s `on_packet`."""
        self._packets = True
        recorder = self._open()
        if recorder is not None:
            recorder.packet(characteristic, data, arrival_s)

    def delivery(self, delivery: Delivery) -> None:
        """Keep a delivery; chunks only of a source that has no packets."""
        if isinstance(delivery, SignalChunk):
            recorder = None if self._packets else self._open()
            if recorder is not None:
                recorder.chunk(delivery)
        elif isinstance(delivery, Annotation) and self._recorder is not None:
            self._recorder.annotation(delivery)

    def note(self, t_s: float, kind: str, text: str = "", **values: Any) -> None:
        """Keep an event, if a recording is being made."""
        if self._recorder is not None:
            self._recorder.annotate(t_s, kind, text, **values)

    def close(self) -> None:
        """Put the recording on the disk."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()
            self._failed = recorder.fault or self._failed
            self._kept = recorder.folder

    def _open(self) -> Recorder | None:
        """The recorder; None where nothing is to be kept, or cannot be: the signals go on."""
        if self._recorder is None and self._on and self._failed is None:
            meta = {"source": self._source, "begun_at": time.time(), **self.meta}
            try:
                self._recorder = Recorder(self._folder, meta, self._clock())
            except UndertoneError as error:
                self._failed = error
                return None
            for kind, text, values in self._opening():
                self._recorder.annotate(self._clock(), kind, text, **values)
        return self._recorder
