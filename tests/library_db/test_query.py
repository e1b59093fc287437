"""The search language: what it means, and where it points when it does not understand."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from inference.emotion import Quadrant
from library_db.emotion_layers import TrackEmotion
from library_db.files import ScanBatch
from library_db.library import Library
from library_db.query import (
    AllOf,
    AnyOf,
    Contains,
    Flag,
    MoodIs,
    Not,
    QueryError,
    Within,
    parse,
    quoted,
)
from library_db.text import fold
from library_db.track import Track
from tests.library_db.helpers import estimate


def _in(field: str, low: float = -math.inf, high: float = math.inf, **ends: bool) -> Within:
    return Within(field, low, high, **ends)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", AllOf()),
        ("   ", AllOf()),
        ("Björk", Contains("", "bjork")),
        ('"the ocean"', Contains("", "the ocean")),
        ("miles davis", AllOf((Contains("", "miles"), Contains("", "davis")))),
        ("artist:Miles", Contains("artist", "miles")),
        ('ARTIST:"Miles Davis"', Contains("artist", "miles davis")),
        ('artist:="Air"', Contains("artist", "air", exact=True)),
        ('album:=""', Contains("album", "", exact=True)),
        ('title:"say \\"hi\\" \\\\o"', Contains("title", 'say "hi" \\o')),
        ("mood:calm", MoodIs(frozenset({Quadrant.LAHV}))),
        ("mood:Happy,lalv", MoodIs(frozenset({Quadrant.HAHV, Quadrant.LALV}))),
        ("mood:none", MoodIs(frozenset({None}))),
        ("is:unsure", Flag("unsure")),
        ("missing:no", Not(Flag("missing"))),
        ("valence:>0.3", _in("valence", 0.3, low_open=True)),
        ("valence:<=-0.5", _in("valence", high=-0.5)),
        ("valence:-0.5..0.25", _in("valence", -0.5, 0.25)),
        ("valence:-0.5--0.25", _in("valence", -0.5, -0.25)),
        ("valence%:>80", _in("valence%", 80, low_open=True)),
        ("arousal%:<20%", _in("arousal%", high=20, high_open=True)),
        ("arousal%:40..60", _in("arousal%", 40, 60)),
        ("valence%:80", _in("valence%", 79.5, 80.5, high_open=True)),
        ("mood%:calm", MoodIs(frozenset({Quadrant.LAHV}), relative=True)),
        ("arousal:..0", _in("arousal", high=0.0)),
        ("conf:<50%", _in("confidence", high=0.5, high_open=True)),
        ("year:1990-1999", _in("year", 1990, 1999)),
        ("year:1990s", _in("year", 1990, 1999)),
        ("year:1999..1990", _in("year", 1990, 1999)),
        ("year:1995", _in("year", 1995, 1995)),
        ("year:2000-", _in("year", 2000)),
        ("duration:>3:30", _in("duration_s", 210, low_open=True)),
        ("duration:1:00..1:02:03", _in("duration_s", 60, 3723)),
        ("-rain", Not(Contains("", "rain"))),
        ("--rain", Contains("", "rain")),
        ("a OR b", AnyOf((Contains("", "a"), Contains("", "b")))),
        ("a b OR c", AnyOf((AllOf((Contains("", "a"), Contains("", "b"))), Contains("", "c")))),
        ("-(a OR b)", Not(AnyOf((Contains("", "a"), Contains("", "b"))))),
        ("(a OR b) c", AllOf((AnyOf((Contains("", "a"), Contains("", "b"))), Contains("", "c")))),
        ("(mood:calm)", MoodIs(frozenset({Quadrant.LAHV}))),
        # While it is being typed, or pasted:
        ('artist:"miles da', Contains("artist", "miles da")),
        ("a OR", Contains("", "a")),
        ("(a", Contains("", "a")),
        ("Artist - Title", AllOf((Contains("", "artist"), Contains("", "title")))),
        ("12:51", Contains("", "12:51")),
        (":)", Contains("", ":)")),
        ("ORDER", Contains("", "order")),
        ('rock"n"roll', Contains("", 'rock"n"roll')),
        ("()", AllOf()),
    ],
)
def test_what_a_query_means(text: str, node: object) -> None:
    assert parse(text).root == node


def test_a_rounded_number_means_what_is_shown_as_it() -> None:
    node = parse("valence:0.3").root
    assert isinstance(node, Within)
    assert (node.low, node.high) == (pytest.approx(0.25), pytest.approx(0.35))


@pytest.mark.parametrize(
    ("text", "pointed_at", "words"),
    [
        ("love mod:calm", "mod:", "mood"),
        ("mood:angry x", "angry", "happy, tense, calm and sad"),
        ("year:soon", "soon", "year:1990-1999"),
        ("valence:>", ">", "not a number"),
        ("valence:1-2-3", "1-2-3", "not a number"),
        ("valence:nan", "nan", "not a number"),
        ("conf:1e999", "1e999", "not a number"),
        ("a artist: b", "artist:", "value"),
        ("valence%:much", "much", "valence%:>80"),
        ("mood%:angry", "angry", "happy, tense, calm and sad"),
        ("valens%:>80", "valens%:", "valence%:"),
        ("is:unsur", "unsur", "is:unsure"),
        ("missing:perhaps", "perhaps", "-is:missing"),
        ("Re: Stacks", "Re:", '"Re:"'),
    ],
)
def test_a_mistake_is_pointed_at_with_help(text: str, pointed_at: str, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert text[error.start : error.end].strip("> ") in (pointed_at.strip("> "), pointed_at)
    assert words in f"{error.message} {error.remedy}"
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.start, copy.end, str(copy)) == (error.start, error.end, str(error))


_PIECES = [
    "love", "ö", "OR", "-", "(", ")", '"', "\\", " ", "  ", ":", "mood:", "calm", "artist:", "=",
    "is:", "missing", "year:", "1990", "..", "valence:", ">", "<=", "0.3", "-0.5", "\u0301", "\x00",
    "\ud800", "duration:", "3:30", "%", "%:", ",", "日本", "1990s", "conf:", "x:", "\u2028",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_random_text_is_understood_or_refused_with_a_place_in_it(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(500):
        text = "".join(rng.choice(_PIECES) for _ in range(rng.randrange(12)))
        error = _refusal(text)
        if error is not None:
            assert 0 <= error.start < error.end <= len(text)
            assert error.message
            assert error.remedy


def _refusal(text: str) -> QueryError | None:
    try:
        parse(text)
    except QueryError as error:
        return error
    return None


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    with pytest.raises(QueryError, match="parentheses"):
        parse("(" * 5000)
    parse("-" * 5000 + "a")
    parse("a " * 5000)


def test_a_quoted_value_stands_for_itself() -> None:
    rng = random.Random(1)
    for _ in range(500):
        text = "".join(rng.choice('ab "\\()-:OR') for _ in range(rng.randrange(1, 10)))
        assert parse(f"artist:={quoted(text)}").root == Contains("artist", fold(text), exact=True)


# Evaluation on the columns against the plain meaning of each node on tracks and emotions.

Song = tuple[Track, TrackEmotion]
Ranks = dict[int, dict[str, float]]


def _text_of(song: Song, field: str) -> str:
    track = song[0]
    if field == "path":
        return fold(str(track.path))
    return fold(getattr(track, field))


def _holds(node: Any, song: Song, ranks: Ranks) -> bool:
    track, emotion = song
    if isinstance(node, AllOf):
        return all(_holds(part, song, ranks) for part in node.parts)
    if isinstance(node, AnyOf):
        return any(_holds(part, song, ranks) for part in node.parts)
    if isinstance(node, Not):
        return not _holds(node.part, song, ranks)
    if isinstance(node, MoodIs) and node.relative:
        rank = ranks.get(track.id)
        if rank is None:
            return None in node.quadrants
        return any(
            quadrant is not None
            and quadrant.high_valence == (rank["valence"] >= 50)
            and quadrant.high_arousal == (rank["arousal"] >= 50)
            for quadrant in node.quadrants
        )
    if isinstance(node, MoodIs):
        return emotion.quadrant in node.quadrants
    if isinstance(node, Contains):
        if node.field:
            text = _text_of(song, node.field)
            return text == node.text if node.exact else node.text in text
        return any(
            node.text in _text_of(song, field)
            for field in ("title", "artist", "album", "album_artist")
        )
    if isinstance(node, Within):
        value: float | None
        if node.field in ("valence", "arousal"):
            value = getattr(emotion.mood, node.field) if emotion.mood else None
        elif node.field.endswith("%"):
            value = ranks.get(track.id, {}).get(node.field.removesuffix("%"))
        elif node.field == "confidence":
            value = emotion.confidence
        else:
            value = getattr(track, node.field)
        if value is None:
            return False
        above = value > node.low if node.low_open else value >= node.low
        return above and (value < node.high if node.high_open else value <= node.high)
    assert isinstance(node, Flag)
    flags: dict[str, Callable[[], bool]] = {
        "missing": lambda: track.missing,
        "failed": lambda: track.error is not None,
        "unsure": lambda: emotion.confidence is not None and emotion.confidence < 0.5,
        "corrected": lambda: emotion.source == "user",
        "personal": lambda: emotion.source == "personal",
        "tagged": lambda: emotion.quadrant is not None,
        "untagged": lambda: emotion.quadrant is None,
        "stale": lambda: False,
        "cover": lambda: track.has_cover,
    }
    return flags[node.name]()


def _percentiles(songs: Sequence[Song]) -> Ranks:
    """By track and axis the share of songs below it, counted one by one."""
    moods = {track.id: emotion.mood for track, emotion in songs if emotion.mood is not None}
    found: Ranks = {}
    for track_id, mood in moods.items():
        for axis in ("valence", "arousal"):
            here = getattr(mood, axis)
            values = [getattr(other, axis) for other in moods.values()]
            below = sum(value < here for value in values) + values.count(here) / 2
            found.setdefault(track_id, {})[axis] = 100 * below / len(values)
    return found


@pytest.fixture
def mixed(tmp_path: Path) -> Any:
    """A library of 150 random tracks, some rated, some corrected, some missing."""
    from library_db.library import EstimateRow

    rng = random.Random(3)
    words = ["love", "Straße", "Björk", "the", "ocean", "OCÉAN", "", "a/b"]

    def text() -> str:
        return " ".join(rng.choice(words) for _ in range(rng.randrange(4))).strip()

    batch = ScanBatch()
    for i in range(150):
        folder, name = rng.choice(words).replace("/", "") or "x", text().replace("/", "-")
        batch.added.append(
            {"path": f"/m/{folder}/{name} {i}.mp3".encode(),
             "title": text() or f"t{i}", "artist": text() or None, "album": text() or None,
             "album_artist": text() or None, "genre": text() or None, "format": "MP3",
             "year": rng.choice([None, 1989, 1990, 1995, 2000]), "duration_s": rng.uniform(1, 500),
             "track_no": rng.choice([None, 1, 2]), "has_cover": rng.randrange(2), "size_bytes": 1,
             "scan_error": rng.choice([None, None, "bad"]), "added_s": float(i),
             "missing": rng.choice([None, 1])}
        )  # fmt: skip
    with Library.open(tmp_path / "library") as library:
        ids = library.write_scan(batch).added
        rows = [
            EstimateRow(i, layer, estimate(*(rng.random() for _ in range(4))))
            for layer in ("common", "personal")
            for i in ids
            if rng.random() < 0.5
        ]
        library.set_estimates(rows)
        library.correct_many({i: rng.choice(list(Quadrant)) for i in ids if rng.random() < 0.2})
        songs = list(zip(library.tracks(ids), library.emotions(ids), strict=True))
        yield library, songs


_TERMS = [
    "love", "strasse", "bjork", "o", '"the ocean"', "artist:the", 'album:="ocean"', "genre:love",
    "path:/m/love", "path:love/", "path:m/the/love", "path:.mp3", "folder:ocean", 'path:="/m/love"',
    "mood:calm", "mood:none", "mood:happy,sad", "is:missing", "is:failed", "is:unsure", "is:tagged",
    "is:corrected", "is:personal", "is:untagged", "is:cover", "year:1990-1999", "year:>1990",
    "valence:>0.1", "valence%:>80", "arousal%:20..70", "mood%:sad,none",
    "arousal:-0.2..0.2", "conf:<0.4", "conf:>=0.6", "duration:<4:10", "track:2",
    "format:mp3", "albumartist:ocean",
]  # fmt: skip


def test_random_queries_find_exactly_the_tracks_that_they_mean(mixed: Any) -> None:
    library, songs = mixed
    ranks = _percentiles(songs)
    rng = random.Random(5)

    def text(depth: int = 0) -> str:
        if depth > 2 or rng.random() < 0.5:
            return rng.choice(["", "", "-"]) + rng.choice(_TERMS)
        inner = rng.choice([" ", " OR "]).join(text(depth + 1) for _ in range(rng.randrange(1, 4)))
        return f"{rng.choice(['', '-'])}({inner})"

    for query in [*_TERMS, *(text() for _ in range(400))]:
        expected = sorted(song[0].id for song in songs if _holds(parse(query).root, song, ranks))
        assert sorted(library.search(query).tolist()) == expected, query
        assert sum(library.counts(query).values()) == len(expected)


def test_counts_and_attention_agree_with_searches(mixed: Any) -> None:
    library, _ = mixed
    counts = library.counts("love")
    for quadrant in Quadrant:
        assert counts[quadrant] == len(library.search(f"love mood:{quadrant.value}"))
    assert counts[None] == len(library.search("love is:untagged"))
    for name, count in library.attention_counts("love").items():
        assert count == len(library.search(f"love is:{name}"))
