"""Expected errors speak to the person; jobs step, return and clean up."""

from __future__ import annotations

import pickle

import pytest

from inference.errors import UndertoneError
from inference.job import Job, Progress, run_to_end


class NoSuchModel(UndertoneError):
    pass


def test_an_error_says_what_is_wrong_and_what_to_do():
    assert str(UndertoneError("The file is empty")) == "The file is empty"
    error = UndertoneError("The file is empty", "Copy it again.")
    assert str(error) == "The file is empty. Copy it again."
    assert (error.message, error.remedy) == ("The file is empty", "Copy it again.")


def test_an_error_crosses_process_borders_with_its_class_and_remedy():
    error = pickle.loads(pickle.dumps(NoSuchModel("No model", "Install one.")))
    assert type(error) is NoSuchModel
    assert str(error) == "No model. Install one."


def test_a_job_runs_to_its_result():
    assert run_to_end(counting(3, [])) == 3


def test_a_job_reports_progress_as_it_is_stepped():
    job = counting(2, [])
    assert next(job) == Progress(1, 2, "item 1")
    assert next(job) == Progress(2, 2, "item 2")


def test_closing_a_job_cleans_up():
    log: list[str] = []
    job = counting(5, log)
    next(job)
    job.close()
    assert log == ["cleaned up"]


def test_a_fault_in_a_job_reaches_the_caller():
    def failing() -> Job[int]:
        yield Progress(0)
        raise UndertoneError("The disk is full")

    with pytest.raises(UndertoneError, match="disk is full"):
        run_to_end(failing())


def counting(n: int, log: list[str]) -> Job[int]:
    try:
        for done in range(1, n + 1):
            yield Progress(done, n, f"item {done}")
        return n
    finally:
        log.append("cleaned up")
