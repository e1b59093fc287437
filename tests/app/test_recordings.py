"""The list of recorded sessions: songs and positions on the session's clock, damage, deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.live import SongNow, song_values
from app.recordings import delete_recording, list_recordings, read_session
from app.wristband.recorder import FILE_NAME, Recorder, RecordingError
from app.wristband.source import Provenance
from inference.emotion import Quadrant
from inference.physio.signals import Channel, SignalChunk

T0_S = 5000.0
ONE = SongNow(3, "aaa", "One", "Ana", "/m/1.mp3", 60.0)
TWO = SongNow(4, "bbb", "Two\x00\x1b", "Bo", "/m/2.mp3", 60.0)


def record(folder: Path, seconds: int = 20, meta: dict[str, Any] | None = None) -> Recorder:
    """A signal of `seconds`; in it song One from 2 s, paused 5-8 s, song Two from 12 s."""
    recorder = Recorder(folder, {"source": "band", "name": "My band", **(meta or {})}, T0_S)
    events = {
        2: ("song", "One", song_values(ONE, 30.0, playing=True)),
        5: ("position", "", {"position_s": 33.0, "playing": False}),
        8: ("position", "", {"position_s": 33.0, "playing": True}),
        9: ("note", "a chill", {}),
        10: ("felt", "", {"shown": "HAHV", "quality": {"gsr": 0.5, "ppg": 1.0}}),
        12: ("song", "Two\x00\x1b", song_values(TWO, 0.0, playing=True)),
    }
    for second in range(seconds):
        if second in events:
            kind, text, values = events[second]
            recorder.annotate(T0_S + second, kind, text, **values)
        chunk = SignalChunk.of(Channel.GSR, np.ones(128), 128.0, T0_S + second)
        recorder.chunk(chunk)
    recorder.close()
    return recorder


def test_songs_and_positions_are_on_the_sessions_clock(tmp_path):
    session = read_session(record(tmp_path).folder)
    one, two = session.songs
    assert (one.title, one.start_s, one.end_s) == ("One", 2.0, 12.0)
    assert (two.title, two.track_id, two.audio_hash) == ("Two", 4, "bbb")
    assert [one.at(t).position_s for t in (2.0, 4.0, 6.0, 8.0, 11.0)] == [30, 32, 33, 33, 36]
    assert [one.at(t).playing for t in (4.0, 6.0, 9.0)] == [True, False, True]
    assert one.time_of(35.0, 0.0) == 10.0
    assert one.time_of(31.0, 0.0) == 3.0
    assert one.time_of(50.0, 0.0) is None
    assert session.song_at(1.0) is None
    assert session.song_at(12.0) is two
    assert (two.end_s, session.duration_s) == (19.0, 19.0)


def test_what_the_list_shows(tmp_path):
    session = read_session(record(tmp_path).folder)
    assert session.device == "My band"
    assert session.provenance is Provenance.REAL
    assert session.quality == pytest.approx(0.75)
    assert [(m.t_s, m.text) for m in session.moments if m.is_note] == [(9.0, "a chill")]
    assert [m.shown for m in session.moments if not m.is_note] == [Quadrant.HAHV]
    assert session.damage == ""


def test_simulated_signals_stay_labelled(tmp_path):
    kept = record(tmp_path, meta={"source": "ble", "provenance": "simulated"})
    assert read_session(kept.folder).provenance is Provenance.SIMULATED


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_cut_recording_is_listed_as_far_as_it_goes(tmp_path, share):
    file = record(tmp_path).path
    data = file.read_bytes()
    file.write_bytes(data[: round(share * len(data))])
    (session,) = list_recordings(tmp_path)
    assert session.damage
    assert session.duration_s < 19.0
    assert all(span.end_s <= session.duration_s for span in session.songs)


@pytest.mark.parametrize("payload", [b"[]", b"{", b'{"kind":"song","position_s":"x","path":7}'])
def test_events_that_make_no_sense_are_passed_over(tmp_path, payload):
    recorder = record(tmp_path)
    data = recorder.path.read_bytes()
    import struct
    import zlib

    body = struct.pack("<IBd", len(payload), 5, T0_S + 25.0) + payload
    recorder.path.write_bytes(data + body + struct.pack("<I", zlib.crc32(body)))
    assert read_session(recorder.folder).songs[0].title == "One"


def test_the_newest_comes_first_and_strangers_are_passed_over(tmp_path):
    (tmp_path / "stranger").mkdir()
    (tmp_path / "stranger" / FILE_NAME).write_bytes(b"nonsense")
    (tmp_path / "file").write_text("x")
    record(tmp_path, meta={"begun_at": 1000.0})
    record(tmp_path, meta={"begun_at": 2000.0})
    assert [s.begun.timestamp() for s in list_recordings(tmp_path)] == [2000.0, 1000.0]
    assert list_recordings(tmp_path / "nowhere") == []


def test_deleted_is_gone_and_only_recordings_can_be(tmp_path):
    kept = record(tmp_path)
    other = tmp_path / "music"
    other.mkdir()
    with pytest.raises(RecordingError):
        delete_recording(other)
    with kept.path.open("rb") as held:  # another name for the same blocks
        delete_recording(kept.folder)
        assert set(held.read()) == {0}
    assert list_recordings(tmp_path) == []
    assert other.exists()
