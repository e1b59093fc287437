"""The identity of audio: retagging keeps it, other audio has another one."""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen import File
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TIT2, TXXX
from mutagen.mp4 import MP4, MP4Cover
from mutagen.wave import WAVE

from library_db.identity import audio_hash, payload_hash
from tests.audio_files import tiny_png, write_audio

FORMATS = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff", ".wma", ".aac")


def _write(path: Path, *, frequency_hz: float = 440.0, duration_s: float = 3.0) -> Path:
    """As `write_audio`, with AIFF, WMA and bare AAC too."""
    if path.suffix not in (".aiff", ".wma", ".aac"):
        return write_audio(
            path, fs_hz=48000, frequency_hz=frequency_hz, duration_s=duration_s, kind="tone"
        )
    import av
    import numpy as np

    codec = {".aiff": "pcm_s16be", ".wma": "wmav2", ".aac": "aac"}[path.suffix]
    container_format = {".aiff": "aiff", ".wma": "asf", ".aac": "adts"}[path.suffix]
    t_s = np.arange(round(duration_s * 44100)) / 44100
    mono = (0.4 * np.sin(2 * np.pi * frequency_hz * t_s)).astype(np.float32)
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=44100, layout="stereo")
        if path.suffix != ".aiff":
            stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(np.stack([mono, mono]), format="fltp", layout="stereo")
        frame.sample_rate = 44100
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=44100)
        for piece in resampler.resample(frame):
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def _retag(path: Path, size: int) -> None:
    """Give the file a title of `size` characters and a cover of `size` bytes."""
    text, cover = "x" * size, tiny_png() + os.urandom(size)
    if path.suffix in (".mp3", ".aac"):
        tags = ID3()
        tags.add(TIT2(encoding=3, text=text))
        tags.add(APIC(encoding=0, mime="image/png", type=3, desc="", data=cover))
        tags.save(path)
    elif path.suffix in (".wav", ".aiff"):
        audio = WAVE(path) if path.suffix == ".wav" else AIFF(path)
        if audio.tags is None:
            audio.add_tags()
        audio.tags.add(TXXX(encoding=3, desc="note", text=text))
        audio.save()
    elif path.suffix == ".m4a":
        mp4 = MP4(path)
        mp4["\xa9nam"], mp4["covr"] = text, [MP4Cover(cover)]
        mp4.save()
    elif path.suffix == ".wma":
        asf = ASF(path)
        asf["Title"] = text[:30000]
        asf.save()
    else:
        audio = File(path)
        audio["title"] = text
        picture = Picture()
        picture.data, picture.type = cover, 3
        if isinstance(audio, FLAC):
            audio.add_picture(picture)
        else:
            audio["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
        audio.save()


@pytest.mark.parametrize("suffix", FORMATS)
def test_retagging_changes_neither_hash(tmp_path: Path, suffix: str) -> None:
    path = _write(tmp_path / f"song{suffix}")
    before = audio_hash(path), payload_hash(path)
    for size in (10, 200_000, 3):
        content = path.read_bytes()
        _retag(path, size)
        assert path.read_bytes() != content
        assert (audio_hash(path), payload_hash(path)) == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_other_audio_has_other_hashes(tmp_path: Path, suffix: str) -> None:
    one = _write(tmp_path / f"one{suffix}")
    other = _write(tmp_path / f"other{suffix}", frequency_hz=500.0)
    assert audio_hash(one) != audio_hash(other)
    assert payload_hash(one) != payload_hash(other)


@pytest.mark.parametrize("suffix", [".mp3", ".flac"])
def test_tags_at_the_end_do_not_count(tmp_path: Path, suffix: str) -> None:
    path = _write(tmp_path / f"song{suffix}")
    before = audio_hash(path), payload_hash(path)
    tags = APEv2()
    tags["Title"] = "At the end"
    tags.save(path)
    with path.open("ab") as file:
        file.write(b"TAG" + b"Old title".ljust(125, b"\0"))
    assert (audio_hash(path), payload_hash(path)) == before


def test_long_ogg_is_recognised_although_all_its_pages_are_renumbered(tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    path = tmp_path / "long.ogg"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 44100).astype(np.float32)
    with soundfile.SoundFile(path, "w", 44100, 1, format="OGG", subtype="VORBIS") as file:
        for _ in range(90):  # by the second: the encoder crashes on long arrays
            file.write(noise)
    assert path.stat().st_size > 4 * 3 * 64 * 1024
    before = audio_hash(path), payload_hash(path)
    pages = path.read_bytes().count(b"OggS")
    _retag(path, 400_000)
    assert path.read_bytes().count(b"OggS") > pages
    assert (audio_hash(path), payload_hash(path)) == before


def test_full_hash_sees_a_change_between_the_samples(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    payload = bytearray(os.urandom(1_000_000))
    payload[0] = 0xFF
    path.write_bytes(payload)
    sampled, full = audio_hash(path), payload_hash(path)
    payload[200_000] ^= 1
    path.write_bytes(payload)
    assert audio_hash(path) == sampled
    assert payload_hash(path) != full


def _lying_id3(good: bytes) -> bytes:
    return b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + good


def _lying_mp4(good: bytes) -> bytes:
    return struct.pack(">I", 8) + b"ftyp" + struct.pack(">IQ", 1, 2**63)[:4] + b"mdat" + good[:50]


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: good[:7],
        lambda good: b"fLaC",
        lambda good: b"fLaC" + b"\x01\xff\xff\xff" * 10,
        lambda good: b"OggS" * 50,
        lambda good: b"RIFF\0\0\0\0WAVE" + b"data" + b"\xff" * 4,
        lambda good: b"FORM\0\0\0\0AIFF",
        lambda good: b"APETAGEX" + b"\xff" * 24,
        lambda good: good + b"APETAGEX" + b"\xff" * 24,
        _lying_id3,
        _lying_mp4,
    ],
)
def test_broken_files_have_a_hash_all_the_same(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    good = write_audio(tmp_path / "good.mp3", duration_s=0.5).read_bytes()
    path = tmp_path / "broken.mp3"
    path.write_bytes(damage(good))
    assert audio_hash(path) == audio_hash(path)
    assert "-" in payload_hash(path)


def test_hashing_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(os.urandom(100_000))
    with pytest.raises(InterruptedError):
        payload_hash(path, cancelled=lambda: True)
