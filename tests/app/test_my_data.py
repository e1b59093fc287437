"""Exporting and deleting everything that is kept of the listener, tested on the bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.dispatch import main
from app.my_data import Part, delete_data, export_data, kept
from app.overwriting import delete_for_good
from app.paths import home as home_of
from app.personal import train
from app.personal_models import PersonalModelError, PersonalModels
from app.unfinished import TrainingLock
from inference.emotion import Quadrant
from inference.job import run_to_end
from library_db.answers import Answer, AnswerStore
from library_db.history import Play, PlayHistory
from library_db.library import Library
from tests.app.personal_library import answer_on, fill, folder_text, heard_by_listener

MARK = "session-that-nobody-else-has"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    """Answers, two versions, a correction, a play, a recording, a backup and a damaged library."""
    with Library.open(home) as opened:
        ids = fill(opened)
        with AnswerStore.open(home) as answers:
            models = PersonalModels(home / "models")
            for first, last in ((0, 40), (40, 70)):
                answers.add(
                    *(answer_on(opened, i, heard_by_listener(opened, i)) for i in ids[first:last])
                )
                opened.correct(ids[80], Quadrant.HALV)
                assert run_to_end(train(opened, answers, models)).accepted
            common = opened.emotion(ids[81]).common
            answers.add(
                Answer(ids[81], MARK, 1e9, 1.0, Quadrant.HAHV, common, Quadrant.LALV, session=MARK)
            )
        with PlayHistory.open(home) as history:
            history.add(Play(ids[0], MARK, 1e9, 60.0))
        (home / "recordings" / MARK).mkdir(parents=True)
        (home / "recordings" / MARK / "gsr.csv").write_text(MARK)
        (home / "backups").mkdir(exist_ok=True)
        for name in ("backups/library-20260101-000000.sqlite3", "library-damaged-1.sqlite3"):
            (home / name).write_text(f"{MARK} personal-1")
        yield opened


def test_forgetting_everything_leaves_no_byte(
    library: Library, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MARK.encode() in folder_text(home)
    assert b"personal-2" in folder_text(home)
    place = ["--home", str(home)]
    assert main([*place, "labels", "forget", "--all"]) == 2, "asks first"
    assert main([*place, "labels", "forget", "--all", "--yes", "--json"]) == 0
    gone = json.loads(capsys.readouterr().out)
    assert gone == {
        "answers": 71, "corrections": 1, "versions": 2, "songs": 120, "plays": 1,
        "recordings": 1, "backups": 2,
    }  # fmt: skip
    left = folder_text(home)
    for mark in (MARK, "personal-1", "personal-2"):
        assert mark.encode() not in left
    with AnswerStore.open(home) as answers:
        assert (answers.all(), answers.decisions()) == ([], [])


def test_corrections_go_with_what_was_decided_on_them(library: Library, home: Path) -> None:
    with AnswerStore.open(home) as answers:
        assert [d.origin for d in answers.decisions()].count("correction") == 1
    delete_data(library, home_of(home), [Part.CORRECTIONS])
    with AnswerStore.open(home) as answers:
        assert {d.origin for d in answers.decisions()} == {"answer"}
        assert len(answers.all()) == 71


def test_while_a_model_is_trained_nothing_is_deleted(library: Library, home: Path) -> None:
    before = kept(library, home_of(home))
    with (
        TrainingLock(PersonalModels(home / "models")),
        pytest.raises(PersonalModelError, match="being trained"),
    ):
        delete_data(library, home_of(home), list(Part))
    assert kept(library, home_of(home)) == before


def test_the_export_tells_what_became_of_each_word(
    library: Library, home: Path, tmp_path: Path
) -> None:
    folder = run_to_end(export_data(library, home_of(home), tmp_path / "out"))
    rows = json.loads((folder / "decisions.json").read_text())
    assert len(rows) == 71
    assert all(row["reason"] and row["word"] in {q.value for q in Quadrant} for row in rows)
    assert "decisions.json" in (folder / "README.txt").read_text()


def test_a_file_is_overwritten_and_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "mine"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    file = folder / "inner" / "file"
    file.write_text(MARK)
    (folder / "link").symlink_to(outside)
    with file.open("rb") as handle:
        delete_for_good(folder)
        assert handle.read() == bytes(len(MARK)), "as somebody sees it who had it open"
    assert not folder.exists()
    assert (outside / "kept").read_text() == "kept"
    delete_for_good(folder)
