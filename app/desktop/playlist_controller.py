"""The listener's playlists in the window: their section, every edit with undo, M3U8 files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from app.desktop.playlist_edits import PlaylistEdit
from app.desktop.sources import Source, playlist_source, rule_source
from app.playlists import Imported, gather, import_m3u, relocated, write_playlist
from app.replacing import replacing
from inference.errors import UndertoneError
from library_db.m3u import SUFFIXES
from library_db.playlists import Entry, Playlist, PlaylistInfo, Rule
from library_db.smart import songs_of
from widgets.sidebar import SidebarEntry
from widgets.text import count, songs

if TYPE_CHECKING:
    from library_db.library import Library
    from widgets.sidebar import Sidebar

__all__ = ["PlaylistController", "key_of"]

_PREFIX = "playlist:"
_COUNT_MS = 300


def key_of(playlist_id: int) -> str:
    """The sidebar's key of a playlist."""
    return f"{_PREFIX}{playlist_id}"


class PlaylistController(QObject):
    """Reads on a pool, writes through the undo stack.

    Attributes
    ----------
    infos : list of PlaylistInfo
        The playlists in the order of the sidebar, as last read.
    """

    changed = Signal()  # another list of playlists
    said = Signal(str)  # for a toast
    undoable = Signal(str)  # for a toast with "Undo"
    failed = Signal(object)  # exception
    files_unknown = Signal(list)  # Path: to be taken into the library

    def __init__(
        self,
        songs: LibraryController,
        runner: JobRunner,
        sidebar: Sidebar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.infos: list[PlaylistInfo] = []
        self._songs = songs
        self._runner = runner
        self._sidebar = sidebar
        self._reader, self._counter = Latest(runner), Latest(runner)
        self._rules: dict[int, Rule] = {}
        self._edited: set[int] = set()
        """What was written since it was last read."""
        self._made: tuple[int, bool] | None = None
        """The list to open once it has been read, and whether the listener is to name it."""
        self._first: Callable[[], None] | None = None
        self._recount = QTimer(self)
        self._recount.setSingleShot(True)
        self._recount.setInterval(_COUNT_MS)
        self._recount.timeout.connect(self._count)
        songs.add_sources(_PREFIX, self._source)
        songs.changed.connect(lambda _: self._recount.start())
        songs.looked.connect(self.refresh)

    def stop(self) -> None:
        self._recount.stop()

    @property
    def restless(self) -> bool:
        return self._recount.isActive()

    # what there is

    def begin(self, then: Callable[[], None]) -> None:
        """Read the playlists for the first time, then go on."""
        self._first = then
        self.refresh()

    def refresh(self) -> None:
        """Read them again, if another process or an edit has changed something."""
        library, known = self._songs.library, self.infos

        def read() -> tuple[list[PlaylistInfo], dict[int, Rule]] | None:
            return None if library.playlists.infos() == known else _read(library)

        self._reader.call(read, self._on_read, self.failed.emit)

    def info(self, playlist_id: int) -> PlaylistInfo | None:
        return next((info for info in self.infos if info.id == playlist_id), None)

    def rule(self, playlist_id: int) -> Rule | None:
        """What a smart playlist asks, as last read."""
        return self._rules.get(playlist_id)

    @property
    def shown(self) -> int | None:
        """The playlist that the centre shows."""
        return id_of(self._songs.view)

    # edits

    def create(self, entries: Sequence[Entry] = (), name: str = "", *, rename: bool = True) -> None:
        """Make a playlist, show it, and let the listener name it."""
        text = name or self.tr("New playlist")
        self._make(Playlist(text, tuple(entries)), self.tr("Playlist made"), rename=rename)

    def save_rule(self, rule: Rule, name: str) -> None:
        """Keep a question as a smart playlist, show it, and let the listener name it."""
        self._make(Playlist(name, rule=rule), self.tr("Smart playlist made"), rename=True)

    def change_rule(self, playlist_id: int, rule: Rule) -> None:
        """Have a smart playlist ask something else."""
        self._edit(playlist_id, self.tr("Question changed"), lambda p: replace(p, rule=rule))

    def add(self, playlist_id: int, entries: Sequence[Entry], before: int | None = None) -> None:
        """Put songs into a playlist: before the one at a place, or at the end."""
        if not entries:
            return
        info = self.info(playlist_id)
        said = self.tr("{songs} added to “{name}”").format(
            songs=songs(len(entries)), name=info.name if info else ""
        )
        self._edit(playlist_id, said, lambda p: p.with_entries(entries, before), tell=True)

    def take_out(self, playlist_id: int, places: Sequence[int]) -> None:
        if places:
            said = self.tr("{songs} taken out of the playlist").format(songs=songs(len(places)))
            self._edit(playlist_id, said, lambda p: p.without(places), tell=True)

    def move(self, playlist_id: int, places: Sequence[int], before: int) -> None:
        """Put the entries at some places before the one at place `before`."""
        self._edit(playlist_id, self.tr("Songs moved"), lambda p: p.moved(places, before))

    def rename(self, playlist_id: int, name: str) -> None:
        self._edit(playlist_id, self.tr("Playlist renamed"), lambda p: replace(p, name=name))

    def delete(self, playlist_id: int) -> None:
        """Delete a playlist; its songs stay, and undo brings it back."""
        info = self.info(playlist_id)
        if info is not None:
            said = self.tr("“{name}” deleted").format(name=info.name)
            self._push(
                said, lambda library: library.playlists.write({playlist_id: None}), tell=True
            )

    def reorder(self, playlist_id: int, before: int | None) -> None:
        """Have a playlist stand before another one, or at the end."""
        ids = [info.id for info in self.infos if info.id != playlist_id]
        place = ids.index(before) if before in ids else len(ids)
        ids.insert(place, playlist_id)
        self._push(self.tr("Playlist moved"), lambda library: library.playlists.order(ids))

    # files

    def take_files(
        self, paths: Sequence[Path], playlist_id: int | None = None, before: int | None = None
    ) -> None:
        """Put files, folders and playlist files into a playlist: a new one without an id."""
        library = self._songs.library

        def done(found: tuple[list[Entry], list[Path]]) -> None:
            entries, unknown = found
            if not entries:
                self.said.emit(self.tr("No music was found there"))
            elif playlist_id is None:
                self.create(entries)
            else:
                self.add(playlist_id, entries, before)
            if unknown:
                self.files_unknown.emit(unknown)

        self._runner.call(lambda: gather(library, paths), done, self.failed.emit, pool="io")

    def import_files(self, paths: Sequence[Path]) -> None:
        """Make a playlist of each M3U file."""
        library = self._songs.library
        for path in paths:
            self._runner.call(
                lambda path=path: import_m3u(library, path),  # type: ignore[misc]
                self._on_imported,
                self.failed.emit,
                pool="io",
            )

    def export(self, playlist_id: int, path: Path) -> None:
        """Write a playlist to an M3U8 file, whole or not at all."""
        if path.suffix.lower() not in SUFFIXES:
            path = path.with_name(path.name + ".m3u8")
        library = self._songs.library

        def work() -> int:
            playlist = library.playlists.get(playlist_id)
            if playlist is None:
                return 0
            with replacing(path) as file:
                return write_playlist(library, playlist, file, path.absolute().parent)

        def done(number: int) -> None:
            self.said.emit(
                self.tr("{songs} written to {file}").format(songs=songs(number), file=path.name)
            )

        self._runner.call(work, done, self.failed.emit, pool="io")

    def find_lost(self, playlist_id: int, folder: Path) -> None:
        """Look for a playlist's lost files below a folder, where they may have been moved to."""
        library = self._songs.library

        def look() -> tuple[Playlist | None, int]:
            playlist = library.playlists.get(playlist_id)
            return (None, 0) if playlist is None else relocated(library, playlist, folder)

        def done(found: tuple[Playlist | None, int]) -> None:
            playlist, number = found
            if playlist is None or not number:
                self.said.emit(self.tr("None of the missing files is there"))
                return
            said = self.tr("{songs} found again").format(songs=songs(number))
            self._edit(playlist_id, said, lambda _: playlist, tell=True)
            self.files_unknown.emit([folder])

        self._runner.call(look, done, self.failed.emit, pool="io")

    # inner workings

    def _source(self, key: str) -> Source | None:
        playlist_id = id_of(key)
        info = self.info(playlist_id) if playlist_id is not None else None
        if info is None:
            return None
        rule = self._rules.get(info.id)
        if rule is not None:
            return rule_source(info.name, rule)
        return playlist_source(info.name, info.id, self._songs.outside)

    def _make(self, playlist: Playlist, text: str, *, rename: bool) -> None:
        def work(library: Library) -> Mapping[int, Playlist | None]:
            name = library.playlists.free_name(playlist.name)
            return {library.playlists.put(replace(playlist, name=name)): None}

        def made(ids: list[int]) -> None:
            self._made = (ids[0], rename)

        self._push(text, work, first=made)

    def _edit(
        self,
        playlist_id: int,
        text: str,
        change: Callable[[Playlist], Playlist],
        *,
        tell: bool = False,
    ) -> None:
        def work(library: Library) -> Mapping[int, Playlist | None]:
            playlist = library.playlists.get(playlist_id)
            if playlist is None:
                return {}
            return library.playlists.write({playlist_id: change(playlist)})

        self._push(text, work, tell=tell)

    def _push(
        self,
        text: str,
        work: Callable[[Library], Mapping[int, Playlist | None]],
        *,
        tell: bool = False,
        first: Callable[[list[int]], None] = lambda _: None,
    ) -> None:
        done_before = False

        def done(ids: list[int]) -> None:
            nonlocal done_before
            if not done_before:
                done_before = True
                first(ids)
                if tell:
                    self.undoable.emit(text)
            self._edited.update(ids)
            self.refresh()

        self._songs.undo_stack.push(PlaylistEdit(self._songs, text, work, done))

    def _on_read(self, found: tuple[list[PlaylistInfo], dict[int, Rule]] | None) -> None:
        """Show what was read, and do what waited for it: a reading may answer several requests."""
        if found is not None:
            self._show(found)
        edited, self._edited = self._edited, set()
        made, self._made = self._made, None
        first, self._first = self._first, None
        if first is not None:
            first()
        if made is not None and self._sidebar.has(key := key_of(made[0])):
            self._sidebar.choose(key)
            if made[1]:
                self._sidebar.edit_name(key)
        elif self.shown in edited:
            self._songs.renew_source()

    def _show(self, found: tuple[list[PlaylistInfo], dict[int, Rule]]) -> None:
        infos, rules = found
        if infos == self.infos and rules == self._rules:
            return
        shown_before = self.info(self.shown) if self.shown is not None else None
        self.infos, self._rules = infos, rules
        self._sidebar.set_entries(
            "playlists",
            [
                SidebarEntry(
                    key_of(info.id),
                    info.name,
                    "smart" if info.smart else "playlist",
                    takes_songs=not info.smart,
                    own=True,
                )
                for info in infos
            ],
        )
        plain = {key_of(info.id): info.songs for info in infos if not info.smart}
        self._sidebar.show_counts(plain)
        self._count()
        self.changed.emit()
        shown = self.info(self.shown) if self.shown is not None else None
        if shown is not None and shown != shown_before:
            self._songs.renew_source()

    def _count(self) -> None:
        """How many songs the smart ones find now."""
        if not self._rules:
            return
        index, rules = self._songs.library.index, dict(self._rules)

        def look() -> dict[str, int]:
            numbers = {}
            for playlist_id, rule in rules.items():
                try:
                    numbers[key_of(playlist_id)] = len(songs_of(index, rule))
                except UndertoneError:  # told when it is opened
                    numbers[key_of(playlist_id)] = 0
            return numbers

        self._counter.call(look, self._sidebar.show_counts, self.failed.emit)

    def _on_imported(self, imported: Imported) -> None:
        playlist = imported.playlist
        self._make(playlist, self.tr("Playlist taken over"), rename=False)
        parts = [
            self.tr("“{name}”: {songs}").format(
                name=playlist.name, songs=songs(len(playlist.entries))
            )
        ]
        if imported.missing:
            parts.append(
                self.tr("{n} are not where it says").format(n=count(len(imported.missing)))
            )
        if imported.skipped:
            parts.append(self.tr("{n} lines left out").format(n=count(len(imported.skipped))))
        self.said.emit(", ".join(parts))
        if imported.unknown:
            self.files_unknown.emit(imported.unknown)


def id_of(key: str) -> int | None:
    """The playlist that a sidebar's key stands for."""
    number = key.removeprefix(_PREFIX)
    return int(number) if key.startswith(_PREFIX) and number.isdigit() else None


def _read(library: Library) -> tuple[list[PlaylistInfo], dict[int, Rule]]:
    infos = library.playlists.infos()
    rules = {}
    for info in infos:
        playlist = library.playlists.get(info.id) if info.smart else None
        if playlist is not None and playlist.rule is not None:
            rules[info.id] = playlist.rule
    return infos, rules
