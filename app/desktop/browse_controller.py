"""Between the pages of albums, artists, genres, moods and folders and the library's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu

from app.desktop.covers import load_cover
from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from app.desktop.sources import among
from library_db.browse import (
    FolderTree,
    Group,
    Kind,
    arranged,
    folders,
    groups,
    members,
    songs_below,
)  # fmt: skip
from widgets.browse import BrowsePage, FolderPage
from widgets.browse.model import Words
from widgets.browse.tile import COVER_SIDE
from widgets.covers import CoverCache
from widgets.icons import icon
from widgets.main_window import MainWindow
from widgets.sidebar import SidebarEntry
from widgets.text import count, one_line
from widgets.theme import Theme

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from library_db.library import Library

__all__ = ["BrowseController"]

FOLDERS = "folders"
_AT_ONCE = 8
_COVERS_KEPT = 240
_SETTLE_MS = 250

Act = Callable[[list[int]], None]


class BrowseController(QObject):
    """Fills the page that is looked at; opens what is chosen as a list of songs.

    Parameters
    ----------
    play, play_next, enqueue, add_to_playlist : callable
        What the menus offer for the songs of what is chosen.
    """

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        songs: LibraryController,
        runner: JobRunner,
        *,
        play: Act,
        play_next: Act,
        enqueue: Act,
        playlist_menu: Callable[[Callable[[], list[int]]], QMenu],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._theme = theme
        self._songs = songs
        self._runner = runner
        self._acts = (play, play_next, enqueue)
        self._playlist_menu = playlist_menu
        self._askers: dict[str, Latest] = {}
        self._stale: set[str] = set()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        ratio = window.devicePixelRatioF()
        self._side = round(COVER_SIDE * ratio)
        self.covers = CoverCache(self, capacity=round(_COVERS_KEPT / ratio**2) + 40)
        self.covers.wanted.connect(self._fetch_covers)
        self.pages: dict[str, BrowsePage] = {}
        self.folders = FolderPage(theme)
        self._make_pages()
        window.stack.currentChanged.connect(lambda _: self._ask_if_stale())
        songs.query_accepted.connect(self._on_changed)
        songs.changed.connect(lambda _: self._on_changed())

    @property
    def restless(self) -> bool:
        return self._settle.isActive()

    def stop(self) -> None:
        self._settle.stop()

    def open(self, kind: Kind, keys: Sequence[str], title: str) -> None:
        """Show the songs of some groups, by disc and track."""
        wanted = list(keys)

        def ids(library: Library) -> NDArray[np.int64]:
            return members(library.index, kind, wanted)

        sort = "album" if kind is Kind.ALBUMS else ""
        key = f"in {kind.value}"
        self._songs.show_source(key, among(title, ids, parent=kind.value, sort=sort))

    def open_folders(self, paths: Sequence[str]) -> None:
        """Show the songs in some folders and below them, by path."""
        wanted = list(paths)
        if not wanted:
            return
        name = one_line(wanted[0].rpartition("/")[2] or wanted[0])
        title = name if len(wanted) == 1 else self.tr("{n} chosen").format(n=len(wanted))

        def ids(library: Library) -> NDArray[np.int64]:
            return songs_below(library.index, *wanted)

        self._songs.show_source(f"in {FOLDERS}", among(title, ids, parent=FOLDERS, sort="path"))

    # inner workings

    def _make_pages(self) -> None:
        for kind, name, sign in (
            (Kind.ALBUMS, self.tr("Albums"), "album"),
            (Kind.ARTISTS, self.tr("Artists"), "artist"),
            (Kind.GENRES, self.tr("Genres"), "genre"),
            (Kind.MOODS, self.tr("Moods"), "moods"),
        ):
            page = BrowsePage(self._theme, self.covers, kind, name, sign)
            page.model.songs_of = lambda keys, kind=kind: self._ids_of(kind, keys)
            page.opened.connect(lambda key, page=page: self._open_tile(page, key))
            page.menu_requested.connect(lambda place, page=page: self._show_tile_menu(page, place))
            self.pages[kind.value] = page
            self._add(kind.value, name, sign, page)
        self._add(FOLDERS, self.tr("Folders"), "folder", self.folders)
        self.folders.opened.connect(self._open_folder)
        self.folders.model.songs_of = lambda paths: self._ids_below(paths, sort="album")
        self.folders.menu_requested.connect(self._show_folder_menu)

    def _add(self, key: str, name: str, sign: str, page: BrowsePage | FolderPage) -> None:
        self._stale.add(key)
        self._askers[key] = Latest(self._runner)
        page.typed.connect(self._window.search.add_text)
        entry = SidebarEntry(key, name, sign)
        self._window.add_view("library", entry, page, searchable=True)

    @property
    def _shown(self) -> str:
        """The page in sight; empty where it is another's."""
        widget = self._window.stack.currentWidget()
        return next((key for key, page in self._all().items() if page is widget), "")

    def _all(self) -> dict[str, BrowsePage | FolderPage]:
        return {**self.pages, FOLDERS: self.folders}

    def _on_changed(self) -> None:
        self._stale.update(self._all())
        if self._shown and not self._settle.isActive():
            self._settle.start(0 if self._songs.resting else _SETTLE_MS)

    def _ask_if_stale(self) -> None:
        if self._shown in self._stale:
            self._ask()

    def _ask(self) -> None:
        """Group the songs that the search leaves, for the page in sight."""
        shown, index = self._shown, self._songs.library.index
        query = self._songs.text.strip()
        if not shown:
            return
        self._stale.discard(shown)
        if shown == FOLDERS:
            self._askers[shown].call(
                lambda: folders(index, query), self._show_folders, self._songs.failed.emit
            )
        else:
            kind = Kind(shown)
            self._askers[shown].call(
                lambda: groups(index, kind, query),
                lambda found: self._show_groups(shown, found),
                self._songs.failed.emit,
            )

    def _show_groups(self, key: str, found: list[Group]) -> None:
        self.pages[key].show_groups(found, self._nothing())
        self._tell(key, len(found))

    def _show_folders(self, found: FolderTree) -> None:
        self.folders.show_folders(found, self._nothing())
        self._tell(FOLDERS, len(found.paths))

    def _tell(self, key: str, number: int) -> None:
        if key == self._shown:
            name = self._window.sidebar.name_of(key)
            self._window.show_heading(name, count(number) if number else "")

    def _nothing(self) -> str:
        if self._songs.text.strip():
            return self.tr("Nothing here fits the search")
        return self.tr("Nothing here yet: add a music folder, and it fills by itself.")

    # what is chosen

    def _ids_of(self, kind: Kind, keys: Sequence[str]) -> list[int]:
        """Songs of groups, from memory, in the order of discs and tracks."""
        index = self._songs.library.index
        return arranged(index, members(index, kind, keys), self._songs.text.strip())

    def _ids_below(self, paths: Sequence[str], sort: str) -> list[int]:
        index = self._songs.library.index
        return arranged(index, songs_below(index, *paths), self._songs.text.strip(), sort=sort)

    def _open_folder(self, path: str) -> None:
        """Open a folder; all chosen ones where it is one of them."""
        chosen = self.folders.chosen_paths()
        self.open_folders(chosen if path in chosen else [path])

    def _open_tile(self, page: BrowsePage, key: str) -> None:
        keys = page.chosen_keys()
        keys = keys if key in keys else [key]
        words = Words(page.kind)
        names = [words.name(group) for group in page.model.groups if group.key in set(keys)]
        title = names[0] if len(names) == 1 else self.tr("{n} chosen").format(n=len(names))
        self.open(page.kind, keys, title)

    def _show_tile_menu(self, page: BrowsePage, place: QPoint) -> None:
        keys = page.chosen_keys()
        if keys:
            self._menu(place, lambda: self._open_tile(page, keys[0]),
                       lambda: self._ids_of(page.kind, keys))  # fmt: skip

    def _show_folder_menu(self, place: QPoint) -> None:
        paths = self.folders.chosen_paths()
        if paths:
            self._menu(place, lambda: self.open_folders(paths),
                       lambda: self._ids_below(paths, sort="path"))  # fmt: skip

    def _menu(self, place: QPoint, show: Callable[[], None], ids: Callable[[], list[int]]) -> None:
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("What is chosen"))
        colour = self._theme.tokens.colour("ink_soft")
        play, play_next, enqueue = self._acts
        for sign, text, act in (
            ("play", self.tr("Play"), play),
            ("next", self.tr("Play next"), play_next),
            ("queue", self.tr("Add to the queue"), enqueue),
        ):
            action = menu.addAction(icon(sign, colour), text)
            action.triggered.connect(
                lambda _=False, act=act: self._runner.call(ids, act, self._songs.failed.emit)
            )
        adding = self._playlist_menu(ids)
        adding.setParent(menu, adding.windowFlags())
        menu.addMenu(adding)
        menu.addSeparator()
        menu.addAction(icon("list", colour), self.tr("Show the songs")).triggered.connect(
            lambda: show()
        )
        menu.aboutToHide.connect(lambda: QTimer.singleShot(0, menu, menu.deleteLater))
        menu.popup(place)

    # covers

    def _fetch_covers(self, ids: list[int]) -> None:
        """In small parts, so that pictures appear as they are read."""
        library, side = self._songs.library, self._side

        def load(part: list[int]) -> dict[int, QImage | None]:
            return {track_id: load_cover(library, track_id, side) for track_id in part}

        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            self._runner.call(lambda part=part: load(part), self.covers.fill, pool="io")
