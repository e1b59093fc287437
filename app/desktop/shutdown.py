"""Ends the program in stages, each with a time limit, and names what did not stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Stage", "shut_down"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to end.

    Parameters
    ----------
    name : str
        For the message if it does not end.
    end : callable
        Given the seconds that it may take; returns the names of what did not stop.
    limit_s : float
    """

    name: str
    end: Callable[[float], Sequence[str]]
    limit_s: float = 0.5


def shut_down(stages: Sequence[Stage], total_s: float = 2.0) -> list[str]:
    """End each stage in order; one that fails does not keep the others from ending.

    Returns
    -------
    list of str
        What did not stop, in words; empty if all did.
    """
    ends_s = time.monotonic() + total_s
    stuck: list[str] = []
    for stage in stages:
        allowed_s = max(0.0, min(stage.limit_s, ends_s - time.monotonic()))
        try:
            left = stage.end(allowed_s)
        except Exception:
            _log.exception("ending %s failed", stage.name)
            left = [f"{stage.name} (it failed; see the log)"]
        stuck += left
    for name in stuck:
        _log.warning("did not stop in time: %s", name)
    return stuck
