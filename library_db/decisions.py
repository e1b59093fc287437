"""What became of each word of the listener when the targets were selected: kept or dropped, why."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from inference.emotion import Quadrant

__all__ = ["Compared", "Decided", "Origin", "decided_of", "insert_decided", "make_decisions"]

Origin = Literal["answer", "correction"]
"""Where a word comes from: a question, or the listener unasked."""

Compared = Literal["signals", "music", "nothing"]
"""What was compared with the clusters: features of the session's signals, or the regressed
physiological features of the music."""

_COLUMNS = (
    "origin, answer_id, track_id, audio_hash, at_s, word, label, kept, reason, compared, "
    "prediction, cluster, similarity, recording"
)
_TABLE = (
    "CREATE TABLE IF NOT EXISTS decisions (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, "
    "answer_id INTEGER, track_id INTEGER NOT NULL, audio_hash TEXT NOT NULL, at_s REAL NOT NULL, "
    "word TEXT NOT NULL, label INTEGER NOT NULL, kept INTEGER NOT NULL, reason TEXT NOT NULL, "
    "compared TEXT NOT NULL, prediction TEXT, cluster TEXT, similarity REAL, "
    "recording TEXT NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision on one word of the listener (the paper's steps 2 to 4).

    Parameters
    ----------
    origin : Origin
    answer_id : int or None
        Of the answer in its file; None for a correction.
    track_id : int
        Of the song; of one that is gone, as in the answer.
    audio_hash : str
    at_s : float
        When the word was given.
    word : Quadrant
        What the listener said.
    label : bool
        Whether it counts as the listener's label in training; false only for words that a newer
        one replaces, and for songs of which nothing is known any more.
    kept : bool
        Whether its features are targets of the regression.
    reason : str
        Why, in a sentence.
    compared : Compared
    prediction, cluster : Quadrant or None
        What the model said, and whose cluster is nearest; None where nothing was compared.
    similarity : float or None
        To the nearest cluster of the word's quadrant, in (0, 1].
    recording : str
        Whose signals were looked at, "" without a band.
    """

    origin: Origin
    answer_id: int | None
    track_id: int
    audio_hash: str
    at_s: float
    word: Quadrant
    label: bool
    kept: bool
    reason: str
    compared: Compared = "nothing"
    prediction: Quadrant | None = None
    cluster: Quadrant | None = None
    similarity: float | None = None
    recording: str = ""


def make_decisions(connection: Any) -> None:
    """Make the table, within the caller's transaction."""
    connection.execute(_TABLE)


def insert_decided(connection: Any, decisions: Iterable[Decided]) -> None:
    """Enter decisions within the caller's transaction."""
    connection.executemany(
        f"INSERT INTO decisions ({_COLUMNS}) VALUES ({', '.join('?' * 14)})",
        [_row(decision) for decision in decisions],
    )


def decided_of(connection: Any) -> list[Decided]:
    """All decisions in the order of entry; a row that says nothing sensible is left out."""
    found = []
    for row in connection.execute(f"SELECT {_COLUMNS} FROM decisions ORDER BY id").fetchall():
        with suppress(ValueError, TypeError):
            found.append(_decided(row))
    return found


def _decided(row: tuple[Any, ...]) -> Decided:
    origin, answer_id, track_id, audio, at_s, word, label, kept, reason, compared = row[:10]
    prediction, cluster, similarity, recording = row[10:]
    if origin not in get_args(Origin) or compared not in get_args(Compared):
        raise ValueError("of another version")
    return Decided(
        origin, answer_id, track_id, audio, float(at_s), Quadrant(word), bool(label), bool(kept),
        reason, compared, _quadrant(prediction), _quadrant(cluster),
        None if similarity is None else float(similarity), recording,
    )  # fmt: skip


def _quadrant(name: str | None) -> Quadrant | None:
    return None if name is None else Quadrant(name)


def _row(decided: Decided) -> tuple[object, ...]:
    return (
        decided.origin,
        decided.answer_id,
        int(decided.track_id),
        decided.audio_hash,
        float(decided.at_s),
        decided.word.value,
        int(decided.label),
        int(decided.kept),
        decided.reason,
        decided.compared,
        decided.prediction.value if decided.prediction else None,
        decided.cluster.value if decided.cluster else None,
        None if decided.similarity is None else float(decided.similarity),
        decided.recording,
    )
