"""Between the search field and the library: what could follow in a query that is being typed."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.desktop.jobs import JobRunner, Latest
from app.desktop.library_controller import LibraryController
from library_db.completion import suggest
from widgets.search_field import SearchField

__all__ = ["Completing"]


class Completing(QObject):
    """Looks names up on a pool; only the newest of several questions is answered."""

    def __init__(
        self,
        field: SearchField,
        songs: LibraryController,
        runner: JobRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._field = field
        self._songs = songs
        self._asker = Latest(runner)
        field.suggestions_wanted.connect(self._look)

    def _look(self, text: str, cursor: int) -> None:
        index = self._songs.library.index
        self._asker.call(
            lambda: suggest(index, text, cursor),
            lambda found: self._field.show_suggestions(text, found),
            self._songs.failed.emit,
        )
