"""What the listener may see of their own model, and the lines of its training process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.cli.dispatch import main
from app.doctor import examine
from app.paths import home as home_of
from app.personal import PersonalReport, rate_library, train
from app.personal_models import PersonalModels
from app.personal_process import TrainingFault, read_line, train_command
from app.your_model import agreement, overview, versions
from inference.emotion import Quadrant
from inference.job import Progress, run_to_end
from library_db.answers import AnswerStore
from library_db.library import EstimateRow, Library
from tests.app.personal_library import BASE, answer_on, fill, heard_by_listener


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def answers(home: Path) -> Iterator[AnswerStore]:
    with AnswerStore.open(home) as opened:
        yield opened


def in_this_process(command: Sequence[str]) -> list[str]:
    """Its arguments, without the niceness, which would slow the other tests down."""
    at = command.index("--niceness")
    return [*command[3:at], *command[at + 2 :]]


def test_the_overview_tells_words_versions_and_moves(
    library: Library, answers: AnswerStore, home: Path
) -> None:
    models = PersonalModels(home / "models")
    ids = sorted(int(i) for i in library.search(""))
    empty = overview(library, answers, models)
    assert (empty.said, empty.versions, empty.moves, empty.active) == ((), (), (), None)
    answers.add(*(answer_on(library, i, heard_by_listener(library, i), 1e9 + i) for i in ids[:40]))
    library.correct(ids[50], Quadrant.LALV)
    library.forget([ids[0]])
    run_to_end(train(library, answers, models))
    shown = overview(library, answers, models)
    assert (shown.active, shown.base_model, len(shown.said)) == (1, BASE, 41)
    correction, *given = shown.said
    assert (correction.origin, correction.track_id, correction.word) == (
        "correction", ids[50], Quadrant.LALV,
    )  # fmt: skip
    assert given[-1].track_id is None, "its song is gone"
    assert [one.at_s for one in given] == sorted((one.at_s for one in given), reverse=True)
    assert [one.agreed for one in given[:-1]] == [one.word is one.shown for one in given[:-1]]
    (version,) = shown.versions
    assert (version.number, version.active, version.usable, version.fault) == (1, True, True, "")
    assert (version.songs, version.kind) == (41, "map")
    assert shown.moves
    for move in shown.moves:
        emotion = library.emotion(move.track_id)
        assert (move.before, move.after) == (emotion.common, emotion.personal)
        assert move.before.quadrant is not move.after.quadrant


def test_a_damaged_version_is_shown_with_its_fault(
    library: Library, answers: AnswerStore, home: Path
) -> None:
    models = PersonalModels(home / "models")
    ids = sorted(int(i) for i in library.search(""))
    answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids[:40]))
    run_to_end(train(library, answers, models))
    (models.folder / "1" / "model.json").write_text("{")
    (version,) = overview(library, answers, models).versions
    assert version.active
    assert "damaged" in version.fault
    assert version.songs is None


def test_agreement_is_the_share_of_yes_among_the_last_answers(library: Library) -> None:
    first = sorted(int(i) for i in library.search(""))[0]
    shown = library.emotion(first).common.quadrant
    other = next(q for q in Quadrant if q is not shown)
    words = [shown, other, other, shown, shown]
    given = [answer_on(library, first, word, float(i)) for i, word in enumerate(words)]
    points = agreement(list(reversed(given)), trailing=2)
    assert [(p.at_s, p.share, p.answers) for p in points] == [
        (0.0, 1.0, 1), (1.0, 0.5, 2), (2.0, 0.0, 2), (3.0, 0.5, 2), (4.0, 1.0, 2),
    ]  # fmt: skip


def test_the_training_process_speaks_in_lines(
    library: Library, answers: AnswerStore, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = sorted(int(i) for i in library.search(""))
    answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids[:40]))
    command = train_command(home_of(home))
    assert command[:3] == [sys.executable, "-m", "app"]
    assert main(in_this_process(command)) == 0
    *steps, last = map(read_line, capsys.readouterr().out.splitlines())
    assert steps
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(last, PersonalReport)
    assert (last.accepted, last.active) == (True, 1)


def test_a_fault_is_a_line_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(in_this_process(train_command(home_of(home)))) == 1
    found = read_line(capsys.readouterr().out.splitlines()[-1])
    assert isinstance(found, TrainingFault)
    assert "undertone tag" in found.remedy


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "later"}', json.dumps({"kind": 1})])
def test_a_line_that_says_nothing_is_none(text: str) -> None:
    assert read_line(text) is None


def test_versions_learned_upon_an_earlier_common_model_go_on_and_say_so(
    library: Library, answers: AnswerStore, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = PersonalModels(home / "models")
    ids = sorted(int(i) for i in library.search(""))
    common = [e.common for e in library.emotions(ids)]

    def rated_as(revision: str) -> None:
        library.set_estimates(
            [
                EstimateRow(i, "common", e, revision=revision)
                for i, e in zip(ids, common, strict=True)
            ]
        )

    rated_as("1.0+a")
    answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids[:40]))
    assert run_to_end(train(library, answers, models)).accepted
    assert models.active().base_revision == "1.0+a"
    assert [(v.earlier, v.note) for v in versions(library, models)] == [(False, "")]
    rated_as("1.1+b~2-adapted")
    (version,) = versions(library, models)
    assert (version.active, version.usable, version.earlier, version.whole) == (
        True, True, True, True,
    )  # fmt: skip
    model = models.usable()
    assert run_to_end(rate_library(library, model))[0] == len(ids), "it goes on speaking"
    library.close()
    place = ["--home", str(home)]
    assert main([*place, "train", "personal", "--versions", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["number"], row["active"], row["earlier"]) == (1, True, True)
    assert main([*place, "train", "personal", "--versions"]) == 0
    assert "untested on the present one" in capsys.readouterr().out
    assert {c.name: c.status for c in examine(home_of(home))}["own model"] == "note"
