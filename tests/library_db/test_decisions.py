"""Decisions on the listener's words: kept beside the answers, gone with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from inference.emotion import Quadrant
from library_db.answers import AnswerStore
from library_db.decisions import Decided
from tests.library_db.test_answers import answer

REASON = "a-reason-that-nothing-else-gives"


def decided(answer_id: int | None, track_id: int = 1) -> Decided:
    return Decided(
        "answer", answer_id, track_id, "hash", 1e9, Quadrant.LAHV, True, False, REASON,
        "signals", Quadrant.LALV, Quadrant.HAHV, 0.25, "2026-01-01T10-00-00",
    )  # fmt: skip


def test_decisions_come_back_as_they_were_and_replace_each_other(tmp_path: Path) -> None:
    plain = Decided("correction", None, 2, "", 0.0, Quadrant.HALV, True, True, "kept")
    with AnswerStore.open(tmp_path) as answers:
        answers.decide([decided(1), plain])
    with AnswerStore.open(tmp_path) as answers:
        assert answers.decisions() == [decided(1), plain]
        answers.decide([plain])
        assert answers.decisions() == [plain]
        assert REASON.encode() not in (tmp_path / "answers.sqlite3").read_bytes()


def test_they_go_with_their_answers(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers.add(answer(1), answer(2), answer(3))
        first, second, third = (one.id for one in answers.all())
        answers.decide([decided(first, 1), decided(second, 2), decided(third, 3)])
        answers.remove([first])
        answers.delete([2])
        assert [d.answer_id for d in answers.decisions()] == [third]
        answers.delete()
        assert answers.decisions() == []
    assert REASON.encode() not in (tmp_path / "answers.sqlite3").read_bytes()


def test_a_decision_of_another_version_is_left_out(tmp_path: Path) -> None:
    with AnswerStore.open(tmp_path) as answers:
        answers.decide([replace(decided(1), compared="stars"), decided(2)])  # type: ignore[arg-type]
        assert [d.answer_id for d in answers.decisions()] == [2]
