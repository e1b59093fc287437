"""Writing a mood into real files: nothing but our own items ever changes, whatever goes wrong."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, PRIV, TIT2, TMOO, TXXX
from mutagen.mp4 import MP4
from mutagen.oggvorbis import OggVorbis

from inference.audio.decode import decode_blocks
from library_db.errors import TagError
from library_db.identity import audio_hash, payload_hash
from library_db.tags_writing import (
    NoPlaceError,
    clean_leftovers,
    read_mood_tags,
    rewrite,
)
from tests.audio_files import tiny_png, write_audio

ROOT = Path(__file__).resolve().parents[2]
FORMATS = (".mp3", ".flac", ".ogg", ".opus", ".m4a")
CALM = {"MOOD": "Calm", "VALENCE": "0.712", "AROUSAL": "0.204", "MOOD_SOURCE": "undertone:m1"}
SAD = {"MOOD": "Sad", "VALENCE": "0.100", "AROUSAL": "0.200", "MOOD_SOURCE": "user"}


@pytest.fixture(params=FORMATS)
def song(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_audio(
        tmp_path / "m" / f"a song{request.param}",
        fs_hz=48000,
        title="Ü",
        year=1999,
        cover=tiny_png(size=64),
    )


def write(path: Path, items: Any = None, **options: Any) -> None:
    rewrite(path, read_mood_tags(path), CALM if items is None else items, **options)


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_blocks(path)))


def others(path: Path) -> dict[str, str]:
    """All tags but ours, as mutagen reads them."""
    audio = mutagen.File(path)
    ours = ("MOOD", "VALENCE", "AROUSAL", "TMOO")
    found = {
        key: repr(audio.tags[key])
        for key in audio.tags.keys()  # noqa: SIM118 (some of mutagen's tags are lists)
        if not any(name in key.upper() for name in ours)
    }
    found["pictures"] = repr([p.write() for p in getattr(audio, "pictures", [])])
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_mood_is_there_and_everything_else_as_before(song: Path) -> None:
    audio, tags, identity = decoded(song), others(song), (audio_hash(song), payload_hash(song))
    song.chmod(0o640)
    write(song)
    assert read_mood_tags(song).texts == CALM
    assert others(song) == tags
    assert len(tags) > 4
    np.testing.assert_array_equal(decoded(song), audio)
    assert (audio_hash(song), payload_hash(song)) == identity
    assert song.stat().st_mode & 0o777 == 0o640
    assert names(song.parent) == [song.name]


def test_other_programs_find_the_mood_where_they_look(song: Path) -> None:
    write(song)
    tags: Any = mutagen.File(song).tags
    if song.suffix == ".mp3":
        assert tags.version == (2, 4, 0)
        assert tags["TMOO"].text == ["Calm"]
        assert [tags[f"TXXX:{key}"].text for key in ("VALENCE", "AROUSAL", "MOOD_SOURCE")] == [
            ["0.712"],
            ["0.204"],
            ["undertone:m1"],
        ]
    elif song.suffix == ".m4a":
        assert {
            key.rpartition(":")[2]: bytes(value[0]).decode()
            for key, value in tags.items()
            if key.startswith("----:com.apple.iTunes:")
        } == CALM
    else:
        assert {key: tags[key][0] for key in CALM} == CALM


def test_writing_again_replaces_and_taking_out_restores(song: Path) -> None:
    found = read_mood_tags(song)
    tags, audio = others(song), decoded(song)
    write(song)
    size = song.stat().st_size
    write(song, SAD)
    assert read_mood_tags(song).texts == SAD
    if song.suffix not in (".ogg", ".opus"):  # pages have no spare room
        assert song.stat().st_size == size, "it fits into the room of the first time"
    write(song, found.raw)
    assert read_mood_tags(song).texts == {}
    assert others(song) == tags
    np.testing.assert_array_equal(decoded(song), audio)


def test_taking_out_gives_the_very_same_file_where_there_was_room(tmp_path: Path) -> None:
    for suffix in (".mp3", ".flac"):
        path = write_audio(tmp_path / f"a{suffix}")
        before = path.read_bytes()
        write(path)
        assert path.stat().st_size == len(before)
        write(path, ())
        assert path.read_bytes() == before
    bare = tmp_path / "bare.mp3"
    write_audio(bare)
    ID3(bare).delete(bare)
    before = bare.read_bytes()
    assert not before.startswith(b"ID3")
    write(bare)
    assert read_mood_tags(bare).texts == CALM
    write(bare, ())
    assert bare.read_bytes() == before


def test_a_tag_of_version_2_3_stays_one(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    tags = ID3(path)
    tags.add(TXXX(encoding=1, desc="Mood", text="Wistful"))
    tags.add(PRIV(owner="x", data=bytes(range(256))))
    tags.update_to_v23()
    tags.save(path, v2_version=3)
    assert read_mood_tags(path).texts == {"MOOD": "Wistful"}
    raw = read_mood_tags(path).raw
    write(path)
    plain = ID3(path, translate=False)
    assert plain.version == (2, 3, 0)
    assert plain["TXXX:MOOD"].text == ["Calm"]
    assert "TMOO" not in plain
    assert plain["PRIV:x:" + bytes(range(256)).decode("latin-1")].data == bytes(range(256))
    write(path, raw)
    assert ID3(path)["TXXX:Mood"].text == ["Wistful"]


def test_foreign_frames_keep_their_bytes(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    tags = ID3(path)
    for frame in (
        TIT2(encoding=1, text="utf sixteen"),
        COMM(encoding=0, lang="eng", desc="", text="latin"),
        TXXX(encoding=3, desc="MOODY", text="not ours"),
        TMOO(encoding=3, text=["Blue", "Grey"]),
        APIC(encoding=0, mime="image/png", type=3, desc="", data=os.urandom(70000)),
    ):
        tags.add(frame)
    tags.save(path, padding=lambda info: 0)
    assert read_mood_tags(path).texts == {"MOOD": "Blue; Grey"}
    before = {f.HashKey: f._writeData() for f in ID3(path, translate=False).values()}
    write(path)
    after = {f.HashKey: f._writeData() for f in ID3(path, translate=False).values()}
    assert {k: v for k, v in after.items() if k in before and k != "TMOO"} == {
        k: v for k, v in before.items() if k != "TMOO"
    }
    assert path.read_bytes().count(b"utf sixteen".decode().encode("utf-16-le")) == 1


def test_tags_at_the_end_of_an_mp3_stay(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    ID3(path).save(path, v1=2)
    assert path.read_bytes()[-128:].startswith(b"TAG")
    tail = path.read_bytes()[-128:]
    write(path)
    assert path.read_bytes()[-128:] == tail


@pytest.mark.parametrize("size", [100, 4000, 60_000, 200_000])
def test_ogg_pages_stay_in_order_however_the_headers_grow(tmp_path: Path, size: int) -> None:
    path = write_audio(tmp_path / "a.ogg", duration_s=4.0, kind="noise")
    audio = decoded(path)
    for length in (size, size + 150, size + 254):
        tags = OggVorbis(path)
        tags["comment"] = "x" * length
        tags.save(path, padding=lambda info: 0)
        write(path)
        np.testing.assert_array_equal(decoded(path), audio)
        assert OggVorbis(path)["comment"] == ["x" * length]
        sequences, data, at = [], path.read_bytes(), 0
        while at < len(data):
            assert data[at : at + 4] == b"OggS"
            sequences.append(int.from_bytes(data[at + 18 : at + 22], "little"))
            at += 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        assert sequences == list(range(len(sequences)))
        write(path, ())


def test_mp4_with_the_audio_behind_the_tags(tmp_path: Path) -> None:
    import av

    plain = write_audio(tmp_path / "plain.m4a", cover=tiny_png())
    path = tmp_path / "front.m4a"
    with (
        av.open(str(plain)) as source,
        av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    audio = decoded(path)
    found = read_mood_tags(path)
    write(path)
    np.testing.assert_array_equal(decoded(path), audio)
    assert read_mood_tags(path).texts == CALM
    write(path, found.raw)
    np.testing.assert_array_equal(decoded(path), audio)
    tags = MP4(path)
    tags.delete()
    write(path)
    np.testing.assert_array_equal(decoded(path), audio)
    assert MP4(path)["----:com.apple.iTunes:MOOD"] == [b"Calm"]


def test_flac_with_pictures_and_without_room(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.flac", cover=tiny_png())
    flac = FLAC(path)
    second = Picture()
    second.data, second.mime = os.urandom(5000), "image/png"
    flac.add_picture(second)
    flac.save(padding=lambda info: 0)
    pictures = [p.write() for p in FLAC(path).pictures]
    audio = decoded(path)
    write(path)
    assert [p.write() for p in FLAC(path).pictures] == pictures
    np.testing.assert_array_equal(decoded(path), audio)


# what is refused


def refused(path: Path) -> str:
    before, state = path.read_bytes(), path.stat()
    with pytest.raises(TagError) as error:
        write(path)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == state.st_mtime_ns
    assert names(path.parent) == [path.name]
    return str(error.value)


def damaged_id3(data: bytes) -> bytes:
    return data[:10] + b"\xffBAD" + data[14:]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".mp3", damaged_id3),
        (".mp3", lambda data: data[:3] + b"\x02" + data[4:]),
        (".mp3", lambda data: data[:5] + b"\x40" + data[6:]),
        (".flac", lambda data: data[:200]),
        (".flac", lambda data: b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + data),
        (".ogg", lambda data: data[:3000]),
        (".m4a", lambda data: data[:-30]),
        (".m4a", lambda data: data + b"\0\0\0\x10moof" + bytes(8)),
        (".mp3", lambda data: b""),
        (".opus", lambda data: b"text, not music"),
    ],
)
def test_what_cannot_be_parsed_is_not_touched(
    tmp_path: Path, suffix: str, damage: Callable[[bytes], bytes]
) -> None:
    path = write_audio(tmp_path / "m" / f"a{suffix}", kind="noise", fs_hz=48000)
    path.write_bytes(damage(path.read_bytes()))
    assert refused(path)


def test_formats_without_a_safe_place_say_so(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "m" / "a.wav")
    with pytest.raises(NoPlaceError, match="WAV"):
        read_mood_tags(path)


def test_read_only_files_and_folders_and_second_names_are_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "m" / "a.mp3")
    path.chmod(0o444)
    assert "read-only" in refused(path)
    path.chmod(0o644)
    os.link(path, tmp_path / "second name.mp3")
    assert "2 names" in refused(path)
    (tmp_path / "second name.mp3").unlink()
    if os.geteuid():
        path.parent.chmod(0o555)
        try:
            assert "read-only" in refused(path)
        finally:
            path.parent.chmod(0o755)
    write(path)


def test_a_file_that_changes_meanwhile_stays(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    found = read_mood_tags(path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(TagError, match="changed meanwhile"):
        rewrite(path, found, CALM)
    with pytest.raises(TagError, match="changed meanwhile"):
        write(path, before_replacing=lambda: os.utime(path, ns=(2, 2)))
    assert read_mood_tags(path).texts == {}
    assert names(tmp_path) == ["a.mp3"]


def test_a_full_disk_leaves_the_file_whole(song: Path) -> None:
    before = song.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(TagError, match="cannot be written"):
            write(song)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert song.read_bytes() == before
    assert names(song.parent) == [song.name]
    write(song)


def test_too_little_space_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_audio(tmp_path / "m" / "a.mp3")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    assert "not enough space" in refused(path)


KILLED = """
import os, sys
from pathlib import Path
import library_db.tags_writing as writing
from library_db import tag_items
path, step = Path(sys.argv[1]), sys.argv[2]
items = dict(MOOD="Calm", VALENCE="0.712", AROUSAL="0.204", MOOD_SOURCE="undertone:m1")
def die(*args, **kwargs):
    os.kill(os.getpid(), 9)
if step == "writing":
    true = writing.write_pieces
    def write_pieces(source, target, pieces):
        target.write(source.read(1000)); target.flush(); die()
    writing.write_pieces = write_pieces
elif step == "verifying":
    writing._verify = die
elif step == "replaced":
    writing._sync_folder = die
before = die if step == "written" else None
writing.rewrite(path, writing.read_mood_tags(path), items, before_replacing=before)
"""


@pytest.mark.parametrize("step", ["writing", "verifying", "written", "replaced"])
def test_a_kill_between_any_two_steps_leaves_a_whole_file(tmp_path: Path, step: str) -> None:
    path = write_audio(tmp_path / "a.flac", kind="noise")
    before, audio = path.read_bytes(), decoded(path)
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path), step], cwd=ROOT)
    assert ran.returncode == -signal.SIGKILL
    if step == "replaced":
        assert read_mood_tags(path).texts == CALM
        assert names(tmp_path) == ["a.flac"]
    else:
        assert path.read_bytes() == before
        assert len(names(tmp_path)) == 2
    np.testing.assert_array_equal(decoded(path), audio)
    (tmp_path / ".undertone-tags-other.tmp").touch()
    assert clean_leftovers(tmp_path) == (step != "replaced")
    assert names(tmp_path) == [".undertone-tags-other.tmp", "a.flac"]
    write(path)


def test_the_copy_of_a_run_at_work_is_no_leftover(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    seen: list[int] = []
    write(path, before_replacing=lambda: seen.append(clean_leftovers(tmp_path)))
    assert seen == [0]
    assert read_mood_tags(path).texts == CALM


def test_the_time_of_the_file_tells_that_it_changed(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.mp3")
    os.utime(path, ns=(10**18, 10**18))
    started_ns = time.time_ns()
    state = rewrite(path, read_mood_tags(path), CALM)
    found = path.stat()
    assert (state.size_bytes, state.mtime_ns) == (found.st_size, found.st_mtime_ns)
    assert found.st_mtime_ns > started_ns - 10**9


@pytest.fixture(autouse=True)
def own_limits() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before
