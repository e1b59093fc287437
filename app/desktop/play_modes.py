"""How loud and in which order: volume, mute, shuffle, repeat; all on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from app.playback.loudness import clamp_percent
from app.playback.queue import PlayQueue, QueueEntry, Repeat
from app.playback.shuffling import by_albums, by_moods, shuffled

__all__ = ["Grouping", "PlayModes"]

Grouping = Callable[[str, Sequence[QueueEntry]], Sequence[Hashable]]
"""("album" or "mood", entries) -> the group of each, None for one that stands alone."""


class PlayModes(QObject):
    """The modes of a queue and the volume, each with a signal when it changes.

    Parameters
    ----------
    groups_of : callable, optional
        For shuffle by album or mood; answers from memory.
    """

    volume_changed = Signal(int)
    muted_changed = Signal(bool)
    loudness_changed = Signal(float)  # percent, as it is to sound
    shuffle_changed = Signal(bool)
    shuffle_by_changed = Signal(str)
    repeat_changed = Signal(str)

    def __init__(
        self, queue: PlayQueue, groups_of: Grouping | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self._groups_of = groups_of
        self.volume = 100
        self.muted = False
        self.shuffle_by = "song"

    @Slot(int)
    def set_volume(self, percent: float) -> None:
        """Set the volume, 0..100; unmutes."""
        volume = round(clamp_percent(percent))
        if volume != self.volume:
            self.volume = volume
            self.volume_changed.emit(volume)
        self.set_muted(False)
        self._tell()

    @Slot(bool)
    def set_muted(self, muted: bool) -> None:
        if muted != self.muted:
            self.muted = muted
            self.muted_changed.emit(muted)
            self._tell()

    @Slot(bool)
    def set_shuffle(self, shuffle: bool) -> None:
        if shuffle != self._queue.shuffle:
            self._queue.shuffle = shuffle
            self.shuffle_changed.emit(shuffle)

    @Slot(str)
    def set_shuffle_by(self, group: str) -> None:
        """Shuffle by "song", by "album" or by "mood"."""
        if group == self.shuffle_by:
            return
        self.shuffle_by = group
        orders = {"album": by_albums, "mood": by_moods}
        groups_of = self._groups_of
        if group in orders and groups_of is not None:
            order = orders[group](lambda entries: groups_of(group, entries))
            self._queue.set_shuffle_order(order)
        else:
            self._queue.set_shuffle_order(shuffled)
        self.shuffle_by_changed.emit(group)

    @Slot(str)
    def set_repeat(self, repeat: str) -> None:
        """Set "off", "all" or "one"."""
        wanted = Repeat(repeat)
        if wanted is not self._queue.repeat:
            self._queue.repeat = wanted
            self.repeat_changed.emit(wanted.value)

    def _tell(self) -> None:
        self.loudness_changed.emit(0.0 if self.muted else float(self.volume))
