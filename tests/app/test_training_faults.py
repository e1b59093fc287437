"""A training that is killed, cancelled, doubled or without space: the old model stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.paths import home as home_of
from app.personal import forget, train
from app.personal_models import PersonalModelError, PersonalModels
from app.personal_process import read_line, train_command
from app.unfinished import TrainingLock, Unfinished
from inference.job import Progress, run_to_end
from inference.labelling.pairing import Pairing
from inference.labelling.songs import Windows
from inference.pipelines.head import Head
from library_db.answers import AnswerStore
from library_db.library import Library
from library_db.personal_layer import personal_ids
from tests.app.personal_library import answer_on, fill_with_features, heard_by_listener


class CountingTune:
    """Stands for the code that fine-tunes networks: knows the answers, counts its fits."""

    def __init__(self) -> None:
        self.fits = 0

    def __call__(
        self, start: Head, songs: Sequence[Windows | None], pairing: Pairing
    ) -> CountingTune:
        self.start, self.answers = start, pairing.answers
        return self

    def tune(self, use: np.ndarray, offset: np.ndarray) -> np.ndarray:
        self.fits += 1
        return np.eye(4)[self.answers] * 3.0

    def network(self, use: np.ndarray, offset: np.ndarray) -> Head:
        arrays = self.start.arrays("")
        arrays["classes_bias"] = arrays["classes_bias"] + np.float32(0.5)
        return Head.from_arrays(arrays, "")


def tuned(tune: CountingTune):
    """What `train` asks for: made anew at each training, counted together."""

    def make(start: Head, songs: Sequence[Windows | None], pairing: Pairing):
        tune(start, songs, pairing)
        tuner = type("Tuner", (), {})()
        cls = type(tuner)
        cls.__call__ = lambda _, use, offset: tune.tune(use, offset)
        cls.network = lambda _, use, offset: tune.network(use, offset)
        return tuner

    return lambda: make


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        fill_with_features(opened, 80)
        yield opened


@pytest.fixture
def answers(home: Path) -> Iterator[AnswerStore]:
    with AnswerStore.open(home) as opened:
        yield opened


@pytest.fixture
def models(home: Path) -> PersonalModels:
    return PersonalModels(home / "models")


def ids_of(library: Library) -> list[int]:
    return sorted(int(i) for i in library.search(""))


def tell(library: Library, answers: AnswerStore, ids: Sequence[int]) -> None:
    answers.add(*(answer_on(library, i, heard_by_listener(library, i)) for i in ids))


def test_what_an_interrupted_training_found_out_is_used_again(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:48])
    whole = CountingTune()
    wanted = run_to_end(train(library, answers, models, tune=tuned(whole), dry_run=True))
    assert whole.fits > 10
    first = CountingTune()
    job = train(library, answers, models, tune=tuned(first))
    while first.fits < 6:
        next(job)
    job.close()
    assert (models.numbers(), models.history, personal_ids(library)) == ([], [], [])
    second = CountingTune()
    report = run_to_end(train(library, answers, models, tune=tuned(second)))
    assert second.fits == whole.fits - 6
    assert (report.rung, report.lower) == (wanted.rung, wanted.lower)
    assert not (models.folder / "unfinished").exists(), "it has served"


def test_with_other_words_a_training_begins_anew(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:48])
    job = train(library, answers, models, tune=tuned(first := CountingTune()))
    while first.fits < 6:
        next(job)
    job.close()
    tell(library, answers, ids[48:50])
    second = CountingTune()
    run_to_end(train(library, answers, models, tune=tuned(second)))
    assert second.fits > 10
    assert not (models.folder / "unfinished").exists()


def test_a_network_of_ones_own_is_kept_and_rates_the_library(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:48])
    report = run_to_end(train(library, answers, models, tune=tuned(CountingTune())))
    assert (report.accepted, report.rung) == (True, "network")
    assert "networks of your own" in report.explanation
    model = models.active()
    assert model is not None
    assert model.kind == "network"
    assert len(personal_ids(library)) == len(ids)


def test_without_torch_the_lower_rungs_are_learned_and_that_is_said(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:48])
    report = run_to_end(train(library, answers, models, tune=lambda: None))
    assert report.accepted
    assert "torch is not installed" in report.explanation


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_half_version_and_the_old_one_active(
    library: Library,
    answers: AnswerStore,
    models: PersonalModels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:30])
    run_to_end(train(library, answers, models))
    before = library.emotions(ids)
    tell(library, answers, ids[30:60])
    with monkeypatch.context() as patched:
        patched.setattr("app.personal_models.os.fsync", full)
        tune = CountingTune()
        with pytest.raises(PersonalModelError, match="stays as it was"):
            run_to_end(train(library, answers, models, tune=tuned(tune)))
    assert tune.fits > 10, "what could not be kept meanwhile did not stop it"
    assert (models.numbers(), models.active_number) == ([1], 1)
    assert library.emotions(ids) == before
    assert len(answers.all()) == 60
    assert run_to_end(train(library, answers, models, tune=tuned(CountingTune()))).active == 2


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"x" * 100])
def test_damaged_leftovers_are_found_out_again(models: PersonalModels, data: bytes) -> None:
    memory = Unfinished(models, "words")
    memory["a"] = np.ones((2, 4))
    file = models.folder / "unfinished" / "words" / "a.npy"
    file.write_bytes(data)
    assert memory.get("a") is None
    memory["a"] = np.ones((2, 4))
    assert np.array_equal(memory["a"], np.ones((2, 4)))
    Unfinished(models, "others").begin()
    assert memory.get("a") is None


def test_one_training_at_a_time_and_no_forgetting_meanwhile(
    library: Library, answers: AnswerStore, models: PersonalModels
) -> None:
    tell(library, answers, ids_of(library)[:30])
    with TrainingLock(models):
        with pytest.raises(PersonalModelError, match="being trained"):
            run_to_end(train(library, answers, models))
        with pytest.raises(PersonalModelError, match="cancel"):
            forget(library, answers, models)
    assert len(answers.all()) == 30
    assert run_to_end(train(library, answers, models)).accepted


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
@pytest.mark.parametrize("step", ["learning", "rating your songs"])
def test_a_training_that_is_killed_loses_nothing(
    library: Library, answers: AnswerStore, models: PersonalModels, home: Path, step: str
) -> None:
    ids = ids_of(library)
    tell(library, answers, ids[:30])
    code = "import app.personal; app.personal._AT_ONCE = 5; from app.__main__ import main; main()"
    command = [sys.executable, "-c", code, *train_command(home_of(home))[3:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = read_line(line)
            if isinstance(found, Progress) and found.text == step and found.done < len(ids) / 2:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    assert len(answers.all()) == 30
    assert models.usable() is not None or models.numbers() == []
    report = run_to_end(train(library, answers, models))
    assert report.active == 1
    assert personal_ids(library) == ids
