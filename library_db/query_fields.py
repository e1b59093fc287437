"""The fields of the search language, and the words that they take."""

from __future__ import annotations

from inference.emotion import Quadrant

__all__ = ["ALL_FIELDS", "EXAMPLES", "FLAGS", "MOODS", "NUMBER_FIELDS", "TEXT_FIELDS", "example"]

TEXT_FIELDS = {
    "title": "title",
    "artist": "artist",
    "album": "album",
    "albumartist": "album_artist",
    "genre": "genre",
    "path": "path",
    "folder": "path",
    "format": "format",
}
NUMBER_FIELDS = {
    "valence": "valence",
    "arousal": "arousal",
    "valence%": "valence%",
    "arousal%": "arousal%",
    "conf": "confidence",
    "confidence": "confidence",
    "year": "year",
    "duration": "duration_s",
    "length": "duration_s",
    "bitrate": "bitrate_kbps",
    "track": "track_no",
    "disc": "disc_no",
}
"""valence% and arousal%: percentiles within the library, from 0 to 100."""
FLAGS = {
    "missing": "missing",
    "failed": "failed",
    "unsure": "unsure",
    "corrected": "corrected",
    "personal": "personal",
    "tagged": "tagged",
    "untagged": "untagged",
    "stale": "stale",
    "cover": "cover",
}
"""unsure: confidence below 0.5; stale: the audio changed since it was classified."""

MOODS: dict[str, Quadrant | None] = {
    **{q.label.lower(): q for q in Quadrant},
    **{q.value.lower(): q for q in Quadrant},
    "none": None,
    "unknown": None,
}
EXAMPLES = {
    "mood": "mood:calm",
    "year": "year:1990-1999",
    "duration_s": "duration:>3:30",
    "confidence": "conf:<0.5",
    "valence%": "valence%:>80",
    "arousal%": "arousal%:<20",
    "mood%": "mood%:calm",
}

ALL_FIELDS = ("mood", "mood%", "is", *TEXT_FIELDS, *NUMBER_FIELDS, *FLAGS)


def example(name: str) -> str:
    """A term with this field, for a message that says what to write."""
    if name in NUMBER_FIELDS:
        return EXAMPLES.get(NUMBER_FIELDS[name], f"{name}:>0.3")
    if name == "is":
        return "is:unsure"
    if name in FLAGS:
        return f"{name}:yes"
    return EXAMPLES.get(name, f'{name}:"some text"')
