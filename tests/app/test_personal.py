"""The listener's own model: trained, explained, taken up, rolled back, forgotten."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.dispatch import main
from app.evidence import collect
from app.personal import forget, rate_library, roll_back, train
from app.personal_model import PersonalModel, personal_rows
from app.personal_models import PersonalModelError, PersonalModels
from app.tagging import TagOptions, tag
from app.your_model import moves
from inference.emotion import QUADRANTS, EmotionEstimate, Quadrant
from inference.errors import UndertoneError
from inference.job import run_to_end
from library_db.answers import AnswerStore
from library_db.library import EstimateRow, Library
from library_db.personal_layer import moved_ids, personal_ids
from tests.app.ear_model import EAR, ear_model
from tests.app.personal_library import (
    BASE,
    LISTENER,
    answer_on,
    fill,
    folder_text,
    heard_by_listener,
)


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def answers(home: Path) -> Iterator[AnswerStore]:
    with AnswerStore.open(home) as opened:
        yield opened


@pytest.fixture
def models(home: Path) -> PersonalModels:
    return PersonalModels(home / "models")


def tell(library: Library, answers: AnswerStore, ids: list[int]) -> None:
    answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids))


def ids_of(library: Library) -> list[int]:
    return sorted(int(i) for i in library.search(""))


def test_forty_answers_move_the_library_towards_the_listener(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    report = run_to_end(train(library, answers, models))
    assert report.accepted
    assert (report.active, report.songs, report.rated) == (1, 40, len(ids))
    assert report.lower > -0.02
    unheard = ids[40:]
    truth = [heard_by_listener(library, i) for i in unheard]
    emotions = library.emotions(unheard)
    mine = sum(e.quadrant is t for e, t in zip(emotions, truth, strict=True))
    common = sum(e.common.quadrant is t for e, t in zip(emotions, truth, strict=True))
    assert mine > common + 10
    assert {e.source for e in emotions} == {"personal"}
    assert {e.personal.model_id for e in emotions} == {"personal-1"}


def test_corrections_teach_and_always_win(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    library.correct_many({i: heard_by_listener(library, i) for i in ids[:40]})
    opposite = QUADRANTS[3 - heard_by_listener(library, ids[50]).position]
    library.correct(ids[50], opposite)
    report = run_to_end(train(library, answers, models))
    assert report.accepted
    assert report.corrections == 41
    assert library.emotion(ids[50]).quadrant is opposite
    assert library.emotion(ids[50]).personal is not None


@pytest.mark.parametrize(
    ("count", "word", "outcome"),
    [(0, None, "TOO_FEW"), (3, None, "TOO_FEW"), (30, Quadrant.LAHV, "ONE_MOOD")],
)
def test_what_is_not_enough_is_explained_and_nothing_changes(
    library: Library,
    answers: AnswerStore,
    models: PersonalModels,
    count: int,
    word: Quadrant | None,
    outcome: str,
) -> None:
    ids = ids_of(library)[:count]
    answers.add(*(answer_on(library, i, word or heard_by_listener(library, i)) for i in ids))
    report = run_to_end(train(library, answers, models))
    assert (report.outcome, report.accepted, report.active) == (outcome, False, None)
    assert report.explanation
    assert personal_ids(library) == []


def test_a_refused_training_leaves_the_old_version_active(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:40])
    run_to_end(train(library, answers, models))
    before = library.emotions(ids_of(library))
    answers.delete()
    report = run_to_end(train(library, answers, models))
    assert (report.outcome, report.active, report.rated) == ("TOO_FEW", 1, 0)
    assert library.emotions(ids_of(library)) == before


def test_of_contradictory_answers_the_newest_counts(library: Library, answers: AnswerStore) -> None:
    first = ids_of(library)[0]
    answers.add(answer_on(library, first, Quadrant.LALV, at_s=2e9))
    answers.add(answer_on(library, first, Quadrant.HAHV, at_s=1e9))
    evidence = collect(library, answers.all(), BASE)
    assert [word.word for word in evidence.words] == [Quadrant.LALV]
    assert evidence.contradictory == 1
    assert [(w.word, why) for w, why in evidence.set_aside] == [(Quadrant.HAHV, "LATER")]


def test_answers_on_songs_that_are_gone_count_by_the_estimate_kept_with_them(
    library: Library, answers: AnswerStore
) -> None:
    one, other = ids_of(library)[:2]
    kept = library.emotion(one).common
    answers.add(answer_on(library, one, Quadrant.LALV))
    answers.add(answer_on(library, other, Quadrant.LALV))
    library.forget([one, other])
    evidence = collect(library, answers.all(), BASE)
    assert kept in evidence.estimates
    elsewhere = collect(library, answers.all(), "another-model")
    assert (elsewhere.estimates, elsewhere.gone) == ((), 2)


def test_rolling_back_restores_what_was(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    run_to_end(train(library, answers, models))
    first = library.emotions(ids)
    tell(library, answers, ids[40:80])
    assert run_to_end(train(library, answers, models)).active == 2
    assert run_to_end(roll_back(library, models)).active == 1
    assert library.emotions(ids) == first
    report = run_to_end(roll_back(library, models))
    assert (report.active, personal_ids(library)) == (None, [])
    with pytest.raises(PersonalModelError, match="nothing to roll back"):
        run_to_end(roll_back(library, models))
    assert run_to_end(train(library, answers, models)).active == 3, "no number is used twice"


def test_an_interrupted_rating_is_completed_by_the_next_call(
    library: Library, answers: AnswerStore, models: PersonalModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.personal._AT_ONCE", 50)
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    job = train(library, answers, models)
    while next(job).done < 50:
        pass
    job.close()
    assert 0 < len(personal_ids(library)) < len(ids)
    assert models.active().number == 1
    run_to_end(rate_library(library, models.active()))
    assert personal_ids(library) == ids


def test_the_same_answers_make_no_second_version(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:40])
    run_to_end(train(library, answers, models))
    report = run_to_end(train(library, answers, models))
    assert (report.accepted, report.active, report.rated) == (False, 1, 0)
    assert models.numbers() == [1]


def test_a_dry_run_changes_nothing(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:40])
    report = run_to_end(train(library, answers, models, dry_run=True))
    assert (report.outcome, report.accepted, report.active) == ("ACCEPTED", False, None)
    assert (models.numbers(), personal_ids(library)) == ([], [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}', "{}" * 10])
def test_a_damaged_model_is_explained_and_tagging_goes_on_without(
    library: Library, answers: AnswerStore, models: PersonalModels, text: str
) -> None:
    tell(library, answers, ids_of(library)[:40])
    run_to_end(train(library, answers, models))
    (models.folder / "1" / "model.json").write_text(text)
    with pytest.raises(PersonalModelError, match="undertone train personal"):
        models.active()
    assert models.usable() is None


def test_a_model_of_another_version_is_explained(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:40])
    run_to_end(train(library, answers, models))
    file = models.folder / "1" / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 9}))
    with pytest.raises(PersonalModelError, match="another version"):
        models.active()


def test_songs_of_another_common_model_get_no_personal_estimate(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    run_to_end(train(library, answers, models))
    other = EmotionEstimate((0.7, 0.1, 0.1, 0.1), 0.7, "newer-model")
    common = library.emotion(ids[1]).common
    rows = [EstimateRow(ids[0], "common", other), EstimateRow(ids[1], "common", common)]
    made = personal_rows(models.usable(), rows)
    assert [row.track_id for row in made] == [ids[1]]
    assert made[0].estimate == library.emotion(ids[1]).personal
    assert personal_rows(None, rows) == []
    library.set_estimates(rows)
    assert library.emotion(ids[0]).personal is None, "it was made from the former estimate"
    run_to_end(rate_library(library, models.active()))
    assert library.emotion(ids[0]).personal is None
    assert library.emotion(ids[1]).personal == made[0].estimate


def test_forgetting_leaves_no_byte_of_the_answers_and_models(
    library: Library, answers: AnswerStore, models: PersonalModels, home: Path
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    library.correct(ids[100], Quadrant.LALV)
    run_to_end(train(library, answers, models))
    gone = forget(library, answers, models)
    assert (gone.answers, gone.models, gone.songs) == (40, 1, len(ids))
    assert not models.folder.exists()
    assert BASE.encode() not in (home / "answers.sqlite3").read_bytes()
    assert {e.source for e in library.emotions(ids)} == {"common", "user"}
    library.close()
    assert b"personal-1" not in folder_text(home)


def test_nothing_tagged_is_said(home: Path, models: PersonalModels) -> None:
    with (
        Library.open(home) as empty,
        AnswerStore.open(home) as store,
        pytest.raises(UndertoneError, match="undertone tag"),
    ):
        run_to_end(train(empty, store, models))


def test_the_command_line_trains_rolls_back_lists_and_forgets(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(home) as library, AnswerStore.open(home) as answers:
        ids = fill(library)
        tell(library, answers, ids[:40])

    def run(*arguments: str) -> object:
        capsys.readouterr()
        assert main([*arguments, "--home", str(home), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert len(run("labels", "answers")) == 40
    trained = run("train", "personal")
    assert (trained["outcome"], trained["active"]) == ("ACCEPTED", 1)
    assert {row["model"] for row in run("list")} == {"personal-1"}
    assert run("train", "personal", "--use", "0")["active"] is None
    assert {row["model"] for row in run("list")} == {BASE}
    assert run("train", "personal", "--use", "1")["active"] == 1
    assert main(["train", "personal", "--use", "7", "--home", str(home)]) == 1
    assert main(["train", "personal", "--use", "1", "--roll-back", "--home", str(home)]) == 2
    assert run("train", "personal", "--roll-back")["active"] is None
    assert run("train", "personal", "--roll-back")["active"] == 1
    assert run("train", "personal", "--roll-back")["active"] is None
    assert main(["labels", "forget", "--home", str(home)]) == 2, "asks first"
    assert run("labels", "forget", "--yes") == {"answers": 40, "models": 1, "songs": 0}
    assert run("labels", "answers") == []
    assert main(["train", "personal", "--roll-back", "--home", str(home)]) == 1


def test_a_song_that_is_tagged_later_gets_the_personal_estimate_at_once(
    home: Path, music_folder: Path
) -> None:
    model = ear_model()
    options = TagOptions(models_dir=home / "models", jobs=0)
    with Library.open(home) as library:
        run_to_end(tag(library, [music_folder], options, model=model))
        assert personal_ids(library) == []
        mine = PersonalModel(1, EAR, LISTENER, 40, 1.0, 0.5, 0.7, 0.1, 0.0)
        models = PersonalModels(home / "models")
        models.save(mine)
        models.activate(1)
        run_to_end(tag(library, [music_folder], replace(options, force=True), model=model))
        ids = ids_of(library)
        assert personal_ids(library) == ids
        for emotion in library.emotions(ids):
            assert emotion.personal == mine.rate([emotion.common])[0]


def test_a_full_disk_leaves_the_old_version_active(
    library: Library, answers: AnswerStore, models: PersonalModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    run_to_end(train(library, answers, models))
    before = library.emotions(ids)
    tell(library, answers, ids[40:80])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("app.personal_models.os.fsync", full)
        with pytest.raises(PersonalModelError, match="stays as it was"):
            run_to_end(train(library, answers, models))
    assert models.active().number == 1
    assert library.emotions(ids) == before
    assert run_to_end(train(library, answers, models)).accepted


def test_training_needs_no_torch() -> None:
    code = (
        "import sys, app.personal, app.cli.train, inference.labelling.personal\n"
        "assert not {'torch', 'sklearn', 'librosa'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_moved_songs_are_those_that_the_layers_name_otherwise(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:40])
    run_to_end(train(library, answers, models))
    emotions = library.emotions(ids)
    expected = [
        i
        for i, e in zip(ids, emotions, strict=True)
        if e.common.quadrant is not e.personal.quadrant
    ]
    assert sorted(moved_ids(library)) == expected
    far = {
        i: sum(
            abs(a - b)
            for a, b in zip(e.common.probabilities, e.personal.probabilities, strict=True)
        )
        for i, e in zip(ids, emotions, strict=True)
    }
    assert moved_ids(library) == sorted(expected, key=lambda i: -far[i]), "the farthest first"
    found = moves(library)
    assert {move.track_id for move in found} == set(expected)
    assert all(m.before.quadrant is not m.after.quadrant for m in found)
    few = moves(library, most=3)
    assert {move.track_id for move in few} == set(moved_ids(library)[:3])


def test_songs_without_stored_features_are_learned_from_all_the_same(
    home: Path, answers: AnswerStore, models: PersonalModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of another front end's revision, say."""
    monkeypatch.setattr("tests.app.personal_library.BASE", "undertone-music")
    with Library.open(home) as library:
        ids = fill(library)
        tell(library, answers, ids[:40])
        report = run_to_end(train(library, answers, models))
    assert (report.base_model, report.accepted) == ("undertone-music", True)
