"""What the command line says of a song as JSON: one shape for tag, list and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.emotion import QUADRANTS, EmotionEstimate

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.track import Track

__all__ = ["LIST_FIELDS", "estimate_to_json", "track_to_json"]

LIST_FIELDS = (
    "path",
    "duration_s",
    "quadrant",
    "probabilities",
    "valence",
    "arousal",
    "confidence",
    "model",
    "seconds",
    "error",
    "title",
    "artist",
    "album",
)
"""The fields of a song in `undertone list --json`, in their order."""

_DIGITS = 6


def estimate_to_json(estimate: EmotionEstimate | None) -> dict[str, Any]:
    """quadrant, probabilities, valence, arousal, confidence and model; null where unknown."""
    if estimate is None:
        return dict.fromkeys(
            ("quadrant", "probabilities", "valence", "arousal", "confidence", "model")
        )
    mood = estimate.mood
    return {
        "quadrant": estimate.quadrant.value,
        "probabilities": _probabilities(estimate),
        "valence": round(mood.valence, _DIGITS),
        "arousal": round(mood.arousal, _DIGITS),
        "confidence": round(estimate.confidence, _DIGITS),
        "model": estimate.model_id,
    }


def track_to_json(track: Track, emotion: TrackEmotion) -> dict[str, Any]:
    """A song of the library with what it counts as: the listener's word before any model's.

    `probabilities` and `model` are of the strongest model's estimate, also where the listener
    has corrected it.
    """
    fields = estimate_to_json(emotion.estimate)
    chosen = emotion.effective
    if chosen is not None:
        fields["quadrant"] = chosen.quadrant.value
        fields["valence"] = round(chosen.mood.valence, _DIGITS)
        fields["arousal"] = round(chosen.mood.arousal, _DIGITS)
        fields["confidence"] = round(chosen.confidence, _DIGITS)
    return {
        "path": str(track.path),
        "duration_s": track.duration_s,
        **fields,
        "seconds": None,
        "error": track.error,
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
    }


def _probabilities(estimate: EmotionEstimate) -> dict[str, float]:
    return {
        quadrant.value: round(probability, _DIGITS)
        for quadrant, probability in zip(QUADRANTS, estimate.probabilities, strict=True)
    }
