"""Through a codec and back: the same sound, about as long."""

from __future__ import annotations

import numpy as np
import pytest

from inference.audio.recode import Codec, recoded

CODECS = (
    Codec("libmp3lame", ".mp3", 44_100, 128_000),
    Codec("libopus", ".opus", 48_000, 64_000),
    Codec("pcm_s16le", ".wav", 22_050),
)


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.name)
def test_a_tone_comes_back(codec: Codec) -> None:
    t = np.arange(32_000) / 16_000
    x = (0.3 * np.sin(2 * np.pi * 440.0 * t)).astype(np.float32)
    back = recoded(x, codec)
    assert back.dtype == np.float32
    assert len(back) == pytest.approx(len(x), abs=3200)
    spectrum = np.abs(np.fft.rfft(back[4000:20_000]))
    assert spectrum.argmax() == 440
    assert np.square(back[4000:20_000]).mean() == pytest.approx(0.045, rel=0.1)
