"""A worker that crashes, is killed or hangs costs the item that it had, and nothing else."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.workers import Crashed, Finished, WorkerError, WorkerPool
from inference.errors import UndertoneError


def load() -> Callable[[str], str]:
    return work


def work(item: str) -> str:
    if item == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hang":
        signal.pause()
    if item.startswith("dismissed ") and not (mark := Path(item.partition(" ")[2])).exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGTERM)
    if item == "threads":
        return os.environ["OMP_NUM_THREADS"]
    if item == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    return item.upper()


def load_refuses() -> Callable[[str], str]:
    raise UndertoneError("the model is damaged", "Install it again")


def load_fails() -> Callable[[str], str]:
    raise RuntimeError("no such symbol")


def load_dies() -> Callable[[str], str]:
    os._exit(3)


@pytest.fixture
def pool() -> Iterator[WorkerPool[str, str]]:
    made: WorkerPool[str, str] = WorkerPool(2, load)
    yield made
    made.close()


def run(pool: WorkerPool[str, Any], *items: str, limit_s: float = 60.0) -> dict[str, Any]:
    results: dict[str, Any] = {}
    waiting = list(items)
    while waiting or pool.busy:
        while waiting and pool.room:
            pool.submit(waiting.pop(0), limit_s=limit_s)
        for finished in pool.wait(5.0):
            assert isinstance(finished, Finished)
            results[finished.item] = finished.result
    return results


def test_items_are_worked_on_and_bounded(pool: WorkerPool[str, str]) -> None:
    assert run(pool, "a", "b", "c", "d") == {"a": "A", "b": "B", "c": "C", "d": "D"}
    pool.submit("e", limit_s=60)
    pool.submit("f", limit_s=60)
    assert pool.room == 0
    with pytest.raises(ValueError, match="every worker"):
        pool.submit("g", limit_s=60)


def test_a_crash_names_its_item_and_the_rest_is_done(pool: WorkerPool[str, str]) -> None:
    results = run(pool, "a", "segfault", "b", "killed", "c")
    assert results["segfault"] == Crashed(
        "its worker process died: Segmentation fault", repeatable=True
    )
    assert results["killed"].repeatable is False
    assert "memory" in results["killed"].reason
    assert [results[name] for name in "abc"] == ["A", "B", "C"]


def test_a_hang_is_ended_after_its_time(pool: WorkerPool[str, str]) -> None:
    results = run(pool, "hang", "a", limit_s=0.3)
    assert results["hang"] == Crashed("it was not finished after 0 s", repeatable=True)
    assert results["a"] == "A"


def test_a_worker_that_died_idle_is_replaced(pool: WorkerPool[str, str]) -> None:
    run(pool, "a")
    (worker,) = pool._workers
    os.kill(worker._process.pid or 0, signal.SIGKILL)
    worker._process.join()
    assert run(pool, "b") == {"b": "B"}


def test_an_item_is_tried_again_where_its_worker_was_sent_away(
    pool: WorkerPool[str, str], tmp_path: Path
) -> None:
    mark = tmp_path / "was here"
    item = f"dismissed {mark}"
    assert run(pool, item) == {item: item.upper()}


def test_workers_ignore_interrupts_and_use_one_thread(pool: WorkerPool[str, str]) -> None:
    assert run(pool, "interrupt", "threads") == {"interrupt": "INTERRUPT", "threads": "1"}


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (load_refuses, "the model is damaged"),
        (load_fails, "no such symbol"),
        (load_dies, "ended with code 3"),
    ],
)
def test_a_worker_that_cannot_load_ends_the_run(
    broken: Callable[[], Callable[[str], str]], text: str
) -> None:
    pool: WorkerPool[str, str] = WorkerPool(1, functools.partial(broken))
    try:
        with pytest.raises(UndertoneError, match=text) as caught:
            run(pool, "a")
        assert isinstance(caught.value, WorkerError) == (broken is not load_refuses)
    finally:
        pool.close()
