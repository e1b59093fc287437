"""What keeps the event loop from waiting for Python's own housekeeping."""

from __future__ import annotations

import gc
import sys

__all__ = ["favour_the_window", "spare_what_is_loaded"]

_SWITCH_S = 0.001
"""A paint takes the interpreter back after each of its many calls into Qt; while a worker computes
in Python it waits for it each time, by default up to 5 ms."""

_THRESHOLDS = (10_000, 20, 50)
"""New objects between collections: a library and its rows are few cycles and many objects."""


def favour_the_window() -> None:
    """Make threads that compute hand over to the window sooner; for the whole process."""
    sys.setswitchinterval(_SWITCH_S)


def spare_what_is_loaded() -> None:
    """Have the collector pass over modules, window and library: they stay until the end."""
    gc.set_threshold(*_THRESHOLDS)
    gc.freeze()
