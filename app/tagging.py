"""Batch tagging: scan, find what is stale, classify it in workers; one writer; resumable."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.adapting import adapted, learn, may_learn, otherwise_adapted, stored
from app.personal_model import personal_rows
from app.personal_models import usable_model
from app.rerating import Rated, rated_again
from app.song_model import Model, music_model
from app.song_queue import SongQueue, other_run_at_work
from app.song_task import CHANGED, Classified, Refused, SongTask, load_song_worker
from app.tag_rows import TagFault, TagOptions, TagReport, TagRow
from app.tag_workers import InProcess, Workers, load_worker
from app.workers import Crashed, WorkerPool
from inference.job import Job, Progress
from library_db.adaptation import is_adapted

if TYPE_CHECKING:
    from library_db.library import EstimateRow, Library
    from library_db.track import Track

__all__ = ["Model", "TagFault", "TagOptions", "TagReport", "TagRow", "music_model", "tag"]

T = TypeVar("T")

COMMIT_AFTER_S = 0.4
"""A finished song waits at most this long for its commit, s."""
COMMIT_SONGS = 64
_LOCK_NAME = "tagging.lock"
_HEARTBEAT_S = 0.2
_READ_AT_ONCE = 500


def tag(
    library: Library,
    paths: Sequence[Path],
    options: TagOptions,
    *,
    model: Model | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Job[TagReport]:
    """Classify the songs at or below `paths` that the model has not classified yet.

    Parameters
    ----------
    library : Library
        Open; this generator's thread is its only writer meanwhile.
    paths : sequence of Path
        Files and folders; one that is not there is a fault in the report.
    model : Model, optional
        Default: `music_model(options.model_id, options.models_dir)`.
    cancelled : callable, optional
        With ``jobs=0``: asked between blocks of audio; True ends the job within a song.

    Yields
    ------
    Progress
        At least a few times a second; `item` is a `TagRow` when a song's turn is over, and
        what the row says is then committed and final: one row a song. Where the run may learn
        anew what is usual in the library, all rows come after that; until then, and for songs
        of other folders that are rated anew, `item` is a `ChangeSet` of what was committed.
        Without an item, `text` says what is scanned and is empty while songs are classified.
        Close the generator to stop: finished songs are kept, songs in flight are lost.

    Raises
    ------
    UndertoneError
        If the model cannot be loaded or the library not be written; what was committed stays.
    """
    started = time.monotonic()
    if model is None:
        model = music_model(options.model_id, options.models_dir)
    run = _Run(library, options, model, cancelled)
    if options.dry_run:
        yield from run.preview(paths)
    else:
        yield from run.scan(paths)
        yield from run.work()
    return TagReport(
        done=run.done,
        up_to_date=run.up_to_date,
        failed=tuple(run.faults.values()),
        seconds=time.monotonic() - started,
    )


class _Run:
    """The state of one call of `tag`."""

    def __init__(
        self,
        library: Library,
        options: TagOptions,
        model: Model,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.library = library
        self.options = options
        self._plain = model
        self.model = adapted(model, stored(library, model)) if options.adapt else model
        self._held: dict[Path, TagRow] | None = None
        self.cancelled = cancelled
        self._personal = usable_model(options.models_dir)
        self.done = 0
        self.up_to_date = 0
        self.faults: dict[Path, TagFault] = {}
        self._turns = 0
        self._total = 0
        self._stale: list[int] = []
        self._forced = options.force
        self._ids: list[int] = []
        self._pending: list[tuple[SongTask, Classified | Refused]] = []
        self._committed_s = time.monotonic()

    def scan(self, paths: Sequence[Path]) -> Generator[Progress, None, None]:
        """Bring the library up to date; yields the rows of songs that need no classifying."""
        from library_db.scan import scan

        report = yield from _first_part(scan(self.library, paths))
        unreadable = {fault.path: fault.reason for fault in report.failed}
        ids = [int(i) for i in self.library.under(paths)]
        stale = set(ids) if self.options.force else set(self._stale_among(ids))
        self._stale = [i for i in ids if i in stale]
        self._ids = ids
        if self.options.adapt and may_learn(self.library, self._plain, self._stale):
            self._held = {}
        self._total = len(ids)
        if unreadable:
            for start in range(0, len(ids), _READ_AT_ONCE):
                for track in self.library.tracks(ids[start : start + _READ_AT_ONCE]):
                    unreadable.pop(track.path, None)  # it gets a row anyway
        self._total += len(unreadable)
        for row in self._known_rows([i for i in ids if i not in stale]):
            yield self._emit(row)
        for path, reason in unreadable.items():
            yield self._emit(TagRow(path, error=reason))

    def work(self) -> Generator[Progress, None, None]:
        """Rate and classify what is stale; between the two, learn from what was heard."""
        folder = self.library.store.database.path.parent
        with other_run_at_work(folder / _LOCK_NAME) as other:
            if self._held is not None:
                yield from self._learn(other=other)
            yield from self._rate_again()
            # Two runs over the same songs meet in the middle; each asks again before each song.
            yield from self._classify(self._stale[::-1] if other else self._stale)
            yield from self._complete()
        yield from self._release()

    def _learn(self, *, other: bool) -> Generator[Progress, None, None]:
        """Hear what was not heard before, then learn what is usual in the library."""
        able = set(self.library.having_features(self._stale, self.model.front_end))
        if self.options.force:
            able = set()
        unheard = [i for i in self._stale if i not in able]
        yield from self._classify(unheard[::-1] if other else unheard)
        if not other:  # else the other run learns at its end, or the next one does
            yield from learn(self.library, self._plain)
        self.model = adapted(self._plain, stored(self.library, self._plain))
        self._stale = self._stale_among(self._ids)
        self._forced = False

    def _complete(self) -> Generator[Progress, None, None]:
        """Rate songs outside of the run's paths that stand otherwise than the library now does."""
        if not self.options.whole_library or not self._plain.adapts:
            return
        mine = set(self._ids)
        others = otherwise_adapted(self.library, self._plain, self.model)
        others = [i for i in others if i not in mine]
        able = self.library.having_features(others, self.model.front_end)
        yield from self._rated(able, self._touched)

    def _rate_again(self) -> Generator[Progress, None, None]:
        """Rate from stored features what another head has heard; yields committed rows."""
        if self._forced or not self.model.front_end:
            return
        able = self.library.having_features(self._stale, self.model.front_end)
        done: set[int] = set()

        def emitted(rows: list[TagRow]) -> Iterator[Progress]:
            done.update(row.track_id or 0 for row in rows)
            return map(self._emit, rows)

        yield from self._rated(able, emitted)
        self._stale = [i for i in self._stale if i not in done]

    def _rated(
        self, ids: Sequence[int], told: Callable[[list[TagRow]], Iterator[Progress]]
    ) -> Generator[Progress, None, None]:
        """Rate songs from stored features; `told` says how what was committed is passed on."""
        rated = rated_again(self.library, ids, self.model.front_end, self.model.load, self.options)
        with closing(rated):
            for songs in rated:
                yield from told(self._keep(songs))
                yield Progress(self._turns, self._total)

    def _touched(self, rows: list[TagRow]) -> Iterator[Progress]:
        from library_db.changes import ChangeSet

        ids = tuple(row.track_id for row in rows if row.track_id is not None)
        if ids:
            yield Progress(self._turns, self._total, "", ChangeSet(changed=ids))

    def _keep(self, songs: Sequence[Rated]) -> list[TagRow]:
        """Write what was rated again, unless the audio has changed meanwhile."""
        from library_db.library import EstimateRow

        tracks = {track.id: track for track in self.library.tracks(s.track_id for s in songs)}
        kept = [
            (song, track)
            for song in songs
            if (track := tracks.get(song.track_id)) and track.audio_hash == song.audio_hash
        ]
        self._write(
            [
                EstimateRow(
                    track_id=song.track_id,
                    layer="common",
                    estimate=song.estimate,
                    timeline=song.timeline,
                    revision=self.model.revision,
                )
                for song, _ in kept
            ]
        )
        return [
            TagRow(
                track.path,
                track.duration_s,
                song.estimate,
                song.seconds,
                None,
                track.id,
                is_adapted(self.model.revision),
            )
            for song, track in kept
        ]

    def _classify(self, ids: Sequence[int]) -> Generator[Progress, None, None]:
        """Classify songs from their files; yields a song's row when it is committed."""
        if not ids:
            return
        queue = SongQueue(self.library, ids)
        workers = self._workers()
        try:
            while queue or workers.busy:
                yield from self._hand_out(queue, workers)
                for finished in workers.wait(_HEARTBEAT_S):
                    result = _as_result(finished.result)
                    queue.settle(finished.item, result)
                    self._pending.append((finished.item, result))
                if self._is_commit_due():
                    yield from map(self._emit, self._commit())
                yield Progress(self._turns, self._total)
            yield from map(self._emit, self._commit())
        finally:
            try:
                self._commit()
            finally:
                workers.close()

    def preview(self, paths: Sequence[Path]) -> Generator[Progress, None, None]:
        """What `scan` and `classify` would do, from what is on the disk and in the library."""
        from library_db.scan import discover

        found = list(discover(paths))
        self._total = len(found)
        for path, fault in found:
            yield self._emit(self._preview_row(path, fault))

    def _workers(self) -> Workers:
        if self.options.jobs == 0:
            return InProcess(load_song_worker(self.model.load, self.cancelled))
        load = functools.partial(load_worker, self.model.load, self.options.niceness)
        return WorkerPool(self.options.jobs, load)

    def _hand_out(self, queue: SongQueue, workers: Workers) -> Generator[Progress, None, None]:
        """Give each idle worker a song; skip those that another run has finished meanwhile."""
        while workers.room and (track := queue.take()) is not None:
            self.library.refresh()
            if not self._forced and not self._is_stale(track):
                queue.skip(track)
                yield from map(self._emit, self._known_rows([track.id]))
                continue
            workers.submit(queue.task(track), limit_s=self._limit_s(track))

    def _is_stale(self, track: Track) -> bool:
        return len(self._stale_among([track.id])) > 0

    def _stale_among(self, ids: Sequence[int]) -> list[int]:
        model = self.model
        return self.library.stale(
            ids, model.model_id, model.revision, failed_with=self._plain.revision
        )

    def _limit_s(self, track: Track) -> float:
        # A header may lie about the duration, the size does not: 16 kB/s is 128 kbit/s.
        duration_s = max(track.duration_s or 0.0, track.size_bytes / 16_000)
        return self.options.limit_s + self.options.limit_factor * duration_s

    def _is_commit_due(self) -> bool:
        return len(self._pending) >= COMMIT_SONGS or (
            bool(self._pending) and time.monotonic() - self._committed_s >= COMMIT_AFTER_S
        )

    def _commit(self) -> list[TagRow]:
        """Write what is finished; returns its rows."""
        from library_db.rows import model_key

        pending, self._pending = self._pending, []
        self._committed_s = time.monotonic()
        ids = [task.track_id for task, _ in pending]
        tracks = {track.id: track for track in self.library.tracks(ids)}
        rows: list[TagRow] = []
        estimates: list[EstimateRow] = []
        failures: list[tuple[int, str, str]] = []
        for task, result in pending:
            track = tracks.get(task.track_id)
            if track is None or not task.is_of(track):
                result = CHANGED  # another program scanned it again
            if isinstance(result, Classified):
                estimates.append(_estimate_row(task, result, self.model.revision))
            elif track is not None:
                key = model_key(self.model.model_id, self._plain.revision)
                failures.append((task.track_id, result.reason, key if result.lasting else ""))
            rows.append(_finished_row(task, result, adapted=is_adapted(self.model.revision)))
        if estimates:
            self._write(estimates)
        if failures:
            self.library.set_failed(failures)
        return [self._as_kept(row) for row in rows]

    def _write(self, estimates: list[EstimateRow]) -> None:
        """Commit estimates, each with the listener's own where there is a model for it."""
        self.library.set_estimates(
            estimates + personal_rows(self._personal, estimates, self.library)
        )

    def _as_kept(self, row: TagRow) -> TagRow:
        """The row in the library's words, which are those of the next run."""
        track = None if row.track_id is None else self.library.track(row.track_id)
        if track is None:
            return row
        error = None if row.error is None else track.error or row.error
        return replace(row, duration_s=track.duration_s or row.duration_s, error=error)

    def _known_rows(self, ids: Sequence[int]) -> Iterator[TagRow]:
        """Rows of songs as the library has them."""
        for start in range(0, len(ids), _READ_AT_ONCE):
            tracks = self.library.tracks(ids[start : start + _READ_AT_ONCE])
            emotions = self.library.emotions([track.id for track in tracks])
            for track, emotion in zip(tracks, emotions, strict=True):
                estimate, error = emotion.common, None
                if estimate is None or estimate.model_id != self.model.model_id:
                    estimate, error = None, track.error
                used_to_it = None if estimate is None else is_adapted(track.common_model)
                yield TagRow(
                    track.path, track.duration_s, estimate, None, error, track.id, used_to_it
                )

    def _preview_row(self, path: Path, fault: str | None) -> TagRow:
        track = None if fault else self.library.by_path(path)
        if track is None or not _is_unchanged(track):
            return TagRow(path, error=fault)
        if self.options.force or self._is_stale(track):
            return TagRow(path, track.duration_s, track_id=track.id)
        return next(self._known_rows([track.id]))

    def _emit(self, row: TagRow) -> Progress:
        """A row on its way out; where the run may learn, it waits for the end."""
        if self._held is None:
            return self._told(row)
        before = self._held.get(row.path)
        self._turns += before is None
        if before is not None and before.seconds is not None:  # it took that to hear it
            row = replace(row, seconds=before.seconds)
        self._held[row.path] = row
        waiting = Progress(self._turns, self._total)
        return waiting if row.seconds is None else next(self._touched([row]), waiting)

    def _release(self) -> Generator[Progress, None, None]:
        """The rows that waited."""
        held, self._held, self._turns = self._held or {}, None, 0
        for row in held.values():
            yield self._told(row)

    def _told(self, row: TagRow) -> Progress:
        self._turns += 1
        if row.error is not None:
            self.faults[row.path] = TagFault(row.path, row.error)
        elif row.estimate is not None and row.seconds is None:
            self.up_to_date += 1
        else:
            self.done += 1
        return Progress(self._turns, self._total, row.path.name, row)


def _as_result(result: Classified | Refused | Crashed) -> Classified | Refused:
    if isinstance(result, Crashed):
        return Refused(result.reason, lasting=result.repeatable)
    return result


def _finished_row(task: SongTask, result: Classified | Refused, *, adapted: bool) -> TagRow:
    if isinstance(result, Refused):
        return TagRow(task.path, task.duration_s, error=result.reason, track_id=task.track_id)
    return TagRow(
        path=task.path,
        duration_s=result.duration_s,
        estimate=result.estimate,
        seconds=round(result.seconds, 4),
        track_id=task.track_id,
        adapted=adapted,
    )


def _estimate_row(task: SongTask, result: Classified, revision: str) -> EstimateRow:
    from library_db.library import EstimateRow

    return EstimateRow(
        track_id=task.track_id,
        layer="common",
        estimate=result.estimate,
        timeline=result.timeline,
        features=result.features,
        front_end=result.front_end,
        payload_hash=result.payload_hash,
        duration_s=result.duration_s,
        revision=revision,
    )


def _is_unchanged(track: Track) -> bool:
    try:
        state = track.path.stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (track.size_bytes, track.mtime_ns)


def _first_part(job: Job[T]) -> Generator[Progress, None, T]:
    """Another job's progress as the first part of this one's; its items are not rows."""
    try:
        while True:
            try:
                progress = next(job)
            except StopIteration as stop:
                result: T = stop.value
                return result
            yield Progress(progress.done, progress.total, progress.text or "scanning")
    finally:
        job.close()
