"""One song's turn in a worker: is it still the file that was scanned, and how does it feel."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.workers import unexpected
from inference.emotion import EmotionEstimate
from inference.errors import UndertoneError

if TYPE_CHECKING:
    from inference.audio.features import SongFeatures
    from inference.runtime import MusicEstimate
    from library_db.track import Track

__all__ = ["CHANGED", "Classified", "Classifier", "Refused", "SongTask", "load_song_worker"]


class Classifier(Protocol):
    """What tags songs: `inference.runtime.MusicClassifier` in the program."""

    def classify(
        self, path: Path, *, cancelled: Callable[[], bool] | None = None
    ) -> MusicEstimate: ...

    def rate(self, features: SongFeatures) -> MusicEstimate: ...


@dataclass(frozen=True, slots=True)
class Classified:
    """A song's estimate with all that the library keeps beside it, as plain data.

    Parameters
    ----------
    timeline, features : bytes
        As `Timeline.to_bytes` and `SongFeatures.to_bytes` give them.
    seconds : float
        Time to classify it.
    payload_hash : str
        Of the whole audio payload, tags apart.
    """

    estimate: EmotionEstimate
    timeline: bytes
    features: bytes
    front_end: str
    duration_s: float
    seconds: float
    payload_hash: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A song that could not be classified.

    Parameters
    ----------
    reason : str
        For people.
    lasting : bool
        Whether it will be so until the file changes; else the next run tries again.
    """

    reason: str
    lasting: bool


CHANGED = Refused("the file changed while it was being tagged. Tag it again", lasting=False)


@dataclass(frozen=True, slots=True)
class SongTask:
    """A song to classify.

    Parameters
    ----------
    size_bytes, mtime_ns : int
        Of the file when it was scanned.
    duration_s : float or None
        As its header says; bounds the time it may take.
    twin : Classified or None
        What a song with (as far as the scan can tell) the same audio was found to be.
    """

    track_id: int
    path: Path
    size_bytes: int
    mtime_ns: int
    duration_s: float | None
    audio_hash: str = ""
    twin: Classified | None = None

    def is_of(self, track: Track) -> bool:
        """Whether the library still knows the file as it was when the task was made."""
        return (track.size_bytes, track.mtime_ns) == (self.size_bytes, self.mtime_ns)


def load_song_worker(
    load: Callable[[], Classifier], cancelled: Callable[[], bool] | None = None
) -> Callable[[SongTask], Classified | Refused]:
    """Load the classifier; returns the function that a worker applies to each song."""
    return functools.partial(_attempt, load(), cancelled)


def _attempt(
    classifier: Classifier, cancelled: Callable[[], bool] | None, task: SongTask
) -> Classified | Refused:
    try:
        return _classify(classifier, cancelled, task)
    except UndertoneError as error:
        if cancelled is not None and cancelled():
            raise
        return Refused(str(error), lasting=task.path.exists())
    except FileNotFoundError:
        return Refused("the file is gone", lasting=False)
    except OSError as error:
        return Refused(f"the file cannot be read ({error.strerror or error})", lasting=False)
    except MemoryError:
        return Refused("there was not enough memory", lasting=False)
    except Exception as error:
        return Refused(f"an unexpected fault ({unexpected(error)})", lasting=False)


def _classify(
    classifier: Classifier, cancelled: Callable[[], bool] | None, task: SongTask
) -> Classified | Refused:
    from library_db.identity import payload_hash

    if not _is_as_scanned(task):
        return CHANGED
    started = time.perf_counter()
    payload = payload_hash(task.path)
    if task.twin is not None and payload == task.twin.payload_hash:
        return replace(task.twin, seconds=time.perf_counter() - started)
    found = classifier.classify(task.path, cancelled=cancelled)
    seconds = time.perf_counter() - started
    if not _is_as_scanned(task):
        return CHANGED
    return Classified(
        estimate=found.estimate,
        timeline=found.timeline.to_bytes(),
        features=found.features.to_bytes(),
        front_end=found.features.front_end,
        duration_s=found.duration_s,
        seconds=seconds,
        payload_hash=payload,
    )


def _is_as_scanned(task: SongTask) -> bool:
    state = task.path.stat()
    return (state.st_size, state.st_mtime_ns) == (task.size_bytes, task.mtime_ns)
