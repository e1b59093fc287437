"""Runs `undertone train personal` in a process of its own, as a job that can be cancelled."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from app.personal import PersonalReport
from app.personal_process import TrainingFault, read_line
from inference.errors import UndertoneError
from inference.job import Job, Progress

__all__ = ["training"]

_NICENESS = 15
_HEARTBEAT_S = 0.1
_END_S = 1.0  # for what is finished to be kept; then it is killed, which loses nothing either
_ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def training(command: Sequence[str]) -> Job[PersonalReport]:
    """Run the command at the least priority, on one core, and say what its lines say.

    Closing the job ends the process.

    Raises
    ------
    UndertoneError
        What the process says of its fault, or that it ended without a word.
    """
    latest = Progress(0, 0, "")
    outcome: PersonalReport | TrainingFault | None = None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        with _running(command, complaints) as process:
            for text in _lines(process):
                line = read_line(text) if text else None
                if isinstance(line, Progress):
                    latest = line
                elif line is not None:
                    outcome = line
                yield latest
            code = process.wait()
        complaints.seek(0)
        last = complaints.read()[-500:].strip().splitlines()
    if isinstance(outcome, PersonalReport):
        return outcome
    if isinstance(outcome, TrainingFault):
        raise UndertoneError(outcome.text, outcome.remedy)
    why = last[-1] if last else f"exit code {code}"
    raise UndertoneError(
        f"the training ended without a result ({why}); your model stays as it was",
        "Try again; `undertone train personal` in a terminal says more",
    )


@contextmanager
def _running(command: Sequence[str], complaints: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        env={**os.environ, **_ONE_CORE},
    )
    try:
        if hasattr(os, "setpriority"):
            with suppress(OSError):  # it is over already
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Lines as they come, and an empty one where none came for a moment."""
    assert process.stdout is not None
    waiting = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(_HEARTBEAT_S):
                yield ""
                continue
            block = os.read(process.stdout.fileno(), 65_536)
            if not block:
                return
            *whole, waiting = (waiting + block).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
