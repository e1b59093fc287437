"""A track: one audio file of the library, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Track"]


@dataclass(frozen=True, slots=True)
class Track:
    """One audio file. `id` survives moves and retags and is never given to another track.

    Parameters
    ----------
    audio_hash : str
        Sampled identity of the audio payload (`library_db.identity`), "" where
        the file could not be read.
    title : str
        Never empty: the file's name where the tags have no title.
    artist, album, album_artist, genre : str
        One line of plain text each, "" where unknown. Views must show them as
        plain text, since a tag may hold markup.
    gain_track_db, gain_album_db : float or None
        ReplayGain 2.0 (reference -18 LUFS), also where the file holds Opus' R128 gains.
    peak_track, peak_album : float or None
        The largest sample, 1 being full scale, as the ReplayGain tags say.
    missing : bool
        The file was not found where it was; everything known of it is kept.
    common_model : str or None
        Which model in which revision rated it; see `library_db.rows.model_key`.
    error : str or None
        Why scanning or tagging failed.
    """

    id: int
    path: Path
    audio_hash: str = ""
    title: str = ""
    artist: str = ""
    album: str = ""
    album_artist: str = ""
    genre: str = ""
    year: int | None = None
    track_no: int | None = None
    disc_no: int | None = None
    duration_s: float | None = None
    fs_hz: int | None = None
    channels: int | None = None
    bitrate_kbps: int | None = None
    format: str = ""
    has_cover: bool = False
    mtime_ns: int = 0
    size_bytes: int = 0
    added_s: float = 0.0
    missing: bool = False
    gain_track_db: float | None = None
    gain_album_db: float | None = None
    peak_track: float | None = None
    peak_album: float | None = None
    common_model: str | None = None
    error: str | None = None
