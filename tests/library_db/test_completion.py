"""What could follow in a query that is being typed."""

from __future__ import annotations

import pytest

from library_db.completion import Suggestion, suggest
from library_db.files import ScanBatch
from library_db.library import Library
from library_db.query import parse

SONGS = (
    ("Nina Simone", "Pastel Blues", "Jazz"),
    ("Nina Simone", "Pastel Blues", "Jazz"),
    ("Nine Inch Nails", "The Fragile", "Industrial"),
    ('The "Quoted" \\ One', "(Live)", "R&B"),
    ("Sigur Rós", "Ágætis byrjun", "Jazz"),
)


@pytest.fixture
def shelf(library: Library) -> Library:
    batch = ScanBatch(
        added=[
            {"path": f"/m/{n}.mp3".encode(), "title": f"T{n}", "artist": artist, "album": album,
             "genre": genre, "audio_hash": str(n), "size_bytes": 1, "mtime_ns": 1, "added_s": 1.0,
             "scan_error": None}
            for n, (artist, album, genre) in enumerate(SONGS)
        ]
    )  # fmt: skip
    library.write_scan(batch)
    return library


def shown(library: Library, text: str) -> list[str]:
    """What is offered at the end of `text`."""
    return [s.shown for s in suggest(library.index, text, len(text))]


def taken(text: str, suggestion: Suggestion) -> str:
    return text[: suggestion.start] + suggestion.insert + text[suggestion.end :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mo", ["mood:", "mood%:"]),
        ("mood:", ["happy", "tense", "calm", "sad", "none"]),
        ("mood:ca", ["calm"]),
        ("mood:calm,s", ["sad"]),
        ("-mood:h", ["happy"]),
        ("is:un", ["unsure", "untagged"]),
        ("artist:ni", ["Nina Simone", "Nine Inch Nails"]),
        ('artist:"nine i', ["Nine Inch Nails"]),
        ("artist:=sigur", ["Sigur Rós"]),
        ("artist:simone", ["Nina Simone"]),
        ("genre:", ["Jazz", "Industrial", "R&B"]),
        ("conf:", [">0.7", "<0.5"]),
        ("valence%", ["valence%:"]),
        ("arousal%:", [">80", "<20", "40..60"]),
        ("mood%:ca", ["calm"]),
        ("year:1", ["1990-1999", "1980s"]),
        ("nina", ["Nina Simone"]),
        ("past", ["Pastel Blues"]),
        ("(mood:happy OR art", ["artist:"]),
        ("cal", ["mood:calm"]),
        ("", []),
        ("nina ", []),
        ("nofield:x", []),
        ("title:x", []),
        ("missing:n", ["no"]),
    ],
)
def test_what_is_offered(shelf: Library, text: str, expected: list[str]) -> None:
    assert shown(shelf, text) == expected


def test_commonest_first_with_numbers(shelf: Library) -> None:
    first, second = suggest(shelf.index, "artist:ni", 9)
    assert (first.songs, first.kind) == (2, "artist")
    assert second.songs == 1


@pytest.mark.parametrize(
    "word", ["nina", "quot", "sigur", "ágæ", "live", "r&b", "artist:the", "cal"]
)
def test_whatever_is_taken_is_a_query_that_finds_its_songs(shelf: Library, word: str) -> None:
    for suggestion in suggest(shelf.index, word, len(word)):
        text = taken(word, suggestion)
        if not text.endswith(":"):
            parse(text)
            if suggestion.songs is not None:
                assert len(shelf.search(text)) == suggestion.songs


def test_the_term_at_the_cursor_is_gone_on_with_and_the_rest_stays(shelf: Library) -> None:
    text = "mood:ca year:1990-1999 blues"
    (suggestion,) = suggest(shelf.index, text, 7)
    assert taken(text, suggestion) == "mood:calm year:1990-1999 blues"
    assert suggest(shelf.index, text, 2) == []


def test_what_is_typed_in_full_is_not_offered(shelf: Library) -> None:
    assert shown(shelf, "mood:calm") == []
