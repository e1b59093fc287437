"""Answers and corrections as plain JSON values, each with what became of it in the selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.evidence import song_of
from app.labels import label_to_json

if TYPE_CHECKING:
    from library_db.answers import Answer
    from library_db.decisions import Decided
    from library_db.emotion_layers import UserLabel
    from library_db.library import Library
    from library_db.track import Track

__all__ = ["answer_row", "correction_row"]


def correction_row(track: Track, label: UserLabel, decisions: Sequence[Decided]) -> dict[str, Any]:
    """A correction; "decision" is null where no training has seen it yet."""
    found = [
        d for d in decisions
        if d.origin == "correction" and (d.track_id, d.at_s) == (track.id, label.at_s)
    ]  # fmt: skip
    return {
        **label_to_json(track, label),
        "origin": "correction",
        "decision": decision_to_json(found[0]) if found else None,
    }


def answer_row(library: Library, answer: Answer, decisions: Sequence[Decided]) -> dict[str, Any]:
    """An answer in the columns of a correction; path and names are null where the song is gone."""
    track = song_of(library, answer)
    found = [d for d in decisions if d.origin == "answer" and d.answer_id == answer.id]
    place = answer.place
    return {
        "path": None if track is None else str(track.path),
        "audio_hash": answer.audio_hash,
        "title": None if track is None else track.title,
        "artist": None if track is None else track.artist,
        "quadrant": answer.answer.value,
        "valence": None if place is None else place.valence,
        "arousal": None if place is None else place.arousal,
        "at_s": answer.at_s,
        "origin": "answer",
        "shown": answer.shown.value,
        "agreed": answer.agreed,
        "position_s": answer.position_s,
        "session": answer.session or None,
        "decision": decision_to_json(found[0]) if found else None,
    }


def decision_to_json(decided: Decided) -> dict[str, Any]:
    """Kept or not, why, what was compared and how similar it was."""
    return {
        "label": decided.label,
        "kept": decided.kept,
        "reason": decided.reason,
        "compared": decided.compared,
        "prediction": decided.prediction.value if decided.prediction else None,
        "cluster": decided.cluster.value if decided.cluster else None,
        "similarity": decided.similarity,
        "recording": decided.recording or None,
    }
