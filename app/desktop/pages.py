"""What the centre of the window shows: songs, plane, welcome, or why there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from app.desktop.library_controller import LibraryController
from app.desktop.player_controller import PlayerController
from app.desktop.player_glue import PlayerGlue
from app.desktop.work_controller import WorkController
from inference.emotion import QUADRANTS, Quadrant
from widgets.main_window import MainWindow, Page
from widgets.mood_plane.points import PlanePoints
from widgets.text import mood_name, songs

if TYPE_CHECKING:
    from widgets.rows import TrackRow

__all__ = ["PageController"]

_SIMILAR = 100
_MOODS = frozenset(quadrant.value for quadrant in QUADRANTS)
_EXTRA_COLUMNS = {
    "attention": (("error",), ("album",)),
    "stale": (("error",), ("album",)),
    "failed": (("error",), ("album", "confidence")),
    "missing": (("path",), ("confidence",)),
}
"""Columns that a view shows, and those in whose stead."""


class PageController(QObject):
    """Leads what the listener asks of the views to the library, and its answers back."""

    def __init__(
        self,
        window: MainWindow,
        library: LibraryController,
        work: WorkController,
        glue: PlayerGlue,
        player: PlayerController,
        home: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._library = library
        self._work = work
        self._glue = glue
        self._player = player
        self.remove_rows: Callable[[], bool] = lambda: False
        """Takes the chosen songs out of the list that is shown, where it is one of one's own."""
        self._total: int | None = None
        self._found = 0
        self._centre_on: int | None = None
        self._connect()

    def start(self, view: str) -> None:
        """Ask the first question."""
        table = self._window.table.kept_state()
        self._library.set_sort(table.sort, table.descending)
        self._window.sidebar.choose(view)
        if self._window.sidebar.current not in self._window.views:
            self._library.set_view(self._window.sidebar.current)

    # inner workings

    def _connect(self) -> None:
        window, library = self._window, self._library
        window.sidebar.chosen.connect(self._on_view)
        window.search.query_changed.connect(library.set_text)
        window.table.sort_requested.connect(library.set_sort)
        library.query_refused.connect(window.search.show_error)
        library.query_accepted.connect(window.search.clear_error)
        library.found.connect(self._on_found)
        library.counted.connect(self._on_counted)
        window.view_action_requested.connect(self._take_offer)
        window.back_requested.connect(self._go_back)
        actions = window.actions_
        actions.play.triggered.connect(self._play)
        actions.play_next.triggered.connect(lambda: self._player.play_next(self.chosen()))
        actions.enqueue.triggered.connect(lambda: self.enqueue(self.chosen()))
        for label, action in actions.moods.items():
            action.triggered.connect(lambda _=False, to=label: self._correct(to))
        actions.retag.triggered.connect(self._retag)
        actions.forget.triggered.connect(self._forget)
        actions.similar.triggered.connect(self._play_similar)
        actions.show_on_plane.triggered.connect(self._show_on_plane)
        plane = window.plane
        library.points_ready.connect(self._on_points)
        plane.play_requested.connect(lambda ids: self._glue.play_among(ids, 0))
        plane.enqueue_requested.connect(self.enqueue)
        plane.filter_requested.connect(self._show_picked)
        self._player.track_changed.connect(plane.canvas.show_playing)
        plane.canvas.show_playing(self._player.track_id)

    def _on_view(self, key: str) -> None:
        if key in self._window.views:
            self._window.show_view_action("")
            self._window.show_view(key)
            self._library.rest(key)
            return
        self._library.set_view(key)
        self._window.show_heading(self._title(key), "")

    def _go_back(self) -> None:
        """From the songs to the page where they were chosen."""
        source = self._library.source
        if source is not None and source.parent:
            self._on_view(source.parent)
            self._window.stack.currentWidget().setFocus()

    def _on_found(self, ids: NDArray[np.int64], same: bool) -> None:
        if self._library.view in self._window.views:
            return
        self._found = len(ids)
        self._window.table.show_ids(ids, keep_place=same, places=self._library.places)
        self._show()

    def _on_counted(self, counts: dict[str, int]) -> None:
        self._window.show_counts({**counts, "plane": 0})
        if not self._library.text.strip():
            self._total = counts.get("all", 0)
            if self._library.view not in self._window.views:
                self._show()

    def _show(self) -> None:
        window, view = self._window, self._library.view
        window.show_heading(self._title(view), songs(self._found) if self._found else "")
        source = self._library.source
        window.show_back(source is not None and bool(source.parent))
        places = (("place",), ()) if self._library.places is not None else ((), ())
        if view in _MOODS and self._library.relative:
            places = (("valence%", "arousal%"), ("confidence",))
        window.table.show_extra(*_EXTRA_COLUMNS.get(view, places))
        window.show_view_action(self._offer(view) if self._found else "")
        searching = bool(self._library.text.strip())
        if self._total == 0 and not searching and not self._found:
            window.show_page(Page.WELCOME)
        elif view == "plane":
            window.show_page(Page.PLANE)
        elif self._found or self._total is None:
            window.show_page(Page.SONGS)
        else:
            window.no_match.explain(*self._reason(view, searching), searching=searching)
            window.show_page(Page.NO_MATCH)

    def _title(self, key: str) -> str:
        if self._library.source is not None:
            return self._library.source.title
        if key in _MOODS and self._library.relative:
            return self.tr("{mood} within your library").format(mood=mood_name(Quadrant(key)))
        if key in _MOODS:
            return mood_name(Quadrant(key))
        return {
            "all": self.tr("All songs"),
            "plane": self.tr("Mood plane"),
            "untagged": self.tr("Untagged"),
            "unsure": self.tr("Unsure"),
            "missing": self.tr("Missing"),
            "failed": self.tr("Failed"),
            "stale": self.tr("Changed"),
            "attention": self.tr("Needs attention"),
        }.get(key, "")

    def _reason(self, view: str, searching: bool) -> tuple[str, str]:
        if searching:
            return self.tr("No song matches"), self.tr("Try fewer words, or look in all songs.")
        good = self.tr("Nothing to do here")
        if self._library.source is not None and self._library.source.editable:
            return (
                self.tr("This playlist is empty"),
                self.tr("Drag songs or files here, or choose “Add to a playlist” on any song."),
            )
        if self._library.source is not None:
            return self.tr("No songs"), self.tr("Nothing in the library fits now.")
        reasons = {
            "untagged": (good, self.tr("Every song that could be read has a mood.")),
            "unsure": (good, self.tr("No mood is less certain than the threshold in Settings.")),
            "missing": (good, self.tr("Every file is where it was.")),
            "failed": (good, self.tr("Every file could be read.")),
            "stale": (good, self.tr("No file has changed since it was listened to.")),
            "attention": (good, self.tr("Every song is there, read, and known well enough.")),
        }
        return reasons.get(
            view,
            (
                self.tr("No songs in this mood yet"),
                self.tr("Songs appear here as their moods are found."),
            ),
        )

    def _offer(self, view: str) -> str:
        """What can be done about all songs of a view."""
        return {
            "failed": self.tr("Try again"),
            "untagged": self.tr("Find their moods"),
            "stale": self.tr("Listen again"),
            "missing": self.tr("Look for them"),
        }.get(view, "")

    def _take_offer(self) -> None:
        ids = [int(i) for i in self._window.table.songs.ids]
        if self._library.view == "missing":
            self._work.scan()
        elif ids:
            force = self._library.view in ("failed", "stale")
            self._library.fetch(
                ids, lambda rows: self._work.tag([Path(row.path) for row in rows], force=force)
            )

    def chosen(self) -> list[int]:
        """The songs chosen on the page that is shown."""
        if self._window.page is Page.PLANE:
            return self._window.plane.chosen_ids()
        return [i for i in self._window.table.selected_ids() if i >= 0]

    def _play_similar(self) -> None:
        def play(ids: list[int]) -> None:
            if ids:
                self._glue.play_among(ids, 0)
            else:
                self._window.toasts.show_toast(self.tr("This song has no mood yet"))

        chosen = self.chosen()[:1]
        if chosen:
            self._library.similar(chosen[0], _SIMILAR, play)

    def _show_picked(self, ids: list[int]) -> None:
        self._window.sidebar.choose_nothing()
        self._library.pick(ids)

    def _show_on_plane(self) -> None:
        """Go to the plane and put the chosen song in its middle, once the points are there."""
        chosen = self.chosen()[:1]
        self._centre_on = chosen[0] if chosen else None
        self._window.sidebar.choose("plane")

    def _on_points(self, points: PlanePoints) -> None:
        self._window.plane.show_points(points)
        if self._centre_on is not None:
            self._window.plane.canvas.go_to(self._centre_on)
            self._centre_on = None

    def _play(self) -> None:
        chosen = self.chosen()
        if len(chosen) == 1 and self._window.page is Page.SONGS:
            rows = self._window.table.songs.rows_of(chosen)
            self._glue.play_from(int(rows[0]))
        elif chosen:
            self._glue.play_among(chosen, 0)

    def enqueue(self, ids: list[int]) -> None:
        """Add songs to the queue, and say so."""
        if ids:
            self._window.toasts.show_toast(self._player.enqueue(ids))

    def _correct(self, label: Quadrant | None) -> None:
        self._library.correct(self.chosen(), label)

    def _forget(self) -> None:
        """From a playlist any song; from the library only missing ones: others would come back."""
        if self.remove_rows():
            return

        def go(rows: list[TrackRow]) -> None:
            missing = [row.id for row in rows if row.missing]
            if missing:
                self._library.forget(missing)
            else:
                self._window.toasts.show_toast(
                    self.tr(
                        "Only songs whose files are missing can be taken out one by one; "
                        "see Music folders for the others"
                    )
                )

        chosen = self.chosen()
        if chosen:
            self._library.fetch(chosen, go)

    def _retag(self) -> None:
        def go(rows: list[TrackRow]) -> None:
            self._work.tag([Path(row.path) for row in rows], force=True)

        chosen = self.chosen()
        if chosen:
            self._library.fetch(chosen, go)
