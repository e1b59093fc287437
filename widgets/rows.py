"""What the views know of a song, and the cache that fetches it when it is first looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from inference.emotion import Quadrant
from inference.uncertainty import UNKNOWN, Uncertainty
from library_db.relative import RelativeMood

__all__ = ["RowCache", "TrackRow"]

_CAPACITY = 4000
_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One song as the views show it. Texts are single lines; numbers are None where unknown.

    `source` says whose word the mood is: "user", "personal" or "common". `open` says what the
    model leaves open, `relative` where the song lies within the library, `why` what is wrong with
    the song.
    """

    id: int
    title: str
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    duration_s: float | None = None
    quadrant: Quadrant | None = None
    valence: float | None = None
    arousal: float | None = None
    confidence: float | None = None
    source: str | None = None
    open: Uncertainty = UNKNOWN
    relative: RelativeMood | None = None
    missing: bool = False
    error: str = ""
    path: str = ""
    has_cover: bool = False
    added_s: float | None = None
    why: str = ""

    @property
    def corrected(self) -> bool:
        """True where the listener's own word decided the mood."""
        return self.source == "user"


class RowCache(QObject):
    """Rows by id, fetched in batches by whoever answers `wanted`.

    A view asks `row(id)` while it paints; what is not there is collected and
    asked for once the event loop is back, so that no view ever waits.
    """

    wanted = Signal(list)
    filled = Signal(object)  # frozenset of ids

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: OrderedDict[int, TrackRow] = OrderedDict()
        self._missing: dict[int, None] = {}
        self._asked: set[int] = set()
        self._stale: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._ask)

    def row(self, track_id: int) -> TrackRow | None:
        """The row of a song, or None with the promise of `filled` later."""
        found = self._rows.get(track_id)
        if found is not None:
            self._rows.move_to_end(track_id)
            if track_id not in self._stale:
                return found
        if track_id not in self._asked:
            self._missing[track_id] = None
            if not self._timer.isActive():
                self._timer.start()
        return found

    def peek(self, track_id: int) -> TrackRow | None:
        """The row if it is here, without asking for it."""
        return self._rows.get(track_id)

    def fill(self, asked: Iterable[int], rows: Iterable[TrackRow]) -> None:
        """Answer a `wanted`: the rows found; ids without a row are forgotten."""
        asked_ids = set(asked)
        found = {row.id: row for row in rows}
        self._asked -= asked_ids
        for track_id, row in found.items():
            self._rows[track_id] = row
            self._rows.move_to_end(track_id)
            self._stale.discard(track_id)
        for gone in asked_ids - found.keys():
            self._rows.pop(gone, None)
        while len(self._rows) > _CAPACITY:
            dropped, _ = self._rows.popitem(last=False)
            self._stale.discard(dropped)
        self.filled.emit(frozenset(asked_ids))

    def invalidate(self, ids: Iterable[int]) -> None:
        """Ask again for these when they are next looked at; until then the old rows stay."""
        # An answer that is on its way may have been read before the change: ask again.
        for track_id in ids:
            self._asked.discard(track_id)
            if track_id in self._rows:
                self._stale.add(track_id)
        self.filled.emit(frozenset())

    def doubt(self) -> None:
        """Ask again for all rows when they are next looked at; until then the old ones stay."""
        self._stale.update(self._rows)

    def clear(self) -> None:
        self._rows.clear()
        self._stale.clear()
        self._asked.clear()
        self._missing.clear()

    def _ask(self) -> None:
        # The rows asked for last are on the screen now; those of a long scroll are not.
        ids = list(self._missing)[-_BATCH:]
        self._missing.clear()
        self._asked.update(ids)
        if ids:
            self.wanted.emit(ids)
