"""The index: order, and that step-by-step changes end where a fresh start does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.emotion import MoodPoint, Quadrant
from library_db.columns import dense_ranks
from library_db.files import ScanBatch
from library_db.index import SORTS
from library_db.library import EstimateRow, Library
from library_db.text import fold, sort_key
from tests.library_db.helpers import estimate


def _add(library: Library, *rows: dict[str, Any]) -> list[int]:
    batch = ScanBatch(
        added=[
            {"path": f"/m/{i:03d}-{len(library.index)}.mp3".encode(), "title": f"t{i}",
             "size_bytes": 1, "scan_error": None, "added_s": 1.0, **row}
            for i, row in enumerate(rows)
        ]
    )  # fmt: skip
    return list(library.write_scan(batch).added)


def _titles(library: Library, **how: Any) -> list[str]:
    return [track.title for track in library.tracks(library.search("", **how))]


def test_artists_sort_without_articles_case_and_accents(library: Library) -> None:
    names = ["The Zombies", "abba", "Élan", "Zebra", "A-ha", "", "The The", "Édith", "björk", "!!!"]
    _add(library, *({"title": name or "nobody", "artist": name or None} for name in names))
    assert _titles(library) == [
        "!!!", "A-ha", "abba", "björk", "Édith", "Élan", "The The", "Zebra", "The Zombies",
        "nobody",
    ]  # fmt: skip


def test_albums_keep_discs_and_tracks_in_order(library: Library) -> None:
    _add(
        library,
        {"title": "2-1", "artist": "Various B", "album": "Hits", "disc_no": 2, "track_no": 1},
        {"title": "1-10", "artist": "Various C", "album": "Hits", "disc_no": 1, "track_no": 10},
        {"title": "1-2", "artist": "Various D", "album": "hits", "disc_no": 1, "track_no": 2},
        {"title": "other", "artist": "Various A", "album": "Also", "track_no": 5},
    )
    assert _titles(library, sort="album") == ["other", "1-2", "1-10", "2-1"]
    assert _titles(library, sort="album", descending=True) == ["1-2", "1-10", "2-1", "other"]


@pytest.mark.parametrize("descending", [False, True])
def test_unknown_values_come_last_in_both_directions(library: Library, descending: bool) -> None:
    ids = _add(
        library,
        {"title": "unknown"},
        {"title": "low", "year": 1970, "duration_s": 10.0, "genre": "a", "artist": "a"},
        {"title": "high", "year": 2020, "duration_s": 99.0, "genre": "b", "artist": "b"},
    )
    library.set_estimates(
        [
            EstimateRow(ids[1], "common", estimate(0.4, 0.1, 0.1, 0.4)),
            EstimateRow(ids[2], "common", estimate(0.0, 0.0, 0.9, 0.1)),
        ]
    )
    for sort in ("year", "duration", "genre", "artist", "valence", "confidence", "mood"):
        expected = ["high", "low", "unknown"] if descending else ["low", "high", "unknown"]
        assert _titles(library, sort=sort, descending=descending) == expected, sort


def test_equal_values_stay_in_the_order_of_artists(library: Library) -> None:
    _add(library, *({"title": n, "artist": n, "year": 2000} for n in ("c", "a", "b")))
    assert _titles(library, sort="year") == ["a", "b", "c"]
    assert _titles(library, sort="year", descending=True) == ["a", "b", "c"]


def test_an_unknown_sort_names_the_known_ones(library: Library) -> None:
    with pytest.raises(ValueError, match="artist"):
        library.search("", sort="colour")


def _state(library: Library) -> dict[str, Any]:
    state: dict[str, Any] = {
        f"{sort} {descending}": library.search("", sort=sort, descending=descending).tolist()
        for sort in SORTS
        for descending in (False, True)
    }
    moods = library.index.columns()
    state["moods"] = [
        np.nan_to_num(getattr(moods, name), nan=-9).tolist()
        for name in ("ids", "quadrant", "valence", "arousal", "confidence")
    ]
    for query in ("love", "artist:love", "path:m/0", "is:missing", "is:corrected", "title:t"):
        state[query] = sorted(library.search(query).tolist())
    return state


@pytest.mark.parametrize("seed", range(5))
def test_changes_step_by_step_end_where_a_fresh_start_does(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    words = ["love", "The", "Öl", "zoo", "", "b", "B", "á"]

    def row() -> dict[str, Any]:
        return {
            "path": f"/m/{rng.randrange(3)}/{rng.getrandbits(60)}.mp3".encode(),
            "artist": rng.choice(words) or None,
            "album": rng.choice(words) or None,
            "title": " ".join(rng.choices(words, k=2)) + "t",
            "year": rng.choice([None, 1980, 1990]),
            "track_no": rng.choice([None, 1, 2]),
        }

    with Library.open(tmp_path / "library") as library:
        ids = _add(library, *(row() for _ in range(20)))
        for _ in range(25):
            action = rng.randrange(6)
            chosen = rng.sample(ids, 3)
            if action == 0:
                ids += _add(library, *(row() for _ in range(rng.randrange(1, 4))))
            elif action == 1:
                updates: list[Any] = [(i, row()) for i in chosen]
                library.write_scan(ScanBatch(updated=updates))
            elif action == 2:
                weights = [rng.random() for _ in range(4)]
                library.set_estimates(
                    [EstimateRow(i, "common", estimate(*weights)) for i in chosen]
                )
            elif action == 3:
                library.correct(chosen[0], rng.choice([None, Quadrant.HALV, MoodPoint(0.1, -0.2)]))
            elif action == 4:
                library.forget(chosen)
            else:
                library.restore(rng.sample(ids, 5))
            library.search("", sort=rng.choice(SORTS))
        stepwise = _state(library)
    with Library.open(tmp_path / "library") as library:
        assert _state(library) == stepwise


def test_a_held_array_is_not_changed_by_later_writes(library: Library) -> None:
    ids = _add(library, {}, {}, {})
    before = library.index.columns()
    library.correct(ids[0], Quadrant.HAHV)
    library.forget([ids[1]])
    _add(library, {}, {})
    assert before.ids.tolist() == ids
    assert before.quadrant.tolist() == [-1, -1, -1]
    after = library.index.columns()
    assert {len(getattr(after, name)) for name in after.__dataclass_fields__} == {4}


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Sigur Rós", "sigur ros"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("Ænima", "aenima"),
     ("ﬁne", "fine"), ("Łódź", "lodz"), ("Don’t", "don't"), ("ガ", fold("ガ")), ("日本", "日本"),
     ("Ёлка", "елка"), ("İstanbul", "istanbul")],
)  # fmt: skip
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(fold(text)) == fold(text)


def test_sort_keys() -> None:
    assert sort_key("the beatles") == "beatles"
    assert sort_key("the") == "the"
    assert sort_key("'weird al'") == "weird al'"
    assert sort_key("!!!") == "!!!"
    assert sort_key("a-ha") == "a-ha"


@pytest.mark.parametrize("more", [1, 3, 60])
def test_ranks_with_a_few_more_keys_are_those_of_a_fresh_start(more: int) -> None:
    rng = random.Random(more)

    def word() -> str:
        return "".join(rng.choice("abé ") for _ in range(rng.randint(0, 3)))

    keys = [word() for _ in range(400)]
    order, _ = dense_ranks(keys)
    keys += [word() for _ in range(more)]
    after, ranks = dense_ranks(keys, order, settled=True)
    assert sorted(after) == list(range(len(keys)))
    assert ranks.tolist() == dense_ranks(keys)[1].tolist()
    by_rank = sorted(zip(ranks.tolist(), keys, strict=True))
    assert [key for _, key in by_rank] == sorted(keys, key=lambda key: (not key, key))
