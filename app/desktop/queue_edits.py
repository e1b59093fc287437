"""Changes of the queue that the listener makes: add, move, take out, empty; each can be undone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand

from app.playback.queue import PlayQueue, QueueState, Song
from widgets.text import count, songs

__all__ = ["QUEUE_LIMIT", "QueueCommand", "QueueEdit", "QueueEdits"]

QUEUE_LIMIT = 5000
"""So many songs at once: weeks of music, and a queue of 100,000 costs more than anyone hears."""


@dataclass(frozen=True, slots=True)
class QueueEdit:
    """One change: what was done, in words, and the queue before and after it."""

    text: str
    before: QueueState
    after: QueueState
    replaced: bool = False
    """Whether another queue took the place of one that the listener had put together."""


class QueueEdits(QObject):
    """Edits a queue on behalf of the listener. All calls are made on the GUI thread."""

    changed = Signal()
    edited = Signal(object)  # QueueEdit

    def __init__(self, queue: PlayQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._own = False  # whether the listener has put the queue together by hand

    def enqueue(self, ids: Sequence[int]) -> str:
        """Add tracks at the end; of very many, a draw in their order. Says what was done."""
        chosen = _drawn(ids)
        text = self._told(self.tr("{songs} added to the queue"), chosen, ids)
        self._edit(text, lambda: self._queue.append(_songs(chosen)))
        return text

    def play_next(self, ids: Sequence[int]) -> None:
        """Insert tracks so that they follow the current one; of very many, a draw."""
        chosen = _drawn(ids)
        text = self._told(self.tr("{songs} to be played next"), chosen, ids)
        self._edit(text, lambda: self._queue.insert_next(_songs(chosen)))

    def insert(self, index: int, ids: Sequence[int]) -> None:
        """Insert tracks before the place `index`; of very many, a draw."""
        chosen = _drawn(ids)
        text = self._told(self.tr("{songs} added to the queue"), chosen, ids)
        self._edit(text, lambda: self._queue.insert(index, _songs(chosen)))

    def insert_songs(self, index: int, chosen: Sequence[Song]) -> None:
        """Insert tracks and files from outside the library before the place `index`."""
        text = self.tr("{songs} added to the queue").format(songs=songs(len(chosen)))
        self._edit(text, lambda: self._queue.insert(index, list(chosen)))

    def move(self, indexes: int | Sequence[int], before: int) -> None:
        """Put the songs at `indexes` before the place `before` of the queue as it is."""
        places = [indexes] if isinstance(indexes, int) else list(indexes)
        text = self.tr("{songs} moved in the queue").format(songs=songs(len(places)))
        self._edit(text, lambda: self._queue.move(places, before))

    def remove(self, indexes: int | Iterable[int]) -> None:
        """Take songs out; the one that plays is played to its end all the same."""
        places = [indexes] if isinstance(indexes, int) else list(indexes)
        text = self.tr("{songs} taken out of the queue").format(songs=songs(len(places)))
        self._edit(text, lambda: self._queue.remove(places))

    @Slot()
    def clear(self) -> None:
        """Empty the queue; the song that plays is played to its end."""
        self._edit(self.tr("The queue was emptied"), self._queue.clear)
        self._own = False

    def replace(self, new: Sequence[Song], current: int | None) -> None:
        """Make the queue these songs; undoable where the listener had put the old one together."""
        before, own = self._queue.kept, self._own and len(self._queue) > 0
        self._queue.replace(new, current)
        self._own = False
        self.changed.emit()
        if own:
            text = self.tr("The queue was replaced")
            self.edited.emit(QueueEdit(text, before, self._queue.kept, replaced=True))

    def put_back(self, state: QueueState) -> None:
        """Undo or redo: make the list what it was; what plays goes on."""
        self._queue.put_back(state)
        self._own = True
        self.changed.emit()

    def _told(self, text: str, chosen: Sequence[int], of: Sequence[int]) -> str:
        """What was done, and where only some were taken, of how many."""
        said = text.format(songs=songs(len(chosen)))
        if len(chosen) < len(of):
            said += self.tr(", drawn from {n}").format(n=count(len(of)))
        return said

    def _edit(self, text: str, change: Callable[[], object]) -> None:
        before = self._queue.kept
        change()
        after = self._queue.kept
        if after.entries != before.entries:
            self._own = True
            self.changed.emit()
            self.edited.emit(QueueEdit(text, before, after))


class QueueCommand(QUndoCommand):
    """A change of the queue on the undo stack."""

    def __init__(self, edits: QueueEdits, edit: QueueEdit) -> None:
        super().__init__(edit.text)
        self._edits = edits
        self._edit = edit
        self._done = True  # it was made before it is pushed

    def redo(self) -> None:
        if not self._done:
            self._edits.put_back(self._edit.after)
        self._done = True

    def undo(self) -> None:
        self._edits.put_back(self._edit.before)
        self._done = False


def _drawn(ids: Sequence[int]) -> list[int]:
    """All of them, or so many as anyone hears, drawn by chance and in their order."""
    if len(ids) <= QUEUE_LIMIT:
        return list(ids)
    return [ids[place] for place in sorted(random.sample(range(len(ids)), QUEUE_LIMIT))]


def _songs(ids: Iterable[int]) -> list[Song]:
    return [(None, track_id) for track_id in ids]
