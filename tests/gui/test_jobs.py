"""Jobs on the pools: progress, pause, cancel, faults; the newest question wins; ends in stages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.desktop.jobs import EtaClock, JobRunner, Latest, State
from app.desktop.shutdown import Stage, shut_down
from inference.errors import UndertoneError
from inference.job import Job, Progress

pytestmark = pytest.mark.gui
WAIT_MS = 5000


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[JobRunner]:
    runner = JobRunner()
    yield runner
    runner.cancel_all()
    assert runner.wait(2.0) == []
    runner.deleteLater()


def counting(steps: int, ended: list[str]) -> Job[str]:
    try:
        for n in range(1, steps + 1):
            yield Progress(n, steps, item=n)
        return "all"
    finally:
        ended.append("closed")


class Gate:
    """A job that takes each step when the test lets it."""

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.taken = 0
        self.closed_by: int | None = None

    def job(self, _cancelled: Callable[[], bool]) -> Job[None]:
        try:
            while True:
                self.steps.acquire()
                self.taken += 1
                yield Progress(self.taken)
        finally:
            self.closed_by = threading.get_ident()


def test_a_job_gives_its_result_and_every_item_in_order(qtbot: QtBot, runner: JobRunner) -> None:
    items: list[object] = []
    task = runner.start("counting", lambda _: counting(500, []))
    task.stepped.connect(lambda _, new: items.extend(new))
    with qtbot.waitSignal(task.finished, timeout=WAIT_MS) as caught:
        pass
    assert caught.args == ["all"]
    assert items == list(range(1, 501))
    assert task.state is State.FINISHED


def test_cancelling_closes_the_job_on_the_worker_itself(qtbot: QtBot, runner: JobRunner) -> None:
    gate = Gate()
    task = runner.start("waiting", gate.job)
    gate.steps.release()
    qtbot.waitUntil(lambda: gate.taken == 1, timeout=WAIT_MS)
    task.cancel()
    gate.steps.release()
    with qtbot.waitSignal(task.ended, timeout=WAIT_MS):
        pass
    assert task.state is State.CANCELLED
    assert gate.closed_by not in (None, threading.get_ident())


def test_a_paused_job_takes_no_step_and_can_be_cancelled(qtbot: QtBot, runner: JobRunner) -> None:
    gate = Gate()
    task = runner.start("waiting", gate.job)
    gate.steps.release()
    qtbot.waitUntil(lambda: gate.taken == 1, timeout=WAIT_MS)
    task.pause()
    gate.steps.release()  # the step in flight
    qtbot.waitUntil(lambda: runner.resting(task), timeout=WAIT_MS)
    assert gate.taken == 2
    gate.steps.release()
    task.cancel()
    with qtbot.waitSignal(task.ended, timeout=WAIT_MS):
        pass
    assert gate.taken == 2
    assert gate.closed_by is not None


def test_a_fault_is_told_and_ends_the_task(qtbot: QtBot, runner: JobRunner) -> None:
    def broken(_cancelled: Callable[[], bool]) -> Job[None]:
        yield Progress(1)
        raise UndertoneError("the disk is full", "Free some space")

    task = runner.start("writing", broken)
    with qtbot.waitSignal(task.failed, timeout=WAIT_MS) as caught:
        pass
    assert str(caught.args[0]) == "the disk is full. Free some space"
    assert task.state is State.FAILED


def test_only_the_newest_question_is_answered(qtbot: QtBot, runner: JobRunner) -> None:
    latest, answers, held = Latest(runner), [], threading.Event()
    latest.call(lambda: held.wait(5) and "first", answers.append)
    latest.call(lambda: "second", answers.append)
    latest.call(lambda: "third", answers.append)
    held.set()
    qtbot.waitUntil(lambda: runner.idle, timeout=WAIT_MS)
    assert answers == ["third"]


def test_waiting_names_what_does_not_stop(qtbot: QtBot) -> None:
    runner, held = JobRunner(), threading.Event()

    def stubborn(_cancelled: Callable[[], bool]) -> Job[None]:
        held.wait(10)
        yield Progress(1)

    runner.start("stubborn work", stubborn)
    runner.cancel_all()
    first = runner.wait(0.05)
    held.set()
    assert runner.wait(2.0) == []
    assert first == [] or "stubborn work" in first[0]
    runner.deleteLater()


def test_the_time_left_follows_the_pace_without_the_pauses() -> None:
    now = 0.0
    clock = EtaClock(lambda: now)
    clock.step(0, 100)
    assert clock.left_s() is None
    now = 10.0
    clock.step(10, 100)
    assert clock.left_s() == pytest.approx(90)
    clock.pause()
    now = 500.0
    assert clock.left_s() == pytest.approx(90)
    clock.resume()
    now = 510.0
    clock.step(20, 100)
    assert clock.left_s() == pytest.approx(80)
    clock.step(1, 5)  # another phase
    assert clock.left_s() is None


def test_shutdown_goes_on_past_a_stage_that_fails_and_names_it() -> None:
    ended: list[str] = []

    def failing(_limit_s: float) -> list[str]:
        raise OSError("no")

    def good(_limit_s: float) -> list[str]:
        ended.append("good")
        return []

    stuck = shut_down(
        [Stage("settings", failing), Stage("library", good), Stage("pool", lambda _: ["a thread"])]
    )
    assert ended == ["good"]
    assert len(stuck) == 2
    assert "settings" in stuck[0]
    assert stuck[1] == "a thread"


def test_shutdown_shares_out_its_time() -> None:
    allowed: list[float] = []

    def stage(limit_s: float) -> list[str]:
        allowed.append(limit_s)
        return []

    shut_down([Stage("a", stage, 5.0), Stage("b", stage, 0.1)], total_s=1.0)
    assert allowed[0] <= 1.0
    assert allowed[1] <= 0.1
