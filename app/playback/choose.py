"""Which back end plays on this machine: libVLC, or the silent one where it is missing."""

from __future__ import annotations

from app.playback.backend import PlaybackBackend, Post
from app.playback.null_backend import NullBackend
from app.playback.vlc_backend import VlcBackend
from app.playback.vlc_engine import EngineStart, PlaybackUnavailableError

__all__ = ["open_backend"]


def open_backend(
    post: Post, options: tuple[str, ...] = (), started: EngineStart | None = None
) -> tuple[PlaybackBackend, PlaybackUnavailableError | None]:
    """A back end that posts to `post`, and what the person must be told about it.

    Parameters
    ----------
    post : callable
        Takes the events, from any thread.
    options : tuple of str
        More options for libVLC, such as ``--aout=dummy``.
    started : EngineStart, optional
        A libVLC whose start has begun; `options` are then its own.

    Returns
    -------
    backend : PlaybackBackend
    fault : PlaybackUnavailableError or None
        Why nothing can be heard, with the remedy.
    """
    try:
        engine = started.wait() if started is not None else None
        return VlcBackend(post, options, engine=engine), None
    except PlaybackUnavailableError as error:
        return NullBackend(post), error
