"""Every change of a playlist as a step that can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from library_db.playlists import Playlist

if TYPE_CHECKING:
    from app.desktop.library_controller import LibraryController
    from library_db.library import Library

__all__ = ["PlaylistEdit"]

Stood = Mapping[int, Playlist | None]
"""Playlists as they stood at a moment, by id; None: not there."""


class PlaylistEdit(QUndoCommand):
    """One change, done by the writer.

    Parameters
    ----------
    text : str
        What was done, for the menu and the toast.
    work : callable
        Does it in one commit and returns how the playlists concerned stood before.
    done : callable
        Called with their ids after each doing, undoing and redoing.

    Notes
    -----
    The writer works in the order of asking: an undo that is asked for while its change still
    waits is done after it, and finds what stood before. A change that could not be written
    (a full disk) takes itself off the stack.
    """

    def __init__(
        self,
        songs: LibraryController,
        text: str,
        work: Callable[[Library], Stood],
        done: Callable[[list[int]], None],
    ) -> None:
        super().__init__(text)
        self._songs = songs
        self._work = work
        self._done = done
        self._before: Stood | None = None
        self._after: Stood | None = None

    def redo(self) -> None:
        def write(library: Library) -> list[int]:
            playlists = library.playlists
            if self._after is None:
                self._before = self._work(library)
                self._after = {i: playlists.get(i) for i in self._before}
            else:
                playlists.write(self._after)
            return list(self._after)

        self._songs.submit(write, self._done, self._on_failure)

    def undo(self) -> None:
        def write(library: Library) -> list[int]:
            if self._before is None:
                return []
            library.playlists.write(self._before)
            return list(self._before)

        self._songs.submit(write, self._done)

    def _on_failure(self) -> None:
        if self._before is None:
            self.setObsolete(True)
            stack = self._songs.undo_stack
            if stack.index() and stack.command(stack.index() - 1) is self:
                stack.undo()  # undoes nothing, and drops what is obsolete
