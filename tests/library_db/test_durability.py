"""What must never happen to the database: kills, crowds, damage, full disks, newer versions."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from inference.emotion import Quadrant
from library_db import database as database_module
from library_db import recovery, store
from library_db.database import Database, on_network
from library_db.errors import LibraryBusy, LibraryCorrupt, LibraryError, LibraryTooNew
from library_db.library import Library
from library_db.playlists import OutsideFile, Playlist, Rule
from tests.library_db.helpers import is_root, make_tracks, rate, scanned, song

_WRITER = """
import random, sys
from pathlib import Path
from inference.emotion import EmotionEstimate, QUADRANTS
from library_db.library import EstimateRow, Library

rng = random.Random(int(sys.argv[2]))
with Library.open(Path(sys.argv[1])) as library:
    ids = library.search().tolist()
    print("ready", flush=True)
    for turn in range(int(sys.argv[3])):
        track_id, quadrant = rng.choice(ids), rng.choice(QUADRANTS)
        if turn % 3 == 2:
            weights = [rng.random() + 0.01 for _ in range(4)]
            estimate = EmotionEstimate.from_probabilities(weights, 0.5, "m%d" % turn)
            rows = [EstimateRow(i, "common", estimate, b"t" * 5000) for i in ids[:20]]
            library.set_estimates(rows)
            print("rated m%d" % turn, flush=True)
        else:
            library.correct(track_id, quadrant)
            print("corrected", track_id, quadrant.value, flush=True)
"""


def _writer(folder: Path, seed: int, turns: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder), str(seed), str(turns)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "library"
    with Library.open(folder) as library:
        ids = make_tracks(library, 40)
    process = _writer(folder, seed, 10_000)
    assert process.stdout is not None
    lines = random.Random(seed).randrange(3, 60)
    said = [process.stdout.readline().split() for _ in range(lines)]
    process.kill()
    said += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    corrected = {int(w[1]): w[2] for w in said if w[0] == "corrected" and len(w) == 3}
    rated = [int(w[1][1:]) for w in said if w[0] == "rated" and len(w) == 2]
    assert recovery.check(folder / "library.sqlite3") is None
    with Library.open(folder) as library:
        assert library.notices == ()
        # The one write that was under way may have been finished too.
        emotions = dict(zip(ids, library.emotions(ids), strict=True))
        labels = {i: e.user.quadrant.value for i, e in emotions.items() if e.user is not None}
        differing = {
            i for i in labels.keys() | corrected.keys() if labels.get(i) != corrected.get(i)
        }
        assert len(differing) <= 1
        assert corrected.keys() <= labels.keys()
        models = {e.common.model_id for i, e in emotions.items() if e.common and i in ids[:20]}
        assert len(models) <= 1, "a batch is written whole or not at all"
        if rated:
            assert int(models.pop()[1:]) >= rated[-1]


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    with Library.open(folder) as library:
        ids = make_tracks(library, 30)
        writers = [_writer(folder, seed, 40) for seed in (1, 2)]
        said = [writer.communicate(timeout=60)[0] for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0]
        assert all(text.count("\n") == 41 for text in said)
        changed = set(library.refresh().changed)
        corrected = {
            int(line.split()[1]) for text in said for line in text.splitlines() if "cor" in line
        }
        assert corrected <= changed
        assert {i for i in ids if library.emotion(i).user} == corrected
        stepwise = library.index.columns().quadrant.tolist()
    with Library.open(folder) as library:
        assert library.index.columns().quadrant.tolist() == stepwise


def test_many_processes_may_make_the_library_together(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from library_db.library import Library\n"
        "Library.open(Path(sys.argv[1])).close()"
    )
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "l")], stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    errors = [starter.communicate(timeout=60)[1] for starter in starters]
    assert errors == [b""] * 4


# damage


def _filled(folder: Path) -> list[int]:
    with Library.open(folder) as library:
        ids = make_tracks(library, 200)
        rate(library, *ids)
    with Library.open(folder) as library:  # makes the backup
        assert library.notices == ()
        assert len(library.search("mood:calm")) == 200
    assert len(list((folder / "backups").iterdir())) == 1
    return ids


def _overwrite(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


@pytest.mark.parametrize("kind", ["header", "pages", "text", "empty", "cut", "missing"])
def test_a_damaged_library_is_set_aside_and_its_backup_restored(tmp_path: Path, kind: str) -> None:
    ids = _filled(tmp_path)
    path = tmp_path / "library.sqlite3"
    size = path.stat().st_size
    if kind == "header":
        _overwrite(path, 0, b"garbage" * 20)
    elif kind == "pages":
        _overwrite(path, 4096, b"\xa5" * (size - 8192))
    elif kind == "text":
        path.write_text("this is not a database\n" * 1000)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        with path.open("r+b") as file:
            file.truncate(size // 2)
    else:
        path.unlink()
    damaged = path.read_bytes() if path.exists() else None
    with Library.open(tmp_path) as library:
        assert len(library.search("mood:calm")) == len(ids)
        (notice,) = library.notices
        assert "restored" in str(notice)
        if damaged is not None:
            (aside,) = tmp_path.glob("library-damaged-*.sqlite3")
            assert aside.read_bytes() == damaged
            assert aside.name in str(notice)
        library.correct(ids[0], Quadrant.HAHV)
    with Library.open(tmp_path) as library:
        assert library.notices == ()


def test_answers_newer_than_the_backup_are_read_from_the_damaged_file(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    with Library.open(tmp_path) as library:
        library.correct(ids[5], Quadrant.HALV)
    path = tmp_path / "library.sqlite3"
    with sqlite3.connect(path) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tracks_audio_hash'"
        ).fetchone()[0]
    connection.close()
    _overwrite(path, (root - 1) * 4096, b"\xa5" * 4096)
    with Library.open(tmp_path) as library:
        assert "1 of your own answers" in str(library.notices[0])
        assert library.emotion(ids[5]).quadrant is Quadrant.HALV
        assert library.search("is:corrected").tolist() == [ids[5]]


def test_playlists_newer_than_the_backup_are_read_from_the_damaged_file(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    lost = OutsideFile(Path("/gone/x.mp3"), "X", 3.0)
    with Library.open(tmp_path) as library:
        road = library.playlists.put(Playlist("Road", (ids[3], lost, ids[1])))
        rule = Rule("mood:calm", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
        smart = library.playlists.put(Playlist("Calm", rule=rule))
    path = tmp_path / "library.sqlite3"
    with sqlite3.connect(path) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tracks_audio_hash'"
        ).fetchone()[0]
    connection.close()
    _overwrite(path, (root - 1) * 4096, b"\xa5" * 4096)
    with Library.open(tmp_path) as library:
        assert "damaged" in str(library.notices[0])
        assert library.playlists.get(road).entries == (ids[3], lost, ids[1])
        assert library.playlists.get(smart).rule == rule
        assert [info.name for info in library.playlists.infos()] == ["Road", "Calm"]


def test_without_a_backup_the_answers_survive_and_are_found_again_by_a_scan(tmp_path: Path) -> None:
    path = song(tmp_path / "music" / "a.mp3")
    home = tmp_path / "home"
    with Library.open(home) as library:
        scanned(library, path)
        (track_id,) = library.search()
        library.correct(track_id, Quadrant.HALV)
    with sqlite3.connect(home / "library.sqlite3") as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tracks_rev'"
        ).fetchone()[0]
    connection.close()
    _overwrite(home / "library.sqlite3", (root - 1) * 4096, b"\xa5" * 4096)
    with Library.open(home) as library:
        assert "a new one was begun" in str(library.notices[0])
        scanned(library, path)
        track = library.by_path(path)
        assert track is not None
        assert (track.title, library.emotion(track.id).quadrant) == ("Song", Quadrant.HALV)


def test_a_damaged_backup_is_passed_over(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    (good,) = (tmp_path / "backups").iterdir()
    shutil.copy(good, good.with_name("library-29990101-000000.sqlite3"))
    _overwrite(good.with_name("library-29990101-000000.sqlite3"), 4096, b"\xa5" * 20000)
    (tmp_path / "library.sqlite3").write_bytes(b"junk" * 1000)
    with Library.open(tmp_path) as library:
        assert len(library.search()) == len(ids)


def test_a_damaged_file_that_another_process_has_open_is_left_alone(tmp_path: Path) -> None:
    _filled(tmp_path)
    with Library.open(tmp_path):
        path = tmp_path / "library.sqlite3"
        content = path.read_bytes()
        path.write_bytes(b"junk" * 1000)
        with pytest.raises(LibraryCorrupt, match="another Undertone") as caught:
            Library.open(tmp_path)
        assert "Close the other one" in caught.value.remedy
        assert not list(tmp_path.glob("*damaged*"))
        path.write_bytes(content)


def test_damaged_timelines_cost_only_themselves(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    (tmp_path / "analysis.sqlite3").write_bytes(b"junk" * 1000)
    with Library.open(tmp_path) as library:
        (notice,) = library.notices
        assert "set aside" in str(notice)
        assert library.timeline(ids[0]) is None
        assert len(library.search("mood:calm")) == len(ids)
        rate(library, ids[0])
        assert library.timeline(ids[0]) == b"timeline"


def test_timelines_damaged_while_open_do_not_stop_tagging(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    with Library.open(tmp_path) as library:
        path = tmp_path / "analysis.sqlite3"
        path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096))
        rate(library, *ids)
        assert library.timeline(ids[0]) == b"timeline"
        assert len(library.notices) == 1


def test_backups_are_few_and_not_made_at_each_start(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    folder = tmp_path / "backups"
    for number in range(recovery.BACKUPS_KEPT + 2):
        (folder / f"library-2020010{number}-000000.sqlite3").write_bytes(b"old")
    with Library.open(tmp_path) as library:
        library.correct(ids[0], Quadrant.HALV)
    before = sorted(path.name for path in folder.iterdir())
    Library.open(tmp_path).close()
    assert sorted(path.name for path in folder.iterdir()) == before
    Library.open(tmp_path, backup_after_s=0.0).close()
    after = sorted(folder.iterdir())
    assert len(after) == recovery.BACKUPS_KEPT
    assert recovery.check(after[-1], immutable=True) is None


def test_no_backup_is_a_notice_and_no_failure(tmp_path: Path) -> None:
    _filled(tmp_path)
    shutil.rmtree(tmp_path / "backups")
    (tmp_path / "backups").write_text("in the way")
    with Library.open(tmp_path) as library:
        assert "No backup" in str(library.notices[0])
        assert len(library.search()) == 200


# versions and foreign files


def test_a_newer_library_is_refused_untouched(tmp_path: Path) -> None:
    _filled(tmp_path)
    path = tmp_path / "library.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {store.SCHEMA_VERSION + 1}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(LibraryTooNew, match="newer version") as caught:
        Library.open(tmp_path)
    assert "Update" in caught.value.remedy
    assert path.read_bytes() == content
    assert not list(tmp_path.glob("*damaged*"))


def test_an_older_library_is_backed_up_and_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _filled(tmp_path)
    old = store.SCHEMA_VERSION

    def add_column(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE tracks ADD COLUMN rating INTEGER")

    monkeypatch.setattr(store, "SCHEMA_VERSION", old + 1)
    monkeypatch.setitem(store.MIGRATIONS, old, add_column)
    monkeypatch.setattr(recovery, "_STAMP", "%Y%m%d-%H%M%S-next")
    with Library.open(tmp_path) as library:
        assert len(library.search()) == len(ids)
        assert library.store.rows("SELECT rating FROM tracks LIMIT 1") == [(None,)]
    assert len(list((tmp_path / "backups").iterdir())) == 2


def test_a_library_without_peaks_reads_songs_with_replaygain_again(tmp_path: Path) -> None:
    ids = _filled(tmp_path)
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        for name in ("peak_track", "peak_album"):
            connection.execute(f"ALTER TABLE tracks DROP COLUMN {name}")
        connection.execute("UPDATE tracks SET gain_track_db = -6.0 WHERE id = ?", (int(ids[0]),))
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with Library.open(tmp_path) as library:
        track = library.track(int(ids[0]))
        assert track is not None
        assert (track.gain_track_db, track.peak_track, track.mtime_ns) == (-6.0, None, -1)
        assert library.store.rows("SELECT count(*) FROM tracks WHERE mtime_ns = -1") == [(1,)]


def test_a_migration_that_fails_leaves_the_old_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _filled(tmp_path)

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM tracks")
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setitem(store.MIGRATIONS, store.SCHEMA_VERSION, fail)
        patched.setattr(store, "SCHEMA_VERSION", store.SCHEMA_VERSION + 1)
        with pytest.raises(RuntimeError):
            Library.open(tmp_path)
    with Library.open(tmp_path) as library:
        assert len(library.search()) == len(ids)


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(LibraryError, match="not an Undertone library"):
        Library.open(tmp_path)
    assert path.read_bytes() == content


# refusals of the system


def test_a_locked_library_says_so_after_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Database.__init__, "__kwdefaults__", {"wal": None, "timeout_s": 0.05})
    with Library.open(tmp_path) as library, Library.open(tmp_path) as other:
        (track_id,) = make_tracks(library, 1)
        with other.store.database.transaction(), pytest.raises(LibraryBusy) as caught:
            library.correct(track_id, Quadrant.HALV)
        assert caught.value.remedy
        library.correct(track_id, Quadrant.HALV)


def test_a_full_disk_loses_only_the_last_change(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        ids = make_tracks(library, 50)
        library.correct(ids[0], Quadrant.HAHV)
        writer = library.store.database._writer
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LibraryError, match="disk is full") as caught:
            make_tracks_elsewhere(library)
        assert "Free some space" in caught.value.remedy
        assert len(library.search()) == 50
        writer.execute("PRAGMA max_page_count = 1000000")
        library.correct(ids[1], Quadrant.LALV)
    with Library.open(tmp_path) as library:
        assert len(library.search("is:corrected")) == 2


def make_tracks_elsewhere(library: Library) -> None:
    from library_db.files import ScanBatch

    library.write_scan(
        ScanBatch(
            added=[
                {"path": f"/other/{i}".encode(), "title": "x" * 400, "scan_error": None}
                for i in range(2000)
            ]
        )
    )


@pytest.mark.skipif(is_root(), reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    _filled(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LibraryError) as caught:
            Library.open(tmp_path)
        assert "--home" in caught.value.remedy
    finally:
        tmp_path.chmod(0o700)


def test_a_refused_write_is_an_error_with_a_remedy_and_changes_nothing(library: Library) -> None:
    (track_id,) = make_tracks(library, 1)
    library.store.database._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(LibraryError, match="cannot be written") as caught:
        library.correct(track_id, Quadrant.HALV)
    assert "--home" in caught.value.remedy
    library.store.database._writer.execute("PRAGMA query_only = OFF")
    assert library.emotion(track_id).user is None
    library.correct(track_id, Quadrant.HALV)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LibraryError, match="cannot be made") as caught:
        Library.open(tmp_path / "file" / "library")
    assert "--home" in caught.value.remedy


def test_sqlites_refusals_become_errors_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    (tmp_path / "library.sqlite3").mkdir()
    with pytest.raises(LibraryError) as caught:
        Library.open(tmp_path)
    assert caught.value.remedy
    assert str(path) in caught.value.message


def test_no_wal_on_network_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/my\\040nas nfs4 rw 0 0\n"
        f"/dev/sdb {tmp_path}/my\\040nas/local ext4 rw 0 0\n"
    )
    assert not on_network(tmp_path, mounts)
    assert on_network(tmp_path / "my nas" / "home", mounts)
    assert not on_network(tmp_path / "my nas" / "local", mounts)
    assert not on_network(tmp_path, tmp_path / "absent")
    monkeypatch.setattr(database_module, "on_network", lambda folder: True)
    with Library.open(tmp_path / "l") as library:
        ids = make_tracks(library, 3)
        library.correct(ids[0], Quadrant.HALV)
        assert not list((tmp_path / "l").glob("*-wal"))
        with Library.open(tmp_path / "l") as other:
            assert len(other.search()) == 3
