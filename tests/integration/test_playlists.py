"""`undertone playlists`: from a file into the library and out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.audio_files import write_audio
from tests.integration.conftest import Ran

Undertone = Callable[..., Ran]


def test_a_playlist_goes_in_and_out_in_its_order(undertone: Undertone, tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number in range(4):
        write_audio(music / f"{number}.mp3", duration_s=0.3, kind="noise", seed=number,
                    title=f"Song {number}", artist="Ana")  # fmt: skip
    undertone("scan", music)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "Road.m3u8").write_text(
        "#EXTM3U\n../music/2.mp3\n../music/0.mp3\n../music/gone.mp3\n../music/2.mp3\nhttp://x/y\n"
    )
    taken = undertone("playlists", "import", lists / "Road.m3u8")
    assert taken.code == 0
    assert "4 songs" in taken.err
    assert "gone.mp3" in taken.err
    assert "stream" in taken.err
    listed = json.loads(undertone("playlists", "list", "--json").out)
    assert listed == [{"name": "Road", "smart": False, "songs": 4}]
    shown = json.loads(undertone("playlists", "show", "road", "--json").out)
    assert [row["title"] for row in shown] == ["Song 2", "Song 0", "gone", "Song 2"]
    again = lists / "again.m3u8"
    assert undertone("playlists", "export", "Road", "-o", again).code == 0
    places = [line for line in again.read_text().splitlines() if not line.startswith("#")]
    assert places == ["../music/2.mp3", "../music/0.mp3", "../music/gone.mp3", "../music/2.mp3"]
    assert undertone("playlists", "delete", "Road").code == 0
    assert json.loads(undertone("playlists", "list", "--json").out) == []
    assert undertone("playlists", "show", "Road").code == 2


def test_a_bad_playlist_file_is_named_and_the_others_go_in(
    undertone: Undertone, tmp_path: Path
) -> None:
    (tmp_path / "bad.m3u8").write_bytes(b"\0" * 100)
    (tmp_path / "good.m3u8").write_text("x.mp3\n")
    ran = undertone("playlists", "import", tmp_path / "bad.m3u8", tmp_path / "good.m3u8")
    assert ran.code == 1
    assert "bad.m3u8" in ran.err
    assert [row["name"] for row in json.loads(undertone("playlists", "list", "--json").out)] == [
        "good"
    ]
