"""Between playlists and window: menus, keys, drops, the list that is shown, file dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu

from app.desktop.library_controller import mistake_in
from app.desktop.playlist_controller import PlaylistController, id_of
from inference.emotion import QUADRANTS, Quadrant
from library_db.m3u import SUFFIXES
from library_db.playlists import Rule
from widgets.dialogs.smart_playlist import SmartPlaylistDialog
from widgets.icons import icon
from widgets.main_window import MainWindow, Page
from widgets.search_field import SearchField
from widgets.text import count, one_line
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.desktop.library_controller import LibraryController
    from app.desktop.player_controller import PlayerController
    from app.desktop.player_glue import PlayerGlue
    from app.desktop.work_controller import WorkController

__all__ = ["PlaylistMenus"]

_SECTION = "playlists"


class PlaylistMenus(QObject):
    """Leads what the listener does with playlists to their controller."""

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        playlists: PlaylistController,
        library: LibraryController,
        work: WorkController,
        glue: PlayerGlue,
        player: PlayerController,
        chosen: Callable[[], list[int]],
        complete: Callable[[SearchField], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._theme = theme
        self._playlists = playlists
        self._library = library
        self._work = work
        self._glue = glue
        self._player = player
        self._complete = complete
        self._add_menu = self.menu_for(chosen)
        window.actions_.add_to_playlist.setMenu(self._add_menu)
        window.plane.add.setMenu(self.menu_for(window.plane.chosen_ids))
        self._connect()

    def take_files(self, paths: Sequence[Path]) -> None:
        """Files from outside that fell on the window: playlists are taken over, music added."""
        lists = [path for path in paths if path.suffix.lower() in SUFFIXES]
        if lists:
            self._playlists.import_files(lists)
        music = [path for path in paths if path not in lists]
        if music:
            self._work.add(music)

    # inner workings

    def _connect(self) -> None:
        window, playlists, sidebar = self._window, self._playlists, self._window.sidebar
        actions, arranger = window.actions_, self._window.table.arranger
        actions.new_playlist.triggered.connect(lambda: playlists.create())
        actions.save_search.triggered.connect(self._save_search)
        actions.import_playlists.triggered.connect(self._ask_for_playlists)
        actions.add_to_playlist.triggered.connect(self._pop_add_menu)
        window.plane.region_requested.connect(self._keep_region)
        sidebar.add_requested.connect(lambda _: playlists.create())
        sidebar.rename_requested.connect(self._with_id(playlists.rename))
        sidebar.remove_requested.connect(self._with_id(playlists.delete))
        sidebar.move_requested.connect(
            self._with_id(lambda number, before: playlists.reorder(number, id_of(before)))
        )
        sidebar.menu_requested.connect(self._show_menu)
        sidebar.songs_dropped.connect(self._on_songs_dropped)
        sidebar.files_dropped.connect(self._on_files_dropped)
        arranger.songs_dropped.connect(self._insert_songs)
        arranger.files_dropped.connect(self._insert_files)
        arranger.rows_moved.connect(self._move_rows)
        playlists.files_unknown.connect(self._work.add)
        playlists.changed.connect(self._on_changed)
        playlists.said.connect(lambda text: window.toasts.show_toast(text))
        playlists.failed.connect(self._library.failed)
        playlists.undoable.connect(self._library.corrected)
        self._library.found.connect(lambda *_: self._on_found())
        window.notice.chosen.connect(self._take_offer)

    def _with_id(self, act: Callable[..., None]) -> Callable[..., None]:
        """`act` with the playlist's id in place of the sidebar's key."""

        def go(key: str, *more: object) -> None:
            number = id_of(key)
            if number is not None:
                act(number, *more)

        return go

    # the list that is shown

    def _on_found(self) -> None:
        source, table = self._library.source, self._window.table
        own = source is not None and source.ordered
        table.show_own_order(own)
        in_order = self._library.sort == ("place", False)
        editable = source is not None and source.editable
        table.arranger.enable(editable, can_move=in_order and not self._library.text.strip())
        self._show_notice()

    def _show_notice(self) -> None:
        """Say so where files of the shown playlist are not there, and what helps."""
        found, notice = self._library.lost, self._window.notice
        if self._playlists.shown is None or not found.number:
            notice.hide()
            return
        words = {"n": count(found.number), "first": one_line(found.first, 120)}
        if found.number == found.total:
            text = self.tr(
                "None of these {n} files is where the playlist says. The first is {first}. If they "
                "lie on a disk that is not connected, connect it; if they were moved, say where to."
            )
        else:
            text = self.tr(
                "{n} files are not where the playlist says, the first is {first}. "
                "They are kept in their places."
            )
        offers = (("find", self.tr("Find them in a folder …")), ("scan", self.tr("Look again")))
        notice.tell(text.format(**words), offers)

    def _take_offer(self, key: str) -> None:
        playlist_id = self._playlists.shown
        if key == "scan":
            self._work.scan()
            self._library.renew_source()
        elif key == "find" and playlist_id is not None:
            dialog = QFileDialog(self._window, self.tr("Where are the songs now?"))
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
            dialog.fileSelected.connect(
                lambda folder: self._playlists.find_lost(playlist_id, Path(folder))
            )
            self._open(dialog)

    def _on_changed(self) -> None:
        if self._playlists.shown is not None and self._window.page is Page.SONGS:
            self._window.show_heading(
                self._window.sidebar.name_of(self._library.view), self._window.figures
            )

    def remove_rows(self) -> bool:
        """Take the selected rows out of the shown playlist; False where none is shown."""
        playlist_id, source = self._playlists.shown, self._library.source
        if playlist_id is None or source is None or not source.editable:
            return False
        self._playlists.take_out(playlist_id, self._places(self._window.table.selected_rows()))
        return True

    def _places(self, rows: Sequence[int]) -> list[int]:
        places = self._library.places
        return [] if places is None else [int(places[row]) for row in rows]

    def _place_before(self, row: int) -> int | None:
        places = self._library.places
        if places is None or row >= len(places):
            return None
        return int(places[row])

    def _insert_songs(self, ids: list[int], row: int) -> None:
        if self._playlists.shown is not None:
            self._playlists.add(self._playlists.shown, ids, self._place_before(row))

    def _insert_files(self, paths: list[str], row: int) -> None:
        self._playlists.take_files(
            [Path(path) for path in paths], self._playlists.shown, self._place_before(row)
        )

    def _move_rows(self, rows: list[int], before: int) -> None:
        playlist_id, table = self._playlists.shown, self._window.table
        if playlist_id is None or not rows:
            return
        place = self._place_before(before)
        end = len(table.songs.ids) if place is None else place
        self._playlists.move(playlist_id, self._places(rows), end)

    # menus

    def menu_for(self, ids: Callable[[], list[int]]) -> QMenu:
        """A menu that adds songs to a playlist or to a new one."""
        menu = QMenu(self.tr("Add to a playlist"), self._window)
        menu.setIcon(self._icon("playlist"))
        menu.setAccessibleName(self.tr("Add to a playlist"))
        menu.aboutToShow.connect(lambda: self._fill(menu, ids))
        return menu

    def _fill(self, menu: QMenu, ids: Callable[[], list[int]]) -> None:
        menu.clear()
        new = menu.addAction(self._icon("plus"), self.tr("New playlist"))
        new.triggered.connect(lambda: self._playlists.create(ids()))
        menu.addSeparator()
        for info in self._playlists.infos:
            if not info.smart:
                action = menu.addAction(self._icon("playlist"), _menu_text(info.name))
                action.triggered.connect(
                    lambda _=False, number=info.id: self._playlists.add(number, ids())
                )

    def _pop_add_menu(self) -> None:
        table = self._window.table
        if self._window.page is Page.PLANE:
            plane = self._window.plane
            self._add_menu.popup(plane.mapToGlobal(plane.rect().center()))
            return
        rect = table.visualRect(table.currentIndex())
        self._add_menu.popup(table.viewport().mapToGlobal(rect.bottomLeft() + QPoint(40, 0)))

    def _show_menu(self, key: str, place: QPoint) -> None:
        number = id_of(key)
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("Playlist"))
        if key == _SECTION:
            actions = self._window.actions_
            for action in (actions.new_playlist, actions.save_search, actions.import_playlists):
                menu.addAction(action)
        elif number is not None:
            self._fill_playlist_menu(menu, number, key)
        menu.aboutToHide.connect(menu.deleteLater)
        if not menu.isEmpty():
            menu.popup(place)

    def _fill_playlist_menu(self, menu: QMenu, number: int, key: str) -> None:
        playlists = self._playlists

        def item(sign: str, text: str, act: Callable[[], None]) -> None:
            menu.addAction(self._icon(sign), text).triggered.connect(lambda: act())

        item("play", self.tr("Play"), lambda: self._with_songs(key, self._play))
        item("next", self.tr("Play next"), lambda: self._with_songs(key, self._player.play_next))
        item(
            "queue",
            self.tr("Add to the queue"),
            lambda: self._with_songs(key, self._player.enqueue),
        )
        menu.addSeparator()
        item("keyboard", self.tr("Rename"), lambda: self._window.sidebar.edit_name(key))
        rule = playlists.rule(number)
        if rule is not None:
            item(
                "filter", self.tr("Change the question …"), lambda: self._change_rule(number, rule)
            )
        item("folder", self.tr("Export …"), lambda: self._ask_where(number))
        menu.addSeparator()
        item("close", self.tr("Delete"), lambda: playlists.delete(number))

    def _play(self, ids: list[int]) -> None:
        self._glue.play_among(ids, 0)

    def _with_songs(self, key: str, act: Callable[[list[int]], None]) -> None:
        self._library.songs_of(key, lambda ids: act([int(i) for i in ids if i >= 0]))

    # dropping on the sidebar

    def _on_songs_dropped(self, key: str, ids: list[int]) -> None:
        number = id_of(key)
        if number is not None:
            self._playlists.add(number, ids)
        elif key == _SECTION:
            self._playlists.create(ids)
        elif key in {quadrant.value for quadrant in QUADRANTS}:
            self._library.correct(ids, Quadrant(key))

    def _on_files_dropped(self, key: str, names: list[str]) -> None:
        paths = [Path(name) for name in names]
        number = id_of(key)
        if number is not None:
            self._playlists.take_files(paths, number)
        elif key == _SECTION:
            lists = [path for path in paths if path.suffix.lower() in SUFFIXES]
            self._playlists.import_files(lists)
            if len(lists) < len(paths):
                self._playlists.take_files([path for path in paths if path not in lists])
        else:
            self.take_files(paths)

    # smart playlists

    def _save_search(self) -> None:
        query = self._library.query
        if self._playlists.shown is not None and (
            rule := self._playlists.rule(self._playlists.shown)
        ):
            query = " ".join(
                f"({part})" for part in (rule.query, self._library.text.strip()) if part
            )
            sort, descending = self._library.sort
            kept = (rule.sort, rule.descending) if sort == "place" else (sort, descending)
            self._playlists.save_rule(
                replace(rule, query=query, sort=kept[0], descending=kept[1]), self._name_of(query)
            )
            return
        sort, descending = self._library.sort
        if sort == "place":
            sort, descending = "artist", False
        self._playlists.save_rule(Rule(query, (), sort, descending), self._name_of(query))

    def _keep_region(self, corners: tuple[tuple[float, float], ...]) -> None:
        """The chosen part of the plane, and what is searched for besides, as a smart playlist."""
        text = self._library.text.strip()
        name = one_line(text, 60) or self.tr("Part of the mood plane")
        relative = self._window.plane.canvas.points.relative
        self._playlists.save_rule(
            Rule(text, corners, "arousal", descending=True, relative=relative), name
        )

    def _name_of(self, query: str) -> str:
        text = self._library.text.strip()
        return one_line(text or self._window.heading, 60) or query or self.tr("All songs")

    def _change_rule(self, number: int, rule: Rule) -> None:
        info = self._playlists.info(number)
        dialog = SmartPlaylistDialog(
            self._theme,
            info.name if info else "",
            rule.query,
            mistake_in,
            in_region=bool(rule.region),
            parent=self._window,
        )

        def done(query: str, keep_region: bool) -> None:
            region = rule.region if keep_region else ()
            self._playlists.change_rule(number, replace(rule, query=query, region=region))

        dialog.saved.connect(done)
        self._complete(dialog.search)
        self._open(dialog)

    # files

    def _ask_for_playlists(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Import playlists"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(self.tr("Playlists (*.m3u8 *.m3u *.M3U8 *.M3U)"))
        dialog.filesSelected.connect(
            lambda names: self._playlists.import_files([Path(name) for name in names])
        )
        self._open(dialog)

    def _ask_where(self, number: int) -> None:
        info = self._playlists.info(number)
        dialog = QFileDialog(self._window, self.tr("Export playlist"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("Playlists (*.m3u8)"))
        dialog.setDefaultSuffix("m3u8")
        dialog.selectFile(_file_name(info.name if info else "") + ".m3u8")
        dialog.fileSelected.connect(lambda name: self._playlists.export(number, Path(name)))
        self._open(dialog)

    def _open(self, dialog: QDialog) -> None:
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _icon(self, name: str) -> QIcon:
        return icon(name, self._theme.tokens.colour("ink_soft"))


def _menu_text(name: str) -> str:
    """A name in a menu, where & marks a key and a tab parts a shortcut."""
    return one_line(name, 60).replace("&", "&&")


def _file_name(name: str) -> str:
    """A name that any file system takes."""
    return "".join("-" if c in '/\\:*?"<>|' else c for c in name).strip(". ") or "playlist"
