"""Sessions with a band: songs found in recordings, signals judged, targets and a layer learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.cli.dispatch import main
from app.evidence import Evidence, Word
from app.heard_songs import heard_songs, quality_fault, readable, signals_of
from app.material import SessionFeatures, gather
from app.my_data import Part, delete_data
from app.paths import home as home_of
from app.personal_band import OwnSensorClassifier, band_models, own_classifier, train_band
from app.personal_models import PersonalModels, heard_folder
from app.session_features import read_recording, sessions_of
from app.wristband.recorder import FILE_NAME, RecordingError
from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from inference.job import run_to_end
from inference.physio.signals import FS_HZ, Channel
from inference.sensor_runtime import SensorClassifier
from library_db.answers import AnswerStore
from library_db.library import Library
from tests.app.personal_library import SHIPPED, answer_on, fill_with_features
from tests.app.recorded import BEGAN_S, record


@pytest.fixture(scope="module")
def network() -> SensorClassifier:
    return SensorClassifier.load()


def songs(count: int, first: int = 0) -> list[tuple[str, int | None, Quadrant]]:
    return [(f"audio{n}", n + 1, QUADRANTS[n % 4]) for n in range(first, first + count)]


def test_songs_are_found_with_their_times(tmp_path: Path) -> None:
    path = record(tmp_path, songs(3), song_s=22.0)
    found = heard_songs(path)
    assert [s.audio_hash for s in found] == ["audio0", "audio1", "audio2"]
    assert [(s.begin_s, s.end_s) for s in found] == [(0.0, 22.0), (22.0, 44.0), (44.0, 66.0)]
    assert [s.at_s - BEGAN_S for s in found] == [22.0, 44.0, 66.0]
    part = signals_of(path).during(found[1])
    assert part is not None
    assert abs(len(part.values[Channel.GSR]) - 22 * FS_HZ) <= 1
    assert all(measured.all() for measured in part.measured.values())


def test_a_recording_cut_off_anywhere_gives_what_is_whole(tmp_path: Path) -> None:
    path = record(tmp_path, songs(2), song_s=22.0)
    file = path / FILE_NAME
    data = file.read_bytes()
    for share in (0.6, 0.99):
        file.write_bytes(data[: int(share * len(data))])
        found = heard_songs(path)
        assert found
        assert all(s.end_s <= 44.0 * share + 1.0 for s in found)
    file.write_bytes(data[:4])
    with pytest.raises(RecordingError):
        heard_songs(path)
    assert readable(path) is None


def test_bad_signals_are_named_and_good_ones_read(tmp_path: Path, network) -> None:
    path = record(tmp_path, songs(4), bad=[2])
    reads = read_recording(path, network)
    assert [r.features is None for r in reads] == [False, False, True, False]
    assert "contact" in reads[2].fault or "does not move" in reads[2].fault
    features = reads[0].features
    assert features is not None
    assert features.shape == (128,)
    part = signals_of(path).during(reads[0].song)
    assert part is not None
    assert quality_fault(part) == ""


def test_one_signal_alone_is_no_session(tmp_path: Path, network) -> None:
    path = record(tmp_path, songs(2), channels=[Channel.PPG])
    assert read_recording(path, network) == []


def evidence_of(words: list[Word]) -> Evidence:
    estimates = tuple(EmotionEstimate.from_probabilities([0.25] * 4, 0.25, "none") for _ in words)
    return Evidence(tuple(words), ((),) * len(words), estimates, (), len(words), 0, 0, 0, 0)


def test_words_find_their_session_and_a_recording_is_read_once(
    tmp_path: Path, network, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = record(tmp_path / "recordings", songs(2))
    two = record(tmp_path / "recordings", songs(2), seed=1)
    models = PersonalModels(tmp_path / "models")
    word = Word("answer", 1, 1, "audio0", BEGAN_S + 30, Quadrant.HAHV, recording=two.name)
    correction = Word("correction", None, 2, "audio1", BEGAN_S + 90, Quadrant.HALV)
    elsewhere = Word("answer", 2, 9, "audio9", BEGAN_S, Quadrant.HALV)
    evidence = evidence_of([word, correction, elsewhere])
    find = sessions_of(tmp_path / "recordings", models, lambda: network)
    found = run_to_end(find(evidence))
    assert sorted(found) == [0, 1]
    second = {r.song.audio_hash: r for r in read_recording(two, network)}
    np.testing.assert_allclose(found[0].features, second["audio0"].features, atol=1e-5)

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("app.session_features.read_recording", never)
    again = run_to_end(find(evidence))
    np.testing.assert_array_equal(again[0].features, found[0].features)
    assert len(list(heard_folder(models).iterdir())) == 2
    for file in one.iterdir():
        file.unlink()
    one.rmdir()
    run_to_end(find(evidence))
    assert [f.stem for f in heard_folder(models).iterdir()] == [two.name]


def test_no_recording_loads_no_network(tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError("loaded")

    find = sessions_of(tmp_path / "none", PersonalModels(tmp_path), never)
    assert run_to_end(find(evidence_of([]))) == {}


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        fill_with_features(opened, 44)
        yield opened


def test_training_decides_by_the_signals_and_leaves_bad_sessions_out(
    library: Library, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = sorted(int(i) for i in library.search(""))
    heard = [(f"audio{n}", ids[n], QUADRANTS[n % 4]) for n in range(12)]
    session = record(home / "recordings", heard, bad=[3]).name
    with AnswerStore.open(home) as answers:
        answers.add(
            *(
                replace(answer_on(library, track_id, felt, BEGAN_S + 30 * n), session=session)
                for n, (_, track_id, felt) in enumerate(heard)
            ),
            *(answer_on(library, i, QUADRANTS[i % 4]) for i in ids[12:24]),
        )
    library.close()
    assert main(["train", "personal", "--home", str(home), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sessions"] == 12
    assert "11 sessions" in report["band"]
    assert "1 more had bad signals" in report["band"]
    with AnswerStore.open(home) as answers:
        rows = answers.decisions()
    by_signals = [r for r in rows if r.compared == "signals"]
    assert len(by_signals) == 11
    assert {r.recording for r in by_signals} == {session}
    (bad,) = [r for r in rows if "signals of the session were too bad" in r.reason]
    assert (bad.track_id, bad.label, bad.kept) == (ids[3], True, False)
    assert [r.compared for r in rows if not r.recording] == ["music"] * 12


def material_with(sessions: dict[int, SessionFeatures], words: list[Quadrant], library: Library):
    ids = sorted(int(i) for i in library.search(""))
    said = [
        Word("answer", n, ids[n], f"audio{n}", 1e9 + n, word, recording="r")
        for n, word in enumerate(words)
    ]
    return gather(library, evidence_of(said), SHIPPED, Path("none"), sessions)


def test_a_layer_of_ones_own_is_learned_tested_and_used_live(
    library: Library, tmp_path: Path, network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener whose body says clearly what the common network cannot read."""
    rng = np.random.default_rng(0)
    truth = [QUADRANTS[n % 4] for n in range(40)]
    centres = rng.normal(size=(4, 128))
    common = EmotionEstimate.from_probabilities([0.3, 0.25, 0.25, 0.2], 0.3, network.model_id)
    sessions = {
        n: SessionFeatures(
            centres[q.position] + 0.5 * rng.normal(size=128), common.quadrant, estimate=common
        )
        for n, q in enumerate(truth)
    }
    material = material_with(sessions, truth, library)
    models = PersonalModels(tmp_path)
    text = run_to_end(train_band(material, models, network, dry_run=False))
    assert "version 1 is active" in text
    assert "no worse" in text
    own = own_classifier(network, tmp_path)
    assert isinstance(own, OwnSensorClassifier)
    assert own.own.kind == "features"
    segments = {
        Channel.GSR: np.zeros((8, 33, 64), np.float32),
        Channel.PPG: np.zeros((8, 32, 64), np.float32),
    }
    mine, theirs = own.classify(segments), network.classify(segments)
    assert mine.model_id == f"{network.model_id}+personal-1"
    assert mine.probabilities != theirs.probabilities
    assert run_to_end(train_band(material, models, network, dry_run=False)).count("version 1") == 1
    few = material_with({0: sessions[0]}, truth[:1], library)
    monkeypatch.setattr("app.personal_band._name", lambda _: "another@2")
    text = run_to_end(train_band(few, models, network, dry_run=False))
    assert "version 1 is of another network" in text
    assert own_classifier(network, tmp_path) is network
    monkeypatch.undo()
    models.delete()
    assert own_classifier(network, tmp_path) is network


def test_a_layer_that_proves_nothing_is_not_taken_up(
    library: Library, tmp_path: Path, network
) -> None:
    rng = np.random.default_rng(0)
    common = EmotionEstimate.from_probabilities([0.3, 0.25, 0.25, 0.2], 0.3, network.model_id)
    sessions = {
        n: SessionFeatures(rng.normal(size=128), common.quadrant, estimate=common)
        for n in range(44)
    }
    words = [QUADRANTS[int(q)] for q in rng.integers(0, 4, 44)]
    models = PersonalModels(tmp_path)
    text = run_to_end(
        train_band(material_with(sessions, words, library), models, network, dry_run=False)
    )
    assert "active" not in text
    assert band_models(models).numbers() == []


def test_deleting_the_recordings_deletes_what_was_read_of_them(
    library: Library, home: Path, network
) -> None:
    record(home / "recordings", songs(2))
    models = PersonalModels(home / "models")
    word = Word("answer", 1, 1, "audio0", BEGAN_S + 30, Quadrant.HAHV)
    run_to_end(sessions_of(home / "recordings", models, lambda: network)(evidence_of([word])))
    assert list(heard_folder(models).iterdir())
    delete_data(library, home_of(home), [Part.RECORDINGS])
    assert not heard_folder(models).exists()
    assert not list((home / "recordings").iterdir())
