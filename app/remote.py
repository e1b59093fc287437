"""Talks to the player that is already running: a JSON line each way on a local socket. No Qt."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["MOST_BYTES", "address", "decode", "encode", "send"]

MOST_BYTES = 4_000_000
"""A message larger than this is refused."""


def address(home_folder: Path) -> str:
    """The socket of the player that uses this home.

    Short whatever the home is called, since a socket's path has at most 107
    bytes; in the session's private run-time folder where there is one.
    """
    resolved = os.path.realpath(home_folder)
    digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:16]
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    user = getattr(os, "getuid", lambda: 0)()
    if not folder or not Path(folder).is_dir() or len(os.fsencode(folder)) > 60:
        folder = tempfile.gettempdir()
    return str(Path(folder) / f"undertone-{user}-{digest}")


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as one line; names that are not UTF-8 survive as escaped surrogates."""
    return json.dumps(message, ensure_ascii=True).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any] | None:
    """The message of a line, or None where it is none."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _is_ours(connection: socket.socket) -> bool:
    """Whether the other side runs as the same user: anyone may make names in /tmp."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = struct.Struct("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    _pid, user, _group = credentials.unpack(raw)
    return bool(user == os.getuid())


def send(
    home_folder: Path, message: Mapping[str, Any], timeout_s: float = 2.0
) -> dict[str, Any] | None:
    """Tell the running player; returns its answer, or None where no player answers.

    A player that owns the socket and does not answer in `timeout_s` counts as none.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(address(home_folder))
            if not _is_ours(connection):
                return None
            connection.sendall(encode(message))
            received = b""
            while not received.endswith(b"\n") and len(received) < MOST_BYTES:
                part = connection.recv(65536)
                if not part:
                    break
                received += part
        except OSError:
            return None
    return decode(received)
