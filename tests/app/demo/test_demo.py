"""The demo library: real tagged MP3s, different moods, complete or absent, never rewritten."""

from __future__ import annotations

from collections import Counter

import mutagen
import numpy as np
import pytest
import soundfile

import app.demo.synthesis
from app.demo import PIECES, make_demo_library, song_path
from app.demo.composer import compose
from app.demo.cover import paint_cover
from inference.emotion import QUADRANTS, Quadrant

PER_PIECE = [pytest.param(piece, id=piece.title) for piece in PIECES]


@pytest.fixture(scope="module")
def four_songs(tmp_path_factory):
    """One song of each quadrant."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, make_demo_library(folder, limit=4)


def test_sixteen_pieces_span_four_moods_evenly():
    assert Counter(piece.quadrant for piece in PIECES) == dict.fromkeys(QUADRANTS, 4)
    assert {piece.quadrant for piece in PIECES[:4]} == set(QUADRANTS)
    assert len({song_path(folder=app.demo.Path(), piece=piece) for piece in PIECES}) == 16


@pytest.mark.parametrize("piece", PER_PIECE)
def test_the_scores_are_written_without_slips(piece):
    for bar in piece.melody.split("|"):
        lengths = [float(token.partition(":")[2] or 1) for token in bar.split()]
        assert sum(lengths) == piece.beats_per_bar, bar
    for part in piece.parts:
        assert part.role == "melody" or len(part.rhythm) == 4 * piece.beats_per_bar
        assert part.instrument in app.demo.synthesis.VOICES


@pytest.mark.parametrize("piece", PER_PIECE)
def test_a_composition_is_whole_and_always_the_same(piece):
    notes = compose(piece)
    assert notes == compose(piece)
    end_s = max(note.start_s + note.duration_s for note in notes)
    assert 33.0 <= end_s <= 45.0
    assert all(20 <= note.midi <= 108 and note.velocity > 0.0 for note in notes)


def test_moods_differ_in_what_the_literature_names():
    def mean(quadrant, value):
        return np.mean([value(piece) for piece in PIECES if piece.quadrant is quadrant])

    def notes_a_second(piece):
        return len(compose(piece)) / 40.0

    for high, low in ((Quadrant.HAHV, Quadrant.LAHV), (Quadrant.HALV, Quadrant.LALV)):
        assert mean(high, lambda piece: piece.tempo_bpm) > 1.5 * mean(low, lambda p: p.tempo_bpm)
        assert mean(high, notes_a_second) > 3 * mean(low, notes_a_second)
        assert mean(high, lambda p: p.sound.level_dbfs) > 6 + mean(
            low, lambda p: p.sound.level_dbfs
        )
    major = {"major", "lydian", "mixolydian"}
    assert all((piece.scale in major) == piece.quadrant.high_valence for piece in PIECES)


def test_the_songs_are_real_mp3s_of_forty_seconds(four_songs):
    _, songs = four_songs
    for song, piece in zip(songs, PIECES, strict=False):
        info = soundfile.info(song)
        assert (info.format, info.samplerate, info.channels) == ("MP3", 44100, 2)
        assert 35.0 <= info.duration <= 47.0
        samples, _ = soundfile.read(song)
        assert np.abs(samples).max() < 1.0
        level = 20 * np.log10(np.sqrt(np.mean(samples**2)))
        assert level == pytest.approx(piece.sound.level_dbfs, abs=1.5)
        assert np.abs(samples[-400:]).max() < 0.01


def test_the_songs_are_tagged_and_have_covers(four_songs):
    _, songs = four_songs
    for song, piece in zip(songs, PIECES, strict=False):
        tags = mutagen.File(song).tags
        assert str(tags["TIT2"]) == piece.title
        assert str(tags["TPE1"]) == piece.artist
        assert str(tags["TALB"]) == piece.album
        assert str(tags["TCON"]) == piece.genre
        assert str(tags["TDRC"]) == str(piece.year)
        assert tags.getall("APIC")[0].data == paint_cover(piece)


def test_what_is_there_is_left_alone(four_songs):
    folder, songs = four_songs
    before = {song: song.stat().st_mtime_ns for song in songs}
    assert make_demo_library(folder, limit=4) == songs
    assert {song: song.stat().st_mtime_ns for song in songs} == before


def test_an_interrupted_song_is_absent_and_made_next_time(tmp_path, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(app.demo.synthesis, "render", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_demo_library(tmp_path, limit=1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    [song] = make_demo_library(tmp_path, limit=1)
    assert soundfile.info(song).duration > 35.0
