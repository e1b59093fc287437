"""What was learned of the library as a whole, and which songs were rated with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from library_db.library import Library

__all__ = ["MARK", "Adaptation", "heard", "is_adapted", "rated_with"]

MARK = "~"
"""In a song's `common_model`, between the model's revision and the version of what was learned."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A version of what is usual in the library.

    Parameters
    ----------
    version : int
        1, 2, ... for each front end.
    songs : int
        Different recordings in the library when it was learned.
    data : bytes
        As the inference floor packs it.
    learned_s : float or None
        When, seconds since the epoch; None where an older program learned it.
    """

    version: int
    songs: int
    data: bytes
    learned_s: float | None = None

    @property
    def name(self) -> str:
        """Version and digest, as they stand in a song's revision."""
        return f"{self.version}-{hashlib.sha256(self.data).hexdigest()[:8]}"


def heard(library: Library, front_end: str) -> list[int]:
    """Songs with features of this front end; of those with the same audio the first."""
    present = dict(
        library.store.rows("SELECT id, ifnull(audio_hash, '') FROM tracks WHERE hidden IS NULL")
    )
    first: dict[str, int] = {}
    for track_id, audio_hash in library.analysis.with_features(front_end):
        if present.get(track_id) == audio_hash:
            first.setdefault(audio_hash or f"track {track_id}", track_id)
    return list(first.values())


def is_adapted(common_model: str | None) -> bool:
    """Whether a song's `common_model` names a model that is used to the library."""
    return common_model is not None and MARK in common_model


def rated_with(library: Library, model_key: str) -> list[tuple[int, str]]:
    """Songs of the library that a model has rated as it is, or adapted, with their key; by id.

    Parameters
    ----------
    model_key : str
        Of the model as it is.
    """
    start = f"{model_key}{MARK}"
    rows = library.store.rows(
        "SELECT id, common_model FROM tracks WHERE hidden IS NULL AND missing IS NULL "
        "AND audio_changed IS NULL AND (common_model = ? OR substr(common_model, 1, ?) = ?) "
        "ORDER BY id",
        (model_key, len(start), start),
    )
    return [(int(i), str(key)) for i, key in rows]
