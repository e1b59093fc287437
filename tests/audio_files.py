"""Small real audio files for tests: MP3, FLAC, Ogg, Opus, M4A and WAV, with tags."""

from __future__ import annotations

import io
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

__all__ = ["signal", "tiny_png", "write_album", "write_audio"]

_SOUNDFILE = {
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".wav": ("WAV", "PCM_16"),
}


def write_audio(
    path: Path,
    *,
    duration_s: float = 2.0,
    fs_hz: int = 44100,
    channels: int = 2,
    frequency_hz: float = 440.0,
    kind: str = "tone",
    seed: int = 0,
    title: str | None = "A Tone",
    artist: str | None = "The Testers",
    album: str | None = "Signals",
    genre: str | None = None,
    year: int | None = None,
    track_no: int | None = None,
    album_artist: str | None = None,
    cover: bytes | None = None,
) -> Path:
    """Write one playable file whose format follows from the suffix, and return its path.

    Parameters
    ----------
    path : Path
        `.mp3`, `.flac`, `.ogg`, `.opus`, `.m4a` or `.wav`; missing folders are made.
    kind : {"tone", "chord", "noise", "silence"}
        What is heard; `frequency_hz` and `seed` make files with different audio.
    title, artist, album, genre, year, track_no, album_artist, cover :
        Written where given; None leaves the tag out. `cover` is a PNG or JPEG.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        _encoded(path.suffix.lower(), duration_s, fs_hz, channels, frequency_hz, kind, seed)
    )
    texts = {
        "title": title,
        "artist": artist,
        "album": album,
        "albumartist": album_artist,
        "genre": genre,
        "date": None if year is None else str(year),
        "tracknumber": None if track_no is None else str(track_no),
    }
    _write_tags(path, {key: text for key, text in texts.items() if text is not None}, cover)
    return path


def write_album(
    folder: Path, *, artist: str, album: str, suffix: str = ".mp3", songs: int = 3
) -> list[Path]:
    """Write `songs` different tones, `01.mp3` and so on, with a cover in each."""
    cover = tiny_png()
    return [
        write_audio(
            folder / f"{number:02d}{suffix}",
            frequency_hz=220.0 * 2 ** (number / 12),
            title=f"{album} {number}",
            artist=artist,
            album=album,
            track_no=number,
            year=1990 + number,
            cover=cover,
        )
        for number in range(1, songs + 1)
    ]


def signal(
    duration_s: float,
    fs_hz: int,
    *,
    channels: int = 1,
    frequency_hz: float = 440.0,
    kind: str = "tone",
    seed: int = 0,
) -> np.ndarray:
    """The samples that `write_audio` encodes: shape (n, channels), float32, peak <= 0.5."""
    n = round(duration_s * fs_hz)
    t_s = np.arange(n) / fs_hz
    if kind == "tone":
        mono = 0.5 * np.sin(2 * np.pi * frequency_hz * t_s)
    elif kind == "chord":
        ratios = (1.0, 1.25, 1.5, 2.0)
        mono = sum(np.sin(2 * np.pi * frequency_hz * r * t_s) for r in ratios) / 8
    elif kind == "noise":
        mono = np.random.default_rng(seed).uniform(-0.5, 0.5, n)
    elif kind == "silence":
        mono = np.zeros(n)
    else:
        raise ValueError(f"unknown kind of signal {kind!r}")
    return np.repeat(np.asarray(mono, dtype=np.float32)[:, None], channels, axis=1)


def tiny_png(rgb: tuple[int, int, int] = (70, 130, 180), size: int = 16) -> bytes:
    """A valid PNG of one colour, `size` x `size` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = (b"\x00" + bytes(rgb) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@lru_cache(maxsize=64)
def _encoded(
    suffix: str,
    duration_s: float,
    fs_hz: int,
    channels: int,
    frequency_hz: float,
    kind: str,
    seed: int,
) -> bytes:
    samples = signal(
        duration_s, fs_hz, channels=channels, frequency_hz=frequency_hz, kind=kind, seed=seed
    )
    if suffix == ".m4a":
        return _encoded_m4a(samples, fs_hz)
    format_name, subtype = _SOUNDFILE[suffix]
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", fs_hz, samples.shape[1], subtype=subtype, format=format_name
    ) as file:
        # A second at a time: libsndfile's Vorbis encoder crashes on long arrays in one call.
        for start in range(0, len(samples), fs_hz):
            file.write(samples[start : start + fs_hz])
    return buffer.getvalue()


def _encoded_m4a(samples: np.ndarray, fs_hz: int) -> bytes:
    import av

    buffer = io.BytesIO()
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(buffer, "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=fs_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout=layout
        )
        frame.sample_rate = fs_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return buffer.getvalue()


def _write_tags(path: Path, texts: dict[str, str], cover: bytes | None) -> None:
    from mutagen import File
    from mutagen.easyid3 import EasyID3
    from mutagen.flac import FLAC, Picture
    from mutagen.id3 import APIC, ID3
    from mutagen.mp4 import MP4, MP4Cover
    from mutagen.wave import WAVE

    suffix = path.suffix.lower()
    if suffix in (".mp3", ".wav"):
        easy = EasyID3()
        for key, text in texts.items():
            easy[key] = text
        tags: ID3 = easy._EasyID3__id3
        if cover is not None:
            tags.add(APIC(encoding=0, mime="image/png", type=3, desc="", data=cover))
        if suffix == ".mp3":
            tags.save(path)
        else:
            audio = WAVE(path)
            audio.add_tags()
            for frame in tags.values():
                audio.tags.add(frame)
            audio.save()
        return
    audio = File(path, easy=suffix == ".m4a")
    for key, text in texts.items():
        audio[key] = text
    picture = Picture()
    if cover is not None:
        picture.data, picture.mime, picture.type = cover, "image/png", 3
        if isinstance(audio, FLAC):
            audio.add_picture(picture)
        elif suffix in (".ogg", ".opus"):
            import base64

            audio["metadata_block_picture"] = base64.b64encode(picture.write()).decode("ascii")
    audio.save()
    if cover is not None and suffix == ".m4a":
        mp4 = MP4(path)
        mp4["covr"] = [MP4Cover(cover, MP4Cover.FORMAT_PNG)]
        mp4.save()
