"""Corrections of moods, songs and folders taken out of the library, as steps to be undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from inference.emotion import MoodPoint, Quadrant
from library_db.changes import ChangeSet
from library_db.emotion_layers import UserLabel
from widgets.text import mood_name, songs

if TYPE_CHECKING:
    from app.desktop.library_controller import LibraryController
    from library_db.library import Library

__all__ = ["Correction", "FolderRemoval", "Forgetting", "Label"]

Label = Quadrant | MoodPoint | UserLabel | None


class Correction(QUndoCommand):
    """One correction of one or more songs."""

    def __init__(self, controller: LibraryController, ids: list[int], label: Label) -> None:
        self._name = _named(controller, len(ids), label)
        super().__init__(self._name)
        self._controller = controller
        self._ids = ids
        self._label = label
        self._before: dict[int, Label] = {}

    def redo(self) -> None:
        def done(before: dict[int, Label]) -> None:
            self._before = before
            self._controller.corrected.emit(self._name)

        self._controller.write(dict.fromkeys(self._ids, self._label), done)

    def undo(self) -> None:
        self._controller.write(self._before, lambda _: None)


class Forgetting(QUndoCommand):
    """Missing songs taken out of the library."""

    def __init__(self, controller: LibraryController, ids: list[int]) -> None:
        self._name = controller.tr("{songs} taken out").format(songs=songs(len(ids)))
        super().__init__(self._name)
        self._controller = controller
        self._ids = ids

    def redo(self) -> None:
        self._controller.submit(lambda library: library.forget(self._ids), self._done)

    def undo(self) -> None:
        self._controller.submit(lambda library: library.restore(self._ids), self._shown)

    def _done(self, changes: ChangeSet) -> None:
        self._shown(changes)
        self._controller.corrected.emit(self._name)

    def _shown(self, changes: ChangeSet) -> None:
        self._controller.note_changes(changes)
        self._controller.search()


class FolderRemoval(QUndoCommand):
    """A music folder taken out of the library with its songs."""

    def __init__(self, controller: LibraryController, folder: Path) -> None:
        self._name = controller.tr("{folder} taken out").format(folder=folder.name)
        super().__init__(self._name)
        self._controller = controller
        self._folder = folder
        self._gone: tuple[int, ...] = ()

    def redo(self) -> None:
        def done(changes: ChangeSet) -> None:
            self._gone = changes.removed
            self._shown(changes)
            self._controller.corrected.emit(self._name)

        self._controller.submit(lambda library: library.remove_root(self._folder), done)

    def undo(self) -> None:
        def work(library: Library) -> ChangeSet:
            library.add_root(self._folder)
            return library.restore(self._gone)

        self._controller.submit(work, self._shown)

    def _shown(self, changes: ChangeSet) -> None:
        self._controller.note_changes(changes)
        self._controller.search()
        self._controller.roots_changed.emit()


def _named(controller: LibraryController, number: int, label: Label) -> str:
    if label is None:
        return controller.tr("{songs} given back to the model").format(songs=songs(number))
    if isinstance(label, MoodPoint):
        quadrant = Quadrant.of(label)
    else:
        quadrant = label.quadrant if isinstance(label, UserLabel) else label
    return controller.tr("{songs} marked as {mood}").format(
        songs=songs(number), mood=mood_name(quadrant)
    )
