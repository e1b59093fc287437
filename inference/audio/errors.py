"""What can happen to audio while it is analysed; light to import."""

from __future__ import annotations

from inference.errors import UndertoneError

__all__ = ["AudioError", "Cancelled"]


class AudioError(UndertoneError):
    """An audio file that cannot be used: unreadable, without audio, empty, too short."""


class Cancelled(UndertoneError):
    """Work that was stopped on request, between two blocks of audio."""

    def __init__(self, message: str = "Cancelled", remedy: str = "") -> None:
        super().__init__(message, remedy)
