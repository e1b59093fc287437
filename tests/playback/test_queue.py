"""The play queue: fixed examples, and properties over long random walks."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path

import pytest

from app.playback.queue import PlayQueue, Repeat, Song


def songs(*names: str) -> list[Song]:
    return [(Path(name), None) for name in names]


def make(names: str, current: int | None = None, seed: int = 0) -> PlayQueue:
    queue = PlayQueue(random.Random(seed))
    queue.replace(songs(*names), current)
    return queue


def listed(queue: PlayQueue) -> str:
    return "".join(str(entry.path) for entry in queue)


def played(entry: object) -> str | None:
    return None if entry is None else str(entry.path)  # type: ignore[attr-defined]


class TestInListOrder:
    def test_a_new_queue_begins_before_its_first_song(self) -> None:
        queue = make("abc")
        assert queue.current is None
        assert played(queue.peek()) == "a"
        assert [played(queue.next()) for _ in range(3)] == ["a", "b", "c"]

    def test_nothing_follows_the_last_song_and_the_place_stays(self) -> None:
        queue = make("ab", current=1)
        assert queue.peek() is None
        assert queue.advance() is None
        assert played(queue.current) == "b"

    def test_repeat_all_wraps_both_ways(self) -> None:
        queue = make("abc", current=2)
        queue.repeat = Repeat.ALL
        assert played(queue.advance()) == "a"
        assert played(queue.previous()) == "c"

    def test_repeat_one_holds_at_the_end_of_a_song_but_not_against_the_listener(self) -> None:
        queue = make("ab", current=0)
        queue.repeat = Repeat.ONE
        assert played(queue.peek()) == "a"
        assert played(queue.advance()) == "a"
        assert played(queue.next()) == "b"

    def test_previous_at_the_beginning_changes_nothing(self) -> None:
        queue = make("ab", current=0)
        assert queue.previous() is None
        assert played(queue.current) == "a"

    def test_an_empty_queue_has_nothing(self) -> None:
        queue = PlayQueue()
        queue.repeat = Repeat.ALL
        for shuffle in (False, True):
            queue.shuffle = shuffle
            assert queue.current is None
            assert (queue.next(), queue.advance(), queue.previous(), queue.peek()) == (None,) * 4

    def test_jump_outside_the_list_is_refused(self) -> None:
        with pytest.raises(IndexError):
            make("ab").jump(2)

    def test_rewind_goes_before_the_first_song(self) -> None:
        queue = make("abc", current=2)
        queue.rewind()
        assert played(queue.next()) == "a"


class TestChangingTheList:
    def test_insert_next_goes_behind_the_current_song_in_order(self) -> None:
        queue = make("abc", current=0)
        queue.insert_next(songs("x", "y"))
        assert listed(queue) == "axybc"
        assert [played(queue.next()) for _ in range(3)] == ["x", "y", "b"]

    def test_insert_before_the_current_song_keeps_it_current(self) -> None:
        queue = make("abc", current=1)
        queue.insert(1, songs("x"))
        assert listed(queue) == "axbc"
        assert played(queue.current) == "b"

    def test_the_same_song_may_be_queued_twice(self) -> None:
        queue = make("aa", current=0)
        queue.append(songs("a"))
        assert listed(queue) == "aaa"
        assert len({entry.key for entry in queue}) == 3

    def test_removing_the_current_song_leaves_its_place_between_the_neighbours(self) -> None:
        queue = make("abcd", current=1)
        assert [played(entry) for entry in queue.remove([1])] == ["b"]
        assert queue.current is None
        assert played(queue.next()) == "c"
        queue = make("abcd", current=1)
        queue.remove([1])
        assert played(queue.previous()) == "a"

    def test_removing_songs_before_the_current_one_keeps_it(self) -> None:
        queue = make("abcd", current=2)
        queue.remove([0, 1, 99])
        assert listed(queue) == "cd"
        assert queue.current_index == 0

    def test_move_takes_a_selection_along_and_the_current_place_follows(self) -> None:
        queue = make("abcdef", current=2)
        queue.move([1, 2, 5], before=0)
        assert listed(queue) == "bcfade"
        assert played(queue.current) == "c"
        queue.move([0, 1], before=6)
        assert listed(queue) == "fadebc"
        assert played(queue.current) == "c"

    def test_clear_keeps_the_modes(self) -> None:
        queue = make("abc", current=1)
        queue.shuffle, queue.repeat = True, Repeat.ALL
        queue.clear()
        assert len(queue) == 0
        assert queue.current is None
        assert (queue.shuffle, queue.repeat) == (True, Repeat.ALL)


class TestShuffle:
    @pytest.mark.parametrize("seed", range(20))
    def test_a_round_plays_each_song_once_and_then_ends(self, seed: int) -> None:
        queue = make("abcdefgh", current=3, seed=seed)
        queue.shuffle = True
        order = ["d"]
        while (entry := queue.advance()) is not None:
            order.append(str(entry.path))
        assert sorted(order) == list("abcdefgh")

    @pytest.mark.parametrize("seed", range(20))
    def test_repeat_all_draws_complete_rounds_and_no_song_twice_in_a_row(self, seed: int) -> None:
        queue = make("abcd", seed=seed)
        queue.shuffle, queue.repeat = True, Repeat.ALL
        order = [played(queue.advance()) for _ in range(20)]
        for start in range(0, 20, 4):
            assert sorted(map(str, order[start : start + 4])) == list("abcd")
        assert all(a != b for a, b in itertools.pairwise(order))

    def test_it_does_shuffle(self) -> None:
        orders = set()
        for seed in range(10):
            queue = make("abcdef", seed=seed)
            queue.shuffle = True
            orders.add("".join(str(played(queue.next())) for _ in range(6)))
        assert len(orders) > 5

    def test_switching_off_goes_on_in_the_order_of_the_list(self) -> None:
        queue = make("abcdef", current=0)
        queue.shuffle = True
        queue.next()
        index = queue.current_index
        assert index is not None
        queue.shuffle = False
        assert listed(queue) == "abcdef"
        assert queue.current_index == index
        after = queue.next()
        assert queue.current_index == index + 1 if index < 5 else after is None

    def test_back_and_forth_follow_the_same_way(self) -> None:
        queue = make("abcdefgh")
        queue.shuffle = True
        way = [played(queue.next()) for _ in range(5)]
        back = [played(queue.previous()) for _ in range(4)]
        assert back == way[3::-1]
        assert queue.previous() is None
        assert [played(queue.next()) for _ in range(4)] == way[1:]

    def test_insert_next_is_played_next(self) -> None:
        queue = make("abcdef", current=0)
        queue.shuffle = True
        queue.insert_next(songs("x", "y"))
        assert [played(queue.next()) for _ in range(2)] == ["x", "y"]

    def test_songs_added_later_are_played_in_this_round(self) -> None:
        queue = make("abc", current=0)
        queue.shuffle = True
        queue.append(songs("x", "y"))
        rest = [played(queue.next()) for _ in range(4)]
        assert sorted(map(str, rest)) == list("bcxy")
        assert queue.next() is None

    def test_a_jump_takes_the_song_out_of_the_rest_of_the_round(self) -> None:
        queue = make("abcdef", current=0)
        queue.shuffle = True
        queue.jump(4)
        rest = [played(queue.next()) for _ in range(4)]
        assert sorted(map(str, rest)) == list("bcdf")


OPERATIONS = 400
COMMON = [
    "append",
    "insert",
    "insert_next",
    "remove",
    "move",
    "next",
    "advance",
    "previous",
    "jump",
]
RARE = ["shuffle", "repeat", "rewind", "peek", "clear"]


@pytest.mark.parametrize("seed", range(25))
def test_any_walk_keeps_the_queue_in_order(seed: int) -> None:
    """Against a plain list as model: contents, current song, peek and modes always agree."""
    rng = random.Random(seed)
    queue = PlayQueue(random.Random(seed + 1000))
    model: list[int] = []
    for _ in range(OPERATIONS):
        current = queue.current
        before = queue.peek()
        operation = rng.choice(COMMON + RARE if rng.random() < 0.2 else COMMON)
        size = rng.randint(0, 4)
        fresh = songs(*(str(rng.randint(0, 9)) for _ in range(size)))
        places = [rng.randint(-1, len(model)) for _ in range(size)]
        if operation == "append":
            model += [entry.key for entry in queue.append(fresh)]
        elif operation == "insert":
            at = rng.randint(0, len(model))
            model[at:at] = [entry.key for entry in queue.insert(at, fresh)]
        elif operation == "insert_next":
            new = [entry.key for entry in queue.insert_next(fresh)]
            if new:
                at = next(i for i, entry in enumerate(queue) if entry.key == new[0])
                model[at:at] = new
                if current is not None:
                    assert model[at - 1] == current.key
                if not (queue.repeat is Repeat.ONE and current is not None):
                    following = queue.peek()
                    assert following is not None
                    assert following.key == new[0]
        elif operation == "remove":
            removed = {entry.key for entry in queue.remove(places)}
            model = [key for key in model if key not in removed]
            assert len(removed) == len({p for p in places if 0 <= p < len(model) + len(removed)})
        elif operation == "move" and model:
            at = rng.randint(0, len(model))
            chosen = sorted({p for p in places if 0 <= p < len(model)})
            rest = [key for i, key in enumerate(model[:at]) if i not in chosen]
            tail = [key for i, key in enumerate(model) if i >= at and i not in chosen]
            model = [*rest, *(model[i] for i in chosen), *tail]
            queue.move(places, at)
        elif operation == "advance":
            assert queue.advance() == before
        elif operation in ("next", "previous", "rewind", "clear"):
            getattr(queue, operation)()
            model = [] if operation == "clear" else model
        elif operation == "jump" and model:
            at = rng.randrange(len(model))
            assert queue.jump(at).key == model[at]
        elif operation == "shuffle":
            queue.shuffle = not queue.shuffle
        elif operation == "repeat":
            queue.repeat = rng.choice(list(Repeat))

        assert [entry.key for entry in queue] == model
        assert len(set(model)) == len(model)
        now = queue.current
        if operation in ("append", "insert", "insert_next", "move", "shuffle", "repeat"):
            assert now == current
        if operation == "remove" and current is not None:
            assert now == (current if current.key in model else None)
        if now is not None:
            assert queue[queue.current_index or 0] == now
        assert queue.peek() == queue.peek()
        assert all(entry.key in model for entry in queue.history)


@pytest.mark.parametrize("seed", range(10))
def test_no_repeat_within_a_round_whatever_is_added_and_removed(seed: int) -> None:
    rng = random.Random(seed)
    queue = make("abcdefgh", seed=seed)
    queue.shuffle = True
    seen: Counter[int] = Counter()
    while (entry := queue.next()) is not None:
        seen[entry.key] += 1
        if sum(seen.values()) < 20:
            queue.append(songs("n"))
            queue.remove([rng.randrange(len(queue))])
    assert max(seen.values()) == 1
    assert {entry.key for entry in queue} <= set(seen)


def test_fifty_thousand_songs_are_no_burden() -> None:
    queue = PlayQueue(random.Random(1))
    queue.append((Path(str(i)), i) for i in range(50_000))
    queue.shuffle = True
    for _ in range(20):
        assert queue.next() is not None
    assert len(queue.remove(range(0, 50_000, 2))) == 25_000
    assert len(queue) == 25_000
