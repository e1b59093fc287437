"""Documents of the library as plain typed values, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from inference.emotion import EmotionEstimate, Leeway, MoodPoint, Quadrant
from library_db.emotion_layers import SOURCES, Layer, TrackEmotion, UserLabel
from library_db.track import Track

__all__ = [
    "EstimateRow",
    "KnownFile",
    "effective_fields",
    "estimate_document",
    "estimate_of",
    "model_key",
    "track_of",
    "user_document",
    "user_of",
]

_PROBABILITIES = ("p_hahv", "p_halv", "p_lahv", "p_lalv")
_PLAIN = frozenset(Track.__dataclass_fields__) - {"id", "path", "missing", "has_cover", "error"}


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """A model's result for one track, to be written by `Library.set_estimates`.

    Parameters
    ----------
    timeline, features : bytes or None
        As the inference floor packs them; None leaves what is stored as it is.
    front_end : str
        Which front end made `features`.
    payload_hash : str
        Full identity of the audio that was classified, "" where it is not known.
    error : str or None
        With `estimate` None: why there is none.
    duration_s : float or None
        Length of the decoded audio, which replaces what the file's header says.
    revision : str
        Which revision of the model said it; another one makes the track stale.
    """

    track_id: int
    layer: Layer
    estimate: EmotionEstimate | None
    timeline: bytes | None = None
    features: bytes | None = None
    front_end: str = ""
    payload_hash: str = ""
    error: str | None = None
    duration_s: float | None = None
    revision: str = ""


class KnownFile(NamedTuple):
    """What a scan needs to know of a track."""

    id: int
    path: bytes
    size_bytes: int
    mtime_ns: int
    missing: int | None
    hidden: int | None
    scan_error: str | None
    audio_hash: str


def track_of(track_id: int, document: Mapping[str, Any]) -> Track:
    """The track of a document of the table `tracks`."""
    return Track(
        id=track_id,
        path=Path(os.fsdecode(document["path"])),
        missing=bool(document.get("missing")),
        has_cover=bool(document.get("has_cover")),
        # The decoder sees more of a file than the tag reader does.
        error=document.get("tag_error") or document.get("scan_error"),
        **{name: value for name, value in document.items() if name in _PLAIN},
    )


def model_key(model_id: str, revision: str) -> str:
    """A model in one of its revisions, as the column `common_model` names it."""
    return f"{model_id}@{revision}" if revision else model_id


def estimate_of(document: Mapping[str, Any] | None) -> EmotionEstimate | None:
    """The estimate of a document of `emotion_common` or `emotion_personal`."""
    if document is None:
        return None
    a, b, c, d = (float(document[name]) for name in _PROBABILITIES)
    leeway = document.get("leeway")
    return EmotionEstimate(
        (a, b, c, d),
        float(document["confidence"]),
        document["model_id"],
        None if leeway is None else Leeway(*leeway),
    )


def estimate_document(estimate: EmotionEstimate) -> dict[str, Any]:
    """The document of an estimate, for `emotion_common` or `emotion_personal`."""
    document = {
        **dict(zip(_PROBABILITIES, map(float, estimate.probabilities), strict=True)),
        "confidence": float(estimate.confidence),
        "model_id": estimate.model_id,
    }
    if estimate.leeway is not None:
        document["leeway"] = list(astuple(estimate.leeway))
    return document


def user_of(document: Mapping[str, Any] | None) -> UserLabel | None:
    """The listener's label of a document of `emotion_user`."""
    if document is None:
        return None
    mood = None
    if "valence" in document:
        mood = MoodPoint(document["valence"], document["arousal"])
    return UserLabel(Quadrant(document["quadrant"]), mood, document["at_s"])


def user_document(label: UserLabel) -> dict[str, Any]:
    """The document of the listener's label, for `emotion_user`."""
    document: dict[str, Any] = {"quadrant": label.quadrant.value, "at_s": float(label.at_s)}
    if label.mood is not None:
        document.update(valence=float(label.mood.valence), arousal=float(label.mood.arousal))
    return document


def effective_fields(emotion: TrackEmotion) -> dict[str, Any]:
    """The columns of `tracks` that say what the track counts as."""
    chosen = emotion.effective
    if chosen is None:
        return dict.fromkeys(("quadrant", "valence", "arousal", "confidence", "source"))
    return {
        "quadrant": chosen.quadrant.position,
        "valence": float(chosen.mood.valence),
        "arousal": float(chosen.mood.arousal),
        "confidence": float(chosen.confidence),
        "source": SOURCES.index(chosen.source),
    }
