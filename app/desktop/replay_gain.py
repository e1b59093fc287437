"""Which of a song's ReplayGain tags counts, with what is set on top of them."""

from __future__ import annotations

from app.settings import Playback
from library_db.track import Track

__all__ = ["replay_gain"]


def replay_gain(track: Track, playback: Playback) -> tuple[float, float]:
    """How much louder a song is to be played, and how far it reaches.

    Parameters
    ----------
    track : Track
    playback : Playback
        The settings: "track" or "album" gain (the other one where a song has only that), the
        preamplification for songs with such tags, and the gain of those without.

    Returns
    -------
    gain_db : float
    peak : float
        The largest sample of what the gain was measured on, 1 being full scale; 1 where unknown.
        The back end never goes beyond 1 / peak, so nothing is clipped.
    """
    of_track = (track.gain_track_db, track.peak_track)
    of_album = (track.gain_album_db, track.peak_album)
    chosen = (of_album, of_track) if playback.replay_gain == "album" else (of_track, of_album)
    for gain_db, peak in chosen:
        if gain_db is not None:
            return gain_db + playback.replay_gain_preamp_db, peak or track.peak_track or 1.0
    return playback.replay_gain_untagged_db, 1.0
