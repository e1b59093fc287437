"""What every music model in the catalogue must do. A new model gets these tests for free."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.audio.features import MAX_BYTES, SongFeatures
from inference.catalog import DEFAULT_MODELS, find, installed, shipped_dir
from inference.runtime import MusicClassifier

ROOT = Path(__file__).parents[3]
CARDS = installed()
MUSIC = [card.id for card in CARDS if card.kind == "music"]
MakeAudio = Callable[..., Path]

every_model = pytest.mark.parametrize("model_id", [card.id for card in CARDS])
every_music_model = pytest.mark.parametrize("model_id", MUSIC)


@pytest.fixture(scope="module")
def load() -> Callable[[str], MusicClassifier]:
    loaded: dict[str, MusicClassifier] = {}

    def get(model_id: str) -> MusicClassifier:
        if model_id not in loaded:
            loaded[model_id] = MusicClassifier.load(model_id)
        return loaded[model_id]

    return get


@every_model
def test_files_are_those_of_the_card_and_no_others(model_id: str) -> None:
    model = find(model_id)
    described = {file.name for file in model.card.files.values()} | {"card.json"}
    there = {p.name for p in model.folder.iterdir() if p.suffix != ".md"}
    assert {name for name in there if not name.endswith((".png", ".svg"))} == described


@every_model
def test_the_card_tells_licence_data_settings_and_figures(model_id: str) -> None:
    card = find(model_id).card
    assert card.title
    assert card.licence
    assert card.data
    assert card.limits
    assert card.config
    assert card.metrics
    for metric in card.metrics:
        assert metric.protocol
        assert metric.command
        assert (ROOT / metric.results).is_file(), metric.results


@every_model
def test_files_hold_no_path_of_the_machine_that_made_them(model_id: str) -> None:
    for path in find(model_id).files.values():
        data = path.read_bytes()
        for trace in (b"/home/", str(ROOT.parent).encode() + b"/", b"site-packages"):
            assert trace not in data, f"{path.name} holds {trace!r}"


@every_music_model
def test_a_song_is_rated_and_rerated_alike(
    model_id: str, load: Callable[[str], MusicClassifier], make_audio: MakeAudio
) -> None:
    classifier = load(model_id)
    result = classifier.classify(make_audio("song.mp3", duration_s=12.0, kind="chord"))
    assert sum(result.estimate.probabilities) == pytest.approx(1.0)
    assert 0.0 <= result.estimate.confidence <= 1.0
    assert np.isfinite(result.timeline.probabilities).all()
    data = result.features.to_bytes()
    assert len(data) <= MAX_BYTES
    again = classifier.rate(SongFeatures.from_bytes(data))
    np.testing.assert_allclose(
        again.estimate.probabilities, result.estimate.probabilities, atol=5e-3
    )


@every_music_model
@pytest.mark.parametrize("kind", ["silence", "tone", "noise"])
def test_odd_sounds_give_finite_answers(
    model_id: str, kind: str, load: Callable[[str], MusicClassifier], make_audio: MakeAudio
) -> None:
    result = load(model_id).classify(make_audio("odd.flac", duration_s=6.0, kind=kind))
    assert np.isfinite(result.estimate.probabilities).all()
    assert np.isfinite(result.timeline.probabilities).all()
    if kind == "silence":
        assert result.estimate.confidence <= 0.5


@pytest.mark.skipif(not MUSIC, reason="no model pack beside the code")
def test_the_default_model_is_there_and_small() -> None:
    card = find().card
    assert card.id in DEFAULT_MODELS
    assert (shipped_dir() / card.id).is_dir()
    assert card.size_bytes <= 12 << 20
