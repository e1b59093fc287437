"""scan -> tag -> list -> export on real files: what the command line promises to scripts."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.rows import LIST_FIELDS
from tests.audio_files import write_audio
from tests.integration.conftest import Ran

Undertone = Callable[..., Ran]
TAG_FIELDS = [
    *("path", "duration_s", "quadrant", "probabilities", "valence", "arousal"),
    *("confidence", "possible", "valence_interval", "arousal_interval"),
    *("model", "adapted", "seconds", "error"),
]


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_scan_says_what_it_found(undertone: Undertone, music_folder: Path) -> None:
    first = undertone("scan", "--json", music_folder)
    assert first.code == 0
    found = json.loads(first.out)
    assert set(found) == {"added", "changed", "unchanged", "moved", "missing", "failed", "seconds"}
    assert (found["added"], found["failed"]) == (6, [])
    (music_folder / "empty.mp3").touch()
    second = undertone("scan", "--json", music_folder)
    assert second.code == 1
    found = json.loads(second.out)
    assert (found["added"], found["unchanged"]) == (0, 6)
    (failed,) = found["failed"]
    assert failed["path"] == str(music_folder / "empty.mp3")
    assert failed["reason"]
    assert "empty.mp3" in second.err


def test_the_main_path(undertone: Undertone, music_folder: Path, tmp_path: Path) -> None:
    tagged = undertone("tag", music_folder, "--jsonl", "-", "--jobs", 2)
    assert tagged.code == 0
    first = rows(tagged.out)
    assert [list(row) for row in first] == [TAG_FIELDS] * 6
    assert "6 tagged" in tagged.err

    again = undertone("tag", music_folder, "--jsonl", "-")
    assert again.code == 0
    by_path = {row["path"]: row for row in first}
    for row in rows(again.out):
        assert row == {**by_path[row["path"]], "seconds": None}
    assert "6 up to date" in again.err

    listed = undertone("list", "--json")
    songs = json.loads(listed.out)
    assert [tuple(song) for song in songs] == [LIST_FIELDS] * 6
    for song in songs:
        assert song["quadrant"] == by_path[song["path"]]["quadrant"]
        assert song["probabilities"] == by_path[song["path"]]["probabilities"]
    found = json.loads(undertone("list", "artist:ana", "--json").out)
    assert {song["artist"] for song in found} == {"Ana Lima"}
    moods = {song["quadrant"] for song in songs}
    for mood in moods:
        some = json.loads(undertone("list", f"mood:{mood.lower()}", "--json").out)
        assert {song["quadrant"] for song in some} == {mood}

    table = undertone("list")
    assert table.code == 0
    assert len(table.out.splitlines()) == 6

    for kind in ("json", "csv", "m3u8"):
        file = tmp_path / f"songs.{kind}"
        assert undertone("export", "--format", kind, "-o", file).code == 0
        assert undertone("export", "-o", file, "artist:bo").code == 0, "over an old file"
        assert "Ana Lima" not in file.read_text()
        undertone("export", "-o", file)
    assert json.loads((tmp_path / "songs.json").read_text()) == songs
    with (tmp_path / "songs.csv").open(newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert [line["path"] for line in lines] == [song["path"] for song in songs]
    assert float(lines[0]["p_HAHV"]) == songs[0]["probabilities"]["HAHV"]
    playlist = (tmp_path / "songs.m3u8").read_text().splitlines()
    assert playlist[0] == "#EXTM3U"
    files = [tmp_path / line for line in playlist if not line.startswith("#")]
    assert {str(file) for file in files} == {song["path"] for song in songs}
    assert all(file.exists() for file in files)


def test_failures_are_named_and_the_rest_is_done(
    undertone: Undertone, music_folder: Path, tmp_path: Path
) -> None:
    (music_folder / "text.mp3").write_text("no music")
    ran = undertone("tag", music_folder, tmp_path / "gone.mp3", "--jsonl", "-")
    assert ran.code == 1
    failed = {Path(str(row["path"])).name for row in rows(ran.out) if row["error"]}
    assert failed == {"text.mp3", "gone.mp3"}
    for row in rows(ran.out):
        if row["error"]:
            assert row["quadrant"] is row["probabilities"] is row["confidence"] is None
    assert "text.mp3" in ran.err
    assert "gone.mp3" in ran.err
    assert "6 tagged" in ran.err
    assert undertone("tag", tmp_path / "gone.mp3").code == 1


def test_an_unreadable_folder_is_named(undertone: Undertone, music_folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    (music_folder / "First").chmod(0)
    try:
        ran = undertone("tag", music_folder)
    finally:
        (music_folder / "First").chmod(0o755)
    assert ran.code == 1
    assert "First" in ran.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("tag",), "PATH"),
        (("tag", ".", "--jobs", "0"), "from 1 to 64"),
        (("tag", ".", "--jobs", "many"), "from 1 to 64"),
        (("tag", ".", "--overwrite"), "--write-tags"),
        (("tag", ".", "--undo-tags", "x"), "--undo-tags"),
        (("tag", ".", "--jsonl", "/no/such/folder/x"), "--jsonl"),
        (("frobnicate",), "frobnicate"),
        (("list", "mood:purple"), "purple"),
        (("list", "valence:>>3"), "^"),
        (("export", "-o", "songs.xyz"), "--format"),
        (("export", "--format", "csv", "-o", "/no/such/folder/x"), "-o"),
        (("labels",), "ACTION"),
        (("labels", "delete"), "--all"),
    ],
)
def test_wrong_usage_says_what_to_write_instead(
    undertone: Undertone, arguments: tuple[str, ...], hint: str
) -> None:
    ran = undertone(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert hint in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["", "scan", "tag", "list", "export", "labels", "doctor"])
def test_help_is_there_for_everything(undertone: Undertone, command: str) -> None:
    ran = undertone(*filter(None, (command, "--help")))
    assert ran.code == 0
    assert "--home" in ran.out


def test_version(undertone: Undertone) -> None:
    assert undertone("--version").out.startswith("undertone 0.")


def test_home_before_after_and_from_the_environment(
    undertone: Undertone, tmp_path: Path, music_folder: Path, home: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    undertone("--home", before, "scan", music_folder)
    undertone("scan", music_folder, "--home", after)
    undertone("scan", music_folder)
    for folder in (before, after, home):
        assert (folder / "library.sqlite3").exists()
    assert undertone("--home", before, "labels", "list", "--home", after, "--json").out == "[]\n"


def test_hostile_tags_do_no_harm(undertone: Undertone, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    write_audio(
        folder / "a.mp3",
        title="\x1b]0;owned\x07<b>\u202egnp.exe\r\n" + "x" * 300_000,
        artist="../../etc/passwd",
        album="=cmd()",
    )
    tagged = undertone("tag", folder)
    assert tagged.code == 0
    table = undertone("list")
    assert "\x1b" not in table.out + tagged.err
    assert len(table.out.splitlines()) == 1
    (song,) = json.loads(undertone("list", "--json").out)
    assert song["artist"] == "../../etc/passwd"
    for kind in ("csv", "m3u8"):
        undertone("export", "-o", tmp_path / f"x.{kind}")
    assert len((tmp_path / "x.m3u8").read_text().splitlines()) == 3


def test_playlists_hold_any_name(undertone: Undertone, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    for number, name in enumerate((b"#1.mp3", b"two\nlines.mp3", b"caf\xe9.mp3", b"a b.mp3")):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        write_audio(path, duration_s=1, kind="noise", seed=number)
    undertone("tag", folder)
    undertone("export", "-o", folder / "all.m3u8")
    lines = (folder / "all.m3u8").read_text(encoding="utf-8").splitlines()
    places = [line for line in lines if not line.startswith("#")]
    assert len(places) == 4
    assert "./#1.mp3" in places
    assert "a b.mp3" in places
    assert any(place.startswith("file:///") and place.endswith("caf%E9.mp3") for place in places)
    assert any(place.endswith("two%0Alines.mp3") for place in places)
    table = undertone("export", "--format", "csv", "-o", "-")
    assert table.code == 0
    assert "caf\\xe9.mp3" in table.out


def test_a_dry_run_changes_nothing(undertone: Undertone, music_folder: Path, home: Path) -> None:
    ran = undertone("tag", "--dry-run", music_folder, "--jsonl", "-")
    assert ran.code == 0
    assert [row["quadrant"] for row in rows(ran.out)] == [None] * 6
    assert "6 would be tagged" in ran.err
    assert not (home / "library.sqlite3").exists()


def test_corrections_travel(undertone: Undertone, music_folder: Path, tmp_path: Path) -> None:
    from inference.emotion import MoodPoint, Quadrant
    from library_db.library import Library

    undertone("tag", music_folder)
    home_a = Path(os.environ["UNDERTONE_HOME"])
    with Library.open(home_a) as library:
        first, second, *_ = library.under([music_folder])
        library.correct(first, Quadrant.LALV)
        library.correct(second, MoodPoint(0.25, -0.75))
    listed = json.loads(undertone("labels", "list", "--json").out)
    assert {label["quadrant"] for label in listed} == {"LALV", "LAHV"}
    file = tmp_path / "mine.json"
    assert undertone("labels", "export", "-o", file).code == 0
    other = tmp_path / "other home"
    refused = undertone("labels", "import", file, "--home", other)
    assert refused.code == 1, "the songs are not there yet"
    undertone("scan", music_folder, "--home", other)
    assert undertone("labels", "import", file, "--home", other).code == 0
    assert json.loads(undertone("labels", "list", "--json", "--home", other).out) == listed
    assert undertone("labels", "delete", "--all").code == 2, "asks first"
    assert undertone("labels", "delete", "--all", "--yes").code == 0
    assert undertone("labels", "list", "--json").out == "[]\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1, 2]",
        '{"format": "undertone-labels", "version": 1, "labels": [{}]}',
        '{"format": "undertone-labels", "version": 99, "labels": []}',
        "[" * 100_000,
    ],
)
def test_a_file_that_holds_no_corrections_is_refused(
    undertone: Undertone, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    ran = undertone("labels", "import", file)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 1


def test_doctor_names_what_is_missing(undertone: Undertone) -> None:
    ran = undertone("doctor", "--json")
    found = json.loads(ran.out)
    names = {check["name"]: check for check in found["checks"]}
    assert {"home", "library", "models", "playback", "display", "bluetooth", "disk"} <= set(names)
    assert ran.code == (0 if found["ok"] else 1)
    for check in names.values():
        assert check["status"] in ("ok", "note", "missing")
        assert check["detail"]
        if check["status"] != "ok":
            assert check["remedy"]


def test_doctor_finds_broken_settings(undertone: Undertone, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "settings.toml").write_text("[playback]\nvolume = 900\n")
    ran = undertone("doctor", "--json")
    (check,) = [c for c in json.loads(ran.out)["checks"] if c["name"] == "settings"]
    assert check["status"] == "missing"
    assert "from 0 to 100" in check["remedy"]
    assert ran.code == 1
