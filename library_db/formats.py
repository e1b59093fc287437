"""Which files are taken for audio, by their names."""

from __future__ import annotations

__all__ = ["AUDIO_SUFFIXES"]

AUDIO_SUFFIXES = frozenset(
    {".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wav", ".aif", ".aiff", ".wma"}
)
"""Suffixes in lower case; a name in any case counts."""
