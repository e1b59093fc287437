"""What commands print: messages to stderr, machine-readable output to stdout, all of it clean."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from inference.errors import UndertoneError

__all__ = [
    "OutputClosedError",
    "UsageError",
    "clean",
    "dump_json",
    "flush",
    "message",
    "out",
    "write_bytes",
]


class UsageError(UndertoneError):
    """What was typed cannot be done: exit code 2."""


class OutputClosedError(Exception):
    """Whoever read stdout went away (``| head``)."""


def clean(text: str | Path) -> str:
    """`text` on one line and without control, direction or unpaired characters.

    File names and tags are written by strangers: an escape sequence in a title must not
    reach the terminal. What is taken out is shown as ``\\x1b`` and the like.
    """
    shown = []
    for character in str(text):
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Zl", "Zp") or (
            category == "Cf" and character not in "\u200c\u200d"
        ):
            code = ord(character)
            if 0xDC80 <= code <= 0xDCFF:  # os.fsdecode's escape of a byte that is not UTF-8
                shown.append(f"\\x{code - 0xDC00:02x}")
            else:
                shown.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        else:
            shown.append(character)
    return "".join(shown)


def message(text: str, *, stream: IO[str] | None = None) -> None:
    """Print one line for people on stderr, whatever the terminal's encoding."""
    target: Any = sys.stderr if stream is None else stream
    line = text + "\n"
    try:
        target.write(line)
    except UnicodeEncodeError:
        encoding = target.encoding or "ascii"
        target.write(line.encode(encoding, "backslashreplace").decode(encoding))
    except (OSError, ValueError):  # nobody reads it any more
        return
    with suppress(OSError, ValueError):
        target.flush()


def out(text: str, *, end: str = "\n") -> None:
    """Write one line of output to stdout.

    Raises
    ------
    OutputClosedError
        If nobody reads it any more.
    UndertoneError
        If it cannot be written, say on a full disk.
    """
    try:
        try:
            sys.stdout.write(text + end)
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding or "ascii"
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + end)
        sys.stdout.flush()
    except OSError as error:
        raise _lost(error) from None


def write_bytes(data: bytes) -> None:
    """Write `data` to stdout as it is.

    Raises
    ------
    OutputClosedError
        If nobody reads it any more.
    UndertoneError
        If it cannot be written, say on a full disk.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise _lost(error) from None


def flush() -> None:
    """Write out what stdout still holds.

    Raises
    ------
    OutputClosedError
        If nobody reads it any more.
    UndertoneError
        If it cannot be written, say on a full disk.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        raise _lost(error) from None


def dump_json(value: Any, *, indent: int | None = None) -> str:
    """JSON in ASCII, without NaN; a byte of a path that is not UTF-8 survives as ``\\udcXX``."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=indent)


def _lost(error: OSError) -> Exception:
    """What to raise when stdout takes no more."""
    _mute_stdout()
    if isinstance(error, BrokenPipeError):
        return OutputClosedError()
    return UndertoneError(
        f"the output cannot be written ({error.strerror or error})", "Is the disk full?"
    )


def _mute_stdout() -> None:
    # The interpreter flushes stdout once more at exit; without this it would complain there.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
