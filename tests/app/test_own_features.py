"""The higher rungs in the player: stored features of songs, heads of one's own, decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.evidence import collect
from app.material import gather
from app.personal import rate_library, train
from app.personal_model import PersonalModel, personal_rows
from app.personal_models import PersonalModelError, PersonalModels
from app.your_model import versions
from inference.audio.features import SongFeatures
from inference.emotion import QUADRANTS, Quadrant
from inference.job import run_to_end
from inference.labelling.own import OwnHead, OwnParts
from inference.labelling.personal import PersonalMap
from inference.labelling.songs import SongSpace, read_songs
from library_db.answers import AnswerStore
from library_db.library import EstimateRow, Library
from tests.app.personal_library import (
    SHIPPED,
    answer_on,
    fill,
    fill_with_features,
    front_end,
    heard_by_listener,
)


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        fill_with_features(opened)
        yield opened


@pytest.fixture
def answers(home: Path) -> Iterator[AnswerStore]:
    with AnswerStore.open(home) as opened:
        yield opened


def ids_of(library: Library) -> list[int]:
    return sorted(int(i) for i in library.search(""))


def taste(library: Library, ids: list[int]) -> list[Quadrant]:
    """What a listener feels who goes by a direction of the features alone."""
    material = gather(library, collect(library, [], SHIPPED), SHIPPED, Path("none"))
    assert material.evidence.words == ()
    reader = read_songs(SHIPPED, None)
    rows = []
    for i in ids:
        data = library.features(i, front_end())
        assert data is not None
        rows.append(reader.musical(SongFeatures.from_bytes(data)))
    z = SongSpace.fit(np.stack(rows)).places(np.stack(rows))
    return [
        Quadrant("HAHV" if a > 0 and b > 0 else "HALV" if a > 0 else "LAHV" if b > 0 else "LALV")
        for a, b in z[:, :2]
    ]


def test_features_of_songs_are_learned_kept_and_used_for_every_song(
    library: Library, answers: AnswerStore, home: Path
) -> None:
    models = PersonalModels(home / "models")
    ids = ids_of(library)
    felt = taste(library, ids)
    answers.add(*(answer_on(library, i, q) for i, q in zip(ids[:80], felt[:80], strict=True)))
    report = run_to_end(train(library, answers, models))
    assert (report.accepted, report.rung) == (True, "features"), report.explanation
    assert "features of the songs" in report.explanation
    emotions = library.emotions(ids[80:])
    mine = sum(e.personal.quadrant is q for e, q in zip(emotions, felt[80:], strict=True))
    common = sum(e.common.quadrant is q for e, q in zip(emotions, felt[80:], strict=True))
    assert mine > common + 8
    again = models.active()
    assert again is not None
    assert again.kind == "features"
    assert run_to_end(rate_library(library, again)) == (0, report.moved), "the same from the disk"
    assert run_to_end(train(library, answers, models)).accepted is False, "the same words"


def test_a_song_that_is_tagged_later_is_rated_by_its_features(
    library: Library, answers: AnswerStore, home: Path
) -> None:
    models = PersonalModels(home / "models")
    ids = ids_of(library)
    answers.add(
        *(answer_on(library, i, q) for i, q in zip(ids[:80], taste(library, ids), strict=False))
    )
    run_to_end(train(library, answers, models))
    model = models.usable()
    last = ids[-1]
    common, before = library.emotion(last).common, library.emotion(last).personal
    row = EstimateRow(last, "common", common)
    stored = library.features(last, front_end())
    brought = EstimateRow(last, "common", common, features=stored, front_end=front_end())
    assert personal_rows(model, [brought])[0].estimate == before
    assert personal_rows(model, [row], library)[0].estimate == before
    without = personal_rows(model, [row])[0].estimate
    assert without is not None
    assert without != before, "the plane alone"


def network_model(models: PersonalModels) -> OwnParts:
    """A version with a head of its own, active."""
    reader = read_songs(SHIPPED, None)
    start = reader.heads[0]
    arrays = start.arrays("")
    arrays["classes_bias"] = arrays["classes_bias"] + np.float32([0, 0, 0, 3])
    tuned = type(start).from_arrays(arrays, "")
    parts = OwnParts(reader.front_end, None, OwnHead(start, tuned, 0.5))
    still = PersonalMap(np.zeros((2, 3)))
    models.save(PersonalModel(1, SHIPPED, still, 40, 1.0, 0.5, 0.7, 0.1, 0.0, parts, reader))
    models.activate(1)
    return parts


def test_a_head_of_ones_own_moves_songs_and_survives_the_disk(library: Library, home: Path) -> None:
    models = PersonalModels(home / "models")
    parts = network_model(models)
    loaded = models.active()
    assert loaded is not None
    assert (loaded.kind, parts.is_same(loaded.parts)) == ("network", True)
    run_to_end(rate_library(library, loaded))
    shifts = []
    for emotion in library.emotions(ids_of(library)):
        ratio = np.log(emotion.personal.probabilities) - np.log(emotion.common.probabilities)
        shifts.append(ratio[3] - ratio[:3].mean())
    assert 1.2 < np.mean(shifts) < 1.8, "half of what the head changes"


@pytest.mark.parametrize(("fault", "text"), [("damage", "damaged"), ("remove", "read")])
def test_parts_that_cannot_be_used_are_explained_and_the_common_model_goes_on(
    home: Path, fault: str, text: str
) -> None:
    models = PersonalModels(home / "models")
    network_model(models)
    file = models.folder / "1" / "parts.npz"
    if fault == "damage":
        file.write_bytes(file.read_bytes()[:-7])
    else:
        file.unlink()
    with pytest.raises(PersonalModelError, match=text):
        models.active()
    assert models.usable() is None


def test_a_common_model_with_other_features_leaves_the_map_of_the_plane_speaking(
    library: Library, answers: AnswerStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = PersonalModels(home / "models")
    ids = ids_of(library)
    felt = taste(library, ids)
    answers.add(*(answer_on(library, i, q) for i, q in zip(ids[:80], felt[:80], strict=True)))
    assert run_to_end(train(library, answers, models)).rung == "features"
    monkeypatch.setattr("inference.labelling.songs.UndertoneReader.__init__", _other_front_end)
    model = models.active()
    assert model is not None
    assert not model.is_whole
    rated, _ = run_to_end(rate_library(library, model))
    assert rated > 0
    emotions = library.emotions(ids)
    p = np.array([e.common.probabilities for e in emotions])
    mine = np.array([e.personal.probabilities for e in emotions])
    assert np.allclose(mine, model.map.rate(p), atol=1e-5)
    (shown,) = versions(library, models)
    assert (shown.active, shown.usable, shown.whole, shown.fault) == (True, True, False, "")
    assert "features are no longer made" in shown.note
    assert len(answers.all()) == 80


def _other_front_end(self: object, front_end: str, files: object) -> None:
    self.front_end = "undertone-descriptors-2/other"  # type: ignore[attr-defined]


def test_every_word_is_decided_on_and_says_why(
    library: Library, answers: AnswerStore, home: Path
) -> None:
    ids = ids_of(library)
    said = [library.emotion(i).common.quadrant for i in ids]
    wrong = QUADRANTS[(said[0].position + 1) % 4]
    answers.add(answer_on(library, ids[0], wrong, at_s=1.0))
    answers.add(*(answer_on(library, i, said[n]) for n, i in enumerate(ids[:60]) if n))
    answers.add(answer_on(library, ids[1], wrong, at_s=0.5))
    library.correct(ids[2], QUADRANTS[(said[2].position + 2) % 4])
    run_to_end(train(library, answers, PersonalModels(home / "models")))
    rows = answers.decisions()
    assert len(rows) == 62
    by_song = {r.track_id: r for r in rows if r.label}
    assert (by_song[ids[0]].kept, by_song[ids[0]].compared) == (False, "music")
    assert "another mood was predicted" in by_song[ids[0]].reason
    assert by_song[ids[0]].prediction is said[0]
    assert by_song[ids[2]].origin == "correction"
    replaced = [r for r in rows if not r.label]
    assert {r.track_id for r in replaced} == {ids[1], ids[2]}
    assert all("later word" in r.reason for r in replaced)
    kept = [r for r in rows if r.kept]
    assert len(kept) > 10
    assert all(r.similarity is not None and 0 < r.similarity <= 1 for r in kept)


def test_without_stored_features_words_are_labels_and_that_is_said(
    home: Path, answers: AnswerStore
) -> None:
    with Library.open(home) as library:
        ids = fill(library)
        answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids[:40]))
        report = run_to_end(train(library, answers, PersonalModels(home / "models")))
    assert (report.accepted, report.rung, report.kept) == (True, "map", 0)
    assert {(r.label, r.kept, r.compared) for r in answers.decisions()} == {
        (True, False, "nothing")
    }
