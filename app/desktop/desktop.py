"""Puts the program together: library, pools, controllers, window; and takes it apart again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from app.desktop.conveniences import Conveniences
from app.desktop.covers import load_cover
from app.desktop.dialogs import Dialogs
from app.desktop.error_texts import error_text
from app.desktop.history_keeper import HistoryKeeper
from app.desktop.history_view import HistoryView
from app.desktop.jobs import JobRunner
from app.desktop.library_controller import LibraryController
from app.desktop.library_views import LibraryViews
from app.desktop.listening import ListeningWatch
from app.desktop.pages import PageController
from app.desktop.player_controller import PlayerController
from app.desktop.player_glue import PlayerGlue, TrackBook
from app.desktop.preferences import Preferences
from app.desktop.prompting import Prompting
from app.desktop.restoring import Restoring
from app.desktop.sensing import Sensing
from app.desktop.shutdown import Stage, shut_down
from app.desktop.sound import groups_in
from app.desktop.work_controller import WorkController
from app.desktop.your_model import YourModel
from app.paths import Home
from app.playlists import with_playlists_opened
from app.tagging import Model, TagOptions
from app.writer import LibraryWriter
from inference.errors import UndertoneError
from library_db.library import Library
from widgets.covers import CoverCache
from widgets.dialogs.problems import Problem, ProblemsDialog
from widgets.main_window import MainWindow, Page
from widgets.rows import RowCache
from widgets.theme import Mode, Theme

if TYPE_CHECKING:
    from app.playback.backend import PlaybackBackend, Post
    from widgets.rows import TrackRow

__all__ = ["Desktop"]

_log = logging.getLogger(__name__)


class Desktop(QObject):
    """The running player.

    Parameters
    ----------
    home : Home
        Prepared.
    make_backend : callable
        Given a post function, returns the playback back end.
    model : Model, optional
        Classifies instead of the catalogue's model.
    tag_jobs : int, optional
        Instead of the setting; 0 classifies on the pool's thread.
    open_library : callable, optional
        Gives the library, on a worker; opens that of `home` if left out.
    """

    opened = Signal()
    closed = Signal(list)  # names of what did not stop

    def __init__(
        self,
        app: QApplication,
        home: Home,
        make_backend: Callable[[Post], PlaybackBackend],
        *,
        model: Model | None = None,
        tag_jobs: int | None = None,
        open_library: Callable[[], Library] | None = None,
    ) -> None:
        super().__init__()
        self.home = home
        self._model = model
        self._tag_jobs = tag_jobs
        self._open_library = open_library or (lambda: Library.open(home.library_dir))
        self._restoring = Restoring(home.folder / "window.json", self)
        self._waiting: list[Path] = []
        self._first_stages: list[Stage] = []
        self._is_closed = False
        self.stuck: list[str] = []
        self._unplayable: Any = None
        self.runner = JobRunner(self)
        self.preferences = Preferences(home.settings_file, self.runner, self)
        appearance = self.preferences.settings.appearance
        self.theme = Theme(app, Mode(appearance.theme), reduced_motion=appearance.reduced_motion)
        self.rows = RowCache(self)
        self.covers = CoverCache(self)
        self.window = MainWindow(self.theme, self.rows, self.covers)
        self.problems = ProblemsDialog(self.theme, self.window)
        self.book = TrackBook()
        self.player = PlayerController(
            make_backend,
            self.book.path_of,
            self,
            gain_of=lambda track_id: self.book.gain_of(
                track_id, self.preferences.settings.playback
            ),
            groups_of=groups_in(lambda: self.library),
        )
        self.library: Library | None = None
        self.writer: LibraryWriter | None = None
        self.songs: LibraryController | None = None
        self.work: WorkController | None = None
        self.glue: PlayerGlue | None = None
        self.pages: PageController | None = None
        self.views: LibraryViews | None = None
        self.listening: ListeningWatch | None = None
        self.sensing: Sensing | None = None
        self.prompting: Prompting | None = None
        self.history: HistoryKeeper | None = None
        self.your_model: YourModel | None = None
        self.conveniences: Conveniences | None = None
        self.history_view: HistoryView | None = None
        self.dialogs = Dialogs(
            self.window,
            self.theme,
            self.preferences,
            self.runner,
            home,
            lambda: self.player.backend_name,
            self,
        )
        self._restoring.restore_window()
        self.window.closing.connect(self.close)
        self.covers.wanted.connect(self._fetch_covers)
        self.window.plane.canvas.draw_with(
            lambda make, take: self.runner.call(make, take, pool="draw")
        )
        self.preferences.changed.connect(self._on_setting)
        self.preferences.fault.connect(self.tell_error)

    # beginning

    def start(self, paths: Sequence[Path] = ()) -> None:
        """Show the window and open the library behind it."""
        self._waiting = list(paths)
        self.window.show_page(Page.SONGS)
        self.window.show()
        self.runner.call(self._open_library, self._on_opened, self._on_not_opened, pool="io")

    def _on_opened(self, library: Library) -> None:
        settings = self.preferences.settings
        self.library = self.book.library = library
        self.writer = LibraryWriter(library)
        self.songs = LibraryController(
            library,
            self.writer,
            self.runner,
            self.rows,
            lambda: self.preferences.settings.library.unsure_below,
            self,
        )
        self.work = WorkController(
            library,
            self.writer,
            self.runner,
            self.songs,
            self.theme,
            self._tag_options,
            lambda: self.preferences.settings.tagging.after_scan,
            self._model,
            self,
        )
        self._restoring.restore_player()
        self.glue = PlayerGlue(self.player, self.songs, self.window, self.runner, self.book, self)
        self.pages = PageController(
            self.window, self.songs, self.work, self.glue, self.player, self.home.folder, self
        )
        self.views = LibraryViews(self)
        self.listening = ListeningWatch(self.player, self)
        self.prompting = Prompting(
            self.listening,
            self.songs,
            self.window,
            self.theme,
            self.preferences,
            self.runner,
            self.home.library_dir,
            self,
        )
        self.history = HistoryKeeper(
            self.listening, self.songs, self.preferences, self.home.library_dir, self
        )
        self.listening.heard.connect(lambda _: self._restoring.save_aside())
        self.prompting.answered.connect(self.history.note_answer)
        self.history.told.connect(self.window.toasts.show_toast)
        self.sensing = Sensing(
            self.window,
            self.theme,
            self.player,
            self.songs,
            self.listening,
            self.preferences,
            self.runner,
            self.home,
            self,
        )
        self.end_first(self.sensing.stage)
        self.your_model = YourModel(
            self.window, self.theme, self.songs, self.work, self.glue, self.preferences,
            self.runner, self.prompting.policy, self.home, self,
        )  # fmt: skip
        self.prompting.answered.connect(self.your_model.refresh)
        self.history_view = HistoryView(
            self.window, self.theme, self.songs, self.glue, self.history, self.preferences,
            self.runner, self.home.library_dir, self,
        )  # fmt: skip
        self.your_model.data_deleted.connect(self.history_view.refresh)
        self.conveniences = Conveniences(self)
        self._connect()
        self.views.begin(self._restoring.state.view)
        self.songs.watch()
        for fault in (*self.preferences.faults, *library.notices):
            self.window.toasts.show_toast(error_text(fault))
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.open_paths(waiting)
        elif settings.library.scan_at_start:
            self.work.scan()
        self.opened.emit()

    def _on_not_opened(self, error: Exception) -> None:
        self.tell_error(error)
        self.window.no_match.explain(
            self.tr("The library could not be opened"), error_text(error), searching=False
        )
        self.window.show_page(Page.NO_MATCH)

    def _connect(self) -> None:
        assert self.songs is not None
        assert self.work is not None
        window, work, songs = self.window, self.work, self.songs
        actions = window.actions_
        work.strip_added.connect(window.add_job)
        work.strip_removed.connect(window.remove_job)
        work.problems_found.connect(self._on_problems)
        work.settled.connect(self.problems.settle)
        work.said.connect(lambda text: window.toasts.show_toast(text))
        work.failed.connect(self.tell_error)
        songs.failed.connect(self.tell_error)
        songs.corrected.connect(
            lambda text: window.toasts.show_toast(text, self.tr("Undo"), songs.undo_stack.undo)
        )
        songs.undo_stack.canUndoChanged.connect(actions.undo.setEnabled)
        songs.undo_stack.canRedoChanged.connect(actions.redo.setEnabled)
        actions.undo.triggered.connect(songs.undo_stack.undo)
        actions.redo.triggered.connect(songs.undo_stack.redo)
        actions.add_folder.triggered.connect(self.dialogs.ask_for_folder)
        actions.add_files.triggered.connect(self.dialogs.ask_for_files)
        actions.scan.triggered.connect(lambda: work.scan())
        actions.tag.triggered.connect(lambda: work.tag())
        actions.problems.triggered.connect(self.problems.show)
        actions.open_folder.triggered.connect(self._open_folder)
        window.sidebar.add_folder_requested.connect(self.dialogs.ask_for_folder)
        window.welcome.add_folder_requested.connect(self.dialogs.ask_for_folder)
        self.dialogs.paths_chosen.connect(work.add)
        self.dialogs.folder_removed.connect(songs.remove_folder)
        songs.roots_changed.connect(self.dialogs.renew_folders)
        library = songs.library
        self.dialogs.folders = lambda: [str(root) for root in library.roots()]
        window.welcome.demo_requested.connect(lambda: work.add_demo(self.home.folder / "demo"))
        self.problems.retry_requested.connect(self._retry)
        self.player.failed.connect(self._on_unplayable)
        self.player.gave_up.connect(self._on_gave_up)
        for name in ("volume", "muted", "shuffle", "repeat"):
            signal = getattr(self.player, f"{name}_changed")
            signal.connect(lambda value, name=name: self.preferences.set("playback", name, value))

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Take folders into the library, and play files."""

        chosen, library = list(paths), self.library

        def sort_out() -> tuple[list[Path], list[Path], list[int]]:
            folders = [path for path in chosen if path.is_dir()]
            files = with_playlists_opened([path for path in chosen if path not in folders])
            found = [library.by_path(path) for path in files] if library is not None else []
            return folders, files, [track.id for track in found if track is not None]

        def sorted_out(kinds: tuple[list[Path], list[Path], list[int]]) -> None:
            folders, files, ids = kinds
            if files and len(ids) == len(files):
                self.player.play_ids(ids)
            elif files:
                self.player.play_paths(files)
            if folders and self.work is not None:
                self.work.add(folders)

        self.runner.call(sort_out, sorted_out, self.tell_error)

    # messages

    def tell_error(self, error: BaseException) -> None:
        """Say what went wrong, and what helps."""
        if not isinstance(error, UndertoneError):
            _log.error("unexpected: %r", error)
        self.window.toasts.show_toast(error_text(error))

    def handle(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer a later start of the program or `undertone control`."""
        command = message.get("command")
        paths = message.get("paths", [])
        steer = {
            "play-pause": self.player.toggle,
            "next": self.player.next,
            "previous": self.player.previous,
            "stop": self.player.stop,
        }
        if command in steer:
            steer[command]()
        elif command == "open" and isinstance(paths, list):
            chosen = [Path(path) for path in paths if isinstance(path, str)]
            if self.work is not None:
                self.open_paths(chosen)
            else:
                self._waiting += chosen
            self.raise_window()
        else:
            return {"ok": False, "error": f"unknown command {command!r}"}
        return {"ok": True}

    def raise_window(self) -> None:
        window = self.window
        if window.isMinimized():
            window.showNormal()
        window.show()
        window.raise_()
        window.activateWindow()

    # ending

    def end_first(self, stage: Stage) -> None:
        """Have something that was started later end before everything else."""
        self._first_stages.insert(0, stage)

    def close(self) -> list[str]:
        """Save everything and end everything, within two seconds; says what did not stop."""
        if self._is_closed:
            return []
        self._is_closed = True
        self._restoring.keep()
        self.window.hide()
        self.window.toasts.clear()
        if self.listening is not None:
            self.listening.finish()
        if self.songs is not None:
            self.songs.stop()
        if self.views is not None:
            self.views.stop()
        if self.conveniences is not None:
            self.conveniences.stop()
        self.runner.cancel_all()
        self.stuck = stuck = shut_down(
            [
                Stage("settings", self._save, 0.3),
                *self._first_stages,
                Stage("playback", self.player.shutdown, 0.6),
                Stage("background work", self.runner.wait, 1.2),
                Stage("library", self._close_library, 0.8),
            ],
            total_s=1.9,
        )
        self.closed.emit(stuck)
        return stuck

    def _save(self, _limit_s: float) -> list[str]:
        self._restoring.save()
        self.preferences.save_now()
        return []

    def _close_library(self, limit_s: float) -> list[str]:
        if self.writer is None or self.library is None:
            return []
        if not self.writer.close(limit_s):
            return [self.tr("writing to the library")]
        self.library.close()
        return []

    # inner workings

    def _tag_options(self) -> TagOptions:
        tagging = self.preferences.settings.tagging
        return TagOptions(
            model_id=tagging.model or None,
            models_dir=self.home.models_dir,
            jobs=tagging.jobs if self._tag_jobs is None else self._tag_jobs,
            niceness=10,
            adapt=tagging.adapt,
        )

    def _fetch_covers(self, ids: list[int]) -> None:
        library = self.library
        if library is not None:
            self.runner.call(
                lambda: {track_id: load_cover(library, track_id, 96) for track_id in ids},
                self.covers.fill,
                pool="io",
            )

    def _on_setting(self, section: str, name: str) -> None:
        settings = self.preferences.settings
        if (section, name) == ("appearance", "theme"):
            self.theme.set_mode(Mode(settings.appearance.theme))
        elif (section, name) == ("appearance", "reduced_motion"):
            self.theme.set_calm(settings.appearance.reduced_motion)
        elif (section, name) == ("library", "unsure_below") and self.songs is not None:
            self.songs.search()
        elif (section, name) == ("tagging", "adapt") and self.work is not None:
            self.work.tag()

    def _on_problems(self, problems: list[Problem]) -> None:
        self.problems.add(problems)
        number = len(self.problems.problems)
        text = (
            self.tr("1 file could not be read")
            if number == 1
            else self.tr("{n} files could not be read").format(n=number)
        )
        self.window.toasts.show_toast(text, self.tr("Show"), self.problems.show)

    def _on_unplayable(self, path: Path | None, reason: str) -> None:
        name = path.name if path is not None else self.tr("A song")
        if path is not None:
            self.problems.add([Problem(str(path), reason)])
        said = self.tr("{file} cannot be played: {reason}").format(file=name, reason=reason)
        self._say_unplayable(said, listed=path is not None)

    def _on_gave_up(self, number: int) -> None:
        said = self.tr(
            "Stopped: {n} songs in a row cannot be played. Is the drive connected? "
            "Play goes on with the first of them."
        )
        self._say_unplayable(said.format(n=number), listed=True)

    def _say_unplayable(self, text: str, *, listed: bool) -> None:
        """One note at a time of songs that fail: the list has them all."""
        toasts = self.window.toasts
        if self._unplayable in toasts.toasts:
            self._unplayable.dismiss()
        self._unplayable = toasts.show_toast(
            text, self.tr("Show") if listed else "", self.problems.show
        )

    def _retry(self, paths: list[str]) -> None:
        if self.work is not None:
            self.work.tag([Path(path) for path in paths], force=True)

    def _open_folder(self) -> None:
        def show(rows: list[TrackRow]) -> None:
            for row in rows:
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(row.path).parent)))

        if self.songs is not None and self.pages is not None:
            self.songs.fetch(self.pages.chosen()[:1], show)
