"""Between the library and the views: searching, counting, fetching rows, corrections with undo.

Every read runs on a pool and every write on the writer thread; the GUI
thread only hands over what came back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack

from app.desktop.attention import ATTENTION, with_reasons
from app.desktop.corrections import Correction, FolderRemoval, Forgetting, Label
from app.desktop.jobs import JobRunner, Latest
from app.desktop.relative_moods import plane_points
from app.desktop.sources import PLACE, Found, Lost, OutsideFiles, Question, Source, among
from inference.emotion import QUADRANTS
from inference.errors import UndertoneError
from library_db.changes import ChangeSet
from library_db.query import QueryError, parse
from widgets.rows import RowCache, TrackRow
from widgets.text import one_line

if TYPE_CHECKING:
    from app.writer import LibraryWriter
    from library_db.library import Library

__all__ = ["LibraryController", "mistake_in", "track_rows"]

_SETTLE_MS = 250
_COUNT_MS = 60
_LOOK_MS = 5000
_Asked = tuple[str, Source | None, str, str, bool]
"""A question: view, source, search, order, whether downwards."""

_VIEWS = {
    "all": "",
    "plane": "",
    **{quadrant.value: f"mood{{}}:{quadrant.label.lower()}" for quadrant in QUADRANTS},
    "untagged": "is:untagged -is:failed",
    "missing": "is:missing",
    "failed": "is:failed",
    "stale": "is:stale",
}


class LibraryController(QObject):
    """The library as the window uses it.

    Parameters
    ----------
    library : Library
    writer : LibraryWriter
        Does every write.
    unsure_below : callable
        The confidence under which a mood counts as unsure.
    """

    found = Signal(object, bool)  # ids; True: the same question again, keep the place
    query_refused = Signal(str, int, int)  # message, start, end
    query_accepted = Signal()
    counted = Signal(dict)  # view key -> number
    points_ready = Signal(object)  # PlanePoints
    changed = Signal(object)  # ids that changed
    corrected = Signal(str)  # what was done, for a toast
    roots_changed = Signal()  # the music folders are others now
    failed = Signal(object)  # UndertoneError
    looked = Signal()  # after looking for what other processes wrote

    _written = Signal(object, object)

    def __init__(
        self,
        library: Library,
        writer: LibraryWriter,
        runner: JobRunner,
        rows: RowCache,
        unsure_below: Callable[[], float],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.library = library
        self.undo_stack = QUndoStack(self)
        self._writer = writer
        self._runner = runner
        self._rows = rows
        self._unsure_below = unsure_below
        self._view, self._text = "all", ""
        self.relative = False
        """Whether moods are those within the library, about its medians."""
        self.outside = OutsideFiles()
        self.places: NDArray[np.intp] | None = None
        """Where the songs found stand in the list that is shown, if it has places."""
        self.lost = Lost()
        self._makers: dict[str, Callable[[str], Source | None]] = {}
        self._source: Source | None = None
        self._sort, self._descending = "artist", False
        self._own_sort: tuple[str, bool] = (PLACE, False)
        self._answered: _Asked | None = None
        self._searcher, self._counter = Latest(runner), Latest(runner)
        self._pointer = Latest(runner)
        self._wants_points = False
        self._resting = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.search)
        self._looker = QTimer(self)
        self._looker.setInterval(_LOOK_MS)
        self._looker.timeout.connect(self.look_for_foreign_changes)
        self._looking = False
        self._writing = 0
        # Counting waits until the list is shown and the next key has not come.
        self._count_soon = QTimer(self)
        self._count_soon.setSingleShot(True)
        self._count_soon.setInterval(_COUNT_MS)
        self._count_soon.timeout.connect(self._count)
        rows.wanted.connect(self._fetch)
        self._written.connect(self._on_written)

    # questions

    def add_sources(self, prefix: str, make: Callable[[str], Source | None]) -> None:
        """Have views whose key begins with `prefix` ask what `make(key)` gives."""
        self._makers[prefix] = make

    def set_view(self, key: str) -> None:
        make = self._maker(key)
        self._source = make(key) if make is not None else None
        self._own_sort = (PLACE, False)
        self._view, self._resting = key, False
        self._wants_points = key == "plane"
        self.search()

    def renew_source(self) -> None:
        """Ask the shown list again, after it was changed; order and place stay."""
        make = next(
            (m for prefix, m in self._makers.items() if self._view.startswith(prefix)), None
        )
        if make is None or self._resting:
            return
        self._source = make(self._view)
        if self._answered is not None and self._answered[0] == self._view:
            self._answered = (self._view, self._source, *self._answered[2:])
        self.search()

    def show_source(self, key: str, source: Source) -> None:
        """Make the view `key` the songs of a source, and go to it."""
        self._makers[key] = lambda _: source
        self.set_view(key)

    def rest(self, key: str) -> None:
        """Another page, `key`, is shown: ask only for the numbers of the sidebar."""
        self._view, self._wants_points, self._resting = key, False, True
        self._count_soon.start()

    def pick(self, ids: Sequence[int]) -> None:
        """Make the view "picked" these songs, and go to it."""
        picked = np.array(ids, np.int64)
        self.show_source("picked", among(self.tr("From the mood plane"), lambda _: picked))

    def set_relative(self, relative: bool) -> None:
        """Show moods within the library, or absolute ones."""
        if relative != self.relative:
            self.relative = relative
            self.search()

    def set_text(self, text: str) -> None:
        self._text = text
        self.search()

    def set_sort(self, key: str, descending: bool) -> None:
        if self._source is not None and self._source.ordered:
            self._own_sort = (key, descending)
        else:
            self._sort, self._descending = key, descending
        self.search()

    @property
    def view(self) -> str:
        return self._view

    @property
    def query(self) -> str:
        """The question that the shown list asks, view and search together."""
        return _joined(self._view_query(self._view), self._text.strip())

    @property
    def source(self) -> Source | None:
        """The list that is shown, where it is more than a query."""
        return self._source

    @property
    def sort(self) -> tuple[str, bool]:
        """By what the list is sorted, and whether downwards."""
        if self._source is not None and self._source.ordered:
            return self._own_sort
        return self._sort, self._descending

    @property
    def text(self) -> str:
        return self._text

    def search(self) -> None:
        """Ask the question that stands: answered by `found`, a mistake by `query_refused`."""
        self._settle.stop()
        text = self._text.strip()
        mistake = mistake_in(self._text)
        if mistake is not None:
            self.query_refused.emit(*mistake)
            return
        self.query_accepted.emit()
        if self._resting:
            self._count_soon.start()
            return
        sort, descending = self.sort
        source = self._source
        asked = (self._view, source, text, sort, descending)
        query = _joined(self._view_query(self._view), text)
        library, question = self.library, Question(query, sort, descending)

        def look() -> Found:
            if source is not None:
                return source.find(library, question)
            return Found(library.search(query, sort=sort, descending=descending))

        self._searcher.call(look, lambda found: self._on_found(found, asked), self._on_error)
        self._count_soon.start()

    def similar(self, track_id: int, count: int, then: Callable[[list[int]], None]) -> None:
        """The songs that are most like one, itself first; none where it has no mood."""
        library = self.library

        def look() -> list[int]:
            from app.similar import similar  # here, so that the window starts without it

            return similar(library, track_id, count)

        self._runner.call(look, then, self._on_error)

    def songs_of(self, key: str, then: Callable[[NDArray[np.int64]], None]) -> None:
        """The songs of a view, whatever is shown, in its own order."""
        make = self._maker(key)
        source = make(key) if make is not None else None
        library, question = self.library, Question(self._view_query(key), PLACE, False)

        def look() -> NDArray[np.int64]:
            if source is None:
                return library.search(question.query)
            sort = PLACE if source.ordered else "artist"
            return source.find(library, Question("", sort, False)).ids

        self._runner.call(look, then, self._on_error)

    def find(self, query: str, then: Callable[[NDArray[np.int64]], None]) -> None:
        """Ask another question on the side."""
        library = self.library
        self._runner.call(lambda: library.search(query), then, self._on_error)

    def refresh_soon(self) -> None:
        """Ask again once a burst of changes is over, or at the latest a moment from now."""
        if not self._settle.isActive():
            self._settle.start()

    def note_changes(self, changes: ChangeSet | Iterable[int]) -> None:
        """Songs changed in the library: show them as they are now."""
        ids = changes.touched if isinstance(changes, ChangeSet) else tuple(changes)
        if ids:
            self._rows.invalidate(ids)
            self._rows.doubt()  # one song's mood moves the percentiles of the others
            self.changed.emit(frozenset(ids))
            self.refresh_soon()

    def watch(self) -> None:
        """Take note, from now on, of what other processes write."""
        self._looker.start()

    @property
    def restless(self) -> bool:
        """Whether a question or a write is still under way."""
        return self._settle.isActive() or self._count_soon.isActive() or self._writing > 0

    @property
    def resting(self) -> bool:
        """Whether another page than the list of songs is shown."""
        return self._resting

    def stop(self) -> None:
        for timer in (self._settle, self._looker, self._count_soon):
            timer.stop()

    def fetch(self, ids: Sequence[int], then: Callable[[list[TrackRow]], None]) -> None:
        """Rows of songs, not by way of the cache."""
        self._runner.call(lambda: self._rows_of(ids), then, self._on_error)

    # corrections

    def correct(self, ids: Sequence[int], label: Label) -> None:
        """Set what the listener says of these songs; None gives them back to the model."""
        if ids:
            self.undo_stack.push(Correction(self, list(ids), label))

    def forget(self, ids: Sequence[int]) -> None:
        """Take songs whose files are missing out of the library."""
        if ids:
            self.undo_stack.push(Forgetting(self, list(ids)))

    def remove_folder(self, folder: Path) -> None:
        """Take a music folder and its songs out of the library."""
        self.undo_stack.push(FolderRemoval(self, folder))

    def write(self, labels: Mapping[int, Label], then: Callable[[dict[int, Label]], None]) -> None:
        """Have the writer set labels in one commit; `then` gets what they were before."""

        def work(library: Library) -> tuple[dict[int, Label], tuple[int, ...]]:
            there = {track.id: labels[track.id] for track in library.tracks(labels)}
            emotions = library.emotions(there)
            before: dict[int, Label] = {
                track_id: emotion.user for track_id, emotion in zip(there, emotions, strict=True)
            }
            return before, library.correct_many(there).touched if there else ()

        def done(result: tuple[dict[int, Label], tuple[int, ...]]) -> None:
            then(result[0])
            self.note_changes(result[1])
            self.search()

        self.submit(work, done)

    def submit(
        self,
        work: Callable[[Library], Any],
        then: Callable[[Any], None],
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        """Let the writer do `work`, and go on with `then` on this thread.

        A fault is told by `failed`; `on_failure` is called besides.
        """
        try:
            future: Future[Any] = self._writer.submit(work)
        except UndertoneError as error:
            self.failed.emit(error)
            return
        self._writing += 1
        future.add_done_callback(lambda done: self._written.emit(done, (then, on_failure)))

    # inner workings

    def _maker(self, key: str) -> Callable[[str], Source | None] | None:
        return next((make for prefix, make in self._makers.items() if key.startswith(prefix)), None)

    def _view_query(self, key: str) -> str:
        unsure = f"conf:<{self._unsure_below():.3f}"
        if key == "unsure":
            return unsure
        if key == ATTENTION:
            return f"is:failed OR is:stale OR is:missing OR ({unsure} -is:corrected)"
        return _VIEWS.get(key, "").format("%" if self.relative else "")

    def _on_found(self, found: Found, asked: _Asked) -> None:
        same, self._answered = asked == self._answered, asked
        ids, self.places, self.lost = found.ids, found.places, found.lost
        self.found.emit(ids, same)
        if self._wants_points:
            library, among = self.library, ids if self._text.strip() else None
            relative = self.relative
            self._pointer.call(
                lambda: plane_points(library, among, relative=relative),
                self.points_ready.emit,
                self._on_error,
            )

    def _count(self) -> None:
        text = self._text.strip()
        library, relative = self.library, self.relative
        unsure = _joined(self._view_query("unsure"), text)
        untagged = _joined(self._view_query("untagged"), text)
        attention = _joined(self._view_query(ATTENTION), text)

        def look() -> dict[str, int]:
            moods = library.counts(text, relative=relative)
            found = {q.value: moods.get(q, 0) for q in QUADRANTS}
            found["all"] = sum(moods.values())
            found.update(library.attention_counts(text))
            found["unsure"] = len(library.search(unsure))
            found["untagged"] = len(library.search(untagged))
            found[ATTENTION] = len(library.search(attention))
            return found

        self._counter.call(look, self.counted.emit, self._on_error)

    def _fetch(self, ids: list[int]) -> None:
        self._runner.call(
            lambda: self._rows_of(ids), lambda rows: self._rows.fill(ids, rows), self._on_error
        )

    def _rows_of(self, ids: Sequence[int]) -> list[TrackRow]:
        known = track_rows(self.library, [i for i in ids if i >= 0])
        known = with_reasons(self.library, known, self._unsure_below())
        return known + self.outside.rows([i for i in ids if i < 0])

    def _on_written(
        self,
        future: Future[Any],
        ways: tuple[Callable[[Any], None], Callable[[], None] | None],
    ) -> None:
        self._writing -= 1
        then, on_failure = ways
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            then(future.result())
            return
        self._on_error(error)
        if on_failure is not None:
            on_failure()

    def _on_error(self, error: BaseException) -> None:
        self.failed.emit(error)

    def look_for_foreign_changes(self) -> None:
        """Take over what another process has written to the library."""
        if self._looking:
            return
        self._looking = True

        def seen(changes: ChangeSet) -> None:
            self._looking = False
            self.note_changes(changes)
            self.looked.emit()

        self.submit(lambda library: library.refresh(), seen)


def mistake_in(text: str) -> tuple[str, int, int] | None:
    """What is wrong with a query, in words, and from which to which of its characters."""
    try:
        parse(text)
    except QueryError as error:
        words = f"{error.message}. {error.remedy}" if error.remedy else error.message
        return words, error.start, error.end
    return None


def _joined(*queries: str) -> str:
    parts = [f"({query})" for query in queries if query]
    return " ".join(parts)


def track_rows(library: Library, ids: Sequence[int]) -> list[TrackRow]:
    """The songs as the views show them; ids that are not there are left out."""
    tracks = library.tracks(ids)
    emotions = library.emotions([track.id for track in tracks])
    relative = library.index.relative_of([track.id for track in tracks])
    rows = []
    for track, emotion in zip(tracks, emotions, strict=True):
        chosen = emotion.effective
        rows.append(
            TrackRow(
                id=track.id,
                title=one_line(track.title) or one_line(track.path.name),
                artist=one_line(track.artist),
                album=one_line(track.album),
                genre=one_line(track.genre),
                year=track.year,
                duration_s=track.duration_s,
                quadrant=chosen.quadrant if chosen else None,
                valence=chosen.mood.valence if chosen else None,
                arousal=chosen.mood.arousal if chosen else None,
                confidence=chosen.confidence if chosen else None,
                source=chosen.source if chosen else None,
                open=emotion.open,
                relative=relative.get(track.id),
                missing=track.missing,
                error=one_line(track.error or ""),
                path=str(track.path),
                has_cover=track.has_cover,
                added_s=track.added_s,
            )
        )
    return rows
