"""Small covers by song id, fetched when they are first looked at."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

__all__ = ["CoverCache"]

_CAPACITY = 400
_BATCH = 96


class CoverCache(QObject):
    """Thumbnails; `wanted` asks for the missing ones, `fill` brings them."""

    wanted = Signal(list)
    filled = Signal()

    def __init__(self, parent: QObject | None = None, *, capacity: int = _CAPACITY) -> None:
        super().__init__(parent)
        self._capacity = capacity
        self._images: OrderedDict[int, QImage | None] = OrderedDict()
        self._missing: dict[int, None] = {}
        self._asked: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._ask)

    def cover(self, track_id: int) -> QImage | None:
        """A song's thumbnail; None where there is none, or none yet."""
        if track_id in self._images:
            self._images.move_to_end(track_id)
            return self._images[track_id]
        if track_id not in self._asked:
            self._missing[track_id] = None
            if not self._timer.isActive():
                self._timer.start()
        return None

    def fill(self, images: dict[int, QImage | None]) -> None:
        """Answer a `wanted`; None says that a song has no cover that can be shown."""
        self._asked -= images.keys()
        self._images.update(images)
        while len(self._images) > self._capacity:
            self._images.popitem(last=False)
        self.filled.emit()

    def _ask(self) -> None:
        # Those asked for last are on the screen now; those of a long scroll are not.
        ids = list(self._missing)[-_BATCH:]
        self._missing.clear()
        self._asked.update(ids)
        if ids:
            self.wanted.emit(ids)
