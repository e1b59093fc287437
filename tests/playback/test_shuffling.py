"""Shuffle by album and by mood, and going back through what was played."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from itertools import groupby
from pathlib import Path

import pytest

from app.playback.queue import PlayQueue, QueueEntry
from app.playback.shuffling import by_albums, by_moods


def first_letters(entries: Sequence[QueueEntry]) -> list[Hashable]:
    """Group "a" for the songs a1, a2, ...; songs named by a digit stand alone."""
    names = [str(entry.path) for entry in entries]
    return [None if name[0].isdigit() else name[0] for name in names]


def make(names: str, current: int | None = None, seed: int = 0) -> PlayQueue:
    queue = PlayQueue(random.Random(seed))
    queue.replace([(Path(name), None) for name in names.split()], current)
    return queue


def rest(queue: PlayQueue) -> list[str]:
    found = []
    while (entry := queue.next()) is not None:
        found.append(str(entry.path))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_albums_stay_whole_and_the_present_one_ends_first(seed: int) -> None:
    queue = make("a1 a2 a3 b1 b2 1 c1 c2 c3 2", current=1, seed=seed)
    queue.set_shuffle_order(by_albums(first_letters))
    queue.shuffle = True
    played = rest(queue)
    assert played[:2] == ["a3", "a1"]
    runs = [list(run) for _, run in groupby(played[2:], key=lambda name: name[0])]
    assert sorted(runs) == [["1"], ["2"], ["b1", "b2"], ["c1", "c2", "c3"]]


def test_the_order_of_albums_is_one_of_chance() -> None:
    seen = set()
    for seed in range(30):
        queue = make("a1 b1 c1", seed=seed)
        queue.set_shuffle_order(by_albums(first_letters))
        queue.shuffle = True
        seen.add(tuple(rest(queue)))
    assert len(seen) == 6


@pytest.mark.parametrize("seed", range(8))
def test_moods_stay_together_and_their_songs_are_shuffled(seed: int) -> None:
    names = " ".join(f"{mood}{n}" for n in range(9) for mood in "htc")
    queue = make(names, current=1, seed=seed)  # t0
    queue.set_shuffle_order(by_moods(first_letters))
    queue.shuffle = True
    played = rest(queue)
    assert [key for key, _ in groupby(name[0] for name in played)] in (list("thc"), list("tch"))
    assert len(set(played)) == 26
    assert played[:8] != sorted(played[:8])


def test_songs_queued_meanwhile_join_their_album() -> None:
    queue = make("a1 b1", current=0)
    queue.set_shuffle_order(by_albums(first_letters))
    queue.shuffle = True
    queue.append([(Path("a2"), None)])
    assert rest(queue) == ["a2", "b1"]


def test_previous_goes_back_through_what_was_played_also_without_shuffle() -> None:
    queue = make("a b c d e", current=0)
    queue.jump(3)
    queue.next()
    back = [str(entry.path) for _ in range(2) if (entry := queue.previous()) is not None]
    assert back == ["d", "a"]
    assert queue.previous() is None


def test_switching_shuffle_keeps_what_was_played() -> None:
    queue = make("a b c d", current=2)
    queue.next()
    queue.shuffle = True
    assert str(queue.previous().path) == "c"  # type: ignore[union-attr]


def test_a_list_that_is_put_back_keeps_what_plays() -> None:
    queue = make("a b c", current=1)
    before = queue.kept
    queue.remove([0])
    queue.append([(Path("d"), None)])
    queue.put_back(before)
    assert [str(entry.path) for entry in queue] == ["a", "b", "c"]
    assert queue.current_index == 1
    queue.replace([(Path("x"), None)], 0)
    queue.put_back(before)
    assert queue.current is None
    assert str(queue.next().path) == "b"  # type: ignore[union-attr]
