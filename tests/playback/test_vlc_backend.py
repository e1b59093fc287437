"""What only the libVLC back end has to bear: missing libraries, files that hang, real loudness."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.playback import vlc_engine, vlc_signals
from app.playback.backend import PlaybackState
from app.playback.sound import BANDS_HZ, Equaliser
from app.playback.vlc_backend import VlcBackend
from app.playback.vlc_engine import PlaybackUnavailableError
from app.playback.vlc_signals import Signal
from tests.playback.conftest import Player

Tone = Callable[..., Path]


def no_event(event: object) -> None:
    raise AssertionError(f"nothing is to be posted, but was: {event}")


class TestMissing:
    def test_without_libvlc_the_error_names_the_packages(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "vlc", None)
        with pytest.raises(PlaybackUnavailableError) as caught:
            VlcBackend(no_event)
        assert "apt install libvlc5 vlc-plugin-base" in caught.value.remedy

    @pytest.mark.parametrize("instance", [None, NameError("no function 'libvlc_new'")])
    def test_a_libvlc_that_does_not_start_says_so(
        self, monkeypatch: pytest.MonkeyPatch, instance: Any
    ) -> None:
        def build(arguments: object) -> None:
            if instance is not None:
                raise instance

        fake = SimpleNamespace(Instance=build, libvlc_get_version=lambda: b"3.0.0 Vetinari")
        monkeypatch.setattr(vlc_engine, "_import_vlc", lambda: fake)
        with pytest.raises(PlaybackUnavailableError) as caught:
            VlcBackend(no_event)
        assert "apt install" in str(caught.value)

    def test_the_module_is_imported_without_libvlc(self) -> None:
        code = "import sys, app.playback.vlc_backend; sys.exit('vlc' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0


class TestHanging:
    def test_a_file_that_never_gives_sound_is_given_up(
        self, tmp_path: Path, tone_mp3: Tone
    ) -> None:
        pipe = tmp_path / "pipe.mp3"
        os.mkfifo(pipe)
        player = Player(lambda post: VlcBackend(post, ["--aout=dummy"], opening_limit_s=0.5))
        keep_open = os.open(pipe, os.O_RDWR)  # a writer that never writes
        try:
            first = player.backend.load(pipe)
            player.backend.play()
            event = player.wait_state(PlaybackState.ERROR, first)
            assert event.reason
            second = player.backend.load(tone_mp3(1.2))
            player.backend.play()
            player.wait_state(PlaybackState.ENDED, second)
        finally:
            os.close(keep_open)
            assert player.backend.close(timeout_s=5.0)

    def test_a_player_that_does_not_stop_holds_nobody_up(
        self, monkeypatch: pytest.MonkeyPatch, tone_mp3: Tone
    ) -> None:
        gate = threading.Event()
        original = vlc_signals.release

        def release(player: Any, events: Any, kinds: Any) -> None:
            gate.wait(30.0)
            original(player, events, kinds)

        monkeypatch.setattr(vlc_signals, "release", release)
        player = Player(lambda post: VlcBackend(post, ["--aout=dummy"]))
        player.backend.load(tone_mp3(30.0, "long.mp3"))
        player.backend.play()
        player.wait_state(PlaybackState.PLAYING)
        load_id = player.backend.load(tone_mp3(1.2))  # the first player is now stuck
        player.backend.play()
        player.wait_state(PlaybackState.ENDED, load_id)
        assert not player.backend.close(timeout_s=0.2)
        gate.set()
        assert player.backend.close(timeout_s=5.0)

    def test_a_song_whose_drive_is_gone_fails_where_it_was(self, tone_mp3: Tone) -> None:
        """libVLC tells a file that cannot be read on from a file at its end in nothing."""
        player = Player(lambda post: VlcBackend(post, ["--aout=dummy"]))
        try:
            path = tone_mp3(30.0, "long.mp3")
            load_id = player.backend.load(path, 10.0)
            player.backend.play()
            player.wait_state(PlaybackState.PLAYING)
            path.unlink()
            take = player.backend._take.number
            player.backend._inbox.put(Signal(take, "MediaPlayerEndReached", 0, time.monotonic()))
            event = player.wait_state(PlaybackState.ERROR, load_id)
            assert "no longer there" in event.reason
            assert 9.0 < player.backend.position_s < 20.0
        finally:
            assert player.backend.close(timeout_s=5.0)


class TestLoudness:
    @pytest.mark.parametrize(
        ("percent", "gain_db", "peak", "expected"),
        [
            (100, 0.0, 1.0, 100),
            (50, 0.0, 1.0, 50),
            (0, 6.0, 1.0, 0),
            (100, -6.0, 1.0, 79),  # half the amplitude: 0.501 ** (1/3)
            (100, 6.0, 1.0, 100),  # limited: it would clip
            (100, 6.0, 0.25, 126),  # a quiet song has room: 1.995 ** (1/3)
            (50, 6.0, 1.0, 63),
        ],
    )
    def test_libvlc_is_told_one_volume(
        self,
        vlc_player: Player,
        tone_mp3: Tone,
        percent: float,
        gain_db: float,
        peak: float,
        expected: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        import vlc

        told: list[int] = []
        monkeypatch.setattr(
            vlc.MediaPlayer, "audio_set_volume", lambda self, volume: told.append(volume)
        )
        vlc_player.backend.set_volume(percent)
        vlc_player.backend.set_gain(gain_db, peak)
        vlc_player.backend.load(tone_mp3(1.2))
        vlc_player.backend.play()
        vlc_player.wait_state(PlaybackState.PLAYING)
        assert set(told) == {expected}


def test_players_are_let_go(vlc_player: Player, tone_mp3: Tone) -> None:
    """A hundred songs leave no hundred threads behind."""
    path = tone_mp3(1.0)
    for _ in range(100):
        vlc_player.backend.load(path)
        vlc_player.backend.play()
    last = vlc_player.backend.load(path)
    vlc_player.wait_state(PlaybackState.IDLE, last)
    assert vlc_player.backend.close(timeout_s=5.0)
    assert not [t for t in threading.enumerate() if t.name.startswith("vlc-")]


def test_libvlc_has_the_bands_that_we_show() -> None:
    import vlc

    count = vlc.libvlc_audio_equalizer_get_band_count()
    found = [vlc.libvlc_audio_equalizer_get_band_frequency(band) for band in range(count)]
    assert found == pytest.approx(BANDS_HZ, rel=0.02)


def test_the_equaliser_reaches_each_player(
    vlc_player: Player, tone_mp3: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vlc

    told: list[float | None] = []

    def take(self: object, equaliser: Any) -> int:
        told.append(None if equaliser is None else round(equaliser.get_amp_at_index(2), 3))
        return 0

    monkeypatch.setattr(vlc.MediaPlayer, "set_equalizer", take)
    vlc_player.backend.set_equaliser(Equaliser((0.0, 0.0, 4.5, *[0.0] * 7), -3.0))
    vlc_player.backend.load(tone_mp3(1.3))
    vlc_player.backend.play()
    vlc_player.wait_state(PlaybackState.PLAYING)
    vlc_player.backend.set_equaliser(None)
    vlc_player.backend.set_equaliser(Equaliser((99.0,) * 10))
    vlc_player.wait_state(PlaybackState.ENDED)
    assert told == [4.5, None, 20.0]
