"""Playlists: kept by the ids of tracks, edited as plain data, undone by putting back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from library_db.library import Library
from library_db.playlists import OutsideFile, Playlist, Rule
from library_db.relocating import match_moved
from tests.library_db.helpers import make_tracks, scanned, song

EDITED = Playlist("p", (10, 11, 12, 13, 14))


def test_a_playlist_comes_back_as_it_was(library: Library) -> None:
    lost = OutsideFile(Path("/gone/caf\udce9.mp3"), "Café", 61.5)
    rule = Rule("mood:calm", ((0.0, 0.0), (1.0, 0.0), (1.0, -1.0)), "arousal", True)
    songs = library.playlists.put(Playlist("Road", (3, lost, 3)))
    smart = library.playlists.put(Playlist("Calm ones", rule=rule))
    assert library.playlists.get(songs).entries == (3, lost, 3)
    assert library.playlists.get(smart).rule == rule
    infos = library.playlists.infos()
    assert [(i.id, i.name, i.smart, i.songs) for i in infos] == [
        (songs, "Road", False, 3),
        (smart, "Calm ones", True, 0),
    ]


def test_playlists_survive_closing_and_their_songs_moving(tmp_path: Path, music: Path) -> None:
    song(music / "a" / "1.mp3")
    song(music / "a" / "2.mp3")
    with Library.open(tmp_path / "library") as library:
        scanned(library, music)
        ids = [int(i) for i in library.search("")]
        number = library.playlists.put(Playlist("Road", tuple(ids)))
    shutil.move(music / "a", music / "b")
    with Library.open(tmp_path / "library") as library:
        scanned(library, music)
        entries = library.playlists.get(number).entries
        paths = [track.path.parent.name for track in library.tracks(entries)]
        assert entries == tuple(ids)
        assert paths == ["b", "b"]


def test_a_file_from_outside_becomes_its_track_once_it_is_known(
    library: Library, music: Path
) -> None:
    path = song(music / "1.mp3")
    lost = OutsideFile(music / "2.mp3")
    playlist = Playlist("Road", (OutsideFile(path), lost))
    assert library.playlists.resolved(playlist) == playlist
    scanned(library, music)
    (track_id,) = library.search("")
    assert library.playlists.resolved(playlist).entries == (track_id, lost)


def test_an_old_library_gets_the_table(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        library.store.db.drop_table("playlists")
    with Library.open(tmp_path / "library") as library:
        assert library.playlists.infos() == []
        assert library.playlists.put(Playlist("New")) > 0


@pytest.mark.parametrize(
    ("places", "before", "expected"),
    [
        ([1], 0, (11, 10, 12, 13, 14)),
        ([0], 5, (11, 12, 13, 14, 10)),
        ([0, 3], 2, (11, 10, 13, 12, 14)),
        ([3, 1], 5, (10, 12, 14, 11, 13)),
        ([2], 2, (10, 11, 12, 13, 14)),
        ([2], 3, (10, 11, 12, 13, 14)),
        ([99], 0, (10, 11, 12, 13, 14)),
    ],
)
def test_moving_keeps_the_order_of_what_is_moved(
    places: list[int], before: int, expected: tuple[int, ...]
) -> None:
    assert EDITED.moved(places, before).entries == expected


def test_adding_and_taking_out() -> None:
    assert EDITED.with_entries([1, 2]).entries == (10, 11, 12, 13, 14, 1, 2)
    assert EDITED.with_entries([1, 2], 1).entries == (10, 1, 2, 11, 12, 13, 14)
    assert EDITED.without([0, 4]).entries == (11, 12, 13)


def test_writing_tells_what_stood_before_and_puts_it_back(library: Library) -> None:
    one = library.playlists.put(Playlist("One", (1,)))
    two = library.playlists.put(Playlist("Two", (2,)))
    before = library.playlists.write({one: None, two: Playlist("Two", (2, 3), place=9.0)})
    assert [info.name for info in library.playlists.infos()] == ["Two"]
    library.playlists.write(before)
    assert [info.name for info in library.playlists.infos()] == ["One", "Two"]
    assert library.playlists.get(one).entries == (1,)
    assert library.playlists.get(two).entries == (2,)


def test_the_order_of_the_listener(library: Library) -> None:
    ids = [library.playlists.put(Playlist(name)) for name in "abc"]
    before = library.playlists.order([ids[2], ids[0], ids[1]])
    assert [info.name for info in library.playlists.infos()] == ["c", "a", "b"]
    library.playlists.write(before)
    assert [info.name for info in library.playlists.infos()] == ["a", "b", "c"]


def test_names_are_plain_text_and_free_ones_are_found(library: Library) -> None:
    hostile = "<b>Road</b>\n\u202etrip\x1b[31m" + "x" * 1000
    number = library.playlists.put(Playlist(hostile))
    name = library.playlists.get(number).name
    assert name.startswith("<b>Road</b> trip")
    assert len(name) <= 200
    assert name.isprintable()
    library.playlists.put(Playlist("Road"))
    assert library.playlists.free_name("Road") == "Road 2"
    assert library.playlists.named("ROAD").name == "Road"
    assert library.playlists.named("nothing") is None


def test_many_lost_files_are_written_and_read(library: Library) -> None:
    make_tracks(library, 10)
    lost = [
        OutsideFile(Path(f"/gone/album {i // 12}/{i:05}.mp3"), f"Song {i}") for i in range(5_000)
    ]
    number = library.playlists.put(Playlist("Big", (1, 2, *lost)))
    playlist = library.playlists.resolved(library.playlists.get(number))
    assert len(playlist.entries) == 5_002
    assert playlist.entries[:3] == (1, 2, lost[0])


def test_moved_files_are_recognised_by_the_end_of_their_paths() -> None:
    found = [Path("/new/A/One/1.mp3"), Path("/new/A/Two/1.mp3"), Path("/new/Étude.MP3")]
    lost = [Path("/old/a/two/1.mp3"), Path("/old/etude.mp3"), Path("/old/2.mp3"), Path("/x/1.mp3")]
    assert match_moved(lost, found) == {
        Path("/old/a/two/1.mp3"): Path("/new/A/Two/1.mp3"),
        Path("/old/etude.mp3"): Path("/new/Étude.MP3"),
    }
