"""Answers in the file that `undertone labels export` writes: read back, matched to the songs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.labels import LabelsError, load
from inference.emotion import EmotionEstimate, MoodPoint, Quadrant
from library_db.answers import Answer, AnswerStore, Occasion, ShownBy

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["TakenAnswers", "read_answers", "take_over_answers"]


@dataclass(frozen=True, slots=True)
class TakenAnswers:
    """What became of a file's answers.

    Parameters
    ----------
    taken : int
    known : int
        That are there already.
    """

    taken: int
    known: int


def read_answers(path: Path) -> list[Answer]:
    """The answers in a file; none in one that holds corrections alone.

    Raises
    ------
    LabelsError
        If the file cannot be read or any of its entries is not an answer.
    """
    rows = load(path).get("answers", [])
    if not isinstance(rows, list):
        raise LabelsError(f"{path} holds no list of answers", "Choose another file")
    return [_answer(path, number, row) for number, row in enumerate(rows, 1)]


def take_over_answers(
    library: Library, store: AnswerStore, answers: Sequence[Answer]
) -> TakenAnswers:
    """Enter the answers that are not there yet, in one commit; their songs are found by audio."""
    there = {(a.audio_hash, a.at_s, a.answer) for a in store.all()}
    fresh = []
    for answer in answers:
        if (answer.audio_hash, answer.at_s, answer.answer) in there:
            continue
        files = library.files_with(answer.audio_hash) if answer.audio_hash else []
        here = [file.id for file in files if file.hidden is None]
        fresh.append(replace(answer, track_id=here[0] if here else 0))
    if fresh:
        store.add(*fresh)
    return TakenAnswers(len(fresh), len(answers) - len(fresh))


def _answer(file: Path, number: int, row: Any) -> Answer:
    try:
        at_s, position_s = float(row["at_s"]), float(row["position_s"])
        if not (math.isfinite(at_s) and at_s >= 0.0):
            raise ValueError(f"at_s is {at_s}")
        audio, model = row["audio_hash"], row["model"]
        session = row.get("session") or ""
        if not all(isinstance(text, str) for text in (audio, model, session)):
            raise ValueError("audio_hash, model and session must be texts")
        a, b, c, d = (float(p) for p in row["probabilities"])
        place = None
        if row.get("valence") is not None or row.get("arousal") is not None:
            place = MoodPoint(float(row["valence"]), float(row["arousal"]))
        return Answer(
            0, audio, at_s, position_s, Quadrant(row["shown"]),
            EmotionEstimate((a, b, c, d), float(row["confidence"]), model),
            Quadrant(row["answer"]), place, ShownBy(row.get("shown_by", "music")),
            Occasion(row.get("occasion", "song end")), session,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabelsError(
            f"{file}: entry {number} is not an answer ({error})",
            "Mend or remove it; nothing was taken over",
        ) from error
