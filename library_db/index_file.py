"""The index kept as a file beside the library, so that the next start does not build it anew.

A file of columns as they lie in memory, read in a tenth of the time that SQL rows take. It is
valid for one revision of one database: a token, written into both at the same time, tells a
database that a backup or another hand has put in its place. What was committed since that
revision is read from the database as ever; a file that is missing, damaged, foreign or of another
version of the program is passed over, and costs the start some time and nothing else.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import secrets
import sqlite3
import tempfile
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from library_db.columns import INDEX_COLUMNS
from library_db.database import Durability
from library_db.errors import LibraryError
from library_db.index import LibraryIndex
from library_db.store import LibraryStore
from library_db.text import fold, sort_key

__all__ = ["INDEX_FILE", "Part", "collector_paused", "read_index", "write_index"]

INDEX_FILE = "index.cache"

Part = NDArray[Any] | list[Any]
"""A column as it is kept: numbers, texts, or file names as bytes."""

_log = logging.getLogger(__name__)

_MAGIC = b"undertone index 2\n"
_TABLE = "index_file"
_DTYPES = frozenset({"int8", "int32", "int64", "float32", "float64", "bool"})
_PROBE = "The Straße Ænima Øl “déjà-vu” Ⅳ ﬁn"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hundreds of thousands of new rows, none of them garbage: a third of the time to load them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_index(store: LibraryStore, index: LibraryIndex) -> int:
    """Fill an empty index from the file.

    Returns
    -------
    int
        The revision that the index is now at; 0, and an empty index, without a usable file.
    """
    path = store.database.path.with_name(INDEX_FILE)
    try:
        token = _token(store)
        data = path.read_bytes() if token else b""
    except (OSError, LibraryError):
        return 0
    if not token:
        return 0
    try:
        head, parts = _unpacked(data)
        if head["token"] != token or head["rules"] != _rules() or not head["revision"] > 0:
            return 0
        index.restore(parts)
        return int(head["revision"])
    except (ValueError, KeyError, TypeError, IndexError, UnicodeError) as error:
        _log.info("the index is built anew: %s cannot be used (%r)", path, error)
        index.clear()
        return 0


def write_index(store: LibraryStore, index: LibraryIndex, revision: int) -> bool:
    """Keep the index, which is at `revision`; whether that could be done."""
    path = store.database.path.with_name(INDEX_FILE)
    token = secrets.token_hex(16)
    head = {"token": token, "rules": _rules(), "revision": revision}
    temporary = ""
    try:
        data = _packed(head, index.parts())
        handle, temporary = tempfile.mkstemp(prefix=".index-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.writelines(data)
        Path(temporary).replace(path)
        with store.database.transaction(Durability.BULK) as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (token TEXT)")
            connection.execute(f"DELETE FROM {_TABLE}")
            connection.execute(f"INSERT INTO {_TABLE} VALUES (?)", (token,))
    except (OSError, LibraryError, ValueError) as error:
        _log.info("the index could not be kept for the next start: %s", error)
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        return False
    return True


def _token(store: LibraryStore) -> str:
    """What the database says of its file; empty where none was ever written."""
    with store.database.reading() as connection:
        try:
            row = connection.execute(f"SELECT token FROM {_TABLE}").fetchone()
        except sqlite3.OperationalError:  # no such table
            return ""
    return str(row[0]) if row else ""


def _rules() -> str:
    """Changes where the program would fill the columns otherwise from the same rows."""
    probe = fold(_PROBE)
    return "|".join((unicodedata.unidata_version, probe, sort_key(probe), *INDEX_COLUMNS))


# the format: a line of JSON that names the parts, then the parts one after another, then a checksum


def _packed(head: dict[str, Any], parts: Mapping[str, Part]) -> list[bytes]:
    blocks: list[bytes] = []
    table: list[list[Any]] = []
    for name, part in parts.items():
        kind, block = _encoded(part)
        table.append([name, kind, len(part), len(block)])
        blocks.append(block)
    line = json.dumps({**head, "parts": table}).encode() + b"\n"
    check = 0
    for block in (line, *blocks):
        check = zlib.crc32(block, check)
    return [_MAGIC, line, *blocks, check.to_bytes(4, "little")]


def _unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, Part]]:
    """Raises ValueError and its kin for anything that `_packed` has not made."""
    body = memoryview(data)[len(_MAGIC) : -4]
    if data[: len(_MAGIC)] != _MAGIC or zlib.crc32(body).to_bytes(4, "little") != data[-4:]:
        raise ValueError("it is damaged, or of another version")
    start = data.index(b"\n", len(_MAGIC)) + 1
    head = json.loads(data[len(_MAGIC) : start])
    parts: dict[str, Part] = {}
    for name, kind, count, size in head["parts"]:
        parts[name] = _decoded(kind, count, data[start : start + size])
        start += size
    return head, parts


def _encoded(part: Part) -> tuple[str, bytes]:
    if isinstance(part, np.ndarray):
        return part.dtype.name, part.tobytes()
    if part and isinstance(part[0], bytes):
        kind, block = "bytes", b"\0".join(part)
    else:
        kind, block = "text", "\0".join(part).encode("utf-8", "surrogatepass")
    if block.count(b"\0") != max(len(part) - 1, 0):
        raise ValueError("a text holds the character that separates texts")
    return kind, block


def _decoded(kind: str, count: int, block: bytes) -> Part:
    part: Part
    if kind in _DTYPES:
        part = np.frombuffer(block, np.dtype(kind))
    elif not count:
        part = []
    elif kind == "bytes":
        part = block.split(b"\0")
    else:
        part = block.decode("utf-8", "surrogatepass").split("\0")
    if len(part) != count:
        raise ValueError(f"a column has {len(part)} values in place of {count}")
    return part
