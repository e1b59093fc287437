"""What needs attention, in one list: failed, changed, missing and unsure songs; why; what helps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject
from PySide6.QtWidgets import QFileDialog

from widgets.main_window import MainWindow
from widgets.rows import TrackRow
from widgets.text import count

if TYPE_CHECKING:
    from app.desktop.library_controller import LibraryController
    from app.desktop.work_controller import WorkController
    from library_db.library import Library

__all__ = ["ATTENTION", "Attention", "with_reasons"]

ATTENTION = "attention"
_OFFERING = (ATTENTION, "missing", "failed", "stale")
_PREFIX = "attention:"

_MISSING = QT_TRANSLATE_NOOP("Attention", "The file is not where it was")
_STALE = QT_TRANSLATE_NOOP("Attention", "The music in the file has changed since")
_UNSURE = QT_TRANSLATE_NOOP("Attention", "Only {n} % sure")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Attention", text)


def with_reasons(library: Library, rows: Iterable[TrackRow], unsure_below: float) -> list[TrackRow]:
    """The rows with what is wrong with each song, in words; empty where nothing is."""
    stale = set(library.search("is:stale").tolist())
    return [replace(row, why=_reason(row, row.id in stale, unsure_below)) for row in rows]


def _reason(row: TrackRow, stale: bool, unsure_below: float) -> str:
    if row.missing:
        return _tr(_MISSING)
    if row.error:
        return row.error
    if stale:
        return _tr(_STALE)
    if row.confidence is not None and row.confidence < unsure_below and not row.corrected:
        return _tr(_UNSURE).format(n=round(100 * row.confidence))
    return ""


class Attention(QObject):
    """Says above the list what is wrong in all, and offers what helps."""

    def __init__(
        self,
        window: MainWindow,
        songs: LibraryController,
        work: WorkController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._songs = songs
        self._work = work
        self._counts: dict[str, int] = {}
        songs.found.connect(lambda *_: self._tell())
        songs.counted.connect(self._on_counted)
        window.notice.chosen.connect(self._take)

    def relocate(self, folder: Path) -> None:
        """Look below a folder for songs that were moved; it becomes part of the library.

        Moved files are recognised by their sound and keep all that is known of them.
        """
        self._work.add([folder])

    # inner workings

    def _on_counted(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._tell()

    def _tell(self) -> None:
        view = self._songs.view
        if view not in _OFFERING or not len(self._window.table.songs.ids):
            return
        if view == ATTENTION:
            self._window.notice.tell(self._words(), self._offers())
        elif view == "missing":
            self._window.notice.tell(
                self.tr("Known songs whose files are gone. Nothing is forgotten until you say so."),
                self._offers_for_missing(),
            )

    def _words(self) -> str:
        parts = (
            ("failed", self.tr("{n} could not be read")),
            ("stale", self.tr("{n} changed since they were listened to")),
            ("missing", self.tr("{n} missing")),
            ("unsure", self.tr("{n} unsure: a key from 1 to 4 says what they are")),
        )
        told = [
            text.format(n=count(self._counts[key])) for key, text in parts if self._counts.get(key)
        ]
        return "; ".join(told) or self.tr("Songs that need attention")

    def _offers(self) -> tuple[tuple[str, str], ...]:
        offers: list[tuple[str, str]] = []
        if self._counts.get("failed") or self._counts.get("stale"):
            offers.append((f"{_PREFIX}retry", self.tr("Try again")))
        if self._counts.get("missing"):
            offers += self._offers_for_missing()
        return tuple(offers)

    def _offers_for_missing(self) -> tuple[tuple[str, str], ...]:
        return (
            (f"{_PREFIX}find", self.tr("Find a moved folder …")),
            (f"{_PREFIX}forget", self.tr("Take the missing out")),
        )

    def _take(self, key: str) -> None:
        if key == f"{_PREFIX}retry":
            self._songs.find("is:failed OR is:stale", lambda ids: self._retry(ids.tolist()))
        elif key == f"{_PREFIX}forget":
            self._songs.find("is:missing", lambda ids: self._songs.forget(ids.tolist()))
        elif key == f"{_PREFIX}find":
            dialog = QFileDialog(self._window, self.tr("Where are the songs now?"))
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
            dialog.fileSelected.connect(lambda folder: self.relocate(Path(folder)))
            dialog.finished.connect(dialog.deleteLater)
            dialog.open()

    def _retry(self, ids: list[int]) -> None:
        def go(rows: list[TrackRow]) -> None:
            there = [Path(row.path) for row in rows if not row.missing]
            if there:
                self._work.tag(there, force=True)

        if ids:
            self._songs.fetch(ids, go)
