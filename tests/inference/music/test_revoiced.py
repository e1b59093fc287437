"""Playing a clip again: its notes and pulse stay, its sound does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from inference.datasets import load_music
from inference.job import run_to_end
from inference.training import music_best_hearing
from inference.training.music_best_hearing import REVOICED, Variation, hear_clips, hear_material
from inference.training.music_instruments import FS_HZ, INSTRUMENTS, Instrument, drummed
from inference.training.music_revoiced import BAND, ONE_PLAYER, revoiced, transcribed

pytestmark = pytest.mark.training


def tones(pitches: list[int], each_s: float = 0.5) -> np.ndarray:
    t = np.arange(round(each_s * FS_HZ)) / FS_HZ
    decay = np.exp(-3 * t)
    waves = [
        decay * sum(np.sin(2 * np.pi * k * 440.0 * 2 ** ((p - 69) / 12) * t) / k for k in (1, 2, 3))
        for p in pitches
    ]
    return (0.3 * np.concatenate(waves)).astype(np.float32)


def test_a_scale_is_heard_note_by_note() -> None:
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    score = transcribed(np.concatenate([np.zeros(4000, np.float32), tones(scale)]), voices=1)
    heard = [n.pitch for n in score.notes if n.force > 0.2]
    assert set(scale) <= set(heard)
    assert len(heard) <= 2 * len(scale)
    assert len(score.beats) == pytest.approx(len(scale), abs=2)


def test_dense_and_bright_music_is_played_harder() -> None:
    rng = np.random.default_rng(0)
    busy = tones([72, 76, 79] * 10, 0.1)
    busy += 0.1 * rng.normal(size=len(busy)).astype(np.float32)
    assert transcribed(busy).force > transcribed(tones([48, 50], 1.5)).force + 0.2


@pytest.mark.parametrize("number", range(INSTRUMENTS))
def test_instruments_play_the_pitch_that_is_asked(number: int) -> None:
    tone = Instrument(number).play(69, 0.7, 0.5)
    assert np.isfinite(tone).all()
    assert 0.5 * FS_HZ <= len(tone) <= 0.7 * FS_HZ
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
    hz = np.fft.rfftfreq(len(tone), 1 / FS_HZ)[spectrum.argmax()]
    assert hz / 440.0 == pytest.approx(round(hz / 440.0), abs=0.03)  # the tone or a partial


def test_force_is_heard() -> None:
    soft, hard = (Instrument(0).play(50, f, 0.5) for f in (0.2, 0.9))
    assert np.square(hard).mean() > 4 * np.square(soft).mean()


def test_drums_come_where_they_are_asked() -> None:
    rng = np.random.default_rng(0)
    drums = drummed(np.array([8000]), np.ones(1, np.float32), 16000, rng)
    assert not drums[:8000].any()
    assert drums[8000:8400].any()


def test_the_same_seed_makes_the_same_clip_and_another_another() -> None:
    x = tones([60, 64, 67, 72] * 2, 0.25)
    first, again, other = (revoiced(x, (1, n)) for n in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert len(other) == len(x)
    assert not np.array_equal(first, other)
    assert np.abs(first).max() == pytest.approx(0.5, rel=1e-4)


def test_one_player_plays_fewer_notes_than_a_band() -> None:
    x = tones([60, 64, 67, 72, 65, 69] * 3, 0.25)
    heard = {
        manner: np.mean([len(transcribed(revoiced(x, (3, n), manner)).notes) for n in range(6)])
        for manner in (BAND, ONE_PLAYER)
    }
    assert heard[ONE_PLAYER] < 0.9 * heard[BAND]


def test_silence_stays_silent() -> None:
    assert not revoiced(np.zeros(FS_HZ, np.float32), (0,)).any()


class Ears:
    """Stands for the extractor: hears a clip's length and mean power."""

    def __init__(self, *networks: object) -> None:
        self.calls = 0

    def __call__(self, blocks: object) -> object:
        x = np.concatenate(list(blocks))  # type: ignore[call-overload]
        said = np.array([len(x), np.square(x).mean()], np.float32)
        return type("Heard", (), {"segments": said[None], "song": said})()


def test_variations_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "m"
    (root / "audio").mkdir(parents=True)
    soundfile.write(root / "audio/000.wav", tones([60] * 4), FS_HZ)
    (root / "labels.csv").write_text("clip,quadrant,artist_group\n000,HAHV,a\n")
    monkeypatch.setattr(music_best_hearing, "Extractor", Ears)
    monkeypatch.setattr(music_best_hearing, "open_network", lambda path: path)
    for name in ("msd", "mtt"):
        (tmp_path / name).write_bytes(b"")
    networks = {name: tmp_path / name for name in ("msd", "mtt")}
    data = load_music("music4q", root)
    half = Variation("half", lambda x, number: x[: len(x) // 2])
    found = [
        run_to_end(hear_clips(data, networks, tmp_path / "w", v)) for v in (None, half, REVOICED[0])
    ]
    lengths = [c.song[0, 0] for c in found]
    assert lengths[1] == lengths[0] // 2
    assert lengths[2] == lengths[0]
    assert len(list((tmp_path / "w").iterdir())) == 3
    material = run_to_end(hear_material(data, networks, tmp_path / "w"))
    assert len(list((tmp_path / "w").iterdir())) == 6  # what was heard already is not heard again
    np.testing.assert_array_equal(material.revoiced[0].song, found[2].song)
    part, driven = (clips.song[0, 0] / lengths[0] for clips in material.varied)
    assert 0.5 <= part <= 0.85
    assert 1 / 1.06 <= driven <= 1.07
