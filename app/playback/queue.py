"""The play queue: which song comes next. Plain list logic, without files, threads or Qt."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path

from app.playback.shuffling import ShuffleOrder, shuffled

__all__ = ["PlayQueue", "QueueEntry", "QueueState", "Repeat", "Song"]

Song = tuple[Path | None, int | None]
"""What is queued: a file, and its id in the library; one of the two may be None."""

_HISTORY_LIMIT = 1000


class Repeat(Enum):
    """What follows the last song (OFF, ALL), or each song (ONE)."""

    OFF = "off"
    ALL = "all"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One place in the queue; the same song may have several.

    Parameters
    ----------
    key : int
        Tells this place from all others for as long as the queue lives.
    path : Path or None
        The file; None where the library is to say by `track_id` where it
        is when its turn comes.
    track_id : int or None
        The song's id in the library; None for a file from outside it.
    """

    key: int
    path: Path | None
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class QueueState:
    """The songs of a queue and its place, as they were at one moment."""

    entries: tuple[QueueEntry, ...]
    current: int | None
    """Key of the entry that was played."""


class PlayQueue:
    """An ordered list of songs with a current place, shuffle and repeat.

    Parameters
    ----------
    rng : random.Random, optional
        Where shuffle gets its chance from; tests give a seeded one.

    Notes
    -----
    Shuffle changes the order of playing, never the list: switching it off
    goes on from the current song in the order of the list. A shuffled
    round plays each song once (see `app.playback.shuffling` for albums and
    moods). `previous` goes back through what was really played, and where
    nothing was, to the song before in the list; with shuffle, `next` goes
    forward again on the same way.

    The current place may lie between two songs: before the first one at
    the beginning, and where the current song was if it is removed.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._keys = count(1)
        self._entries: list[QueueEntry] = []
        self._cursor = 0
        self._on_entry = False
        self._repeat = Repeat.OFF
        self._shuffle = False
        self._order: ShuffleOrder = shuffled
        self._past: list[int] = []
        self._future: list[int] = []
        self._next_round: list[int] | None = None

    # -- what is there ----------------------------------------------------

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[QueueEntry]:
        return iter(tuple(self._entries))

    def __getitem__(self, index: int) -> QueueEntry:
        return self._entries[index]

    @property
    def entries(self) -> tuple[QueueEntry, ...]:
        """All songs in the order of the list."""
        return tuple(self._entries)

    @property
    def current(self) -> QueueEntry | None:
        """The song at the current place, or None between songs."""
        return self._entries[self._cursor] if self._on_entry else None

    @property
    def current_index(self) -> int | None:
        """The current song's place in the list, from 0, or None between songs."""
        return self._cursor if self._on_entry else None

    @property
    def history(self) -> tuple[QueueEntry, ...]:
        """The songs that `previous` goes back through, the oldest first."""
        by_key = {entry.key: entry for entry in self._entries}
        return tuple(by_key[key] for key in self._past)

    def index_of(self, key: int) -> int | None:
        """The place of the entry `key` in the list, or None if it is gone."""
        return next((i for i, entry in enumerate(self._entries) if entry.key == key), None)

    # -- modes --------------------------------------------------------------

    @property
    def repeat(self) -> Repeat:
        return self._repeat

    @repeat.setter
    def repeat(self, repeat: Repeat) -> None:
        self._repeat = repeat
        self._next_round = None

    @property
    def shuffle(self) -> bool:
        return self._shuffle

    @shuffle.setter
    def shuffle(self, shuffle: bool) -> None:
        if shuffle == self._shuffle:
            return
        self._shuffle = shuffle
        self._begin_round(keep_past=True)

    def set_shuffle_order(self, order: ShuffleOrder) -> None:
        """How a shuffled round is drawn, from now on: song by song, by albums, by moods."""
        self._order = order
        self._begin_round(keep_past=True)

    # -- going on -----------------------------------------------------------

    def advance(self) -> QueueEntry | None:
        """Go to what follows when a song has ended, and return it.

        None, and no change, where nothing follows.
        """
        if self._repeat is Repeat.ONE and self._on_entry:
            return self.current
        return self.next()

    def next(self) -> QueueEntry | None:
        """Go to the next song (also out of a repeated one), and return it.

        None, and no change, where nothing follows.
        """
        return self._next_shuffled() if self._shuffle else self._next_in_list()

    def peek(self) -> QueueEntry | None:
        """What `advance` would return, without going there."""
        if self._repeat is Repeat.ONE and self._on_entry:
            return self.current
        if self._shuffle:
            coming = self._future or self._plan_round()
            index = self.index_of(coming[0]) if coming else None
        else:
            index = self._index_after()
        return None if index is None else self._entries[index]

    def previous(self) -> QueueEntry | None:
        """Go back one song, and return it; None, and no change, where none lies before."""
        if self._past:
            return self._back()
        if self._shuffle or not self._entries:
            return None
        if self._cursor > 0:
            self._place(self._cursor - 1)
        elif self._repeat is Repeat.ALL:
            self._place(len(self._entries) - 1)
        else:
            return None
        return self.current

    def jump(self, index: int) -> QueueEntry:
        """Go to the song at `index` of the list, and return it.

        Raises
        ------
        IndexError
            If there is no such place.
        """
        if not 0 <= index < len(self._entries):
            raise IndexError(f"the queue has no place {index}")
        key = self._entries[index].key
        if not (self._on_entry and index == self._cursor):
            self._remember_current()
            self._future = [other for other in self._future if other != key]
        self._place(index)
        return self._entries[index]

    def rewind(self) -> None:
        """Go before the first song; with shuffle, begin a new round."""
        self._cursor, self._on_entry = 0, False
        self._begin_round()

    # -- changing the list ----------------------------------------------------

    def append(self, songs: Iterable[Song]) -> tuple[QueueEntry, ...]:
        """Add (path, track id) pairs at the end; returns the new entries."""
        return self._insert(len(self._entries), songs)

    def insert_next(self, songs: Iterable[Song]) -> tuple[QueueEntry, ...]:
        """Add (path, track id) pairs so that they are played next, in their order."""
        return self._insert(self._cursor + 1 if self._on_entry else self._cursor, songs, soon=True)

    def insert(self, index: int, songs: Iterable[Song]) -> tuple[QueueEntry, ...]:
        """Add (path, track id) pairs before the place `index`, limited to the list."""
        return self._insert(min(max(index, 0), len(self._entries)), songs)

    def replace(self, songs: Iterable[Song], current: int | None = None) -> tuple[QueueEntry, ...]:
        """Make the queue these (path, track id) pairs, at the place `current` or before the first.

        Raises
        ------
        IndexError
            If there is no place `current`; the queue is then empty.
        """
        self.clear()
        new = self._insert(0, songs)
        if current is not None:
            self.jump(current)
            self._begin_round()
        return new

    def remove(self, indices: Iterable[int]) -> tuple[QueueEntry, ...]:
        """Take out the songs at these places, and return them.

        A place that is not there is no error. If the current song is among
        them, the current place is between its neighbours.
        """
        gone = {i for i in indices if 0 <= i < len(self._entries)}
        if not gone:
            return ()
        removed = tuple(self._entries[i] for i in sorted(gone))
        self._on_entry = self._on_entry and self._cursor not in gone
        self._cursor -= sum(1 for i in gone if i < self._cursor)
        self._entries = [entry for i, entry in enumerate(self._entries) if i not in gone]
        keys = {entry.key for entry in removed}
        self._past = [key for key in self._past if key not in keys]
        self._future = [key for key in self._future if key not in keys]
        self._next_round = None
        return removed

    def move(self, indices: Sequence[int], before: int) -> None:
        """Put the songs at these places, in their order, before the old place `before`."""
        chosen = sorted({i for i in indices if 0 <= i < len(self._entries)})
        if not chosen:
            return
        before = min(max(before, 0), len(self._entries))
        picked = set(chosen)
        current = self.current
        anchor = self._cursor  # between songs: stay before the same song
        anchor_key = next(
            (e.key for i, e in enumerate(self._entries) if i >= anchor and i not in picked), None
        )
        head = [e for i, e in enumerate(self._entries[:before]) if i not in picked]
        tail = [e for i, e in enumerate(self._entries) if i >= before and i not in picked]
        self._entries = [*head, *(self._entries[i] for i in chosen), *tail]
        key = current.key if current is not None else anchor_key
        place = self.index_of(key) if key is not None else None
        self._cursor = len(self._entries) if place is None else place

    def clear(self) -> None:
        """Take all songs out; shuffle and repeat stay as they are."""
        self._entries = []
        self.rewind()

    @property
    def kept(self) -> QueueState:
        """The list as it is, for `put_back`."""
        current = self.current
        return QueueState(self.entries, None if current is None else current.key)

    def put_back(self, state: QueueState) -> None:
        """Make the list what it was.

        The current song stays the current one where it is in that list; otherwise the place
        is before the song that was current then, or the first.
        """
        now = self.current
        self._entries = list(state.entries)
        place = self.index_of(now.key) if now is not None else None
        self._on_entry = place is not None
        if place is None and state.current is not None:
            place = self.index_of(state.current)
        self._cursor = place or 0
        keys = {entry.key for entry in self._entries}
        past = [key for key in self._past if key in keys]
        self._begin_round()
        self._past = past

    # -- inside ---------------------------------------------------------------

    def _insert(
        self, index: int, songs: Iterable[Song], *, soon: bool = False
    ) -> tuple[QueueEntry, ...]:
        new = tuple(QueueEntry(next(self._keys), path, track_id) for path, track_id in songs)
        if not new:
            return new
        if index < self._cursor or (index == self._cursor and self._on_entry):
            self._cursor += len(new)
        self._entries[index:index] = new
        self._next_round = None
        if self._shuffle:
            keys = [entry.key for entry in new]
            if soon:
                self._future = [*keys, *self._future]
            elif self._order is shuffled:
                self._future = self._mixed(self._future, keys)
            else:
                self._future = self._draw({*self._future, *keys})
        return new

    def _mixed(self, order: list[int], new: list[int]) -> list[int]:
        """`order` with the `new` keys at random places among it; the rest keeps its order."""
        total = len(order) + len(new)
        places = set(self._rng.sample(range(total), len(new)))
        fresh, old = iter(self._rng.sample(new, len(new))), iter(order)
        return [next(fresh) if i in places else next(old) for i in range(total)]

    def _place(self, index: int) -> None:
        self._cursor, self._on_entry = index, True

    def _index_after(self) -> int | None:
        index = self._cursor + 1 if self._on_entry else self._cursor
        if index < len(self._entries):
            return index
        return 0 if self._repeat is Repeat.ALL and self._entries else None

    def _next_in_list(self) -> QueueEntry | None:
        index = self._index_after()
        if index is None:
            return None
        self._remember_current()
        self._place(index)
        return self._entries[index]

    def _next_shuffled(self) -> QueueEntry | None:
        if not self._future:
            self._future, self._next_round = self._plan_round(), None
        if not self._future:
            return None
        self._remember_current()
        index = self.index_of(self._future.pop(0))
        assert index is not None  # the future holds keys of the list only
        self._place(index)
        return self._entries[index]

    def _back(self) -> QueueEntry | None:
        index = self.index_of(self._past.pop())
        assert index is not None  # the past holds keys of the list only
        current = self.current
        if self._shuffle and current is not None:
            self._future.insert(0, current.key)
        self._place(index)
        return self._entries[index]

    def _remember_current(self) -> None:
        current = self.current
        if current is not None:
            self._past.append(current.key)
            del self._past[:-_HISTORY_LIMIT]

    def _begin_round(self, *, keep_past: bool = False) -> None:
        """Forget the way so far; with shuffle, draw a new one through all other songs."""
        self._past = self._past if keep_past else []
        self._future, self._next_round = [], None
        if self._shuffle:
            current = self.current
            self._future = self._draw({e.key for e in self._entries if e is not current})

    def _draw(self, keys: set[int]) -> list[int]:
        """The entries with these keys in an order of chance, after the current song."""
        current = self.current
        chosen = [e for e in self._entries if e.key in keys or e is current]
        return [e.key for e in self._order(chosen, current, self._rng)]

    def _plan_round(self) -> list[int]:
        """The round after this one: empty where none follows; drawn once, so `peek` tells true."""
        if self._repeat is not Repeat.ALL:
            return []
        if self._next_round is None:
            current = self.current
            keys = [e.key for e in self._order(self._entries, None, self._rng)]
            if len(keys) > 1 and current is not None and keys[0] == current.key:
                keys.append(keys.pop(0))  # not the same song twice in a row
            self._next_round = keys
        return self._next_round
