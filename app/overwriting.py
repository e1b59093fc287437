"""Deleting files so that their blocks hold nothing any more, as far as a program can see to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["delete_for_good"]

_AT_ONCE = 1 << 20


def delete_for_good(path: Path) -> None:
    """Overwrite a file, or every file in a folder, with zeros, and delete it.

    A link is deleted and not followed; a file with other names too loses its name and not its
    content. What is not there is no fault.

    Raises
    ------
    OSError
        If that cannot be done; what was deleted before it stays deleted.
    """
    if path.is_symlink() or not path.is_dir():
        _delete_file(path)
        return
    for folder, _, names in os.walk(path):
        for name in names:
            _delete_file(Path(folder) / name)
    shutil.rmtree(path)


def _delete_file(path: Path) -> None:
    if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
        with path.open("r+b") as file:
            left = path.stat().st_size
            while left > 0:
                left -= file.write(bytes(min(left, _AT_ONCE)))
            file.flush()
            os.fsync(file.fileno())
    path.unlink(missing_ok=True)
