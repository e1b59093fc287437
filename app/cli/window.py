"""`undertone` without a command: opens the player window, or says why it cannot."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.paths import Home
from inference.errors import UndertoneError

__all__ = ["open_window"]

_NO_QT = (
    "Install the system libraries with `sudo apt install libegl1 libgl1 libxkbcommon-x11-0 "
    "libxcb-cursor0 libdbus-1-3 libfontconfig1`; `undertone doctor` looks closer"
)


def open_window(home: Home, paths: Sequence[Path] = ()) -> int:
    """Open the player on `paths` (none: as it was left) and return its exit code.

    Raises
    ------
    UndertoneError
        If there is no display, or Qt's libraries are missing.
    """
    if not _has_display():
        raise UndertoneError(
            "there is no display, so the player cannot open",
            "Use it from the command line, for instance `undertone tag ~/Music` and "
            "`undertone list`; `undertone --help` shows the rest",
        )
    try:
        from app.desktop.main import main
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("app", "widgets"):
            raise
        raise UndertoneError(
            f"the player window needs the Python package {error.name}",
            "Install it with `pip install undertone`",
        ) from error
    except ImportError as error:  # a shared library that Qt needs
        raise UndertoneError(f"the window system could not be loaded ({error})", _NO_QT) from error
    return int(main(home, list(paths)))


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
