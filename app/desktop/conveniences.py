"""What makes a player comfortable, put together once the library is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.desktop.first_run import FirstRun
from app.desktop.long_work import LongWork
from app.desktop.playing import Playing
from app.desktop.tag_files import TagFiles
from app.desktop.throttle import Throttle
from app.desktop.watcher import Watcher

if TYPE_CHECKING:
    from app.desktop.desktop import Desktop

__all__ = ["Conveniences"]


class Conveniences(QObject):
    """Equaliser and moods to play, the folder watcher, tags in files, long work in one place."""

    def __init__(self, desktop: Desktop) -> None:
        super().__init__(desktop)
        self.playing = Playing(desktop)
        self.watcher = Watcher(desktop)
        self.tag_files = TagFiles(desktop)
        self.first_run = FirstRun(desktop)
        self.throttle = Throttle(desktop.runner, desktop.preferences, self)
        self.long_work = LongWork(desktop, self.throttle)

    def stop(self) -> None:
        """Ask and begin nothing more."""
        self.throttle.stop()
