"""Tracks as the files that a scan finds: by path, by audio, and the scan's commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from library_db.database import Durability
from library_db.rows import KnownFile
from library_db.store import LibraryStore

__all__ = ["FileStore", "ScanBatch"]

_KNOWN = "id, path, size_bytes, mtime_ns, missing, hidden, scan_error, ifnull(audio_hash, '')"


@dataclass
class ScanBatch:
    """Rows for one commit of `Library.write_scan`: new tracks, and fields of known ones by id."""

    added: list[dict[str, Any]] = field(default_factory=list)
    updated: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.added) + len(self.updated)


class FileStore:
    """What a scan asks of the store and writes to it; hidden tracks count here."""

    def __init__(self, store: LibraryStore) -> None:
        self._store = store

    def below(self, paths: Sequence[bytes]) -> dict[bytes, KnownFile]:
        """The tracks at or below absolute paths, by path."""
        found: dict[bytes, KnownFile] = {}
        for path in paths:
            folder = path.rstrip(b"/")
            rows = self._store.rows(
                f"SELECT {_KNOWN} FROM tracks WHERE path = ? OR (path >= ? AND path < ?)",
                (path, folder + b"/", folder + b"0"),
            )
            found.update((row[1], KnownFile._make(row)) for row in rows)
        return found

    def with_audio(self, audio_hash: str) -> list[KnownFile]:
        """The tracks whose audio has this hash."""
        rows = self._store.rows(f"SELECT {_KNOWN} FROM tracks WHERE audio_hash = ?", (audio_hash,))
        return [KnownFile._make(row) for row in rows]

    def write(self, batch: ScanBatch) -> None:
        """One commit; what another process entered meanwhile under the same path is updated."""
        store = self._store
        updated = {track_id for track_id, _ in batch.updated}
        with store.commit(Durability.BULK) as revision:
            for track_id, fields in batch.updated:
                if "path" in fields:
                    self._make_room(revision, fields["path"], track_id)
                store.write_tracks(revision, [(track_id, fields)])
            for fields in batch.added:
                taken = store.rows("SELECT id FROM tracks WHERE path = ?", (fields["path"],))
                if taken and taken[0][0] not in updated:
                    update = {name: v for name, v in fields.items() if name != "added_s"}
                    store.write_tracks(revision, [(taken[0][0], {**update, "hidden": None})])
                    continue
                self._make_room(revision, fields["path"], 0)
                present = {name: v for name, v in fields.items() if v is not None}
                store.tracks.insert({**present, "rev": revision})

    def _make_room(self, revision: int, path: bytes, track_id: int) -> None:
        """Move a track from a path that now holds another one's file: it is missing until found."""
        for (other,) in self._store.rows(
            "SELECT id FROM tracks WHERE path = ? AND id != ?", (path, track_id)
        ):
            place = path + f" (replaced, {other})".encode()
            self._store.write_tracks(revision, [(other, {"path": place, "missing": 1})])
