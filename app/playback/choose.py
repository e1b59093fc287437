"""Which back end plays on this machine: libVLC, or the silent one where it is missing."""

from __future__ import annotations

from app.playback.backend import PlaybackBackend, Post
from app.playback.null_backend import NullBackend
from app.playback.vlc_backend import PlaybackUnavailableError, VlcBackend

__all__ = ["open_backend"]


def open_backend(
    post: Post, options: tuple[str, ...] = ()
) -> tuple[PlaybackBackend, PlaybackUnavailableError | None]:
    """A back end that posts to `post`, and what the person must be told about it.

    Parameters
    ----------
    post : callable
        Takes the events, from any thread.
    options : tuple of str
        More options for libVLC, such as ``--aout=dummy``.

    Returns
    -------
    backend : PlaybackBackend
    fault : PlaybackUnavailableError or None
        Why nothing can be heard, with the remedy.
    """
    try:
        return VlcBackend(post, options), None
    except PlaybackUnavailableError as error:
        return NullBackend(post), error
