"""A library of its own: learned when it is large enough, and every song then stands by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.adaptation_state import adaptation_state
from app.adapting import stored
from app.tagging import TagOptions, TagReport, TagRow, tag
from inference.emotion import EmotionEstimate, Quadrant
from inference.job import run_to_end
from library_db.adaptation import is_adapted
from library_db.changes import ChangeSet
from library_db.library import EstimateRow, Library
from tests.app.ear_model import EAR, FRONT_END, ear_model
from tests.audio_files import write_audio

MODEL = ear_model("1", FRONT_END, adapts=True)


@dataclass
class Ran:
    report: TagReport
    rows: dict[str, TagRow] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """70 different songs, made once."""
    folder = tmp_path_factory.mktemp("songs")
    return [
        write_audio(folder / f"{n:02}.mp3", duration_s=0.6, kind="noise", seed=n) for n in range(70)
    ]


def put(folder: Path, songs: list[Path]) -> Path:
    folder.mkdir(exist_ok=True)
    for song in songs:
        (folder / song.name).write_bytes(song.read_bytes())
    return folder


def run(library: Library, folder: Path, **options: object) -> Ran:
    jobs = options.pop("jobs", 0)
    job = tag(library, [folder], TagOptions(jobs=jobs, **options), model=MODEL)  # type: ignore[arg-type]
    rows: dict[str, TagRow] = {}
    touched: list[int] = []
    while True:
        try:
            item = next(job).item
        except StopIteration as stop:
            return Ran(stop.value, rows, touched)
        if isinstance(item, TagRow):
            assert item.path.name not in rows, "one row a song"
            rows[item.path.name] = item
        elif isinstance(item, ChangeSet):
            touched += item.touched


def keys(library: Library) -> dict[str, str]:
    rows = library.store.rows("SELECT path, common_model FROM tracks WHERE hidden IS NULL")
    return {bytes(path).rpartition(b"/")[2].decode(): key for path, key in rows}


def kept(library: Library, rows: dict[str, TagRow]) -> dict[str, EmotionEstimate | None]:
    return {n: library.emotion(r.track_id).common for n, r in rows.items() if r.track_id}


def test_below_30_songs_nothing_is_learned(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    ran = run(library, put(tmp_path / "m", originals[:29]))
    assert (ran.report.done, ran.touched) == (29, [])
    assert stored(library, MODEL) is None
    assert set(keys(library).values()) == {f"{EAR}@1"}


def test_with_30_songs_every_row_is_final_and_by_the_library(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:29])
    before = run(library, folder).rows
    put(folder, originals[:30])
    ran = run(library, folder)
    found = stored(library, MODEL)
    assert found is not None
    assert (found.version, found.songs) == (1, 30)
    assert set(keys(library).values()) == {f"{EAR}@1~{found.name}"}
    assert all(map(is_adapted, keys(library).values()))
    assert kept(library, ran.rows) == {n: r.estimate for n, r in ran.rows.items()}
    assert any(ran.rows[n].estimate != before[n].estimate for n in before)
    assert ran.report.done == 30
    again = run(library, folder)
    assert (again.report.done, again.report.up_to_date, again.touched) == (0, 30, [])
    assert {n: r.estimate for n, r in again.rows.items()} == kept(library, again.rows)


def test_what_was_learned_is_told(library: Library, tmp_path: Path, originals: list[Path]) -> None:
    folder = put(tmp_path / "m", originals[:29])
    run(library, folder)
    state = adaptation_state(library, MODEL, on=True)
    assert (state.version, state.heard, state.needed, state.rated) == (None, 29, 30, 0)
    assert "29 of 30" in state.words
    put(folder, originals[:30])
    begin_s = time.time()
    run(library, folder)
    state = adaptation_state(library, MODEL, on=True)
    assert (state.version, state.songs, state.rated, state.needed) == (1, 30, 30, 60)
    assert state.learned_s is not None
    assert begin_s <= state.learned_s <= time.time()
    assert state.to_json()["learned"] == state.since
    run(library, folder, adapt=False)
    state = adaptation_state(library, MODEL, on=False)
    assert (state.version, state.rated) == (1, 0)
    assert state.words.startswith("switched off")
    assert not adaptation_state(library, ear_model("1", FRONT_END), on=True).can


@pytest.mark.parametrize("jobs", [1, 2])
def test_workers_say_the_same(tmp_path: Path, originals: list[Path], jobs: int) -> None:
    folder = put(tmp_path / "m", originals[:40])
    with Library.open(tmp_path / "here") as here, Library.open(tmp_path / "there") as there:
        one, other = run(here, folder), run(there, folder, jobs=jobs)
        assert keys(here) == keys(there)
    assert {n: r.estimate for n, r in one.rows.items()} == {
        n: r.estimate for n, r in other.rows.items()
    }
    assert all(row.seconds for row in other.rows.values())


def test_it_learns_again_when_the_library_has_doubled(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:30])
    run(library, folder)
    put(folder, originals[:59])
    more = run(library, folder)
    assert (more.report.done, more.report.up_to_date) == (29, 30)
    assert stored(library, MODEL).version == 1  # type: ignore[union-attr]
    assert more.touched == [], "rows come at once where nothing can be learned"
    put(folder, originals[:60])
    doubled = run(library, folder)
    found = stored(library, MODEL)
    assert found is not None
    assert (found.version, found.songs) == (2, 60)
    assert set(keys(library).values()) == {f"{EAR}@1~{found.name}"}
    assert doubled.report.done == 60


def test_songs_of_other_folders_come_along(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    first, second = put(tmp_path / "a", originals[:20]), put(tmp_path / "b", originals[20:40])
    run(library, first)
    ran = run(library, second)
    assert len(ran.rows) == 20
    assert len(set(keys(library).values())) == 1
    mine = {row.track_id for row in ran.rows.values()}
    assert len(set(ran.touched) - mine) == 20


def test_switching_rates_from_what_was_kept(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:30])
    on = run(library, folder).rows
    for path in folder.iterdir():  # same size and time: only decoding could tell
        state = path.stat()
        path.write_bytes(bytes(state.st_size))
        import os

        os.utime(path, ns=(state.st_mtime_ns, state.st_mtime_ns))
    off = run(library, folder, adapt=False)
    assert (off.report.done, off.report.failed) == (30, ())
    assert set(keys(library).values()) == {f"{EAR}@1"}
    assert any(off.rows[n].estimate != on[n].estimate for n in on)
    back = run(library, folder)
    assert back.report.failed == ()
    assert {n: r.estimate for n, r in back.rows.items()} == {n: r.estimate for n, r in on.items()}


def test_one_run_may_differ_without_moving_the_library(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:31])
    run(library, folder)
    run(library, folder / "00.mp3", adapt=False, whole_library=False)
    plain = [name for name, key in keys(library).items() if not is_adapted(key)]
    assert plain == ["00.mp3"]


def test_a_run_that_dies_is_completed_by_the_next(
    library: Library, tmp_path: Path, originals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path / "m", originals[:32])
    monkeypatch.setattr("app.rerating._SONGS_AT_ONCE", 5)
    job = tag(library, [folder], TagOptions(jobs=0), model=MODEL)
    seen = 0
    for progress in job:
        if stored(library, MODEL) is not None and isinstance(progress.item, ChangeSet):
            seen += 1
            if seen == 7:
                break
    job.close()
    assert len(set(keys(library).values())) > 1, "half done"
    ran = run(library, folder)
    assert len(set(keys(library).values())) == 1
    with Library.open(tmp_path / "other") as other:
        straight = run(other, folder)
    assert {n: r.estimate for n, r in ran.rows.items()} == {
        n: r.estimate for n, r in straight.rows.items()
    }


def test_one_song_many_times_is_no_library(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.mp3").write_bytes(originals[0].read_bytes())
    run(library, folder)
    assert stored(library, MODEL) is None
    assert not any(map(is_adapted, keys(library).values()))


def test_a_damaged_record_is_learned_anew(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:30])
    right = run(library, folder)
    library.analysis.put_adaptation(FRONT_END, b"UTLS damaged", 30)
    assert stored(library, MODEL) is None
    again = run(library, folder)
    found = stored(library, MODEL)
    assert found is not None
    assert found.version == 3
    assert {n: r.estimate for n, r in again.rows.items()} == {
        n: r.estimate for n, r in right.rows.items()
    }


def test_what_another_front_end_taught_is_not_used(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    run(library, put(tmp_path / "m", originals[:30]))
    other = ear_model("1", "others", adapts=True)
    data = library.analysis.adaptation(FRONT_END).data  # type: ignore[union-attr]
    library.analysis.put_adaptation("others", data, 30)
    assert stored(library, other) is None


def test_damaged_features_are_heard_again(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:31])
    first = run(library, folder, adapt=False).rows
    row = first["05.mp3"]
    assert row.track_id is not None
    library.set_estimates(
        [EstimateRow(row.track_id, "common", row.estimate, None, b"no", FRONT_END, revision="1")]
    )
    ran = run(library, folder)
    assert ran.report.failed == ()
    assert len(set(keys(library).values())) == 1
    with Library.open(tmp_path / "other") as other:
        straight = run(other, folder)
    assert len(straight.rows) == len(ran.rows)


def test_failures_are_not_tried_again_because_the_library_grew(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:29])
    (folder / "text.mp3").write_text("no music " * 200)
    write_audio(folder / "short.mp3", duration_s=0.2, kind="noise", seed=99)
    run(library, folder)
    put(folder, originals[:30])
    ran = run(library, folder)
    assert stored(library, MODEL) is not None
    assert ran.rows["short.mp3"].error
    short = library.by_path(folder / "short.mp3")
    assert short is not None
    revision = next(iter(keys(library).values())).partition("@")[2]
    assert library.stale([short.id], EAR, revision, failed_with="1") == []


def test_a_correction_stays(library: Library, tmp_path: Path, originals: list[Path]) -> None:
    folder = put(tmp_path / "m", originals[:29])
    track_id = run(library, folder).rows["00.mp3"].track_id
    assert track_id is not None
    library.correct(track_id, Quadrant.LALV)
    put(folder, originals[:30])
    run(library, folder)
    assert library.emotion(track_id).source == "user"


def test_force_hears_everything_and_keeps_to_the_library(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:30])
    first = run(library, folder)
    again = run(library, folder, force=True)
    assert again.report.done == 30
    assert {n: r.estimate for n, r in again.rows.items()} == {
        n: r.estimate for n, r in first.rows.items()
    }


@pytest.mark.parametrize(
    "before",
    [
        "",
        "CREATE TABLE adaptations "
        "(front_end TEXT PRIMARY KEY, version INTEGER, songs INTEGER, data BLOB)",
    ],
)
def test_a_library_of_an_older_version_gets_the_table(tmp_path: Path, before: str) -> None:
    with (
        Library.open(tmp_path / "library") as library,
        library.analysis._database.transaction() as connection,
    ):
        connection.execute("DROP TABLE adaptations")
        if before:
            connection.execute(before)
    with Library.open(tmp_path / "library") as library:
        assert library.analysis.adaptation("f") is None
        assert library.analysis.put_adaptation("f", b"x", 30).version == 1


def test_a_model_that_cannot_learns_nothing(
    library: Library, tmp_path: Path, originals: list[Path]
) -> None:
    folder = put(tmp_path / "m", originals[:30])
    run_to_end(tag(library, [folder], TagOptions(jobs=0), model=ear_model("1", FRONT_END)))
    assert library.analysis.adaptation(FRONT_END) is None
