"""Long work as a generator: it yields progress, returns its result, is cancelled by closing."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Job", "Progress", "run_to_end"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Parameters
    ----------
    done, total : int
        Items finished and items known so far; `total` is 0 while unknown.
    text : str
        What is being worked on, for people.
    item : object
        What the last step produced (a row to show, say), or None.
    """

    done: int
    total: int = 0
    text: str = ""
    item: object = None


Job = Generator[Progress, None, T]
"""A job: `next()` steps it, `close()` cancels it (from the thread that runs it only)."""


def run_to_end(job: Job[T]) -> T:
    """Run `job` to its end without showing progress, and return its result."""
    while True:
        try:
            next(job)
        except StopIteration as stop:
            result: T = stop.value
            return result
