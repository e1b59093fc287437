"""MusicClassifier on real small files, with a tiny random model in the shipped layout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio.features import MAX_BYTES, SongFeatures
from inference.audio.segments import WINDOW_SEGMENTS, segment_count, window_starts
from inference.catalog import CatalogError
from inference.emotion import Quadrant
from inference.errors import UndertoneError
from inference.pipelines import base
from inference.pipelines.ms_sg import MsSgPipeline
from inference.runtime import AudioError, Cancelled, MusicClassifier, open_network
from tests.inference.runtime.tiny_models import write_tiny_model

FS = 16000
MakeAudio = Callable[..., Path]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_tiny_model(folder, "tiny")
    write_tiny_model(folder, "plain", rerates=False)
    return folder


@pytest.fixture(scope="module")
def tiny(models: Path) -> MusicClassifier:
    return MusicClassifier.load("tiny", models_dir=models)


def noise(seconds: float, level: float = 0.1) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal(round(seconds * FS))).astype(np.float32)


def test_a_song_gets_a_normalised_estimate_a_timeline_and_features(
    tiny: MusicClassifier, make_audio: MakeAudio
) -> None:
    result = tiny.classify(make_audio("song.mp3", duration_s=45.0, kind="chord"))
    estimate = result.estimate
    assert sum(estimate.probabilities) == pytest.approx(1.0)
    assert estimate.model_id == tiny.model_id == "tiny"
    assert 0.25 <= estimate.confidence <= 0.9  # what the card's map allows
    assert result.duration_s == pytest.approx(45.0, abs=0.2)
    assert result.seconds > 0
    assert len(result.timeline.probabilities) in (45, 46)
    np.testing.assert_allclose(result.timeline.probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert result.features.front_end == tiny.front_end
    assert len(result.features.to_bytes()) <= MAX_BYTES


@pytest.mark.parametrize("model_id", ["tiny", "plain"])
@pytest.mark.parametrize("seconds", [0.5, 3.0, 45.0, 700.0])
def test_stored_features_give_the_same_estimate_without_the_file(
    models: Path, model_id: str, seconds: float
) -> None:
    classifier = MusicClassifier.load(model_id, models_dir=models)
    pipeline = classifier._pipeline
    analysis = pipeline.analyse([noise(seconds)])
    data = analysis.features.to_bytes()
    assert len(data) <= MAX_BYTES
    stored = classifier.rate(SongFeatures.from_bytes(data))
    full = classifier._estimate(analysis.scores, seconds)
    np.testing.assert_allclose(stored.estimate.probabilities, full.probabilities, atol=0.01)
    assert stored.estimate.confidence == pytest.approx(full.confidence, abs=0.01)


def test_classify_and_rate_agree_exactly(tiny: MusicClassifier, make_audio: MakeAudio) -> None:
    result = tiny.classify(make_audio("song.ogg", duration_s=20.0, kind="noise"))
    again = tiny.rate(SongFeatures.from_bytes(result.features.to_bytes()))
    assert again.estimate == result.estimate


def test_windows_are_those_of_the_specification(models: Path) -> None:
    """Seen from the scores: as many windows, at the same places, in any cut of the audio."""
    classifier = MusicClassifier.load("tiny", models_dir=models)
    for seconds in (0.5, 10.0, 29.6, 30.0, 34.5, 120.0, 333.0):
        audio = noise(seconds)
        n = segment_count(1 + audio.size // 175)
        analysis = classifier._pipeline.analyse(np.array_split(audio, 7))
        expected = np.array(window_starts(n)) * 0.35
        np.testing.assert_allclose(analysis.scores.start_s, expected, atol=1e-9)
        length = min(n, WINDOW_SEGMENTS)
        assert analysis.scores.length_s == pytest.approx((length - 1) * 0.35 + 0.5)


class Recorder:
    """An encoder that numbers the segments, and a head that shows what it was given."""

    outputs = ("log_probabilities",)

    def __init__(self) -> None:
        self.count = 0
        self.windows: list[NDArray[np.float32]] = []

    def encode(self, inputs: Any) -> dict[str, NDArray[np.float32]]:
        n = len(inputs["images"])
        numbers = np.arange(self.count, self.count + n, dtype=np.float32)
        self.count += n
        return {"features": numbers[:, None]}

    def __call__(self, inputs: Any) -> dict[str, NDArray[np.float32]]:
        self.windows.extend(inputs["features"])
        return {"log_probabilities": np.zeros((len(inputs["features"]), 4), np.float32)}


@pytest.mark.parametrize("seconds", [5.0, 29.6, 31.0, 100.0, 400.0])
def test_each_window_holds_consecutive_segments_from_its_start(seconds: float) -> None:
    recorder = Recorder()
    pipeline = MsSgPipeline("test", _Encoder(recorder), recorder, None)
    pipeline.analyse([noise(seconds)])
    n = recorder.count
    assert n == segment_count(1 + round(seconds * FS) // 175)
    for start, window in zip(window_starts(n), recorder.windows, strict=True):
        length = min(n, WINDOW_SEGMENTS)
        np.testing.assert_array_equal(window[:, 0], np.arange(start, start + length))


class _Encoder:
    outputs = ("features",)

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, inputs: Any) -> dict[str, NDArray[np.float32]]:
        return self._recorder.encode(inputs)


def test_too_short_a_song_says_so(tiny: MusicClassifier, make_audio: MakeAudio) -> None:
    with pytest.raises(AudioError, match=r"only 0\.20 s") as caught:
        tiny.classify(make_audio("short.wav", duration_s=0.2))
    assert "0.5 s" in str(caught.value)


def test_silence_is_answered_by_chance(tiny: MusicClassifier, make_audio: MakeAudio) -> None:
    result = tiny.classify(make_audio("silence.flac", duration_s=40.0, kind="silence"))
    assert result.estimate.probabilities == (0.25, 0.25, 0.25, 0.25)
    assert result.estimate.confidence == 0.25
    np.testing.assert_allclose(result.timeline.probabilities, 0.25)


def test_near_silence_lowers_the_confidence(tiny: MusicClassifier) -> None:
    mostly_silent = np.concatenate([noise(2.0), np.zeros(60 * FS, np.float32)])
    music = noise(60.0)
    unsure, sure = (
        tiny.rate(tiny._pipeline.analyse([audio]).features).estimate
        for audio in (mostly_silent, music)
    )
    assert 0.25 < unsure.confidence < sure.confidence


def test_a_silent_end_does_not_change_the_mood(tiny: MusicClassifier) -> None:
    rates = [
        tiny.rate(tiny._pipeline.analyse([audio]).features).estimate
        for audio in (noise(90.0), np.concatenate([noise(90.0), np.zeros(300 * FS, np.float32)]))
    ]
    assert rates[0].quadrant == rates[1].quadrant
    np.testing.assert_allclose(rates[0].probabilities, rates[1].probabilities, atol=0.1)


def test_a_network_that_yields_nan_does_not_reach_the_estimate() -> None:
    class Broken(Recorder):
        def __call__(self, inputs: Any) -> dict[str, NDArray[np.float32]]:
            return {"log_probabilities": np.full((len(inputs["features"]), 4), np.nan, np.float32)}

    broken = Broken()
    analysis = MsSgPipeline("test", _Encoder(broken), broken, None).analyse([noise(5.0)])
    np.testing.assert_allclose(np.exp(analysis.scores.log_probabilities), 0.25, rtol=1e-5)


def test_work_stops_when_asked(tiny: MusicClassifier, make_audio: MakeAudio) -> None:
    path = make_audio("song.flac", duration_s=30.0)
    with pytest.raises(Cancelled):
        tiny.classify(path, cancelled=lambda: True)
    asked = iter([False] * 10 + [True] * 1000)
    with pytest.raises(Cancelled):
        tiny._pipeline.analyse([noise(300.0)], lambda: next(asked))


def test_features_of_another_front_end_are_refused(tiny: MusicClassifier, models: Path) -> None:
    other = MusicClassifier.load("plain", models_dir=models)
    features = other._pipeline.analyse([noise(5.0)]).features
    with pytest.raises(UndertoneError, match="cannot be rated by tiny"):
        tiny.rate(features)


def test_the_result_is_plain_json_with_a_version(
    tiny: MusicClassifier, make_audio: MakeAudio
) -> None:
    data = tiny.classify(make_audio("song.mp3", duration_s=5.0)).to_json()
    data = json.loads(json.dumps(data, allow_nan=False))
    assert data["schema"] == 1
    assert data["model"] == "tiny"
    assert Quadrant(data["quadrant"]).value == max(
        data["probabilities"], key=lambda name: data["probabilities"][name]
    )
    p = data["probabilities"]
    assert data["valence"] == pytest.approx(2 * (p["HAHV"] + p["LAHV"]) - 1, abs=1e-5)
    assert data["arousal"] == pytest.approx(2 * (p["HAHV"] + p["HALV"]) - 1, abs=1e-5)
    assert len(data["timeline"]["probabilities"][0]) == 4


def test_long_songs_keep_a_bounded_timeline(tiny: MusicClassifier) -> None:
    def hours() -> Iterator[NDArray[np.float32]]:
        block = noise(60.0)
        for _ in range(61):
            yield block

    analysis = tiny._pipeline.analyse(hours())
    timeline = tiny._timeline(analysis.scores, analysis.features.duration_s)
    assert len(timeline.probabilities) <= 3601
    assert timeline.times_s[-1] == pytest.approx(61 * 60, abs=3)
    assert len(analysis.features.to_bytes()) <= MAX_BYTES


def test_a_model_of_an_unknown_pipeline_says_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(base.PIPELINES, "ms-sg")
    with pytest.raises(CatalogError, match="this version of Undertone lacks"):
        MusicClassifier.load("tiny", models_dir=models)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    for content in (b"", b"not a network", b"\x08\x09" * 100):
        path.write_bytes(content)
        with pytest.raises(CatalogError, match="not a network"):
            open_network(path)


def test_onnxruntime_is_loaded_with_the_first_model_only(models: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom inference.runtime import MusicClassifier\n"
        "heavy = {'onnxruntime', 'torch', 'librosa', 'sklearn', 'matplotlib', 'numba'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "MusicClassifier.load('tiny', models_dir=Path(sys.argv[1]))\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(models)], capture_output=True, text=True
    )
    assert result.stdout.split("\n")[:2] == ["[]", "['onnxruntime']"], result.stderr
