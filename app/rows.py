"""What the command line says of a song as JSON: one shape for tag, list and export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.emotion import QUADRANTS, EmotionEstimate
from inference.uncertainty import rounded, uncertainty
from library_db.adaptation import is_adapted

if TYPE_CHECKING:
    from library_db.emotion_layers import TrackEmotion
    from library_db.relative import RelativeMood
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
    "possible",
    "valence_interval",
    "arousal_interval",
    "model",
    "adapted",
    "seconds",
    "error",
    "title",
    "artist",
    "album",
    "relative_quadrant",
    "valence_percentile",
    "arousal_percentile",
)
"""The fields of a song in `undertone list --json`, in their order."""

_DIGITS = 6
_OF_AN_ESTIMATE = (
    *("quadrant", "probabilities", "valence", "arousal", "confidence"),
    *("possible", "valence_interval", "arousal_interval", "model"),
)


def estimate_to_json(estimate: EmotionEstimate | None) -> dict[str, Any]:
    """What a model says of a song; null where unknown.

    quadrant, probabilities, valence, arousal, confidence, then what is left open: `possible` (the
    quadrants of a 90 % set, most probable first), valence_interval and arousal_interval
    (`[low, high]`, 90 %), and model.
    """
    if estimate is None:
        return dict.fromkeys(_OF_AN_ESTIMATE)
    mood, open_ = estimate.mood, uncertainty(estimate)
    return {
        "quadrant": estimate.quadrant.value,
        "probabilities": _probabilities(estimate),
        "valence": round(mood.valence, _DIGITS),
        "arousal": round(mood.arousal, _DIGITS),
        "confidence": round(estimate.confidence, _DIGITS),
        "possible": [quadrant.value for quadrant in open_.possible] or None,
        "valence_interval": rounded(open_.valence, _DIGITS),
        "arousal_interval": rounded(open_.arousal, _DIGITS),
        "model": estimate.model_id,
    }


def track_to_json(
    track: Track, emotion: TrackEmotion, relative: RelativeMood | None
) -> dict[str, Any]:
    """A song of the library with what it counts as: the listener's word before any model's.

    `probabilities` and `model` are of the strongest model's estimate, also where the listener
    has corrected it. `adapted`: whether the song was judged by what is usual in the library.
    Where it lies within the library: `relative_quadrant` (about the medians), valence_percentile
    and arousal_percentile (the share of the songs below it, 0 to 100).
    """
    fields = estimate_to_json(emotion.estimate)
    chosen = emotion.effective
    if chosen is not None:
        fields["quadrant"] = chosen.quadrant.value
        fields["valence"] = round(chosen.mood.valence, _DIGITS)
        fields["arousal"] = round(chosen.mood.arousal, _DIGITS)
        fields["confidence"] = round(chosen.confidence, _DIGITS)
        open_ = emotion.open
        fields["possible"] = [quadrant.value for quadrant in open_.possible] or None
        fields["valence_interval"] = rounded(open_.valence, _DIGITS)
        fields["arousal_interval"] = rounded(open_.arousal, _DIGITS)
    return {
        "path": str(track.path),
        "duration_s": track.duration_s,
        **fields,
        "adapted": None if emotion.common is None else is_adapted(track.common_model),
        "seconds": None,
        "error": track.error,
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "relative_quadrant": relative.quadrant.value if relative else None,
        "valence_percentile": round(relative.valence, 2) if relative else None,
        "arousal_percentile": round(relative.arousal, 2) if relative else None,
    }


def _probabilities(estimate: EmotionEstimate) -> dict[str, float]:
    return {
        quadrant.value: round(probability, _DIGITS)
        for quadrant, probability in zip(QUADRANTS, estimate.probabilities, strict=True)
    }
