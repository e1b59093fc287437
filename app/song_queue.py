"""The order in which songs are classified; copies of one recording wait for the first of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.song_task import Classified, Refused, SongTask

if TYPE_CHECKING:
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["SongQueue", "other_run_at_work"]

_READ_AT_ONCE = 500


class SongQueue:
    """Hands out the songs to classify, in order.

    Songs whose sampled audio hash is the same are one recording as far as the scan can tell:
    the first is classified, the others wait for it and then get it as their `twin`, so that
    a worker only has to compare the whole payload.

    Parameters
    ----------
    library : Library
    ids : sequence of int
        Tracks to classify.
    """

    def __init__(self, library: Library, ids: Sequence[int]) -> None:
        self._library = library
        self._ids = deque(ids)
        self._copies = _copies(library, ids)
        self._first: dict[str, int] = {}
        self._twins: dict[str, Classified] = {}
        self._waiting: dict[str, list[Track]] = {}
        self._ready: deque[Track] = deque()

    def __bool__(self) -> bool:
        return bool(self._ids or self._ready or self._waiting)

    def take(self) -> Track | None:
        """The next song that need not wait; None if there is none at present."""
        while self._ready or self._ids:
            if self._ready:
                return self._ready.popleft()
            track = self._library.track(self._ids.popleft())
            if track is None:
                continue
            payload = track.audio_hash
            if payload not in self._copies or payload in self._twins:
                return track
            if payload not in self._first:
                self._first[payload] = track.id
                return track
            self._waiting.setdefault(payload, []).append(track)
        return None

    def task(self, track: Track) -> SongTask:
        """The task of a song that `take` gave."""
        return SongTask(
            track_id=track.id,
            path=track.path,
            size_bytes=track.size_bytes,
            mtime_ns=track.mtime_ns,
            duration_s=track.duration_s,
            audio_hash=track.audio_hash,
            twin=self._twins.get(track.audio_hash),
        )

    def skip(self, track: Track) -> None:
        """Say that a song that `take` gave needs no classifying."""
        self._release(track.audio_hash, track.id)

    def settle(self, task: SongTask, result: Classified | Refused) -> None:
        """Say what became of a task; its copies need not wait any longer."""
        if isinstance(result, Classified) and self._first.get(task.audio_hash) == task.track_id:
            self._twins[task.audio_hash] = result
        self._release(task.audio_hash, task.track_id)

    def _release(self, payload: str, track_id: int) -> None:
        if self._first.get(payload) != track_id:
            return
        self._ready.extend(self._waiting.pop(payload, ()))
        if payload not in self._twins:
            del self._first[payload]


@contextmanager
def other_run_at_work(lock: Path) -> Iterator[bool]:
    """Whether another run tags this library now; until the end, others are told that we do.

    Only advice: where files cannot be locked the answer is no.
    """
    with ExitStack() as stack:
        yield _is_locked(lock, stack)


def _is_locked(lock: Path, stack: ExitStack) -> bool:
    try:
        import fcntl

        file = stack.enter_context(lock.open("a"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


def _copies(library: Library, ids: Sequence[int]) -> frozenset[str]:
    """The audio hashes that more than one of the songs have."""
    count: Counter[str] = Counter()
    if len(ids) > 1:
        for start in range(0, len(ids), _READ_AT_ONCE):
            tracks = library.tracks(ids[start : start + _READ_AT_ONCE])
            count.update(track.audio_hash for track in tracks if track.audio_hash)
    return frozenset(payload for payload, songs in count.items() if songs > 1)
