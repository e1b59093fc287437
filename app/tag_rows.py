"""What is asked of a tagging run, and what it says of each song and at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.rows import estimate_to_json
from inference.emotion import EmotionEstimate

__all__ = ["TagFault", "TagOptions", "TagReport", "TagRow"]


@dataclass(frozen=True, slots=True)
class TagOptions:
    """How to tag.

    Parameters
    ----------
    model_id : str or None
        None takes the catalogue's best.
    models_dir : Path or None
        Where the user's own models are, beside the shipped ones.
    jobs : int
        Worker processes; 0 classifies in the calling thread, where a file that crashes the
        decoder takes the program along.
    force : bool
        Classify also what is up to date.
    dry_run : bool
        Only say what would be done; nothing is classified or written.
    niceness : int
        By how much the worker processes let others go first (POSIX), 0..19.
    adapt : bool
        Rate songs by what is usual in the library, where it has enough of them and the model can.
    whole_library : bool
        Bring all songs in step that this model has rated in another version of that, wherever
        they lie.
    limit_s, limit_factor : float
        A song may take ``limit_s + limit_factor * duration`` seconds.
    """

    model_id: str | None = None
    models_dir: Path | None = None
    jobs: int = 1
    force: bool = False
    dry_run: bool = False
    niceness: int = 0
    adapt: bool = True
    whole_library: bool = True
    limit_s: float = 60.0
    limit_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.jobs < 0:
            raise ValueError(f"jobs must be 0 or more, not {self.jobs}")


@dataclass(frozen=True, slots=True)
class TagRow:
    """What is known of one song when its turn is over; one JSON line of `undertone tag`.

    Parameters
    ----------
    estimate : EmotionEstimate or None
        None if the song could not be classified (or would be, in a dry run).
    seconds : float or None
        Time to classify it, without loading the model; None where it was up to date.
    error : str or None
        Why there is no estimate.
    adapted : bool or None
        Whether the estimate was judged by what is usual in the library; None without one.
    """

    path: Path
    duration_s: float | None = None
    estimate: EmotionEstimate | None = None
    seconds: float | None = None
    error: str | None = None
    track_id: int | None = None
    adapted: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields of the command line's contract, as plain JSON values."""
        return {
            "path": str(self.path),
            "duration_s": self.duration_s,
            **estimate_to_json(self.estimate),
            "adapted": self.adapted,
            "seconds": self.seconds,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class TagFault:
    """A file, folder or argument that failed, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class TagReport:
    """The sum of a run; in a dry run `done` counts the songs that would be classified."""

    done: int
    up_to_date: int
    failed: tuple[TagFault, ...]
    seconds: float
