"""The music folders, watched: what changes in them is looked at once it has come to rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.desktop.shutdown import Stage
from app.watching import FolderWatch, WatchNote, WatchTrouble

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop

__all__ = ["Watcher"]

_QUIET_MS = 3000
_AT_MOST_MS = 30_000
_MANY = 30


class Watcher(QObject):
    """Scans folders in which something changed, while the setting asks for it."""

    scanning = Signal(list)  # the folders that are about to be looked into

    _changed = Signal(object)
    _noted = Signal(object)
    _folders_found = Signal(object)

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._desktop = desktop
        self._watch: FolderWatch | None = None
        self._folders: list[Path] = []
        self._waiting: set[Path] = set()
        self._quiet = self._timer(_QUIET_MS)
        self._at_most = self._timer(_AT_MOST_MS)
        queued = Qt.ConnectionType.QueuedConnection
        self._changed.connect(self._on_changed, queued)
        self._noted.connect(self._on_noted, queued)
        desktop.preferences.changed.connect(self._on_setting)
        assert desktop.songs is not None
        desktop.songs.roots_changed.connect(self.refresh)
        desktop.end_first(Stage("folder watch", self._end, 0.5))
        self.refresh()

    @property
    def folders(self) -> list[Path]:
        """What is watched."""
        return list(self._folders)

    def refresh(self) -> None:
        """Watch the folders that the library has now, or none where that is switched off."""
        library = self._desktop.library
        if not self._desktop.preferences.settings.library.watch or library is None:
            self._begin([])
        else:
            self._desktop.runner.call(library.roots, self._begin)

    def _begin(self, folders: list[Path]) -> None:
        if folders == self._folders:
            return
        self._stop(0.0)
        self._folders = folders
        if folders:
            self._watch = FolderWatch(folders, self._changed.emit, self._noted.emit)
            self._watch.start()

    def _on_changed(self, folders: frozenset[Path]) -> None:
        self._waiting |= folders
        self._quiet.start()
        if not self._at_most.isActive():
            self._at_most.start()

    def _scan(self) -> None:
        self._quiet.stop()
        self._at_most.stop()
        folders, self._waiting = sorted(self._waiting), set()
        if len(folders) > _MANY:
            folders = list(self._folders)
        if folders and self._desktop.work is not None:
            self.scanning.emit(folders)
            self._desktop.work.scan(folders, quiet=True)

    def _on_noted(self, note: WatchNote) -> None:
        preferences, name = self._desktop.preferences, str(note.folder)
        told = preferences.settings.window.told_of_watching
        if note.trouble is WatchTrouble.NETWORK and name in told:
            return
        texts = {
            WatchTrouble.NETWORK: self.tr(
                "{folder} is on a network drive, which tells of no changes: it is looked through "
                "every minute. Settings, Library has the switch."
            ),
            WatchTrouble.LIMIT: self.tr(
                "The system watches no more folders, so {folder} is looked through every minute. "
                "To raise the limit: echo fs.inotify.max_user_watches=524288 | "
                "sudo tee /etc/sysctl.d/60-music.conf && sudo sysctl --system"
            ),
            WatchTrouble.FAILED: self.tr(
                "{folder} cannot be watched, so it is looked through every minute ({detail})"
            ),
        }
        text = texts[note.trouble].format(folder=name, detail=note.detail)
        self._desktop.window.toasts.show_toast(text)
        if note.trouble is WatchTrouble.NETWORK:
            preferences.set("window", "told_of_watching", (*told[-50:], name))

    def _on_setting(self, section: str, name: str) -> None:
        if (section, name) == ("library", "watch"):
            self.refresh()

    def _timer(self, after_ms: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(after_ms)
        timer.timeout.connect(self._scan)
        return timer

    def _stop(self, limit_s: float) -> bool:
        watch, self._watch = self._watch, None
        return watch is None or watch.stop(limit_s)

    def _end(self, limit_s: float) -> list[str]:
        self._quiet.stop()
        self._at_most.stop()
        return [] if self._stop(limit_s) else ["the folder watch"]
