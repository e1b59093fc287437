"""The library: the one door to all that is remembered of the listener's music."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from inference.emotion import MoodPoint, Quadrant
from library_db.analysis import AnalysisRow, AnalysisStore
from library_db.changes import ChangeSet
from library_db.database import Durability
from library_db.emotion_layers import TrackEmotion, UserLabel
from library_db.files import FileStore, ScanBatch
from library_db.index import LibraryIndex
from library_db.index_file import collector_paused, read_index, write_index
from library_db.playlists import Playlists
from library_db.recovery import BACKUP_AFTER_S, Notice, OpenedDatabase, back_up, open_database
from library_db.rows import (
    EstimateRow,
    KnownFile,
    effective_fields,
    estimate_document,
    model_key,
    track_of,
    user_document,
)
from library_db.storage import Document
from library_db.store import LibraryStore
from library_db.track import Track
from library_db.walk import targets

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

__all__ = ["EstimateRow", "Library"]

_CHUNK = 500
_KEEP_AFTER = 1000
"""Rows changed since the index was kept: with fewer, reading them at the next start is quicker."""
_ATTENTION = ("missing", "failed", "unsure", "untagged", "stale", "corrected")


class Library:
    """Tracks, their tags and their emotions, on disk and as an index in memory.

    Reading methods may be called from any thread at any time. Writing methods
    may too, one at a time; each is one atomic commit, returns what it changed,
    and has updated `index` by then.

    Attributes
    ----------
    index : LibraryIndex
        Search and sort without SQL.
    playlists : Playlists
        The listener's playlists and saved questions.
    analysis : AnalysisStore
        Timelines, features, and what was learned of the library as a whole.
    store : LibraryStore
        TinyDB and its tables.

    Examples
    --------
    >>> with Library.open(Path("library")) as library:  # doctest: +SKIP
    ...     for track in library.tracks(library.search("mood:calm year:1990-1999")):
    ...         print(track.artist, track.title)
    """

    def __init__(
        self, store: LibraryStore, analysis: AnalysisStore, opened: OpenedDatabase | None = None
    ) -> None:
        self.store = store
        self._files = FileStore(store)
        self.playlists = Playlists(store)
        self.index = LibraryIndex()
        self.analysis = analysis
        self._opened = opened
        self._sync_lock = threading.Lock()
        self._unkept = 0  # rows that the index's file does not have as they are now
        with collector_paused():
            self._revision = read_index(store, self.index)
            self._sync()

    @classmethod
    def open(cls, folder: Path, *, backup_after_s: float = BACKUP_AFTER_S) -> Library:
        """Open the library in `folder`, made if it is missing.

        The file is checked; a damaged one is set aside under a name of its own
        and the newest good backup takes its place (see `notices`). A backup is
        made if the newest one is older than `backup_after_s`.

        Raises
        ------
        LibraryError
            Not permitted, disk full, in use, made by a newer version: with a remedy.
        """
        opened = open_database(folder)
        with ExitStack() as on_failure:
            on_failure.callback(opened.lock.release)
            on_failure.callback(opened.database.close)
            store = LibraryStore(
                opened.database, lambda: back_up(opened.database, folder, after_s=0.0)
            )
            analysis = AnalysisStore(folder)
            on_failure.callback(analysis.close)
            opened.put_back(store)
            library = cls(store, analysis, opened)
            if len(library.index):
                notice = back_up(opened.database, folder, after_s=backup_after_s)
                opened.notices.extend([notice] if notice is not None else [])
            on_failure.pop_all()
        return library

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person must know of this opening (a backup was restored, say)."""
        opened = self._opened.notices if self._opened is not None else []
        return (*opened, *self.analysis.notices)

    def close(self) -> None:
        """Close the files. Calls that come later raise `LibraryError`."""
        with self._sync_lock:
            if self._unkept >= _KEEP_AFTER and write_index(self.store, self.index, self._revision):
                self._unkept = 0
        self.store.close()
        self.analysis.close()
        if self._opened is not None:
            self._opened.lock.release()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # tracks

    def track(self, track_id: int) -> Track | None:
        found = self.tracks([track_id])
        return found[0] if found else None

    def tracks(self, ids: Iterable[int]) -> list[Track]:
        """The tracks with these ids, in their order; ids that are not there are left out."""
        wanted = [int(i) for i in ids]
        found = self.store.tracks.documents(wanted)
        return [track_of(i, found[i]) for i in wanted if i in found and not found[i].get("hidden")]

    def by_path(self, path: Path) -> Track | None:
        rows = self.store.rows(
            "SELECT id FROM tracks WHERE path = ? AND hidden IS NULL", (_absolute(path),)
        )
        return self.track(rows[0][0]) if rows else None

    def under(self, paths: Sequence[Path], *, missing: bool = False) -> list[int]:
        """Ids of the tracks at or below these paths, each once, in order of path.

        Parameters
        ----------
        missing : bool
            With those whose file is not there.
        """
        return [
            file.id
            for _, file in sorted(self.known_files(targets(paths)).items())
            if file.hidden is None and (missing or file.missing is None)
        ]

    def cover(self, track_id: int) -> bytes | None:
        """The picture in the track's file, read now; None without one."""
        from library_db.tags import read_cover

        track = self.track(track_id)
        return read_cover(track.path) if track is not None and track.has_cover else None

    # emotions

    def emotion(self, track_id: int) -> TrackEmotion:
        return self.emotions([track_id])[0]

    def emotions(self, ids: Iterable[int]) -> list[TrackEmotion]:
        """All layers of the tracks with these ids, in their order; empty for unknown ids."""
        return self.store.emotions(ids)

    def timeline(self, track_id: int) -> bytes | None:
        """The mood over the track's time, as the inference floor packs it."""
        return self.analysis.timeline(int(track_id), self._audio_hash(track_id))

    def features(self, track_id: int, front_end: str) -> bytes | None:
        """The stored features of this front end, if they belong to the track's present audio."""
        return self.analysis.features(int(track_id), front_end, self._audio_hash(track_id))

    def having_features(self, ids: Iterable[int], front_end: str) -> list[int]:
        """Those tracks for which `features` would give something, in the order given."""
        wanted = [int(i) for i in ids]
        found = self.analysis.having_features(self.audio_hashes(wanted), front_end)
        return [i for i in wanted if i in found]

    def _audio_hash(self, track_id: int) -> str:
        rows = self.store.rows("SELECT audio_hash FROM tracks WHERE id = ?", (int(track_id),))
        return (rows[0][0] or "") if rows else ""

    # questions

    def search(
        self, query: str = "", *, sort: str = "artist", descending: bool = False
    ) -> NDArray[int64]:
        """Ids of the tracks that match, in order.

        Raises
        ------
        QueryError
            With `.start`, `.end` and `.message`, if the text is no query.
        """
        return self.index.search(query, sort=sort, descending=descending)

    def counts(self, query: str = "", *, relative: bool = False) -> dict[Quadrant | None, int]:
        """How many matching tracks count as each quadrant (about the medians); None: no mood."""
        return self.index.counts(query, relative=relative)

    def attention_counts(self, query: str = "") -> dict[str, int]:
        """How many matching tracks are missing, failed, unsure, untagged, stale and corrected."""
        return self.index.count_flags(query, _ATTENTION)

    def stale(
        self,
        ids_or_paths: Iterable[int | Path],
        model_id: str,
        revision: str = "",
        *,
        failed_with: str | None = None,
    ) -> list[int]:
        """Those tracks that this revision of a model has to classify, in the order given.

        Left out are tracks that have its estimate of their present audio,
        those that failed with it, missing ones, and empty files.
        `failed_with`: the revision that failures were noted under, where it is another one.
        """
        failed = model_key(model_id, revision if failed_with is None else failed_with)
        key = model_key(model_id, revision)
        wanted = self._ids(ids_or_paths)
        found: set[int] = set()
        for chunk in _chunks(wanted):
            marks = ", ".join("?" * len(chunk))
            rows = self.store.rows(
                f"SELECT id FROM tracks WHERE id IN ({marks}) "
                "AND hidden IS NULL AND missing IS NULL AND size_bytes > 0 "
                "AND (common_model IS NOT ? OR audio_changed IS NOT NULL) "
                "AND (tag_error IS NULL OR tag_error_model IS NOT ?)",
                (*chunk, key, failed),
            )
            found.update(i for (i,) in rows)
        return [i for i in wanted if i in found]

    def _ids(self, ids_or_paths: Iterable[int | Path]) -> list[int]:
        ids: list[int] = []
        for one in ids_or_paths:
            if isinstance(one, Path):
                ids.extend(self.under([one]))
            else:
                ids.append(int(one))
        return list(dict.fromkeys(ids))

    def roots(self) -> list[Path]:
        """The folders that the listener has added, in the order of adding."""
        return [Path(os.fsdecode(document["path"])) for document in self.store.roots]

    @property
    def revision(self) -> int:
        """Grows with each commit that changed a track, as far as `index` has taken it over."""
        return self._revision

    def refresh(self) -> ChangeSet:
        """Take over what other processes have committed; quick when there is nothing."""
        return self._sync()

    def _sync(self) -> ChangeSet:
        with self._sync_lock:
            revision, rows, hidden = self.store.index_rows(self._revision)
            if revision == self._revision:
                return ChangeSet()
            known = set(self.index.ids_among([*(row[0] for row in rows), *hidden]))
            self.index.apply(rows, hidden)
            self._revision = revision
            self._unkept += len(rows) + len(hidden)
        touched = [int(row[0]) for row in rows]
        return ChangeSet(
            added=tuple(i for i in touched if i not in known),
            changed=tuple(i for i in touched if i in known),
            removed=tuple(i for i in hidden if i in known),
        )

    # writing emotions

    def set_estimates(self, rows: Sequence[EstimateRow]) -> ChangeSet:
        """Store what a model found; rows of tracks that are no longer known are dropped."""
        hashes = self.audio_hashes([row.track_id for row in rows])
        # Ids may be numpy's, which SQLite does not know.
        rows = [replace(row, track_id=int(row.track_id)) for row in rows if row.track_id in hashes]
        # First: a blob without its estimate is harmless, an estimate without its blob is not.
        self.analysis.put(
            [
                AnalysisRow(
                    row.track_id, hashes[row.track_id], row.timeline, row.front_end, row.features
                )
                for row in rows
                if row.timeline is not None or row.features is not None
            ]
        )
        failed = [row for row in rows if row.estimate is None]
        with self.store.commit(Durability.BULK) as revision:
            updates: dict[int, dict[str, Any]] = {}
            for layer, table in (("common", self.store.common), ("personal", self.store.personal)):
                chosen = [r for r in rows if r.layer == layer and r.estimate is not None]
                if layer == "common":  # a personal estimate is made from the common one
                    self.store.personal.remove(doc_ids=[r.track_id for r in chosen])
                table.put_multiple(
                    Document(estimate_document(row.estimate), row.track_id)
                    for row in chosen
                    if row.estimate is not None
                )
                for row in chosen:
                    fields = updates.setdefault(row.track_id, {})
                    if row.payload_hash:
                        fields["payload_hash"] = row.payload_hash
                    if row.duration_s is not None and row.duration_s > 0:
                        fields["duration_s"] = float(row.duration_s)
                    if layer == "common" and row.estimate is not None:
                        fields.update(
                            common_model=model_key(row.estimate.model_id, row.revision),
                            audio_changed=None,
                            tag_error=None,
                            tag_error_model=None,
                        )
            for row in failed:
                updates.setdefault(row.track_id, {}).update(
                    tag_error=row.error or "no result", tag_error_model=""
                )
            self._write_effective(revision, updates)
        return self._sync()

    def set_failed(self, rows: Sequence[tuple[int, str, str]]) -> ChangeSet:
        """Note why tracks could not be classified: (id, reason, model id).

        They count as stale again when their file changes, or for another model. What models
        said of the audio that was there before, if it has changed, goes.
        """
        known = self.audio_hashes([track_id for track_id, _, _ in rows])
        documents = self.store.tracks.documents(known)
        replaced = [i for i in known if documents[i].get("audio_changed")]
        gone = {"common_model": None, "audio_changed": None}
        with self.store.commit(Durability.BULK) as revision:
            for table in (self.store.common, self.store.personal):
                table.remove(doc_ids=replaced)
            self._write_effective(revision, dict.fromkeys(replaced, gone))
            self.store.write_tracks(
                revision,
                (
                    (int(i), {"tag_error": reason, "tag_error_model": model_id})
                    for i, reason, model_id in rows
                    if i in known
                ),
            )
        return self._sync()

    def correct(self, track_id: int, label: Quadrant | MoodPoint | UserLabel | None) -> ChangeSet:
        """The listener's word on a track, on the disk when this returns; None takes it back.

        A `UserLabel` is stored as it is, so that an undo restores the former one.

        Raises
        ------
        KeyError
            If there is no such track.
        """
        return self.correct_many({track_id: label})

    def correct_many(
        self, labels: Mapping[int, Quadrant | MoodPoint | UserLabel | None]
    ) -> ChangeSet:
        """As `correct`, for several tracks in one commit."""
        labels = {int(i): label for i, label in labels.items()}
        missing = set(labels) - set(self.audio_hashes(labels))
        if missing:
            raise KeyError(f"no track {min(missing)}")
        now_s = time.time()
        with self.store.commit(Durability.LISTENER) as revision:
            self.store.user.remove(doc_ids=[i for i, label in labels.items() if label is None])
            self.store.user.put_multiple(
                Document(user_document(UserLabel.of(label, now_s)), i)
                for i, label in labels.items()
                if label is not None
            )
            self._write_effective(revision, {i: {} for i in labels})
        return self._sync()

    def _write_effective(self, revision: int, updates: Mapping[int, Mapping[str, Any]]) -> None:
        emotions = self.emotions(updates)
        self.store.write_tracks(
            revision,
            (
                (track_id, {**fields, **effective_fields(emotion)})
                for (track_id, fields), emotion in zip(updates.items(), emotions, strict=True)
            ),
        )

    def audio_hashes(self, ids: Iterable[int]) -> dict[int, str]:
        """Which audio each of these tracks has now, by id; as `analysis` asks for it."""
        found: dict[int, str] = {}
        for chunk in _chunks([int(i) for i in ids]):
            marks = ", ".join("?" * len(chunk))
            found.update(
                self.store.rows(
                    f"SELECT id, ifnull(audio_hash, '') FROM tracks WHERE id IN ({marks})", chunk
                )
            )
        return found

    # writing files and folders

    def set_file_states(self, rows: Sequence[tuple[int, int, int]]) -> ChangeSet:
        """Note size and mtime of files that the program itself has retagged: (id, size, mtime)."""
        with self.store.commit(Durability.BULK) as revision:
            self.store.write_tracks(
                revision,
                ((int(i), {"size_bytes": size, "mtime_ns": mtime}) for i, size, mtime in rows),
            )
        return self._sync()

    def add_root(self, path: Path) -> ChangeSet:
        """Remember a folder as part of the library; `scan` looks into it."""
        place = _absolute(path)
        with self.store.commit(Durability.LISTENER):
            if not any(document["path"] == place for document in self.store.roots):
                self.store.roots.insert({"path": place})
        return self._sync()

    def remove_root(self, path: Path) -> ChangeSet:
        """Forget a folder and take its tracks out of the library.

        All that is known of them is kept: they are back when the folder is added and scanned again.
        """
        place = _absolute(path)
        with self.store.commit(Durability.LISTENER):
            gone = [d.doc_id for d in self.store.roots if d["path"] == place]
            self.store.roots.remove(doc_ids=gone)
            kept = set(self.under(self.roots(), missing=True)) if self.roots() else set()
            self._hide([i for i in self.under([path], missing=True) if i not in kept])
        return self._sync()

    def forget(self, ids: Iterable[int]) -> ChangeSet:
        """Take tracks out of the library (say, missing ones); `restore` undoes it."""
        with self.store.commit(Durability.LISTENER):
            self._hide([int(i) for i in ids])
        return self._sync()

    def restore(self, ids: Iterable[int]) -> ChangeSet:
        """Bring back tracks that `forget` or `remove_root` took out."""
        with self.store.commit(Durability.LISTENER) as revision:
            self.store.write_tracks(revision, ((int(i), {"hidden": None}) for i in ids))
        return self._sync()

    def _hide(self, ids: Sequence[int]) -> None:
        with self.store.commit(Durability.LISTENER) as revision:
            self.store.write_tracks(revision, ((i, {"hidden": 1}) for i in ids))

    # for the scan

    def known_files(self, paths: Sequence[bytes]) -> dict[bytes, KnownFile]:
        """All tracks at or below absolute paths, hidden ones too, by path."""
        return self._files.below(paths)

    def files_with(self, audio_hash: str) -> list[KnownFile]:
        """All tracks with this audio, hidden ones too."""
        return self._files.with_audio(audio_hash)

    def write_scan(self, batch: ScanBatch) -> ChangeSet:
        """Commit what a scan has read: new tracks, and fields of known ones."""
        self._files.write(batch)
        return self._sync()


def _absolute(path: Path) -> bytes:
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100  (keeps links, unlike resolve)


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
