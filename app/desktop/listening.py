"""Watches player and band: which song is heard, how much of it, and what is felt meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.desktop.player_controller import PlayerController
from app.listening import LEAST_HEARD_S, Felt, Listening, StateWatch

__all__ = ["ListeningWatch"]

_EVERY_S = 30.0


class ListeningWatch(QObject):
    """Tells the end of each hearing, and each steady change of the state that a band shows.

    Parameters
    ----------
    now : callable
        Seconds since the epoch.
    """

    ended = Signal(object)  # Listening
    heard = Signal(object)  # Listening, when it has begun to count and each half minute on
    state_changed = Signal(object)  # Listening; its `felt` is the new state

    def __init__(
        self,
        player: PlayerController,
        parent: QObject | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self.now = now
        self.current: Listening | None = None
        self._states = StateWatch()
        self._next_s = LEAST_HEARD_S
        player.position_changed.connect(self._on_position)
        player.track_changed.connect(self._on_track)
        self._on_track(player.track_id)

    def feel(self, felt: Felt | None) -> None:
        """A band shows this now; None: nothing that is clear, or no band any more."""
        current = self.current
        if current is not None:
            current.feel(felt)
        changed = self._states.see(felt.shown if felt is not None else None, self.now())
        if changed is not None and current is not None:
            self.state_changed.emit(current)

    def finish(self) -> None:
        """The program ends: so does the hearing."""
        self._on_track(None)

    def _on_position(self, position_s: float, duration_s: float) -> None:
        current = self.current
        if current is None:
            return
        current.move(position_s, duration_s)
        if current.heard_s >= self._next_s:
            self._next_s = current.heard_s + _EVERY_S
            self.heard.emit(current)

    def _on_track(self, track_id: int | None) -> None:
        ended, self._next_s = self.current, LEAST_HEARD_S
        self.current = None if track_id is None else Listening(track_id, self.now())
        if ended is not None:
            self.ended.emit(ended)
