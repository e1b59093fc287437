"""A new version of a model rates what was heard before, without hearing it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.rerating import RateTask, load_rater
from app.tagging import TagOptions, TagReport, TagRow, tag
from inference.emotion import Quadrant
from library_db.library import EstimateRow, Library
from tests.app.ear_model import EAR, FRONT_END, ear_model
from tests.audio_files import write_audio


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        write_audio(tmp_path / "m" / f"{number}.mp3", duration_s=1.0, kind="noise", seed=number)
    return tmp_path / "m"


def run(
    library: Library,
    folder: Path,
    revision: str,
    *,
    front_end: str = FRONT_END,
    jobs: int = 0,
    force: bool = False,
) -> tuple[dict[str, TagRow], TagReport]:
    rows: dict[str, TagRow] = {}
    job = tag(
        library,
        [folder],
        TagOptions(jobs=jobs, force=force),
        model=ear_model(revision, front_end),
    )
    while True:
        try:
            progress = next(job)
        except StopIteration as stop:
            return rows, stop.value
        if isinstance(progress.item, TagRow):
            assert progress.item.path.name not in rows, "one row a song"
            rows[progress.item.path.name] = progress.item


@pytest.mark.parametrize("jobs", [0, 2])
def test_another_revision_rates_from_what_was_kept(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    first, _ = run(library, folder, "1")
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    for path in folder.iterdir():  # same size and time: only decoding could tell
        data = path.read_bytes()
        path.write_bytes(bytes(len(data)))
        import os

        os.utime(path, ns=(times[path], times[path]))
    second, report = run(library, folder, "2", jobs=jobs)
    assert (report.done, report.up_to_date, report.failed) == (4, 0, ())
    for name, row in second.items():
        before = first[name].estimate
        assert before is not None
        assert row.estimate is not None
        assert row.seconds is not None
        assert row.estimate.model_id == EAR
        assert row.estimate.probabilities == pytest.approx(before.probabilities[::-1], abs=1e-6)
        assert row.duration_s == first[name].duration_s
        assert row.track_id is not None
        assert library.emotion(row.track_id).common == row.estimate
        assert library.timeline(row.track_id)
    third, report = run(library, folder, "2", jobs=jobs)
    assert (report.done, report.up_to_date) == (0, 4)
    assert {name: row.estimate for name, row in third.items()} == {
        name: row.estimate for name, row in second.items()
    }


def test_another_front_end_hears_again(library: Library, folder: Path) -> None:
    first, _ = run(library, folder, "1")
    second, report = run(library, folder, "2", front_end="others")
    assert report.done == 4
    assert {n: r.estimate for n, r in second.items()} == {n: r.estimate for n, r in first.items()}


def test_what_has_no_features_is_heard_and_force_hears_everything(
    library: Library, folder: Path
) -> None:
    first, _ = run(library, folder, "1")
    write_audio(folder / "0.mp3", duration_s=1.0, kind="noise", seed=77)
    write_audio(folder / "new.mp3", duration_s=1.0, kind="noise", seed=78)
    rows, report = run(library, folder, "2")
    assert report.done == 5
    heard, _ = run(library, folder, "2", force=True)
    same = {name for name in rows if rows[name].estimate == heard[name].estimate}
    assert same == {"0.mp3", "new.mp3"}, "the others were rated by the other head"
    assert all(heard[name].estimate == first[name].estimate for name in ("1.mp3", "2.mp3"))


def test_damaged_features_are_made_again(library: Library, folder: Path) -> None:
    first, _ = run(library, folder, "1")
    track_id = first["1.mp3"].track_id
    assert track_id is not None
    estimate = first["1.mp3"].estimate
    library.set_estimates(
        [EstimateRow(track_id, "common", estimate, None, b"damaged", FRONT_END, revision="1")]
    )
    rows, report = run(library, folder, "2")
    assert (report.done, report.failed) == (4, ())
    assert rows["1.mp3"].estimate == estimate, "heard again"


def test_a_correction_survives_a_new_version(library: Library, folder: Path) -> None:
    rows, _ = run(library, folder, "1")
    track_id = rows["0.mp3"].track_id
    assert track_id is not None
    library.correct(track_id, Quadrant.LALV)
    run(library, folder, "2")
    assert library.emotion(track_id).source == "user"


def test_a_rater_leaves_out_what_it_cannot_read() -> None:
    rate = load_rater(ear_model("2", FRONT_END).load)
    assert rate(RateTask(((1, "h", b""), (2, "h", b"UTSF nonsense")))) == ()
