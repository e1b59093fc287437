"""Reads one audio file into the fields of its document."""

# Paths are bytes here, so that names in any encoding survive.
# ruff: noqa: PTH119, PTH122

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from library_db.errors import TagError
from library_db.identity import audio_hash
from library_db.tags import Tags, read_tags
from library_db.text import plain_text
from library_db.walk import Found

__all__ = ["file_fields"]


def file_fields(found: Found) -> dict[str, Any]:
    """What is stored of a file; `scan_error` says why its tags could not be read.

    Raises
    ------
    OSError
        If the file is gone or may not be read: nothing is known of it then.
    """
    path = Path(os.fsdecode(found.path))
    error: str | None = None
    try:
        tags = read_tags(path)
    except TagError as fault:
        if isinstance(fault.__cause__, OSError):
            raise fault.__cause__ from None
        tags, error = Tags(), fault.message
    fields: dict[str, Any] = {
        name: getattr(tags, name) or None
        for name in Tags.__dataclass_fields__
        if not name.startswith(("has_cover", "gain_"))
    }
    stem = os.path.splitext(os.path.basename(found.path))[0].decode("utf-8", "replace")
    fields.update(
        path=found.path,
        title=tags.title or plain_text(stem),
        has_cover=int(tags.has_cover),
        gain_track_db=tags.gain_track_db,
        gain_album_db=tags.gain_album_db,
        size_bytes=found.size_bytes,
        mtime_ns=found.mtime_ns,
        audio_hash=audio_hash(found.path) if found.size_bytes else "",
        scan_error=error,
    )
    return fields
