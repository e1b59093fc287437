"""Files that commands write: a fault is a wrong `-o`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from app.cli.console import UsageError
from app.replacing import NotWrittenError
from app.replacing import replacing as whole_or_not

__all__ = ["replacing"]


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A file that takes `target`'s place when all of it is written, and not before."""
    try:
        with whole_or_not(target) as file:
            yield file
    except NotWrittenError as error:
        raise UsageError(error.message, f"{error.remedy}: name another file with -o") from error
