"""Small versioned, checked byte records for arrays that the database keeps."""

from __future__ import annotations

import struct
import zlib

from inference.errors import UndertoneError

__all__ = ["PackingError", "pack", "unpack"]

_HEAD = struct.Struct("<4sHI")  # kind, version, CRC-32 of what follows


class PackingError(UndertoneError):
    """A stored record that is damaged, of another kind, or from a newer version."""


def pack(kind: bytes, version: int, payload: bytes) -> bytes:
    """Put a header before `payload`: four bytes that name its kind, a version, a check sum."""
    return _HEAD.pack(kind, version, zlib.crc32(payload)) + payload


def unpack(kind: bytes, version: int, data: bytes) -> bytes:
    """The payload of a record that `pack` made.

    Raises
    ------
    PackingError
        If it is of another kind, newer than `version`, or damaged.
    """
    remedy = "Tag the song again with --force."
    if len(data) < _HEAD.size:
        raise PackingError("a stored analysis is incomplete", remedy)
    found, found_version, check = _HEAD.unpack_from(data)
    payload = bytes(data[_HEAD.size :])
    if found != kind:
        raise PackingError("a stored analysis is of another kind than expected", remedy)
    if found_version > version:
        raise PackingError(
            "a stored analysis comes from a newer version of Undertone", "Update Undertone."
        )
    if found_version < version or zlib.crc32(payload) != check:
        raise PackingError("a stored analysis is damaged or outdated", remedy)
    return payload
