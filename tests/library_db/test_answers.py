"""Answers: durable, private, and gone from the bytes when they are deleted."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from inference.emotion import MoodPoint, Quadrant
from library_db.answers import Answer, AnswerStore, Occasion, ShownBy
from library_db.errors import LibraryTooNew
from library_db.library import EstimateRow, Library
from library_db.personal_layer import clear_personal, personal_ids
from tests.library_db.helpers import estimate, rate, scanned, song

MARK = "model-that-nobody-else-has"


def answer(track_id: int = 1, said: Quadrant = Quadrant.LAHV, at_s: float = 1e9) -> Answer:
    return Answer(
        track_id, "hash", at_s, 61.5, Quadrant.LAHV, estimate(0.1, 0.2, 0.6, 0.1, model_id=MARK),
        said,
    )  # fmt: skip


def test_answers_come_back_as_they_were_the_oldest_first(tmp_path: Path) -> None:
    late, early = answer(2, Quadrant.LALV, at_s=2e9), answer(1)
    with AnswerStore.open(tmp_path) as answers:
        answers.add(late)
        answers.add(early)
    with AnswerStore.open(tmp_path) as answers:
        assert answers.all() == [early, late]
    assert [one.agreed for one in (early, late)] == [True, False]


def test_a_place_and_what_the_sensors_showed_are_kept(tmp_path: Path) -> None:
    felt = Answer(
        1, "hash", 1e9, 61.5, Quadrant.LAHV, estimate(0.1, 0.2, 0.6, 0.1, model_id=MARK),
        Quadrant.LALV, MoodPoint(-0.3, -0.6), ShownBy.FUSED, Occasion.CHANGE, "2026-11-25-0800",
    )  # fmt: skip
    with AnswerStore.open(tmp_path) as answers:
        answers.add(felt)
        assert answers.all() == [felt]
    with pytest.raises(ValueError, match="quadrant"):
        Answer(1, "", 1e9, 0.0, felt.shown, felt.predicted, Quadrant.HAHV, felt.place)


def test_an_answer_can_be_changed_and_removed_by_itself(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers.add(answer(1), answer(2))
        first, second = (one.id for one in answers.all())
        assert answers.change(first, Quadrant.HALV, MoodPoint(-0.5, 0.5))
        assert [one.answer for one in answers.all()] == [Quadrant.HALV, Quadrant.LAHV]
        assert answers.all()[0].place == MoodPoint(-0.5, 0.5)
        assert answers.remove([first]) == 1
        assert [one.id for one in answers.all()] == [second]
        assert not answers.change(first, Quadrant.HAHV)


_FIRST_TABLE = (
    "CREATE TABLE answers (id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "track_id INTEGER NOT NULL, audio_hash TEXT NOT NULL, at_s REAL NOT NULL, "
    "position_s REAL NOT NULL, shown TEXT NOT NULL, answer TEXT NOT NULL, "
    "p_hahv REAL NOT NULL, p_halv REAL NOT NULL, p_lahv REAL NOT NULL, p_lalv REAL NOT NULL, "
    "confidence REAL NOT NULL, model_id TEXT NOT NULL)"
)


def test_answers_of_the_first_version_are_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "answers.sqlite3")) as old, old:
        old.execute(_FIRST_TABLE)
        old.execute(
            "INSERT INTO answers VALUES (7, 1, 'hash', 1e9, 61.5, 'LAHV', 'LALV', "
            "0.1, 0.2, 0.6, 0.1, 0.6, ?)", (MARK,),
        )  # fmt: skip
        old.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with AnswerStore.open(tmp_path) as answers:
            (found,) = answers.all()
            assert (found.id, found.answer, found.place) == (7, Quadrant.LALV, None)
            assert (found.shown_by, found.occasion) == (ShownBy.MUSIC, Occasion.SONG_END)
            assert (found.session, found.predicted.model_id) == ("", MARK)
    with AnswerStore.open(tmp_path) as answers:
        answers.add(answer(3))
        assert answers.delete() == 2
    assert MARK.encode() not in (tmp_path / "answers.sqlite3").read_bytes()


def test_the_file_is_private(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers.add(answer())
    file = tmp_path / "answers.sqlite3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_deleted_is_in_no_file_any_more(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers.add(*(answer(number) for number in range(300)))
        assert any(MARK.encode() in f.read_bytes() for f in tmp_path.iterdir())
        assert answers.delete() == 300
        # While it is still open, too.
        assert not any(MARK.encode() in f.read_bytes() for f in tmp_path.iterdir())
        assert answers.all() == []


def test_the_answers_on_one_song_can_be_deleted(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        for number in (1, 2, 2):
            answers.add(answer(number))
        assert answers.delete([2]) == 2
        assert [one.track_id for one in answers.all()] == [1]


def test_a_damaged_file_is_set_aside_and_forgotten_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite3").write_bytes(b"no database" * 1000)
    with AnswerStore.open(tmp_path) as answers:
        assert "set aside" in str(answers.notices[0])
        answers.add(answer())
        assert list(tmp_path.glob("answers-damaged-*"))
        answers.delete()
        assert not list(tmp_path.glob("answers-damaged-*"))


def test_a_newer_versions_file_is_not_touched(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers._file.database._writer.execute("PRAGMA user_version = 9")
    before = (tmp_path / "answers.sqlite3").read_bytes()
    with pytest.raises(LibraryTooNew):
        AnswerStore.open(tmp_path)
    assert (tmp_path / "answers.sqlite3").read_bytes() == before


def test_without_the_personal_layer_songs_count_as_the_common_model_says(
    library: Library, music: Path
) -> None:
    for number in range(3):
        song(music / f"{number}.mp3", title=f"{number}")
    scanned(library, music)
    ids = [int(i) for i in library.search("")]
    rate(library, *ids)
    sad = estimate(0.1, 0.1, 0.1, 0.7, model_id="personal-1")
    library.set_estimates([EstimateRow(i, "personal", sad) for i in ids])
    library.correct(ids[0], Quadrant.HAHV)
    assert personal_ids(library) == sorted(ids)
    assert library.counts()[Quadrant.LALV] == 2
    assert set(clear_personal(library, ids[1:2]).touched) == {ids[1]}
    assert library.counts()[Quadrant.LALV] == 1
    clear_personal(library)
    assert personal_ids(library) == []
    assert library.counts() == {
        Quadrant.HAHV: 1, Quadrant.HALV: 0, Quadrant.LAHV: 2, Quadrant.LALV: 0, None: 0,
    }  # fmt: skip
