"""Moods in files: only when asked, never over another's, and taken back on request."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.easyid3 import EasyID3
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TXXX

from app.write_tags import TagChange, UndoError, WriteReport, undo_tags, write_tags
from inference.emotion import EmotionEstimate, MoodPoint, Quadrant
from inference.errors import UndertoneError
from inference.job import Job, run_to_end
from library_db.library import EstimateRow, Library
from library_db.scan import scan
from library_db.tags_writing import read_mood_tags
from tests.audio_files import write_audio

CALM = EmotionEstimate((0.1, 0.1, 0.7, 0.1), 0.7, "m1")
WRITTEN = {
    "MOOD": "Calm",
    "VALENCE": "0.800",
    "AROUSAL": "0.200",
    "MOOD_SOURCE": "undertone:m1",
}


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    for number, suffix in enumerate((".mp3", ".flac", ".ogg", ".m4a")):
        write_audio(folder / f"{number}{suffix}", kind="noise", seed=number, duration_s=1.0)
    return folder


@pytest.fixture
def library(tmp_path: Path, music: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        rescan(opened, music)
        yield opened


def rescan(library: Library, folder: Path) -> tuple[int, int]:
    """Scan, give what is new a mood; returns how many were unchanged and changed."""
    report = run_to_end(scan(library, [folder]))
    ids = library.stale(library.under([folder]), "m1")
    library.set_estimates([EstimateRow(i, "common", CALM) for i in ids])
    return report.unchanged, report.changed


def collect(job: Job[WriteReport]) -> tuple[dict[str, TagChange], WriteReport]:
    changes: dict[str, TagChange] = {}
    while True:
        try:
            progress = next(job)
        except StopIteration as stop:
            return changes, stop.value
        if isinstance(progress.item, TagChange):
            changes[progress.item.path.name] = progress.item


def write(
    library: Library, music: Path, **options: bool
) -> tuple[dict[str, TagChange], WriteReport]:
    return collect(
        write_tags(library, library.under([music]), music.parent / "home" / "undo", **options)
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_moods_are_written_and_a_scan_finds_nothing_new(library: Library, music: Path) -> None:
    changes, report = write(library, music)
    assert (report.written, report.unchanged, report.skipped, report.failed) == (4, 0, (), ())
    for path in music.iterdir():
        assert read_mood_tags(path).texts == changes[path.name].after == WRITTEN
    assert rescan(library, music) == (4, 0)
    assert library.stale(library.under([music]), "m1") == []
    _, again = write(library, music)
    assert (again.written, again.unchanged, again.undo_file) == (0, 4, None)


def test_a_dry_run_shows_the_difference_and_touches_nothing(library: Library, music: Path) -> None:
    before = contents(music)
    changes, report = write(library, music, dry_run=True)
    assert report.written == 4
    assert changes["0.mp3"].lines()[0] == "MOOD: (none) -> Calm"
    assert contents(music) == before
    assert not (music.parent / "home").exists()
    write(library, music)
    library.correct(library.under([music / "0.mp3"])[0], Quadrant.LALV)
    changes, report = write(library, music, dry_run=True)
    assert report.written == 1
    assert "MOOD: Calm -> Sad" in changes["0.mp3"].lines()
    assert "MOOD_SOURCE: undertone:m1 -> user" in changes["0.mp3"].lines()


def test_the_listeners_word_is_what_is_written(library: Library, music: Path) -> None:
    (track_id,) = library.under([music / "1.flac"])
    library.correct(track_id, MoodPoint(-1.0, 0.5))
    write(library, music)
    flac = FLAC(music / "1.flac")
    assert [flac[key] for key in WRITTEN] == [["Tense"], ["0.000"], ["0.750"], ["user"]]


def test_a_foreign_mood_stays_unless_told_otherwise(library: Library, music: Path) -> None:
    flac = FLAC(music / "1.flac")
    flac["mood"] = ["Melancholy", "Blue"]
    flac.save()
    tags = ID3(music / "0.mp3")
    tags.add(TXXX(encoding=3, desc="VALENCE", text="7"))
    tags.save()
    rescan(library, music)
    before = contents(music)
    changes, report = write(library, music)
    assert report.written == 2
    assert len(report.skipped) == 2
    assert "Melancholy; Blue" in str(changes["1.flac"].skipped)
    assert "--overwrite" in str(changes["0.mp3"].skipped)
    assert {n for n, data in contents(music).items() if data == before[n]} == {"0.mp3", "1.flac"}
    _, report = write(library, music, overwrite=True)
    assert report.written == 2
    assert report.undo_file is not None
    assert read_mood_tags(music / "1.flac").texts == WRITTEN
    collect(undo_tags(library, report.undo_file))
    assert FLAC(music / "1.flac")["mood"] == ["Melancholy", "Blue"]
    assert read_mood_tags(music / "0.mp3").texts == {"VALENCE": "7"}


def test_a_run_is_taken_back_file_by_file(library: Library, music: Path) -> None:
    before = contents(music)
    _, report = write(library, music)
    undo = report.undo_file
    assert undo is not None
    dry, _ = collect(undo_tags(library, undo, dry_run=True))
    assert dry["0.mp3"].lines()[0] == "MOOD: Calm -> (none)"
    assert read_mood_tags(music / "0.mp3").texts == WRITTEN
    tags = ID3(music / "0.mp3")
    tags.add(TXXX(encoding=3, desc="MOOD_SOURCE", text="me"))
    tags.save()
    (music / "3.m4a").unlink()
    changes, report = collect(undo_tags(library, undo))
    assert "changed again since" in str(changes["0.mp3"].skipped)
    assert "cannot be read" in str(changes["3.m4a"].error)
    assert (report.written, len(report.skipped), len(report.failed)) == (2, 1, 1)
    assert contents(music)["1.flac"] == before["1.flac"], "there was room: byte for byte"
    assert read_mood_tags(music / "2.ogg").texts == {}
    unchanged, changed = rescan(library, music)
    assert (unchanged, changed) == (2, 1), "what was restored needs no reading"
    _, report = collect(undo_tags(library, undo))
    assert (report.written, report.unchanged) == (0, 2)


def test_other_tags_that_were_changed_since_survive_the_undo(library: Library, music: Path) -> None:
    _, report = write(library, music)
    assert report.undo_file is not None
    tags = EasyID3(music / "0.mp3")
    tags["title"] = "Better"
    tags.save()
    collect(undo_tags(library, report.undo_file))
    assert read_mood_tags(music / "0.mp3").texts == {}
    assert EasyID3(music / "0.mp3")["title"] == ["Better"]


@pytest.mark.parametrize(
    "text", ["nonsense\n", "{}\n", '{"schema": 9}\n', "[]\n", '{"schema": 1, "path": 3}\n']
)
def test_another_file_is_no_undo_file(library: Library, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(UndoError, match="line 1"):
        collect(undo_tags(library, tmp_path / "x.jsonl"))
    with pytest.raises(UndoError, match="cannot be read"):
        collect(undo_tags(library, tmp_path / "not there"))


def test_a_record_that_a_crash_cut_off_is_passed_over(library: Library, music: Path) -> None:
    _, report = write(library, music)
    assert report.undo_file is not None
    lines = report.undo_file.read_text().splitlines(keepends=True)
    assert all(json.loads(line)["after"] == WRITTEN for line in lines)
    report.undo_file.write_text(lines[0] + lines[1][:50])
    _, report = collect(undo_tags(library, report.undo_file))
    assert report.written == 1


def test_links_are_followed_and_each_file_is_written_once(library: Library, tmp_path: Path) -> None:
    real = write_audio(tmp_path / "real" / "0.mp3")
    links = [tmp_path / "links" / name for name in ("a.mp3", "b.mp3")]
    links[0].parent.mkdir()
    for link in links:
        link.symlink_to(real)
    rescan(library, tmp_path / "links")
    count = len(library.under([tmp_path / "links"]))
    _, report = write(library, tmp_path / "links")
    assert (report.written, report.unchanged, report.failed) == (1, count - 1, ())
    assert all(link.is_symlink() for link in links)
    assert read_mood_tags(real).texts == WRITTEN
    assert rescan(library, tmp_path / "links")[1] == 0
    assert report.undo_file is not None
    _, report = collect(undo_tags(library, report.undo_file))
    assert report.written == 1
    assert read_mood_tags(real).texts == {}


def test_bad_files_are_named_and_the_rest_is_written(library: Library, music: Path) -> None:
    write_audio(music / "4.wav", kind="noise", duration_s=1.0)
    rescan(library, music)
    (music / "2.ogg").chmod(0o444)
    (music / "3.m4a").write_bytes((music / "3.m4a").read_bytes() + bytes(8))
    changes, report = write(library, music)
    assert "read-only" in str(changes["2.ogg"].error)
    assert changes["3.m4a"].error
    assert "WAV" in str(changes["4.wav"].skipped)
    assert (report.written, len(report.failed), len(report.skipped)) == (2, 2, 1)


def test_a_file_that_was_not_scanned_since_it_changed_is_left(
    library: Library, music: Path
) -> None:
    os.utime(music / "0.mp3", ns=(5, 5))
    changes, _ = write(library, music)
    assert "since it was scanned" in str(changes["0.mp3"].error)
    assert read_mood_tags(music / "0.mp3").texts == {}


def test_without_an_undo_file_nothing_is_written(library: Library, music: Path) -> None:
    before = contents(music)
    (music.parent / "home").write_text("a file where the folder should be")
    with pytest.raises(UndoError, match="undo file"):
        write(library, music)
    assert contents(music) == before


def test_a_full_disk_is_named_and_leaves_whole_files(library: Library, music: Path) -> None:
    write_audio(music / "1.flac", kind="noise", duration_s=30.0)
    rescan(library, music)
    before = contents(music)
    limit = len(before["1.flac"]) - 1
    assert limit > 2_000_000, "room enough for the library itself"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        changes, report = write(library, music)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be written" in str(changes["1.flac"].error)
    assert (report.written, len(report.failed)) == (3, 1)
    assert contents(music).keys() == before.keys()
    assert contents(music)["1.flac"] == before["1.flac"]
    _, report = write(library, music)
    assert report.failed == ()


def test_closing_leaves_each_file_written_or_as_it_was(library: Library, music: Path) -> None:
    before = contents(music)
    job = write_tags(library, library.under([music]), music.parent / "home" / "undo")
    next(job)
    job.close()
    after = contents(music)
    assert sum(after[name] != before[name] for name in before) == 1
    assert after.keys() == before.keys()


def test_two_runs_do_not_write_at_once(library: Library, music: Path) -> None:
    job = write_tags(library, library.under([music]), music.parent / "home" / "undo")
    next(job)
    with pytest.raises(UndertoneError, match="another Undertone"):
        write(library, music)
    job.close()
    write(library, music)


def test_leftovers_of_a_killed_run_are_removed(library: Library, music: Path) -> None:
    left = music / ".undertone-tags-0123456789abcdef.tmp"
    left.write_bytes(b"half a song")
    (music / ".undertone-tags-mine.tmp").touch()
    write(library, music, dry_run=True)
    assert left.exists()
    write(library, music)
    assert not left.exists()
    assert (music / ".undertone-tags-mine.tmp").exists()


KILLED = """
import os, sys
from pathlib import Path
import library_db.tags_writing as writing
from app.write_tags import write_tags
from inference.job import run_to_end
from library_db.library import Library
home, music, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
count = 0
def die_second(*args, true=getattr(writing, step), **kwargs):
    global count
    count += 1
    if count == 2:
        os.kill(os.getpid(), 9)
    return true(*args, **kwargs)
setattr(writing, step, die_second)
with Library.open(home) as library:
    run_to_end(write_tags(library, library.under([music]), home.parent / "home" / "undo"))
"""


@pytest.mark.parametrize("step", ["write_pieces", "_verify", "_sync_folder"])
def test_after_a_kill_the_same_command_goes_on_and_the_undo_file_is_true(
    library: Library, music: Path, tmp_path: Path, step: str
) -> None:
    before = contents(music)
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "library"), str(music), step], cwd=root
    )
    assert ran.returncode == -signal.SIGKILL
    written = {n for n, data in contents(music).items() if before.get(n, data) != data}
    assert len(written) == (2 if step == "_sync_folder" else 1)
    (undo,) = (tmp_path / "home" / "undo").iterdir()

    library.refresh()
    rescan(library, music)
    assert library.stale(library.under([music]), "m1") == []
    _, report = write(library, music)
    assert (report.written, report.unchanged, report.failed) == (4 - len(written), len(written), ())
    assert sorted(path.name for path in music.iterdir()) == sorted(before)
    collect(undo_tags(library, undo))
    for name in before:
        texts = read_mood_tags(music / name).texts
        assert texts == ({} if name in written else WRITTEN)
