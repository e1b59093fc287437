"""Writes are executed in order on one thread, and closing says whether all of them were."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.writer import LibraryWriter, WriterClosedError
from inference.emotion import Quadrant
from inference.job import run_to_end
from library_db.library import Library
from library_db.scan import scan


def test_writes_keep_their_order_and_give_their_results() -> None:
    seen: list[int] = []
    writer = LibraryWriter(seen)  # type: ignore[arg-type]  (any object will do)
    futures = [writer.submit(lambda lib, n=n: (lib.append(n), n)[1]) for n in range(100)]
    assert [future.result(5) for future in futures] == list(range(100))
    assert seen == list(range(100))
    assert writer.close()


def test_a_fault_is_the_futures_and_the_next_write_goes_on() -> None:
    writer = LibraryWriter(object())  # type: ignore[arg-type]

    def bad(library: Any) -> None:
        raise KeyError("no track 7")

    failed, good = writer.submit(bad), writer.submit(lambda library: 3)
    assert isinstance(failed.exception(5), KeyError)
    assert good.result(5) == 3
    assert writer.close()


def test_closing_gives_up_on_a_write_that_hangs_and_cancels_the_rest() -> None:
    release = threading.Event()
    writer = LibraryWriter(object())  # type: ignore[arg-type]
    hanging = writer.submit(lambda library: release.wait(10))
    waiting = writer.submit(lambda library: 3)
    assert not writer.close(timeout_s=0.05)
    assert waiting.cancelled()
    with pytest.raises(WriterClosedError):
        writer.submit(lambda library: 4)
    release.set()
    assert hanging.result(5)
    assert writer.close()


def test_jobs_run_on_the_facade_while_corrections_are_made(
    music_folder: Path, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "library") as library:
        writer = LibraryWriter(library)
        facade = writer.facade()
        report = run_to_end(scan(facade, [music_folder]))
        assert report.added == 6
        (track_id, *_) = facade.under([music_folder])
        writer.submit(lambda lib: lib.correct(track_id, Quadrant.LAHV)).result(5)
        assert facade.emotion(track_id).quadrant is Quadrant.LAHV
        assert writer.close()
