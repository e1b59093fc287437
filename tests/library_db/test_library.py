"""The facade: layers of emotion, what is stale, undo, two libraries on one file."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from inference.emotion import MoodPoint, Quadrant
from library_db.changes import ChangeSet
from library_db.emotion_layers import TrackEmotion, UserLabel, effective
from library_db.files import ScanBatch
from library_db.library import EstimateRow, Library
from tests.audio_files import tiny_png
from tests.library_db.helpers import estimate, make_tracks, rate, scanned, song

CALM = estimate(0.1, 0.1, 0.7, 0.1)
SAD = estimate(0.1, 0.1, 0.1, 0.7, model_id="mine")


def test_the_user_comes_before_the_personal_and_the_common_model() -> None:
    label = UserLabel(Quadrant.HALV, None, 5.0)
    assert effective(None, None, None) is None
    assert TrackEmotion(CALM).source == "common"
    assert TrackEmotion(CALM, SAD).quadrant is Quadrant.LALV
    assert TrackEmotion(CALM, SAD).confidence == pytest.approx(0.7)
    full = TrackEmotion(CALM, SAD, label)
    assert (full.quadrant, full.source, full.confidence) == (Quadrant.HALV, "user", 1.0)
    assert full.mood == Quadrant.HALV.centre
    assert TrackEmotion().mood is None


def test_a_label_without_a_point_stays_where_the_model_agrees() -> None:
    assert TrackEmotion(CALM, None, UserLabel(Quadrant.LAHV)).mood == CALM.mood
    point = MoodPoint(0.9, -0.9)
    assert TrackEmotion(CALM, None, UserLabel(Quadrant.LAHV, point)).mood == point


def test_index_and_facade_agree_on_every_track(library: Library) -> None:
    ids = make_tracks(library, 8)
    for bit, i in enumerate(ids):
        if bit & 1:
            library.set_estimates([EstimateRow(i, "common", CALM)])
        if bit & 2:
            library.set_estimates([EstimateRow(i, "personal", SAD)])
        if bit & 4:
            library.correct(i, Quadrant.HALV)
    columns = library.index.columns()
    for row, emotion in enumerate(library.emotions(ids)):
        quadrant = -1 if emotion.quadrant is None else emotion.quadrant.position
        assert columns.quadrant[row] == quadrant
        if emotion.mood is not None:
            assert columns.valence[row] == pytest.approx(emotion.mood.valence, abs=1e-6)
            assert columns.arousal[row] == pytest.approx(emotion.mood.arousal, abs=1e-6)
            assert columns.confidence[row] == pytest.approx(emotion.confidence, abs=1e-6)
        else:
            assert np.isnan(columns.valence[row])


def test_no_model_overwrites_a_correction_and_undo_restores(library: Library) -> None:
    (track_id,) = make_tracks(library, 1)
    rate(library, track_id)
    point = MoodPoint(0.3, 0.4)
    assert library.correct(track_id, point) == ChangeSet(changed=(track_id,))
    former = library.emotion(track_id).user
    assert former is not None
    assert (former.quadrant, former.mood) == (Quadrant.HAHV, point)
    library.correct(track_id, Quadrant.LALV)
    rate(library, track_id, model_id="m2")
    assert library.emotion(track_id).quadrant is Quadrant.LALV
    library.correct(track_id, former)
    assert library.emotion(track_id).user == former
    library.correct(track_id, None)
    assert library.emotion(track_id).source == "common"


def test_many_corrections_are_one_commit_or_none(library: Library) -> None:
    ids = make_tracks(library, 3)
    changes = library.correct_many(dict.fromkeys(ids, Quadrant.HAHV))
    assert changes.changed == tuple(ids)
    with pytest.raises(KeyError):
        library.correct_many({ids[0]: Quadrant.LALV, 999: Quadrant.LALV})
    assert library.emotion(ids[0]).quadrant is Quadrant.HAHV


def test_stale_is_what_the_model_has_not_yet_done(library: Library) -> None:
    ids = make_tracks(library, 6)
    assert library.stale(ids, "m1") == ids
    rate(library, ids[0])
    library.set_failed([(ids[1], "too short", "m1"), (ids[2], "worker died", ""), (99, "x", "m1")])
    assert library.stale(ids[::-1], "m1") == [ids[5], ids[4], ids[3], ids[2]]
    assert library.stale(ids, "m2") == ids
    assert library.stale([Path("/music"), ids[0]], "m1") == ids[2:]
    assert library.track(ids[1]).error == "too short"  # type: ignore[union-attr]
    assert library.search("is:failed").tolist() == ids[1:3]
    rate(library, ids[1])
    assert library.track(ids[1]).error is None  # type: ignore[union-attr]
    library.set_estimates([EstimateRow(ids[3], "common", None, error="odd")])
    assert library.track(ids[3]).error == "odd"  # type: ignore[union-attr]
    assert ids[3] in library.stale(ids, "m1")


def test_a_new_revision_of_a_model_makes_its_songs_stale(library: Library) -> None:
    ids = make_tracks(library, 3)
    library.set_estimates(
        [
            EstimateRow(i, "common", CALM, revision=r)
            for i, r in zip(ids, ("1", "2", ""), strict=True)
        ]
    )
    assert CALM.model_id == "m1"
    assert library.stale(ids, "m1", "2") == [ids[0], ids[2]]
    assert library.emotion(ids[0]).common == CALM, "the model's id stays what it is"
    library.set_failed([(ids[0], "no sound", "m1@2")])
    assert library.stale(ids, "m1", "2") == [ids[2]]
    assert library.stale(ids[:1], "m1", "3") == ids[:1]


def test_which_tracks_have_features_of_their_present_audio(library: Library) -> None:
    ids = make_tracks(library, 4)
    library.set_estimates(
        [EstimateRow(i, "common", CALM, None, b"f", fe) for i, fe in zip(ids, "aab", strict=False)]
    )
    assert library.having_features(ids[::-1], "a") == [ids[1], ids[0]]
    path = library.track(ids[0]).path  # type: ignore[union-attr]
    fields = {"path": str(path).encode(), "audio_hash": "other"}
    library.write_scan(ScanBatch(updated=[(ids[0], fields)]))
    assert library.having_features(ids, "a") == [ids[1]]


@pytest.mark.parametrize("model_id", ["m1", ""])
def test_a_failure_on_new_audio_drops_what_was_said_of_the_old(
    library: Library, tmp_path: Path, model_id: str
) -> None:
    path = song(tmp_path / "m" / "a.mp3")
    kept = song(tmp_path / "m" / "b.mp3")
    scanned(library, path.parent)
    track_id, other = library.under([path, kept])
    rate(library, track_id, other)
    library.set_estimates([EstimateRow(track_id, "personal", CALM)])
    song(path)
    scanned(library, path.parent)
    library.set_failed([(track_id, "too short", model_id), (other, "worker died", "")])
    assert library.emotion(track_id) == TrackEmotion()
    assert library.emotion(other).common is not None, "its audio is what it was"
    assert library.counts()[None] == 1
    assert library.search("is:stale").tolist() == []
    assert library.stale([track_id], "m2") == [track_id]
    library.correct(track_id, Quadrant.LALV)
    song(path)
    scanned(library, path.parent)
    library.set_failed([(track_id, "too short", model_id)])
    assert library.emotion(track_id).quadrant is Quadrant.LALV, "the listener's word stays"


def test_the_decoder_knows_better_than_the_header(library: Library, tmp_path: Path) -> None:
    bad = tmp_path / "m" / "text.mp3"
    bad.parent.mkdir()
    bad.write_text("no music " * 500)
    scanned(library, bad)
    (track_id,) = library.search()
    assert "not readable" in str(library.track(track_id).error)  # type: ignore[union-attr]
    library.set_failed([(track_id, "no audio stream", "m1")])
    assert library.track(track_id).error == "no audio stream"  # type: ignore[union-attr]
    library.set_estimates([EstimateRow(track_id, "common", CALM, duration_s=12.5)])
    assert library.track(track_id).duration_s == 12.5  # type: ignore[union-attr]
    assert library.search("duration:12.5").tolist() == [track_id]


def test_results_for_unknown_tracks_are_dropped(library: Library) -> None:
    (track_id,) = make_tracks(library, 1)
    rate(library, track_id, 77)
    assert library.emotion(77) == TrackEmotion()
    assert library.timeline(77) is None
    assert library.track(77) is None
    assert library.tracks([77, track_id, 77]) == [library.track(track_id)]
    with pytest.raises(KeyError):
        library.correct(77, Quadrant.HAHV)


def test_blobs_are_kept_by_front_end_and_left_alone_by_none(library: Library) -> None:
    (track_id,) = make_tracks(library, 1)
    row = EstimateRow(track_id, "common", CALM, b"t1", b"f1", "fe1")
    library.set_estimates([row])
    library.set_estimates([EstimateRow(track_id, "common", CALM, None, b"f2", "fe2")])
    assert library.timeline(track_id) == b"t1"
    assert library.features(track_id, "fe1") == b"f1"
    assert library.features(track_id, "fe2") == b"f2"
    assert library.features(track_id, "fe3") is None


def test_numpy_ids_are_ids(library: Library) -> None:
    make_tracks(library, 3)
    ids = library.search()
    rate(library, *ids)
    library.correct(ids[0], Quadrant.HALV)
    library.set_failed([(ids[1], "x", "m1")])
    library.forget(ids[2:])
    assert [t.id for t in library.tracks(ids)] == ids[:2].tolist()
    assert library.emotion(ids[0]).source == "user"
    assert library.timeline(ids[0]) == b"timeline"
    assert library.stale(ids, "m2") == ids[:2].tolist()


def test_another_process_changes_are_taken_over(tmp_path: Path) -> None:
    with Library.open(tmp_path / "l") as window, Library.open(tmp_path / "l") as other:
        assert window.refresh() == ChangeSet()
        ids = make_tracks(other, 3)
        assert window.refresh() == ChangeSet(added=tuple(ids))
        assert window.refresh() == ChangeSet()
        other.correct(ids[0], Quadrant.HAHV)
        other.forget([ids[1]])
        assert window.refresh() == ChangeSet(changed=(ids[0],), removed=(ids[1],))
        assert window.search("mood:happy").tolist() == [ids[0]]
        # A write of one's own takes the others' along.
        other.correct(ids[2], Quadrant.LALV)
        assert set(window.correct(ids[0], Quadrant.HALV).changed) == {ids[0], ids[2]}
        assert window.refresh() == ChangeSet()
        assert set(other.refresh().changed) == {ids[0]}


def test_the_file_is_scanned_by_two_processes_at_once(tmp_path: Path) -> None:
    music = tmp_path / "music"
    path = song(music / "a.mp3")
    with Library.open(tmp_path / "l") as one, Library.open(tmp_path / "l") as two:
        from library_db.scan import scan

        job = scan(two, [music])
        next(job)  # has read the file and not yet written it
        assert scanned(one, music).added == 1
        for _ in job:
            pass
        assert one.by_path(path) == two.by_path(path)
        assert len(two.search()) == 1


def test_reading_goes_on_while_a_writer_works(library: Library) -> None:
    ids = make_tracks(library, 50)
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                found = library.search("song", sort="confidence")
                assert len(found) == 50
                library.tracks(found[:5])
                library.emotions(found[:5])
                library.counts()
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        rate(library, *ids)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_reading_does_not_wait_for_a_transaction(library: Library) -> None:
    (track_id,) = make_tracks(library, 1)
    seen: list[object] = []
    with library.store.database.transaction():
        reader = threading.Thread(target=lambda: seen.append(library.track(track_id)))
        reader.start()
        reader.join(timeout=5.0)
    assert seen == [library.track(track_id)]


def test_a_cover_is_read_from_the_file(library: Library, tmp_path: Path) -> None:
    with_cover = song(tmp_path / "m" / "a.mp3", cover=tiny_png())
    without = song(tmp_path / "m" / "b.mp3")
    scanned(library, tmp_path / "m")
    assert library.cover(library.by_path(with_cover).id) == tiny_png()  # type: ignore[union-attr]
    assert library.cover(library.by_path(without).id) is None  # type: ignore[union-attr]
    assert library.cover(999) is None
    track = library.by_path(with_cover)
    with_cover.unlink()
    assert library.cover(track.id) is None  # type: ignore[union-attr]


def test_roots_are_remembered_in_order_once(tmp_path: Path) -> None:
    with Library.open(tmp_path / "l") as library:
        for name in ("b", "a", "b"):
            library.add_root(tmp_path / name)
    with Library.open(tmp_path / "l") as library:
        assert library.roots() == [tmp_path / "b", tmp_path / "a"]
        library.remove_root(tmp_path / "b")
        assert library.roots() == [tmp_path / "a"]


def test_tracks_of_an_overlapping_root_stay(library: Library, tmp_path: Path) -> None:
    song(tmp_path / "m" / "sub" / "a.mp3")
    song(tmp_path / "m" / "b.mp3")
    library.add_root(tmp_path / "m")
    library.add_root(tmp_path / "m" / "sub")
    scanned(library, tmp_path / "m")
    assert len(library.remove_root(tmp_path / "m").removed) == 1
    assert len(library.search()) == 1


def test_listing_needs_no_torch_no_qt_and_no_tag_reader(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from library_db.library import Library\n"
        "with Library.open(Path(sys.argv[1])) as library: library.search('mood:calm love')\n"
        "heavy = {'torch', 'librosa', 'sklearn', 'pandas', 'PySide6', 'scipy', 'mutagen', 'av'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "l")]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
