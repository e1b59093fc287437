"""The small pure parts of playback: loudness, file URLs, the running position, virtual time."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from app.playback.clock import VirtualClock
from app.playback.loudness import amplitude, clamp_percent
from app.playback.mrl import file_url, path_of_url
from app.playback.position import PositionEstimate
from app.playback.sound import Equaliser
from inference.errors import UndertoneError


class TestAmplitude:
    def test_the_control_is_cubic(self) -> None:
        assert [amplitude(p) for p in (0, 50, 100)] == [0.0, 0.125, 1.0]

    def test_gain_is_in_decibels(self) -> None:
        assert amplitude(100, -20.0) == pytest.approx(0.1)

    @pytest.mark.parametrize("gain_db", [-30.0, -3.0, 0.0, 5.0, 18.0, 1e9, math.inf, math.nan])
    @pytest.mark.parametrize("peak", [0.1, 0.99, 1.0, 1.4, 0.0, math.nan, -1.0])
    @pytest.mark.parametrize("percent", [0.0, 40.0, 100.0, 300.0])
    def test_the_peak_is_never_clipped(self, percent: float, gain_db: float, peak: float) -> None:
        real_peak = peak if peak > 0 else 1.0
        factor = amplitude(percent, gain_db, peak)
        assert 0.0 <= factor * real_peak <= 1.0 + 1e-12

    def test_a_percentage_is_limited(self) -> None:
        assert [clamp_percent(p) for p in (-5, 30, 200, math.nan)] == [0.0, 30.0, 100.0, 0.0]


class TestUrls:
    @pytest.mark.parametrize(
        "name", [b"/a/plain.mp3", b"/a/50% #1?;x=y&z [b].mp3", b"/\xff\xfe/\xe6.mp3", b"//x/y.mp3"]
    )
    def test_a_path_survives_the_way_through_a_url(self, name: bytes) -> None:
        url = file_url(Path(os.fsdecode(name)))
        assert url.isascii()
        assert path_of_url(url) == Path(os.fsdecode(name)).absolute()

    def test_localhost_is_this_machine(self) -> None:
        assert path_of_url("file://localhost/a%20b.mp3") == Path("/a b.mp3")

    @pytest.mark.parametrize(
        "url", ["http://x/y.mp3", "file://elsewhere/y.mp3", "y.mp3", "", "file://", "file://[/x"]
    )
    def test_other_urls_are_refused(self, url: str) -> None:
        with pytest.raises(UndertoneError, match="not a file on this machine"):
            path_of_url(url)


class TestPosition:
    def test_it_runs_with_the_clock_and_follows_measurements(self) -> None:
        position = PositionEstimate()
        position.run(10.0)
        assert position.at(10.5) == pytest.approx(0.5)
        for i in range(1, 40):  # the sound card's clock is 2 % slow
            position.measured(i * 0.25 * 0.98, 10.0 + i * 0.25)
        assert position.at(20.0) == pytest.approx(9.8, abs=0.1)

    def test_it_never_runs_backwards(self) -> None:
        position = PositionEstimate()
        position.run(0.0)
        before = position.at(1.0)
        position.measured(0.7, 1.0)
        assert position.at(1.001) >= before

    def test_a_measurement_from_before_a_jump_is_ignored(self) -> None:
        position = PositionEstimate()
        position.run(0.0)
        position.jump(60.0, 5.0)
        position.measured(5.1, 5.1)
        assert position.at(5.2) == pytest.approx(60.2)

    def test_it_stays_within_the_file(self) -> None:
        position = PositionEstimate()
        position.duration_s = 3.0
        position.run(0.0)
        assert position.at(99.0) == 3.0
        assert position.jump(7.0, 100.0) == 3.0


class TestEqualiser:
    def test_levels_are_limited(self) -> None:
        equaliser = Equaliser((-99.0, 99.0, math.nan, *[1.5] * 7), preamp_db=math.inf)
        assert equaliser.bands_db == (-20.0, 20.0, 0.0, *[1.5] * 7)
        assert equaliser.preamp_db == 20.0

    def test_another_number_of_bands_is_refused(self) -> None:
        with pytest.raises(ValueError, match="10 bands"):
            Equaliser((1.0, 2.0))


def test_virtual_time_calls_in_order_and_not_what_was_cancelled() -> None:
    clock = VirtualClock()
    called: list[tuple[str, float]] = []
    clock.call_later(2.0, lambda: called.append(("b", clock.now())))
    clock.call_later(1.0, lambda: called.append(("a", clock.now())))
    cancel = clock.call_later(1.5, lambda: called.append(("never", clock.now())))
    cancel()
    clock.advance(1.0)
    assert called == [("a", 1.0)]
    clock.advance(5.0)
    assert called == [("a", 1.0), ("b", 2.0)]
    assert clock.now() == 6.0
