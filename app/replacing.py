"""Files that the listener asked for: all of a file, or the old one as it was."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from inference.errors import UndertoneError

__all__ = ["NotWrittenError", "replacing"]


class NotWrittenError(UndertoneError):
    """A file that could not be written; what was there before is still there."""


def remedy_for(error: OSError) -> str:
    """What helps against a fault of writing."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space on the disk, or choose another one"
    return "Choose another file, in a folder that you may write to"


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A file that takes `target`'s place when all of it is written, and not before.

    Raises
    ------
    NotWrittenError
        If it cannot be written; `target` is then as it was.
    """
    temporary = None
    try:
        if target.exists() and not target.is_file():  # /dev/stdout, a pipe
            with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                yield file
            return
        folder = target.resolve().parent
        handle, temporary = tempfile.mkstemp(prefix=".undertone-export-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(target.resolve())
        temporary = None
    except OSError as error:
        raise NotWrittenError(
            f"cannot write {target} ({error.strerror})", remedy_for(error)
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
