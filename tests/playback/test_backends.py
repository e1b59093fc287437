"""The contract of a playback back end, asked of libVLC (dummy output) and the silent one alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.playback.backend import DurationChanged, OutputsFound, PlaybackState, PositionJumped
from app.playback.sound import Equaliser
from tests.playback.conftest import Player

IDLE, OPENING, PLAYING, PAUSED, ENDED, ERROR = PlaybackState
Tone = Callable[..., Path]


class TestPlaying:
    def test_a_song_is_opened_played_and_ended(self, player: Player, tone_mp3: Tone) -> None:
        load_id = player.backend.load(tone_mp3(1.5))
        player.wait_state(IDLE, load_id)
        player.backend.play()
        player.wait_state(ENDED, load_id)
        assert player.states(load_id) == [IDLE, OPENING, PLAYING, ENDED]
        assert player.backend.state is ENDED
        duration_s = player.backend.duration_s
        assert duration_s == pytest.approx(1.5, abs=0.1)
        assert player.backend.position_s == duration_s
        lengths = [e.duration_s for e in player.events if isinstance(e, DurationChanged)]
        assert lengths[-1] == duration_s

    def test_nothing_sounds_before_play(self, player: Player, tone_mp3: Tone) -> None:
        load_id = player.backend.load(tone_mp3(1.0))
        player.wait_state(IDLE, load_id)
        player.pass_time(0.1)
        assert player.states(load_id) == [IDLE]
        assert player.backend.position_s == 0.0

    def test_without_a_file_the_controls_do_nothing(self, player: Player) -> None:
        for control in (player.backend.play, player.backend.pause, player.backend.stop):
            control()
        player.backend.seek(3.0)
        player.pass_time(0.1)
        assert player.events == []
        assert player.backend.state is IDLE
        assert player.backend.duration_s is None

    def test_the_position_runs_on_smoothly(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(4.0))
        player.backend.play()
        player.wait_state(PLAYING)
        seen = []
        for _ in range(12):
            player.pass_time(0.05)
            seen.append(player.backend.position_s)
        assert seen == sorted(seen)
        assert len(set(seen)) > 9  # not the four steps a second of libVLC
        assert 0.3 < seen[-1] < 1.5

    def test_pause_holds_the_place_and_play_goes_on(self, player: Player, tone_mp3: Tone) -> None:
        load_id = player.backend.load(tone_mp3(3.0))
        player.backend.play()
        player.wait_state(PLAYING)
        player.wait_position(0.3)
        player.backend.pause()
        player.wait_state(PAUSED)
        held_s = player.backend.position_s
        player.pass_time(0.3)
        assert player.backend.position_s == held_s
        player.backend.play()
        player.wait_state(PLAYING)
        assert player.backend.position_s == pytest.approx(held_s, abs=0.2)
        player.wait_state(ENDED)
        assert player.states(load_id) == [IDLE, OPENING, PLAYING, PAUSED, PLAYING, ENDED]

    def test_pause_before_the_first_sound_counts(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(2.0))
        player.backend.play()
        player.backend.pause()
        player.wait_state(PAUSED)
        player.pass_time(0.4)
        assert player.backend.state is PAUSED
        assert player.backend.position_s < 0.2
        player.backend.play()
        player.wait_state(ENDED)

    def test_stop_goes_back_to_the_start(self, player: Player, tone_mp3: Tone) -> None:
        load_id = player.backend.load(tone_mp3(2.0))
        player.backend.play()
        player.wait_state(PLAYING)
        player.wait_position(0.2)
        player.backend.stop()
        player.wait_state(IDLE)
        assert player.backend.position_s == 0.0
        player.backend.play()
        player.wait_state(ENDED)
        assert player.states(load_id) == [IDLE, OPENING, PLAYING, IDLE, OPENING, PLAYING, ENDED]

    def test_play_after_the_end_starts_again(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(1.3))
        player.backend.play()
        player.wait_state(ENDED)
        player.backend.play()
        player.wait_state(PLAYING)
        assert player.backend.position_s < 0.5
        player.wait_state(ENDED)


class TestSeeking:
    def test_seek_while_playing(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(30.0))
        player.backend.play()
        player.wait_state(PLAYING)
        player.backend.seek(20.0)
        event = player.wait(lambda e: isinstance(e, PositionJumped))
        assert isinstance(event, PositionJumped)
        assert event.position_s == pytest.approx(20.0)
        assert 20.0 <= player.wait_position(20.6) < 21.5
        player.backend.seek(5.0)
        player.wait(lambda e: isinstance(e, PositionJumped))
        assert 5.0 <= player.backend.position_s < 6.0
        assert player.wait_position(5.6) < 6.5

    def test_seek_while_paused_stays_paused(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(10.0))
        player.backend.play()
        player.wait_state(PLAYING)
        player.backend.pause()
        player.wait_state(PAUSED)
        player.backend.seek(7.0)
        player.wait(lambda e: isinstance(e, PositionJumped))
        player.pass_time(0.2)
        assert player.backend.state is PAUSED
        assert player.backend.position_s == pytest.approx(7.0, abs=0.1)

    def test_seek_beyond_the_end_ends_the_song(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(10.0))
        player.backend.play()
        player.wait_state(PLAYING)
        player.backend.seek(99.0)
        player.wait_state(ENDED)

    def test_a_file_can_be_started_in_its_middle(self, player: Player, tone_mp3: Tone) -> None:
        load_id = player.backend.load(tone_mp3(10.0), start_s=6.0)
        player.wait_state(IDLE, load_id)
        assert player.backend.position_s == pytest.approx(6.0)
        player.backend.play()
        player.wait_state(PLAYING)
        assert 6.0 <= player.wait_position(6.6) < 7.5

    def test_seek_before_play_moves_the_start(self, player: Player, tone_mp3: Tone) -> None:
        player.backend.load(tone_mp3(10.0))
        player.backend.seek(4.0)
        player.wait(lambda e: isinstance(e, PositionJumped))
        player.backend.play()
        player.wait_state(PLAYING)
        assert 4.0 <= player.wait_position(4.5) < 5.5


class TestLoading:
    def test_the_next_file_takes_over_at_once(self, player: Player, tone_mp3: Tone) -> None:
        first = player.backend.load(tone_mp3(5.0, "a.mp3"))
        player.backend.play()
        player.wait_state(PLAYING, first)
        second = player.backend.load(tone_mp3(1.5, "b.mp3", frequency_hz=660.0))
        player.backend.play()
        player.wait_state(ENDED, second)
        assert second != first
        assert ENDED not in player.states(first)
        assert player.states(second) == [IDLE, OPENING, PLAYING, ENDED]

    def test_many_quick_changes_leave_the_last_one_playing(
        self, player: Player, tone_mp3: Tone
    ) -> None:
        paths = [tone_mp3(2.0, f"{i}.mp3", frequency_hz=300.0 + i) for i in range(4)]
        for i in range(20):
            last = player.backend.load(paths[i % 4])
            player.backend.play()
        player.wait_state(PLAYING, last)
        player.wait_state(ENDED, last)

    @pytest.mark.parametrize(
        "name",
        [
            b"50%20 off #1? & more.mp3",
            "Bj\u00f6rk \u2014 \u65e5\u672c.mp3".encode(),
            b"\xff\xfe.mp3",
        ],
    )
    def test_any_name_is_played(self, player: Player, tone_mp3: Tone, name: bytes) -> None:
        source = tone_mp3(1.2)
        path = source.with_name(os.fsdecode(name))
        source.rename(path)
        load_id = player.backend.load(path)
        player.backend.play()
        player.wait_state(ENDED, load_id)

    @pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus", ".m4a", ".wav"])
    def test_other_formats_are_played(
        self, vlc_player: Player, make_audio: Tone, suffix: str
    ) -> None:
        load_id = vlc_player.backend.load(make_audio("song" + suffix, duration_s=1.3, fs_hz=48000))
        vlc_player.backend.play()
        vlc_player.wait_state(ENDED, load_id)
        assert vlc_player.states(load_id) == [IDLE, OPENING, PLAYING, ENDED]


class TestUnplayable:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            ("gone", "no longer there"),
            ("empty", "empty"),
            ("text", "no sound"),
            ("noise", "no sound"),
            ("folder", "not a file"),
        ],
    )
    def test_it_is_said_why(self, player: Player, tmp_path: Path, kind: str, reason: str) -> None:
        path = tmp_path / f"{kind}.mp3"
        if kind == "empty":
            path.touch()
        elif kind == "text":
            path.write_text("these are only words\n" * 200)
        elif kind == "noise":
            path.write_bytes(bytes((i * i * 7 + i // 3) % 251 for i in range(50_000)))
        elif kind == "folder":
            path.mkdir()
        load_id = player.backend.load(path)
        player.backend.play()
        event = player.wait_state(ERROR, load_id)
        assert reason in event.reason
        assert PLAYING not in player.states(load_id)
        assert player.backend.state is ERROR

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_may_not_be_read(self, player: Player, tone_mp3: Tone) -> None:
        path = tone_mp3(1.0)
        path.chmod(0)
        player.backend.load(path)
        player.backend.play()
        assert "may not be read" in player.wait_state(ERROR).reason

    def test_the_next_song_plays_after_an_error(
        self, player: Player, tone_mp3: Tone, tmp_path: Path
    ) -> None:
        player.backend.load(tmp_path / "gone.mp3")
        player.backend.play()
        player.wait_state(ERROR)
        load_id = player.backend.load(tone_mp3(1.2))
        player.backend.play()
        player.wait_state(ENDED, load_id)

    def test_play_after_an_error_tries_again(self, player: Player, tone_mp3: Tone) -> None:
        path = tone_mp3(1.2)
        away = path.rename(path.with_suffix(".away"))
        player.backend.load(path)
        player.backend.play()
        player.wait_state(ERROR)
        away.rename(path)
        player.backend.play()
        player.wait_state(ENDED)

    def test_a_file_deleted_while_it_plays_does_no_harm(
        self, player: Player, tone_mp3: Tone
    ) -> None:
        path = tone_mp3(2.0)
        load_id = player.backend.load(path)
        player.backend.play()
        player.wait_state(PLAYING)
        path.unlink()
        player.wait_state(ENDED, load_id)

    def test_a_truncated_file_plays_as_far_as_it_goes(self, player: Player, tone_mp3: Tone) -> None:
        path = tone_mp3(3.0)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        load_id = player.backend.load(path)
        player.backend.play()
        player.wait_state(ENDED, load_id)


class TestLoudness:
    def test_volume_and_gain_may_be_set_at_any_time(self, player: Player, tone_mp3: Tone) -> None:
        backend = player.backend
        backend.set_volume(30)
        backend.set_gain(-6.0, peak=0.9)
        load_id = backend.load(tone_mp3(1.5))
        backend.play()
        player.wait_state(PLAYING)
        for percent in (0, 55.5, 100, 250, -3, float("nan")):
            backend.set_volume(percent)
        backend.set_gain(float("inf"), peak=0.0)
        player.wait_state(ENDED, load_id)


class TestSound:
    def test_outputs_are_found_the_default_first(self, player: Player) -> None:
        player.backend.find_outputs()
        event = player.wait(lambda e: isinstance(e, OutputsFound))
        assert isinstance(event, OutputsFound)
        assert event.outputs[0].key == ""
        assert all(output.key and output.name for output in event.outputs[1:])

    def test_equaliser_and_output_may_be_set_at_any_time(
        self, player: Player, tone_mp3: Tone
    ) -> None:
        backend = player.backend
        backend.set_equaliser(Equaliser((3.0,) * 10, preamp_db=-6.0))
        backend.set_output("no such device")
        backend.set_output("")
        load_id = backend.load(tone_mp3(1.5))
        backend.play()
        player.wait_state(PLAYING)
        backend.set_equaliser(Equaliser())
        backend.set_equaliser(None)
        player.wait_state(ENDED, load_id)


class TestClosing:
    @pytest.mark.parametrize("state", ["loaded", "opening", "playing", "paused", "ended"])
    def test_closing_is_quick_in_any_state_and_ends_the_events(
        self, player: Player, tone_mp3: Tone, state: str
    ) -> None:
        player.backend.load(tone_mp3(1.2 if state == "ended" else 30.0))
        if state != "loaded":
            player.backend.play()
        if state not in ("loaded", "opening"):
            player.wait_state(PLAYING)
        if state == "paused":
            player.backend.pause()
            player.wait_state(PAUSED)
        elif state == "ended":
            player.wait_state(ENDED)
        assert player.backend.close(timeout_s=2.0)
        player.pass_time(0.05)
        known = len(player.events)
        player.backend.play()
        player.pass_time(0.1)
        assert len(player.events) == known

    def test_closing_twice_is_no_error(self, player: Player) -> None:
        assert player.backend.close()
        assert player.backend.close()
