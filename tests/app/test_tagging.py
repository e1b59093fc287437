"""Batch tagging: every song gets a row, faults are values, and what was finished is never lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.tagging import TagFault, TagOptions, TagReport, TagRow, tag
from inference.emotion import Quadrant
from inference.job import Job
from library_db.library import Library
from tests.app.ear_model import EAR, ear_model
from tests.audio_files import write_audio

HERE = TagOptions(jobs=0)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def commit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Songs of a second take milliseconds; real ones take longer than a commit is put off."""
    monkeypatch.setattr("app.tagging.COMMIT_AFTER_S", 0.0)


def run(
    library: Library, *paths: Path, options: TagOptions = HERE
) -> tuple[dict[Path, TagRow], TagReport]:
    return collect(tag(library, paths, options, model=ear_model()))


def collect(job: Job[TagReport]) -> tuple[dict[Path, TagRow], TagReport]:
    rows: dict[Path, TagRow] = {}
    while True:
        try:
            progress = next(job)
        except StopIteration as stop:
            return rows, stop.value
        if isinstance(progress.item, TagRow):
            assert progress.item.path not in rows, "one row a song"
            rows[progress.item.path] = progress.item


def songs(folder: Path, *names: str) -> list[Path]:
    """Short songs, each with audio of its own."""
    return [
        write_audio(folder / name, duration_s=1.0, kind="noise", seed=number, title=name)
        for number, name in enumerate(names)
    ]


def test_each_song_gets_a_finite_normalised_row(library: Library, music_folder: Path) -> None:
    rows, report = run(library, music_folder)
    assert (report.done, report.up_to_date, report.failed) == (6, 0, ())
    assert len(rows) == 6
    for row in rows.values():
        fields = row.to_json()
        assert list(fields) == [
            *("path", "duration_s", "quadrant", "probabilities", "valence", "arousal"),
            *("confidence", "possible", "valence_interval", "arousal_interval"),
            *("model", "adapted", "seconds", "error"),
        ]
        assert list(fields["probabilities"]) == ["HAHV", "HALV", "LAHV", "LALV"]
        assert sum(fields["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        best = max(fields["probabilities"], key=lambda name: fields["probabilities"][name])
        assert fields["quadrant"] == best
        assert -1 <= fields["valence"] <= 1
        assert -1 <= fields["arousal"] <= 1
        assert fields["seconds"] > 0
        assert fields["model"] == EAR
        assert fields["error"] is None


def test_a_second_run_classifies_nothing_and_says_the_same(
    library: Library, music_folder: Path
) -> None:
    first, _ = run(library, music_folder)
    second, report = run(library, music_folder)
    assert (report.done, report.up_to_date) == (0, 6)
    for path, row in second.items():
        assert row.seconds is None
        assert {**row.to_json(), "seconds": 0} == {**first[path].to_json(), "seconds": 0}


def test_what_is_kept_for_the_library(library: Library, music_folder: Path) -> None:
    rows, _ = run(library, music_folder)
    for row in rows.values():
        assert row.track_id is not None
        assert library.emotion(row.track_id).common == row.estimate
        assert library.timeline(row.track_id)
        assert library.features(row.track_id, "test-bands")


def test_force_classifies_again_and_a_correction_stays(
    library: Library, music_folder: Path
) -> None:
    rows, _ = run(library, music_folder)
    track_id = next(iter(rows.values())).track_id
    assert track_id is not None
    library.correct(track_id, Quadrant.LALV)
    _, report = run(library, music_folder, options=TagOptions(jobs=0, force=True))
    assert report.done == 6
    assert library.emotion(track_id).quadrant is Quadrant.LALV


def test_new_tags_do_not_make_a_song_stale_and_new_audio_does(
    library: Library, tmp_path: Path
) -> None:
    retagged, changed = songs(tmp_path / "m", "a.mp3", "b.mp3")
    run(library, tmp_path / "m")
    from mutagen.easyid3 import EasyID3

    tags = EasyID3(retagged)
    tags["title"] = "Another"
    tags.save()
    write_audio(changed, duration_s=1.5, kind="chord")
    rows, report = run(library, tmp_path / "m")
    assert (report.done, report.up_to_date) == (1, 1)
    assert rows[changed].seconds is not None
    track = library.by_path(retagged)
    assert track is not None
    assert track.title == "Another"


def test_workers_and_the_calling_thread_give_the_same_rows(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    songs(folder, *(f"{n}.mp3" for n in range(5)))
    here, _ = run(library, folder)
    for jobs in (1, 2):
        there, _ = run(library, folder, options=TagOptions(jobs=jobs, force=True))
        assert {p: r.estimate for p, r in there.items()} == {p: r.estimate for p, r in here.items()}


def test_files_that_break_a_worker_are_named_and_the_rest_is_tagged(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    songs(folder, "a.mp3", "segfault.mp3", "hang.mp3", "killed.mp3", "bug.mp3", "z.mp3")
    options = TagOptions(jobs=2, limit_s=2.0, limit_factor=0.0)
    rows, report = run(library, folder, options=options)
    reasons = {fault.path.stem: fault.reason for fault in report.failed}
    assert set(reasons) == {"segfault", "hang", "killed", "bug"}
    assert "Segmentation" in reasons["segfault"]
    assert "not finished after 2 s" in reasons["hang"]
    assert "nobody expected this" in reasons["bug"]
    assert rows[folder / "a.mp3"].estimate
    assert rows[folder / "z.mp3"].estimate
    # What would happen again is not tried again; what was bad luck is.
    again, _ = run(library, folder, options=options)
    assert again[folder / "segfault.mp3"].error == reasons["segfault"]
    stale = library.stale(library.under([folder]), EAR)
    names = {track.path.stem for track in library.tracks(stale)}
    assert names == {"killed", "bug"}


def test_workers_can_let_others_go_first(library: Library, tmp_path: Path) -> None:
    songs(tmp_path / "m", "nice.mp3")
    mine = os.nice(0)
    _, report = run(library, tmp_path / "m", options=TagOptions(jobs=1, niceness=3))
    assert report.failed[0].reason == f"niceness {mine + 3}"
    assert os.nice(0) == mine


def test_bad_files_and_paths_each_have_a_row_with_a_reason(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    (good,) = songs(folder, "good.mp3")
    whole = good.read_bytes()
    (folder / "empty.mp3").touch()
    (folder / "text.mp3").write_text("this is no music, it only has its name\n" * 50)
    write_audio(folder / "short.mp3", duration_s=0.2)
    (folder / "cut.flac").write_bytes(
        write_audio(tmp_path / "x.flac", kind="noise", duration_s=1).read_bytes()[:300]
    )
    rows, report = run(library, folder, tmp_path / "not there", tmp_path / "no.txt")
    failed = {fault.path.name for fault in report.failed}
    assert failed == {"empty.mp3", "text.mp3", "short.mp3", "cut.flac", "not there", "no.txt"}
    assert all(rows[fault.path].error == fault.reason for fault in report.failed)
    assert all(fault.reason.strip() for fault in report.failed)
    assert "0.2 s" in (rows[folder / "short.mp3"].error or "")
    assert rows[good].estimate is not None
    assert good.read_bytes() == whole, "music files are only read"
    again, second = run(library, folder)
    assert second.done == 0
    assert {fault.path.name for fault in second.failed} == failed - {"not there", "no.txt"}
    assert again.keys() == rows.keys() - {tmp_path / "not there", tmp_path / "no.txt"}


def test_nothing_but_a_missing_path_is_a_failure_too(library: Library, tmp_path: Path) -> None:
    _, report = run(library, tmp_path / "gone")
    assert report.failed == (TagFault(tmp_path / "gone", report.failed[0].reason),)


def test_copies_are_classified_once_and_each_has_its_row(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (first,) = songs(folder, "slow.mp3")
    for name in ("slow copy.mp3", "slow copy 2.mp3"):
        shutil.copy(first, folder / name)
    rows, report = run(library, folder)
    assert report.done == 3
    assert len({row.estimate for row in rows.values()}) == 1
    assert sorted(row.seconds or 0 for row in rows.values())[1] < 0.3, "the copies took no time"


def test_songs_are_named_once_however_often_they_are_given(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    first, _ = songs(folder, "a.mp3", "sub/b.mp3")
    (folder / "loop").symlink_to(folder)
    rows, _ = run(library, first, folder, folder / "sub", folder)
    assert sorted(path.name for path in rows) == ["a.mp3", "b.mp3"]


def test_names_that_are_no_text_or_hold_a_line_break(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (plain,) = songs(folder, "plain.mp3")
    odd = [
        Path(os.fsdecode(os.fsencode(folder) + name))
        for name in (b"/caf\xe9.mp3", b"/two\nlines.mp3")
    ]
    for number, path in enumerate(odd):
        write_audio(path, duration_s=1.0, kind="noise", seed=50 + number)
    rows, report = run(library, folder, options=TagOptions(jobs=1))
    assert report.failed == ()
    assert rows.keys() == {plain, *odd}
    import json

    for path, row in rows.items():
        assert os.fsencode(json.loads(json.dumps(row.to_json()))["path"]) == os.fsencode(path)


@pytest.mark.usefixtures("commit_at_once")
def test_closing_the_job_keeps_finished_songs(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    songs(folder, *(f"{n}.mp3" for n in range(6)))
    job = tag(library, [folder], HERE, model=ear_model())
    for progress in job:
        if isinstance(progress.item, TagRow):
            break
    job.close()
    left = library.stale(library.under([folder]), EAR)
    assert 0 < len(left) < 6
    _, report = run(library, folder)
    assert report.done == len(left)


def test_a_row_is_committed_before_it_is_given(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    songs(folder, *(f"{n}.mp3" for n in range(4)))
    with Library.open(tmp_path / "library") as other:
        for progress in tag(library, [folder], TagOptions(jobs=1), model=ear_model()):
            if isinstance(progress.item, TagRow):
                assert progress.item.track_id is not None
                assert other.emotion(progress.item.track_id).common == progress.item.estimate


def test_a_file_that_changes_while_it_is_tagged_is_named_and_tried_again(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    a, b = songs(folder, "a.mp3", "b.mp3")
    job = tag(library, [folder], HERE, model=ear_model())
    rows = {}
    for progress in job:
        if isinstance(progress.item, TagRow):
            rows[progress.item.path] = progress.item
        elif progress.total and b not in rows and progress.done == 0:
            write_audio(b, duration_s=2.0, kind="chord", frequency_hz=300)
    assert rows[a].estimate is not None
    assert "changed while" in (rows[b].error or "")
    again, report = run(library, folder)
    assert report.failed == ()
    assert again[b].estimate is not None


@pytest.mark.usefixtures("commit_at_once")
def test_two_runs_at_once_share_the_work(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    songs(folder, *(f"{n}.mp3" for n in range(8)))
    with Library.open(tmp_path / "library") as other:
        jobs = [tag(one, [folder], HERE, model=ear_model()) for one in (library, other)]
        reports = {}
        while len(reports) < 2:
            for number, job in enumerate(jobs):
                if number not in reports:
                    try:
                        next(job)
                    except StopIteration as stop:
                        reports[number] = stop.value
    done = sum(report.done for report in reports.values())
    assert 8 <= done <= 9, "at most the song in flight twice"
    assert all(report.done + report.up_to_date == 8 for report in reports.values())
    assert library.stale(library.under([folder]), EAR) == []


def test_a_dry_run_writes_nothing(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    songs(folder, "a.mp3", "b.mp3")
    run(library, folder / "a.mp3")
    (folder / "empty.mp3").touch()
    rows, report = run(library, folder, options=TagOptions(dry_run=True))
    assert (report.done, report.up_to_date) == (2, 1)
    assert rows[folder / "a.mp3"].estimate is not None
    assert rows[folder / "b.mp3"].estimate is None
    assert rows[folder / "b.mp3"].error is None
    assert library.by_path(folder / "b.mp3") is None


def test_a_cancelled_song_ends_the_run(
    library: Library, tmp_path: Path, make_audio: Callable[..., Path]
) -> None:
    folder = tmp_path / "m"
    songs(folder, "a.mp3")
    job = tag(library, [folder], HERE, model=ear_model(), cancelled=lambda: True)
    from inference.audio.errors import Cancelled

    with pytest.raises(Cancelled):
        collect(job)
    assert len(library.stale(library.under([folder]), EAR)) == 1
