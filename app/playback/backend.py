"""What a playback back end is: its states, the events it posts, and the calls it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from app.playback.sound import AudioOutput, Equaliser, EqualiserPreset

__all__ = [
    "DurationChanged",
    "OutputMissing",
    "OutputsFound",
    "PlaybackBackend",
    "PlaybackEvent",
    "PlaybackState",
    "PositionJumped",
    "Post",
    "StateChanged",
]


class PlaybackState(Enum):
    """Where a back end is with the file that was loaded last."""

    IDLE = "idle"
    """Nothing plays: no file was loaded yet, or it was not started, or it was stopped."""
    OPENING = "opening"
    """`play` was called and sound has not begun yet."""
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    """The file was played to its end."""
    ERROR = "error"
    """The file cannot be played; the event says why."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The back end went into `state` with the file of `load_id`.

    Parameters
    ----------
    load_id : int
        What `load` returned. An event that was under way when the next
        file was loaded carries the old number, and is recognised by it.
    reason, remedy : str
        In the state ERROR: why the file cannot be played, and what the
        person can do about it, if anything.
    """

    load_id: int
    state: PlaybackState
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DurationChanged:
    """The length of the file became known, or better known, in seconds."""

    load_id: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class PositionJumped:
    """Playing goes on elsewhere in the file, because of a `seek`."""

    load_id: int
    position_s: float


@dataclass(frozen=True, slots=True)
class OutputsFound:
    """The answer to `find_outputs`; the first one is the system's default."""

    outputs: tuple[AudioOutput, ...]


@dataclass(frozen=True, slots=True)
class OutputMissing:
    """The chosen output is not there (a headset that was taken off); the default one plays."""

    key: str


PlaybackEvent = StateChanged | DurationChanged | PositionJumped | OutputsFound | OutputMissing
Post = Callable[[PlaybackEvent], None]
"""Takes an event, from any thread, and returns at once (a Qt signal's `emit`, a queue's `put`)."""


class PlaybackBackend(Protocol):
    """Plays one file at a time.

    No call waits for the file or the sound system, so each may be made on
    the GUI thread. Calls take effect in the order in which they are made.
    What came of them is told through the `post` function that the back
    end was built with, from any thread.
    """

    @property
    def name(self) -> str:
        """What plays, for people: "libVLC 3.0.20", "silent"."""
        ...

    @property
    def equaliser_presets(self) -> tuple[EqualiserPreset, ...]:
        """The named curves that it brings; known from the start."""
        ...

    @property
    def state(self) -> PlaybackState:
        """The state now."""
        ...

    @property
    def position_s(self) -> float:
        """Seconds from the start of the file, running on smoothly while it plays."""
        ...

    @property
    def duration_s(self) -> float | None:
        """Length of the file in seconds; None while it is unknown."""
        ...

    def load(self, path: Path, start_s: float = 0.0) -> int:
        """Drop what is loaded and take `path`, to be played from `start_s`.

        The state becomes IDLE; nothing sounds before `play`.

        Returns
        -------
        int
            The number that this file's events will carry.
        """
        ...

    def play(self) -> None:
        """Start, go on after `pause`, or start again after the end or an error."""
        ...

    def pause(self) -> None:
        """Hold the sound where it is; without effect when nothing plays."""
        ...

    def stop(self) -> None:
        """End playing and go back to the start of the file: state IDLE."""
        ...

    def seek(self, position_s: float) -> None:
        """Go to `position_s`, limited to the file. Before `play`: start there."""
        ...

    def set_volume(self, percent: float) -> None:
        """Set this player's loudness, 0 (silent) to 100 (full); the rest is limited to it."""
        ...

    def set_gain(self, gain_db: float, peak: float = 1.0) -> None:
        """Scale the loudness for ReplayGain, from the next `load` on too.

        Parameters
        ----------
        gain_db : float
            What the file's tags ask for, in dB; 0 for none.
        peak : float
            The file's largest sample, where 1 is full scale; the gain is
            reduced so that the peak is not clipped.
        """
        ...

    def set_equaliser(self, equaliser: Equaliser | None) -> None:
        """Shape the sound from now on; None leaves it as it is in the file."""
        ...

    def set_output(self, key: str) -> None:
        """Play on the output of this key; "" for the system's default."""
        ...

    def find_outputs(self) -> None:
        """Ask for the outputs; an `OutputsFound` will answer."""
        ...

    def close(self, timeout_s: float = 2.0) -> bool:
        """Stop, let go of the sound system, and post nothing more.

        Returns
        -------
        bool
            Whether that was done within `timeout_s`.
        """
        ...
