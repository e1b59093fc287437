"""M3U in and out: any encoding and spelling of paths, playlists within playlists, bad input."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from library_db.m3u import PlaylistError, read_m3u, write_m3u8


def paths(playlist: Path) -> list[Path]:
    return [file.path for file in read_m3u(playlist).files]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with empty files of the names that the playlists say."""
    for name in ("a b.mp3", "sub/c.mp3", "café.mp3", "100% pure.mp3", "#1.mp3"):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "music"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("a b.mp3", "a b.mp3"),
        ("./a b.mp3", "a b.mp3"),
        ("a%20b.mp3", "a b.mp3"),
        ("sub\\c.mp3", "sub/c.mp3"),
        ("100% pure.mp3", "100% pure.mp3"),
        ("./#1.mp3", "#1.mp3"),
        ("missing/d.mp3", "missing/d.mp3"),
        ("  a b.mp3\t", "a b.mp3"),
    ],
)
def test_a_path_is_understood_as_it_was_written(folder: Path, line: str, name: str) -> None:
    playlist = folder / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n{line}\n", encoding="utf-8")
    assert paths(playlist) == [folder / name]


def test_absolute_paths_and_addresses(folder: Path) -> None:
    playlist = folder / "sub" / "list.m3u8"
    playlist.write_text(
        f"{folder}/a b.mp3\nfile://{folder}/a%20b.mp3\nfile://localhost{folder}/caf%C3%A9.mp3\n"
        "../a b.mp3\nhttp://example.org/radio\n",
        encoding="utf-8",
    )
    read = read_m3u(playlist)
    assert [file.path for file in read.files] == [
        folder / "a b.mp3",
        folder / "a b.mp3",
        folder / "café.mp3",
        folder / "a b.mp3",
    ]
    assert len(read.skipped) == 1
    assert "radio" in read.skipped[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(folder: Path, encoding: str, end: str) -> None:
    playlist = folder / "list.m3u"
    text = end.join(("#EXTM3U", "#EXTINF:61,Zoé - Café", "café.mp3", ""))
    playlist.write_bytes(text.encode(encoding))
    (file,) = read_m3u(playlist).files
    assert file.path == folder / "café.mp3"
    assert file.duration_s == 61


def test_a_name_of_raw_bytes_is_found(tmp_path: Path) -> None:
    raw = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    raw.touch()
    playlist = tmp_path / "list.m3u"
    playlist.write_bytes(b"caf\xe9.mp3\n")
    assert paths(playlist) == [raw]


def test_what_extinf_says(folder: Path) -> None:
    playlist = folder / "list.m3u8"
    playlist.write_text(
        "#EXTM3U\n#PLAYLIST:Night\u202e drive\n#EXTINF:-1,\na b.mp3\n"
        '#EXTINF:12.5 tvg-id="x,y" group="z",Ana - <b>Song</b>, live\nsub/c.mp3\n'
        "#EXTINF:nonsense\n#EXTVLCOPT:x\nd.mp3\n",
        encoding="utf-8",
    )
    read = read_m3u(playlist)
    assert read.name == "Night drive"
    assert [(file.title, file.duration_s) for file in read.files] == [
        ("a b", None),
        ("Ana - <b>Song</b>, live", 12.5),
        ("nonsense", None),
    ]


def test_playlists_within_playlists_and_circles(folder: Path) -> None:
    (folder / "outer.m3u8").write_text("a b.mp3\nsub/inner.m3u\n#1.mp3\ncafé.mp3\nouter.m3u8\n")
    (folder / "sub" / "inner.m3u").write_text("c.mp3\n../outer.m3u8\nnot there.m3u\n")
    read = read_m3u(folder / "outer.m3u8")
    assert [file.path.name for file in read.files] == ["a b.mp3", "c.mp3", "café.mp3"]
    assert len(read.skipped) == 3
    assert sum("lists itself" in reason for reason in read.skipped) == 2


@pytest.mark.parametrize(
    "data", [b"\x00\x01binary" * 100, b"#EXTM3U\n#EXT-X-TARGETDURATION:10\nseg1.ts\n"]
)
def test_what_is_no_playlist_is_refused_with_a_remedy(tmp_path: Path, data: bytes) -> None:
    playlist = tmp_path / "x.m3u8"
    playlist.write_bytes(data)
    with pytest.raises(PlaylistError) as caught:
        read_m3u(playlist)
    assert caught.value.remedy


def test_a_playlist_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlaylistError, match="cannot be read"):
        read_m3u(tmp_path / "gone.m3u8")


def test_what_is_written_is_read_back_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "music" / "lists"
    folder.mkdir(parents=True)
    songs = [
        (tmp_path / "music" / "lists" / "below.mp3", "Below", 1.0),
        (tmp_path / "music" / "Ana" / "beside.mp3", "Beside", None),
        (tmp_path / "music" / "lists" / "#1.mp3", "Hash", 2.0),
        (tmp_path / "music" / "lists" / "two\nlines.mp3", "Two\nlines", 3.4),
        (tmp_path / "music" / "lists" / os.fsdecode(b"caf\xe9.mp3"), "Bytes", 4.0),
        (tmp_path / "music" / "lists" / " space .mp3 ", "Space", 4.0),
        (Path("/elsewhere/on/another/disk.mp3"), "Away", 5.0),
    ]
    file = io.StringIO()
    write_m3u8(file, songs, folder, "Night")
    text = file.getvalue()
    assert "\nbelow.mp3\n" in text
    assert "\n../Ana/beside.mp3\n" in text
    assert "\n/elsewhere/on/another/disk.mp3\n" in text
    playlist = folder / "x.m3u8"
    playlist.write_text(text, encoding="utf-8")
    read = read_m3u(playlist)
    assert read.name == "Night"
    assert [file.path for file in read.files] == [path for path, _, _ in songs]
