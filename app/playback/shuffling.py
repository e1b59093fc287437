"""How a shuffled round is drawn: song by song, album by album, or mood by mood. No files, no Qt."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.playback.queue import QueueEntry

__all__ = ["GroupsOf", "ShuffleOrder", "by_albums", "by_moods", "shuffled"]

ShuffleOrder = Callable[
    [Sequence["QueueEntry"], "QueueEntry | None", random.Random], "list[QueueEntry]"
]
"""(entries in the order of the list, the one of them that plays, chance) -> the order to play the
others in."""

GroupsOf = Callable[[Sequence["QueueEntry"]], Sequence[Hashable]]
"""The album, or the mood, of each entry; None for an entry that stands alone."""


def shuffled(
    entries: Sequence[QueueEntry], current: QueueEntry | None, rng: random.Random
) -> list[QueueEntry]:
    """Any song may follow any other."""
    others = [entry for entry in entries if entry is not current]
    return rng.sample(others, len(others))


def by_albums(groups_of: GroupsOf) -> ShuffleOrder:
    """Albums in an order of chance, each from its first song to its last.

    The rest of the album that plays comes first: what follows the current song, then what was
    passed over.
    """

    def order(
        entries: Sequence[QueueEntry], current: QueueEntry | None, rng: random.Random
    ) -> list[QueueEntry]:
        found: list[QueueEntry] = []
        for group in _groups(entries, current, groups_of, rng):
            here = group.index(current) if current in group else -1
            found += [*group[here + 1 :], *group[: max(here, 0)]]
        return found

    return order


def by_moods(groups_of: GroupsOf) -> ShuffleOrder:
    """Moods in an order of chance, the songs of each shuffled; the mood that plays comes first."""

    def order(
        entries: Sequence[QueueEntry], current: QueueEntry | None, rng: random.Random
    ) -> list[QueueEntry]:
        groups = _groups(entries, current, groups_of, rng)
        return [entry for group in groups for entry in shuffled(group, current, rng)]

    return order


def _groups(
    entries: Sequence[QueueEntry],
    current: QueueEntry | None,
    groups_of: GroupsOf,
    rng: random.Random,
) -> list[list[QueueEntry]]:
    """The entries by group: that of the current song, then the others in an order of chance."""
    groups: dict[Hashable, list[QueueEntry]] = {}
    first: list[QueueEntry] = []
    for entry, name in zip(entries, groups_of(entries), strict=True):
        known = groups.setdefault(("alone", entry.key) if name is None else ("group", name), [])
        known.append(entry)
        first = known if entry is current else first
    rest = [group for group in groups.values() if group is not first]
    rng.shuffle(rest)
    return [first, *rest]
