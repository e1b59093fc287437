"""Long work from the window: adding, scanning and tagging music; progress, pause and cancel."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.desktop.jobs import JobRunner, State, Task
from app.desktop.library_controller import LibraryController
from app.tagging import Model, TagOptions, TagReport, TagRow, tag
from inference.job import Job, Progress
from library_db.changes import ChangeSet
from library_db.scan import ScanReport, scan
from widgets.dialogs.problems import Problem
from widgets.job_strip import JobStrip
from widgets.text import one_line, songs
from widgets.theme import Theme

if TYPE_CHECKING:
    from app.writer import LibraryWriter
    from library_db.library import Library

__all__ = ["WorkController"]


class WorkController(QObject):
    """Starts the jobs and keeps the views up to date while they run.

    Parameters
    ----------
    options : callable
        The tagging options that the settings stand for, asked at each start.
    model : Model, optional
        Instead of the catalogue's.
    """

    strip_added = Signal(object)  # JobStrip
    strip_removed = Signal(object)
    problems_found = Signal(list)  # Problem
    settled = Signal(list)  # paths as text that are all right now
    said = Signal(str)  # for a toast
    failed = Signal(object)  # exception

    def __init__(
        self,
        library: Library,
        writer: LibraryWriter,
        runner: JobRunner,
        songs: LibraryController,
        theme: Theme,
        options: Callable[[], TagOptions],
        tag_after_scan: Callable[[], bool],
        model: Model | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = writer.facade()
        self._reader = library
        self._runner = runner
        self._songs = songs
        self._theme = theme
        self._options = options
        self._tag_after_scan = tag_after_scan
        self._model = model
        self._tag_next: dict[Path, bool] = {}
        self._tagging: Task | None = None

    @property
    def busy(self) -> bool:
        return bool(self._runner.tasks)

    def add(self, paths: Sequence[Path]) -> None:
        """Take folders and files into the library, then find their moods."""
        chosen = list(paths)
        if not chosen:
            return

        def remember(library: Library) -> list[int]:
            touched: list[int] = []
            for path in chosen:
                if path.is_dir():
                    touched += library.add_root(path).touched
            return touched

        def remembered(_: object) -> None:
            self._songs.roots_changed.emit()
            self.scan(chosen)

        self._songs.submit(remember, remembered)

    def add_demo(self, folder: Path) -> None:
        """Write the demo library to `folder`, then add it."""
        task = self._start(
            self.tr("Making the demo library"), lambda _: _demo_job(folder), pool="io"
        )
        task.finished.connect(lambda _: self.add([folder]))

    def scan(self, paths: Sequence[Path] | None = None, *, quiet: bool = False) -> None:
        """Look for new, changed and missing files: in `paths`, else in all folders.

        `quiet`: say nothing where nothing was found.
        """
        library = self._library

        def make(_cancelled: Callable[[], bool]) -> Job[ScanReport]:
            return scan(library, list(paths) if paths is not None else library.roots())

        task = self._start(self.tr("Looking for music"), make, pool="io")
        task.finished.connect(lambda report: self._on_scanned(report, paths, quiet=quiet))

    def tag(self, paths: Sequence[Path] | None = None, *, force: bool = False) -> None:
        """Find the moods of songs: in `paths`, else of everything that has none yet.

        While one such job runs, further wishes wait and are then done together.
        """
        if self._tagging is not None:
            for path in paths if paths is not None else [Path()]:
                self._tag_next[path] = force or self._tag_next.get(path, False)
            return
        options = self._options()
        if force:
            options = _forced(options)
        library, model = self._library, self._model

        def make(cancelled: Callable[[], bool]) -> Job[TagReport]:
            chosen = list(paths) if paths is not None else library.roots()
            return tag(library, chosen, options, model=model, cancelled=cancelled)

        task = self._start(self.tr("Listening for moods"), make, pool="tagging")
        self._tagging = task
        task.finished.connect(self._on_tagged)
        task.ended.connect(self._on_tagging_ended)

    def run(self, name: str, make: Callable[[Callable[[], bool]], Job[Any]]) -> Task:
        """Run a job of another kind in the strip; it can be cancelled and not be paused."""
        return self._start(name, make, pool="io", pausable=False)

    def run_on_library(
        self,
        name: str,
        make: Callable[[Library, Callable[[], bool]], Job[Any]],
        *,
        pool: str = "io",
    ) -> Task:
        """Run another job on the library, shown like the others.

        Parameters
        ----------
        make : callable
            Given the library (whose writes the writer thread does) and
            `cancelled()`, returns the generator.
        """
        library = self._library
        return self._start(name, lambda cancelled: make(library, cancelled), pool=pool)

    # inner workings

    def _start(
        self,
        name: str,
        make: Callable[[Callable[[], bool]], Job[Any]],
        *,
        pool: str,
        pausable: bool = True,
    ) -> Task:
        task = self._runner.start(name, make, pool=pool)
        strip = JobStrip(self._theme, name)
        strip.pause.setVisible(pausable)
        # A job of a moment needs no strip.
        delay = QTimer(strip)
        delay.setSingleShot(True)
        delay.setInterval(300)
        delay.timeout.connect(lambda: self.strip_added.emit(strip))
        delay.start()
        strip.hide()
        strip.cancel_requested.connect(task.cancel)
        strip.cancel_requested.connect(strip.show_cancelling)
        strip.pause_requested.connect(lambda on: task.pause() if on else task.resume())
        task.state_changed.connect(
            lambda state: strip.show_paused(state is State.PAUSED, task.held)
        )
        task.stepped.connect(lambda progress, items: self._on_stepped(task, strip, progress, items))
        task.failed.connect(self.failed)

        def ended() -> None:
            delay.stop()
            self.strip_removed.emit(strip)

        task.ended.connect(ended)
        return task

    def _on_stepped(
        self, task: Task, strip: JobStrip, progress: Progress, items: list[object]
    ) -> None:
        left_s = task.eta.left_s()
        strip.show_progress(progress.done, progress.total, one_line(progress.text, 200), left_s)
        touched: list[int] = []
        problems, right = [], []
        for item in items:
            if isinstance(item, ChangeSet):
                touched += item.touched
            elif isinstance(item, TagRow):
                if item.track_id is not None:
                    touched.append(item.track_id)
                if item.error:
                    problems.append(Problem(str(item.path), item.error))
                else:
                    right.append(str(item.path))
        if touched:
            self._songs.note_changes(touched)
        if problems:
            self.problems_found.emit(problems)
        if right:
            self.settled.emit(right)

    def _on_scanned(self, report: ScanReport, paths: Sequence[Path] | None, *, quiet: bool) -> None:
        self._songs.search()
        if report.failed:
            self.problems_found.emit([Problem(str(f.path), f.reason) for f in report.failed])
        if report.added:
            self.said.emit(self.tr("{songs} added").format(songs=songs(report.added)))
        elif (
            paths is not None
            and not quiet
            and not (report.unchanged or report.changed or report.moved)
        ):
            self.said.emit(self.tr("No music was found there"))
        if self._tag_after_scan():
            self.tag(paths)

    def _on_tagged(self, report: TagReport) -> None:
        self._songs.search()
        if report.done:
            self.said.emit(self.tr("Found the mood of {songs}").format(songs=songs(report.done)))

    def _on_tagging_ended(self) -> None:
        cancelled = self._tagging is not None and self._tagging.state is State.CANCELLED
        self._tagging = None
        waiting, self._tag_next = self._tag_next, {}
        if cancelled or not waiting:
            return
        force = any(waiting.values())
        paths = None if Path() in waiting and not force else [p for p in waiting if p != Path()]
        self.tag(paths, force=force)


def _found_any(report: ScanReport) -> bool:
    return bool(report.unchanged or report.changed or report.moved)


def _forced(options: TagOptions) -> TagOptions:
    from dataclasses import replace

    return replace(options, force=True)


def _demo_job(folder: Path) -> Generator[Progress, None, list[Path]]:
    from app.demo import PIECES, make_demo_library

    paths: list[Path] = []
    for number in range(1, len(PIECES) + 1):
        paths = make_demo_library(folder, number)
        yield Progress(number, len(PIECES), PIECES[number - 1].title)
    return paths
