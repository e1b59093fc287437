"""Moods into files from the window: look, show the difference, write, take back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.write_tags import TagChange, WriteReport, undo_tags, write_tags
from widgets.dialogs.file_changes import (
    FileChange,
    FileChangesDialog,
    WrittenRun,
    WrittenRunsDialog,
)
from widgets.dialogs.problems import Problem
from widgets.text import count

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop
    from app.desktop.work_controller import WorkController

__all__ = ["TagFiles"]

_MOST_RUNS = 100


class TagFiles(QObject):
    """The same code as `undertone tag --write-tags`, as jobs with progress and cancel."""

    written = Signal(object)  # WriteReport

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        assert desktop.work is not None
        self._work: WorkController = desktop.work
        self._undo_dir = desktop.home.folder / "undo"
        actions = desktop.window.actions_
        actions.write_tags.triggered.connect(self._ask_for_chosen)
        actions.untag_files.triggered.connect(self.ask_for_run)

    def ask(self, ids: Sequence[int]) -> None:
        """Find out what would be written of these songs, then show it."""
        desktop = self._desktop
        dialog = FileChangesDialog(desktop.theme, desktop.window)

        def look(overwrite: bool) -> None:
            dialog.wait()
            found: list[TagChange] = []

            def done(report: WriteReport) -> None:
                rows = [_row(change) for change in found if _is_told(change)]
                rows.sort(key=lambda row: not row.changes)
                dialog.show_changes(rows, report.unchanged)
                if not dialog.isVisible():
                    desktop.dialogs.show(dialog)

            task = self._work.run_on_library(
                self.tr("Comparing files"),
                lambda library, _: write_tags(
                    library, ids, self._undo_dir, overwrite=overwrite, dry_run=True
                ),
            )
            task.stepped.connect(lambda _progress, items: found.extend(_changes(items)))
            task.finished.connect(done)

        dialog.overwrite_changed.connect(look)
        dialog.write_requested.connect(
            lambda: self.write(ids, overwrite=dialog.overwrite.isChecked())
        )
        look(False)

    def write(self, ids: Sequence[int], *, overwrite: bool = False) -> None:
        """Write without asking again."""
        task = self._work.run_on_library(
            self.tr("Writing moods into files"),
            lambda library, _: write_tags(library, ids, self._undo_dir, overwrite=overwrite),
        )

        def done(report: WriteReport) -> None:
            self._tell(report, self.tr("Moods written into {n} files"))
            self.written.emit(report)

        task.finished.connect(done)

    def ask_for_run(self) -> None:
        """Look up what was written before, and offer to take it back."""
        desktop = self._desktop

        def show(runs: list[WrittenRun]) -> None:
            dialog = WrittenRunsDialog(desktop.theme, runs, desktop.window)
            dialog.undo_requested.connect(lambda file: self.take_back(Path(file)))
            desktop.dialogs.show(dialog)

        desktop.runner.call(lambda: _runs(self._undo_dir), show, desktop.tell_error)

    def take_back(self, undo_file: Path) -> None:
        """Undo one run."""
        task = self._work.run_on_library(
            self.tr("Taking moods out of files"), lambda library, _: undo_tags(library, undo_file)
        )

        def done(report: WriteReport) -> None:
            self._tell(report, self.tr("Tags put back in {n} files"))
            self.written.emit(report)

        task.finished.connect(done)

    def _ask_for_chosen(self) -> None:
        pages = self._desktop.pages
        chosen = pages.chosen() if pages is not None else []
        if chosen:
            self.ask(chosen)

    def _tell(self, report: WriteReport, text: str) -> None:
        desktop, undo_file = self._desktop, report.undo_file
        if report.failed:
            desktop.problems.add([Problem(str(c.path), c.error or "") for c in report.failed])
        parts = [text.format(n=count(report.written))]
        for number, words in (
            (len(report.skipped), self.tr("{n} left alone")),
            (len(report.failed), self.tr("{n} failed")),
        ):
            if number:
                parts.append(words.format(n=count(number)))
        if undo_file is not None:
            undo = self.tr("Undo")
            desktop.window.toasts.show_toast(
                ", ".join(parts), undo, lambda: self.take_back(undo_file)
            )
        else:
            desktop.window.toasts.show_toast(", ".join(parts))


def _changes(items: list[object]) -> list[TagChange]:
    return [item for item in items if isinstance(item, TagChange)]


def _is_told(change: TagChange) -> bool:
    return change.is_change or change.skipped is not None or change.error is not None


def _row(change: TagChange) -> FileChange:
    before = ", ".join(f"{key} {text}" for key, text in change.before.items())
    reason = change.error or change.skipped
    if reason is not None:
        return FileChange(str(change.path), before, reason, changes=False)
    after = ", ".join(f"{key} {text}" for key, text in change.after.items())
    return FileChange(str(change.path), before, after, changes=True)


def _runs(folder: Path) -> list[WrittenRun]:
    """The undo files, newest first."""
    runs = []
    for path in sorted(folder.glob("tags-*.jsonl"), reverse=True)[:_MOST_RUNS]:
        with path.open("rb") as file:
            files = sum(1 for _ in file)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
        runs.append(WrittenRun(str(path), when, files))
    return runs
