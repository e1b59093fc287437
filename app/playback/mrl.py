"""Names of local files for players: percent-encoded URLs, and what can be wrong before opening."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from inference.errors import UndertoneError

__all__ = ["file_fault", "file_url", "path_of_url"]


def file_url(path: Path) -> str:
    """The file:// URL of `path`, percent-encoded from its bytes.

    Names that are not UTF-8 come through unharmed, and the URL is plain
    ASCII.
    """
    return "file://" + quote(os.fsencode(path.absolute()))


def path_of_url(url: str) -> Path:
    """The path that a file:// URL names.

    Raises
    ------
    UndertoneError
        If `url` names anything else than a file on this machine.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise UndertoneError(
            f"{url[:200]!r} is not a file on this machine", "Undertone plays local files."
        )
    # "?" and "#" are written as %3F and %23 in a file URL; where one was not, it is in the name.
    return Path(os.fsdecode(unquote_to_bytes(url[url.index("://") + 3 + len(parts.netloc) :])))


def file_fault(path: Path) -> UndertoneError | None:
    """Why `path` cannot be opened for playing, or None if nothing is known against it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return UndertoneError("The file is no longer there", "Scan the folder again.")
    except PermissionError:
        return UndertoneError("The file may not be read", "Check its permissions.")
    except (OSError, ValueError) as error:
        return UndertoneError(f"The file cannot be reached ({_cause(error)})")
    if not stat.S_ISREG(status.st_mode):
        return UndertoneError("This is not a file")
    if status.st_size == 0:
        return UndertoneError("The file is empty")
    if not os.access(path, os.R_OK):
        return UndertoneError("The file may not be read", "Check its permissions.")
    return None


def _cause(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
