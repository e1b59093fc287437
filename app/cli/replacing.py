"""Files that commands write: all of a file, or the old one as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from app.cli.console import UsageError

__all__ = ["replacing"]


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A file that takes `target`'s place when all of it is written, and not before."""
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
        raise UsageError(
            f"cannot write {target} ({error.strerror})", "Name another file with -o"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
