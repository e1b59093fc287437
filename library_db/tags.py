"""mutagen's only door: tags, stream facts and covers of audio files, plain and bounded."""

# mutagen has few annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import codecs
import os
import zlib
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mutagen
from mutagen import id3
from mutagen.aac import AAC
from mutagen.aiff import AIFF
from mutagen.asf import ASF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import _frames, _specs
from mutagen.mp3 import MP3, MPEGInfo
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from library_db.errors import TagError
from library_db.tag_values import (
    bounded_gain,
    gain_of,
    joined,
    ordinal_of,
    peak_of,
    positive,
    r128_gain_of,
    whole,
    year_of,
)
from library_db.text import plain_text

__all__ = ["Tags", "read_cover", "read_tags", "write_basic_tags"]

MAX_COVER_BYTES = 16 * 1024 * 1024

_TYPES = [MP3, FLAC, OggVorbis, OggOpus, OggFLAC, OggSpeex, MP4, ASF, WAVE, AIFF, AAC]
_FORMATS = {
    MP3: "MP3", FLAC: "FLAC", OggVorbis: "Ogg", OggOpus: "Opus", OggFLAC: "FLAC", OggSpeex: "Speex",
    MP4: "M4A", ASF: "WMA", WAVE: "WAV", AIFF: "AIFF", AAC: "AAC",
}  # fmt: skip
_MAX_ID3_BYTES = 32 * 1024 * 1024
_MAX_FRAME_BYTES = MAX_COVER_BYTES
_MAX_PICTURES = 8

_ID3 = {
    "title": ("TIT2",), "artist": ("TPE1",), "album": ("TALB",), "album_artist": ("TPE2",),
    "genre": ("TCON",), "year": ("TDRC", "TYER", "TDOR", "TORY"), "track": ("TRCK",),
    "disc": ("TPOS",), "gain_track": ("TXXX:replaygain_track_gain",),
    "gain_album": ("TXXX:replaygain_album_gain",), "peak_track": ("TXXX:replaygain_track_peak",),
    "peak_album": ("TXXX:replaygain_album_peak",),
}  # fmt: skip
_VORBIS = {
    "title": ("title",), "artist": ("artist",), "album": ("album",),
    "album_artist": ("albumartist", "album artist"), "genre": ("genre",),
    "year": ("date", "year", "originaldate"), "track": ("tracknumber", "track"),
    "disc": ("discnumber", "disc"), "gain_track": ("replaygain_track_gain",),
    "gain_album": ("replaygain_album_gain",), "peak_track": ("replaygain_track_peak",),
    "peak_album": ("replaygain_album_peak",),
    "r128_track": ("r128_track_gain",), "r128_album": ("r128_album_gain",),
}  # fmt: skip
_MP4 = {
    "title": ("\xa9nam",), "artist": ("\xa9art",), "album": ("\xa9alb",), "album_artist": ("aart",),
    "genre": ("\xa9gen",), "year": ("\xa9day",), "track": ("trkn",), "disc": ("disk",),
    "gain_track": ("----:com.apple.itunes:replaygain_track_gain",),
    "gain_album": ("----:com.apple.itunes:replaygain_album_gain",),
    "peak_track": ("----:com.apple.itunes:replaygain_track_peak",),
    "peak_album": ("----:com.apple.itunes:replaygain_album_peak",),
}  # fmt: skip
_ASF = {
    "title": ("title",), "artist": ("author",), "album": ("wm/albumtitle",),
    "album_artist": ("wm/albumartist",), "genre": ("wm/genre",), "year": ("wm/year",),
    "track": ("wm/tracknumber",), "disc": ("wm/partofset",),
    "gain_track": ("replaygain_track_gain",), "gain_album": ("replaygain_album_gain",),
    "peak_track": ("replaygain_track_peak",), "peak_album": ("replaygain_album_peak",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file says of itself; texts are one plain line each, "" where there is none.

    `duration_s`, `fs_hz`, `channels`, `bitrate_kbps` and ReplayGain's gains
    (dB) and peaks (1 is full scale) are None where unknown or absurd.
    """

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
    gain_track_db: float | None = None
    gain_album_db: float | None = None
    peak_track: float | None = None
    peak_album: float | None = None


def _decompress(data: bytes, limit: int = _MAX_FRAME_BYTES) -> bytes:
    inflater = zlib.decompressobj()
    out = inflater.decompress(data, limit)
    if inflater.unconsumed_tail:
        raise zlib.error("more than a tag may hold")
    return out


# A compressed ID3 frame of one megabyte can unpack to a gigabyte, and mutagen sets no limit.
vars(_frames)["zlib"] = SimpleNamespace(decompress=_decompress, error=zlib.error)


def _decode_terminated(data: bytes, encoding: str, strict: bool = True) -> tuple[str, bytes]:
    if not codecs.lookup(encoding).name.startswith("utf-16"):
        text, rest = _slow_decode_terminated(data, encoding, strict)
        return str(text), bytes(rest)
    try:
        end = 2 * array("H", data[: len(data) & ~1]).index(0)
    except ValueError:
        if strict:
            raise ValueError("not null terminated") from None
        return data.decode(encoding), b""
    return data[:end].decode(encoding), data[end + 2 :]


# mutagen decodes UTF-16 byte by byte: twenty seconds for a tag of sixteen megabytes.
_slow_decode_terminated = vars(_specs)["decode_terminated"]
vars(_specs)["decode_terminated"] = _decode_terminated


def read_tags(path: Path) -> Tags:
    """Tags and stream facts of an audio file.

    Raises
    ------
    TagError
        If the file is empty, unreadable, or not the audio that its name promises.
    """
    audio = _open(path)
    info = audio.info
    facts = {
        "duration_s": positive(getattr(info, "length", None), 1e7),
        # Opus has no rate of its own: it always decodes to 48 kHz (RFC 7845, section 5.1).
        "fs_hz": 48000
        if isinstance(audio, OggOpus)
        else whole(getattr(info, "sample_rate", None), 10**7),
        "channels": whole(getattr(info, "channels", None), 1024),
        "bitrate_kbps": whole((getattr(info, "bitrate", None) or 0) / 1000, 10_000_000),
    }
    name = _FORMATS[next(kind for kind in _FORMATS if isinstance(audio, kind))]
    if name == "M4A" and str(getattr(info, "codec", "")).startswith("alac"):
        name = "ALAC"
    texts = _texts(audio)
    return Tags(
        title=joined(texts.get("title")),
        artist=joined(texts.get("artist")),
        album=joined(texts.get("album")),
        album_artist=joined(texts.get("album_artist")),
        genre=joined(texts.get("genre")),
        year=year_of(texts.get("year")),
        track_no=ordinal_of(texts.get("track")),
        disc_no=ordinal_of(texts.get("disc")),
        gain_track_db=_gain(texts, "track", audio),
        gain_album_db=_gain(texts, "album", audio),
        peak_track=_peak(texts, "track", audio),
        peak_album=_peak(texts, "album", audio),
        format=name,
        has_cover=next(_covers(audio), None) is not None,
        **facts,  # type: ignore[arg-type]
    )


def read_cover(path: Path, max_bytes: int = MAX_COVER_BYTES) -> bytes | None:
    """The front cover in the file, else its first picture; None without one, or above `max_bytes`.

    The bytes are whatever the file holds: who shows them must expect no picture at all.
    """
    try:
        audio = _open(path)
    except TagError:
        return None
    pictures = [(kind, data) for kind, data in _covers(audio) if 0 < len(data) <= max_bytes]
    front = [data for kind, data in pictures if kind == 3]
    chosen = front or [data for _, data in pictures]
    return bytes(chosen[0]) if chosen else None


def write_basic_tags(
    path: Path,
    *,
    title: str,
    artist: str,
    album: str,
    genre: str,
    year: int,
    track_no: int,
    cover_png: bytes | None = None,
) -> None:
    """Write ID3v2.4 tags into an MP3 that the program itself has made, never a listener's."""
    tags = id3.ID3()
    for frame, text in (
        (id3.TIT2, title),
        (id3.TPE1, artist),
        (id3.TALB, album),
        (id3.TCON, genre),
        (id3.TDRC, str(year)),
        (id3.TRCK, str(track_no)),
    ):
        tags.add(frame(encoding=3, text=text))
    if cover_png is not None:
        tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=cover_png))
    tags.save(path, v2_version=4)


# opening


def _open(path: Path) -> Any:
    """mutagen's object for the file, with `TagError` for all that can go wrong in reading it."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise TagError("the file is empty", "Copy or download it again.")
            if _id3_bytes(file.read(10)) > _MAX_ID3_BYTES:
                return _without_tags(file)
            file.seek(0)
            audio = mutagen.File(file, options=_TYPES)
            if audio is None and path.suffix.lower() == ".mp3":
                file.seek(0)
                audio = MP3(file)
            if isinstance(audio, AAC):
                audio.tags = _id3_beside(file)
    except TagError:
        raise
    except OSError as error:
        raise TagError(f"the file cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise TagError("the tags need more memory than there is") from error
    except Exception as error:  # mutagen lets struct, index and value errors of bad files through
        if isinstance(error.__cause__, OSError):
            raise TagError(f"the file cannot be read: {error.__cause__.strerror}") from error
        reason = plain_text(error, 160) or type(error).__name__
        raise TagError(f"not readable as audio: {reason}") from error
    if audio is None or getattr(audio, "info", None) is None:
        raise TagError("not an audio file that Undertone knows")
    return audio


def _id3_bytes(header: bytes) -> int:
    if len(header) < 10 or header[:3] != b"ID3":
        return 0
    return (header[6] << 21) | (header[7] << 14) | (header[8] << 7) | header[9]


def _without_tags(file: Any) -> Any:
    """The stream of an MP3 whose tag is too large to load."""
    file.seek(0)
    header = file.read(10)
    audio: Any = MP3.__new__(MP3)
    audio.info = MPEGInfo(file, _id3_bytes(header) + 10)
    audio.tags = None
    return audio


def _id3_beside(file: Any) -> Any:
    file.seek(0)
    try:
        return id3.ID3(BytesIO(file.read(_MAX_ID3_BYTES)))
    except id3.error:
        return None


# values


def _texts(audio: Any) -> dict[str, list[Any]]:
    """The values of the fields that we know, by our names for them."""
    tags = audio.tags
    if tags is None:
        return {}
    if isinstance(tags, id3.ID3):
        return _pick(_ID3, {_id3_key(key): _id3_values(frame) for key, frame in tags.items()})
    if isinstance(audio, MP4):
        return _pick(_MP4, {key.lower(): _as_list(value) for key, value in tags.items()})
    if isinstance(audio, ASF):
        found: dict[str, list[Any]] = {}
        for key, value in list(tags):
            found.setdefault(key.lower(), []).append(getattr(value, "value", value))
        return _pick(_ASF, found)
    comments: dict[str, list[Any]] = {}
    for key, value in list(tags):
        comments.setdefault(key.lower(), []).append(value)
    return _pick(_VORBIS, comments)


def _pick(
    names: Mapping[str, tuple[str, ...]], found: Mapping[str, list[Any]]
) -> dict[str, list[Any]]:
    picked: dict[str, list[Any]] = {}
    for ours, theirs in names.items():
        for key in theirs:
            if found.get(key):
                picked[ours] = found[key]
                break
    return picked


def _id3_key(key: str) -> str:
    kind, colon, rest = key.partition(":")
    return f"TXXX:{rest.lower()}" if kind == "TXXX" and colon else kind


def _id3_values(frame: Any) -> list[Any]:
    if isinstance(frame, id3.TCON):
        return list(frame.genres)
    return _as_list(getattr(frame, "text", None))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _gain(texts: Mapping[str, list[Any]], which: str, audio: Any) -> float | None:
    for value in texts.get(f"gain_{which}", ()):
        if (gain_db := gain_of(value)) is not None:
            return gain_db
    for value in texts.get(f"r128_{which}", ()):
        if (gain_db := r128_gain_of(value)) is not None:
            return gain_db
    return next((bounded_gain(float(frame.gain)) for frame in _rva2(audio, which)), None)


def _peak(texts: Mapping[str, list[Any]], which: str, audio: Any) -> float | None:
    written = [*texts.get(f"peak_{which}", ()), *(frame.peak for frame in _rva2(audio, which))]
    return next((peak for value in written if (peak := peak_of(value)) is not None), None)


def _rva2(audio: Any, which: str) -> list[Any]:
    frames = audio.tags.getall("RVA2") if isinstance(audio.tags, id3.ID3) else []
    return [f for f in frames if str(f.desc).lower() == which and f.channel == 1]


# covers


def _covers(audio: Any) -> Any:
    """(kind, data) of each picture in the file; kind 3 is the front cover."""
    tags = audio.tags
    if isinstance(audio, FLAC):
        yield from ((picture.type, picture.data) for picture in audio.pictures)
    elif tags is None:
        return
    elif isinstance(tags, id3.ID3):
        yield from ((int(frame.type), frame.data) for frame in tags.getall("APIC"))
    elif isinstance(audio, MP4):
        yield from ((3, bytes(cover)) for cover in tags.get("covr", []))
    elif isinstance(audio, ASF):
        yield from filter(None, map(_asf_picture, tags.get("WM/Picture", [])))
    else:
        for coded in tags.get("metadata_block_picture", [])[:_MAX_PICTURES]:
            yield from _vorbis_picture(coded)


def _vorbis_picture(coded: str) -> Iterable[tuple[int, bytes]]:
    from base64 import b64decode

    if len(coded) > 2 * MAX_COVER_BYTES:
        return ()
    try:
        picture = Picture(b64decode(coded))
    except Exception:  # as above: mutagen's parser lets its own mistakes through
        return ()
    return ((picture.type, picture.data),)


def _asf_picture(attribute: Any) -> tuple[int, bytes] | None:
    """Kind, size, then two UTF-16 texts (type, description) that end in NUL, then the data."""
    data = bytes(attribute.value)
    at = 5
    for _ in range(2):
        while at + 1 < len(data) and data[at : at + 2] != b"\0\0":
            at += 2
        at += 2
    return (data[0], data[at:]) if at < len(data) else None
