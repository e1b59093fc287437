"""The library by albums, artists, genres, moods and folders."""

from __future__ import annotations

import pytest

from library_db.browse import Kind, folders, groups, members, songs_below
from library_db.files import ScanBatch
from library_db.library import Library
from tests.library_db.helpers import rate

SONGS = (
    # path, title, artist, album, album artist, genre, year, cover
    ("/m/Ana/One/1.mp3", "a", "Ana", "One", "", "Rock; Pop", 1999, 1),
    ("/m/Ana/One/2.mp3", "b", "ANA", "One", "", "Rock", 1998, 1),
    ("/m/Bo/One/1.mp3", "c", "Bo", "One", "", "pop", None, 0),
    ("/m/Mix/1.mp3", "d", "Cy", "The Mix", "Various", "Drum & Bass / Jazz", 2001, 1),
    ("/m/Mix/2.mp3", "e", "Ana", "The Mix", "Various", "", 2001, 0),
    ("/m/Other/1.mp3", "f", "Di", "Split", "", "R&B, Soul", None, 0),
    ("/m/Other/2.mp3", "g", "Ed", "Split", "", "R&B, Soul", None, 0),
    ("/m/single.mp3", "h", "", "", "", "", None, 0),
)


@pytest.fixture
def shelf(library: Library) -> Library:
    names = ("title", "artist", "album", "album_artist", "genre", "year", "has_cover")
    batch = ScanBatch(
        added=[
            {"path": path.encode(), **dict(zip(names, rest, strict=True)), "audio_hash": path,
             "size_bytes": 1, "mtime_ns": 1, "added_s": float(n), "scan_error": None}
            for n, (path, *rest) in enumerate(SONGS)
        ]
    )  # fmt: skip
    library.write_scan(batch)
    return library


def titles(library: Library, kind: Kind, *keys: str) -> list[str]:
    return [track.title for track in library.tracks(members(library.index, kind, keys))]


def test_albums_of_one_name_are_told_apart_and_compilations_stay_whole(shelf: Library) -> None:
    found = groups(shelf.index, Kind.ALBUMS)
    assert [(g.name, g.artist, g.songs, g.year) for g in found] == [
        ("The Mix", "Various", 2, 2001),
        ("One", "Ana", 2, 1998),
        ("One", "Bo", 1, None),
        ("Split", "", 2, None),
    ]
    assert titles(shelf, Kind.ALBUMS, found[1].key) == ["a", "b"]
    assert titles(shelf, Kind.ALBUMS, found[0].key, found[2].key) == ["c", "d", "e"]
    assert [len(g.covers) for g in found] == [1, 1, 0, 0]
    assert found[0].added_s == 4.0


def test_artists_are_album_artists_and_spelling_does_not_part_them(shelf: Library) -> None:
    found = groups(shelf.index, Kind.ARTISTS)
    assert [(g.name, g.songs) for g in found] == [
        ("Ana", 2), ("Bo", 1), ("Di", 1), ("Ed", 1), ("Various", 2), ("", 1),
    ]  # fmt: skip
    assert titles(shelf, Kind.ARTISTS, found[4].key) == ["d", "e"]
    assert titles(shelf, Kind.ARTISTS, "") == ["h"]


def test_a_song_of_two_genres_belongs_to_both(shelf: Library) -> None:
    found = {g.name: g for g in groups(shelf.index, Kind.GENRES)}
    assert {name: g.songs for name, g in found.items()} == {
        "Rock": 2, "Pop": 2, "Drum & Bass": 1, "Jazz": 1, "R&B": 2, "Soul": 2, "": 2,
    }  # fmt: skip
    assert titles(shelf, Kind.GENRES, found["Pop"].key) == ["a", "c"]


def test_moods_count_and_hold_their_songs(shelf: Library) -> None:
    rate(shelf, *(int(i) for i in shelf.search("artist:ana")))
    (calm,) = groups(shelf.index, Kind.MOODS)
    assert (calm.name, calm.songs, calm.moods) == ("LAHV", 3, (0, 0, 3, 0))
    assert titles(shelf, Kind.MOODS, "LAHV") == ["a", "b", "e"]
    one = next(g for g in groups(shelf.index, Kind.ALBUMS) if g.artist == "Various")
    assert one.moods == (0, 0, 1, 0)


def test_a_query_narrows_groups_and_their_numbers(shelf: Library) -> None:
    found = groups(shelf.index, Kind.ALBUMS, "artist:ana")
    assert [(g.name, g.songs) for g in found] == [("The Mix", 1), ("One", 2)]
    assert groups(shelf.index, Kind.GENRES, "title:nothing") == []


def test_folders_and_what_lies_below_them(shelf: Library) -> None:
    tree = folders(shelf.index)
    (top,) = tree.tops
    assert (tree.paths[top], tree.songs[top]) == ("/m", 8)
    below = [(tree.paths[n], tree.songs[n]) for n in tree.children[top]]
    assert below == [("/m/Ana", 2), ("/m/Bo", 1), ("/m/Mix", 2), ("/m/Other", 2)]
    (one,) = tree.children[tree.children[top][0]]
    assert (tree.paths[one], tree.parents[one]) == ("/m/Ana/One", tree.children[top][0])
    narrowed = folders(shelf.index, "artist:bo OR artist:cy")
    assert [narrowed.paths[n] for n in narrowed.tops] == ["/m"]
    alone = folders(shelf.index, "artist:bo")
    assert [(alone.paths[n], alone.songs[n]) for n in alone.tops] == [("/m/Bo/One", 1)]
    assert len(songs_below(shelf.index, "/m")) == 8
    assert len(songs_below(shelf.index, "/m/Ana")) == 2
    assert len(songs_below(shelf.index, "/m/An")) == 0
    assert len(songs_below(shelf.index, "/")) == 8


def test_an_empty_library_has_no_groups(library: Library) -> None:
    assert [groups(library.index, kind) for kind in Kind] == [[]] * 4
    assert members(library.index, Kind.ALBUMS, ["x"]).tolist() == []
    assert folders(library.index).tops == []
    assert songs_below(library.index, "/m").tolist() == []
