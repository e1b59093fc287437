"""Reading tags: what every format says, and what hostile files may not do."""

from __future__ import annotations

import struct
import tracemalloc
import unicodedata
import zlib
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import ID3, RVA2, TALB, TCON, TDRC, TIT2, TPE1, TRCK, TXXX
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus

from library_db.errors import TagError
from library_db.tags import read_cover, read_tags, write_basic_tags
from library_db.text import MAX_TEXT, plain_text
from tests.audio_files import tiny_png, write_audio

FORMATS = {
    ".mp3": "MP3", ".flac": "FLAC", ".ogg": "Ogg", ".opus": "Opus", ".m4a": "M4A", ".wav": "WAV",
}  # fmt: skip


@pytest.mark.parametrize("suffix", FORMATS)
def test_all_formats_give_the_same_facts(tmp_path: Path, suffix: str) -> None:
    cover = tiny_png()
    path = write_audio(
        tmp_path / f"song{suffix}", duration_s=2.0, fs_hz=48000, cover=cover, title="Glósóli",
        artist="Sigur Rós", album="Takk...", genre="Post-Rock", year=2005, track_no=3,
    )  # fmt: skip
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.album) == ("Glósóli", "Sigur Rós", "Takk...")
    assert (tags.genre, tags.year, tags.track_no) == ("Post-Rock", 2005, 3)
    assert tags.duration_s == pytest.approx(2.0, abs=0.1)
    assert tags.channels == 2
    assert tags.fs_hz == 48000
    assert tags.format == FORMATS[suffix]
    assert tags.has_cover
    assert read_cover(path) == cover
    assert read_cover(path, max_bytes=10) is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_untagged_files_give_empty_texts(tmp_path: Path, suffix: str) -> None:
    path = write_audio(tmp_path / f"a{suffix}", fs_hz=48000, title=None, artist=None, album=None)
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.album, tags.year) == ("", "", "", None)
    assert not tags.has_cover
    assert read_cover(path) is None


def _mp3(path: Path, *frames: object) -> Path:
    write_audio(path, duration_s=0.5, title=None, artist=None, album=None)
    tags = ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path)
    return path


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x00b", "a; b"),
        ("line\none\r\n\ttwo\u2028three", "line one two three"),
        ("abc\u202egpm.exe\u202c", "abcgpm.exe"),
        ("\u2066x\u2069\ufeff\u200b\x1b[31m", "x [31m"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("<b onclick='x'>bold</b>", "<b onclick='x'>bold</b>"),
        ("AC/DC", "AC/DC"),
        ("BjÃ¶rk", "Björk"),
        ("Motörhead", "Motörhead"),
        ("  \t ", ""),
    ],
)
def test_texts_come_out_as_one_plain_line(tmp_path: Path, hostile: str, shown: str) -> None:
    path = _mp3(tmp_path / "song.mp3", TPE1(encoding=3, text=hostile))
    assert read_tags(path).artist == shown


def test_megabytes_of_text_are_cut(tmp_path: Path) -> None:
    text = "long \u202e" * 400_000
    path = _mp3(
        tmp_path / "song.mp3", TIT2(encoding=3, text=text), TALB(encoding=1, text=[text] * 3)
    )
    tags = read_tags(path)
    for shown in (tags.title, tags.album):
        assert 0 < len(shown) <= MAX_TEXT
        assert shown.endswith("\u2026")


@pytest.mark.parametrize("encoding", [1, 2])
def test_texts_in_utf_16_are_read_as_by_mutagen(tmp_path: Path, encoding: int) -> None:
    for text in ("", "Ā\u0100", "日本 𝄞", ["one", "Ünö", "𝄞"], "a\u4e00\u0061"):
        path = _mp3(
            tmp_path / "a.mp3", TPE1(encoding=encoding, text=text), TALB(encoding=1, text="x")
        )
        expected = "; ".join(text) if isinstance(text, list) else text
        tags = read_tags(path)
        assert (tags.artist, tags.album) == (expected, "x")


def test_any_text_becomes_one_printable_bounded_line() -> None:
    import random

    rng = random.Random(7)
    for _ in range(2000):
        highest = rng.choice((0x250, 0x3000, 0x110000))
        text = "".join(chr(rng.randrange(highest)) for _ in range(rng.randrange(40)))
        line = plain_text(text, 20)
        assert len(line) <= 20
        assert line == line.strip()
        assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in line)
        line.encode("utf-8")


def test_lists_are_joined_once_each(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.flac", duration_s=0.5)
    audio = FLAC(path)
    audio["artist"] = ["Simon", "Garfunkel", "Simon"]
    audio["genre"] = [f"g{i}" for i in range(100)]
    audio.save()
    tags = read_tags(path)
    assert tags.artist == "Simon; Garfunkel"
    assert tags.genre.count(";") == 7


@pytest.mark.parametrize(
    ("written", "year"),
    [("2005-09-12", 2005), ("12.9.1987", 1987), ("", None), ("99999", None), ("unknown", None),
     ("0000", None), ("(c) 1971 EMI", 1971), ("9999", None)],
)  # fmt: skip
def test_years_are_plausible_or_unknown(tmp_path: Path, written: str, year: int | None) -> None:
    path = write_audio(tmp_path / "a.flac", duration_s=0.5)
    audio = FLAC(path)
    audio["date"] = written
    audio.save()
    assert read_tags(path).year == year


@pytest.mark.parametrize(
    ("written", "number"), [("3/12", 3), ("03", 3), ("A1", None), ("0", None), ("9" * 20, None)]
)
def test_track_numbers_are_ordinals_or_unknown(
    tmp_path: Path, written: str, number: int | None
) -> None:
    path = _mp3(tmp_path / "a.mp3", TRCK(encoding=3, text=written), TCON(encoding=3, text="(17)"))
    tags = read_tags(path)
    assert tags.track_no == number
    assert tags.genre == "Rock"


def test_gains_of_all_kinds_are_replaygain_decibels(tmp_path: Path) -> None:
    mp3 = _mp3(
        tmp_path / "a.mp3",
        TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text="-7.25 dB"),
        TXXX(encoding=3, desc="REPLAYGAIN_TRACK_PEAK", text="1.034"),
        RVA2(desc="album", channel=1, gain=-3.5, peak=0.9),
    )
    assert read_tags(mp3).gain_track_db == -7.25
    assert read_tags(mp3).gain_album_db == pytest.approx(-3.5, abs=0.01)
    assert read_tags(mp3).peak_track == 1.034
    assert read_tags(mp3).peak_album == pytest.approx(0.9, abs=0.01)
    opus_file = write_audio(tmp_path / "a.opus", fs_hz=48000, duration_s=0.5)
    opus = OggOpus(opus_file)
    opus["r128_track_gain"] = "-512"
    opus.save()
    assert read_tags(opus_file).gain_track_db == pytest.approx(3.0)
    m4a_file = write_audio(tmp_path / "a.m4a", duration_s=0.5)
    m4a = MP4(m4a_file)
    m4a["----:com.apple.iTunes:replaygain_track_gain"] = [b"+1,5 dB"]
    m4a["----:com.apple.iTunes:replaygain_track_peak"] = [b"0.5"]
    m4a.save()
    assert read_tags(m4a_file).gain_track_db == 1.5
    assert read_tags(m4a_file).peak_track == 0.5
    for junk in ("nan", "inf dB", "-900 dB", "loud", ""):
        path = _mp3(tmp_path / "j.mp3", TXXX(encoding=3, desc="replaygain_track_gain", text=junk))
        assert read_tags(path).gain_track_db is None
    for junk in ("0", "-1", "nan", "1e9", "high"):
        path = _mp3(tmp_path / "p.mp3", TXXX(encoding=3, desc="replaygain_track_peak", text=junk))
        assert read_tags(path).peak_track is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.mp3", b"", "empty"),
        ("text.mp3", b"This is no music at all.\n" * 500, "not readable as audio"),
        ("text.flac", b"This is no music at all.\n" * 500, "not"),
        ("random.ogg", bytes(range(256)) * 40, "not"),
        ("short.mp3", b"ID3", "not"),
        ("lying.mp3", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"x" * 100, "not"),
        ("atoms.m4a", struct.pack(">I", 8) + b"ftyp" + b"\0\0\0\1moov" + b"\xff" * 30, "not"),
    ],
)
def test_what_is_no_audio_is_refused_with_a_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TagError, match=words) as caught:
        read_tags(path)
    assert len(caught.value.message) < 250
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".m4a", ".wav"])
def test_truncated_and_flipped_files_never_raise_anything_else(tmp_path: Path, suffix: str) -> None:
    import random

    good = write_audio(tmp_path / f"good{suffix}", duration_s=0.5, cover=tiny_png()).read_bytes()
    rng = random.Random(suffix)
    path = tmp_path / f"bad{suffix}"
    for _ in range(60):
        bad = bytearray(good[: rng.randrange(1, len(good))])
        for _ in range(rng.randrange(30)):
            bad[rng.randrange(min(len(bad), 4000))] = rng.randrange(256)
        path.write_bytes(bad)
        try:
            tags = read_tags(path)
        except TagError:
            continue
        assert len(tags.title) <= MAX_TEXT
        read_cover(path)


def test_a_compressed_frame_cannot_fill_the_memory(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(400_000_000), 9)
    frame = b"TIT2" + struct.pack(">IH", len(bomb) + 4, 0x0080) + struct.pack(">I", 1000) + bomb
    size = len(frame)
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    good = write_audio(tmp_path / "good.mp3", duration_s=0.5, title=None, artist=None, album=None)
    path = tmp_path / "bomb.mp3"
    path.write_bytes(b"ID3\x03\x00\x00" + syncsafe + frame + good.read_bytes())
    tracemalloc.start()
    try:
        tags = read_tags(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tags.title == ""
    assert tags.duration_s is not None
    assert peak < 150_000_000


def test_an_oversized_tag_is_left_unread(tmp_path: Path) -> None:
    good = write_audio(tmp_path / "good.mp3", duration_s=1.0, title=None, artist=None, album=None)
    size = 40 * 1024 * 1024
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path = tmp_path / "big.mp3"
    with path.open("wb") as file:
        file.write(b"ID3\x04\x00\x00" + syncsafe)
        file.seek(10 + size)
        file.write(good.read_bytes())
    tags = read_tags(path)
    assert tags.title == ""
    assert tags.duration_s == pytest.approx(1.0, abs=0.1)


def test_basic_tags_are_read_back(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "demo.mp3", title=None, artist=None, album=None)
    write_basic_tags(
        path, title="Dawn", artist="Undertone", album="Demo", genre="Ambient", year=2024,
        track_no=2, cover_png=tiny_png(),
    )  # fmt: skip
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.year, tags.track_no) == ("Dawn", "Undertone", 2024, 2)
    assert read_cover(path) == tiny_png()


def test_an_unreadable_file_is_a_fault_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(TagError, match="cannot be read") as caught:
        read_tags(tmp_path / "not there.mp3")
    assert isinstance(caught.value.__cause__, OSError)


def test_dates_in_frames_are_read(tmp_path: Path) -> None:
    assert read_tags(_mp3(tmp_path / "a.mp3", TDRC(encoding=3, text="1969-07"))).year == 1969
