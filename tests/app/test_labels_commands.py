"""`undertone labels`, `train personal --root`: answers, corrections, sessions, there and back."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.dispatch import main
from inference.datasets import load_sensor
from inference.emotion import QUADRANTS, MoodPoint, Quadrant
from library_db.answers import AnswerStore
from library_db.library import Library
from tests.app.personal_library import answer_on, fill_with_features
from tests.app.recorded import BEGAN_S, record


@pytest.fixture
def ids(home: Path) -> list[int]:
    """Songs of a library in which three were answered on and one was corrected."""
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        ids = fill_with_features(library, 48)
        for n in range(3):
            answers.add(answer_on(library, ids[n], QUADRANTS[n], 1e9 + n))
        library.correct(ids[5], MoodPoint(-0.5, -0.5))
        return ids


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == code
    return capsys.readouterr().out


def test_the_list_has_answers_and_corrections_with_what_became_of_them(
    home: Path, ids: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(*query: str) -> list[dict]:
        return json.loads(run(capsys, "labels", "list", *query, "--json", "--home", home))

    rows = listed()
    assert [row["origin"] for row in rows] == ["answer"] * 3 + ["correction"]
    assert [row["quadrant"] for row in rows] == ["HAHV", "HALV", "LAHV", "LALV"]
    assert {row["decision"] for row in rows} == {None}, "no training yet"
    run(capsys, "train", "personal", "--home", home, "--json")
    rows = listed()
    assert all(row["decision"]["label"] for row in rows)
    assert all(row["decision"]["reason"] for row in rows)
    assert [row["title"] for row in listed('title:"Song 1"')] == ["Song 1"]
    text = run(capsys, "labels", "list", "--home", home)
    assert "answer" in text
    assert "correction" in text


def test_answers_and_corrections_travel_in_one_file(
    home: Path, ids: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "labels.json", tmp_path / "other"
    run(capsys, "labels", "export", "-o", file, "--home", home)
    with Library.open(other) as library:
        fill_with_features(library, 48)
    taken = json.loads(run(capsys, "labels", "import", file, "--home", other, "--json"))
    assert (taken["taken"], taken["answers"]) == (1, 3)
    with AnswerStore.open(home) as mine, AnswerStore.open(other) as theirs:
        assert [replace(a, track_id=0) for a in theirs.all()] == [
            replace(a, track_id=0) for a in mine.all()
        ]
    again = json.loads(run(capsys, "labels", "import", file, "--home", other, "--json"))
    assert (again["taken"], again["answers"], again["answers_known"]) == (0, 0, 3)


@pytest.mark.parametrize("change", [{"at_s": -1}, {"answer": "Glad"}, {"probabilities": [1]}, 7])
def test_a_file_with_a_bad_answer_is_refused_whole(
    home: Path, ids: list[int], tmp_path: Path, change: object, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.json"
    run(capsys, "labels", "export", "-o", file, "--home", home)
    whole = json.loads(file.read_text())
    whole["answers"][1] = {**whole["answers"][1], **change} if isinstance(change, dict) else change
    file.write_text(json.dumps(whole))
    other = tmp_path / "other"
    run(capsys, "labels", "import", file, "--home", other, code=1)
    assert json.loads(run(capsys, "labels", "list", "--json", "--home", other)) == []


def test_deleting_asks_and_takes_what_was_named(
    home: Path, ids: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    def delete(*arguments: str) -> dict:
        return json.loads(
            run(capsys, "labels", "delete", *arguments, "--yes", "--json", "--home", home)
        )

    run(capsys, "labels", "delete", "--all", "--home", home, code=2)
    assert delete('title:"Song 1"') == {"deleted": 0, "answers": 1}
    assert delete("--all", "--only", "corrections") == {"deleted": 1, "answers": 0}
    assert delete("--all") == {"deleted": 0, "answers": 2}


def with_sessions(home: Path, ids: list[int]) -> str:
    """Twelve songs heard with a band, all answered on but one, one of them with bad signals."""
    heard = [(f"audio{n}", ids[n], QUADRANTS[n % 4]) for n in range(12)]
    session = record(home / "recordings", heard, bad=[3]).name
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        for n, (_, track_id, felt) in enumerate(heard[:11]):
            answer = answer_on(library, track_id, felt, BEGAN_S + 30 * n)
            answers.add(replace(answer, session=session))
    return session


def test_sessions_go_out_as_a_folder_that_data_sets_read(
    home: Path, ids: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_sessions(home, ids)
    folder = tmp_path / "mine"
    done = json.loads(
        run(
            capsys, "labels", "export", "--format", "m-heps", "-o", folder,
            "--listener", "anna", "--json", "--home", home,
        )
    )  # fmt: skip
    assert done["written"] == 10
    reasons = sorted(row["reason"] for row in done["left_out"])
    assert reasons[0].startswith("bad signals")
    assert reasons[1] == "you have not said how it felt"
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["listener", "song", "quadrant", "gsr", "ppg", "audio", "fs_hz"]
    assert {row["listener"] for row in rows} == {"anna"}
    for file in folder.rglob("*.csv"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    data = load_sensor("m-heps", folder)
    felt = {n: QUADRANTS[n % 4] for n in range(11) if n != 3}
    felt[5] = Quadrant.LALV  # corrected later
    assert [x.quadrant for x in data.listenings] == list(felt.values())
    assert all(abs(x.gsr.duration_s - 24.0) < 0.1 for x in data.listenings)
    assert data.skipped == ()
    run(capsys, "labels", "export", "--format", "m-heps", "-o", folder, "--home", home, code=1)


def test_a_model_is_trained_on_somebodys_folder(
    home: Path, ids: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_sessions(home, ids)
    folder = tmp_path / "mine"
    run(capsys, "labels", "export", "--format", "m-heps", "-o", folder, "--home", home)
    with AnswerStore.open(home) as answers:
        answers.delete()
        kept = answers.decisions()
    report = json.loads(
        run(capsys, "train", "personal", "--root", folder, "--json", "--home", home)
    )
    assert (report["songs"], report["sessions"]) == (10, 10)
    assert "10 sessions with a word" in report["band"]
    with AnswerStore.open(home) as answers:
        assert answers.decisions() == kept, "they are about my own words"
    elsewhere = tmp_path / "elsewhere"
    with Library.open(elsewhere) as library:
        fill_with_features(library, 4)
    report = json.loads(
        run(capsys, "train", "personal", "--root", folder, "--json", "--home", elsewhere)
    )
    assert (report["songs"], report["unrated"], report["sessions"]) == (3, 7, 10), (
        "the others are unknown here"
    )


def test_of_several_listeners_one_has_to_be_named(
    home: Path, ids: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_sessions(home, ids)
    folder = tmp_path / "mine"
    run(capsys, "labels", "export", "--format", "m-heps", "-o", folder, "--home", home)
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("me,", "you,", 1))
    run(capsys, "train", "personal", "--root", folder, "--home", home, code=1)
    run(
        capsys, "train", "personal", "--root", folder, "--listener", "you", "--dry-run",
        "--home", home,
    )  # fmt: skip
    run(capsys, "train", "personal", "--root", folder, "--listener", "x", "--home", home, code=1)


def test_a_word_on_the_plane_survives_the_journey(home: Path, tmp_path: Path, capsys) -> None:
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        first = fill_with_features(library, 4)[0]
        place = MoodPoint(0.25, -0.75)
        answers.add(replace(answer_on(library, first, Quadrant.LAHV), place=place))
    file = tmp_path / "labels.json"
    run(capsys, "labels", "export", "-o", file, "--home", home)
    with Library.open(tmp_path / "other") as library:
        fill_with_features(library, 4)
    run(capsys, "labels", "import", file, "--home", tmp_path / "other")
    with AnswerStore.open(tmp_path / "other") as answers:
        assert answers.all()[0].place == place
