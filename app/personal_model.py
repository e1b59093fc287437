"""One version of the listener's model: what it is made of, and what it says of songs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference.emotion import EmotionEstimate

if TYPE_CHECKING:
    from inference.audio.features import SongFeatures
    from inference.labelling.own import OwnParts
    from inference.labelling.personal import PersonalMap
    from inference.labelling.songs import SongReader
    from library_db.library import EstimateRow, Library

__all__ = ["MODEL_PREFIX", "PersonalModel", "features_of", "personal_row", "personal_rows"]

MODEL_PREFIX = "personal"


@dataclass(frozen=True, eq=False)
class PersonalModel:
    """One version of the listener's model.

    Parameters
    ----------
    number : int
        1, 2, ...
    base_model : str
        The common model whose estimates it moves; on another's it says nothing.
    map : PersonalMap
    songs : int
        With a word of the listener, that it was learned from.
    strength : float
        Of the prior.
    common, personal, lower : float
        The paired test on held-out answers, see `inference.labelling.personal.PairedTest`.
    made_s : float
        Seconds since the epoch.
    parts : OwnParts or None
        What it has beyond the map of the plane.
    reader : SongReader or None
        Of the stored features; with `parts` only. None where those are no longer made: then the
        map of the plane alone moves songs.
    base_revision : str
        Of the common model, as `ModelCard.revision` has it; "" where that is not known.
    """

    number: int
    base_model: str
    map: PersonalMap
    songs: int
    strength: float
    common: float
    personal: float
    lower: float
    made_s: float
    parts: OwnParts | None = None
    reader: SongReader | None = None
    base_revision: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all of it can speak: what its parts read is still made."""
        if self.parts is None or self.reader is not None:
            return True
        return self.parts.front_end == self.base_model  # of signals, which are read live

    @property
    def kind(self) -> str:
        """How much of it is the listener's own: a value of `inference.labelling.ladder.Rung`."""
        if self.parts is None:
            return "map"
        return "network" if self.parts.head is not None else "features"

    @property
    def model_id(self) -> str:
        """What its estimates name."""
        return f"{MODEL_PREFIX}-{self.number}"

    @property
    def front_end(self) -> str:
        """Of the stored features that it reads; empty: it needs none."""
        return self.parts.front_end if self.parts is not None else ""

    def rate(
        self,
        estimates: Sequence[EmotionEstimate],
        features: Sequence[SongFeatures | None] | None = None,
    ) -> list[EmotionEstimate]:
        """The listener's estimates from the common model's.

        The confidence is the personal probability of the mood: it was fitted
        to this listener's own answers.

        Parameters
        ----------
        estimates : sequence of EmotionEstimate
        features : sequence of SongFeatures or None, optional
            Stored of the same songs; without them the map of the plane alone moves a song.
        """
        if not estimates:
            return []
        import numpy as np

        p = np.array([estimate.probabilities for estimate in estimates], np.float64)
        if self.parts is None or self.reader is None:
            mine = self.map.rate(p)
        else:
            known = features if features is not None else [None] * len(estimates)
            mine = self.parts.rate(self.map, p, known, self.reader)
        # Rounded, so that a song's estimate is the same whatever songs are rated along with it.
        rows = mine.round(6)
        rows /= rows.sum(axis=1, keepdims=True)
        return [
            EmotionEstimate.from_probabilities(
                row.tolist(), float(row.max()), self.model_id, estimate.leeway
            )
            for row, estimate in zip(rows, estimates, strict=True)
        ]

    def is_same(self, other: PersonalModel) -> bool:
        """Whether `other` was learned from the same words, and says the same."""
        mine, theirs = self.map.weights, other.map.weights
        if (self.base_model, self.songs) != (other.base_model, other.songs):
            return False
        if mine.shape != theirs.shape or not (mine == theirs).all():
            return False
        return other.parts is None if self.parts is None else self.parts.is_same(other.parts)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values; `parts` lie in a file of their own."""
        return {
            "number": self.number,
            "base_model": self.base_model,
            "weights": self.map.weights.tolist(),
            "songs": self.songs,
            "strength": self.strength,
            "common": self.common,
            "personal": self.personal,
            "lower": self.lower,
            "made_s": self.made_s,
            "base_revision": self.base_revision,
        }


def personal_rows(
    model: PersonalModel | None, rows: Iterable[EstimateRow], library: Library | None = None
) -> list[EstimateRow]:
    """The personal estimates that belong to these common ones: for songs as they are tagged.

    Parameters
    ----------
    library : Library, optional
        Where features are stored of songs whose row brings none.
    """
    if model is None:
        return []
    common = [
        (row, row.estimate)
        for row in rows
        if row.estimate is not None and row.estimate.model_id == model.base_model
    ]
    features = None
    if model.parts is not None:
        features = [features_of(_data(row, model.front_end, library)) for row, _ in common]
    mine = model.rate([estimate for _, estimate in common], features)
    return [personal_row(row.track_id, e) for (row, _), e in zip(common, mine, strict=True)]


def _data(row: EstimateRow, front_end: str, library: Library | None) -> bytes | None:
    if row.features is not None and row.front_end == front_end:
        return row.features
    return library.features(row.track_id, front_end) if library is not None else None


def features_of(data: bytes | None) -> SongFeatures | None:
    """Stored features as values; None where there are none, or they are damaged."""
    from inference.audio.features import SongFeatures
    from inference.packing import PackingError

    if data is None:
        return None
    try:
        return SongFeatures.from_bytes(data)
    except (PackingError, ValueError):
        return None


def personal_row(track_id: int, estimate: EmotionEstimate) -> EstimateRow:
    """What `Library.set_estimates` takes to fill the personal layer of a song."""
    from library_db.library import EstimateRow

    return EstimateRow(track_id, "personal", estimate)
