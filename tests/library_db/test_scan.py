"""Scanning: what counts as what, what moves, what is missing, and what never stops it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from inference.emotion import Quadrant
from inference.job import run_to_end
from library_db import scan as scan_module
from library_db.library import Library
from library_db.scan import discover, scan
from tests.audio_files import write_audio
from tests.library_db.helpers import forbidden, is_root, rate, scanned, song


def _paths(library: Library, query: str = "") -> set[Path]:
    return {track.path for track in library.tracks(library.search(query))}


def test_all_formats_are_taken_in(library: Library, music: Path) -> None:
    suffixes = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav")
    for suffix in suffixes:
        write_audio(music / f"a{suffix}", fs_hz=48000, duration_s=0.5)
    (music / "LOUD.MP3").write_bytes((music / "a.mp3").read_bytes())
    (music / "notes.txt").write_text("no music")
    report = scanned(library, music)
    assert (report.added, report.failed) == (len(suffixes) + 1, ())
    assert {track.format for track in library.tracks(library.search())} == {
        "MP3", "FLAC", "Ogg", "Opus", "M4A", "WAV",
    }  # fmt: skip


def test_a_second_scan_reads_nothing(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "a.mp3")
    song(music / "sub" / "b.mp3")
    (music / "empty.mp3").touch()
    first = scanned(library, music)
    monkeypatch.setattr(scan_module, "file_fields", lambda found: pytest.fail("read a file"))
    second = scanned(library, music)
    assert (first.added, second.unchanged, second.added, second.changed) == (2, 2, 0, 0)
    assert second.failed == first.failed
    assert [fault.path.name for fault in second.failed] == ["empty.mp3"]


def test_a_retagged_file_keeps_its_mood_and_shows_its_new_tags(
    library: Library, music: Path
) -> None:
    path = song(music / "a.mp3", title="Old")
    scanned(library, music)
    (track_id,) = library.search()
    rate(library, track_id)
    library.correct(track_id, Quadrant.HAHV)
    content = path.read_bytes()
    write_audio(path, duration_s=0.3, title="x")
    path.write_bytes(content.replace(b"Old", b"New"))
    report = scanned(library, music)
    assert (report.changed, report.added) == (1, 0)
    track = library.track(track_id)
    assert track is not None
    assert track.title == "New"
    assert library.emotion(track_id).quadrant is Quadrant.HAHV
    assert library.stale([track_id], "m1") == []
    assert library.timeline(track_id) == b"timeline"


def test_other_audio_at_the_same_path_must_be_classified_again(
    library: Library, music: Path
) -> None:
    path = song(music / "a.mp3")
    scanned(library, music)
    (track_id,) = library.search()
    rate(library, track_id)
    song(path)
    assert scanned(library, music).changed == 1
    assert library.stale([track_id], "m1") == [track_id]
    assert library.search("is:stale").tolist() == [track_id]
    assert library.timeline(track_id) is None
    assert library.features(track_id, "fe") is None
    rate(library, track_id)
    assert library.stale([track_id], "m1") == []


def test_a_moved_and_retagged_file_keeps_all_its_data(library: Library, music: Path) -> None:
    path = song(music / "a.mp3", title="Old")
    song(music / "other.mp3")
    scanned(library, music)
    track = library.by_path(path)
    assert track is not None
    rate(library, track.id)
    library.correct(track.id, Quadrant.LALV)
    new = music / "artist" / "album" / "01.mp3"
    new.parent.mkdir(parents=True)
    new.write_bytes(path.read_bytes().replace(b"Old", b"Newer"[:3]))
    path.unlink()
    report = scanned(library, music)
    assert (report.moved, report.added, report.missing) == (1, 0, 0)
    moved = library.track(track.id)
    assert moved is not None
    assert (moved.path, moved.title) == (new, "New")
    assert library.emotion(track.id).source == "user"
    assert library.features(track.id, "fe") == b"features"


def test_two_copies_are_two_tracks(library: Library, music: Path) -> None:
    path = song(music / "a.mp3")
    scanned(library, music)
    shutil.copy(path, music / "copy.mp3")
    report = scanned(library, music)
    assert (report.added, report.moved) == (1, 0)
    assert len(library.search()) == 2


def test_a_renumbered_album_keeps_each_song_with_its_audio(library: Library, music: Path) -> None:
    for number in range(1, 5):
        song(music / f"{number:02d}.mp3", title=f"Song {number}")
    scanned(library, music)
    ids = {t.title: t.id for t in library.tracks(library.search())}
    for number, track_id in enumerate(sorted(ids.values())):
        library.correct(track_id, list(Quadrant)[number])
    for number in range(4, 0, -1):
        (music / f"{number:02d}.mp3").rename(music / f"{number + 1:02d}.mp3")
    song(music / "01.mp3", title="A New First")
    report = scanned(library, music)
    assert (report.moved, report.added, report.missing) == (4, 1, 0)
    for title, track_id in ids.items():
        track = library.track(track_id)
        assert track is not None
        assert track.title == title
        assert track.path.name == f"{int(title[-1]) + 1:02d}.mp3"


def test_swapped_files_swap_their_tracks_paths(library: Library, music: Path) -> None:
    a, b = song(music / "a.mp3", title="A"), song(music / "b.mp3", title="B, longer")
    scanned(library, music)
    ids = {t.title: t.id for t in library.tracks(library.search())}
    a.rename(music / "x")
    b.rename(a)
    (music / "x").rename(b)
    assert scanned(library, music).moved == 2
    assert {t.title: t.id for t in library.tracks(library.search())} == ids
    assert library.by_path(a).id == ids["B, longer"]  # type: ignore[union-attr]


def test_a_track_whose_file_was_overwritten_by_another_is_kept_as_missing(
    library: Library, music: Path
) -> None:
    a, b = song(music / "a.mp3", title="A"), song(music / "b.mp3", title="B, longer")
    scanned(library, music)
    lost = library.by_path(b)
    assert lost is not None
    library.correct(lost.id, Quadrant.HALV)
    backup = b.read_bytes()
    a.replace(b)
    scanned(library, music)
    track = library.track(lost.id)
    assert track is not None
    assert track.missing
    assert library.emotion(lost.id).quadrant is Quadrant.HALV
    (music / "again.mp3").write_bytes(backup)
    assert scanned(library, music).moved == 1
    assert library.by_path(music / "again.mp3").id == lost.id  # type: ignore[union-attr]


def test_a_deleted_file_is_marked_and_comes_back(library: Library, music: Path) -> None:
    path = song(music / "a.mp3")
    song(music / "b.mp3")
    scanned(library, music)
    gone = path.rename(music.parent / "elsewhere.mp3")
    assert scanned(library, music).missing == 1
    assert scanned(library, music).missing == 1
    assert _paths(library, "is:missing") == {path}
    assert library.under([music]) == library.search("-is:missing").tolist()
    assert len(library.under([music], missing=True)) == 2
    gone.rename(path)
    report = scanned(library, music)
    assert (report.missing, report.changed, report.added) == (0, 1, 0)
    assert _paths(library, "is:missing") == set()


def test_an_empty_or_absent_folder_changes_nothing(library: Library, music: Path) -> None:
    song(music / "a.mp3")
    scanned(library, music)
    away = music.rename(music.parent / "away")
    absent = scanned(library, music)
    music.mkdir()
    empty = scanned(library, music)
    for report in (absent, empty):
        assert report.missing == 0
        assert [fault.path for fault in report.failed] == [music]
        assert "connected" in report.failed[0].reason
    assert len(library.search("-is:missing")) == 1
    music.rmdir()
    away.rename(music)
    assert scanned(library, music).unchanged == 1


def test_a_copy_of_a_file_on_an_absent_drive_is_a_new_track(
    library: Library, tmp_path: Path
) -> None:
    drive, local = tmp_path / "drive", tmp_path / "local"
    path = song(drive / "a.mp3")
    library.add_root(drive)
    scanned(library, drive)
    local.mkdir()
    shutil.copy(path, local / "a.mp3")
    drive.rename(tmp_path / "unplugged")
    drive.mkdir()  # the mount point is left, and empty
    report = scanned(library, local)
    assert (report.added, report.moved) == (1, 0)


def test_a_file_moved_to_another_root_keeps_its_data(library: Library, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    path = song(one / "a.mp3")
    song(one / "stays.mp3")
    two.mkdir()
    library.add_root(one)
    scanned(library, one)
    track = library.by_path(path)
    shutil.move(path, two / "a.mp3")
    assert scanned(library, two).moved == 1
    assert track is not None
    assert library.track(track.id).path == two / "a.mp3"  # type: ignore[union-attr]


def test_symlink_loops_and_links_to_the_inside_end(library: Library, music: Path) -> None:
    path = song(music / "real" / "a.mp3")
    (music / "real" / "loop").symlink_to(music, target_is_directory=True)
    (music / "again").symlink_to(music / "real", target_is_directory=True)
    (music / "link.mp3").symlink_to(path)
    (music / "nowhere.mp3").symlink_to(music / "not there.mp3")
    report = scanned(library, music)
    assert report.added == 1
    assert _paths(library) == {path}
    assert scanned(library, music).unchanged == 1


def test_links_to_the_outside_are_followed(library: Library, music: Path, tmp_path: Path) -> None:
    song(tmp_path / "outside" / "a.mp3")
    song(tmp_path / "single.mp3")
    (music / "folder").symlink_to(tmp_path / "outside", target_is_directory=True)
    (music / "single.mp3").symlink_to(tmp_path / "single.mp3")
    assert scanned(library, music).added == 2
    assert _paths(library) == {music / "folder" / "a.mp3", music / "single.mp3"}


def test_names_in_any_encoding(library: Library, music: Path) -> None:
    good = song(music / "good.mp3")
    for name in (b"caf\xe9.mp3", b"\xff\xfe.mp3", "日本.mp3".encode(), b"new\nline.mp3"):
        target = os.path.join(os.fsencode(music), name)  # noqa: PTH118
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(good.read_bytes())
    report = scanned(library, music)
    assert (report.added, report.failed) == (5, ())
    assert all(track.path.exists() for track in library.tracks(library.search()))
    assert scanned(library, music).unchanged == 5
    for track in library.tracks(library.search()):
        assert library.by_path(track.path) == track


def test_bad_files_are_named_and_the_rest_is_read(library: Library, music: Path) -> None:
    song(music / "good.mp3")
    (music / "empty.mp3").touch()
    (music / "text.mp3").write_text("hello " * 1000)
    (music / "cut.flac").write_bytes(b"fLaC\0\0\0")
    (music / "folder.mp3").mkdir()
    os.mkfifo(music / "pipe.mp3")
    report = scanned(library, music, music / "absent.mp3", music / "absent")
    assert report.added == 1
    assert {fault.path.name for fault in report.failed} == {
        "empty.mp3", "text.mp3", "cut.flac", "absent.mp3", "absent",
    }  # fmt: skip
    assert all(fault.reason for fault in report.failed)
    assert len(library.search("is:failed")) == 3
    song(music / "empty.mp3")
    assert scanned(library, music).changed == 1


@pytest.mark.skipif(is_root(), reason="root may read everything")
def test_unreadable_folders_and_files_are_named_and_nothing_is_missing(
    library: Library, music: Path
) -> None:
    song(music / "closed" / "a.mp3")
    song(music / "b.mp3")
    scanned(library, music)
    with forbidden(music / "closed"):
        report = scanned(library, music)
    assert [fault.path.name for fault in report.failed] == ["closed"]
    assert (report.missing, report.unchanged) == (0, 1)
    locked = song(music / "locked.mp3")
    with forbidden(locked):
        assert [fault.path for fault in scanned(library, music).failed] == [locked]
    assert scanned(library, music).added == 1


def test_an_unreadable_folder_hides_nothing(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "closed" / "a.mp3")
    song(music / "b.mp3")
    scanned(library, music)
    real = os.scandir

    def refusing(path: bytes) -> object:
        if os.path.basename(path) == b"closed":  # noqa: PTH119
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("library_db.walk.os.scandir", refusing)
    report = scanned(library, music)
    assert [(f.path.name, "Permission" in f.reason) for f in report.failed] == [("closed", True)]
    assert (report.missing, report.unchanged) == (0, 1)


def test_files_that_vanish_or_change_while_they_are_read(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vanishing, growing = song(music / "vanishing.mp3"), song(music / "growing.mp3")
    song(music / "calm.mp3")
    real = scan_module.file_fields

    def meddling(found: scan_module.Found) -> dict[str, object]:
        if found.path.endswith(b"vanishing.mp3"):
            vanishing.unlink(missing_ok=True)
        fields = real(found)
        if found.path.endswith(b"growing.mp3"):
            with growing.open("ab") as file:
                file.write(b"more")
        return fields

    with monkeypatch.context() as patched:
        patched.setattr(scan_module, "file_fields", meddling)
        report = scanned(library, music)
    assert report.added == 1
    assert {f.path.name for f in report.failed} == {"vanishing.mp3", "growing.mp3"}
    assert scanned(library, music).added == 1


def test_cancelling_keeps_what_was_read(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        song(music / f"{number:02d}.mp3")
    monkeypatch.setattr(scan_module, "BATCH_FILES", 5)
    job = scan(library, [music])
    for progress in job:
        if progress.done == 7:
            break
    job.close()
    assert len(library.search()) == 7
    report = scanned(library, music)
    assert (report.added, report.unchanged, report.missing) == (5, 7, 0)


def test_progress_names_files_and_gives_changes(library: Library, music: Path) -> None:
    for number in range(3):
        song(music / f"{number}.mp3")
    steps = list(scan(library, [music]))
    read = [step.done for step in steps if step.total]  # before that, files are only found
    assert read == sorted(read)
    assert steps[-1].total == 3
    added = [i for step in steps if step.item is not None for i in step.item.added]  # type: ignore[attr-defined]
    assert sorted(added) == sorted(library.search().tolist())


def test_overlapping_roots_count_each_file_once(library: Library, music: Path) -> None:
    path = song(music / "sub" / "a.mp3")
    song(music / "sub2" / "b.mp3")
    report = scanned(library, music, music / "sub", path, Path(f"{music}/sub/../sub2"), music)
    assert report.added == 2
    assert scanned(library, music / "sub").unchanged == 1
    assert scanned(library, path, path).unchanged == 1
    assert library.under([music, music / "sub"]) == library.under([music])


def test_a_folder_whose_name_begins_like_another_is_not_in_it(
    library: Library, tmp_path: Path
) -> None:
    song(tmp_path / "rock" / "a.mp3")
    song(tmp_path / "rock 2" / "b.mp3")
    scanned(library, tmp_path / "rock", tmp_path / "rock 2")
    (tmp_path / "rock 2" / "b.mp3").unlink()
    assert scanned(library, tmp_path / "rock").missing == 0
    assert len(library.under([tmp_path / "rock"])) == 1


def test_a_removed_root_and_a_forgotten_track_come_back_with_their_data(
    library: Library, music: Path
) -> None:
    path = song(music / "a.mp3")
    library.add_root(music)
    scanned(library, music)
    track = library.by_path(path)
    assert track is not None
    library.correct(track.id, Quadrant.HALV)
    assert library.remove_root(music).removed == (track.id,)
    assert (library.roots(), len(library.search()), library.by_path(path)) == ([], 0, None)
    assert scanned(library, music).added == 1
    assert library.emotion(track.id).quadrant is Quadrant.HALV
    assert library.forget([track.id]).removed == (track.id,)
    assert library.restore([track.id]).added == (track.id,)
    assert library.by_path(path) == track


def test_thousands_of_copies_are_no_burden(library: Library, music: Path) -> None:
    model = song(music / "model.mp3")
    for number in range(1500):
        os.link(model, music / f"{number:04d}.mp3")
    report = scanned(library, music)
    assert (report.added, report.moved) == (1501, 0)
    model.unlink()
    assert scanned(library, music).missing == 1


def test_the_case_of_a_name_may_change(library: Library, music: Path) -> None:
    path = song(music / "song.mp3")
    scanned(library, music)
    (track_id,) = library.search()
    path.rename(music / "Song.MP3")
    assert scanned(library, music).moved == 1
    assert library.search().tolist() == [track_id]


def test_discover_lists_files_and_faults_without_a_library(music: Path) -> None:
    path = song(music / "a.mp3")
    found = list(discover([music, music / "absent"]))
    assert found[0] == (path, None)
    assert found[1][0] == music / "absent"
    assert "does not exist" in str(found[1][1])


def test_scanning_with_a_closed_library_says_so(tmp_path: Path, music: Path) -> None:
    from library_db.errors import LibraryError

    song(music / "a.mp3")
    library = Library.open(tmp_path / "library")
    library.close()
    with pytest.raises(LibraryError, match="closed"):
        run_to_end(scan(library, [music]))


def test_a_scan_of_folders_without_music_can_be_cancelled(home: Path, tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "papers" / str(number)).mkdir(parents=True)
    with Library.open(home) as library:
        job = scan(library, [tmp_path / "papers"])
        steps = [next(job) for _ in range(30)]
        job.close()
    assert all(step.total == 0 for step in steps)
