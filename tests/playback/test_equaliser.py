"""libVLC's equaliser as it is heard: the sound goes into a file, and its level is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.playback.backend import PlaybackState
from app.playback.sound import BANDS_HZ, Equaliser
from app.playback.vlc_backend import VlcBackend
from app.playback.vlc_engine import VlcEngine
from tests.playback.conftest import Player

pytestmark = pytest.mark.playback


def level_db(path: Path, equaliser: Equaliser | None, out: Path) -> float:
    """Level of what libVLC gives out when it plays `path`."""
    options = ["--aout=afile", f"--audiofile-file={out}", "--audiofile-format=s16"]
    player = Player(lambda post: VlcBackend(post, options))
    player.backend.set_equaliser(equaliser)
    player.backend.load(path)
    player.backend.play()
    player.wait_state(PlaybackState.ENDED)
    assert player.backend.close(timeout_s=5.0)
    sound = soundfile.read(out)[0]
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    return float(10 * np.log10(np.mean(middle**2)))


def raised(band_hz: float, by_db: float) -> Equaliser:
    return Equaliser(tuple(by_db if hz == band_hz else 0.0 for hz in BANDS_HZ))


def test_a_flat_curve_leaves_the_level_and_a_band_raises_it(
    tone_mp3: Callable[..., Path], tmp_path: Path
) -> None:
    tone = tone_mp3(1.0, frequency_hz=1000.0)
    plain = level_db(tone, None, tmp_path / "plain.wav")
    flat = level_db(tone, Equaliser(), tmp_path / "flat.wav")
    softer = level_db(tone, raised(1000.0, -12.0), tmp_path / "softer.wav")
    quiet = level_db(tone, Equaliser(preamp_db=-6.0), tmp_path / "quiet.wav")
    assert flat == pytest.approx(plain, abs=0.5)
    assert softer < plain - 6.0
    assert quiet == pytest.approx(plain - 6.0, abs=0.5)


def test_the_presets_are_libvlcs_with_flat_as_zero() -> None:
    engine = VlcEngine.start(["--aout=dummy"])
    engine.instance.release()
    names = [preset.name for preset in engine.presets]
    assert "Rock" in names
    assert engine.presets[names.index("Flat")].equaliser == Equaliser()
    assert len(set(names)) == len(names)
